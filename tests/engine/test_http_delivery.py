"""Mail through HTTP APIs: handed over, taken back, repeated by its key, asked about until it has arrived."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from engine_bench import letter
from http_bench import HttpBench, LaterClock
from http_lab import DROP_AFTER_ACTING, DROP_UNACTED, STALL_AFTER_ACTING, HttpLab, Reply
from rules_rebilly import CASE as REBILLY
from rules_resend import ResendRules

from tui_mailer.domain.errors import InvalidSchedule, OutcomeUncertain, StorageError, TooLate
from tui_mailer.domain.submission import RecipientStatus, State
from tui_mailer.domain.timeline import timeline_of
from tui_mailer.providers.testing import SECRET
from tui_mailer.services.delivery import Attempt
from tui_mailer.services.event import SubmissionChanged
from tui_mailer.services.mailer import Mailer, SealRequest
from tui_mailer.services.recall import Recall
from tui_mailer.storage.move import Moves
from tui_mailer.storage.record import Submission
from tui_mailer.tui.words import Moment, say_why


@pytest.fixture
async def lab() -> AsyncIterator[HttpLab]:
    async with HttpLab(ResendRules()) as lab:
        yield lab


@pytest.fixture
async def bench(lab: HttpLab, tmp_path: Path) -> AsyncIterator[HttpBench]:
    bench = HttpBench(tmp_path, "resend", lab, secret=SECRET)
    yield bench
    bench.session.close()


def keys(lab: HttpLab) -> list[str]:
    return [one.headers["idempotency-key"] for one in lab.asked("POST /emails") if one.path == "/emails"]


async def test_a_message_is_sent_and_its_id_is_kept(bench: HttpBench, lab: HttpLab) -> None:
    """Sent through an API: the provider's ID, code and words are kept for scripts."""
    (sent,) = await bench.deliver(bench.seal())
    assert sent.state is State.SENT
    assert sent.provider_id in lab.rules.events  # type: ignore[attr-defined]
    assert sent.response_code == 200
    assert sent.response_text


# no answer


@pytest.mark.parametrize("fault", [DROP_AFTER_ACTING, STALL_AFTER_ACTING], ids=["break", "silence"])
async def test_an_unanswered_request_is_repeated_by_its_key(bench: HttpBench, lab: HttpLab, fault: Any) -> None:
    """No answer after the whole request: it is repeated with the same key and the same bytes, and goes out once."""
    lab.on("POST /emails", fault)
    (waiting,) = await bench.deliver(bench.seal())
    assert waiting.state is State.DEFERRED
    await bench.flush_later(timedelta(seconds=30))
    sent = bench.mailer.show(waiting.id)
    assert sent.state is State.SENT
    assert len(lab.rules.stored) == 1
    first, second = lab.asked("POST /emails")
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.body == second.body


BROKEN_OFF = {"content-length": "9999", "connection": "close"}
"""The line breaks behind what is sent of the body."""


async def test_an_answer_that_breaks_off_has_said_no(bench: HttpBench, lab: HttpLab) -> None:
    """The status came, the end of its explanation didn't: it is a refusal, and nobody wonders whether it went."""
    lab.on("POST /emails", Reply(422, {"message": "The from address is wrong", "name": "x"}, BROKEN_OFF))
    (failed,) = await bench.deliver(bench.seal())
    assert failed.state is State.FAILED
    assert "The from address is wrong" in str(failed.error)


@pytest.mark.parametrize(("body", "state"), [('{"id": "abc"}', State.SENT), ('{"id": "ab', State.DEFERRED)])
async def test_an_answer_that_breaks_off_has_said_yes_if_its_id_is_there(
    bench: HttpBench, lab: HttpLab, body: str, state: State
) -> None:
    """A whole object is the provider's word; half of one isn't, and is asked for again by its key."""
    lab.on("POST /emails", Reply(200, body, {**BROKEN_OFF, "content-type": "application/json"}))
    (answered,) = await bench.deliver(bench.seal())
    assert answered.state is state
    assert answered.provider_id == ("abc" if state is State.SENT else None)


async def test_it_is_repeated_once(bench: HttpBench, lab: HttpLab) -> None:
    """A provider that never answers leaves it uncertain after one repeat: a person decides."""
    lab.always("POST /emails", STALL_AFTER_ACTING)
    sealed = bench.seal()
    await bench.deliver(sealed)
    await bench.flush_later(timedelta(seconds=30))
    await bench.flush_later(timedelta(minutes=30))
    assert bench.mailer.show(sealed.id).state is State.UNCERTAIN
    assert len(keys(lab)) == 2


async def test_a_key_is_trusted_for_its_lifetime_from_its_first_use(bench: HttpBench, lab: HttpLab) -> None:
    """A day later the provider has forgotten the key: it isn't sent a second time without a person."""
    lab.on("POST /emails", STALL_AFTER_ACTING)
    sealed = bench.seal()
    await bench.deliver(sealed)
    bench.reopen()
    await bench.flush_later(timedelta(hours=25))
    assert bench.mailer.show(sealed.id).state is State.UNCERTAIN
    assert len(keys(lab)) == 1
    resent = bench.mailer.settle(sealed.id, "resend")
    assert resent.state is State.QUEUED


async def test_a_key_that_expires_between_a_look_at_it_and_the_request_is_not_trusted(
    bench: HttpBench, lab: HttpLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The computer sleeps for a day in the middle of a repeat: awake again, it doesn't send it a second time."""
    lab.on("POST /emails", STALL_AFTER_ACTING)
    sealed = bench.seal()
    await bench.deliver(sealed)
    slept = [timedelta(0)]
    prepare = Attempt.prepare

    def sleep_over(attempt: Attempt, contents: Any) -> Any:
        prepared = prepare(attempt, contents)
        slept.append(timedelta(hours=25))
        return prepared

    monkeypatch.setattr(Attempt, "prepare", sleep_over)
    monkeypatch.setattr(LaterClock, "now", lambda clock: datetime.now(UTC) + clock.ahead + slept[-1])
    await bench.flush_later(timedelta(seconds=30))
    assert len(slept) == 2  # it was alive when the attempt began
    assert bench.mailer.show(sealed.id).state is State.UNCERTAIN
    assert len(keys(lab)) == 1


@pytest.mark.parametrize("ahead", [timedelta(seconds=30), timedelta(minutes=10)])
async def test_what_may_have_gone_out_never_moves_to_another_account(
    bench: HttpBench, lab: HttpLab, ahead: timedelta
) -> None:
    """The account fails before an unanswered request could be repeated: its fall-back doesn't send it a second time."""
    async with HttpLab(ResendRules()) as elsewhere:
        bench.fall_back_on(elsewhere)
        lab.on("POST /emails", DROP_AFTER_ACTING)
        lab.always("POST /emails", Reply(401, {"message": "API key is invalid", "name": "validation_error"}))
        sealed = bench.seal()
        await bench.deliver(sealed)
        await bench.flush_later(timedelta(seconds=30))
        await bench.flush_later(ahead + timedelta(minutes=1))
        waiting = bench.mailer.show(sealed.id)
        assert waiting.account == "work"
        assert len(lab.rules.stored) == 1
        assert elsewhere.rules.stored == []


async def test_a_key_is_not_repeated_where_it_was_never_heard_of(bench: HttpBench, lab: HttpLab) -> None:
    """An account that was pointed elsewhere while a request was in doubt doesn't send it there: a person decides."""
    lab.on("POST /emails", DROP_AFTER_ACTING)
    sealed = bench.seal()
    await bench.deliver(sealed)
    async with HttpLab(ResendRules()) as elsewhere:
        bench.point_to(elsewhere)
        await bench.flush_later(timedelta(seconds=30))
        assert elsewhere.rules.stored == []
    assert bench.mailer.show(sealed.id).state is State.UNCERTAIN


async def test_what_may_have_gone_out_gets_no_other_time_or_text(bench: HttpBench, lab: HttpLab) -> None:
    """It may lie in its reader's box: no list says that it goes tomorrow, and one that is held says what is known."""
    lab.on("POST /emails", DROP_AFTER_ACTING)
    sealed = bench.seal()
    await bench.deliver(sealed)
    with pytest.raises(TooLate, match="can't be rescheduled: it may have been taken already, no answer came"):
        bench.mailer.reschedule(sealed.id, "in 5h")
    with pytest.raises(TooLate, match="can't be edited: it may have been taken already, no answer came"):
        bench.mailer.edit(sealed.id)
    held = bench.mailer.hold(sealed.id)
    assert say_why(held, Moment(now=datetime.now(UTC))).startswith("may have been taken, no answer came; h releases it")
    bench.mailer.release(sealed.id)
    await bench.flush_later(timedelta(seconds=30))
    assert len(lab.rules.stored) == 1


async def test_what_a_person_sends_again_keeps_its_key_while_it_lives(bench: HttpBench, lab: HttpLab) -> None:
    """Resolved as resend while the provider knows the key: it can't go out twice."""
    lab.on("POST /emails", STALL_AFTER_ACTING, STALL_AFTER_ACTING)
    sealed = bench.seal()
    await bench.deliver(sealed)
    await bench.flush_later(timedelta(seconds=30))
    bench.mailer.settle(sealed.id, "resend")
    await bench.flush_later(timedelta(seconds=60))
    assert bench.mailer.show(sealed.id).state is State.SENT
    assert len(set(keys(lab))) == 1
    assert len(lab.rules.stored) == 1


async def test_a_definite_no_makes_another_key(bench: HttpBench, lab: HttpLab) -> None:
    """After too many requests the next try has a key of its own: some providers remember refusals by it."""
    lab.on("POST /emails", Reply(429, {"message": "slow"}, {"retry-after": "60"}))
    sealed = bench.seal()
    (waiting,) = await bench.deliver(sealed)
    assert waiting.state is State.DEFERRED
    assert timedelta(seconds=50) < waiting.next_attempt_at - waiting.updated_at < timedelta(seconds=70)  # type: ignore[operator]
    await bench.flush_later(timedelta(seconds=90))
    assert bench.mailer.show(sealed.id).state is State.SENT
    assert len(set(keys(lab))) == 2


async def test_too_many_requests_spare_the_rest(bench: HttpBench, lab: HttpLab) -> None:
    """One answer that asks for a pause is enough: the account's other mail waits for it untouched."""
    lab.always("POST /emails", Reply(429, {"message": "slow"}, {"retry-after": "60"}))
    sealed = [bench.seal() for _ in range(5)]
    await bench.flush()
    assert len(keys(lab)) == 1
    states = sorted(bench.mailer.show(one.id).state for one in sealed)
    assert states == [State.DEFERRED, State.QUEUED, State.QUEUED, State.QUEUED, State.QUEUED]


async def test_what_may_have_gone_out_is_not_canceled_silently(bench: HttpBench, lab: HttpLab) -> None:
    """Canceled while its repeat is waiting: it may have gone out, so it is uncertain, not canceled."""
    lab.on("POST /emails", STALL_AFTER_ACTING)
    (waiting,) = await bench.deliver(bench.seal())
    assert bench.mailer.cancel(waiting.id).state is State.UNCERTAIN


async def test_a_break_before_the_sending_is_tried_again(bench: HttpBench, lab: HttpLab) -> None:
    """Nobody there: no attempt is counted, and it goes out when somebody is."""
    port, lab.port = lab.port, 1
    offline = HttpBench(bench.folder, "resend", lab, secret=SECRET)
    sealed = offline.seal()
    (waiting,) = await offline.deliver(sealed)
    assert (waiting.state, waiting.attempts) == (State.QUEUED, 0)
    lab.port = port
    back = HttpBench(bench.folder, "resend", lab, secret=SECRET)
    await back.flush_later(timedelta(minutes=2))
    assert back.mailer.show(sealed.id).state is State.SENT
    offline.session.close()
    back.session.close()


# handed over


async def test_the_provider_keeps_it_until_its_time(bench: HttpBench, lab: HttpLab) -> None:
    """A schedule within the provider's limits: handed over at once, sent by the provider, told by its status."""
    sealed = bench.seal(letter(schedule="in 2h"))
    assert sealed.hands_over
    (kept,) = await bench.deliver(sealed)
    assert kept.state is State.HANDED_OVER
    assert lab.rules.stored[0]["scheduled_at"]
    await bench.flush_later(timedelta(hours=1))
    assert bench.mailer.show(sealed.id).state is State.HANDED_OVER
    lab.rules.events[kept.provider_id] = "delivered"  # type: ignore[attr-defined]
    await bench.flush_later(timedelta(hours=2, minutes=1))
    sent = bench.mailer.show(sealed.id)
    assert sent.state is State.SENT
    assert sent.recipients[0].status is RecipientStatus.DELIVERED
    assert len(keys(lab)) == 1


async def test_a_time_beyond_its_limits_is_kept_here(bench: HttpBench, lab: HttpLab) -> None:
    """Two months ahead is too far for the provider: the outbox keeps it, and sends it plainly at its time."""
    sealed = bench.seal(letter(schedule="in 60d"))
    assert not sealed.hands_over
    await bench.flush()
    assert lab.requests == []
    await bench.flush_later(timedelta(days=60, minutes=1))
    assert bench.mailer.show(sealed.id).state is State.SENT
    assert "scheduled_at" not in lab.rules.stored[0]


async def test_a_person_may_say_who_keeps_it(bench: HttpBench, lab: HttpLab) -> None:
    """The outbox keeps what it is asked to; a provider that can't is refused with its limits."""
    sealed = bench.seal(letter(schedule="in 2h")._replace(schedule_by="outbox"))
    await bench.flush()
    assert (bench.mailer.show(sealed.id).state, lab.requests) == (State.QUEUED, [])
    with pytest.raises(InvalidSchedule, match="can't keep it until then"):
        bench.seal(letter(schedule="in 60d")._replace(schedule_by="provider"))


async def test_a_delay_that_eats_the_margin_sends_nothing_early(bench: HttpBench, lab: HttpLab) -> None:
    """Handing over failed until it was too late for that: it goes out at its time, by us."""
    sealed = bench.seal(letter(schedule="in 2h"))
    await bench.flush_later(timedelta(hours=1, minutes=59, seconds=58, milliseconds=-900))
    assert bench.mailer.show(sealed.id).state is State.QUEUED
    assert lab.requests == []
    await bench.flush_later(timedelta(hours=2, seconds=10))
    assert bench.mailer.show(sealed.id).state is State.SENT
    assert "scheduled_at" not in lab.rules.stored[0]


async def test_a_provider_that_does_not_know_leaves_it_uncertain(bench: HttpBench, lab: HttpLab) -> None:
    """A word that nobody knows, long after its time: it may have gone out, so it isn't called sent, nor sent again."""
    (kept,) = await bench.deliver(bench.seal(letter(schedule="in 2h")))
    lab.rules.events[kept.provider_id] = "teleported"  # type: ignore[attr-defined]
    await bench.flush_later(timedelta(hours=2, minutes=1))
    assert bench.mailer.show(kept.id).state is State.HANDED_OVER
    await bench.flush_later(timedelta(hours=2, minutes=20))
    await bench.flush_later(timedelta(hours=2, minutes=40))
    known = bench.mailer.show(kept.id)
    assert (known.state, known.recipients[0].detail) == (State.UNCERTAIN, "teleported")
    assert len(keys(lab)) == 1


async def test_it_is_taken_back_from_the_provider(bench: HttpBench, lab: HttpLab) -> None:
    """Canceled here only once the provider has let go of it."""
    (kept,) = await bench.deliver(bench.seal(letter(schedule="in 2h")))
    canceled = await asyncio.to_thread(bench.session.recall().cancel, kept.id)
    assert canceled.state is State.CANCELED
    assert len(lab.asked(f"POST /emails/{kept.provider_id}/cancel")) == 1
    await bench.flush_later(timedelta(hours=3))
    assert bench.mailer.show(kept.id).state is State.CANCELED


async def test_too_late_to_take_it_back(bench: HttpBench, lab: HttpLab) -> None:
    """The provider has sent it: that is told with the state, and nothing is changed."""
    (kept,) = await bench.deliver(bench.seal(letter(schedule="in 2h")))
    lab.rules.events[kept.provider_id] = "delivered"  # type: ignore[attr-defined]
    with pytest.raises(TooLate, match="can't be taken back any more") as caught:
        await asyncio.to_thread(bench.session.recall().cancel, kept.id)
    assert caught.value.state == "handed_over"
    assert bench.mailer.show(kept.id).state is State.HANDED_OVER
    with pytest.raises(TooLate):
        bench.mailer.cancel(kept.id)


async def test_another_time_is_cancel_and_anew(bench: HttpBench, lab: HttpLab) -> None:
    """Rescheduled: the provider has it once, for the new time; never both."""
    (kept,) = await bench.deliver(bench.seal(letter(schedule="in 2h")))
    moved = await asyncio.to_thread(bench.session.recall().reschedule, kept.id, "in 5h")
    assert moved.id != kept.id
    assert bench.mailer.show(kept.id).state is State.CANCELED
    (again,) = await bench.deliver(moved)
    assert again.state is State.HANDED_OVER
    assert [lab.rules.events[one] for one in (kept.provider_id, again.provider_id)] == ["canceled", "scheduled"]  # type: ignore[attr-defined]


async def test_it_is_taken_back_into_a_draft(bench: HttpBench, lab: HttpLab) -> None:
    """Edited: taken back from the provider, whole, as a draft."""
    (kept,) = await bench.deliver(bench.seal(letter(schedule="in 2h")))
    draft = await asyncio.to_thread(bench.session.recall().edit, kept.id)
    assert draft.draft.subject == "Tea"
    assert bench.mailer.show(kept.id).state is State.CANCELED


@pytest.mark.parametrize("how", ["cancel", "reschedule", "edit"])
async def test_a_death_after_the_providers_yes_is_found_out(
    bench: HttpBench, lab: HttpLab, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Nothing of it is stored but all of it: the provider is asked later, and what it let go of isn't called sent."""
    (kept,) = await bench.deliver(bench.seal(letter(schedule="in 2h")))
    recall = bench.session.recall()

    def die(self: Moves, submission_id: str, reason: str) -> None:
        raise StorageError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(Moves, "let_go", die)
        with pytest.raises(OutcomeUncertain, match=r"won't go out at its old time, .* kept here: killed here"):
            await asyncio.to_thread(getattr(recall, how), kept.id, *(["in 5h"] if how == "reschedule" else []))
    assert [one.id for one in bench.mailer.outbox()] == [kept.id]
    assert bench.mailer.drafts() == []
    await bench.flush_later(timedelta(minutes=2))
    known = bench.mailer.show(kept.id)
    assert known.state in (State.CANCELED, State.FAILED)
    assert len(keys(lab)) == 1


@pytest.mark.parametrize("other", ["cancel", "reschedule", "edit"])
async def test_two_who_take_it_back_at_once(
    bench: HttpBench, lab: HttpLab, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    """One does; the other is told: a provider says yes to both, and a mail that was canceled would go out anew."""
    (kept,) = await bench.deliver(bench.seal(letter(schedule="in 2h")))
    let_go = Recall._let_go

    async def slowly(self: Recall, mailer: Mailer, submission: Submission) -> None:
        await let_go(self, mailer, submission)
        await asyncio.sleep(0.5)

    monkeypatch.setattr(Recall, "_let_go", slowly)
    recall = bench.session.recall()
    arguments = [] if other != "reschedule" else ["in 6h"]
    ends = await asyncio.gather(
        asyncio.to_thread(recall.reschedule, kept.id, "in 5h"),
        asyncio.to_thread(getattr(bench.session.recall(), other), kept.id, *arguments),
        return_exceptions=True,
    )
    (refused,) = [one for one in ends if isinstance(one, TooLate)]
    assert refused.state == "handed_over"
    is_canceled = other == "cancel" and refused is ends[0]
    assert len(bench.mailer.outbox()) + len(bench.mailer.drafts()) == (0 if is_canceled else 1)
    assert not any((bench.mailer.paths.data_dir / "locks").glob("recall-*"))
    with pytest.raises(TooLate):
        await asyncio.to_thread(recall.cancel, kept.id)


async def test_an_answer_that_ended_it_first_does_not_lose_the_new_time(
    bench: HttpBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process asks the provider and learns of the cancellation: the new one is sealed all the same."""
    (kept,) = await bench.deliver(bench.seal(letter(schedule="in 2h")))
    let_go = Moves.let_go

    def after_an_answer(self: Moves, submission_id: str, reason: str) -> None:
        let_go(self, submission_id, "canceled, says the provider")
        let_go(self, submission_id, reason)

    monkeypatch.setattr(Moves, "let_go", after_an_answer)
    moved = await asyncio.to_thread(bench.session.recall().reschedule, kept.id, "in 5h")
    assert [one.id for one in bench.mailer.outbox()] == [moved.id]
    assert bench.mailer.show(kept.id).error == "canceled, says the provider"


async def test_an_undo_window_is_never_handed_over(bench: HttpBench, lab: HttpLab) -> None:
    """Undo is ours: what can still be taken back hasn't left."""
    sealed = bench.seal(letter(), SealRequest(undo_seconds=300))
    assert not sealed.hands_over
    await bench.flush()
    assert lab.requests == []


# what became of it


async def test_a_timeline_grows_until_it_is_final(bench: HttpBench, lab: HttpLab) -> None:
    """Sent, then delivered, then nothing more is asked; the history keeps it, whoever has restarted meanwhile."""
    (sent,) = await bench.deliver(bench.seal())
    await bench.flush()
    bench.reopen()
    lab.rules.events[sent.provider_id] = "delivery_delayed"  # type: ignore[attr-defined]
    await bench.flush_later(timedelta(seconds=20))
    lab.rules.events[sent.provider_id] = "delivered"  # type: ignore[attr-defined]
    await bench.flush_later(timedelta(minutes=5))
    asked = len(lab.asked("GET"))
    await bench.flush_later(timedelta(days=1))
    assert len(lab.asked("GET")) == asked
    known = bench.mailer.show(sent.id)
    assert (known.state, known.is_in_history) == (State.SENT, True)
    assert known.recipients[0].status is RecipientStatus.DELIVERED
    statuses = [one.status for one in timeline_of(known.recipients, known.timeline)]
    assert statuses == [RecipientStatus.ACCEPTED, RecipientStatus.DEFERRED, RecipientStatus.DELIVERED]


async def test_a_bounce_is_shown_and_the_state_stays(bench: HttpBench, lab: HttpLab) -> None:
    """After the provider's yes the state stays sent; the recipient has bounced, and can be sent to again."""
    (sent,) = await bench.deliver(bench.seal())
    lab.rules.events[sent.provider_id] = "bounced"  # type: ignore[attr-defined]
    await bench.flush_later(timedelta(seconds=20))
    known = bench.mailer.show(sent.id)
    assert known.state is State.SENT
    assert known.recipients[0].status is RecipientStatus.BOUNCED
    assert bench.mailer.resend(sent.id, only_refused=True).state is State.QUEUED


@pytest.mark.parametrize(
    ("word", "status"), [("delivered", RecipientStatus.DELIVERED), ("bounced", RecipientStatus.BOUNCED)]
)
async def test_what_is_learnt_later_is_told_as_that(
    bench: HttpBench, lab: HttpLab, word: str, status: RecipientStatus
) -> None:
    """That it was sent is old news: told is what became of it, once."""
    (sent,) = await bench.deliver(bench.seal())
    assert sent.provider_id
    bench.reopen()
    bench.events.clear()
    lab.rules.events[sent.provider_id] = word  # type: ignore[attr-defined]
    await bench.flush_later(timedelta(seconds=20))
    await bench.flush_later(timedelta(minutes=20))
    told = [one for one in bench.events if isinstance(one, SubmissionChanged)]
    assert [(one.state, one.learnt) for one in told] == [(State.SENT, status)]


async def test_questions_back_off_and_end(bench: HttpBench, lab: HttpLab) -> None:
    """A provider that has nothing to say is asked ever more seldom, and after some days no more."""
    lab.always("GET", Reply(500))
    await bench.deliver(bench.seal())
    for hours in (0.01, 0.02, 1, 2, 24, 25, 80, 81, 200):
        await bench.flush_later(timedelta(hours=hours))
    asked = len(lab.asked("GET"))
    assert 3 <= asked <= 8
    await bench.flush_later(timedelta(hours=300))
    assert len(lab.asked("GET")) == asked


# findable


async def test_an_uncertain_one_is_settled_by_asking(tmp_path: Path) -> None:
    """Where a provider can be asked for a message, a lost answer is settled without a person, once it can answer."""
    async with HttpLab(REBILLY.rules()) as lab:
        bench = HttpBench(
            tmp_path, "rebilly", lab, secret=REBILLY.secret, base_path=REBILLY.base_path, **REBILLY.settings
        )
        lab.on(REBILLY.sends, DROP_AFTER_ACTING)
        (sent,) = await bench.deliver(bench.seal())
        assert sent.state is State.SENT
        assert sent.provider_id
        assert len(lab.rules.stored) == 1
        bench.session.close()


async def test_a_no_from_another_place_proves_nothing(tmp_path: Path) -> None:
    """Asked for a message in doubt, an account that was pointed elsewhere meanwhile doesn't know it: uncertain."""
    async with HttpLab(REBILLY.rules()) as lab, HttpLab(REBILLY.rules()) as elsewhere:
        bench = HttpBench(tmp_path, "rebilly", lab, secret=REBILLY.secret, **REBILLY.settings)
        lab.on(REBILLY.sends, DROP_AFTER_ACTING)
        lab.always("GET /organizations/org-1/email-messages", Reply(500, {}))
        sealed = bench.seal()
        await bench.deliver(sealed)
        bench.point_to(elsewhere)
        await bench.flush_later(timedelta(minutes=2))
        await bench.flush_later(timedelta(minutes=4))
        assert bench.mailer.show(sealed.id).state is State.UNCERTAIN
        assert elsewhere.rules.stored == []
        bench.session.close()


async def test_what_was_not_found_is_sent_again(tmp_path: Path) -> None:
    """The provider says that it doesn't have it: it is due again, and goes out once."""
    async with HttpLab(REBILLY.rules()) as lab:
        bench = HttpBench(
            tmp_path, "rebilly", lab, secret=REBILLY.secret, base_path=REBILLY.base_path, **REBILLY.settings
        )
        lab.on(REBILLY.sends, DROP_UNACTED)
        sealed = bench.seal()
        await bench.deliver(sealed)
        await bench.flush_later(timedelta(minutes=1))
        assert bench.mailer.show(sealed.id).state is State.SENT
        assert len(lab.rules.stored) == 1
        bench.session.close()
