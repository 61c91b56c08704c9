"""Drives the real app in a pseudo-terminal at random; what it shows must be what it shows when it is painted anew."""

# ruff: noqa: RUF001  # letters of many scripts are the point

from __future__ import annotations

import fcntl
import random
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pyte
from terminal_emulator import PATIENCE_SECONDS, ROOT, Terminal, environment_in, in_terminal

from tui_mailer.tui.terminal.courier import KNOWN_STATE

Cells = list[list[tuple[object, ...]]]
END_OF_FRAME = b"\x1b[?2026l"

TEXTS = [
    *("harbour ", "the master agreed ", "x", "ä", " ", "-- "),
    *("漢字", "日本", "👍🏽", "👨‍👩‍👧", "🇩🇪", "❤️", "e\u0301", "שלום", "مرحبا", "हिन्दी"),
]
PASTES = [
    "one line",
    "a@example.org\nb@example.org",
    "\n".join(f"line {n} of a paste with some text in it" for n in range(40)),
    "wide 漢字漢字 and 👍🏽\nשלום עולם\n" * 4,
    "z" * 300,
]
MOVES = ["up", "down", "left", "right", "home", "end", "pageup", "pagedown", "backspace", "enter", "tab", "tab"]
SCREENS = ["f1", "f2", "f3", "f4", "f6", "f8", "ctrl+p", "ctrl+l", "ctrl+s", "escape", "escape", "ctrl+z"]
SCREENS += ["f7", "f9", "ctrl+t", "ctrl+n"]
LISTS = ["enter", "down", "o", "e", "t", "h", "r", "s", "y", "/", "j", "k", "escape"]
FURNISH = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import still_clock
from scene import furnish
furnish(Path(sys.argv[2]))
"""
"""The outbox and history that the pictures show; by the clock of the app all of it is long overdue."""
SIZES = [(80, 24), (60, 20), (200, 50), (120, 36), (61, 21), (250, 80)]


class Watcher:
    """Looks at the screen right before and right after it is painted anew."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self._screen)
        self._seen = 0
        self._feed(len(terminal.raw))

    def resize(self, columns: int, rows: int) -> None:
        """Gives the terminal another size, as a window that is drawn larger does, and waits for the app to fill it."""
        self._feed(len(self._terminal.raw))
        self._terminal.resize(columns, rows)
        self._screen.resize(rows, columns)
        fcntl.ioctl(self._terminal.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._until_painted_anew()

    def check(self, when: str) -> None:
        """Has everything painted anew; raises `AssertionError` naming the first cell that differs."""
        # The same size once more: the app can't know what became of the screen.
        shown, anew = self._until_painted_anew()
        for y, (was, should_be) in enumerate(zip(shown, anew, strict=True)):
            for x, (one, other) in enumerate(zip(was, should_be, strict=True)):
                if one != other:
                    raise AssertionError(
                        f"row {y}, column {x}: {one}, painted anew {other}; {when}:\n{self._terminal.text()}"
                    )

    def _until_painted_anew(self) -> tuple[Cells, Cells]:
        begin = self._read_until(KNOWN_STATE.encode(), self._seen, asks=True)
        self._feed(begin)
        shown = self._cells()
        self._feed(self._read_until(END_OF_FRAME, begin) + len(END_OF_FRAME))
        return shown, self._cells()

    def _read_until(self, mark: bytes, start: int, *, asks: bool = False) -> int:
        terminal, begin, asked = self._terminal, time.monotonic(), 0
        while (at := terminal.raw.find(mark, start)) < 0:
            waited = time.monotonic() - begin
            if asks and waited > asked:
                # More than once: signals that come together are one.
                terminal.process.send_signal(signal.SIGWINCH)
                asked += 1
            if waited > PATIENCE_SECONDS or not terminal.read():
                raise AssertionError(f"the app is gone\n{terminal.text()}")
        return at

    def _feed(self, end: int) -> None:
        self._stream.feed(self._terminal.raw[self._seen : end])
        self._seen = end

    def _cells(self) -> Cells:
        lines, columns = range(self._screen.lines), range(self._screen.columns)
        return [[_look(tuple(self._screen.buffer[y][x])) for x in columns] for y in lines]


def _look(cell: tuple[object, ...]) -> tuple[object, ...]:
    """What is seen of a cell: of a blank one without a line or reversed colours, not the ink."""
    data, _, paper, _, _, underlined, struck, is_reversed, *_ = cell
    return (data, paper) if data == " " and not (underlined or struck or is_reversed) else cell


def step(terminal: Terminal, watcher: Watcher, dice: random.Random) -> str:
    """Does one thing; returns what."""
    kind = dice.random()
    if kind < 0.45:
        what = "".join(dice.choice(TEXTS) for _ in range(dice.randint(1, 8)))
        terminal.type(what)
    elif kind < 0.55:
        what = dice.choice(PASTES)
        terminal.paste(what)
    elif kind < 0.85:
        what = " ".join(dice.choice(MOVES) for _ in range(dice.randint(1, 6)))
        terminal.press(*what.split())
    elif kind < 0.91:
        what = dice.choice(SCREENS)
        terminal.press(what)
    elif kind < 0.95:
        what = " ".join([dice.choice(["f3", "f4"]), *(dice.choice(LISTS) for _ in range(dice.randint(1, 5)))])
        for key in what.split():
            terminal.type(key) if len(key) == 1 else terminal.press(key)
    else:
        columns, rows = dice.choice(SIZES)
        what = f"{columns}x{rows}"
        watcher.resize(columns, rows)
    return what


def random_use(folder: Path, seed: int, steps: int) -> int:
    """Uses the app at random; returns how often the screen was compared with one painted anew."""
    dice = random.Random(seed)
    checks = 0
    done: list[str] = []
    furnished = [sys.executable, "-c", FURNISH, str(ROOT / "screenshots"), str(folder)]
    subprocess.run(furnished, check=True, env=environment_in(folder), timeout=60)
    with in_terminal(folder) as terminal:
        terminal.shows("[Compose]", "Quit")
        watcher = Watcher(terminal)
        for _ in range(steps):
            done.append(step(terminal, watcher, dice))
            terminal.read_for(dice.choice([0.02, 0.1]))
            if dice.random() < 0.6:
                watcher.check(f"seed {seed}, after {done[-6:]}")
                checks += 1
    return checks
