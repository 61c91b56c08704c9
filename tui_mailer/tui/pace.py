"""Does what many ask for at once, and then no more often than a person can read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Pace:
    """Work that is done at the first call, and after it once per gap while there were more calls."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, None]], *, gap_seconds: float) -> None:
        self._work = work
        self._gap_seconds = gap_seconds
        self._is_wanted = False
        self._is_running = False

    async def ask(self) -> None:
        """Returns at once if somebody is at it already: the last state is read anyway."""
        self._is_wanted = True
        if self._is_running:
            return
        self._is_running = True
        try:
            while self._is_wanted:
                self._is_wanted = False
                await self._work()
                await asyncio.sleep(self._gap_seconds)
        finally:
            self._is_running = False
