"""History: any number of ended submissions, opened like ten, filtered as one types."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from tui_mailer.domain.errors import NotFound
from tui_mailer.services.event import Event, StoreChanged, SubmissionChanged
from tui_mailer.services.query import say_wrong_date
from tui_mailer.storage.record import CountStep, HistoryQuery, Submission
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.history_pages import HistoryPages, Span
from tui_mailer.tui.news import DraftTaken
from tui_mailer.tui.screens.mail_room import MailRoom
from tui_mailer.tui.watch import Watch
from tui_mailer.tui.widgets.field import Field
from tui_mailer.tui.widgets.history_rows import NOTHING_YET, HistoryRows
from tui_mailer.tui.widgets.line_input import LineInput
from tui_mailer.tui.widgets.mail_rows import MailRows

if TYPE_CHECKING:
    from tui_mailer.services.mailer import Mailer

TYPING_PAUSE_SECONDS = 0.15
"""Before a filter is asked for."""


class QueryShelf:
    """The rows of one query, as the store has them."""

    def __init__(self, desk: Desk, query: HistoryQuery | None) -> None:
        self._desk = desk
        self.query = query

    async def fetch(self, span: Span) -> list[Submission]:
        """Returns the rows of a span, first one first."""

        def page(mailer: Mailer) -> list[Submission]:
            turn = mailer.ended.page_up if span.is_upward else mailer.ended.page
            return turn(self.query, span.limit, span.key, skip=span.skip)

        return await self._desk.ask(page)

    async def count(self, below: int | None, limit: int) -> CountStep:
        """Counts on from where the last step stopped; the whole history is counted already."""
        if self.query is None:
            number = await self._desk.ask(lambda mailer: mailer.history_count())
            return CountStep(number=number, below=None)
        query = self.query
        return await self._desk.ask(lambda mailer: mailer.ended.count_step(query, below, limit))


class HistoryScreen(MailRoom):
    """The mode in which mail is found again."""

    place = "history"
    help_places = ("history", "list")
    BINDINGS = bindings("history")
    AUTO_FOCUS = "#rows"
    DEFAULT_CSS = """
    HistoryScreen #filter-field { display: none; }
    HistoryScreen.-filtering #filter-field { display: block; }
    """

    def __init__(self, desk: Desk, watch: Watch) -> None:
        super().__init__(desk, watch)
        self.rows = HistoryRows()
        self.filter = LineInput(
            id="filter", placeholder='words "a phrase" from: to: subject: account: state: before: after:'
        )
        self._filter_field = Field("Find", self.filter, id="filter-field")
        self._typing: Timer | None = None
        self._keeps_row = False
        """The filter is being taken away: what was found stays under the cursor."""
        self._asked = 0
        """Which question the newest answer belongs to: an older one is dropped."""

    def list_shown(self) -> MailRows:
        return self.rows

    def furniture(self) -> Iterable[Widget]:
        yield self._filter_field
        yield from self.list_with_heading(self.rows)

    def on_mount(self) -> None:
        self._typing = self.set_interval(TYPING_PAUSE_SECONDS, self._search_after_pause, pause=True)
        self.watch_desk.listen(self._event_came)
        self.attempt(self.reload())

    def on_screen_resume(self) -> None:
        self.read_soon()

    def _event_came(self, event: Event) -> None:
        if self.is_current and isinstance(event, SubmissionChanged | StoreChanged):
            self.read_soon()

    async def read_anew(self) -> None:
        await self.reload(keep_cursor=True)

    async def reload(self, *, keep_cursor: bool = False) -> None:
        """Asks the query in the filter anew; its first rows are shown before they are counted."""
        await self.reload_first_page(keep_cursor=keep_cursor)
        await self._count(self._asked)

    async def reload_first_page(self, *, keep_cursor: bool = False) -> None:
        """Asks the query in the filter anew, and leaves the counting."""
        self._asked += 1
        asked, text = self._asked, self.filter.value.strip()
        query = await self.desk.ask(
            lambda mailer: mailer.parse_query(self.filter.value, is_typing=True) if text else None
        )
        shelf = QueryShelf(self.desk, query if query != HistoryQuery() else None)
        pages = HistoryPages(shelf)
        if shelf.query is None:
            await pages.count()
        index = await self._index_kept(shelf.query) if keep_cursor else 0
        await pages.load(index)
        if asked != self._asked:
            return
        self._keeps_row = False
        self.rows.empty_text = "Nothing matches." if text else NOTHING_YET
        self.rows.show(pages, self.moment(), cursor=index, is_anchored=keep_cursor)
        self._tell_count(pages, text)

    async def _count(self, asked: int) -> None:
        pages = self.rows.pages
        if pages is None:
            return
        await pages.count()
        if asked == self._asked and pages is self.rows.pages:
            self.rows.counted()
            self._tell_count(pages, self.filter.value.strip())

    async def _index_kept(self, query: HistoryQuery | None) -> int:
        """Where the row under the cursor is by now; if it is gone, whatever is in its place."""
        key = self.rows.cursor_key()
        if key is None or (self.rows.cursor == 0 and not self._keeps_row):
            return self.rows.cursor
        try:
            return await self.desk.ask(lambda mailer: mailer.ended.index_of(query, key))
        except NotFound:
            return self.rows.cursor

    def _tell_count(self, pages: HistoryPages, text: str) -> None:
        counted = f"{pages.total:,} found" if pages.is_counted else "counting ..."
        self._filter_field.show_remark(counted if text else "")
        self._filter_field.show_note(say_wrong_date(text))

    # keys

    def action_filter(self) -> None:
        self.add_class("-filtering")
        self.set_focus(self.filter)

    def action_clear_filter(self) -> None:
        """Takes the filter away, and marks."""
        self.remove_class("-filtering")
        self.rows.marked.clear()
        self._keeps_row = bool(self.filter.value)
        self.filter.value = ""
        self.set_focus(self.rows)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Searches once the typing pauses."""
        event.stop()
        self._keeps_row = self._keeps_row and not event.value
        if self._typing is not None:
            self._typing.reset()
            self._typing.resume()

    def _search_after_pause(self) -> None:
        if self._typing is not None:
            self._typing.pause()
        self.attempt(self.reload(keep_cursor=self._keeps_row))

    def on_input_submitted(self) -> None:
        self.set_focus(self.rows)

    def action_edit(self) -> None:
        """Writes a new message from it."""
        key = self.rows.cursor_key()
        if key:
            self.attempt(self._edit_as_new(key), keys_wait=True)

    async def _edit_as_new(self, key: str) -> None:
        from tui_mailer.tui.screens.outbox_question import may_edit

        if await may_edit(self, key):
            asked_at = self.desk.typed_ahead.mark()
            stored = await self.desk.ask(lambda mailer: mailer.edit_as_new(key, may_lose=True))
            self.shell.post_message(DraftTaken(stored, asked_at))

    def action_resend(self) -> None:
        """Sends again to those who were refused, once they have been looked at."""
        from tui_mailer.tui.screens.resend import Resending

        self.attempt(Resending(self).ask_and_send(), keys_wait=True)

    def action_export(self) -> None:
        """Writes the message as an .eml, where the person says."""
        self.attempt(self._export(), keys_wait=True)

    async def _export(self) -> None:
        from tui_mailer.tui.screens.export import ExportScreen

        chosen = await self.chosen()
        if not chosen:
            return
        written = await self.shell.push_screen_wait(ExportScreen(self.desk, chosen))
        if written is not None:
            self.desk.status.say(f"written to {written}", seconds=30)

    def action_delete(self) -> None:
        """Deletes for good what is marked, or the row under the cursor, once the person has said yes."""
        from tui_mailer.tui.screens.forget import Forgetting

        self.attempt(Forgetting(self).delete(self.read_anew), keys_wait=True)

    def action_purge(self) -> None:
        """Deletes for good all that ended before a date, once the person has said yes."""
        from tui_mailer.tui.screens.forget import Forgetting

        self.attempt(Forgetting(self).purge(self.reload), keys_wait=True)
