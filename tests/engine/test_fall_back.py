"""Failing over to another account: what one has provably not accepted goes by the next, and never twice."""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from engine_bench import EngineBench, letter
from smtp_server import DROP, RESET, ScriptedServer

from tui_mailer.domain.submission import RecipientStatus, State
from tui_mailer.storage.record import Submission

TWO = "bob@example.org, eve@example.org"


@pytest.fixture
async def spare() -> AsyncIterator[ScriptedServer]:
    """The server of the account to fall back on."""
    async with ScriptedServer() as server:
        yield server


def configure(
    bench: EngineBench, first: int, second: int, *, extra: str = "", spare: str = "from: ada@example.org"
) -> None:
    """Two accounts; the first falls back on the second."""
    smtp = "provider: smtp\n    host: 127.0.0.1\n    security: none\n    timeout_seconds: 2"
    bench.config.write_text(
        f"default_account: work\naccounts:\n"
        f"  work:\n    {smtp}\n    from: Ada <ada@example.org>\n    port: {first}\n    fallback: spare\n{extra}"
        f"  spare:\n    {smtp}\n    {spare}\n    port: {second}\n"
        "delivery: {connections: 1}\n"
    )
    bench.reopen()


def nobody_listens() -> int:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return closed.getsockname()[1]


def message_ids(server: ScriptedServer) -> list[str]:
    lines = [
        line for one in server.stored for line in one.body.split(b"\r\n") if line.lower().startswith(b"message-id")
    ]
    return [line.partition(b": ")[2].decode() for line in lines]


def accounts_tried(bench: EngineBench, submission: Submission) -> list[str | None]:
    return [one.account for one in bench.mailer.attempts(submission.id)]


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("CONNECT", "554 5.3.2 go away"),
        ("CONNECT", DROP),
        ("EHLO", RESET),
        ("MAIL", "451 4.3.0 later"),
        ("MAIL", "550 5.7.1 you may not"),
        ("MAIL", DROP),
        ("RCPT", "450 4.2.0 busy"),
        ("RCPT", "550 5.7.1 no relaying"),
        ("RCPT", RESET),
        ("DATA", "451 4.3.0 no room"),
        ("DATA", DROP),
        ("BODY", DROP),
        ("DOT", "451 4.3.0 not now"),
        ("DOT", "554 5.7.1 we don't like it"),
    ],
)
async def test_what_was_provably_not_accepted_goes_by_the_other_account(
    bench: EngineBench, server: ScriptedServer, spare: ScriptedServer, key: str, answer: str
):
    """Same Message-ID, sent once, and the history names the account that accepted."""
    configure(bench, server.port, spare.port)
    server.always(key, answer)
    server.always("HELO", answer if key == "EHLO" else "250 ok")
    (sent,) = await bench.deliver(bench.seal())
    assert (sent.state, sent.account, sent.home_account) == (State.SENT, "spare", "work")
    assert accounts_tried(bench, sent) == ["work", "spare"]
    assert message_ids(spare) == [sent.message.message_id]
    assert server.stored == [] or key == "DOT"  # refused after the dot: the server's word counts, not what it kept


async def test_an_account_that_nobody_answers_for_is_left_out_for_all_that_waits(
    bench: EngineBench, spare: ScriptedServer
):
    """One try tells; the others go by the other account without asking."""
    configure(bench, nobody_listens(), spare.port)
    for number in range(6):
        bench.seal(letter(subject=f"Message {number}"))
    await bench.flush()
    assert bench.mailer.outbox() == []
    assert len(spare.stored) == len(set(message_ids(spare))) == 6
    assert {one.account for one in bench.mailer.history()} == {"spare"}


async def test_a_wrong_password_holds_the_account_and_the_mail_goes_on(
    bench: EngineBench, server: ScriptedServer, spare: ScriptedServer, tmp_path: Path
):
    """The account is held for a person all the same."""
    secret = tmp_path / "secret"
    secret.write_text("wrong\n")
    secret.chmod(0o600)
    configure(
        bench,
        server.port,
        spare.port,
        extra=f"    username: ada\n    credential: {{file: {secret}}}\n    insecure_auth: true\n",
    )
    (sent,) = await bench.deliver(bench.seal())
    assert (sent.state, sent.account) == (State.SENT, "spare")
    assert "work" in bench.mailer.account_holds()
    (second,) = await bench.deliver(bench.seal())
    assert (second.state, second.account) == (State.SENT, "spare")
    assert sum(command.startswith("AUTH") for command in server.commands) == 1


@pytest.mark.parametrize("answer", [DROP, RESET])
async def test_what_may_have_been_accepted_never_goes_by_another(
    bench: EngineBench, server: ScriptedServer, spare: ScriptedServer, answer: str
):
    """The answer after the dot never came: uncertain, shown so, and the other account isn't touched."""
    configure(bench, server.port, spare.port)
    server.on("DOT", answer)
    (lost,) = await bench.deliver(bench.seal())
    assert (lost.state, lost.account) == (State.UNCERTAIN, "work")
    assert spare.commands == []


async def test_resending_the_uncertain_by_itself_stays_with_the_account(
    tmp_path: Path, server: ScriptedServer, spare: ScriptedServer
):
    """With `uncertain: resend` the same account repeats the same bytes: another one couldn't be recognised."""
    bench = EngineBench(tmp_path, server.port)
    configure(bench, server.port, spare.port)
    bench.config.write_text(bench.config.read_text().replace("connections: 1", "connections: 1, uncertain: resend"))
    bench.reopen()
    server.on("DOT", DROP)
    (lost,) = await bench.deliver(bench.seal())
    assert (lost.state, lost.account) == (State.DEFERRED, "work")
    # Whatever becomes of the repeat: what may have arrived by the first account isn't sent by the second.
    for key, answer in (("MAIL", "451 4.3.0 later"), ("CONNECT", DROP), ("MAIL", "550 5.7.1 no")):
        server.on(key, answer)
        bench.mailer.retry(lost.id)
        await bench.deliver(lost)
        assert bench.mailer.show(lost.id).account == "work"
        if bench.mailer.show(lost.id).state is State.DEFERRED:
            bench.mailer.retry(lost.id)
            bench.mailer.store.outbox.hold_account("work", "the certificate has expired")
            await bench.flush()
            bench.mailer.release_account("work")
    assert spare.commands == []
    bench.session.close()


async def test_only_those_who_were_not_accepted_go_by_the_other(
    bench: EngineBench, server: ScriptedServer, spare: ScriptedServer
):
    """One recipient accepted here, the other refused by policy: the other account gets that one alone."""
    configure(bench, server.port, spare.port)
    server.on("RCPT TO:<eve", "550 5.7.1 not from here")
    (sent,) = await bench.deliver(bench.seal(letter(to=TWO)))
    assert sent.state is State.SENT
    assert [one.recipients for one in server.stored] == [("bob@example.org",)]
    assert [one.recipients for one in spare.stored] == [("eve@example.org",)]
    assert message_ids(server) == message_ids(spare)


async def test_an_address_that_does_not_exist_is_not_tried_elsewhere(
    bench: EngineBench, server: ScriptedServer, spare: ScriptedServer
):
    """No account can reach a mailbox that isn't there."""
    configure(bench, server.port, spare.port)
    server.on("RCPT TO:<eve", "550 5.1.1 no such user")
    (sent,) = await bench.deliver(bench.seal(letter(to=TWO)))
    assert sent.state is State.PARTIAL
    assert spare.commands == []


@pytest.mark.parametrize(
    ("spare_settings", "reason"),
    [("from: other@example.org", "may not send as ada@example.org"), ("from: ada@example.org\n    window: X", "hours")],
)
async def test_an_account_that_may_not_carry_it_is_skipped_with_the_reason(
    bench: EngineBench, server: ScriptedServer, spare: ScriptedServer, spare_settings: str, reason: str
):
    """The message stays where it is, and says why nobody else sends it."""
    from test_opening_hours import another_day

    closed = another_day().partition(": ")[2].strip()
    configure(bench, server.port, spare.port, spare=spare_settings.replace("X", closed))
    server.always("MAIL", "451 4.3.0 later")
    (waiting,) = await bench.deliver(bench.seal())
    assert (waiting.state, waiting.account, waiting.home_account) == (State.DEFERRED, "work", None)
    assert reason in (waiting.error or "")
    assert spare.commands == []


async def test_an_account_is_tried_as_often_as_its_retries_say_before_the_next(
    bench: EngineBench, server: ScriptedServer, spare: ScriptedServer
):
    """A limit with a fall-back: one retry, then the other account."""
    configure(bench, server.port, spare.port, extra="    retries: 1\n")
    server.always("MAIL", "451 4.3.0 later")
    (first,) = await bench.deliver(bench.seal())
    assert (first.state, first.account) == (State.DEFERRED, "work")
    bench.mailer.retry(first.id)
    (second,) = await bench.deliver(first)
    assert (second.state, second.account) == (State.SENT, "spare")
    assert accounts_tried(bench, second) == ["work", "work", "spare"]


async def test_when_nobody_takes_it_the_next_round_begins_at_home(
    bench: EngineBench, server: ScriptedServer, spare: ScriptedServer
):
    """Each is tried once, then it waits; the account it was written for has the first word again."""
    configure(bench, server.port, spare.port)
    server.always("MAIL", "451 4.3.0 later")
    spare.on("MAIL", "451 4.3.0 later, too")
    (waiting,) = await bench.deliver(bench.seal())
    assert (waiting.state, waiting.account, waiting.home_account) == (State.DEFERRED, "work", None)
    assert waiting.next_attempt_at is not None
    assert waiting.next_attempt_at > bench.mailer.store.clock.now()
    bench.mailer.retry(waiting.id)
    (sent,) = await bench.deliver(waiting)
    assert accounts_tried(bench, sent) == ["work", "spare", "work", "spare"]
    assert sent.state is State.SENT


async def test_who_has_refused_for_good_is_not_asked_again(
    bench: EngineBench, server: ScriptedServer, spare: ScriptedServer
):
    """The other account has put it off: the next try is there, not at the one that said no."""
    configure(bench, server.port, spare.port)
    server.always("MAIL", "550 5.7.1 never")
    spare.on("MAIL", "451 4.3.0 later")
    (waiting,) = await bench.deliver(bench.seal())
    assert (waiting.state, waiting.account) == (State.DEFERRED, "spare")
    bench.mailer.retry(waiting.id)
    (sent,) = await bench.deliver(waiting)
    assert accounts_tried(bench, sent) == ["work", "spare", "spare"]
    assert sent.state is State.SENT


async def test_when_all_refuse_for_good_it_has_failed(
    bench: EngineBench, server: ScriptedServer, spare: ScriptedServer
):
    """Nothing is tried for ever."""
    configure(bench, server.port, spare.port)
    server.always("MAIL", "550 5.7.1 never")
    spare.always("MAIL", "550 5.7.1 nor here")
    (failed,) = await bench.deliver(bench.seal())
    assert failed.state is State.FAILED
    assert [one.status for one in failed.recipients] == [RecipientStatus.REJECTED]


async def test_what_a_person_holds_waits(bench: EngineBench, server: ScriptedServer, spare: ScriptedServer):
    """Holding an account means that its mail waits, not that another sends it."""
    configure(bench, server.port, spare.port)
    bench.mailer.hold_account("work")
    sealed = bench.seal()
    await bench.flush()
    assert bench.mailer.show(sealed.id).state is State.QUEUED
    assert spare.commands == []


async def test_kill_nine_while_it_changes_accounts_doubles_nothing(tmp_path: Path, server: ScriptedServer):
    """Deliverers killed at any moment: each message is at one server once, or shown as uncertain."""
    dice = random.Random(815)
    async with ScriptedServer() as spare:
        bench = EngineBench(tmp_path, server.port)
        configure(bench, server.port, spare.port)
        sealed = [bench.seal(letter(subject=f"Message {number}")).id for number in range(12)]
        for _ in range(5):
            server.on("MAIL", "451 4.3.0 later", "550 5.7.1 never", DROP)
            server.on("DOT", "451 4.3.0 later", "250 ok", DROP)
            spare.on("DOT", "250 ok", DROP)
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tui_mailer", "--config", str(bench.config)),
                *("--data-dir", str(bench.folder / "data"), "outbox", "flush"),
                stderr=asyncio.subprocess.DEVNULL,
            )
            wanted = len(server.commands) + len(spare.commands) + dice.randint(4, 30)
            while process.returncode is None and len(server.commands) + len(spare.commands) < wanted:
                await asyncio.sleep(0.002)
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
            await process.wait()
            retry_all(bench)
        for _ in range(3):
            await bench.flush()
            retry_all(bench)
        stored = Counter(message_ids(server) + message_ids(spare))
        refused = Counter(dict.fromkeys(stored, 0))
        for submission_id in sealed:
            one = bench.mailer.show(submission_id)
            refused_after_dot = sum(
                attempt.code == 451 and attempt.phase.value == "done" for attempt in bench.mailer.attempts(one.id)
            )
            arrived = stored[one.message.message_id] - refused_after_dot
            refused[one.message.message_id] = refused_after_dot
            assert arrived <= 1, f"{one.id} is at the servers {arrived} times"
            assert one.state in {State.SENT, State.UNCERTAIN}, one
            if one.state is State.SENT:
                assert arrived == 1
        bench.session.close()


def retry_all(bench: EngineBench) -> None:
    for name in bench.mailer.account_holds():
        bench.mailer.release_account(name)
    for one in bench.mailer.outbox(limit=1000):
        if one.state is State.DEFERRED:
            bench.mailer.retry(one.id)
