"""A short list to choose one thing from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from textual import events
from textual.widget import Widget

from tui_mailer.domain.text import cell_width, clean
from tui_mailer.tui.action import Keymap
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.screens.dialog import Dialog
from tui_mailer.tui.widgets.row_list import Column, Row, RowList


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One thing to choose."""

    key: str
    text: str
    remark: str = ""


CHOOSING = MappingProxyType({"list.open": "Choose"})
"""What Enter does in a list of offers."""
_MOST_CELLS = 32
"""An offer longer than this shares the row with its remark half and half; else the remark gets what is left."""


class OfferList(RowList):
    """The offers, one a row."""

    DEFAULT_CSS = """
    OfferList { height: auto; max-height: 14; }
    """

    def __init__(self, offers: Sequence[Offer], *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        has_remarks = any(offer.remark for offer in offers)
        longest = max((cell_width(clean(offer.text)) for offer in offers), default=0)
        first = Column(title="", width=longest + 1) if longest < _MOST_CELLS else Column(title="", share=1)
        columns = (first, Column(title="", share=1)) if has_remarks else (Column(title="", share=1),)
        super().__init__(columns, empty_text="nothing to choose", id=id)
        self._rows = [
            Row(key=offer.key, cells=(offer.text, offer.remark) if has_remarks else (offer.text,)) for offer in offers
        ]

    def on_key(self, event: events.Key) -> None:
        """A letter that is no key here goes to the next offer that begins with it."""
        letter = (event.character or "").casefold()
        if not event.is_printable or not letter.strip() or event.key in self.screen.active_bindings:
            return
        event.stop()
        turned = (*self._rows[self.cursor + 1 :], *self._rows[: self.cursor + 1])
        found = next((row for row in turned if row.cells[0].casefold().startswith(letter)), None)
        if found is not None:
            self.move_to(self._rows.index(found))

    def row_count(self) -> int:
        return len(self._rows)

    def row(self, index: int) -> Row | None:
        return self._rows[index]


class ChoiceScreen(Dialog[str | None]):
    """Returns the key of what was chosen; None when one went back."""

    place = "choice"
    KEY_LABELS = CHOOSING
    BINDINGS = bindings("choice")

    def __init__(self, keymap: Keymap, title: str, offers: Sequence[Offer]) -> None:
        super().__init__(keymap, title)
        self._offers = offers

    def contents(self) -> Iterable[Widget]:
        yield OfferList(self._offers)

    def key_places(self) -> tuple[str, ...]:
        """Those of the list, too."""
        return (self.place, "list")

    def on_row_list_opened(self, event: RowList.Opened) -> None:
        self.dismiss(event.key)
