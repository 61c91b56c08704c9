"""A nearly full disk: nothing is claimed, it is said once, and mail goes on by itself when there is room again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from engine_bench import EngineBench
from smtp_server import ScriptedServer

from tui_mailer.domain.submission import State
from tui_mailer.services.event import EngineFailed, EngineTroubled, Event, RoomChanged
from tui_mailer.storage.database_error import DiskFull
from tui_mailer.storage.store import Store


class Disk:
    """What the disk says of itself."""

    free = 1 << 30

    def free_bytes(self, _path: Path) -> int:
        return self.free


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr("tui_mailer.storage.ballast.free_bytes", disk.free_bytes)
    return disk


async def until(is_so: object) -> None:
    async with asyncio.timeout(20):
        while not is_so():  # type: ignore[operator]
            await asyncio.sleep(0.02)


async def test_what_waits_for_room_goes_by_itself(disk: Disk, server: ScriptedServer, tmp_path: Path) -> None:
    """Every process says it, the one that leads and the one that stands by, once; not a byte goes out meanwhile."""
    bench = EngineBench(tmp_path, server.port)
    sealed = bench.seal()
    disk.free = 1 << 20
    heard: dict[str, list[Event]] = {"deliver": [], "app": []}
    engines = [bench.session.engine(role, events.append) for role, events in heard.items()]
    for engine in engines:
        engine.start()
    try:
        for events in heard.values():
            await until(lambda events=events: any(isinstance(one, RoomChanged) for one in events))
        await asyncio.sleep(2.5)  # more than two looks, each of which says nothing new
        assert bench.mailer.show(sealed.id).state is State.QUEUED
        assert not server.commands
        for events in heard.values():
            (told,) = [one for one in events if isinstance(one, RoomChanged)]
            assert "nothing is sent until there is room" in str(told.trouble)
            assert not any(isinstance(one, EngineTroubled) for one in events)
        disk.free = 1 << 30
        await until(lambda: server.stored)
        await until(lambda: bench.mailer.show(sealed.id).state is State.SENT)
        for events in heard.values():
            await until(lambda events=events: RoomChanged(trouble=None) in events)
    finally:
        for engine in engines:
            await asyncio.to_thread(engine.stop)
        bench.session.close()


async def test_an_engine_that_cannot_register_for_want_of_room_waits(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no room for its own row it says so and tries on: mail isn't left until the next start."""
    bench = EngineBench(tmp_path, server.port)
    bench.seal()
    register, refusals = Store.become_deliverer, iter((True, False))

    def full_once(store: Store, role: str) -> str:
        if next(refusals, False):
            raise DiskFull("The disk is full.")
        return register(store, role)

    monkeypatch.setattr(Store, "become_deliverer", full_once)
    engine = bench.session.engine("app", bench.events.append)
    engine.start()
    try:
        await until(lambda: server.stored)
    finally:
        await asyncio.to_thread(engine.stop)
        bench.session.close()
    assert EngineTroubled(text="The disk is full.") in bench.events
    assert not any(isinstance(one, EngineFailed) for one in bench.events)
