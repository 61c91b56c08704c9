"""The app's way to the terminal: only cells that differ are sent, and only when the terminal has read what came before.

It stands in the place of `App._display`. Where Textual turns out not to be what this was written for, Textual's own
output is used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import textual
from rich.color import ColorSystem
from rich.console import RenderableType
from textual import events
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.screen import Screen
from textual.strip import Strip

from tui_mailer.tui.terminal.canvas import Canvas
from tui_mailer.tui.terminal.charset import cutter
from tui_mailer.tui.terminal.courier import KNOWN_STATE, Abilities
from tui_mailer.tui.terminal.driver import PatientDriver
from tui_mailer.tui.terminal.pen import PenBox

TEXTUAL_VERSION = "8.2.8"
"""The version whose internals are known: see tests/tui/test_textual_internals.py."""
SURPRISES = (AttributeError, LookupError, TypeError, ValueError)
"""What code that leans on another's internals raises when they have changed."""
FEWEST_SYNCHRONIZED = 512
"""Characters; a shorter frame reaches the terminal in one piece anyway."""
_SIZES_AT_START = 2
"""Reports of the size that are no change: one by the app to itself, one by the driver as it takes the terminal."""
_ERASE_IN_COLOR = ("xterm", "rxvt", "alacritty", "foot", "kitty", "ghostty", "wezterm", "konsole", "vte", "st", "linux")
_MOVE_TEXT = (*_ERASE_IN_COLOR, "screen", "tmux", "vt220", "vt320", "vt420", "iterm", "gnome", "mintty", "contour")


class QuietApp(App[int], inherit_bindings=False):
    """An app that keeps track of what the terminal shows."""

    def __init__(self, *, ansi_color: bool | None = None) -> None:
        super().__init__(driver_class=PatientDriver, ansi_color=ansi_color)
        # Nothing pops up: what is said stands in the status line. Every screen would mount two widgets for it.
        self._disable_notifications = self._disable_tooltips = True
        self.shows_terminal_cursor = False
        """Whether the terminal's own cursor stands at the caret, for input methods and braille; set before running."""
        self._canvas: Canvas | None = None
        self._is_redraw_asked = False
        self._has_shown = False
        self._sizes_due = _SIZES_AT_START
        self._to_be_shown: list[Callable[[], None]] = []
        self.is_quiet = _is_known_version()
        """Whether our own output is used, not Textual's."""

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        driver = self._driver
        if not self.is_quiet or not isinstance(driver, PatientDriver) or driver.is_headless:
            super()._display(screen, renderable)  # pyright: ignore[reportUnknownMemberType]  # Textual leaves it Screen[Unknown]
        elif isinstance(renderable, ChopsUpdate | LayoutUpdate):
            if self._running and not self._closed:
                # Within a batch too: Textual believes it shown and won't paint it again.
                try:
                    self._take(driver, renderable)
                except SURPRISES:
                    self._fall_back()
                else:
                    self._catch_up()
            self.post_display_hook()
        elif renderable is not None:
            super()._display(screen, renderable)  # pyright: ignore[reportUnknownMemberType]
            self.redraw()
        elif self._canvas is not None and self._canvas.is_touched:
            self._catch_up()

    def _fall_back(self) -> None:
        """Leaves output to Textual from now on, and has it paint everything."""
        self.is_quiet = False
        self._canvas = None
        self.screen.refresh(layout=True)
        self._tell_shown()

    def _take(self, driver: PatientDriver, update: ChopsUpdate | LayoutUpdate) -> None:
        canvas = self._canvas
        if canvas is None:
            canvas = self._canvas = self._new_canvas(driver)
        size = self.screen.outer_size
        if canvas.size != size:
            canvas.resize(*size)
        if isinstance(update, LayoutUpdate):
            for y, strips in enumerate(update.strips, update.region.y):
                canvas.put(update.region.x, y, strips)
        else:
            for x, y, strip, limit in _pieces(update):
                canvas.lay(x, y, strip, limit)

    def _new_canvas(self, driver: PatientDriver) -> Canvas:
        system = self.console._color_system or ColorSystem.TRUECOLOR  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001  # what `Strip.render` uses
        driver.on_idle = self._catch_up
        driver.on_started = self.redraw
        return Canvas(PenBox(system), abilities_of(os.environ.get("TERM", "")), cutter(driver.charset))

    def _catch_up(self) -> None:
        """Sends what differs, if the terminal has read all there was; if not, it does so later."""
        driver, canvas = self._driver, self._canvas
        if canvas is None or not isinstance(driver, PatientDriver) or not self._running or self._closed:
            return
        if self._batch_count:
            return
        while driver.is_ready():
            try:
                frame = self._next_frame(canvas)
            except SURPRISES:
                self._fall_back()
                return
            if not frame:
                self._tell_shown()
                return
            self._write_frame(driver, frame)

    def _next_frame(self, canvas: Canvas) -> str:
        cursor = self._caret()
        frame = canvas.frame(cursor)
        if frame or not self._is_redraw_asked:
            # What has changed goes first: what is painted anew is then what is shown, which a fuzz can compare.
            return frame
        self._is_redraw_asked = False
        canvas.forget()
        return KNOWN_STATE + canvas.frame(cursor)

    def _caret(self) -> tuple[int, int] | None:
        """Where the terminal's cursor belongs: at the caret, where input methods look for it; None: there is none."""
        if self.shows_terminal_cursor or hasattr(type(self.focused), "cursor_screen_offset"):
            return self.screen.outer_size.clamp_offset(self.cursor_position)
        return None

    def _write_frame(self, driver: PatientDriver, frame: str) -> None:
        self._has_shown = True
        is_long = len(frame) >= FEWEST_SYNCHRONIZED or frame.startswith(KNOWN_STATE)
        if self._sync_available and is_long:
            frame = f"\x1b[?2026h{frame}\x1b[?2026l"
        driver.write_frame(frame)

    def when_shown(self, callback: Callable[[], None]) -> None:
        """Calls back once the person can see what is painted by now, as far as the terminal tells."""
        self._to_be_shown.append(callback)
        self._tell_shown()

    def _tell_shown(self) -> None:
        """Once nothing that was painted waits for the line, all that is left is for the terminal to read it."""
        driver, canvas = self._driver, self._canvas
        if self._to_be_shown and (canvas is None or not canvas.is_touched):
            callbacks, self._to_be_shown = self._to_be_shown, []
            for callback in callbacks:
                if isinstance(driver, PatientDriver) and not driver.is_headless:
                    driver.when_read(callback)
                else:
                    callback()

    def _end_batch(self) -> None:
        """Shows at once what was painted while all was mounted: Textual lays it out anew first."""
        super()._end_batch()
        if not self._has_shown:
            self._catch_up()

    def redraw(self) -> None:
        """Paints the whole screen anew, whatever is on it."""
        self._is_redraw_asked = True
        self._catch_up()

    def on_resize(self, event: events.Resize) -> None:
        """A terminal whose size has changed, if only for a moment, may have lost anything."""
        if self._sizes_due:
            self._sizes_due -= 1
        elif self._canvas is not None and event.size == self._canvas.size:
            self.redraw()


def _pieces(update: ChopsUpdate) -> Iterator[tuple[int, int, Strip, int]]:
    """The parts of widgets that a partial update paints: column, row, strip, and the column to stop before."""
    for y, start, end in update.spans:
        for stop, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is not None and x <= end and stop > start:
                yield x, y, strip, min(stop, end)


def _is_known_version() -> bool:
    """By the name of a folder: `textual.__version__` reads metadata, which takes milliseconds of the first frame."""
    return Path(textual.__file__).parents[1].joinpath(f"textual-{TEXTUAL_VERSION}.dist-info").is_dir()


def abilities_of(term: str) -> Abilities:
    """What a terminal can be asked for, by the value of TERM; unknown ones are asked for little."""
    return Abilities(erases_in_color=term.startswith(_ERASE_IN_COLOR), moves_text=term.startswith(_MOVE_TEXT))
