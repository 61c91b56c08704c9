"""Everything about one submission: recipients with what became of them, attempts with their transcripts, the text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from tui_mailer.domain.submission import Attempt, RecipientStatus, State
from tui_mailer.storage.record import Submission
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.screens.dialog import Dialog
from tui_mailer.tui.sheet import Sheet
from tui_mailer.tui.words import STATE_WORD, Moment, say_phase, say_size, say_subject, say_time, say_why

MOST_BODY = 20_000
"""Characters of the text shown; the whole is in the .eml."""


class DetailScreen(Dialog[None]):
    """Read, scroll, go back."""

    place = "detail"
    BINDINGS = bindings("detail")
    DEFAULT_CSS = """
    DetailScreen > .box { width: 100%; height: 100%; }
    DetailScreen #detail { height: 1fr; }
    DetailScreen #detail > Static { height: auto; }
    """

    def __init__(self, desk: Desk, submission: Submission, attempts: Sequence[Attempt], moment: Moment) -> None:
        super().__init__(desk.keymap, say_subject(submission.message.subject))
        self._submission = submission
        self._attempts = attempts
        self._moment = moment

    def contents(self) -> Iterable[Widget]:
        with VerticalScroll(id="detail", can_focus=True):
            yield Static(self._sheet().as_renderable(), markup=False)

    def _sheet(self) -> Sheet:
        one, now = self._submission, self._moment.now
        sheet = Sheet()
        sheet.line("State", f"{STATE_WORD[one.state]}: {say_why(one, self._moment)}")
        sheet.line("From", f"{one.message.sender}  (account {one.account})")
        sheet.line("Written", say_time(one.created_at, now))
        if one.sent_at:
            sheet.line("Sent", say_time(one.sent_at, now))
        sheet.line("Size", say_size(one.size))
        for attachment in one.message.attachments:
            size = f"  {say_size(attachment.size)}" if attachment.size is not None else ""
            sheet.line("Attached", f"{attachment.name}{size}")
        sheet.line("Message-ID", one.message.message_id)
        sheet.line("ID", one.id)
        if one.note:
            sheet.line("Note", one.note)
        sheet.heading("Recipients")
        for recipient in one.recipients:
            said = f"  {recipient.detail}" if recipient.detail else ""
            # Who was left out by canceling counts as rejected, but no server has said so.
            is_canceled = one.state is State.CANCELED and recipient.status is RecipientStatus.REJECTED
            status = "canceled" if is_canceled else recipient.status
            sheet.line(f"{recipient.kind} {status}", f"{recipient.address}{said}")
        for attempt in self._attempts:
            self._tell_attempt(sheet, attempt)
        if one.message.text:
            sheet.heading("Text")
            sheet.text(one.message.text[:MOST_BODY])
        return sheet

    def _tell_attempt(self, sheet: Sheet, attempt: Attempt) -> None:
        now = self._moment.now
        sheet.heading(f"Attempt {attempt.number}, {say_time(attempt.started_at, now)}")
        codes = " ".join(str(code) for code in (attempt.code, attempt.enhanced_code) if code)
        answer = " ".join(part for part in (codes, attempt.text or "") if part)
        sheet.line("Reached", say_phase(attempt.phase))
        sheet.line("Answer", answer or ("none yet" if attempt.ended_at is None else "none"))
        if attempt.transcript:
            sheet.text("\n".join(f"  {line}" for line in attempt.transcript), style="dim")
