"""A deliverer that was stopped long enough to lose its lease gives up what it had begun."""

from __future__ import annotations

import asyncio
from pathlib import Path

import apsw
import pytest
from engine_bench import EngineBench
from smtp_server import STALL, ScriptedServer, StoredMessage

from tui_mailer.domain.submission import State
from tui_mailer.services import dispatch
from tui_mailer.services.event import SubmissionChanged
from tui_mailer.storage import database
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


class LockingServer(ScriptedServer):
    """Asks for the body only once somebody else has the outbox locked."""

    stopped: apsw.Connection

    async def _on_data(self, session, line: str) -> None:
        if not self.stored:
            self.stopped.execute("BEGIN IMMEDIATE")
        await super()._on_data(session, line)


async def test_an_outbox_locked_at_the_point_of_no_return_holds_nothing_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A program stopped inside a transaction keeps others' mail waiting, not held: it goes out later."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MILLISECONDS", 50)
    async with LockingServer() as server:
        bench = EngineBench(tmp_path, server.port)
        sealed = bench.seal()
        server.stopped = apsw.Connection(str(bench.session.paths.data_dir / "outbox.db"))
        delivering = asyncio.create_task(bench.deliver(sealed))
        async with asyncio.timeout(10):
            while not (server.connections and not server.open_connections):
                await asyncio.sleep(0.01)
        assert server.stored == []
        server.stopped.execute("ROLLBACK")
        server.stored.append(StoredMessage("", (), b""))  # from now on nobody locks it
        assert [one.state for one in await delivering] == [State.DEFERRED]
        bench.mailer.retry(sealed.id)
        assert [one.state for one in await bench.flush()] == [State.SENT]
        assert len(server.stored) == 2
        bench.session.close()
