"""An account that one process finds off line, and another finds back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from engine_bench import EngineBench, letter
from smtp_server import PAUSE, ScriptedServer

from tui_mailer.domain.submission import State
from tui_mailer.services.event import AccountChanged, Event, SubmissionChanged
from tui_mailer.services.standing import AccountStanding
from tui_mailer.services.workplace import Workplace

BACK = AccountChanged(account="work", held_reason=None)


class Service:
    """An engine that runs, and what it tells."""

    def __init__(self, bench: EngineBench) -> None:
        self._loop = asyncio.get_running_loop()
        self._told: asyncio.Queue[Event] = asyncio.Queue()
        self._engine = bench.session.engine("deliver", self._hear)

    def _hear(self, event: Event) -> None:
        self._loop.call_soon_threadsafe(self._told.put_nowait, event)

    async def start(self) -> None:
        await asyncio.to_thread(self._engine.start)

    async def stop(self) -> None:
        await asyncio.to_thread(self._engine.stop)

    async def tells(self, expected: Event) -> None:
        async with asyncio.timeout(20):
            while await self._told.get() != expected:
                pass


@pytest.fixture
async def service(bench: EngineBench) -> AsyncIterator[Service]:
    """The delivery service, not started yet."""
    service = Service(bench)
    yield service
    await service.stop()


def find_off_line(bench: EngineBench) -> None:
    """Notes what another process would note, with a probe due at once."""
    store = bench.mailer.store
    store.outbox.hold_account("work", "no route", is_offline=True, retry_at=store.clock.now())


async def test_who_finds_the_server_back_says_so(bench: EngineBench, server: ScriptedServer, service: Service):
    """A message that went out ends "off line", whichever process had noted that: nobody is told it still is."""
    find_off_line(bench)
    bench.seal()
    await service.start()
    await service.tells(BACK)
    assert bench.mailer.account_holds() == {}
    assert len(server.stored) == 1


async def test_what_is_noted_while_the_service_runs_ends_too(
    bench: EngineBench, server: ScriptedServer, service: Service
):
    """The delivery service learns of trouble that another process met, and of its end."""
    await service.start()
    server.on("BODY", PAUSE)
    bench.seal()
    await asyncio.wait_for(server.body_begun.wait(), 20)
    find_off_line(bench)
    server.resumed.set()
    bench.seal()
    await service.tells(BACK)
    assert bench.mailer.account_holds() == {}


async def test_an_answer_doesnt_end_a_persons_hold(bench: EngineBench, server: ScriptedServer, service: Service):
    """Whoever holds the account while its probe is under way finds it held afterwards."""
    server.on("BODY", PAUSE)
    find_off_line(bench)
    first, second = bench.seal(), bench.seal(letter(subject="waits"))
    await service.start()
    await asyncio.wait_for(server.body_begun.wait(), 20)
    bench.mailer.hold_account("work", "by hand")
    server.resumed.set()
    await service.tells(SubmissionChanged(id=first.id, state=State.SENT, account="work", detail="Ok: queued as Q1"))
    await service.stop()
    assert {name: hold.reason for name, hold in bench.mailer.account_holds().items()} == {"work": "by hand"}
    assert bench.mailer.show(second.id).state is State.QUEUED


async def test_an_answer_that_came_before_the_trouble_was_known_ends_it(bench: EngineBench) -> None:
    """Noted by another process while a message was under way, which then went out: no further one has to probe."""
    store, events = bench.mailer.store, list[Event]()
    with ThreadPoolExecutor(1) as thread:
        directory = bench.mailer.directory
        work = Workplace(store=store, database=thread, directory=directory, role="deliver", emit=events.append)
        standing = AccountStanding(work)
        await standing.answered("work")
        find_off_line(bench)
        await standing.look()
        assert set(bench.mailer.account_holds()) == {"work"}
        await standing.answered("work")
        find_off_line(bench)
        unaware = AccountStanding(work)
        await unaware.answered("work")
        assert set(bench.mailer.account_holds()) == {"work"}
        await unaware.look()
    assert bench.mailer.account_holds() == {}
    assert events == [BACK, BACK]
