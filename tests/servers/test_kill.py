"""kill -9 of whoever delivers, at each moment of a delivery: nothing is lost, nothing goes out twice by itself."""

from __future__ import annotations

import asyncio
import collections
import os
import subprocess
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest
from lab_process import wait_until
from program import Program
from smtp_server import STALL, ScriptedServer


@pytest.fixture
async def server() -> AsyncGenerator[ScriptedServer]:
    async with ScriptedServer() as running:
        yield running


@pytest.fixture
def account(program: Program, server: ScriptedServer, tmp_path: Path) -> Program:
    """The program with an account on the scripted server, without TLS or AUTH, which only the loopback may be."""
    program.configure(
        {"provider": "smtp", "from": "ada@lab.test", "host": "127.0.0.1", "port": server.port, "security": "none"}
    )
    (tmp_path / "large.bin").write_bytes(os.urandom(4_000_000))
    return program


async def run_and_kill(program: Program, *arguments: str, once: Callable[[], object]) -> None:
    """Starts a command and kills it, with no chance to tidy up, once something has happened at the server."""
    process = subprocess.Popen(
        [*program.command, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=program.folder,
    )
    try:
        await asyncio.to_thread(wait_until, once, "the server is where the client is to be killed")
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)


def seen(server: ScriptedServer, verb: str) -> Callable[[], bool]:
    return lambda: any(command.startswith(verb) for command in server.commands)


SEND = ("send", "--to", "b@lab.test", "--subject", "Kill", "--body", "Hello")


@pytest.mark.parametrize("moment", ["EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("command", ["send", "flush", "deliver"])
async def test_killed_before_the_point_of_no_return_it_is_sent_once_later(
    account: Program, server: ScriptedServer, command: str, moment: str
) -> None:
    """Whatever had not been handed over is due again at once, and goes out once."""
    server.on(moment, STALL)
    if command == "send":
        await run_and_kill(account, *SEND, once=seen(server, moment))
    else:
        assert (await asyncio.to_thread(account, *SEND, "--queue")).code == 0
        words = ("outbox", "flush") if command == "flush" else ("deliver",)
        await run_and_kill(account, *words, once=seen(server, moment))
    assert server.stored == []
    assert (await asyncio.to_thread(account, "outbox", "flush")).code == 0
    assert len(server.stored) == 1
    assert (await asyncio.to_thread(account, "outbox", "list", "--json")).json == []


async def test_killed_in_the_middle_of_the_body_it_is_sent_once_later(account: Program, server: ScriptedServer) -> None:
    """Half an upload is no delivery."""
    server.on("BODY", STALL)
    attachment = str(account.folder / "large.bin")
    # Not `body_begun`: the stall must have been used up by this upload, not wait for the next.
    await run_and_kill(account, *SEND, "--attach", attachment, once=lambda: server.body_bytes)
    assert (await asyncio.to_thread(account, "outbox", "flush")).code == 0
    assert len(server.stored) == 1


@pytest.mark.parametrize("command", ["send", "flush", "deliver"])
async def test_killed_while_waiting_for_the_answer_it_is_uncertain(
    account: Program, server: ScriptedServer, command: str
) -> None:
    """The server has it and nobody heard so: it is shown as uncertain, and not sent again by itself."""
    server.on("DOT", STALL)
    if command == "send":
        await run_and_kill(account, *SEND, once=lambda: server.stored)
    else:
        assert (await asyncio.to_thread(account, *SEND, "--queue")).code == 0
        words = ("outbox", "flush") if command == "flush" else ("deliver",)
        await run_and_kill(account, *words, once=lambda: server.stored)
    await asyncio.to_thread(account, "outbox", "flush")
    listed = await asyncio.to_thread(account, "outbox", "list", "--json")
    assert [each["state"] for each in listed.json] == ["uncertain"]
    assert len(server.stored) == 1


async def test_a_deliverer_killed_again_and_again_loses_and_doubles_nothing(
    account: Program, server: ScriptedServer
) -> None:
    """Thirty messages, a deliverer killed at every third: each arrives once, or is shown as uncertain."""
    # A kill right after an intent leaves up to four uncertain that never reach the server: four kills, and the goals
    # can still be met.
    everyone = ", ".join(f"b{number}@lab.test" for number in range(30))
    queued = await asyncio.to_thread(account.send, "--to", everyone, "--each", "--queue", expect=0)
    message_ids = [each["message_id"] for each in queued]
    for goal in range(3, 15, 3):
        await run_and_kill(account, "deliver", once=lambda goal=goal: len(server.stored) >= goal)
    await asyncio.to_thread(account, "outbox", "flush")
    copies = collections.Counter(
        next(id_ for id_ in message_ids if id_.encode() in stored.body) for stored in server.stored
    )
    left = (await asyncio.to_thread(account, "outbox", "list", "--json")).json
    assert {each["state"] for each in left} <= {"uncertain"}
    uncertain = {each["message_id"] for each in left}
    assert max(copies.values()) == 1
    assert set(message_ids) - set(copies) <= uncertain, "lost"
    sent = (await asyncio.to_thread(account, "history", "list", "--json")).json
    assert {each["message_id"] for each in sent} | uncertain == set(message_ids)
