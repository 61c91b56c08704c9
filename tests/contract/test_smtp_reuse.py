"""Connections are kept and reused, and a bad one never spoils the next message."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

import pytest
from smtp_account import PATIENT, make_provider
from smtp_server import DROP, RESET, STALL, Answer, ScriptedServer, Then
from tls_lab import TlsLab

from tui_mailer.domain.errors import DeliveryError, NotAuthorized, OutcomeUncertain, TryLater
from tui_mailer.domain.submission import Phase, RecipientStatus
from tui_mailer.providers.smtp import SmtpProvider
from tui_mailer.providers.testing import SECRET, Recorder, make_message, make_outgoing


async def send(provider: SmtpProvider, recorder: Recorder | None = None) -> RecipientStatus:
    """Sends one message, leaving the connection to the pool; tells what became of the first recipient."""
    receipt = await provider.send(provider.prepare(make_outgoing()), recorder or Recorder())
    return receipt.recipients[0].status


async def test_one_connection_for_many_messages(server: ScriptedServer) -> None:
    """Messages that follow each other share a connection, and only the first is told to connect."""
    provider = make_provider(server.port)
    recorders = [Recorder() for _ in range(5)]
    for recorder in recorders:
        await send(provider, recorder)
    await provider.close()
    assert server.connections == 1
    assert len(server.stored) == 5
    assert recorders[0].phases[0] is Phase.CONNECTING
    assert all(recorder.phases[0] is Phase.ENVELOPE for recorder in recorders[1:])
    assert server.commands.count("QUIT") == 1


async def test_no_more_connections_than_allowed(server: ScriptedServer) -> None:
    """Twenty messages at once go over at most the configured number of connections, all of them."""
    provider = make_provider(server.port, max_connections=3)
    await asyncio.gather(*(send(provider) for _ in range(20)))
    assert server.open_connections <= 3
    await provider.close()
    assert server.connections <= 3
    assert len(server.stored) == 20


@pytest.mark.parametrize(
    "reason", ["hung up", "said 421 and hung up", "hangs up at MAIL", "resets at MAIL", "421 at MAIL"]
)
async def test_a_connection_that_has_gone_is_replaced_unseen(server: ScriptedServer, reason: str) -> None:
    """A server that has closed an idle connection costs nothing: the mail goes over a fresh one."""
    provider = make_provider(server.port)
    await send(provider)
    match reason:
        case "hung up" | "said 421 and hung up":
            if reason.startswith("said"):
                provider._pool._idle[0].wire.data_received(b"421 4.4.2 idle too long\r\n")
            await server.hang_up_on_everyone()
        case "hangs up at MAIL":
            server.on("MAIL", DROP)
        case "resets at MAIL":
            server.on("MAIL", RESET)
        case _:
            server.on("MAIL", Then("421 4.4.2 enough messages", DROP))
    recorder = Recorder()
    assert await send(provider, recorder) is RecipientStatus.ACCEPTED
    await provider.close()
    assert server.connections == 2
    assert len(server.stored) == 2
    assert recorder.phases == sorted(recorder.phases, key=list(Phase).index)
    assert recorder.phases.count(Phase.INTENT) == 1


async def test_a_fresh_connection_is_not_tried_for_ever(server: ScriptedServer) -> None:
    """A server that always hangs up at MAIL is tried twice, then later."""
    provider = make_provider(server.port)
    await send(provider)
    server.always("MAIL", DROP)
    with pytest.raises(TryLater, match="Nothing was sent"):
        await send(provider)
    await provider.close()
    assert server.connections == 2


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
async def test_503_is_the_connections_fault(server: ScriptedServer, verb: str) -> None:
    """A server that has lost the thread gets a fresh connection; the mail isn't failed."""
    server.on(verb, "503 5.5.1 bad sequence of commands")
    provider = make_provider(server.port)
    assert await send(provider) is RecipientStatus.ACCEPTED
    await provider.close()
    assert server.connections == 2
    assert len(server.stored) == 1


async def test_503_again_and_again_defers(server: ScriptedServer) -> None:
    """A server that answers 503 on a fresh connection as well is tried later; the mail isn't failed."""
    server.always("MAIL", "503 5.5.1 bad sequence of commands")
    provider = make_provider(server.port)
    with pytest.raises(TryLater) as trouble:
        await send(provider)
    await provider.close()
    assert trouble.value.code == 503
    assert server.connections == 2


async def test_503_that_wants_a_password_holds_the_account(server: ScriptedServer) -> None:
    """Old servers ask for AUTH with 503."""
    server.always("MAIL", "503 5.5.1 AUTH first")
    provider = make_provider(server.port)
    with pytest.raises(NotAuthorized):
        await send(provider)
    await provider.close()


@pytest.mark.parametrize(
    ("verb", "answer"),
    [
        ("MAIL", "451 4.3.0 later"),
        ("MAIL", "550 5.1.8 bad sender"),
        ("RCPT", "550 5.1.1 no such user"),
        ("DATA", "451 4.3.0 later"),
        ("DATA", "554 5.7.1 no"),
        ("DOT", "554 5.7.1 spam"),
        ("DOT", "451 4.3.0 later"),
    ],
)
async def test_a_refused_message_doesnt_spoil_the_next(server: ScriptedServer, verb: str, answer: str) -> None:
    """After a refusal the next message goes over the same connection, to its own recipients only."""
    server.on(verb, *[answer] * (2 if verb == "RCPT" else 1))
    provider = make_provider(server.port)
    with contextlib.suppress(DeliveryError):
        await send(provider)
    stored_before = len(server.stored)
    message = replace(make_message("01JZZZZZZZZZZZZZZZZZZZZZZ2"), to=make_message().to[1:])
    receipt = await provider.send(provider.prepare(make_outgoing(message)), Recorder())
    await provider.close()
    assert receipt.recipients[0].status is RecipientStatus.ACCEPTED
    assert server.stored[stored_before].recipients == ("eve@example.net",)
    assert server.connections == 1


async def test_a_pipelined_data_that_was_let_in_after_a_refused_sender() -> None:
    """A server that answers 354 to the DATA behind a refused MAIL gets no body: the connection ends."""
    async with ScriptedServer() as server:
        server.on("MAIL", "451 4.3.0 later\r\n250 ok\r\n250 ok\r\n354 go on")
        provider = make_provider(server.port)
        with pytest.raises(TryLater):
            await send(provider)
        assert await send(provider) is RecipientStatus.ACCEPTED
        await provider.close()
        assert server.connections == 2
        assert len(server.stored) == 1


@pytest.mark.parametrize("fault", [DROP, RESET, STALL])
async def test_after_an_uncertain_end_the_next_message_is_clean(server: ScriptedServer, fault: Answer) -> None:
    """A connection that fell silent after the dot is never used again, and the message never repeated."""
    server.on("DOT", fault)
    provider = make_provider(server.port, timeouts=replace(PATIENT, final=0.3))
    with pytest.raises(OutcomeUncertain):
        await send(provider)
    assert await send(provider) is RecipientStatus.ACCEPTED
    await provider.close()
    assert server.connections == 2
    assert len(server.stored) == 2


async def test_a_cancel_doesnt_poison_the_pool(server: ScriptedServer) -> None:
    """A send that was canceled while it waited for an answer leaves no half transaction to the next."""
    server.on("MAIL", STALL)
    provider = make_provider(server.port)
    reached = asyncio.Event()
    recorder = Recorder(lambda phase: reached.set() if phase is Phase.ENVELOPE else None)
    sending = asyncio.ensure_future(send(provider, recorder))
    await reached.wait()
    await asyncio.sleep(0)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert await send(provider) is RecipientStatus.ACCEPTED
    await provider.close()
    assert server.connections == 2
    assert len(server.stored) == 1


async def test_a_cancel_while_connecting_leaves_nothing_open() -> None:
    """A send canceled while the server doesn't greet closes what it had opened."""
    async with ScriptedServer() as server:
        server.on("CONNECT", STALL)
        provider = make_provider(server.port)
        sending = asyncio.ensure_future(send(provider))
        while not server.connections:
            await asyncio.sleep(0)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert await send(provider) is RecipientStatus.ACCEPTED
        await provider.close()


async def test_an_idle_connection_says_goodbye() -> None:
    """A connection that nobody has used for its time is closed with QUIT."""
    async with ScriptedServer() as server:
        provider = make_provider(server.port, timeouts=replace(PATIENT, idle=0.1))
        await send(provider)
        async with asyncio.timeout(5):
            while server.open_connections:
                await asyncio.sleep(0.01)
        assert server.commands[-1] == "QUIT"
        assert await send(provider) is RecipientStatus.ACCEPTED
        await provider.close()
        assert server.connections == 2


@pytest.mark.parametrize("fault", [DROP, RESET, STALL, "500 no"])
async def test_a_rude_goodbye_is_no_trouble(server: ScriptedServer, fault: Answer) -> None:
    """Whatever a server does at QUIT neither delays the result for long nor changes it."""
    server.always("QUIT", fault)
    provider = make_provider(server.port, timeouts=replace(PATIENT, quit=0.2))
    assert await send(provider) is RecipientStatus.ACCEPTED
    await provider.close()


async def test_tls_connections_are_reused(tls_lab: TlsLab) -> None:
    """With STARTTLS and AUTH, too, many messages take one handshake and one sign-in."""
    async with ScriptedServer(tls=tls_lab.good(), users={"ada": SECRET}) as server:
        provider = make_provider(server.port, security="starttls", username="ada", trust_pem=tls_lab.trust_pem)
        for _ in range(3):
            await send(provider)
        await provider.close()
        assert server.connections == 1
        assert len([line for line in server.commands if line.startswith("AUTH")]) == 1
        assert len(server.stored) == 3
