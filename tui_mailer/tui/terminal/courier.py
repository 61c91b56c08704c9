"""Writes cells to a terminal in few bytes: knows where its cursor is and which pen it holds."""

from __future__ import annotations

import re
from typing import NamedTuple

from tui_mailer.tui.terminal.cell import Row, is_certain
from tui_mailer.tui.terminal.pen import Pen, PenBox

_long_gaps = re.compile(" {12,}").finditer
KNOWN_STATE = "\x1b[r\x0f\x1b(B"
"""No margins, ASCII in G0: what a program that ended badly may have left otherwise."""


class Abilities(NamedTuple):
    """What may be asked of the terminal."""

    erases_in_color: bool = True
    """Erased cells get the pen's paper (terminfo's bce)."""
    moves_text: bool = True
    """Rows and characters can be inserted, deleted and scrolled (VT220)."""


class State(NamedTuple):
    """Where the cursor is (None: not known), which pen is held, how much has been written."""

    at: tuple[int, int] | None
    pen: Pen | None
    written: int


class Courier:
    """Collects what is to be written; can go back to an earlier state to try another way."""

    def __init__(self, pens: PenBox, abilities: Abilities) -> None:
        self._pens = pens
        self.abilities = abilities
        self._out: list[str] = []
        self._length = 0
        self._at: tuple[int, int] | None = None
        self._pen: Pen | None = None

    def forget(self) -> None:
        """Cursor and pen are not known any more."""
        self._at = self._pen = None

    def take(self) -> str:
        """Hands over what was collected."""
        text = "".join(self._out)
        self._out.clear()
        self._length = 0
        return text

    @property
    def length(self) -> int:
        """Characters collected so far."""
        return self._length

    def state(self) -> State:
        """A state to go back to."""
        return State(self._at, self._pen, len(self._out))

    def back_to(self, state: State) -> list[str]:
        """Takes back what was written since; returns it."""
        taken = self._out[state.written :]
        del self._out[state.written :]
        self._length -= sum(map(len, taken))
        self._at, self._pen = state.at, state.pen
        return taken

    def again(self, texts: list[str], end: State) -> None:
        """Writes what was taken back after all."""
        self._out += texts
        self._length += sum(map(len, texts))
        self._at, self._pen = end.at, end.pen

    def control(self, sequence: str, *, at: tuple[int, int] | None) -> None:
        """Writes a sequence after which the cursor is at a place."""
        self._add(sequence)
        self._at = at

    def move(self, x: int, y: int) -> None:
        """Moves the cursor by the shortest sequence."""
        if self._at == (x, y):
            return
        ways = [f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H" if y else "\x1b[H"]
        if self._at is not None:
            ways += _relative_ways(*self._at, x, y)
        self._add(min(ways, key=len))
        self._at = (x, y)

    def hold(self, pen: Pen) -> None:
        """Takes another pen."""
        self._add(self._pens.way(self._pen, pen))
        self._pen = pen

    def write(self, row: Row, y: int, start: int, end: int) -> None:
        """Writes cells of a row; every cell behind a doubtful one is addressed anew."""
        x = start
        while x < end:
            pen = row.pens[x]
            after = x + 1
            while after < end and row.pens[after] is pen:
                after += 1
            self.move(x, y)
            self.hold(pen)
            text = "".join(row.cells[x:after])
            if text.isascii() or all(map(is_certain, row.cells[x:after])):
                is_narrow = len(text) == after - x and "" not in row.cells[x:after]
                begin = 0
                if is_narrow and self.abilities.moves_text and self.may_erase_with(pen):
                    begin = self._write_gaps(text, x, y)
                self._add(text[begin:])
                if begin < len(text):
                    self._advance(after, y, len(row.cells))
            else:
                self._write_doubtful(row, y, x, after)
            x = after

    def _write_gaps(self, text: str, x: int, y: int) -> int:
        """Writes text up to behind its last long gap, erasing the gaps; returns how much of it that was."""
        begin = 0
        for gap in _long_gaps(text):
            self._add(text[begin : gap.start()])
            self._at = (x + gap.start(), y)
            self._add(f"\x1b[{gap.end() - gap.start()}X")
            begin = gap.end()
            if begin < len(text):
                self.move(x + begin, y)
        return begin

    def _write_doubtful(self, row: Row, y: int, start: int, end: int) -> None:
        """Blanks the place of a doubtful cluster first: a terminal may give it fewer cells than we do."""
        x = start
        while x < end:
            cluster, after = row.cells[x], x + 1
            while after < end and not row.cells[after]:
                after += 1
            self.move(x, y)
            if is_certain(cluster):
                self._add(cluster)
                self._advance(after, y, len(row.cells))
            else:
                self._add(" " * (after - x))
                self._advance(after, y, len(row.cells))
                self.move(x, y)
                self._add(cluster)
                self._at = None
            x = after

    def erase_to_end(self, pen: Pen, x: int, y: int) -> None:
        """Blanks the rest of a row."""
        self.move(x, y)
        self.hold(pen)
        self._add("\x1b[K")

    def may_erase_with(self, pen: Pen) -> bool:
        """Whether erased cells look like blanks of this pen."""
        return pen.leaves_blanks_blank and (self.abilities.erases_in_color or pen.paper == "49")

    def _advance(self, x: int, y: int, width: int) -> None:
        # Behind the last column terminals disagree about where the cursor is.
        self._at = (x, y) if x < width else None

    def _add(self, text: str) -> None:
        if text:
            self._out.append(text)
            self._length += len(text)


def _relative_ways(from_x: int, from_y: int, x: int, y: int) -> list[str]:
    """Ways that depend on where the cursor is."""
    across = x - from_x
    down = y - from_y
    vertical = "" if not down else f"\x1b[{_count(abs(down))}{'B' if down > 0 else 'A'}"
    if not across:
        return [vertical]
    ways = [vertical + f"\x1b[{_count(abs(across))}{'C' if across > 0 else 'D'}"]
    if not down:
        ways.append(f"\x1b[{_count(x + 1)}G")
    if -4 < across < 0:
        ways.append(vertical + "\b" * -across)
    if x < 3:
        ways.append("\r" + vertical + ("" if not x else f"\x1b[{_count(x)}C"))
    return ways


def _count(number: int) -> str:
    return "" if number == 1 else str(number)
