"""Leaving with mail due: shows it going out; a second press leaves it and says who will deliver it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Literal

from textual.widget import Widget
from textual.widgets import Static

from tui_mailer.domain.submission import Phase, State
from tui_mailer.services.event import Event
from tui_mailer.services.opening_hours import windows_of
from tui_mailer.services.who_sends import WhoSends
from tui_mailer.storage.record import Submission
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.screens.dialog import Dialog
from tui_mailer.tui.watch import Watch
from tui_mailer.tui.widgets.row_list import Column, Row, RowList
from tui_mailer.tui.words import STATE_WORD, Moment, opening_of, say_recipients, say_why

SOON = timedelta(minutes=2)
"""What goes within this (an undo window) is waited for; a schedule further off is not."""
MOST_ROWS = 200


def is_leaving(one: Submission, moment: Moment) -> bool:
    """Says whether quitting should wait for it: under way, or due by now or at the end of its undo window."""
    if one.state is State.SENDING:
        return True
    if one.state is not State.QUEUED or moment.is_disk_full:
        return False
    if one.account in moment.holds or opening_of(one, moment):
        return False
    return one.not_before - moment.now < (SOON if one.schedule_words is None else timedelta(0))


async def still_leaving(desk: Desk, watch: Watch) -> list[Submission]:
    """What would be waited for now."""
    submissions = await desk.ask(lambda mailer: mailer.outbox(limit=MOST_ROWS))
    await watch.count()
    windows, is_full = windows_of(desk.configuration), bool(watch.no_room)
    moment = Moment(now=desk.now(), holds=watch.holds, windows=windows, is_disk_full=is_full)
    return [one for one in submissions if is_leaving(one, moment)]


class LeavingRows(RowList):
    """What goes out before the program ends."""

    DEFAULT_CSS = """
    LeavingRows { height: auto; max-height: 10; }
    """

    def __init__(self, submissions: list[Submission], moment: Moment) -> None:
        super().__init__(
            (Column(title="", width=10), Column(title="", share=1), Column(title="", share=1)), empty_text="all gone"
        )
        self.submissions = submissions
        self.moment = moment

    def row_count(self) -> int:
        return len(self.submissions)

    def row(self, index: int) -> Row | None:
        one = self.submissions[index]
        return Row(key=one.id, cells=(STATE_WORD[one.state], say_recipients(one), say_why(one, self.moment)))


class QuitScreen(Dialog[Literal["gone", "left", "stay", "undo"]]):
    """Goes away by itself once nothing is due any more."""

    place = "quit"
    BINDINGS = bindings("quit")

    def __init__(self, desk: Desk, watch: Watch, leaving: list[Submission], *, who: WhoSends) -> None:
        super().__init__(desk.keymap, "Sending what is due, then leaving")
        self._desk = desk
        self._watch = watch
        self._who = who
        self._rows = LeavingRows(leaving, self._moment())
        self._doubt = Static(markup=False, classes="label")

    def contents(self) -> Iterable[Widget]:
        yield self._rows
        yield Static(f"Whatever stays in the outbox: {self._who.text}", markup=False, classes="label")
        yield self._doubt

    def on_mount(self) -> None:
        self._watch.listen(self._event_came)
        self._tell_doubt()
        self.set_interval(1.0, self._look)

    def _moment(self) -> Moment:
        watch = self._watch
        return Moment(
            now=self._desk.now(),
            holds=watch.holds,
            sent_bytes=watch.sent_bytes,
            phases=watch.phases,
            is_disk_full=bool(watch.no_room),
            undo_key=self.keymap.display("quit.undo"),
            keymap=self.keymap,
        )

    def _event_came(self, event: Event) -> None:
        del event
        if self.is_attached:
            self._look()

    def _look(self) -> None:
        self.attempt(self._look_again())

    async def _look_again(self) -> None:
        leaving = await still_leaving(self._desk, self._watch)
        if not self.is_current:
            return
        if not leaving:
            self.dismiss("gone")
            return
        self._rows.submissions, self._rows.moment = leaving, self._moment()
        self._rows.rows_changed()
        self._tell_doubt()

    def _tell_doubt(self) -> None:
        """What has been sent to its last byte isn't simply sent later."""
        phases = self._rows.moment.phases
        is_any = any(phases.get(one.id, one.phase) is Phase.INTENT for one in self._rows.submissions)
        said = (
            "One has been sent and waits for the answer: left now, it may or may not have gone out." if is_any else ""
        )
        self._doubt.update(said)
        self._doubt.display = is_any

    def action_leave(self) -> None:
        self.dismiss("left")

    def action_undo(self) -> None:
        """Back, with what was just sent in compose again, if anything still can be."""
        self.attempt(self._undo())

    async def _undo(self) -> None:
        if self._desk.status.undo_ids or await self._desk.ask(lambda mailer: mailer.undoable()) is not None:
            self.dismiss("undo")
        else:
            self.say("There is nothing to take back any more.", is_quiet=True)

    def action_stay(self) -> None:
        self.dismiss("stay")
