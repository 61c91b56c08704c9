"""Asks before which date the history is to be deleted; says how much that is before anything is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from textual.widget import Widget
from textual.widgets import Input, Static

from tui_mailer.storage.record import HistoryQuery
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.screens.dialog import Dialog
from tui_mailer.tui.widgets.field import Field
from tui_mailer.tui.widgets.line_input import LineInput


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeWish:
    """What is to be deleted."""

    before: datetime
    count: int
    """How many that is; 100,000 stands for as many or more."""


class PurgeScreen(Dialog[PurgeWish | None]):
    """Returns the wish, which is still to be confirmed; None when one went back."""

    place = "purge"
    BINDINGS = bindings("purge")
    AUTO_FOCUS = "#before"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.keymap, "Delete for good all that ended before")
        self._desk = desk

    def contents(self) -> Iterable[Widget]:
        yield Field("Before", LineInput(id="before", placeholder="2026, 2026-01-31, or an age: 90d, 52w"))
        yield Static("Enter counts first; nothing is deleted yet.", markup=False, classes="label")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip():
            self.attempt(self._count(event.value.strip()))

    async def _count(self, words: str) -> None:
        before = await self._desk.ask(lambda mailer: mailer.parse_past(words))
        count = await self._desk.ask(lambda mailer: mailer.history_count(HistoryQuery(before=before)))
        if count:
            self.dismiss(PurgeWish(before=before, count=count))
        else:
            self.say(f"Nothing in the history ended before {before:%Y-%m-%d %H:%M}.")
