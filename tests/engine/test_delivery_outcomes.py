"""What becomes of a submission, answer by answer, against a server that keeps the truth."""

from __future__ import annotations

import asyncio

import pytest
from engine_bench import EngineBench, letter
from smtp_server import DROP, RESET, STALL, ScriptedServer

from tui_mailer.domain.errors import TooLate
from tui_mailer.domain.submission import RecipientStatus, State
from tui_mailer.services import crew, writing
from tui_mailer.services.event import AccountChanged, SubmissionChanged
from tui_mailer.services.mailer import SealRequest
from tui_mailer.services.resending import find_resent


async def test_an_accepted_message_is_sent_and_found_again(bench: EngineBench, server: ScriptedServer):
    """The thin thread: seal, deliver, history."""
    (sent,) = await bench.deliver(bench.seal())
    assert (sent.state, sent.response_code, sent.attempts) == (State.SENT, 250, 1)
    assert [one.recipients for one in server.stored] == [("bob@example.org",)]
    assert [one.id for one in bench.mailer.history(bench.mailer.parse_query("tea"))] == [sent.id]
    assert bench.mailer.outbox() == []


async def test_a_refused_recipient_makes_it_partial(bench: EngineBench, server: ScriptedServer):
    """Some accepted, some refused: the accepted are done, the refused are listed with the reason."""
    server.on("RCPT TO:<eve", "550 5.1.1 no such user")
    (done,) = await bench.deliver(bench.seal(letter(to="bob@example.org, eve@example.org")))
    assert done.state is State.PARTIAL
    statuses = {one.address: (one.status, one.detail) for one in done.recipients}
    assert statuses["bob@example.org"][0] is RecipientStatus.ACCEPTED
    assert statuses["eve@example.org"][0] is RecipientStatus.REJECTED
    assert "no such user" in (statuses["eve@example.org"][1] or "")
    again = bench.mailer.resend(done.id, only_refused=True)
    await bench.deliver(again)
    assert [one.recipients for one in server.stored] == [("bob@example.org",), ("eve@example.org",)]


async def test_the_refused_are_served_again_once(bench: EngineBench, server: ScriptedServer):
    """A second time isn't for whoever doesn't know of the first; one that came to nothing doesn't count."""
    server.on("RCPT TO:<eve", "550 5.1.1 no such user")
    (done,) = await bench.deliver(bench.seal(letter(to="bob@example.org, eve@example.org")))
    first = bench.mailer.resend(done.id, only_refused=True)
    with pytest.raises(TooLate, match=f"sent it again already, as {first.id}"):
        bench.mailer.resend(done.id, only_refused=True)
    bench.mailer.cancel(first.id)
    second = bench.mailer.resend(done.id, only_refused=True)
    await bench.deliver(second)
    with pytest.raises(TooLate, match="Nothing was sent"):
        bench.mailer.resend(done.id, only_refused=True, after=first.id)
    third = bench.mailer.resend(done.id, only_refused=True, after=second.id)
    with pytest.raises(TooLate, match=third.id):
        bench.mailer.resend(done.id, only_refused=True, after=second.id)
    await bench.deliver(third)
    assert [one.recipients for one in server.stored][1:] == [("eve@example.org",)] * 2


async def test_two_at_once_serve_the_refused_once(
    bench: EngineBench, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
):
    """Both have looked before either has sealed: the store takes one."""
    server.on("RCPT TO:<eve", "550 5.1.1 no such user")
    (done,) = await bench.deliver(bench.seal(letter(to="bob@example.org, eve@example.org")))
    looked = find_resent(bench.mailer.store, done.id)
    monkeypatch.setattr(writing, "find_resent", lambda _store, _original: looked)
    first = bench.mailer.resend(done.id, only_refused=True)
    with pytest.raises(TooLate, match=first.id):
        bench.mailer.resend(done.id, only_refused=True)
    assert [one.id for one in bench.mailer.outbox()] == [first.id]


async def test_a_greylisted_message_is_deferred_then_sent_once(bench: EngineBench, server: ScriptedServer):
    """Greylisting costs a wait, not the message, and not a second copy."""
    server.on("RCPT", "451 4.7.1 greylisted")
    (deferred,) = await bench.deliver(bench.seal())
    assert deferred.state is State.DEFERRED
    assert deferred.next_attempt_at is not None
    assert 40 <= (deferred.next_attempt_at - deferred.updated_at).total_seconds() <= 75
    bench.mailer.retry(deferred.id)
    (sent,) = await bench.deliver(deferred)
    assert (sent.state, sent.attempts, len(server.stored)) == (State.SENT, 2, 1)


async def test_only_the_deferred_recipient_is_tried_again(bench: EngineBench, server: ScriptedServer):
    """Who has accepted is never put into an envelope again."""
    server.on("RCPT TO:<eve", "450 4.2.1 busy")
    (deferred,) = await bench.deliver(bench.seal(letter(to="bob@example.org", bcc="eve@example.org")))
    assert deferred.state is State.DEFERRED
    bench.mailer.retry(deferred.id)
    (sent,) = await bench.deliver(deferred)
    assert sent.state is State.SENT
    assert [one.recipients for one in server.stored] == [("bob@example.org",), ("eve@example.org",)]
    assert b"eve@example.org" not in b"".join(one.body for one in server.stored)


@pytest.mark.parametrize("fault", [DROP, RESET])
async def test_silence_after_the_dot_is_uncertain_and_stays_so(bench: EngineBench, server: ScriptedServer, fault: str):
    """The server has it, the answer is lost: it is shown as uncertain and never sent again by itself."""
    server.on("DOT", fault)
    (lost,) = await bench.deliver(bench.seal())
    assert lost.state is State.UNCERTAIN
    assert len(server.stored) == 1
    assert await bench.flush() == []
    assert len(server.stored) == 1
    assert bench.mailer.settle(lost.id, "sent").state is State.SENT


async def test_a_person_who_stops_waiting_after_the_dot_is_told_so(
    bench: EngineBench, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
):
    """Giving up while the last answer is awaited leaves it uncertain, never "not sent"."""
    monkeypatch.setattr(crew, "INTENT_GRACE_SECONDS", 0.2)
    server.on("DOT", STALL)
    (lost,) = await bench.deliver(bench.seal(), timeout_seconds=1)
    assert (lost.state, len(server.stored)) == (State.UNCERTAIN, 1)


async def test_a_person_who_stops_waiting_before_it_loses_nothing(bench: EngineBench, server: ScriptedServer):
    """Giving up before the dot leaves it queued, untouched."""
    server.on("MAIL", STALL)
    (waiting,) = await bench.deliver(bench.seal(), timeout_seconds=0.5)
    assert (waiting.state, waiting.attempts, server.stored) == (State.QUEUED, 0, [])


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "BODY"])
@pytest.mark.parametrize("fault", [DROP, RESET])
async def test_a_break_before_the_dot_is_deferred(bench: EngineBench, server: ScriptedServer, verb: str, fault: str):
    """Nothing was delivered, so it is tried again and arrives once."""
    server.on(verb, fault)
    (broken,) = await bench.deliver(bench.seal())
    assert (broken.state, server.stored) == (State.DEFERRED, [])
    bench.mailer.retry(broken.id)
    (sent,) = await bench.deliver(broken)
    assert (sent.state, len(server.stored)) == (State.SENT, 1)


async def test_a_wrong_password_holds_the_account_not_the_message(
    bench: EngineBench, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
):
    """The message stays queued, untouched and uncounted; after the secret is right it goes."""
    monkeypatch.setenv("MAIL_SECRET", "wrong")
    bench.configure(server.port, extra="    username: ada\n    credential: {env: MAIL_SECRET}\n")
    bench.reopen()
    first, second = bench.seal(), bench.seal()
    (waiting,) = await bench.deliver(first)
    assert (waiting.state, waiting.attempts) == (State.QUEUED, 0)
    assert "work" in bench.mailer.account_holds()
    assert await bench.flush() == []
    assert sum(line.startswith("AUTH") for line in server.commands) == 1
    assert any(isinstance(event, AccountChanged) and event.held_reason for event in bench.events)
    monkeypatch.setenv("MAIL_SECRET", "right")
    bench.reopen()
    bench.mailer.release_account("work")
    sent = await bench.flush()
    assert {one.id for one in sent} == {first.id, second.id}
    assert all(one.state is State.SENT for one in sent)


async def test_no_network_counts_no_attempt(bench: EngineBench, server: ScriptedServer):
    """Nobody listening: the message waits, the account is off line, and the next try goes through."""
    port = server.port
    bench.configure(1)
    bench.reopen()
    (waiting,) = await bench.deliver(bench.seal())
    assert (waiting.state, waiting.attempts) == (State.QUEUED, 0)
    hold = bench.mailer.account_holds()["work"]
    assert hold.is_offline
    assert hold.retry_at is not None
    bench.configure(port)
    bench.reopen()
    (sent,) = await bench.flush()
    assert (sent.state, len(server.stored)) == (State.SENT, 1)
    assert bench.mailer.account_holds() == {}


async def test_refused_content_fails_with_the_servers_words(bench: EngineBench, server: ScriptedServer):
    """A 5yz at the dot is final, and says why."""
    server.on("DOT", "554 5.7.1 looks like spam")
    (failed,) = await bench.deliver(bench.seal())
    assert (failed.state, failed.response_code, failed.enhanced_code) == (State.FAILED, 554, "5.7.1")
    assert "looks like spam" in (failed.error or "")


async def test_too_large_is_refused_before_upload(bench: EngineBench, server: ScriptedServer):
    """The server's SIZE limit is believed before a byte of the body leaves."""
    server.extensions = ["PIPELINING", "SIZE 1000"]
    (failed,) = await bench.deliver(bench.seal(letter(body="x" * 5000)))
    assert failed.state is State.FAILED
    assert server.body_bytes == 0


async def test_an_undo_window_is_a_time_ahead(bench: EngineBench, server: ScriptedServer):
    """While the window is open nothing leaves, and it can be taken back whole."""
    submission = bench.seal(request=SealRequest(undo_seconds=60))
    assert await bench.flush() == []
    undoable = bench.mailer.undoable()
    assert undoable is not None
    assert undoable.id == submission.id
    draft = bench.mailer.edit(submission.id)
    assert (draft.draft.subject, draft.draft.to) == ("Tea", "bob@example.org")
    assert bench.mailer.show(submission.id).state is State.CANCELED
    assert server.stored == []


async def test_the_same_key_seals_once(bench: EngineBench, server: ScriptedServer):
    """A script that calls twice with one key sends once."""
    first = bench.seal(request=SealRequest(key="invoice-7"))
    await bench.deliver(first)
    assert bench.seal(request=SealRequest(key="invoice-7")).id == first.id
    await bench.flush()
    assert len(server.stored) == 1


async def test_bulk_mail_keeps_one_connection_busy(bench: EngineBench, server: ScriptedServer):
    """Twenty messages need one connection and twenty transactions."""
    sealed = [bench.seal() for _ in range(20)]
    done = await bench.flush()
    assert {one.id for one in done} == {one.id for one in sealed}
    assert (len(server.stored), server.connections) == (20, 1)
    states = [event.state for event in bench.events if isinstance(event, SubmissionChanged)]
    assert states.count(State.SENT) == 20


async def test_a_started_engine_sends_what_comes_in(bench: EngineBench, server: ScriptedServer):
    """The app's engine: started once, nudged after each Send, stopped at the end."""
    loop = asyncio.get_running_loop()
    sent = asyncio.Event()

    def listen(event: object) -> None:
        if isinstance(event, SubmissionChanged) and event.state is State.SENT:
            loop.call_soon_threadsafe(sent.set)

    engine = bench.session.engine("app", listen)
    engine.start()
    submission = await asyncio.to_thread(bench.seal)
    engine.nudge()
    async with asyncio.timeout(10):
        await sent.wait()
    await asyncio.to_thread(engine.stop)
    assert bench.mailer.show(submission.id).state is State.SENT


async def test_one_refused_recipient_of_the_second_copy_may_have_the_first(bench: EngineBench, server: ScriptedServer):
    """Two got the first copy unanswered, one of them is refused the second: he isn't said to have got nothing."""
    bench.configure(server.port, delivery=", uncertain: resend")
    bench.reopen()
    server.on("DOT", DROP)
    (again,) = await bench.deliver(bench.seal(letter(to="bob@example.org, carol@example.org")))
    assert again.state is State.DEFERRED
    bench.mailer.retry(again.id)
    server.on("RCPT TO:<carol", "550 5.7.1 not another one")
    (unclear,) = await bench.deliver(again)
    assert [one.status for one in unclear.recipients] == [RecipientStatus.ACCEPTED, RecipientStatus.UNKNOWN]
    assert unclear.state is State.UNCERTAIN


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DOT"])
async def test_a_refusal_of_the_second_copy_says_nothing_of_the_first(
    bench: EngineBench, server: ScriptedServer, verb: str
):
    """With `uncertain: resend` the server may take the first copy silently and refuse the second: it hasn't failed."""
    bench.configure(server.port, delivery=", uncertain: resend")
    bench.reopen()
    server.on("DOT", DROP)
    (again,) = await bench.deliver(bench.seal())
    assert again.state is State.DEFERRED
    assert len(server.stored) == 1
    bench.mailer.retry(again.id)
    server.on(verb, "550 5.7.1 not another one")
    (unclear,) = await bench.deliver(again)
    assert unclear.state is State.UNCERTAIN
    assert [one.status for one in unclear.recipients] == [RecipientStatus.UNKNOWN]
    assert "not another one" in (unclear.error or "")
