"""Leases: one deliverer at a time, phases before steps, outcomes that are never lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from storage_fixtures import START, HandClock, Post, answer, make_new

from tui_mailer.domain.errors import Fenced, StorageError
from tui_mailer.domain.submission import Phase, Receipt, RecipientResult, RecipientStatus, State
from tui_mailer.storage.database import Database
from tui_mailer.storage.record import Outcome, Transfer
from tui_mailer.storage.store import Store

ACCEPTED, REJECTED, DEFERRED = RecipientStatus.ACCEPTED, RecipientStatus.REJECTED, RecipientStatus.DEFERRED


def statuses(submission) -> list[RecipientStatus]:
    return [one.status for one in submission.recipients]


def test_what_is_due_is_claimed_in_the_order_it_is_due(post: Post) -> None:
    """The longest waiting goes first; what is for later waits."""
    later = post.seal(not_before=START - timedelta(minutes=1))
    first = post.seal(not_before=START - timedelta(minutes=2))
    post.seal(not_before=START + timedelta(seconds=1))
    claims = post.outbox.claim(post.owner, now=post.clock.now(), limit=9)
    assert [one.submission.id for one in claims] == [first.id, later.id]
    assert [one.submission.state for one in claims] == [State.SENDING] * 2


def test_a_claimed_submission_is_claimed_by_nobody_else(post: Post) -> None:
    """Two deliverers never get the same message."""
    post.seal()
    assert post.claim().attempt == 1
    assert post.outbox.claim("deliver pid 1 other", now=post.clock.now()) == []


def test_only_the_wanted_are_claimed(post: Post) -> None:
    """`send` attempts its own message, not the queue before it."""
    post.seal()
    wanted = post.seal()
    assert post.claim(ids=[wanted.id], limit=5).submission.id == wanted.id


def test_other_accounts_go_on_while_one_is_busy(post: Post) -> None:
    """An account that is skipped doesn't hold up another one's mail."""
    post.seal(account="work")
    home = post.seal(account="home")
    assert post.claim(skip_accounts={"work"}).submission.id == home.id


def test_who_is_sending_is_shown(post: Post) -> None:
    """The outbox names the process that leases a message, and how far it is."""
    submission = post.seal()
    claim = post.claim()
    post.outbox.set_phase(claim, Phase.BODY)
    shown = post.outbox.get(submission.id)
    assert shown.deliverer is not None
    assert shown.deliverer.startswith("app pid ")
    assert len(shown.deliverer.split()) == 3
    assert shown.phase is Phase.BODY


def test_accepted_by_all_is_sent(post: Post) -> None:
    """The server's words, its ID and the time are kept."""
    post.seal("a@example.org", "b@example.org")
    sent = post.deliver(ACCEPTED)
    assert sent.state is State.SENT
    assert statuses(sent) == [ACCEPTED, ACCEPTED]
    assert (sent.response_code, sent.response_text, sent.provider_id) == (250, "2.0.0 Ok: queued as 4711", "4711")
    assert sent.sent_at == START
    assert sent.phase is Phase.DONE
    assert post.outbox.get(sent.id) == sent


def test_refused_for_one_is_partial(post: Post) -> None:
    """The one refused is named with the server's words."""
    post.seal("a@example.org", "b@example.org")
    partial = post.deliver(ACCEPTED, REJECTED)
    assert partial.state is State.PARTIAL
    assert partial.recipients[1].detail == "rejected by the server"


def test_refused_for_all_is_failed(post: Post) -> None:
    """Nobody got it."""
    post.seal()
    failed = post.deliver(REJECTED)
    assert failed.state is State.FAILED
    assert failed.sent_at is None


def test_only_the_deferred_are_tried_again(post: Post) -> None:
    """A second attempt leaves alone whom the first one reached."""
    post.seal("a@example.org", "b@example.org")
    retry_at = START + timedelta(minutes=5)
    deferred = post.deliver(ACCEPTED, DEFERRED, next_attempt_at=retry_at, error="Busy.")
    assert (deferred.state, deferred.next_attempt_at, deferred.error) == (State.DEFERRED, retry_at, "Busy.")
    assert post.outbox.claim(post.owner, now=post.clock.now()) == []
    post.clock.advance(minutes=5)
    claim = post.claim()
    assert claim.attempt == 2
    only = Receipt(recipients=(RecipientResult(address="b@example.org", status=REJECTED, text="no"),))
    done = post.outbox.finish(claim, Outcome(receipt=only))
    assert (done.state, statuses(done)) == (State.PARTIAL, [ACCEPTED, REJECTED])


def test_an_answer_about_somebody_settled_changes_nothing(post: Post) -> None:
    """A provider that names a recipient again can't take an acceptance back."""
    post.seal("a@example.org", "b@example.org")
    post.deliver(ACCEPTED, DEFERRED, next_attempt_at=START)
    done = post.deliver(REJECTED)
    assert statuses(done) == [ACCEPTED, REJECTED]


@pytest.mark.parametrize(
    ("fallback", "state", "status"),
    [
        (State.DEFERRED, State.DEFERRED, DEFERRED),
        (State.FAILED, State.FAILED, REJECTED),
        (State.UNCERTAIN, State.UNCERTAIN, RecipientStatus.UNKNOWN),
        (State.HELD, State.HELD, RecipientStatus.PENDING),
    ],
)
def test_an_attempt_without_an_answer(post: Post, fallback: State, state: State, status: RecipientStatus) -> None:
    """What the engine made of a break becomes the state and every recipient's status."""
    post.seal()
    ended = post.outbox.finish(
        post.claim(), Outcome(fallback_state=fallback, text="Connection lost", error="The line broke.")
    )
    assert (ended.state, statuses(ended)) == (state, [status])
    assert ended.error == "The line broke."
    assert ended.held_reason == ("The line broke." if state is State.HELD else None)


def test_too_old_ends_for_those_still_waiting(post: Post) -> None:
    """When a deferred message gets too old the deferred are refused, with the server's last words."""
    post.seal("a@example.org", "b@example.org")
    ended = post.deliver(ACCEPTED, DEFERRED, fallback_state=State.FAILED, error="Given up after 5 days.")
    assert (ended.state, statuses(ended)) == (State.PARTIAL, [ACCEPTED, REJECTED])
    assert ended.recipients[1].detail == "deferred by the server"


def test_a_recipient_the_receipt_forgets_is_tried_later_not_at_once(post: Post) -> None:
    """A provider's omission doesn't become a tight loop."""
    post.seal()
    deferred = post.outbox.finish(post.claim(), Outcome(receipt=Receipt(recipients=())))
    assert deferred.state is State.DEFERRED
    assert deferred.next_attempt_at == START + timedelta(minutes=5)


def test_handed_over_waits_with_the_provider(post: Post) -> None:
    """A provider's own schedule is shown as such."""
    post.seal()
    claim = post.claim()
    receipt = Receipt(recipients=(RecipientResult(address="bob@example.org", status=ACCEPTED),), is_handed_over=True)
    assert post.outbox.finish(claim, Outcome(receipt=receipt)).state is State.HANDED_OVER


def test_every_attempt_is_kept(post: Post) -> None:
    """The attempt log has each attempt's phase, words, IDs and transcript."""
    submission = post.seal()
    claim = post.claim()
    post.outbox.set_phase(claim, Phase.CONNECTING, {"draft": "d1"})
    post.outbox.set_phase(claim, Phase.INTENT, {"upload": "u1"})
    post.outbox.finish(
        claim,
        Outcome(text="Try later", code=451, enhanced_code="4.7.1", next_attempt_at=START, transcript=("C: a", "S: b")),
    )
    post.deliver()
    first, second = post.store.attempts(submission.id)
    assert (first.number, first.phase, first.code, first.enhanced_code) == (1, Phase.INTENT, 451, "4.7.1")
    assert dict(first.note) == {"draft": "d1", "upload": "u1"}
    assert first.transcript == ("C: a", "S: b")
    assert (second.number, second.phase, second.provider_id) == (2, Phase.DONE, "4711")


def test_the_date_header_is_frozen_with_its_zone(post: Post) -> None:
    """A retry from another time zone sends the same Date."""
    post.seal()
    date = datetime(2026, 3, 2, 10, 0, tzinfo=timezone(timedelta(hours=1)))
    claim = post.claim()
    post.outbox.set_phase(claim, Phase.CONNECTING, date=date)
    post.outbox.finish(claim, Outcome(next_attempt_at=START))
    claim = post.claim()
    post.outbox.set_phase(claim, Phase.CONNECTING, date=datetime(2026, 5, 1, tzinfo=UTC))
    frozen = post.outbox.get(claim.submission.id).date
    assert frozen is not None
    assert frozen.isoformat() == "2026-03-02T10:00:00+01:00"


def test_the_next_one_is_claimed_with_the_outcome_of_the_last(post: Post) -> None:
    """In bulk, one commit ends one message and begins the next of the same account."""
    post.seal()
    post.seal(account="home")
    second = post.seal()
    sent, following = post.outbox.finish_and_claim(
        claim := post.claim(), answer(claim), now=post.clock.now(), account="work"
    )
    assert sent.state is State.SENT
    assert following is not None
    assert following.submission.id == second.id
    _, none = post.outbox.finish_and_claim(following, answer(following), now=post.clock.now(), account="work")
    assert none is None


def test_what_is_given_back_is_as_before(post: Post) -> None:
    """Stopping before anything was done counts no attempt and leaves no trace."""
    submission = post.seal()
    post.outbox.give_back(post.claim())
    again = post.outbox.get(submission.id)
    assert (again.state, again.attempts, again.phase, again.deliverer) == (State.QUEUED, 0, None, None)
    assert post.store.attempts(submission.id) == ()
    assert post.claim().attempt == 1


def test_the_accounts_trouble_is_one_line_however_often_it_comes(post: Post) -> None:
    """A wrong password leaves the message queued, uncounted, and one line in its log."""
    submission = post.seal()
    for _ in range(3):
        post.outbox.give_back(post.claim(), error="The server refused the password.")
    again = post.outbox.get(submission.id)
    assert (again.state, again.attempts, again.error) == (State.QUEUED, 0, "The server refused the password.")
    (only,) = post.store.attempts(submission.id)
    assert only.text == "The server refused the password."


def test_a_lost_lease_stops_its_holder_at_once(post: Post) -> None:
    """Who was taken over can't pass the point of no return, nor record anything, nor give anything back."""
    post.seal()
    claim = post.claim()
    post.clock.advance(seconds=121)
    post.outbox.recover(now=post.clock.now())
    mine = post.claim()
    with pytest.raises(Fenced):
        post.outbox.set_phase(claim, Phase.INTENT)
    with pytest.raises(Fenced):
        post.outbox.finish(claim, answer(claim))
    post.outbox.give_back(claim)
    assert post.outbox.renew([claim, mine]) == {claim.submission.id}
    assert post.outbox.finish(mine, answer(mine)).state is State.SENT


def test_a_renewed_lease_is_not_taken_over(post: Post) -> None:
    """A slow upload keeps its lease."""
    post.seal()
    claim = post.claim()
    for _ in range(3):
        post.clock.advance(seconds=100)
        assert post.outbox.renew([claim]) == set()
    assert post.outbox.recover(now=post.clock.now()) == []


def test_a_renewal_tells_how_far_it_is_and_never_moves_the_point_of_no_return(post: Post) -> None:
    """What others are told rides along; what recovery goes by is only ever written before its step."""
    submission = post.seal()
    claim = post.claim()
    post.outbox.renew([claim], {submission.id: Transfer(phase=Phase.BODY, bytes_gone=(3, 9))})
    told = post.store.find(submission.id)
    assert (told.phase, told.bytes_gone, told.claimed_at) == (Phase.BODY, (3, 9), post.clock.now())
    post.outbox.renew([claim], {submission.id: Transfer(phase=Phase.INTENT, bytes_gone=(9, 9))})
    assert post.store.find(submission.id).phase is Phase.BODY
    post.outbox.set_phase(claim, Phase.INTENT)
    post.outbox.renew([claim], {submission.id: Transfer(phase=Phase.BODY, bytes_gone=(9, 9))})
    assert post.store.find(submission.id).phase is Phase.INTENT
    post.outbox.finish(claim, answer(claim))
    ended = post.store.find(submission.id)
    assert (ended.claimed_at, ended.bytes_gone) == (None, None)


def test_a_killed_deliverer_is_taken_over_at_once(post: Post) -> None:
    """Before the point of no return the message is due again, uncounted."""
    submission = post.seal()
    claim = post.claim()
    post.outbox.set_phase(claim, Phase.BODY)
    assert post.outbox.recover(now=post.clock.now()) == []
    post.die()
    (left,) = post.outbox.recover(now=post.clock.now())
    assert (left.id, left.state, left.attempts) == (submission.id, State.QUEUED, 0)
    other = post.outbox.claim("deliver pid 2 x", now=post.clock.now())
    assert [one.submission.id for one in other] == [submission.id]
    first, _second = post.store.attempts(submission.id)
    assert first.text is not None
    assert first.text.startswith("Interrupted")


def test_a_deferred_one_goes_back_to_deferred(post: Post) -> None:
    """Recovery puts a message back to where it was claimed from."""
    post.seal()
    post.outbox.finish(post.claim(), Outcome(next_attempt_at=START))
    post.claim()
    post.die()
    (left,) = post.outbox.recover(now=post.clock.now())
    assert (left.state, left.attempts) == (State.DEFERRED, 1)


def test_after_a_reboot_every_lease_is_void(post: Post) -> None:
    """A lease of an earlier boot holds nothing up, whatever its time says."""
    post.seal()
    post.claim()
    post.clock.boot, post.clock.since_boot = "boot-2", 5.0
    assert [one.state for one in post.outbox.recover(now=post.clock.now())] == [State.QUEUED]


@pytest.mark.parametrize("policy", ["ask", "give_up"])
def test_past_the_point_of_no_return_it_is_uncertain(post: Post, policy) -> None:
    """Killed between intent and answer: it says so, and is never sent again by itself."""
    post.seal("a@example.org", "b@example.org")
    post.outbox.set_phase(post.claim(), Phase.INTENT)
    post.die()
    (left,) = post.outbox.recover(policy=policy, now=post.clock.now())
    assert left.state is State.UNCERTAIN
    assert set(statuses(left)) == {RecipientStatus.UNKNOWN}
    assert left.attempts == 1
    assert post.outbox.claim(post.owner, now=post.clock.advance(days=30)) == []


def test_where_wanted_the_uncertain_is_sent_again(post: Post) -> None:
    """With `uncertain: resend` it is due again, with the same Date and Message-ID."""
    post.seal()
    claim = post.claim()
    date = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    post.outbox.set_phase(claim, Phase.INTENT, date=date)
    post.die()
    (left,) = post.outbox.recover(policy="resend", now=post.clock.now())
    assert left.state is State.DEFERRED
    again = post.claim()
    assert again.submission.date == date
    assert again.submission.message == claim.submission.message


def test_an_answer_that_came_after_all_settles_the_uncertain(post: Post) -> None:
    """A deliverer taken for dead that got its 250 makes the message sent, not doubted."""
    post.seal()
    claim = post.claim()
    post.outbox.set_phase(claim, Phase.INTENT)
    post.clock.advance(seconds=121)
    post.outbox.recover(now=post.clock.now())
    sent = post.outbox.finish(claim, answer(claim))
    assert (sent.state, statuses(sent)) == (State.SENT, [ACCEPTED])
    assert post.outbox.get(sent.id).state is State.SENT


def test_a_late_answer_for_some_leaves_the_rest_to_another_try(post: Post) -> None:
    """Accepted for one and deferred for the other: only the other goes out again."""
    post.seal("a@example.org", "b@example.org")
    claim = post.claim()
    post.outbox.set_phase(claim, Phase.INTENT)
    post.clock.advance(seconds=121)
    post.outbox.recover(now=post.clock.now())
    late = post.outbox.finish(claim, answer(claim, ACCEPTED, DEFERRED, next_attempt_at=post.clock.now()))
    assert (late.state, statuses(late)) == (State.QUEUED, [ACCEPTED, DEFERRED])


def test_a_late_failure_settles_nothing(post: Post) -> None:
    """Without an acceptance the fenced deliverer's word isn't taken."""
    post.seal()
    claim = post.claim()
    post.outbox.set_phase(claim, Phase.INTENT)
    post.clock.advance(seconds=121)
    post.outbox.recover(now=post.clock.now())
    with pytest.raises(Fenced):
        post.outbox.finish(claim, Outcome(text="lost"))


def test_a_late_answer_comes_too_late_once_a_person_has_settled_it(post: Post) -> None:
    """What a person has decided stands."""
    submission = post.seal()
    claim = post.claim()
    post.outbox.set_phase(claim, Phase.INTENT)
    post.clock.advance(seconds=121)
    post.outbox.recover(now=post.clock.now())
    post.outbox.settle(submission.id, "resend", post.clock.now())
    with pytest.raises(Fenced):
        post.outbox.finish(claim, answer(claim))


def test_two_stores_share_one_outbox(open_store: Callable[[], Store], clock: HandClock) -> None:
    """A message claimed through one connection is another's only once its owner is gone."""
    one, two = open_store(), open_store()
    mine, theirs = one.become_deliverer("app"), two.become_deliverer("deliver")
    one.outbox.seal([make_new()])
    assert two.outbox.has_changed()
    assert not two.outbox.has_changed()
    assert one.outbox.has_changed()  # the other one's registration
    one.outbox.hold_account("home", "x")
    assert not one.outbox.has_changed()
    (claim,) = one.outbox.claim(mine, now=clock.now())
    assert two.outbox.recover(now=clock.now()) == []
    assert [(one.role, one.is_alive) for one in two.outbox.deliverers(clock.now())] == [
        ("app", True),
        ("deliver", True),
    ]
    one.close()
    assert [left.id for left in two.outbox.recover(now=clock.now())] == [claim.submission.id]
    assert two.outbox.claim(theirs, now=clock.now())[0].submission.id == claim.submission.id
    assert [one.role for one in two.outbox.deliverers()] == ["deliver"]


def test_a_disk_that_refuses_for_a_while_costs_no_outcome(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quota, a limit, a disk that hangs: what the server has said is written down once it is over."""
    submission = post.seal()
    claim = post.claim()
    post.outbox.set_phase(claim, Phase.INTENT)
    database = post.outbox._database
    ordinary, refusals = type(database).transaction, iter([True, True, False])

    def transaction(self: Database, **more: bool):
        if next(refusals, False):
            raise StorageError("outbox.db can't be written: File too large")
        return ordinary(self, **more)

    monkeypatch.setattr(type(database), "transaction", transaction)
    assert post.outbox.finish(claim, answer(claim)).state is State.SENT
    assert post.store.find(submission.id).state is State.SENT
