"""When a draft is saved that nobody asks to save: as the typing pauses, and again while it can't be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from tui_mailer.domain.errors import StorageError
from tui_mailer.tui.screens.room import Room

PAUSE_SECONDS = 1.0
"""After the last change."""
MOST_SECONDS = 10.0
"""For whoever types without a pause; and until what couldn't be saved is tried again."""


class Autosave:
    """Saves in a worker of its room, once that is mounted."""

    def __init__(self, room: Room, save: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._room = room
        self._save = save
        # The loop's own: Textual's timers end within an interval of when they should.
        self._timer: asyncio.TimerHandle | None = None
        self._unsaved_since: float | None = None

    def put_off(self) -> None:
        """Something has changed: it is saved once the typing pauses, but not put off for ever."""
        now = asyncio.get_running_loop().time()
        if self._unsaved_since is None:
            self._unsaved_since = now
        self._save_in(max(0.0, min(PAUSE_SECONDS, self._unsaved_since + MOST_SECONDS - now)))

    def _save_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._save_now)

    def _save_now(self) -> None:
        self._timer = self._unsaved_since = None
        if self._room.is_attached:
            self._room.attempt(self._try())

    async def _try(self) -> None:
        try:
            await self._room.desk.told_if_slow(self._save())
        except StorageError:
            if self._timer is None:
                self._save_in(MOST_SECONDS)
            raise
