"""Browsing for files to attach: several at once, filtered as one types, nothing read in the event loop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.text import Text
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static

from tui_mailer.domain.text import clean, shorten
from tui_mailer.tui import folder as folders
from tui_mailer.tui.action import Keymap
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.disk import read_disk
from tui_mailer.tui.screens.dialog import Dialog
from tui_mailer.tui.size_budget import SizeBudget
from tui_mailer.tui.size_words import say_size
from tui_mailer.tui.widgets.line_input import LineInput
from tui_mailer.tui.widgets.row_list import Column, Row, RowList


class FilterInput(LineInput):
    """What one types; Backspace on nothing leaves the folder."""

    @dataclass(eq=False, repr=False)
    class LeftFolder(Message):
        """There was nothing to delete."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Leaves Space to marking."""
        return key != "space" and super().check_consume_key(key, character)

    def action_delete_left(self) -> None:
        if self.value:
            super().action_delete_left()
        else:
            self.post_message(self.LeftFolder())


class FileRows(RowList, can_focus=False):
    """The entries that fit; the sizes of those on the screen are measured as they come into view."""

    DEFAULT_CSS = """
    FileRows { height: 1fr; min-height: 5; }
    """

    @dataclass(eq=False, repr=False)
    class SizesWanted(Message):
        """Rows are shown whose size isn't known."""

    def __init__(self) -> None:
        columns = (
            Column(title="", width=1),
            Column(title="Name", share=1),
            Column(title="Size", width=8),
            Column(title="Kind", width=20),
        )
        super().__init__(columns, empty_text="nothing here fits", id="files")
        self.folder = folders.Folder("/", ())
        self.entries: list[folders.Entry] = []
        self.sizes: dict[str, int] = {}
        self._wanted: set[str] = set()

    def row_count(self) -> int:
        return len(self.entries)

    def path_at(self, index: int) -> str:
        """The path of an entry."""
        return f"{self.folder.path.rstrip('/')}/{self.entries[index].name}"

    def row(self, index: int) -> Row | None:
        entry, path = self.entries[index], self.path_at(index)
        if entry.is_folder:
            return Row(key=path, cells=("", f"{clean(entry.name)}/", "", "folder"))
        size = self.sizes.get(path)
        if size is None:
            if not self._wanted:
                self.post_message(self.SizesWanted())
            self._wanted.add(path)
        said = "…" if size is None else say_size(size) if size >= 0 else "?"
        return Row(key=path, cells=("", clean(entry.name), said, folders.kind_of(entry.name)))

    def take_wanted(self) -> list[str]:
        """Which sizes have been asked for since the last call."""
        wanted, self._wanted = sorted(self._wanted), set()
        return wanted


class BrowseScreen(Dialog[list[str] | None]):
    """Returns the paths to attach; None when one went back."""

    place = "browse"
    BINDINGS = bindings("browse")
    AUTO_FOCUS = "#filter"
    DEFAULT_CSS = """
    BrowseScreen > .box { height: 100%; width: 90%; max-width: 110; }
    """

    def __init__(self, keymap: Keymap, start: str, budget: SizeBudget) -> None:
        super().__init__(keymap, "Attach files")
        self._start = start
        self._budget = budget
        self._rows = FileRows()
        self._shows_hidden = False
        self._where = Static(markup=False, classes="label")

    @property
    def folder(self) -> str:
        """Where one is."""
        return self._rows.folder.path

    def contents(self) -> Iterable[Widget]:
        yield self._where
        yield FilterInput(id="filter", placeholder="type to filter")
        yield self._rows

    def on_mount(self) -> None:
        self.attempt(self._go(self._start))

    async def _go(self, path: str, *, cursor_on: str = "") -> None:
        try:
            folder = await read_disk(partial(folders.read_folder, path))
        except OSError as error:
            self.say(f"{path} can't be read: {error.strerror}")
            return
        self._rows.folder = folder
        field = self.query_one(FilterInput)
        with self.prevent(Input.Changed):
            field.value = ""
        self._filter("", cursor_on=cursor_on)
        self._tell()

    def _filter(self, typed: str, *, cursor_on: str = "") -> None:
        rows = self._rows
        rows.entries = folders.fitting(rows.folder, typed, shows_hidden=self._shows_hidden)
        rows.cursor = 0
        rows.scroll_to(y=0, animate=False, force=True, immediate=True)
        rows.rows_changed()
        if cursor_on:
            rows.move_to(next((at for at, one in enumerate(rows.entries) if one.name == cursor_on), 0))
        count, total = len(rows.entries), len(rows.folder.entries)
        said = f"  {count:,} of {total:,}" if count != total else f"  {total:,}"
        width = max(10, self._where.size.width or 70) - len(said)
        self._where.update(Text(shorten(clean(rows.folder.path), width) + said, no_wrap=True))

    def _tell(self) -> None:
        sizes = [max(0, self._rows.sizes.get(path, 0)) for path in self._rows.marked]
        said = f"{len(sizes)} marked, {say_size(sum(sizes))}. " if sizes else ""
        self.say(said + self._budget.say(sizes), is_quiet=True)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filters as one types."""
        event.stop()
        self._filter(event.value)

    def on_filter_input_left_folder(self) -> None:
        self.action_parent()

    async def on_file_rows_sizes_wanted(self) -> None:
        """Measures what is on the screen, in a thread."""
        sizes = await read_disk(partial(folders.measure, self._rows.take_wanted()))
        self._rows.sizes.update(sizes)
        self._rows.refresh()

    def on_row_list_opened(self) -> None:
        self.action_open()

    # keys

    def action_down(self) -> None:
        self._rows.action_down()

    def action_up(self) -> None:
        self._rows.action_up()

    def action_page_down(self) -> None:
        self._rows.action_page_down()

    def action_page_up(self) -> None:
        self._rows.action_page_up()

    def _entry(self) -> folders.Entry | None:
        rows = self._rows
        return rows.entries[rows.cursor] if rows.cursor < len(rows.entries) else None

    def action_mark(self) -> None:
        """Marks or unmarks the file under the cursor."""
        entry = self._entry()
        if entry is None or entry.is_folder:
            return
        path = self._rows.path_at(self._rows.cursor)
        self._rows.marked ^= {path}
        self._rows.refresh_line(self._rows.cursor - self._rows.scroll_offset.y)
        self._rows.action_down()
        self.attempt(self._count_marked(path))

    async def _count_marked(self, path: str) -> None:
        if path not in self._rows.sizes:
            self._rows.sizes.update(await read_disk(partial(folders.measure, [path])))
        self._tell()

    def action_open(self) -> None:
        """Opens a folder, or attaches the file with what is marked."""
        entry = self._entry()
        if entry is None:
            return
        path = self._rows.path_at(self._rows.cursor)
        if entry.is_folder:
            self.attempt(self._go(path))
        else:
            self._choose(path)

    def action_parent(self) -> None:
        """To the folder above, the cursor on where one came from."""
        path = Path(self._rows.folder.path)
        self.attempt(self._go(str(path.parent), cursor_on=path.name))

    def action_hidden(self) -> None:
        """Shows or hides what begins with a dot."""
        self._shows_hidden = not self._shows_hidden
        self._filter(self.query_one(FilterInput).value)

    def action_attach(self) -> None:
        """Attaches what is marked, else the file under the cursor."""
        entry = self._entry()
        if self._rows.marked:
            self._choose()
        elif entry is not None and not entry.is_folder:
            self._choose(self._rows.path_at(self._rows.cursor))

    def _choose(self, *more: str) -> None:
        chosen: Sequence[str] = sorted(self._rows.marked)
        self.dismiss(list(dict.fromkeys((*chosen, *more))))
