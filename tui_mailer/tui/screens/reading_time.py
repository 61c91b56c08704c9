"""Time to read what asks for a yes: a key meant for what was there before must not send, delete or confirm."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any, cast

from textual.app import App
from textual.screen import Screen

from tui_mailer.tui.terminal.quiet_app import QuietApp

MUST_BE_UP_SECONDS = 0.5


class ReadingTime:
    """Of one dialog; begins once the person can see it, which on a slow line is later than when it was painted."""

    def __init__(self, screen: Screen[Any], say: Callable[[str], None]) -> None:
        """``say`` shows a sentence in the dialog."""
        self._screen = screen
        self._say = say
        self._began: float | None = None

    def begin(self) -> None:
        """From the next frame on; again when the dialog says something else."""
        self._began = None
        self._screen.call_after_refresh(self._await_being_shown)

    def _await_being_shown(self) -> None:
        app = cast("App[int]", self._screen.app)  # pyright: ignore[reportUnknownMemberType]  # Textual leaves it App[Unknown]
        if isinstance(app, QuietApp):
            app.when_shown(self._start_clock)
        else:
            self._start_clock()

    def _start_clock(self) -> None:
        self._began = monotonic()

    def is_over(self, key: str) -> bool:
        """Whether a yes counts; if not, says that ``key`` has to be pressed again."""
        if self.has_passed:
            return True
        self._say(f"Nothing was done: {key} came before this could be read. Press it again.")
        return False

    @property
    def has_passed(self) -> bool:
        """Whether it has been before the person's eyes for long enough."""
        return self._began is not None and monotonic() - self._began >= MUST_BE_UP_SECONDS
