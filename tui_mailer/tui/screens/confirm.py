"""Asks once, in a sentence, before something that can't be undone, or that goes out."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from tui_mailer.tui.action import Keymap
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.screens.dialog import Dialog
from tui_mailer.tui.screens.reading_time import ReadingTime
from tui_mailer.tui.sheet import Sheet


class ConfirmScreen(Dialog[bool | None]):
    """Returns True for Enter; None when one went back."""

    place = "confirm"
    BINDINGS = bindings("confirm")
    DEFAULT_CSS = """
    ConfirmScreen #sheet { height: auto; max-height: 60vh; }
    ConfirmScreen #sheet > Static { height: auto; }
    """

    def __init__(self, keymap: Keymap, title: str, sheet: Sheet) -> None:
        super().__init__(keymap, title)
        self._sheet = sheet
        self.reading_time = ReadingTime(self, partial(self.say, is_quiet=True))

    def contents(self) -> Iterable[Widget]:
        """The sheet, scrollable where the screen is small."""
        with VerticalScroll(id="sheet", can_focus=True):
            yield Static(self._sheet.as_renderable(), markup=False)

    def on_mount(self) -> None:
        self.reading_time.begin()

    def action_yes(self) -> None:
        """Confirms, once the question has been up long enough to be read."""
        if self.reading_time.is_over(self.keymap.display("confirm.yes")):
            self.dismiss(True)
