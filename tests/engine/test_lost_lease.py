"""A deliverer that was stopped long enough to lose its lease gives up what it had begun."""

from __future__ import annotations

import asyncio

import pytest
from engine_bench import EngineBench
from smtp_server import STALL, ScriptedServer

from tui_mailer.domain.submission import State
from tui_mailer.services import dispatch
from tui_mailer.services.event import SubmissionChanged
from tui_mailer.storage.clock import SystemClock
from tui_mailer.storage.store import Store


class AwakeClock(SystemClock):
    """The boot clock of a process that sees the other one's lease as long past."""

    def boottime(self) -> float:
        return super().boottime() + 60


async def test_a_worker_without_its_lease_lets_go_of_a_stalled_server(
    bench: EngineBench, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
):
    """The server stalls, another process takes the message over: the first doesn't hang on, and it arrives once."""
    monkeypatch.setattr(dispatch, "RENEW_SECONDS", 0.05)
    bench.config.write_text(bench.config.read_text().replace("timeout_seconds: 2", "timeout_seconds: 60"))
    bench.reopen()
    server.on("MAIL", STALL)
    sealed = bench.seal()
    loop = asyncio.get_running_loop()
    sent = asyncio.Event()

    def listen(event: object) -> None:
        if isinstance(event, SubmissionChanged) and event.state is State.SENT:
            loop.call_soon_threadsafe(sent.set)

    engine = bench.session.engine("app", listen)
    engine.start()
    try:
        async with asyncio.timeout(10):
            while not any(line.startswith("MAIL") for line in server.commands):
                await asyncio.sleep(0.01)
            other = await asyncio.to_thread(Store.open, bench.session.paths.data_dir, clock=AwakeClock())
            (taken,) = await asyncio.to_thread(other.outbox.recover, now=other.clock.now())
            await asyncio.to_thread(other.close)
            assert taken.state is State.QUEUED
            await sent.wait()
    finally:
        await asyncio.to_thread(engine.stop)
    assert bench.mailer.show(sealed.id).state is State.SENT
    assert len(server.stored) == 1
