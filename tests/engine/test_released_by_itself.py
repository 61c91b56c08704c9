"""Mail that was held because its account might not carry it leaves once the configuration allows it again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from engine_bench import EngineBench, letter
from smtp_server import ScriptedServer

from tui_mailer.domain.submission import State
from tui_mailer.services.engine import Engine
from tui_mailer.storage.clock import SystemClock
from tui_mailer.storage.store import Store


class LaterClock(SystemClock):
    """A clock that runs ahead of the machine's."""

    def __init__(self, ahead: timedelta) -> None:
        super().__init__()
        self._ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead


async def flush_later(bench: EngineBench, ahead: timedelta) -> None:
    session = bench.session
    engine = Engine(
        configuration=session.configuration,
        paths=session.paths,
        credentials=session.credentials,
        role="flush",
        open_store=lambda: Store.open(session.paths.data_dir, clock=LaterClock(ahead)),
    )
    await asyncio.to_thread(engine.flush, timeout_seconds=20)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():
            await asyncio.sleep(0.02)


async def test_it_goes_once_the_account_may_carry_it_again(bench: EngineBench, server: ScriptedServer) -> None:
    """The identity is put back: before the start or while the engine runs, what was held for it leaves; no other."""
    known = bench.config.read_text()
    without = known.replace("ada@example.org", "grace@example.org")
    first, kept = bench.seal(), bench.seal()
    bench.mailer.hold(kept.id)
    bench.config.write_text(without)
    bench.reopen()
    (held,) = await bench.deliver(first)
    assert held.state is State.HELD
    bench.config.write_text(known)
    bench.reopen()
    await bench.flush()
    assert bench.mailer.show(first.id).state is State.SENT

    second = bench.seal()
    bench.config.write_text(without)
    bench.reopen()
    engine = bench.session.engine("deliver", bench.events.append)
    engine.start()
    try:
        await until(lambda: bench.mailer.show(second.id).state is State.HELD)
        bench.config.write_text(known)
        await until(lambda: bench.mailer.show(second.id).state is State.SENT)
    finally:
        await asyncio.to_thread(engine.stop)
    assert bench.mailer.show(kept.id).state is State.HELD
    assert len(server.stored) == 2


@pytest.mark.parametrize("ahead", [timedelta(hours=2), timedelta(days=2)])
async def test_what_is_late_by_then_is_asked_about(
    bench: EngineBench, server: ScriptedServer, ahead: timedelta
) -> None:
    """Held for an identity until long after its time, it isn't sent without a word because that is put back."""
    known = bench.config.read_text()
    sealed = bench.seal(letter(schedule="in 1h"))
    bench.config.write_text(known.replace("ada@example.org", "grace@example.org"))
    bench.reopen()
    await flush_later(bench, timedelta(minutes=61))
    assert bench.mailer.show(sealed.id).state is State.HELD
    bench.config.write_text(known)
    bench.reopen()
    await flush_later(bench, ahead)
    assert bench.mailer.show(sealed.id).state is (State.SENT if ahead < timedelta(hours=24) else State.HELD)
    assert len(server.stored) == (ahead < timedelta(hours=24))
