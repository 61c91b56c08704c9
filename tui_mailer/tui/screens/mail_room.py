"""What outbox and history share: a list with its heading, details, copying an ID, going between the modes by digits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from rich.text import Text
from textual.widget import Widget

from tui_mailer.domain.errors import MailerError
from tui_mailer.domain.text import clean
from tui_mailer.services.opening_hours import windows_of
from tui_mailer.storage.record import Submission
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.pace import Pace
from tui_mailer.tui.screens.room import Room
from tui_mailer.tui.watch import Watch
from tui_mailer.tui.widgets.key_line import KeyLine
from tui_mailer.tui.widgets.mail_rows import MailRows
from tui_mailer.tui.widgets.row_list import RowList, heading
from tui_mailer.tui.widgets.status_line import StatusLine
from tui_mailer.tui.words import Moment


class Heading(Widget):
    """The titles over a list's columns."""

    DEFAULT_CSS = """
    Heading { height: 1; color: $text-muted; text-style: bold; }
    """

    def __init__(self, rows: RowList) -> None:
        super().__init__()
        self._rows = rows

    def render(self) -> Text:
        return Text(
            heading(self._rows.columns, self._rows.scrollable_content_region.width or self.size.width), no_wrap=True
        )


READ_GAP_SECONDS = 0.5
"""Between two readings of a list that changes all the time: nobody reads faster, and a slow line has to carry it."""

LONGEST_WAIT_SECONDS = 2.0
"""For a list's first rows, before the next key is read."""


class MailRoom(Room):
    """A mode that lists submissions."""

    def __init__(self, desk: Desk, watch: Watch) -> None:
        super().__init__(desk)
        self.watch_desk = watch
        self._was_read = asyncio.Event()
        self._reading = Pace(self._read_if_shown, gap_seconds=READ_GAP_SECONDS)

    async def read_anew(self) -> None:
        """Reads what is listed again, the cursor staying with its row."""
        raise NotImplementedError

    def read_soon(self) -> None:
        """Reads the list again now, or soon where it has just been read."""
        self.attempt(self._reading.ask())

    async def _read_if_shown(self) -> None:
        if self.is_current:
            await self.read_anew()
            self._was_read.set()

    async def until_read(self) -> None:
        """Waits until there are rows that a key typed ahead can be about, but not for long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._was_read.wait(), LONGEST_WAIT_SECONDS)

    def list_with_heading(self, rows: RowList) -> Iterable[Widget]:
        """The list under its titles."""
        yield Heading(rows)
        yield rows

    def list_shown(self) -> MailRows:
        """The list that the keys are about."""
        raise NotImplementedError

    def say_otherwise(self) -> str:
        return self.list_shown().cut_sentence()

    def on_row_list_cursor_moved(self) -> None:
        """A sentence that its row has no room for is told whole, and what the row waits for has its key named."""
        self.query_one(StatusLine).look_again()
        self.query_one(KeyLine).need(*self.list_shown().needed_action())

    def moment(self) -> Moment:
        """What sentences about submissions depend on, now."""
        watch = self.watch_desk
        return Moment(
            now=self.desk.now(),
            holds=watch.holds,
            sent_bytes=watch.sent_bytes,
            phases=watch.phases,
            owner=watch.owner,
            is_disk_full=bool(watch.no_room),
            most_attempts=self.desk.configuration.delivery.max_attempts,
            windows=windows_of(self.desk.configuration),
            undo_key=self.desk.keymap.display(f"{self.place}.undo"),
            keymap=self.desk.keymap,
        )

    def on_row_list_opened(self, event: RowList.Opened) -> None:
        """Enter, or a second click."""
        event.stop()
        self.open_row(event.key)

    def open_row(self, key: str) -> None:
        """Shows everything about the row."""
        self.attempt(self.open_details(key), keys_wait=True)

    async def open_details(self, key: str) -> bool:
        """Shows a submission whole, and says whether one came back with nothing more wanted; must run in a worker."""
        from tui_mailer.tui.screens.detail import DetailScreen, read_known

        try:
            known = await self.desk.ask(lambda mailer: read_known(mailer, key))
        except MailerError as error:
            self.desk.status.complain(str(error))
            return False
        verb = await self.shell.push_screen_wait(DetailScreen(self, known))
        if verb is None:
            return True
        if self.list_shown().cursor_key() == key:
            self.list_shown().marked.clear()
            await self.run_action(verb)
        else:
            self.desk.status.say("it is at another place of the list by now: choose it there")
        return False

    async def chosen(self) -> list[Submission]:
        """What an action is meant for, read whole: the marked ones, else the one under the cursor."""
        keys = self.list_shown().chosen_keys()
        return [await self.desk.ask(lambda mailer, key=key: mailer.show(key)) for key in keys]

    def unmark(self, done: Iterable[str]) -> None:
        """Takes the marks of these away: what they were for is done; what is left can be tried otherwise."""
        self.list_shown().marked -= frozenset(done)
        self.list_shown().refresh()

    def action_copy_id(self) -> None:
        """Copies the Message-ID by the terminal's own clipboard (OSC 52)."""
        self.attempt(self._copy_of_cursor(provider=False))

    def action_copy_provider_id(self) -> None:
        """Copies the ID by which the provider knows it."""
        self.attempt(self._copy_of_cursor(provider=True))

    async def _copy_of_cursor(self, *, provider: bool) -> None:
        key = self.list_shown().cursor_key()
        if key:
            self.copy_ids_of(await self.desk.ask(lambda mailer: mailer.show(key)), provider=provider)

    def copy_ids_of(self, submission: Submission, *, provider: bool) -> None:
        """Copies a submission's Message-ID, or its provider's ID, and says so."""
        text = submission.provider_id if provider else submission.message.message_id
        if not text:
            self.desk.status.say("the provider has given it no ID")
            return
        self.shell.copy_to_clipboard(text)
        self.desk.status.say(f"copied {clean(text)}")

    async def action_undo(self) -> None:
        await self.run_action("app.undo")

    async def action_help(self) -> None:
        await self.run_action("app.help")

    async def action_new(self) -> None:
        await self.run_action("app.new")

    async def action_drafts(self) -> None:
        await self.run_action("app.drafts")

    async def action_quit(self) -> None:
        await self.run_action("app.quit")

    async def action_go_compose(self) -> None:
        await self.run_action("app.compose")

    async def action_go_outbox(self) -> None:
        await self.run_action("app.outbox")

    async def action_go_history(self) -> None:
        await self.run_action("app.history")
