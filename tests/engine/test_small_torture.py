"""Kill -9 of any deliverer at any moment: nothing lost, nothing doubled, nothing falsely "sent".

The long torture is a benchmark of its own; this one proves in seconds that the protocol holds, and that the harness can
tell: the server keeps the truth before it answers.
"""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest
from engine_bench import EngineBench, letter
from smtp_server import DROP, RESET, ScriptedServer

from tui_mailer.domain.submission import OPEN_STATES, State

MESSAGES = 60
KILLS = 10


async def start_flush(bench: EngineBench) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tui_mailer", "--config", str(bench.config), "--data-dir", str(bench.folder / "data")),
        *("outbox", "flush"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def deliveries_grow(server: ScriptedServer, by: int) -> None:
    """Waits until the server has stored some more, so that a kill meets a process in the middle of its work."""
    wanted = len(server.stored) + by
    while len(server.stored) < wanted:
        await asyncio.sleep(0.002)


async def kill_in_mid_work(bench: EngineBench, server: ScriptedServer, dice: random.Random) -> None:
    processes = [await start_flush(bench), await start_flush(bench)]
    try:
        async with asyncio.timeout(6):
            await deliveries_grow(server, dice.randint(1, 3))
            await asyncio.sleep(dice.uniform(0, 0.02))
    except TimeoutError:
        pass
    for process in processes:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


def make_due(bench: EngineBench) -> None:
    """Retries at once what was put off: the test can't wait half a minute for each."""
    for one in bench.mailer.outbox(limit=1000):
        if one.state is State.DEFERRED:
            bench.mailer.retry(one.id)


@pytest.mark.parametrize("policy", ["ask", "resend"])
async def test_kill_nine_at_any_moment(tmp_path: Path, policy: str):
    """Two deliverers, killed again and again while a tenth of the answers gets lost: the counts come out."""
    dice = random.Random(4711)
    async with ScriptedServer() as server:
        bench = EngineBench(tmp_path, server.port, delivery=f", uncertain: {policy}")
        sealed = [bench.seal(letter(subject=f"Message {n}")).id for n in range(MESSAGES)]
        for _ in range(KILLS):
            server.on("DOT", *(dice.choice(["", "", DROP, RESET]) or f"250 2.0.0 Ok {n}" for n in range(3)))
            server.on("MAIL", *(dice.choice(["451 4.3.0 later", DROP, "250 2.1.0 ok"]) for _ in range(2)))
            await kill_in_mid_work(bench, server, dice)
            make_due(bench)
        await bench.flush()
        make_due(bench)
        await bench.flush()
        arrived = Counter(
            line.decode().split("<")[1].split("@")[0]
            for stored in server.stored
            for line in stored.body.splitlines()
            if line.startswith(b"Message-ID:")
        )
        states = {one: bench.mailer.show(one).state for one in sealed}
        bench.session.close()
    lost = [one for one in sealed if states[one] is not State.UNCERTAIN and not arrived[one]]
    false_sent = [one for one in sealed if states[one] is State.SENT and not arrived[one]]
    assert lost == []
    assert false_sent == []
    assert set(states.values()) <= {State.SENT, State.UNCERTAIN}
    if policy == "ask":
        assert max(arrived.values()) == 1
    else:
        assert not OPEN_STATES & set(states.values())
