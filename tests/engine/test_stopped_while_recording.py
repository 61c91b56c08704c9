"""A stop in the moment between an answer and its record: what the server has said is never thrown away."""

from __future__ import annotations

import asyncio

import apsw
import pytest
from engine_bench import EngineBench
from smtp_server import ScriptedServer

from tui_mailer.domain.submission import State
from tui_mailer.services.fallback import FallBack


@pytest.mark.parametrize("wait", ["before the outbox is asked", "while somebody else has it locked"])
async def test_an_answer_that_was_read_is_recorded_whatever_stops(
    bench: EngineBench, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, wait: str
) -> None:
    """`send --wait` runs out, or the program is told to go, just as the 250 is there."""
    sealed = bench.seal()
    ordinary = FallBack.after
    other = apsw.Connection(str(bench.session.paths.data_dir / "outbox.db"))
    answered = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def after(self: FallBack, *arguments: object) -> object:
        loop.call_soon_threadsafe(answered.set)
        if wait.startswith("while"):
            other.execute("BEGIN IMMEDIATE")
        else:
            await asyncio.sleep(0.5)
        return await ordinary(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(FallBack, "after", after)
    engine = bench.session.engine("app", lambda _event: None)
    engine.start()
    try:
        async with asyncio.timeout(10):
            await answered.wait()
        stopping = asyncio.create_task(asyncio.to_thread(engine.stop, grace_seconds=0))
        await asyncio.sleep(1.0)
        if wait.startswith("while"):
            other.execute("ROLLBACK")
        async with asyncio.timeout(15):
            await stopping
    finally:
        other.close()
    assert len(server.stored) == 1
    bench.reopen()
    assert bench.mailer.show(sealed.id).state is State.SENT
