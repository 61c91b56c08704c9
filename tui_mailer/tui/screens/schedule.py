"""Later: offers of good times, one's own words read back as one types, and who will send it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from textual.widget import Widget
from textual.widgets import Input, Static

from tui_mailer.domain.errors import InvalidMessage
from tui_mailer.domain.schedule import describe, describe_distance, describe_instant, suggestions
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


def say_whose_zone(desk: Desk) -> str:
    """That the times are the computer's, where it keeps UTC and nobody has said which zone is meant; else nothing.

    A server reached over SSH knows nothing of the zone of who sits before the terminal.
    """
    if desk.configuration.ui.timezone is not None or str(desk.zone) not in _UTC_NAMES:
        return ""
    file = desk.configuration.path or desk.paths.config_file
    return (
        f"These are UTC, the time this computer keeps. Is yours another? Say it with the time (9:00 Europe/Berlin), or "
        f"once for all: ui: {{timezone: Europe/Berlin}} in {file}."
    )


_UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Etc/UCT", "Zulu", "Etc/Zulu", "GMT", "Etc/GMT", "Universal"})


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
            Offer(key=words, text=words, remark=self._say_offer(words, now)) for words in suggestions(now, self._zone)
        ]
        if Remedy.INSTALL_SERVICE in self._who.remedies:
            offers.append(Offer(key=INSTALL, text="install the service", remark="sends also while this is closed"))
        yield self._field
        yield Static(id="read-back", markup=False)
        yield OfferList(offers, id="offers")
        yield Static(self._who.text, id="who", markup=False, classes="label")
        if said := say_whose_zone(self._desk):
            yield Static(said, markup=False, classes="label")

    def on_mount(self) -> None:
        # Another time is what one comes back for: typing takes the place of the words that are there.
        self._input.action_select_all()
        self._show_read_back()

    def _say_offer(self, words: str, now: datetime) -> str:
        """The distance first: of a row too narrow for a long zone's name the end is cut off."""
        at = read_when(words, now=now, zone=self._zone).at
        return f"{describe_distance(at, now)}, {describe_instant(at, self._zone, now=now)}"

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

    async def action_take(self) -> None:
        """The words, or the offer under the cursor."""
        if isinstance(self.focused, OfferList):
            self.focused.action_open()
        else:
            await super().action_take()

    def action_down(self) -> None:
        """From the words to the offers, before the next key is read; among them, to the next."""
        offers = self.query_one(OfferList)
        if self.focused is offers:
            offers.action_down()
        else:
            self.set_focus(offers)

    def action_up(self) -> None:
        """From the words to the last offer of a time; among the offers one up, from the first back to the words."""
        offers = self.query_one(OfferList)
        if self.focused is not offers:
            offers.move_to(offers.row_count() - 1 - (Remedy.INSTALL_SERVICE in self._who.remedies))
            self.set_focus(offers)
        elif offers.cursor == 0:
            self.set_focus(self._input)
        else:
            offers.action_up()
