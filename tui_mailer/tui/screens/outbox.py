"""Outbox: what waits and why, changing as it happens, and the keys that move it on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Literal, cast

from rich.text import Text
from textual.widget import Widget
from textual.widgets import Static

from tui_mailer.domain.errors import TooLate
from tui_mailer.domain.submission import State
from tui_mailer.domain.text import clean
from tui_mailer.services.event import BytesProgressed, Event, PhaseReached
from tui_mailer.services.who_sends import Sender
from tui_mailer.storage.record import Submission
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.batch import on_each, recall_each
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.news import DraftTaken, SecretAsked
from tui_mailer.tui.screens.mail_room import MailRoom
from tui_mailer.tui.watch import Watch
from tui_mailer.tui.widgets.mail_rows import MailRows
from tui_mailer.tui.widgets.outbox_rows import GROUP, OutboxRows
from tui_mailer.tui.widgets.status_line import StatusLine
from tui_mailer.tui.words import say_remedy

if TYPE_CHECKING:
    from tui_mailer.services.mailer import Mailer
    from tui_mailer.services.recall import Recall

MOST_ROWS = 1000
TICK_SECONDS = 1.0
"""How often sentences with a countdown are told anew; a row repaints only if its words differ."""
QUICK_TICKS = 5
"""Of which one tells all rows, the others only what a person follows: many countdowns must not fill a slow line."""


_SCHEDULED = {
    Sender.APP: "Scheduled mail goes out while an app is open: no delivery service runs.",
    Sender.NOBODY: "Scheduled mail goes out at the next start: nothing that delivers is running.",
}


class OutboxScreen(MailRoom):
    """The mode in which one sees mail leave."""

    place = "outbox"
    help_places = ("outbox", "list")
    counts_in_rows = True
    BINDINGS = bindings("outbox")
    AUTO_FOCUS = "#rows"
    DEFAULT_CSS = """
    OutboxScreen #remedy { height: auto; max-height: 6; color: $text-warning; text-style: bold; display: none; }
    OutboxScreen #remedy.-some { display: block; }
    """

    def __init__(self, desk: Desk, watch: Watch) -> None:
        super().__init__(desk, watch)
        self.rows = OutboxRows()
        self._remedy = ""
        self._ticks = 0

    def list_shown(self) -> MailRows:
        return self.rows

    def furniture(self) -> Iterable[Widget]:
        yield Static(id="remedy", markup=False)
        yield from self.list_with_heading(self.rows)

    def on_mount(self) -> None:
        self.set_interval(TICK_SECONDS, self._tick)
        self.watch_desk.listen(self._event_came)
        self.read_soon()

    def on_screen_resume(self) -> None:
        self.read_soon()

    def _event_came(self, event: Event) -> None:
        if not self.is_current:
            return
        if isinstance(event, PhaseReached):
            self.rows.tell_anew(self.moment())
        elif not isinstance(event, BytesProgressed):  # bytes are told by the tick: nobody reads them faster
            self.read_soon()

    def _tick(self) -> None:
        if self.is_active and self.rows.submissions:
            self._ticks += 1
            self.rows.tell_anew(self.moment(), is_quick=self._ticks % QUICK_TICKS != 0)
            self.query_one(StatusLine).look_again()

    def on_row_list_cursor_moved(self) -> None:
        """The row that was left and the one that is come to tell their seconds differently."""
        self.rows.tell_anew(self.moment())

    async def read_anew(self) -> None:
        """Reads the outbox anew."""
        is_opening = self.watch_desk.is_engine_opening

        def read(mailer: Mailer) -> tuple[list[Submission], str]:
            # What needs a person is shown however much is newer.
            urgent = mailer.outbox(limit=MOST_ROWS, states={State.UNCERTAIN})
            known = {one.id for one in urgent}
            found = [*urgent, *(one for one in mailer.outbox(limit=MOST_ROWS) if one.id not in known)]
            scheduled = any(one.schedule_words and one.state is State.QUEUED for one in found)
            sender = mailer.who_sends().sender if scheduled else None
            if sender is Sender.NOBODY and is_opening:
                sender = Sender.APP  # which isn't registered yet, and will be in a moment
            return found, _SCHEDULED.get(sender, "") if sender is not None else ""

        found, who = await self.desk.ask(read)
        await self.watch_desk.count()
        self.rows.show(found, self.moment())
        self._show_remedy(found, who)

    def _show_remedy(self, found: Sequence[Submission], who: str) -> None:
        """Tells of an account once, whatever number of its mails wait; then what else holds for many rows."""
        keymap = self.desk.keymap
        lines = [say_remedy(hold, keymap) for _name, hold in sorted(self.watch_desk.told_holds.items())]
        if self.watch_desk.no_room:
            lines.insert(0, self.watch_desk.no_room)
        hidden = self.desk.status.open_count - len(found)
        if hidden > 0:
            lines.append(f"{hidden:,} older ones aren't shown: cancel or send some, or see `outbox list` in a shell.")
        if who:
            lines.append(who)
        text = clean("\n".join(lines), keep_newlines=True)
        if text == self._remedy:
            return
        self._remedy = text
        remedy = self.query_one("#remedy", Static)
        remedy.set_class(bool(text), "-some")
        remedy.update(Text(text))

    def open_row(self, key: str) -> None:
        """Shows a group's mails, or everything about a row."""
        if key.startswith(GROUP):
            self.rows.toggle(key)
        else:
            super().open_row(key)

    # keys

    async def _do(
        self,
        meant: Sequence[Submission],
        act: Callable[[Mailer, str], object],
        words: tuple[str, str],
        recall: Callable[[Recall, str], object] | None = None,
    ) -> None:
        """Does it to each and says what came of it; what a provider keeps is asked back from it first."""
        if not meant:
            return
        kept = [one.id for one in meant if one.state is State.HANDED_OVER and recall is not None]
        try:
            tally = await on_each(self.desk, [one.id for one in meant if one.id not in kept], act)
            if kept and recall is not None:
                self.desk.status.say("the provider is asked ...", seconds=60)
                asked = self.desk.recall()
                await recall_each(kept, lambda key: recall(asked, key), tally)
        finally:
            self.desk.nudge()
            await self.read_anew()
        self.rows.unmark(frozenset(tally.done))
        say = self.desk.status.complain if tally.refused else self.desk.status.say
        say(tally.sentence(*words))

    def action_retry(self) -> None:
        """Makes it due now; a held account is released first, its password asked for where only a person knows it."""
        self.attempt(self._retry(self.rows.meant()), keys_wait=True)

    async def _retry(self, meant: Sequence[Submission]) -> None:
        from tui_mailer.tui.screens.outbox_question import may_send_early

        if not await may_send_early(self, meant):
            return
        for name in sorted({one.account for one in meant} & set(self.watch_desk.holds)):
            account = self.desk.configuration.accounts.get(name)
            if account is not None and account.credential is not None and account.credential.kind == "prompt":
                self.shell.post_message(SecretAsked(name))
            else:
                await self.desk.ask(lambda mailer, name=name: mailer.release_account(name))
        await self._do(meant, lambda mailer, key: mailer.retry(key), ("tried now", "retried"))

    def action_mark_all(self) -> None:
        """Marks every row, or none where all are."""
        self.rows.mark_all()

    def action_hold(self) -> None:
        """Holds what goes; where all that is meant is held, releases it."""
        meant = self.rows.meant()
        if meant and all(one.state is State.HELD for one in meant):
            self.attempt(self._do(meant, lambda mailer, key: mailer.release(key), ("released", "released")))
            return
        going = [one for one in meant if one.state is not State.HELD]
        self.attempt(self._do(going, lambda mailer, key: mailer.hold(key), ("held", "held")))

    def action_cancel(self) -> None:
        """Cancels one without asking, since nothing is lost by it, and says where it has gone."""
        self.attempt(self._cancel(self.rows.meant()), keys_wait=True)

    async def _cancel(self, meant: Sequence[Submission]) -> None:
        from tui_mailer.tui.screens.outbox_question import ask_about_series, may_cancel

        repeating = {one.id for one in meant if one.series_id and one.state is not State.HANDED_OVER}
        if repeating:
            remarks = ("the next one goes at its time", "the repeating ends")
            chosen = await ask_about_series(self, len(repeating), remarks=remarks)
            ends_series = chosen == "series"
        else:
            chosen, ends_series = await may_cancel(self, meant), False
        if not chosen:
            return
        history = self.desk.keymap.display("app.history")
        done = f"canceled: {history} still has it, and e there makes a new message of it"

        def cancel(mailer: Mailer, key: str) -> object:
            return mailer.stop_series(key) if ends_series and key in repeating else mailer.cancel(key)

        await self._do(meant, cancel, (done, "canceled"), lambda recall, key: recall.cancel(key))

    def action_edit(self) -> None:
        """Takes it back into compose, in one transaction."""
        meant = self.rows.meant()
        if len(meant) > 1:
            self.desk.status.say("one at a time can be taken back into compose: mark none, or just one")
        elif meant:
            self.attempt(self._edit(meant[0]), keys_wait=True)

    async def _edit(self, one: Submission) -> None:
        from tui_mailer.tui.screens.outbox_question import ask_about_series, may_edit

        if not await may_edit(self, one.id):
            return
        is_series = False
        if one.series_id and one.state is not State.HANDED_OVER:
            remarks = ("the series goes on as it is", "the series ends; the draft repeats as it did")
            chosen = await ask_about_series(self, 1, remarks=remarks)
            if chosen is None:
                return
            is_series = chosen == "series"
        asked_at = self.desk.typed_ahead.mark()
        if one.state is State.HANDED_OVER:
            self.desk.status.say("the provider is asked ...", seconds=60)
            stored = await asyncio.to_thread(self.desk.recall().edit, one.id)
        else:
            try:
                stored = await self.desk.ask(lambda mailer: mailer.edit(one.id, ends_series=is_series, may_lose=True))
            except TooLate as error:
                self.desk.status.complain(f"it can't be edited: {error.why}")
                return
        self.shell.post_message(DraftTaken(stored, asked_at))

    def action_reschedule(self) -> None:
        """Asks for another time."""
        self.attempt(self._reschedule(self.rows.meant()), keys_wait=True)

    async def _reschedule(self, meant: Sequence[Submission]) -> None:
        from tui_mailer.domain.schedule import describe
        from tui_mailer.storage.move import WHY_TOO_LATE
        from tui_mailer.tui.screens.schedule import ScheduleScreen

        if not meant:
            return
        too_late = {one.state for one in meant} & (WHY_TOO_LATE.keys() - {State.HANDED_OVER})
        if too_late and all(one.state in too_late for one in meant):
            self.desk.status.complain(f"it can't be rescheduled: {WHY_TOO_LATE[too_late.pop()]}")
            return
        who = await self.desk.ask(lambda mailer: mailer.who_sends())
        title = "Send it at another time" if len(meant) == 1 else f"Send these {len(meant)} at another time"
        words = await self.shell.push_screen_wait(ScheduleScreen(self.desk, "", who=who, title=title))
        if words:
            schedule = await self.desk.ask(lambda mailer: mailer.parse_when(words))
            said = describe(schedule, now=self.desk.now())
            await self._do(
                meant,
                lambda mailer, key: mailer.reschedule(key, words),
                (f"rescheduled: {said}", "rescheduled"),
                lambda recall, key: recall.reschedule(key, words),
            )
        elif words is not None:
            await self._do(meant, lambda mailer, key: mailer.retry(key), ("due now", "sent now"))

    def action_resolve(self) -> None:
        """Asks what became of uncertain ones."""
        self.attempt(self._resolve([one for one in self.rows.meant() if one.state is State.UNCERTAIN]), keys_wait=True)

    async def _resolve(self, uncertain: Sequence[Submission]) -> None:
        from tui_mailer.tui.screens.resolve import ResolveScreen

        if not uncertain:
            self.desk.status.say("only an uncertain one needs settling")
            return
        first = uncertain[0]
        attempts = await self.desk.ask(lambda mailer: mailer.attempts(first.id))
        while (how := await self.shell.push_screen_wait(ResolveScreen(self.desk, uncertain, attempts))) == "look":
            if not await self.open_details(first.id):
                return
        if how is not None:
            word = cast("Literal['sent', 'failed', 'resend']", how)
            done = {"sent": "marked as sent", "failed": "marked as not sent", "resend": "queued to go once more"}[word]
            await self._do(uncertain, lambda mailer, key: mailer.settle(key, word), (done, "settled"))
