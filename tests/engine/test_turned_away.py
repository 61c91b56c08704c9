"""Whom the server has turned away before an outcome that is never learnt: nobody takes them for served."""

from __future__ import annotations

from engine_bench import EngineBench, letter
from smtp_server import DROP, ScriptedServer

from tui_mailer.domain.submission import RecipientStatus, State
from tui_mailer.storage.record import Submission

EVERYBODY = "bob@example.org, eve@example.org, joe@example.org"


def statuses(submission: Submission) -> dict[str, RecipientStatus]:
    return {one.address.partition("@")[0]: one.status for one in submission.recipients}


async def test_the_refused_stay_refused_when_the_answer_is_lost(bench: EngineBench, server: ScriptedServer):
    """Settling "it was sent" is about those whom the server had accepted, not about who doesn't exist."""
    server.on("RCPT TO:<eve", "550 5.1.1 no such user")
    server.on("DOT", DROP)
    (lost,) = await bench.deliver(bench.seal(letter(to="bob@example.org, eve@example.org")))
    assert lost.state is State.UNCERTAIN
    assert statuses(lost) == {"bob": RecipientStatus.UNKNOWN, "eve": RecipientStatus.REJECTED}
    settled = bench.mailer.settle(lost.id, "sent")
    assert settled.state is State.PARTIAL
    assert statuses(settled) == {"bob": RecipientStatus.ACCEPTED, "eve": RecipientStatus.REJECTED}
    assert "no such user" in (settled.recipients[1].detail or "")


async def test_the_deferred_are_served_alone_when_the_answer_is_lost(bench: EngineBench, server: ScriptedServer):
    """A greylisted recipient gets the message later; the uncertain one isn't sent it twice."""
    server.on("RCPT TO:<joe", "451 4.7.1 greylisted")
    server.on("RCPT TO:<eve", "550 5.1.1 no such user")
    server.on("DOT", DROP)
    (first,) = await bench.deliver(bench.seal(letter(to=EVERYBODY)))
    assert first.state is State.DEFERRED
    assert first.next_attempt_at is not None
    bench.mailer.retry(first.id)
    (second,) = await bench.deliver(first)
    assert second.state is State.UNCERTAIN
    assert statuses(second) == {
        "bob": RecipientStatus.UNKNOWN,
        "eve": RecipientStatus.REJECTED,
        "joe": RecipientStatus.ACCEPTED,
    }
    assert [one.recipients for one in server.stored] == [("bob@example.org",), ("joe@example.org",)]


async def test_a_second_attempt_that_is_lost_is_about_all_who_were_in_it(bench: EngineBench, server: ScriptedServer):
    """Who was deferred once and accepted at the next try is uncertain after a lost answer, not due again."""
    server.on("RCPT TO:<joe", "451 4.7.1 greylisted")
    (first,) = await bench.deliver(bench.seal(letter(to="joe@example.org")))
    server.on("DOT", DROP)
    bench.mailer.retry(first.id)
    (second,) = await bench.deliver(first)
    assert (second.state, statuses(second)) == (State.UNCERTAIN, {"joe": RecipientStatus.UNKNOWN})
    assert len(server.stored) == 1
