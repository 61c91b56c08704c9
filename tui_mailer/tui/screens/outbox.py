"""Outbox: what waits and why, changing as it happens, and the keys that move it on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal, cast

from rich.text import Text
from textual import work
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from tui_mailer.domain.submission import State
from tui_mailer.domain.text import clean
from tui_mailer.services.event import BytesProgressed, Event, PhaseReached
from tui_mailer.storage.record import Submission
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.news import DraftTaken, SecretAsked
from tui_mailer.tui.screens.mail_room import MailRoom
from tui_mailer.tui.watch import Watch
from tui_mailer.tui.widgets.row_list import Column, Row, RowList
from tui_mailer.tui.words import STATE_WORD, Moment, say_recipients, say_subject, say_why

if TYPE_CHECKING:
    from tui_mailer.services.mailer import Mailer

MOST_ROWS = 1000
TICK_SECONDS = 1.0
"""How often sentences with a countdown are told anew; the row repaints only if its words differ."""

_TONES = {
    State.HELD: "wait",
    State.DEFERRED: "wait",
    State.UNCERTAIN: "bad",
    State.SENDING: "good",
}


class OutboxRows(RowList):
    """Open submissions."""

    def __init__(self) -> None:
        columns = (
            Column(title="State", width=11),
            Column(title="To", share=3),
            Column(title="Subject", share=4),
            Column(title="When, or why not", share=6),
            Column(title="Tries", width=5),
        )
        super().__init__(columns, empty_text="The outbox is empty: everything has been sent.", id="rows")
        self.submissions: list[Submission] = []
        self._sentences: list[str] = []

    def show(self, submissions: list[Submission], moment: Moment) -> None:
        """Shows these, the cursor staying with its submission."""
        key = self.cursor_key()
        self.submissions = submissions
        self._sentences = [say_why(one, moment) for one in submissions]
        self.marked &= {one.id for one in submissions}
        self.cursor = next((at for at, one in enumerate(submissions) if one.id == key), self.cursor)
        self.rows_changed()

    def tell_anew(self, moment: Moment) -> None:
        """Repaints the rows whose sentence differs by now."""
        for at, one in enumerate(self.submissions):
            sentence = say_why(one, moment)
            if sentence != self._sentences[at]:
                self._sentences[at] = sentence
                self.refresh_line(at)

    def row_count(self) -> int:
        return len(self.submissions)

    def row(self, index: int) -> Row | None:
        one = self.submissions[index]
        return Row(
            key=one.id,
            cells=(
                STATE_WORD[one.state],
                say_recipients(one),
                say_subject(one.message.subject),
                self._sentences[index],
                str(one.attempts or ""),
            ),
            tone=_TONES.get(one.state, ""),
        )


class OutboxScreen(MailRoom):
    """The mode in which one sees mail leave."""

    place = "outbox"
    help_places = ("outbox", "list")
    BINDINGS = bindings("outbox")
    AUTO_FOCUS = "#rows"
    DEFAULT_CSS = """
    OutboxScreen #remedy { height: auto; color: $text-warning; text-style: bold; display: none; }
    OutboxScreen #remedy.-some { display: block; }
    """

    def __init__(self, desk: Desk, watch: Watch) -> None:
        super().__init__(desk, watch)
        self.rows = OutboxRows()
        self._timer: Timer | None = None

    def list_shown(self) -> RowList:
        return self.rows

    def furniture(self) -> Iterable[Widget]:
        yield Static(id="remedy", markup=False)
        yield from self.list_with_heading(self.rows)

    def on_mount(self) -> None:
        self._timer = self.set_interval(TICK_SECONDS, self._tick)
        self.watch_desk.listen(self._event_came)
        self.attempt(self.reload())

    def on_screen_resume(self) -> None:
        self.attempt(self.reload())

    def _event_came(self, event: Event) -> None:
        if not self.is_current:
            return
        if isinstance(event, BytesProgressed | PhaseReached):
            self.rows.tell_anew(self.moment())
        else:
            self.attempt(self.reload())

    def _tick(self) -> None:
        if self.is_active and self.rows.submissions:
            self.rows.tell_anew(self.moment())

    async def read_anew(self) -> None:
        await self.reload()

    async def reload(self) -> None:
        """Reads the outbox anew."""
        submissions = await self.desk.ask(lambda mailer: mailer.outbox(limit=MOST_ROWS))
        await self.watch_desk.count()
        self.rows.show(submissions, self.moment())
        self._show_remedy()

    def _show_remedy(self) -> None:
        accounts_key = self.desk.keymap.display("app.accounts")
        sentences = [
            f"{name} can't send now: {hold.reason} It tries again by itself (r tries now)."
            if hold.is_offline
            else f"{name} is held: {hold.reason}  (r tries again, {accounts_key} accounts)"
            for name, hold in sorted(self.watch_desk.holds.items())
        ]
        remedy = self.query_one("#remedy", Static)
        remedy.set_class(bool(sentences), "-some")
        remedy.update(Text(clean("\n".join(sentences), keep_newlines=True)))

    # keys

    def _each(self, act: Callable[[Mailer, str], object]) -> None:
        keys = self.rows.chosen_keys()
        if keys:
            self.attempt(self._do_each(keys, act))

    async def _do_each(self, keys: list[str], act: Callable[[Mailer, str], object]) -> None:
        try:
            for key in keys:
                await self.desk.ask(lambda mailer, key=key: act(mailer, key))
            self.rows.marked.clear()
        finally:
            self.desk.nudge()
            await self.reload()

    def action_retry(self) -> None:
        """Makes it due now; a held account is released first, its password asked for where only a person knows it."""
        self.attempt(self._retry(self.rows.chosen_keys()))

    async def _retry(self, keys: list[str]) -> None:
        accounts = {one.account for one in self.rows.submissions if one.id in keys}
        for name in sorted(accounts & set(self.watch_desk.holds)):
            account = self.desk.configuration.accounts.get(name)
            if account is not None and account.credential is not None and account.credential.kind == "prompt":
                self.shell.post_message(SecretAsked(name))
            else:
                await self.desk.ask(lambda mailer, name=name: mailer.release_account(name))
        waiting = [
            one.id for one in self.rows.submissions if one.id in keys and one.state in {State.DEFERRED, State.QUEUED}
        ]
        await self._do_each(waiting, lambda mailer, key: mailer.retry(key))

    def action_mark_all(self) -> None:
        """Marks every row, or none where all are."""
        every = {one.id for one in self.rows.submissions}
        self.rows.marked = set() if self.rows.marked >= every else every
        self.rows.refresh()

    def action_hold(self) -> None:
        """Holds what goes, releases what is held."""
        held = {one.id for one in self.rows.submissions if one.state is State.HELD}
        self._each(lambda mailer, key: mailer.release(key) if key in held else mailer.hold(key))

    def action_cancel(self) -> None:
        """Cancels without asking, since nothing is lost by it, and says where it has gone."""
        keys = self.rows.chosen_keys()
        if keys:
            self.attempt(self._cancel(keys))

    async def _cancel(self, keys: list[str]) -> None:
        await self._do_each(keys, lambda mailer, key: mailer.cancel(key))
        history = self.desk.keymap.display("app.history")
        self.desk.status.say(f"canceled: {history} still has it, and e there makes a new message of it")

    def action_edit(self) -> None:
        """Takes it back into compose, in one transaction."""
        key = self.rows.cursor_key()
        if key:
            self.attempt(self._edit(key))

    async def _edit(self, key: str) -> None:
        self.shell.post_message(DraftTaken(await self.desk.ask(lambda mailer: mailer.edit(key))))

    def action_reschedule(self) -> None:
        """Asks for another time."""
        self.attempt(self._reschedule(self.rows.chosen_keys()))

    async def _reschedule(self, keys: list[str]) -> None:
        from tui_mailer.tui.screens.schedule import ScheduleScreen

        if not keys:
            return
        who = await self.desk.ask(lambda mailer: mailer.who_sends())
        sheet = ScheduleScreen(self.desk, "", who=who, title="Send it at another time")
        words = await self.shell.push_screen_wait(sheet)
        if words is not None:
            await self._do_each(keys, lambda mailer, key: mailer.reschedule(key, words) if words else mailer.retry(key))

    @work
    async def action_resolve(self) -> None:
        """Asks what became of an uncertain one."""
        from tui_mailer.tui.screens.resolve import ResolveScreen

        key = self.rows.cursor_key()
        one = next((one for one in self.rows.submissions if one.id == key), None)
        if one is None or one.state is not State.UNCERTAIN:
            self.desk.status.say("only an uncertain one needs settling")
            return
        how = await self.shell.push_screen_wait(ResolveScreen(self.desk.keymap, one, self.desk.now()))
        if how == "look":
            await self.open_details(one.id)
        elif how is not None:
            word = cast("Literal['sent', 'failed', 'resend']", how)
            self.attempt(self._do_each([one.id], lambda mailer, key: mailer.settle(key, word)))
