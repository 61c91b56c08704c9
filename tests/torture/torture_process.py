"""The deliverers under torture: real processes in a few slots, killed, stopped, and lied to about the time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
"""Debian's libfaketime: jumps of the wall clock alone, as `date -s` or NTP make them; the boot clock stays true."""


@dataclass(frozen=True)
class Errand:
    """What a slot runs next."""

    command: Sequence[str]
    is_service: bool = False
    """Runs until it is told to end."""
    ended: Callable[[int], None] = lambda _code: None
    """Told the exit code, negative after a signal."""


class WallClock:
    """The time of day as the deliverers see it; without libfaketime it never jumps."""

    def __init__(self, folder: Path, dice: random.Random, *, stride: int = 0) -> None:
        """Jumps to and fro, or with a ``stride`` in seconds only ahead, as time does."""
        self._file = folder / "faketime"
        self._dice = dice
        self._stride = stride
        self.jumps = 0
        self.seconds = 0
        """How far it is from the truth."""
        self.set(0)

    @property
    def is_there(self) -> bool:
        """Says whether the clock can be turned."""
        return FAKETIME.exists()

    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to see this clock."""
        if not self.is_there:
            return {}
        return {
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",  # seconds; without a cache every look at a clock reads the file
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def jump(self) -> None:
        """Turns the clock by up to a day, or sets it right again; with a stride, ahead."""
        if self.is_there:
            self.jumps += 1
            to_and_fro = self._dice.choice((0, -86_000, -7_200, -90, 90, 7_200, 86_000))
            self.set(self.seconds + self._stride if self._stride else to_and_fro)

    def settle(self) -> None:
        """Sets a clock right that went to and fro; time that has passed has passed."""
        if not self._stride:
            self.set(0)

    def set(self, seconds: int) -> None:
        """Turns the clock to so many seconds from the truth."""
        self.seconds = seconds
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n")
        fresh.replace(self._file)


class Connected(Protocol):
    """Who knows which clients are there."""

    open_ports: set[int]
    """Those in the middle of a transaction."""
    client_ports: set[int]


@dataclass
class Slot:
    """One deliverer, or the place of one that is gone."""

    process: asyncio.subprocess.Process | None = None
    is_stopped: bool = False
    is_service: bool = False

    def is_at(self, ports: AbstractSet[int]) -> bool:
        """Says whether the process has a connection from one of these ports."""
        return self.process is not None and self.process.returncode is None and bool(_ports(self.process.pid) & ports)

    def signal(self, number: int) -> bool:
        """Sends a signal; says whether there was anybody to get it."""
        if self.process is None or self.process.returncode is not None:
            return False
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
            return True
        return False


@dataclass
class Crew:
    """Keeps some deliverers running, whatever happens to them."""

    next_errand: Callable[[], Errand]
    clock: WallClock
    dice: random.Random
    log: Path
    server: Connected
    slots: list[Slot] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _is_closing: bool = False

    def start(self, number: int) -> None:
        """Fills so many slots."""
        for _ in range(number):
            slot = Slot()
            self.slots.append(slot)
            self._go(self._keep_filled(slot))

    def kill(self, number: int = 1) -> None:
        """Kills some at random, with no chance to tidy up."""
        for slot in self.dice.sample(self.slots, min(number, len(self.slots))):
            self._kill(slot)

    def kill_one_connected(self) -> None:
        """Kills one that is in the middle of a transaction, else one that has got as far as the server, if any."""
        for ports in (self.server.open_ports, self.server.client_ports):
            if found := [slot for slot in self.slots if not slot.is_stopped and slot.is_at(ports)]:
                self._kill(self.dice.choice(found))
                return

    def _kill(self, slot: Slot) -> None:
        # The server runs in this thread: what is open stays so until the signal is sent.
        is_in_transaction = slot.is_at(self.server.open_ports)
        if slot.signal(signal.SIGKILL):
            self.counts["kill -9"] += 1
            self.counts["kill -9 in a transaction"] += is_in_transaction

    def dismiss(self) -> None:
        """Asks a service to end in good order: others have errands too."""
        services = [slot for slot in self.slots if slot.is_service and not slot.is_stopped]
        if services:
            self.counts["SIGTERM"] += self.dice.choice(services).signal(signal.SIGTERM)

    def stop_for(self, seconds: float) -> None:
        """Stops one, as Ctrl-Z or a suspended machine does, and lets it go on after a while."""
        awake = [slot for slot in self.slots if not slot.is_stopped]
        if len(awake) > 1:
            self._go(self._stop(self.dice.choice(awake), seconds))

    async def close(self) -> None:
        """Lets everybody go on and end; kills none."""
        self._is_closing = True
        for slot in self.slots:
            slot.signal(signal.SIGCONT)
            slot.signal(signal.SIGTERM)
        done = asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            async with asyncio.timeout(60):
                await done
        except TimeoutError:
            self.kill(len(self.slots))
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _go(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep_filled(self, slot: Slot) -> None:
        while not self._is_closing:
            errand = self.next_errand()
            with self.log.open("ab") as log:
                slot.process = await asyncio.create_subprocess_exec(
                    *errand.command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **self.clock.environment()},
                )
            self.counts["started"] += 1
            slot.is_stopped, slot.is_service = False, errand.is_service
            code = await slot.process.wait()
            self.counts["ended by itself"] += code >= 0
            errand.ended(code)
            await asyncio.sleep(0.02)

    async def _stop(self, slot: Slot, seconds: float) -> None:
        process = slot.process
        if not slot.signal(signal.SIGSTOP):
            return
        slot.is_stopped = True
        self.counts["SIGSTOP"] += 1
        self.counts["SIGSTOP beyond the lease"] += seconds > 15
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._is_closing and process is slot.process and process.returncode is None:
                    await asyncio.sleep(0.1)
        slot.is_stopped = False
        if process is slot.process:
            slot.signal(signal.SIGCONT)


def _ports(pid: int) -> set[int]:
    """Lists the local ports of a process' IPv4 connections, as Linux tells them."""
    inodes: set[str] = set()
    with contextlib.suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                kind, _, inode = str(descriptor.readlink()).partition(":")
                if kind == "socket":
                    inodes.add(inode.strip("[]"))
    rows = (row.split() for row in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:])
    return {int(row[1].rpartition(":")[2], 16) for row in rows if row[9] in inodes}
