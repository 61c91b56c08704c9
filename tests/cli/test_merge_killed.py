"""``merge`` in processes that are killed: whatever the moment, every row goes out exactly once."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from smtp_server import ScriptedServer

ROWS = 60
KILLS = 5
CONNECTIONS = 4
"""Rows under way at once, unless the configuration says otherwise: a kill can leave so many without an answer."""


@pytest.fixture
def guests(tmp_path: Path) -> Path:
    """A table of people who are all different."""
    path = tmp_path / "guests.csv"
    path.write_text("email\n" + "".join(f"guest{n}@example.net\n" for n in range(ROWS)))
    return path


Start = Callable[..., Awaitable[asyncio.subprocess.Process]]


def starter(tmp_path: Path, guests: Path, port: int) -> Start:
    """Starts ``merge`` on an account of the server."""
    template = tmp_path / "invite.txt"
    template.write_text("To: ${email}\nSubject: Come\n\nDear ${email}\n")
    config = tmp_path / "config.yaml"
    account = {"provider": "smtp", "from": "ada@example.org", "host": "127.0.0.1", "port": port, "security": "none"}
    config.write_text(json.dumps({"accounts": {"work": account}}))
    config.chmod(0o600)
    program = (sys.executable, "-m", "tui_mailer", "--config", str(config), "--data-dir", str(tmp_path / "mail"))

    async def start(*options: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *program,
            *("merge", str(template), "--data", str(guests), "--json", *options),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )

    return start


async def kill_when(server: ScriptedServer, stored: int, process: asyncio.subprocess.Process) -> None:
    """Kills the process once the server has so many messages."""
    async with asyncio.timeout(120):
        while len(server.stored) < stored:
            await asyncio.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    await process.communicate()


async def outcome(process: asyncio.subprocess.Process) -> dict:
    """What the process says at its end."""
    out, _ = await asyncio.wait_for(process.communicate(), 120)
    return json.loads(out)


@pytest.mark.parametrize("on_error", ["stop", "continue"])
async def test_killed_five_times_every_row_goes_out_once(tmp_path: Path, guests: Path, on_error: str) -> None:
    """Reruns go on where a kill has ended the run before; a row whose answer was lost is shown, never sent again."""
    async with ScriptedServer() as server:
        start = starter(tmp_path, guests, server.port)
        for nth in range(1, KILLS + 1):
            await kill_when(server, nth * ROWS // (KILLS + 2), await start("--on-error", on_error))
        document = await outcome(await start("--on-error", "report"))
        stored = Counter(address for each in server.stored for address in each.recipients)
    assert max(stored.values()) == 1
    lines = [json.loads(line) for line in guests.with_name("guests.csv.result.jsonl").read_text().splitlines()]
    assert [line["row"] for line in lines] == list(range(1, ROWS + 1))
    assert document["new"] + document["already"] == ROWS
    unanswered = {f"guest{line['row'] - 1}@example.net" for line in lines if line["state"] == "uncertain"}
    assert {line["state"] for line in lines} <= {"sent", "uncertain"}
    assert len(unanswered) <= KILLS * CONNECTIONS
    assert {f"guest{n}@example.net" for n in range(ROWS)} - stored.keys() <= unanswered


async def test_a_run_of_rows_keeps_one_connection(tmp_path: Path, guests: Path) -> None:
    """Row by row as stop wants it, all rows still go through one connection."""
    async with ScriptedServer() as server:
        document = await outcome(await starter(tmp_path, guests, server.port)())
        assert (document["states"], server.connections) == ({"sent": ROWS}, 1)
