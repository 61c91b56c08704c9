"""Time as storage needs it: the wall clock for people, the boot clock for leases."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Clock(Protocol):
    """What time it is; tests use one they turn by hand."""

    def now(self) -> datetime:
        """Tells the wall clock's time (aware, UTC)."""
        ...

    def boottime(self) -> float:
        """Tells the seconds since boot, suspend included; no one can set it."""
        ...

    def boot_id(self) -> str:
        """Names this boot of the machine: `boottime` values compare only within one."""
        ...


class SystemClock:
    """The machine's clocks."""

    def __init__(self) -> None:
        self._boot_id: str | None = None

    def now(self) -> datetime:
        """Tells the wall clock's time (aware, UTC)."""
        return datetime.now(UTC)

    def boottime(self) -> float:
        """Tells the seconds since boot, suspend included where the system counts it."""
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

    def boot_id(self) -> str:
        """Names this boot: the kernel's random ID, or where there is none the second the machine came up."""
        if self._boot_id is None:
            try:
                self._boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
            except OSError:
                # Rounded to a minute: the difference of two clocks that are read one after the other jitters.
                self._boot_id = f"up-since-{round((time.time() - self.boottime()) / 60)}"
        return self._boot_id


def to_microseconds(moment: datetime) -> int:
    """Turns an aware instant into microseconds since 1970, exactly."""
    return (moment - EPOCH) // _MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """Turns microseconds since 1970 into an aware UTC instant."""
    return EPOCH + timedelta(microseconds=microseconds)
