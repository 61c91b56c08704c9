"""Changes one row on the terminal from what it shows to what it should show, in few bytes."""

from __future__ import annotations

from tui_mailer.tui.terminal.cell import UNKNOWN, Row, certain_between
from tui_mailer.tui.terminal.courier import Courier
from tui_mailer.tui.terminal.pen import PLAIN

_WIDEST_GAP = 3
"""Unchanged cells that are written again rather than jumped over."""
_FEWEST_ERASED = 4
"""Blanks; fewer are shorter than erasing."""
_FEWEST_MOVED = 12
"""Changed cells below which moving the rest of a row can't be shorter."""
_FARTHEST_MOVED = 12

Span = tuple[int, int]


def write_change(courier: Courier, shown: Row, wanted: Row, y: int, *, moves_text: bool) -> None:
    """Writes what differs; with ``moves_text`` by inserting or deleting characters where that is shorter."""
    spans = changed_spans(shown, wanted)
    if not spans:
        return
    before = courier.state()
    _write_spans(courier, wanted, y, spans)
    if not moves_text or sum(end - start for start, end in spans) < _FEWEST_MOVED:
        return
    shift = _find_shift(shown, wanted, spans[0][0], spans[-1][1])
    if not shift:
        return
    plain_end = courier.state()
    plain_length = courier.length
    plain = courier.back_to(before)
    start = spans[0][0]
    courier.move(start, y)
    courier.hold(wanted.pens[start])
    courier.control(f"\x1b[{abs(shift) if abs(shift) > 1 else ''}{'@' if shift > 0 else 'P'}", at=(start, y))
    shifted = _shifted(shown, start, shift)
    _write_spans(courier, wanted, y, changed_spans(shifted, wanted))
    if courier.length >= plain_length:
        courier.back_to(before)
        courier.again(plain, plain_end)


def changed_spans(shown: Row, wanted: Row) -> list[Span]:
    """Where the rows differ: from, to before; to the end of the row where terminals may disagree about widths."""
    cells, pens = wanted.cells, wanted.pens
    spans: list[Span] = []
    start = -1
    x = 0
    for x, (was, pen_was, cell, pen) in enumerate(
        zip(shown.cells, shown.pens, cells, pens, strict=True)
    ):  # the fastest loop there is
        if was != cell or pen_was is not pen:
            if start < 0:
                start = x
        elif start >= 0:
            spans.append((start, x))
            start = -1
    width = len(cells)
    if start >= 0:
        spans.append((start, width))
    if not spans:
        return spans
    return _joined(_to_end_if_doubtful(spans, shown, wanted), wanted)


def _to_end_if_doubtful(spans: list[Span], shown: Row, wanted: Row) -> list[Span]:
    """Where a cluster comes or goes about whose width terminals disagree, all that is behind it is written anew."""
    for index, (start, end) in enumerate(spans):
        if not (certain_between(shown, start, end) and certain_between(wanted, start, end)):
            while start > 0 and not (shown.cells[start] and wanted.cells[start]):
                start -= 1  # noqa: PLW2901  # to the beginning of the cluster
            return [*spans[:index], (start, len(wanted.cells))]
    return spans


def _joined(spans: list[Span], wanted: Row) -> list[Span]:
    """Spans, with wide clusters whole, and small gaps drawn by the same pen filled."""
    whole: list[Span] = []
    width = len(wanted.cells)
    for start, end in spans:
        while start > 0 and not wanted.cells[start]:
            start -= 1  # noqa: PLW2901  # both ends move to the edge of a cluster
        while end < width and not wanted.cells[end]:
            end += 1  # noqa: PLW2901
        if whole and (start <= whole[-1][1] or _is_small_gap(wanted, whole[-1][1], start)):
            whole[-1] = (whole[-1][0], end)
        else:
            whole.append((start, end))
    return whole


def _is_small_gap(wanted: Row, start: int, end: int) -> bool:
    pen = wanted.pens[start - 1]
    return end - start <= _WIDEST_GAP and all(wanted.pens[x] is pen for x in range(start, end))


def _write_spans(courier: Courier, wanted: Row, y: int, spans: list[Span]) -> None:
    """Writes spans; blanks at the end of the row by erasing."""
    width = len(wanted.cells)
    tail = _blank_tail(wanted)
    for start, end in spans:
        if end <= tail:
            courier.write(wanted, y, start, end)
            continue
        if start < tail:
            courier.write(wanted, y, start, tail)
        blank_from = max(start, tail)
        to_blank = sum(last - max(first, blank_from) for first, last in spans if last > blank_from)
        pen = wanted.pens[blank_from]
        if to_blank >= _FEWEST_ERASED and courier.may_erase_with(pen):
            courier.erase_to_end(pen, blank_from, y)
            return
        courier.write(wanted, y, blank_from, min(end, width))


def _blank_tail(row: Row) -> int:
    """Where the blanks of one pen begin that end a row."""
    x = len(row.cells)
    pen = row.pens[-1] if row.pens else PLAIN
    while x > 0 and row.cells[x - 1] == " " and row.pens[x - 1] is pen:
        x -= 1
    return x


def _find_shift(shown: Row, wanted: Row, first: int, last: int) -> int:
    """By how many cells most of what is behind the first change has moved; 0: it hasn't, or terminals may disagree."""
    width = len(wanted.cells)
    if "" in shown.cells[first:] or "" in wanted.cells[first:]:
        return 0
    if not (certain_between(wanted, first, width) and certain_between(shown, first, width)):
        return 0
    best, best_count = 0, (last - first) // 2
    was, now = shown.cells[first:last], wanted.cells[first:last]
    for distance in range(1, min(_FARTHEST_MOVED, last - first - 1) + 1):
        for shift, count in (
            (distance, _same(now[distance:], was)),
            (-distance, _same(now, was[distance:])),
        ):
            if count > best_count:
                best, best_count = shift, count
    return best


def _same(some: list[str], others: list[str]) -> int:
    return sum(one == other for one, other in zip(some, others, strict=False))


def _shifted(shown: Row, start: int, shift: int) -> Row:
    """The row after the terminal has inserted or deleted characters."""
    width = len(shown.cells)
    unknown, pens = [UNKNOWN] * abs(shift), [PLAIN] * abs(shift)
    if shift > 0:
        return Row(
            [*shown.cells[:start], *unknown, *shown.cells[start : width - shift]],
            [*shown.pens[:start], *pens, *shown.pens[start : width - shift]],
        )
    return Row(
        [*shown.cells[:start], *shown.cells[start - shift :], *unknown],
        [*shown.pens[:start], *shown.pens[start - shift :], *pens],
    )
