"""Textual's driver for Unix terminals, made patient with slow lines: nothing waits for output, and no key is torn."""

from __future__ import annotations

import os
import selectors
import signal
import sys
import threading
from codecs import getincrementaldecoder
from collections.abc import Callable
from time import monotonic
from typing import Any

from textual import events
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from tui_mailer.tui.terminal.escape_gate import ESCAPE, QUESTION, EscapeGate
from tui_mailer.tui.terminal.pace import Pace
from tui_mailer.tui.terminal.writer import TerminalWriter

INSTEAD = {
    # The mouse: buttons and drags, not every movement, which would be a report each on a slow line.
    "\x1b[?1003h": "\x1b[?1002h",
    "\x1b[?1003l": "\x1b[?1003l\x1b[?1002l",
    "\x1b[?1015h": "",
    # Kitty's keyboard protocol: only what would be ambiguous, not ten bytes for each letter.
    "\x1b[>25u": "\x1b[>1u",
}
"""What Textual's driver writes -> what is written instead."""
STDERR = 2
"""Where Textual writes."""
_POINTER_SHAPE = "\x1b]22;"
"""What the mouse pointer should look like: nothing a keyboard needs on a slow line."""
_HIDE_CURSOR, _SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
_TICK_SECONDS = 0.12
"""A little more than the time the parser gives a sequence it doesn't know."""
_LAST_ANSWER_SECONDS = 1.0
"""How long an answer is waited for when the terminal is given back: it would be typed into the shell."""


WRITTEN = frozenset("\u200c\u200d\u200e\u200f\u061c\u00a0\u202f\u2002\u2003\u2007\u2009\u3000")
"""What people type and Python calls unprintable: zero-width non-joiner and joiner (Persian, emoji families), the marks
of direction (Hebrew and Arabic keyboards), the spaces that don't break (AltGr+Space, French) or have their own width
(Compose), and the ideographic one (of Japanese and Chinese input methods)."""


class Key(events.Key):  # by this name Textual finds the handlers of its own
    """A key whose character is written though Python calls it unprintable."""

    @property
    def is_printable(self) -> bool:
        """Whether a text field writes it."""
        return True


class PatientDriver(LinuxDriver):
    """Writes through a thread of its own; reads keys whose bytes come one by one; notices a terminal that is gone."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)  # pyright: ignore[reportUnknownMemberType]  # Textual leaves it App[Unknown]
        stream = sys.__stderr__
        self.charset = (stream.encoding if stream is not None else None) or "utf-8"
        """The encoding the terminal is believed to read and send: that of the locale."""
        self._shows_cursor = bool(getattr(app, "shows_terminal_cursor", False))
        self.on_started: Callable[[], None] = _nothing
        """Called when the terminal has been taken, at first and after each suspension: its screen is blank."""
        self.on_idle: Callable[[], None] = _nothing
        """Called in the event loop when the terminal has read everything and somebody has asked for that."""
        self._writer: TerminalWriter | None = None
        self._wake_reader, self._wake_writer = os.pipe()
        self._pace = Pace()
        self._open_questions = 0
        self._answered = threading.Condition()

    def write(self, data: str) -> None:
        """Writes without waiting."""
        if self._writer is not None:
            if data.startswith(_POINTER_SHAPE):
                return
            if data == _HIDE_CURSOR and self._shows_cursor:
                data = _SHOW_CURSOR
            self._writer.write(INSTEAD.get(data, data).encode(self.charset, "replace"))

    def write_frame(self, frame: str) -> None:
        """Writes what changes the screen, and asks where it should be known that it was read."""
        now = monotonic()
        self.write(self._pace.take(frame, now))
        self._watch_question(now)

    def is_ready(self) -> bool:
        """Whether the terminal has read enough to be sent more; if not, ``on_idle`` is called once it has."""
        if self._writer is None or not self._writer.is_idle_or_will_tell():
            return False
        self._ask_if_due()
        return self._pace.is_open()

    def when_read(self, callback: Callable[[], None]) -> None:
        """Calls back, in the event loop, once the terminal has read all that was written so far.

        A terminal that doesn't say so counts as having read it.
        """
        self._pace.when_read(callback)
        self._ask_if_due()

    def _ask_if_due(self) -> None:
        if self._pace.wants_question():
            self._ask()

    def _ask(self) -> None:
        now = monotonic()
        self.write(self._pace.ask(now))
        self._watch_question(now)

    def _watch_question(self, now: float) -> None:
        """Counts a question that was written just now, and waits for its answer so long and no longer."""
        if self._pace.asked_since == now:
            self._count_question(1)
            self._loop.call_later(self._pace.patience_seconds, self._lose_patience, now)

    def _count_question(self, change: int) -> None:
        with self._answered:
            self._open_questions = max(0, self._open_questions + change)
            self._answered.notify_all()

    def _lose_patience(self, asked_at: float) -> None:
        if self._pace.asked_since == asked_at:
            self._pace.give_up()
            self.on_idle()

    def _take_answer(self, now: float) -> None:
        self._pace.answer(now)
        self._ask_if_due()
        self.on_idle()

    def _sigtstp_application(self, *arguments: object) -> None:
        """Stops only where a shell can say ``fg``: ^Z in an editor reaches this program, too."""
        from tui_mailer.tui.terminal.job_control import has_shell_above

        if has_shell_above():
            super()._sigtstp_application(*arguments)  # pyright: ignore[reportUnknownMemberType]  # Textual leaves it so

    def start_application_mode(self) -> None:
        """Takes the terminal."""
        self._pace, self._open_questions = Pace(), 0
        self._writer = TerminalWriter(
            sys.stderr.fileno() if self._file is None else self._file.fileno(), self._tell_idle
        )
        self._writer.start()
        super().start_application_mode()
        if self.input_tty:
            self._ask()
        self.on_started()

    def _tell_idle(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.on_idle)

    def disable_input(self) -> None:
        """Ends reading at once rather than at the next tick, but not before an answer that is on its way."""
        if self._pace.is_answered:
            with self._answered:
                self._answered.wait_for(lambda: not self._open_questions, _LAST_ANSWER_SECONDS)
        os.write(self._wake_writer, b".")
        super().disable_input()

    def close(self) -> None:
        """Waits until everything is written."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.stop()
        super().close()

    def run_input_thread(self) -> None:
        """Reads keys until told to end, sleeping while there are none."""
        parser = XTermParser(self._debug)
        gate = EscapeGate()
        decode = getincrementaldecoder(self.charset)("replace").decode
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            selector.register(self._wake_reader, selectors.EVENT_READ)
            patience: float | None = None
            while not self.exit_event.is_set():
                ready = {key.fd for key, _ in selector.select(patience)}
                if self._wake_reader in ready:
                    # Only the end of reading wakes: the flag for it is set a moment later, and isn't waited for.
                    os.read(self._wake_reader, 1)
                    return
                now = monotonic()
                if self.fileno in ready:
                    block = _read(self.fileno)
                    if not block:
                        self._hang_up()
                        return
                    known = gate.answers
                    pieces = list(gate.take(decode(block), now))
                    for _ in range(gate.answers - known):
                        self._count_question(-1)
                        self._loop.call_soon_threadsafe(self._take_answer, now)
                    if gate.wants_answer:
                        self._count_question(1)
                        self.write(QUESTION)
                else:
                    pieces = list(gate.expire(now))
                self._pass_on(parser, pieces)
                held_seconds = gate.seconds_left(now)
                ticks = _TICK_SECONDS if ready else None
                patience = min((wait for wait in (held_seconds, ticks) if wait is not None), default=None)

    def _pass_on(self, parser: XTermParser, pieces: list[str]) -> None:
        for piece in pieces:
            if piece == ESCAPE:
                self.process_message(events.Key("escape", "\x1b"))
            else:
                for message in parser.feed(piece):
                    self.process_message(_written(message))
        for message in parser.tick():
            self.process_message(message)

    def _hang_up(self) -> None:
        """Ends the program as the kernel does when it notices before us."""
        self._count_question(-self._open_questions)
        if self.input_tty:
            os.kill(os.getpid(), signal.SIGHUP)


def _written(message: Message) -> Message:
    if isinstance(message, events.Key) and message.character in WRITTEN:
        return Key(message.key, message.character)
    return message


def _read(handle: int) -> bytes:
    """What has arrived; empty: the terminal is gone."""
    try:
        return os.read(handle, 4096)
    except OSError:
        return b""


def _nothing() -> None:
    """Nobody listens yet."""
