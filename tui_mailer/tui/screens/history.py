"""History: any number of ended submissions, opened like ten, filtered as one types."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from tui_mailer.domain.errors import MailerError
from tui_mailer.domain.submission import State
from tui_mailer.services.event import Event, StoreChanged, SubmissionChanged
from tui_mailer.storage.record import HistoryQuery, Submission
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.history_pages import HistoryPages
from tui_mailer.tui.news import DraftTaken
from tui_mailer.tui.screens.mail_room import MailRoom
from tui_mailer.tui.watch import Watch
from tui_mailer.tui.widgets.field import Field
from tui_mailer.tui.widgets.line_input import LineInput
from tui_mailer.tui.widgets.row_list import Column, Row, RowList
from tui_mailer.tui.words import STATE_WORD, Moment, say_day, say_recipients, say_subject, say_why

TYPING_PAUSE_SECONDS = 0.15
"""Before a filter is asked for."""

_TONES = {State.SENT: "good", State.PARTIAL: "wait", State.FAILED: "bad"}


class HistoryRows(RowList):
    """Ended submissions, page by page."""

    def __init__(self) -> None:
        columns = (
            Column(title="State", width=8),
            Column(title="When", width=11),
            Column(title="To", share=3),
            Column(title="Subject", share=5),
            Column(title="What became of it", share=4),
        )
        super().__init__(columns, empty_text="Nothing here yet: what has been sent is found here.", id="rows")
        self.pages: HistoryPages | None = None
        self._moment: Moment | None = None
        self._is_loading = False

    def show(self, pages: HistoryPages, moment: Moment, *, keep_cursor: bool = False) -> None:
        """Shows another query's rows."""
        self.pages, self._moment = pages, moment
        if not keep_cursor:
            self.cursor = 0
            self.scroll_to(y=0, animate=False, force=True, immediate=True)
        self.rows_changed()

    def row_count(self) -> int:
        return self.pages.total if self.pages else 0

    def row(self, index: int) -> Row | None:
        one = self.pages.get(index) if self.pages else None
        if one is None or self._moment is None:
            self._want(index)
            return None
        return Row(
            key=one.id,
            cells=(
                STATE_WORD[one.state],
                say_day(one.sent_at or one.updated_at, self._moment.now),
                say_recipients(one),
                say_subject(one.message.subject),
                say_why(one, self._moment),
            ),
            tone=_TONES.get(one.state, ""),
        )

    def _want(self, index: int) -> None:
        """Has the page fetched; one at a time, and what is wanted by then is asked for by the next repaint."""
        if self._is_loading or self.pages is None or index >= self.pages.total:
            return
        self._is_loading = True
        self.run_worker(self._load(self.pages, index))

    async def _load(self, pages: HistoryPages, index: int) -> None:
        try:
            await pages.load(index)
        except MailerError:
            return  # the screen's own reload tells what is wrong; a second sentence adds nothing
        finally:
            self._is_loading = False
        if pages is self.pages:
            self.rows_changed()


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

    def list_shown(self) -> RowList:
        return self.rows

    def furniture(self) -> Iterable[Widget]:
        yield self._filter_field
        yield from self.list_with_heading(self.rows)

    def on_mount(self) -> None:
        self._typing = self.set_interval(TYPING_PAUSE_SECONDS, self._search_after_pause, pause=True)
        self.watch_desk.listen(self._event_came)
        self.attempt(self.reload())

    def on_screen_resume(self) -> None:
        self.attempt(self.reload(keep_cursor=True))

    def _event_came(self, event: Event) -> None:
        if self.is_current and isinstance(event, SubmissionChanged | StoreChanged):
            self.attempt(self.reload(keep_cursor=True))

    async def reload(self, *, keep_cursor: bool = False) -> None:
        """Asks the query in the filter anew."""
        text = self.filter.value
        query, total = await self.desk.ask(
            lambda mailer: (query := mailer.parse_query(text) if text.strip() else None, mailer.history_count(query))
        )
        if text != self.filter.value:
            return

        async def fetch(limit: int, before: str | None, asked: HistoryQuery | None = query) -> list[Submission]:
            return await self.desk.ask(lambda mailer: mailer.history(asked, limit=limit, before=before))

        pages = HistoryPages(fetch, total)
        await pages.load(self.rows.cursor if keep_cursor else 0)
        self.rows.empty_text = (
            "Nothing matches." if text.strip() else "Nothing here yet: what has been sent is found here."
        )
        self._filter_field.show_remark(f"{pages.total} found" if text.strip() else "")
        self.rows.show(pages, self.moment(), keep_cursor=keep_cursor)

    # keys

    def action_filter(self) -> None:
        self.add_class("-filtering")
        self.set_focus(self.filter)

    def action_clear_filter(self) -> None:
        """Takes the filter away."""
        self.remove_class("-filtering")
        self.filter.value = ""
        self.set_focus(self.rows)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Searches once the typing pauses."""
        event.stop()
        if self._typing is not None:
            self._typing.reset()
            self._typing.resume()

    def _search_after_pause(self) -> None:
        if self._typing is not None:
            self._typing.pause()
        self.attempt(self.reload())

    def on_input_submitted(self) -> None:
        self.set_focus(self.rows)

    def action_edit(self) -> None:
        """Writes a new message from it."""
        key = self.rows.cursor_key()
        if key:
            self.attempt(self._edit_as_new(key))

    async def _edit_as_new(self, key: str) -> None:
        self.shell.post_message(DraftTaken(await self.desk.ask(lambda mailer: mailer.edit_as_new(key))))

    def action_resend(self) -> None:
        """Sends again to those who were refused."""
        key = self.rows.cursor_key()
        if key:
            self.attempt(self._resend(key))

    async def _resend(self, key: str) -> None:
        submission = await self.desk.ask(lambda mailer: mailer.resend(key, only_refused=True))
        self.desk.nudge()
        self.desk.status.say(f"queued again for {say_recipients(submission)}")

    def action_export(self) -> None:
        """Writes the message as an .eml where the program was started."""
        key = self.rows.cursor_key()
        if key:
            self.attempt(self._export(key))

    async def _export(self, key: str) -> None:
        path = await self.desk.io.run(self.desk.answer, lambda mailer: _write_eml(key, mailer.export(key)))
        self.desk.status.say(f"written to {path}", seconds=30)


def _write_eml(key: str, blocks: Iterable[bytes]) -> Path:
    """Never over another file."""
    path = Path.cwd() / f"{key}.eml"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.writelines(blocks)
    except FileExistsError:
        raise MailerError(f"that file is there already and was left as it is: {path}") from None
    except OSError as error:
        raise MailerError(f"can't be written ({error.strerror}): {path}") from None
    return path
