"""The rows of the history: the pages looked at are fetched, any number lies between them."""

from __future__ import annotations

from tui_mailer.domain.errors import MailerError
from tui_mailer.domain.submission import State
from tui_mailer.storage.record import Submission
from tui_mailer.tui.history_pages import HistoryPages
from tui_mailer.tui.widgets.mail_rows import MailRows
from tui_mailer.tui.widgets.row_list import Column, Row, where_cut
from tui_mailer.tui.words import STATE_WORD, Moment, say_day, say_recipients, say_subject, say_why

_TONES = {State.SENT: "good", State.PARTIAL: "wait", State.FAILED: "bad"}
NOTHING_YET = "Nothing here yet: what has been sent is found here."


class HistoryRows(MailRows):
    """Ended submissions, page by page."""

    marks_rows = True

    def __init__(self) -> None:
        columns = (
            Column(title="State", width=8),
            Column(title="When", width=11),
            Column(title="To", share=4),
            Column(title="Subject", share=5),
            Column(title="Outcome", share=4),
        )
        super().__init__(columns, empty_text="", id="rows")
        self.pages: HistoryPages | None = None
        self._moment: Moment | None = None
        self._is_loading = False
        self._wants_last = False

    def show(self, pages: HistoryPages, moment: Moment, *, cursor: int, is_anchored: bool) -> None:
        """Shows another query's rows; anchored: the row under the cursor stays where it is on the screen."""
        height_above = self.cursor - self.scroll_offset.y if is_anchored else cursor
        self.pages, self._moment = pages, moment
        self._wants_last = False
        self.cursor = cursor
        self.rows_changed()
        self.scroll_to(y=max(0, cursor - height_above), animate=False, force=True, immediate=True)

    def counted(self) -> None:
        """Learns that all rows are counted by now."""
        if self._wants_last:
            self._wants_last = False
            self.move_to(self.row_count() - 1)
        self.rows_changed()

    def current(self) -> Submission | None:
        """The submission under the cursor."""
        return self.pages.get(self.cursor) if self.pages and self.cursor < self.pages.total else None

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

    def cut_sentence(self) -> str:
        """The outcome, but of what was sent: the server's thanks may be cut off."""
        one = self.current()
        if one is None or self._moment is None or one.state is State.SENT:
            return ""
        return where_cut(say_why(one, self._moment), self, len(self.columns) - 1)

    def move_to(self, index: int) -> None:
        self._wants_last = False
        super().move_to(index)

    def action_last(self) -> None:
        """Goes to the last row, as soon as it is known which one that is."""
        if self.pages is not None and not self.pages.is_counted:
            self._wants_last = True
        else:
            super().action_last()

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
