"""Finds rows that only moved up or down, so that the terminal can be asked to move them (DECSTBM, IL, DL)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from tui_mailer.tui.terminal.cell import UNKNOWN, Row
from tui_mailer.tui.terminal.courier import Courier

FEWEST_ROWS = 3
"""Rows that must have moved together before scrolling is tried."""
_MOST_TWINS = 3
"""Rows with the same text that are looked at as origins of one."""


class Scroll(NamedTuple):
    """Rows from ``top`` to before ``bottom`` move by ``lines``: down if positive, up if negative."""

    top: int
    bottom: int
    lines: int

    def write(self, courier: Courier) -> None:
        """Has the terminal do it; the vacated rows are not known afterwards."""
        # Whether margins move the cursor home is not agreed upon: it is addressed anew after both.
        courier.control(f"\x1b[{self.top + 1};{self.bottom}r", at=None)
        courier.move(0, self.top)
        count = "" if abs(self.lines) == 1 else str(abs(self.lines))
        courier.control(f"\x1b[{count}{'L' if self.lines > 0 else 'M'}", at=None)
        courier.control("\x1b[r", at=None)

    def apply(self, shown: Sequence[Row]) -> list[Row]:
        """The rows as the terminal shows them afterwards."""
        rows = list(shown)
        width = len(rows[0].cells)
        for y in range(self.top, self.bottom):
            origin = y - self.lines
            rows[y] = shown[origin] if self.top <= origin < self.bottom else Row.filled(width, UNKNOWN)
        return rows


def find_scroll(shown: Sequence[Row], wanted: Sequence[Row], changed: Sequence[int]) -> Scroll | None:
    """The move that most of the changed rows have made, if at least a few have made the same."""
    origins: dict[str, list[int]] = {}
    for y in range(len(shown)):
        text = "".join(shown[y].cells)
        if text.strip() and UNKNOWN not in text:
            origins.setdefault(text, []).append(y)
    counts: Counter[int] = Counter()
    for y in changed:
        for origin in origins.get("".join(wanted[y].cells), ())[:_MOST_TWINS]:
            if origin != y:
                counts[y - origin] += 1
    if not counts:
        return None
    lines, count = counts.most_common(1)[0]
    if count < FEWEST_ROWS:
        return None
    arrived = [y for y in changed if 0 <= y - lines < len(shown) and _is_much_alike(shown[y - lines], wanted[y])]
    return Scroll(
        top=min(arrived[0], arrived[0] - lines), bottom=max(arrived[-1], arrived[-1] - lines) + 1, lines=lines
    )


def _is_much_alike(shown: Row, wanted: Row) -> bool:
    """Whether a row is another one but for a few cells, as where a scrollbar or a cursor is."""
    width = len(wanted.cells)
    same = sum(was == cell for was, cell in zip(shown.cells, wanted.cells, strict=True))
    return same >= width - width // 8 and "".join(wanted.cells).strip() != ""
