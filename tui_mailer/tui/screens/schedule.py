"""Later: offers of good times, one's own words read back as one types, and who will send it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from textual import events
from textual.widget import Widget
from textual.widgets import Input, Static

from tui_mailer.domain.errors import InvalidMessage
from tui_mailer.domain.schedule import describe, suggestions
from tui_mailer.domain.text import clean
from tui_mailer.services.repeat import read_when
from tui_mailer.services.who_sends import Remedy, WhoSends
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.screens.choice import Offer, OfferList
from tui_mailer.tui.screens.dialog import Dialog
from tui_mailer.tui.widgets.field import Field
from tui_mailer.tui.widgets.line_input import LineInput
from tui_mailer.tui.widgets.row_list import RowList

NOW = "now"
"""The offer that takes a schedule away."""
INSTALL = "install"
"""The offer that installs the delivery service."""


class ScheduleScreen(Dialog[str | None]):
    """Returns WHEN as words, empty for now; None when one went back."""

    place = "schedule"
    BINDINGS = bindings("schedule")
    AUTO_FOCUS = "#when"

    def __init__(self, desk: Desk, words: str, *, who: WhoSends, title: str = "When is it to go out?") -> None:
        super().__init__(desk.keymap, title)
        self._desk = desk
        self._who = who
        self._zone = desk.zone or ZoneInfo("UTC")
        self._input = LineInput(words, id="when", placeholder="tomorrow 9am, in 2h, mon 17:00, every weekday 9:00")
        self._field = Field("When", self._input)

    def contents(self) -> Iterable[Widget]:
        now = self._desk.now()
        offers = [Offer(key=NOW, text=NOW, remark="as soon as it is sent")]
        offers += [
            Offer(key=words, text=words, remark=self._read_back(words, now)) for words in suggestions(now, self._zone)
        ]
        if Remedy.INSTALL_SERVICE in self._who.remedies:
            offers.append(Offer(key=INSTALL, text="install the service", remark="sends also while this is closed"))
        yield self._field
        yield Static(id="read-back", markup=False)
        yield OfferList(offers, id="offers")
        yield Static(self._who.text, id="who", markup=False, classes="label")

    def on_mount(self) -> None:
        self._show_read_back()

    def _read_back(self, words: str, now: datetime) -> str:
        return describe(read_when(words, now=now, zone=self._zone), now=now)

    def _show_read_back(self) -> None:
        words, now = self._input.value.strip(), self._desk.now()
        said = self.query_one("#read-back", Static)
        try:
            said.update(clean(self._read_back(words, now)) if words and words != NOW else "")
            self.say("")
        except InvalidMessage:
            said.update("")

    def on_input_changed(self) -> None:
        """Reads the words back while they make sense."""
        self._show_read_back()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Takes the words, or says what is wrong with them."""
        event.stop()
        self._take(event.value.strip())

    def on_row_list_opened(self, event: RowList.Opened) -> None:
        """Takes an offer."""
        event.stop()
        if event.key == INSTALL:
            self.attempt(self._install())
            return
        self._take(event.key)

    async def _install(self) -> None:
        from tui_mailer.services.service_manager import install_service

        self.say("Installing the delivery service ...", is_quiet=True)
        self.say(await asyncio.to_thread(install_service, self._desk.paths), is_quiet=True)

    def _take(self, words: str) -> None:
        if words in {"", NOW}:
            self.dismiss("")
            return
        try:
            schedule = read_when(words, now=self._desk.now(), zone=self._zone)
        except InvalidMessage as error:
            self.say(str(error))
            return
        if schedule.at <= datetime.now(UTC):
            self.say("That has passed.")
            return
        self.dismiss(words)

    def on_key(self, event: events.Key) -> None:
        """Down goes from the words to the offers, Up back."""
        offers = self.query_one(OfferList)
        if event.key == "down" and self._input.has_focus:
            event.stop()
            self.set_focus(offers)
        elif event.key == "up" and offers.has_focus and offers.cursor == 0:
            event.stop()
            self.set_focus(self._input)
