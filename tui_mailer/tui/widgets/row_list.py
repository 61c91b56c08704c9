"""A list of rows painted line by line: only what is visible is ever asked for, a cursor move repaints two lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui_mailer.domain.text import cell_width, clean, shorten
from tui_mailer.tui.action_table import bindings


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: a fixed width, or a share of what is left."""

    title: str
    width: int = 0
    """Cells; 0: a share."""
    share: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a list shows of one thing."""

    key: str
    cells: tuple[str, ...]
    tone: str = ""
    """``good``, ``bad``, ``wait`` or nothing: colours the first column; its word says the same."""


def column_widths(columns: tuple[Column, ...], total: int) -> list[int]:
    """Divides a width among columns with one cell between them."""
    free = max(0, total - sum(column.width for column in columns) - (len(columns) - 1))
    shares = sum(column.share for column in columns) or 1
    widths = [column.width or free * column.share // shares for column in columns]
    spare = total - sum(widths) - (len(columns) - 1)
    flexible = [index for index, column in enumerate(columns) if not column.width]
    if flexible and spare > 0:
        widths[flexible[-1]] += spare
    return widths


def where_cut(text: str, row_list: RowList, column: int) -> str:
    """The text if a column cuts it off, else nothing."""
    width = column_widths(row_list.columns, row_list.scrollable_content_region.width)[column]
    return text if cell_width(text) > width else ""


class RowList(ScrollView, can_focus=True):
    """Rows under a heading; subclasses say how many there are and what each one shows."""

    marks_rows: ClassVar[bool] = False
    """Whether several rows can be meant at once."""
    BINDINGS = bindings("list")
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "row-list--heading",
        "row-list--cursor",
        "row-list--mark",
        "row-list--good",
        "row-list--bad",
        "row-list--wait",
    }
    DEFAULT_CSS = """
    RowList { height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; }
    RowList > .row-list--cursor { background: $primary-muted; color: $foreground; }
    RowList > .row-list--cursor { text-style: $block-cursor-text-style; }
    RowList:ansi > .row-list--cursor { background: ansi_default; text-style: reverse; }
    RowList > .row-list--mark { text-style: bold underline; }
    RowList > .row-list--good { color: $text-success; }
    RowList > .row-list--bad { color: $text-error; text-style: bold; }
    RowList > .row-list--wait { color: $text-warning; }
    """

    @dataclass(eq=False, repr=False)
    class Opened(Message):
        """Enter was pressed on a row."""

        row_list: RowList
        key: str

    @dataclass(eq=False, repr=False)
    class CursorMoved(Message):
        """Another row is, or may be, under the cursor."""

        row_list: RowList
        index: int

    def __init__(self, columns: tuple[Column, ...], *, empty_text: str, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id)
        self.columns = columns
        self.empty_text = empty_text
        self.cursor = 0
        self.marked: set[str] = set()

    # what subclasses give

    def row_count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def row(self, index: int) -> Row | None:
        """The row at an index; None while it is being fetched."""
        raise NotImplementedError

    def cut_sentence(self) -> str:
        """What the row under the cursor has no room for and is worth a line of its own; else nothing."""
        return ""

    # what screens use

    def cursor_key(self) -> str | None:
        """The key of the row under the cursor."""
        row = self.row(self.cursor) if self.cursor < self.row_count() else None
        return row.key if row else None

    def chosen_keys(self) -> list[str]:
        """What an action is meant for: the marked rows, else the one under the cursor."""
        if self.marked:
            return sorted(self.marked)
        key = self.cursor_key()
        return [key] if key else []

    def rows_changed(self) -> None:
        """Fits size and cursor to what there is now, and repaints."""
        count = self.row_count()
        self.cursor = min(self.cursor, max(0, count - 1))
        self.virtual_size = Size(self.size.width, max(1, count))
        self.refresh()
        self.post_message(self.CursorMoved(self, self.cursor))

    def move_to(self, index: int) -> None:
        """Puts the cursor on a row and scrolls it into view; repaints only what differs."""
        index = max(0, min(index, self.row_count() - 1))
        if index == self.cursor:
            return
        before, self.cursor = self.cursor, index
        height = max(1, self.size.height)
        top = self.scroll_offset.y
        if not top <= index < top + height:
            self.scroll_to(y=index if index < top else index - height + 1, animate=False, force=True, immediate=True)
        else:
            self.refresh_line(before)
            self.refresh_line(index)
        self.post_message(self.CursorMoved(self, index))

    def render_line(self, y: int) -> Strip:
        """Paints one visible line."""
        width = self.scrollable_content_region.width
        index = self.scroll_offset.y + y
        if not self.row_count():
            text = shorten(self.empty_text, width) if y == 0 else ""
            return Strip(
                [
                    Segment(
                        text.ljust(width),
                        self.rich_style + self.get_component_rich_style("row-list--wait", partial=True),
                    )
                ]
            )
        if index >= self.row_count():
            return Strip.blank(width, self.rich_style)
        return self._paint(self.row(index), width, is_cursor=index == self.cursor)

    def _paint(self, row: Row | None, width: int, *, is_cursor: bool) -> Strip:
        style = self.rich_style
        if is_cursor:
            style += self.get_component_rich_style("row-list--cursor", partial=not self.app.native_ansi_color)  # pyright: ignore[reportUnknownMemberType]  # Textual leaves it App[Unknown]
        if row is None:
            return Strip([Segment("…".ljust(width), style)])
        segments: list[Segment] = []
        for position, (cell, cells) in enumerate(zip(row.cells, column_widths(self.columns, width), strict=True)):
            text = shorten(cell, cells)
            cell_style = style
            if position == 0 and row.tone:
                cell_style += self.get_component_rich_style(f"row-list--{row.tone}", partial=True)
            if row.key in self.marked:
                cell_style += self.get_component_rich_style("row-list--mark", partial=True)
            segments.append(Segment(text + " " * (cells - cell_width(text)), cell_style))
            # A mark is a sign too: not every terminal shows an underline, and no colour says it alone.
            segments.append(Segment("*" if position == 0 and row.key in self.marked else " ", style))
        return Strip(segments[:-1]).adjust_cell_length(width, style)

    # keys

    def action_down(self) -> None:
        self.move_to(self.cursor + 1)

    def action_up(self) -> None:
        self.move_to(self.cursor - 1)

    def action_page_down(self) -> None:
        self.move_to(self.cursor + max(1, self.size.height - 1))

    def action_page_up(self) -> None:
        self.move_to(self.cursor - max(1, self.size.height - 1))

    def action_first(self) -> None:
        self.move_to(0)

    def action_last(self) -> None:
        self.move_to(self.row_count() - 1)

    def action_open(self) -> None:
        key = self.cursor_key()
        if key:
            self.post_message(self.Opened(self, key))

    def action_mark(self) -> None:
        key = self.cursor_key()
        if key and self.marks_rows:
            self.marked ^= {key}
            self.refresh_line(self.cursor)
            self.move_to(self.cursor + 1)

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor there; a second one opens."""
        index = self.scroll_offset.y + event.y
        if index == self.cursor:
            self.action_open()
        elif index < self.row_count():
            self.move_to(index)

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, max(1, self.row_count()))
        hidden = self.cursor - self.scroll_offset.y - max(1, self.size.height) + 1
        if hidden > 0 and self.row_count():
            # A sentence below has taken the row the cursor is on.
            self.scroll_to(y=self.scroll_offset.y + hidden, animate=False, force=True, immediate=True)


def heading(columns: tuple[Column, ...], width: int) -> str:
    """The titles over a list's columns."""
    return " ".join(
        shorten(clean(column.title), cells).ljust(cells)
        for column, cells in zip(columns, column_widths(columns, width), strict=True)
    )
