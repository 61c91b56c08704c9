"""When a draft is saved that nobody asks to save: as the typing pauses, and again while it can't be."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any

from textual.timer import Timer

from tui_mailer.domain.errors import StorageError
from tui_mailer.tui.screens.room import Room

PAUSE_SECONDS = 1.0
"""After the last change."""
MOST_SECONDS = 10.0
"""For whoever types without a pause; and until what couldn't be saved is tried again."""


class Autosave:
    """Saves in a worker of its room."""

    def __init__(self, room: Room, save: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._room = room
        self._save = save
        self._pause: Timer | None = None
        self._retry: Timer | None = None
        self._unsaved_since: float | None = None

    def begin(self) -> None:
        """From now on changes are saved: the room is mounted."""
        self._pause = self._room.set_interval(PAUSE_SECONDS, self._save_now, pause=True)

    def put_off(self) -> None:
        """Something has changed: it is saved once the typing pauses, but not put off for ever."""
        if self._pause is None:
            return
        now = monotonic()
        self._unsaved_since = self._unsaved_since or now
        if now - self._unsaved_since < MOST_SECONDS:
            self._pause.reset()
        self._pause.resume()

    def _save_now(self) -> None:
        if self._pause is not None:
            self._pause.pause()
        if self._retry is not None:
            self._retry.stop()
        self._unsaved_since = None
        self._room.attempt(self._try())

    async def _try(self) -> None:
        try:
            await self._save()
        except StorageError:
            self._retry = self._room.set_timer(MOST_SECONDS, self._save_now)
            raise
