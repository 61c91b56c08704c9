"""What happens when the program is told to go: SIGTERM, SIGHUP, a terminal that vanished or no longer reads.

The draft is saved from the handler itself, through the I/O thread: the event loop may stand still, since a terminal
that has stopped reading stops it. A clean end through the loop is tried first, and made certain by a watchdog.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import termios
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

RESTORE_SCREEN = (
    b"\x1b[<u\x1b[?2004l\x1b[?7h\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1049l\x1b[?25h\x1b[?1004l"
)
"""Kitty keyboard, paste and mouse modes off, main screen, cursor on; what Textual's driver writes at its own end."""
PATIENCE_SECONDS = 8.0
"""For a clean end; then the process leaves without it."""


class Lifeline:
    """Catches the signals that end a program in a terminal, for as long as the app runs."""

    def __init__(self, *, save: Callable[[], None], leave: Callable[[int], None], abandon: Callable[[], None]) -> None:
        """``save`` is called in the handler, ``leave`` in the loop, ``abandon`` in a thread if the loop stalled."""
        self._save = save
        self._leave = leave
        self._abandon = abandon
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = threading.Event()
        self._is_leaving = False
        self._before: dict[int, Any] = {}
        self._attributes: list[Any] | None = None

    def hold(self) -> None:
        """Starts catching; call it in the main thread, before the terminal is changed."""
        with contextlib.suppress(termios.error, ValueError, OSError):
            self._attributes = termios.tcgetattr(sys.stdin.fileno())
        for number in (signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._caught)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Names the loop in which a clean end is tried."""
        self._loop = loop

    def let_go(self) -> None:
        """Ends the watch: the app has ended by itself."""
        self._ended.set()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _caught(self, number: int, frame: FrameType | None) -> None:
        del frame
        if self._is_leaving:
            return
        self._is_leaving = True
        self._save()
        threading.Thread(target=self._make_sure, args=(number,), name="tui-lifeline", daemon=True).start()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._leave, 128 + number)

    def _make_sure(self, number: int) -> None:
        if self._ended.wait(PATIENCE_SECONDS):
            return
        self._abandon()
        with contextlib.suppress(OSError, ValueError):
            os.set_blocking(sys.__stdout__.fileno() if sys.__stdout__ else 1, False)
            os.write(1, RESTORE_SCREEN)
        with contextlib.suppress(termios.error, OSError, ValueError):
            if self._attributes is not None:
                termios.tcsetattr(0, termios.TCSANOW, self._attributes)
        os._exit(128 + number)
