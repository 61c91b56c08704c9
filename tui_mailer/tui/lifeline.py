"""What happens when the program is told to go: SIGTERM, SIGHUP, a terminal that vanished or no longer reads.

The event loop may stand still by then, since a terminal that has stopped reading stops it. So the handler only reads
the form and hands it to a thread that has been waiting for it, by the one queue that may be used in a handler: whatever
lock the interrupted code held, nothing waits for it there. The thread saves, has the loop end the app, and makes sure.
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
from queue import SimpleQueue
from time import monotonic
from types import FrameType
from typing import Any, NamedTuple

RESTORE_SCREEN = (
    b"\x1b[<u\x1b[?2004l\x1b[?7h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1049l\x1b[?25h\x1b[?1004l"
)
"""Kitty keyboard, paste and mouse modes off, main screen, cursor on; what Textual's driver writes at its own end."""
PATIENCE_SECONDS = 8.0
"""For a clean end; then the process leaves without it."""
TELLING_SECONDS = 0.2
"""Between two times that the app is told to end."""


class LastWill(NamedTuple):
    """What has to be done when a signal comes."""

    take: Callable[[], Callable[[], object] | None]
    """Called in the handler: takes the draft as it stands, without a lock; what it returns saves that, and is called in
    the lifeline's thread."""
    leave: Callable[[int], None]
    """Called in the event loop with the exit code, until the app has ended."""
    abandon: Callable[[], None]
    """Called in the lifeline's thread when the loop didn't end the app in time."""


class Lifeline:
    """Catches the signals that end a program in a terminal, for as long as the app runs."""

    def __init__(self, will: LastWill) -> None:
        self._will = will
        self._loop: asyncio.AbstractEventLoop | None = None
        self._caught_signals: SimpleQueue[tuple[int, Callable[[], object] | None]] = SimpleQueue()
        self._ended = threading.Event()
        self._is_leaving = False
        self._before: dict[int, Any] = {}
        self._attributes: list[Any] | None = None

    def hold(self) -> None:
        """Starts catching; call it in the main thread, before the terminal is changed."""
        with contextlib.suppress(termios.error, ValueError, OSError):
            self._attributes = termios.tcgetattr(sys.stdin.fileno())
        threading.Thread(target=self._wait_for_signal, name="tui-lifeline", daemon=True).start()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
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
        if not self._is_leaving:
            self._is_leaving = True
            self._caught_signals.put((number, self._will.take()))

    def _wait_for_signal(self) -> None:
        number, save = self._caught_signals.get()
        if save is not None:
            save()
        patience_ends = monotonic() + PATIENCE_SECONDS
        while monotonic() < patience_ends:
            # Again and again: there may be no loop yet, or an app that has only begun to start.
            if self._loop is not None:
                with contextlib.suppress(RuntimeError):  # the loop is closed
                    self._loop.call_soon_threadsafe(self._will.leave, 128 + number)
            if self._ended.wait(TELLING_SECONDS):
                return
        self._will.abandon()
        with contextlib.suppress(OSError, ValueError):
            os.set_blocking(1, False)  # the system's own signature
            os.write(1, RESTORE_SCREEN)
        with contextlib.suppress(termios.error, OSError, ValueError):
            if self._attributes is not None:
                termios.tcsetattr(0, termios.TCSANOW, self._attributes)
        os._exit(128 + number)
