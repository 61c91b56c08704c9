"""Cells: text cut into what a terminal keeps in one place, and which of it all terminals agree about."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from rich.cells import split_graphemes

from tui_mailer.tui.terminal.pen import PLAIN, Pen

UNKNOWN = "\x00"
"""What may be on the screen where nobody knows; never equal to what should be there."""
_CERTAIN = (
    *((0x20, 0x7E), (0xA0, 0xAC), (0xAE, 0x2FF), (0x370, 0x482), (0x48A, 0x52F), (0x531, 0x58A), (0x5D0, 0x5EA)),
    *((0x620, 0x64A), (0x66E, 0x66F), (0x671, 0x6D3), (0x10A0, 0x10FF), (0x1E00, 0x1FFF), (0x2010, 0x2027)),
    *((0x2030, 0x205E), (0x20A0, 0x20C0), (0x2190, 0x22FF), (0x2500, 0x25FC), (0x2800, 0x28FF), (0x3001, 0x3029)),
    *((0x3041, 0x3096), (0x309B, 0x30FF), (0x3105, 0x312F), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3)),
    *((0xF900, 0xFAFF), (0xFF01, 0xFF60)),
)
"""Letters, signs and ideographs whose width no terminal doubts; no emoji, no marks that combine."""
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)


class Row:
    """One row: the clusters and their pens; a cluster of two cells has an empty one behind it."""

    __slots__ = ("cells", "pens")

    def __init__(self, cells: list[str], pens: list[Pen]) -> None:
        self.cells = cells
        self.pens = pens

    @classmethod
    def filled(cls, width: int, cell: str = " ") -> Row:
        """A row of the same cell."""
        return cls([cell] * width, [PLAIN] * width)

    def copy(self) -> Row:
        """A row that can be changed alone."""
        return Row(self.cells[:], self.pens[:])

    def is_like(self, other: Row) -> bool:
        """Whether both look the same."""
        return self.cells == other.cells and self.pens == other.pens


def cells_of(text: str) -> list[str]:
    """Cuts text into cells."""
    return list(text) if text.isascii() else list(_clusters(text))


@lru_cache(2048)
def _clusters(text: str) -> tuple[str, ...]:
    cells: list[str] = []
    for cluster, width in _joined_flags(text):
        if not width:
            _add_to_last(cells, cluster)
        else:
            cells += [cluster, *[""] * (width - 1)]
    return tuple(cells)


def _joined_flags(text: str) -> Iterator[tuple[str, int]]:
    """Yields clusters with their width, the two letters of a flag as one."""
    spans, _ = split_graphemes(text)
    held: tuple[str, int] | None = None
    for start, end, width in spans:
        cluster = text[start:end]
        if held is not None:
            if ord(cluster[0]) in _FLAG_LETTERS:
                yield held[0] + cluster, held[1] + width
                held = None
                continue
            yield held
            held = None
        if ord(cluster[0]) in _FLAG_LETTERS:
            held = cluster, width
        else:
            yield cluster, width
    if held is not None:
        yield held


def _add_to_last(cells: list[str], mark: str) -> None:
    """A mark without a width belongs to the character before it; without one it is left out."""
    for at in range(len(cells) - 1, -1, -1):
        if cells[at]:
            cells[at] += mark
            return


@lru_cache(4096)
def is_certain(cluster: str) -> bool:
    """Whether all terminals give a cluster as many cells as we do; the second cell of one counts as certain."""
    if len(cluster) > 1:
        return False
    return cluster in {"", UNKNOWN} or any(first <= ord(cluster) <= last for first, last in _CERTAIN)


def certain_between(row: Row, start: int, end: int) -> bool:
    """Whether the cells from ``start`` to before ``end`` are certain."""
    return all(map(is_certain, row.cells[start:end]))
