"""respond.io, Whippy, Rebilly and Bird's two APIs within the whole program: statuses, schedules, drafts, breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from engine_bench import letter
from http_bench import HttpBench
from http_case import HttpCase
from http_lab import DROP_AFTER_ACTING, HttpLab, Reply
from rules_bird import CASE as BIRD
from rules_bird import BirdRules
from rules_bird_channels import CASE as BIRD_CHANNELS
from rules_bird_channels import BirdChannelsRules
from rules_rebilly import CASE as REBILLY
from rules_rebilly import RebillyRules
from rules_respond_io import CASE as RESPOND_IO
from rules_respond_io import RespondIoRules
from rules_whippy import CASE as WHIPPY
from rules_whippy import WhippyRules

from tui_mailer.domain.errors import MailerError
from tui_mailer.domain.submission import RecipientStatus, State
from tui_mailer.storage.record import Submission

Open = Callable[[HttpCase], Any]
CASES = {case.name: case for case in (BIRD, BIRD_CHANNELS, REBILLY, RESPOND_IO, WHIPPY)}


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens a program with one account at an API."""
    async with AsyncExitStack() as stack:

        async def open_bench(case: HttpCase) -> HttpBench:
            lab = await stack.enter_async_context(HttpLab(case.rules()))
            bench = HttpBench(
                tmp_path, case.name, lab, secret=case.secret, base_path=case.base_path, **dict(case.settings)
            )
            stack.callback(bench.session.close)
            return bench

        yield open_bench


def told(lab: HttpLab, sent: Submission, word: str, why: str) -> None:
    """Makes the API tell this of a message from now on."""
    rules, number = lab.rules, sent.provider_id
    match rules:
        case RespondIoRules():
            rules.histories[f"email:bob@example.org {number}"].append(
                {"value": word, "timestamp": 1_764_150_000, "message": why}
            )
        case WhippyRules():
            rules.messages[-1] |= {"delivery_status": word, "error": why}
        case RebillyRules():
            rules.messages[number] |= {"status": word, "responseCode": 550, "responseBody": why}
        case BirdChannelsRules():
            rules.messages[number] |= {"status": word, "reason": why}
        case BirdRules():
            rules.recipients[number][0] |= {"status": word, "reason": why}
        case _:
            raise AssertionError(rules)


@pytest.mark.parametrize(
    ("name", "word", "status"),
    [
        ("respond_io", "failed", RecipientStatus.REJECTED),
        ("respond_io", "read", RecipientStatus.DELIVERED),
        ("whippy", "undelivered", RecipientStatus.BOUNCED),
        ("rebilly", "failed", RecipientStatus.REJECTED),
        ("bird_channels", "delivery_failed", RecipientStatus.BOUNCED),
        ("bird_channels", "skipped", RecipientStatus.REJECTED),
        ("bird", "bounced", RecipientStatus.BOUNCED),
        ("bird", "delivered", RecipientStatus.DELIVERED),
    ],
)
async def test_what_became_of_it_is_learnt_later(opened: Open, name: str, word: str, status: RecipientStatus) -> None:
    """After a restart the API is asked; what it says is shown beside `sent`, which stays."""
    bench = await opened(CASES[name])
    (sent,) = await bench.deliver(bench.seal())
    assert sent.state is State.SENT, sent.error
    told(bench.lab, sent, word, "no such mailbox")
    bench.reopen()
    await bench.flush_later(timedelta(minutes=1))
    shown = bench.mailer.show(sent.id)
    assert shown.state is State.SENT
    assert shown.recipients[0].status is status
    assert "no such mailbox" in (shown.recipients[0].detail or "")


@pytest.mark.parametrize("name", ["whippy", "bird_channels", "bird"])
async def test_a_schedule_of_its_own_is_used(opened: Open, name: str) -> None:
    """The API keeps it until its time, asked under its own status, and nothing is sent twice."""
    bench = await opened(CASES[name])
    (kept,) = await bench.deliver(bench.seal(letter(schedule="in 2h")))
    assert kept.state is State.HANDED_OVER, kept.error
    assert kept.sent_at is None
    assert len(bench.lab.rules.stored) == 1
    await bench.flush_later(timedelta(hours=1))
    assert bench.mailer.show(kept.id).state is State.HANDED_OVER
    told(bench.lab, kept, "delivered", "")
    await bench.flush_later(timedelta(hours=2, minutes=1))
    sent = bench.mailer.show(kept.id)
    assert sent.state is State.SENT
    assert sent.sent_at is not None
    assert sent.sent_at >= sent.not_before
    assert len(bench.lab.rules.stored) == 1


@pytest.mark.parametrize(
    ("name", "when"), [("bird_channels", "in 5m"), ("bird_channels", "in 40d"), ("bird", "in 40d")]
)
async def test_a_time_outside_its_limits_stays_with_us(opened: Open, name: str, when: str) -> None:
    """What the API would send at once, or refuse, waits in our outbox."""
    bench = await opened(CASES[name])
    sealed = bench.seal(letter(schedule=when))
    await bench.flush()
    assert bench.mailer.show(sealed.id).state is State.QUEUED
    assert not bench.lab.rules.stored


async def test_a_template_is_never_scheduled_at_bird(opened: Open) -> None:
    """Bird refuses a template with a time: our outbox keeps it, and sends it plainly."""
    bench = await opened(CASES["bird"])
    sealed = bench.seal(letter(schedule="in 2h", subject="", body="")._replace(template="welcome-email"))
    await bench.flush_later(timedelta(hours=2, minutes=1))
    assert bench.mailer.show(sealed.id).state is State.SENT
    assert "scheduled_at" not in bench.lab.rules.stored[0]


@pytest.mark.parametrize("name", ["whippy", "bird_channels"])
async def test_what_cannot_be_taken_back_is_said_so(opened: Open, name: str) -> None:
    """These keep a scheduled mail and let nobody take it back: canceling says so and changes nothing."""
    bench = await opened(CASES[name])
    (kept,) = await bench.deliver(bench.seal(letter(schedule="in 2h")))
    with pytest.raises(MailerError):
        await asyncio.to_thread(bench.session.recall().cancel, kept.id)
    assert bench.mailer.show(kept.id).state is State.HANDED_OVER


async def test_a_draft_left_at_rebilly_is_not_sent_until_somebody_sends_it(opened: Open) -> None:
    """Neither time nor a question that fails makes a draft a sent mail; sent there, it is sent."""
    bench = await opened(CASES["rebilly"])
    (left,) = await bench.deliver(bench.seal(letter()._replace(options={"status": "draft"})))
    assert left.state is State.HANDED_OVER
    assert "as a draft" in (left.response_text or "")
    bench.lab.on("GET ", Reply(503), Reply(403, {"title": "No", "status": 403}), Reply(503))
    for hours in (1, 2, 3, 4):
        await bench.flush_later(timedelta(hours=hours))
        assert bench.mailer.show(left.id).state is State.HANDED_OVER
    bench.lab.rules.messages[left.provider_id] |= {"status": "sent", "responseCode": 250, "responseBody": "OK"}
    await bench.flush_later(timedelta(hours=9))
    sent = bench.mailer.show(left.id)
    assert sent.state is State.SENT
    assert "250 OK" in (sent.recipients[0].detail or "")


async def test_a_draft_left_at_rebilly_is_taken_back(opened: Open) -> None:
    """Canceling a draft that was left deletes it at Rebilly."""
    bench = await opened(CASES["rebilly"])
    (left,) = await bench.deliver(bench.seal(letter()._replace(options={"status": "draft"})))
    canceled = await asyncio.to_thread(bench.session.recall().cancel, left.id)
    assert canceled.state is State.CANCELED
    assert not bench.lab.rules.messages


async def test_a_break_between_rebillys_steps_makes_no_second_draft(opened: Open) -> None:
    """The next attempt, in another process, goes on with the draft that was made."""
    bench = await opened(CASES["rebilly"])
    bench.lab.on(REBILLY.sends, Reply(503, {"title": "Down", "status": 503}, {"retry-after": "5"}))
    (waiting,) = await bench.deliver(bench.seal())
    assert waiting.state is State.DEFERRED
    bench.reopen()
    await bench.flush_later(timedelta(minutes=10))
    assert bench.mailer.show(waiting.id).state is State.SENT
    assert len(bench.lab.rules.messages) == 1


@pytest.mark.parametrize("name", ["respond_io", "whippy", "bird_channels"])
async def test_a_lost_answer_is_uncertain_and_waits_for_a_person(opened: Open, name: str) -> None:
    """Without a key or a question to ask, a lost answer is never repeated by itself."""
    bench = await opened(CASES[name])
    bench.lab.on(CASES[name].sends, DROP_AFTER_ACTING)
    (unsure,) = await bench.deliver(bench.seal(letter(to="bob@example.net")))
    assert unsure.state is State.UNCERTAIN
    await bench.flush_later(timedelta(hours=6))
    assert bench.mailer.show(unsure.id).state is State.UNCERTAIN
    assert len(bench.lab.rules.stored) == 1


async def test_birds_key_is_used_again_once(opened: Open) -> None:
    """Bird knows the key: a lost answer is asked for again, and there is one mail."""
    bench = await opened(CASES["bird"])
    bench.lab.on(CASES["bird"].sends, DROP_AFTER_ACTING)
    sealed = bench.seal()
    await bench.deliver(sealed)
    await bench.flush_later(timedelta(minutes=2))
    assert bench.mailer.show(sealed.id).state is State.SENT
    assert len(bench.lab.rules.stored) == 1


async def test_birds_refusal_under_a_key_does_not_stick(opened: Open) -> None:
    """Bird keeps a refusal under its key for hours: what is sent again after it was mended has another key."""
    bench = await opened(CASES["bird"])
    bench.lab.on(
        CASES["bird"].sends, Reply(429, {"error": {"code": "E01009", "message": "Slow"}}, {"retry-after": "1"})
    )
    (waiting,) = await bench.deliver(bench.seal())
    assert waiting.state is State.DEFERRED
    await bench.flush_later(timedelta(minutes=2))
    first, second = bench.lab.asked(CASES["bird"].sends)
    assert bench.mailer.show(waiting.id).state is State.SENT
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


async def test_respond_io_not_yet_is_tried_again(opened: Open) -> None:
    """449 means not taken yet: the mail waits and goes out once."""
    bench = await opened(CASES["respond_io"])
    bench.lab.on("POST", Reply(449, {"code": 449, "message": "Queued, retry"}))
    (waiting,) = await bench.deliver(bench.seal())
    assert waiting.state is State.DEFERRED
    await bench.flush_later(timedelta(minutes=10))
    assert bench.mailer.show(waiting.id).state is State.SENT
    assert len(bench.lab.rules.stored) == 1
