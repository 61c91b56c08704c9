"""One torture from the first message to the count: server, deliverers, kills, stops, clock, and then the truth."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from torture_letter import Letter, Tortured, Verdict, letters
from torture_process import Crew, WallClock
from torture_truth import Truth

STOP_SECONDS = (16.0, 19.0)
"""A stop outlasts the lease of 15 s, so that others take over what the stopped one has in hand."""
DRAIN_SECONDS = 600.0

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How many of what, and how hard."""

    messages: int
    kills: int
    stops: int
    jumps: int = 0
    stride: int = 0
    """Seconds by which the clock jumps ahead, for the server too; 0: to and fro, for the deliverers alone."""
    broken: float = 0.15
    liars: float = 0.0
    deliverers: int = 4
    kill_every: float | None = None
    """Seconds: kills by the clock, beside those spread over the messages, of one that is at the server."""
    seed: int = 1
    by_send: int = 0
    limit_seconds: float = 3600.0


class Server(Protocol):
    """What keeps the truth and breaks transactions."""

    truth: Truth
    broken: float
    liars: float
    port: int
    open_ports: set[int]
    client_ports: set[int]
    seconds_ahead: int
    forgets_ahead: int


@dataclass(kw_only=True)
class Count:
    """What a torture found, of recipients; every message has one to three of its own."""

    protocol: str
    plan: Plan
    recipients: int = 0
    duplicates: int = 0
    """Copies beyond the first."""
    lost: int = 0
    """Not delivered, though the protocol says it was, gave up unrefused, or knows nothing of it any more."""
    false_sent: int = 0
    """Of these: said to be sent."""
    false_failed: int = 0
    """Delivered, though said to have failed."""
    uncertain: int = 0
    uncertain_arrived: int = 0
    """Of these: delivered in truth."""
    left: int = 0
    """Still to be delivered when time was up."""
    by_liars: int = 0
    """Duplicates of what a server had refused and kept all the same; not in `duplicates`."""
    verdicts: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    examples: list[str] = field(default_factory=list)
    """The first recipients something is wrong with."""

    @property
    def is_clean(self) -> bool:
        """Says whether nothing was lost, doubled or falsely told."""
        return not (self.duplicates or self.lost or self.false_sent or self.false_failed or self.left)


async def torture(
    plan: Plan,
    folder: Path,
    server: Server,
    make: Callable[[Path, random.Random], Tortured],
    tell: Callable[[str], None] = lambda _text: None,
) -> Count:
    """Runs one torture against a server that is running; ``make`` builds what is tortured."""
    dice = random.Random(plan.seed)
    began = time.monotonic()
    many = letters(plan.messages, dice)
    clock = WallClock(folder, dice, stride=plan.stride)
    # A database belongs to one thread, and waiting for it must not keep the server from answering.
    with ThreadPoolExecutor(1) as thread:
        tortured = await _Hand(thread).do(make, folder, dice)
        hand = _Hand(thread, tortured)
        try:
            tell(f"{tortured.name}: {plan.messages} messages to {sum(len(one.recipients) for one in many)} recipients")
            await hand.do(tortured.seed, many)
            crew = Crew(tortured.next_errand, clock, dice, folder / "deliverers.log", server)
            crew.start(plan.deliverers)
            tender = asyncio.create_task(hand.tend())
            try:
                await _torment(plan, crew, server, hand, tell)
                clock.settle()
                server.broken = server.liars = 0.0
                await _until_nothing_is_left(hand, crew, DRAIN_SECONDS)
            finally:
                tender.cancel()
                await crew.close()
            verdicts = await hand.do(tortured.verdicts)
        finally:
            await hand.do(tortured.close)
    count = _count(Count(protocol=tortured.name, plan=plan, faults=server.truth.faults), verdicts, server.truth, many)
    count.happened = crew.counts + Counter({"clock jumps": clock.jumps, "transactions": server.truth.transactions})
    count.seconds = time.monotonic() - began
    return count


class _Hand:
    """Touches what is tortured, from the one thread that may."""

    def __init__(self, thread: ThreadPoolExecutor, tortured: Tortured | None = None) -> None:
        self._thread = thread
        self._tortured = tortured

    def do(self, act: Callable[..., T], *arguments: object) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, act, *arguments)

    async def left(self) -> int:
        assert self._tortured is not None
        return await self.do(self._tortured.left)

    async def tend(self) -> None:
        assert self._tortured is not None
        while True:
            await self.do(self._tortured.tend)
            await asyncio.sleep(0.3)


async def _torment(plan: Plan, crew: Crew, server: Server, hand: _Hand, tell: Callable[[str], None]) -> None:
    """Spreads kills, stops and jumps over the work, so that each meets somebody in the middle of it."""
    until = time.monotonic() + plan.limit_seconds
    next_kill = next_news = next_change = time.monotonic()
    while time.monotonic() < until:
        # At most all: recovery may bring one back between two looks.
        done = 1 - min(plan.messages, await hand.left()) / plan.messages
        if crew.counts["kill -9"] < plan.kills * done + 1 and crew.counts["kill -9"] < plan.kills:
            crew.kill()
        if time.monotonic() >= next_change:
            next_change += 4
            crew.dismiss()
        if crew.counts["SIGSTOP"] < min(plan.stops, plan.stops * done * 1.2 + 1) - 0.01:
            crew.stop_for(crew.dice.uniform(*STOP_SECONDS))
        if crew.clock.jumps < plan.jumps * done:
            crew.clock.jump()
            if plan.stride:
                # The deliverers look at their clock once a second: keys they trust must not be forgotten earlier.
                server.seconds_ahead = crew.clock.seconds
                asyncio.get_running_loop().call_later(2.5, setattr, server, "forgets_ahead", crew.clock.seconds)
        if plan.kill_every is not None and time.monotonic() >= next_kill:
            next_kill = time.monotonic() + plan.kill_every
            crew.kill_one_connected()
        if time.monotonic() >= next_news:
            next_news += 15
            tell(f"  {done:4.0%} done, {dict(crew.counts)}, {server.truth.transactions} transactions")
        if done >= 1 or (done > 0.98 and plan.kill_every is None):
            return
        await asyncio.sleep(crew.dice.uniform(0.02, 0.15))


async def _until_nothing_is_left(hand: _Hand, crew: Crew, seconds: float) -> None:
    until = time.monotonic() + seconds
    next_change = 0.0
    while await hand.left() and time.monotonic() < until:
        if time.monotonic() >= next_change:
            next_change = time.monotonic() + 2
            crew.dismiss()
        await asyncio.sleep(0.1)


def _count(count: Count, verdicts: Mapping[str, Verdict], truth: Truth, many: Sequence[Letter]) -> Count:
    for address in (address for one in many for address in one.recipients):
        verdict, copies = verdicts.get(address, "gone"), truth.copies[address]
        count.recipients += 1
        count.verdicts[verdict] += 1
        extra = max(0, copies - 1)
        count.by_liars += extra if address in truth.lied_about else 0
        count.duplicates += 0 if address in truth.lied_about else extra
        is_lost = not copies and (
            verdict in ("sent", "gone") or (verdict == "refused" and not truth.has_refused(address))
        )
        count.lost += is_lost
        count.false_sent += verdict == "sent" and not copies
        count.false_failed += verdict == "refused" and bool(copies) and address not in truth.lied_about
        count.uncertain += verdict == "uncertain"
        count.uncertain_arrived += verdict == "uncertain" and bool(copies)
        count.left += verdict == "open"
        if (extra or is_lost or verdict == "open" or (verdict == "refused" and copies)) and len(count.examples) < 10:
            count.examples.append(f"{address}: {verdict}, {copies} copies")
    return count
