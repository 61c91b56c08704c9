"""A real pseudo-terminal with an emulator behind it: what a person would see, and every byte that was sent."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyte

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 30.0
KEYS = {
    "tab": "\t",
    "enter": "\r",
    "escape": "\x1b",
    "down": "\x1b[B",
    "up": "\x1b[A",
    "left": "\x1b[D",
    "right": "\x1b[C",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "backspace": "\x7f",
    "f1": "\x1bOP",
    "f2": "\x1bOQ",
    "f3": "\x1bOR",
    "f4": "\x1bOS",
    "f5": "\x1b[15~",
    "f6": "\x1b[17~",
    "f7": "\x1b[18~",
    "f8": "\x1b[19~",
    "f9": "\x1b[20~",
    **{f"ctrl+{letter}": chr(ord(letter) - 96) for letter in "abcdefghijklmnopqrstuvwxyz"},
}


class Terminal:
    """A program in a terminal of its own session."""

    def __init__(self, command: list[str], environment: dict[str, str], size: tuple[int, int]) -> None:
        columns, rows = size
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.attributes_before = termios.tcgetattr(slave)
        self._slave = slave
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            cwd=ROOT,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - its own controlling terminal
        )
        self.raw = b""
        self.answers_status = True
        """At once, when asked how it is; a line that keeps keys back answers behind them."""
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)

    def read(self, seconds: float = 0.05) -> bool:
        """Takes what the program has written; False once it has closed the terminal."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return True
        try:
            block = os.read(self.master, 65536)
        except OSError:
            return False
        self.raw += block
        self._stream.feed(block)
        self._answer(len(block), b"\x1b[?2026$p", b"\x1b[?2026;2$y")
        if self.answers_status:
            self._answer(len(block), b"\x1b[5n", b"\x1b[0n")
        return bool(block)

    def _answer(self, size: int, question: bytes, answer: bytes) -> None:
        """Answers each time a question has come to its end in the last ``size`` bytes: a line may tear it."""
        asked = self.raw[-(size + len(question) - 1) :].count(question)
        if asked:
            os.write(self.master, answer * asked)

    def text(self) -> str:
        """What is on the screen."""
        # Not `display`, which stumbles over half a wide character.
        return "\n".join("".join(str(cell[0]) for cell in line).rstrip() for line in self.cells())

    def cells(self) -> list[list[tuple[object, ...]]]:
        """What is on the screen, colours and attributes too."""
        lines, columns = range(self._screen.lines), range(self._screen.columns)
        return [[tuple(self._screen.buffer[y][x]) for x in columns] for y in lines]

    def cursor(self) -> tuple[int, int]:
        """Column and row of the cursor, counted from 0."""
        return self._screen.cursor.x, self._screen.cursor.y

    def resize(self, columns: int, rows: int) -> None:
        """Gives the emulator another size; the caller tells the program."""
        self._screen.resize(rows, columns)

    def shows(self, *texts: str) -> None:
        """Reads until every text is on the screen."""
        end = time.monotonic() + PATIENCE_SECONDS
        for text in texts:
            while text not in self.text():
                if time.monotonic() > end or not self.read():
                    raise AssertionError(f"never shown: {text}\n{self.text()}")

    def read_for(self, seconds: float) -> None:
        """Reads for a while: for rules that are about time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.read(0.02)

    def cost(self, *keys: str) -> int:
        """Presses keys, by name or as text; returns how many bytes came until the screen was quiet again."""
        before = len(self.raw)
        for key in keys:
            self.type(KEYS.get(key, key))
        end = time.monotonic() + PATIENCE_SECONDS
        while len(self.raw) == before and time.monotonic() < end:
            self.read()
        self.until_quiet()
        return len(self.raw) - before

    def until_quiet(self, seconds: float = 0.06) -> None:
        """Reads until nothing has come for a while."""
        length = -1
        while length != len(self.raw):
            length = len(self.raw)
            self.read_for(seconds)

    def until_gone(self, text: str) -> None:
        """Reads until a text is no longer on the screen."""
        end = time.monotonic() + PATIENCE_SECONDS
        while text in self.text():
            if time.monotonic() > end or not self.read():
                raise AssertionError(f"still shown: {text}\n{self.text()}")

    def type(self, text: str) -> None:
        """Sends text as if typed."""
        os.write(self.master, text.encode())

    def press(self, *keys: str) -> None:
        """Sends keys by name."""
        for key in keys:
            self.type(KEYS[key])

    def paste(self, text: str) -> None:
        """Sends text as a bracketed paste."""
        self.type(f"\x1b[200~{text}\x1b[201~")

    def ended(self) -> int:
        """Reads until the program has ended; returns its exit code."""
        end = time.monotonic() + PATIENCE_SECONDS
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise AssertionError(f"never ended\n{self.text()}")
            self.read()
        while select.select([self.master], [], [], 0.1)[0] and self.read():
            pass
        return self.process.returncode

    def attributes_now(self) -> list[object]:
        """The terminal's line settings."""
        return termios.tcgetattr(self._slave)

    def freeze(self) -> None:
        """Stops what the program writes, as Ctrl-S or a stuck SSH line does."""
        termios.tcflow(self._slave, termios.TCOOFF)

    def thaw(self) -> None:
        """Lets it through again."""
        termios.tcflow(self._slave, termios.TCOON)

    def hang_up(self) -> None:
        """Takes the terminal away, as a closed window or a lost SSH line does."""
        os.close(self._slave)
        os.close(self.master)
        self.master = self._slave = -1

    def close(self) -> None:
        """Ends what is left."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        for handle in (self.master, self._slave):
            if handle >= 0:
                os.close(handle)


def environment_in(folder: Path, **more: str) -> dict[str, str]:
    """An environment with a home of its own."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV") if name in os.environ}
    return {
        **kept,
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_STATE_HOME": str(folder / "state"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "TZ": "Europe/Berlin",
        "PYTHONPATH": str(ROOT),
        "LANG": "C.UTF-8",
        # The emulator doesn't know the kitty keyboard protocol; the test of restored modes turns it on again.
        "TEXTUAL_DISABLE_KITTY_KEY": "1",
        **more,
    }


@contextmanager
def in_terminal(
    folder: Path, *arguments: str, size: tuple[int, int] = (80, 24), **environment: str
) -> Iterator[Terminal]:
    """Starts the app in a terminal; ends it afterwards whatever happened."""
    command = [sys.executable, "-m", "tui_mailer", "--data-dir", str(folder / "data"), *arguments]
    terminal = Terminal(command, environment_in(folder, **environment), size)
    try:
        yield terminal
    finally:
        terminal.close()
