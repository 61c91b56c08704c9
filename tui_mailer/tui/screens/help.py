"""F1: what the keys do here, made from the action table."""

from __future__ import annotations

from collections.abc import Iterable

from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from tui_mailer.tui.action import ANYWHERE, Keymap, display_key
from tui_mailer.tui.action_table import PLACE_TITLES, bindings
from tui_mailer.tui.screens.dialog import Dialog
from tui_mailer.tui.sheet import Sheet

WIDE = 110
"""Columns from which the ids that ``ui.keys`` uses are shown too."""


class HelpScreen(Dialog[None]):
    """The keys of one place, then those that work anywhere."""

    place = "help"
    BINDINGS = bindings("help")
    DEFAULT_CSS = """
    HelpScreen > .box { width: 90%; max-width: 120; }
    HelpScreen #help { height: auto; max-height: 80vh; }
    HelpScreen #help > Static { height: auto; }
    """

    def __init__(
        self, keymap: Keymap, places: tuple[str, ...], *, shows_ids: bool = False, is_over_dialog: bool = False
    ) -> None:
        super().__init__(keymap, f"Keys: {PLACE_TITLES[places[0]].lower() if places else 'everywhere'}")
        self._places = places
        self._shows_ids = shows_ids
        self._is_over_dialog = is_over_dialog

    def contents(self) -> Iterable[Widget]:
        """A line a key."""
        with VerticalScroll(id="help", can_focus=True):
            yield Static(self._sheet().as_renderable(), markup=False)

    def _sheet(self) -> Sheet:
        sheet = Sheet(label_width=11)
        around = (ANYWHERE, "text") if "compose" in self._places else () if self._is_over_dialog else (ANYWHERE,)
        for place in (*self._places, *around):
            if place in around and self._places:
                sheet.heading(PLACE_TITLES[place])
            for action in self.keymap.actions_of(place):
                if not self.keymap.keys(action.id) or (self._is_over_dialog and action.id == "list.mark"):
                    continue
                keys = " ".join(display_key(key) for key in self.keymap.keys(action.id))
                remark = f"  ({action.id})" if self._shows_ids else ""
                sheet.line(keys, f"{action.help}{remark}", label_style="bold")
        return sheet
