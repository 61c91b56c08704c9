"""The screen twice: as the terminal shows it and as it should be; and the way from the one to the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from textual.strip import Strip

from tui_mailer.tui.terminal.cell import UNKNOWN, Row, cells_of
from tui_mailer.tui.terminal.courier import Abilities, Courier, State
from tui_mailer.tui.terminal.pen import PLAIN, Pen, PenBox
from tui_mailer.tui.terminal.row_change import write_change
from tui_mailer.tui.terminal.scroll import FEWEST_ROWS, find_scroll

_MOST_ROWS_SHIFTED = 6
"""Changed rows up to which inserting and deleting characters is tried; it costs up to 0.2 ms a row."""


class Canvas:
    """Takes strips as widgets paint them; gives what the terminal must be sent so that it shows them."""

    def __init__(self, pens: PenBox, abilities: Abilities, cut: Callable[[str], list[str]] = cells_of) -> None:
        self._pens = pens
        self._cut = cut
        self._courier = Courier(pens, abilities)
        self._wanted: list[Row] = []
        self._shown: list[Row] = []
        self._touched: set[int] = set()
        self._laid: list[dict[int, tuple[int, Strip]]] = []
        """The strips that lie on each row, by the column where they begin: where they end, and which they are."""
        self.size = (0, 0)
        """Columns and rows."""

    @property
    def is_touched(self) -> bool:
        """Whether anything was put since the last frame."""
        return bool(self._touched)

    def resize(self, width: int, height: int) -> None:
        """Starts on a screen of another size, about which nothing is known."""
        self.size = (width, height)
        self._wanted = [Row.filled(width) for _ in range(height)]
        self._laid = [{} for _ in range(height)]
        self.forget()

    def forget(self) -> None:
        """Somebody else has written on the screen: the next frame paints all of it."""
        width, height = self.size
        self._shown = [Row.filled(width, UNKNOWN) for _ in range(height)]
        self._touched = set(range(height))
        self._courier.forget()

    def lay(self, x: int, y: int, strip: Strip, limit: int) -> None:
        """Lays one strip, as `put` does; the very strip that lies there already costs nothing."""
        if not 0 <= y < len(self._laid):
            return
        laid = self._laid[y]
        if (known := laid.get(x)) is not None and known[0] == limit and known[1] is strip:
            return
        for begin in [begin for begin, (end, _) in laid.items() if begin < limit and end > x]:
            del laid[begin]
        self._put(x, y, (strip,), limit)
        laid[x] = (limit, strip)

    def put(self, x: int, y: int, strips: Iterable[Strip]) -> None:
        """Lays strips side by side on a row, from a column on to its end."""
        if 0 <= y < len(self._laid):
            self._laid[y].clear()
            self._put(x, y, strips, self.size[0])

    def _put(self, x: int, y: int, strips: Iterable[Strip], limit: int) -> None:
        cells: list[str] = []
        pens: list[Pen] = []
        pen_of = self._pens.pen
        for strip in strips:
            for segment in strip:
                if not segment.control:
                    piece = self._cut(segment.text)
                    cells += piece
                    pens += [pen_of(segment.style)] * len(piece)
        end = min(limit, self.size[0])
        if end <= x:
            return
        _fit(cells, pens, end - x)
        row = self._wanted[y]
        _heal_before(row.cells, x)
        row.cells[x:end] = cells
        row.pens[x:end] = pens
        _heal(row.cells, end)
        self._touched.add(y)

    def frame(self, cursor: tuple[int, int] | None) -> str:
        """What makes the terminal show what was put; empty when it does already.

        ``cursor``: where the terminal's cursor goes then; None: nobody looks for it.
        """
        changed = [y for y in sorted(self._touched) if not self._shown[y].is_like(self._wanted[y])]
        self._touched.clear()
        courier = self._courier
        if changed:
            before = courier.state()
            self._write_rows(changed, self._shown)
            if len(changed) >= FEWEST_ROWS and courier.abilities.moves_text:
                self._scroll_if_shorter(changed, before)
            for y in changed:
                self._shown[y] = self._wanted[y].copy()
        if cursor is not None:
            courier.move(*cursor)
        return courier.take()

    def _write_rows(self, rows: Sequence[int], shown: Sequence[Row]) -> None:
        # Moving text within rows is looked for where few rows change: as one types.
        moves_text = self._courier.abilities.moves_text and len(rows) <= _MOST_ROWS_SHIFTED
        for y in rows:
            write_change(self._courier, shown[y], self._wanted[y], y, moves_text=moves_text)

    def _scroll_if_shorter(self, changed: Sequence[int], before: State) -> None:
        """Has the terminal move whole rows where that is shorter than writing them anew."""
        scroll = find_scroll(self._shown, self._wanted, changed)
        if scroll is None:
            return
        courier = self._courier
        plain_end, plain_length = courier.state(), courier.length
        plain = courier.back_to(before)
        scroll.write(courier)
        moved = scroll.apply(self._shown)
        rows = sorted({*changed, *range(scroll.top, scroll.bottom)})
        self._write_rows([y for y in rows if not moved[y].is_like(self._wanted[y])], moved)
        if courier.length >= plain_length:
            courier.back_to(before)
            courier.again(plain, plain_end)


def _heal(cells: list[str], x: int) -> None:
    """Blanks what is left of a wide cluster that was cut at a column."""
    while x < len(cells) and not cells[x]:
        cells[x] = " "
        x += 1


def _heal_before(cells: list[str], x: int) -> None:
    """Blanks the cluster whose second cell is at a column that is about to be overwritten."""
    if not cells[x]:
        while x > 0 and not cells[x]:
            cells[x] = " "
            x -= 1
        cells[x] = " "


def _fit(cells: list[str], pens: list[Pen], width: int) -> None:
    """Gives cells the width of their place: strips that were cut within a cluster may be shorter, or longer."""
    missing = width - len(cells)
    if missing > 0:
        cells += [" "] * missing
        pens += [pens[-1] if pens else PLAIN] * missing
    elif missing < 0:
        _heal_before(cells, width)
        del cells[width:], pens[width:]
