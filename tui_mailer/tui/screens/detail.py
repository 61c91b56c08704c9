"""Everything about one submission: recipients with what became of them, attempts with their transcripts, the text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.text import Text
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from tui_mailer.domain.submission import Attempt
from tui_mailer.domain.text import clean
from tui_mailer.storage.record import Submission
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.screens.dialog import Dialog
from tui_mailer.tui.words import STATE_WORD, Moment, say_size, say_subject, say_time, say_why

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
            yield Static(self._text(), markup=False)

    def _text(self) -> Text:
        one, now = self._submission, self._moment.now
        text = Text()
        _line(text, "State", f"{STATE_WORD[one.state]}: {say_why(one, self._moment)}")
        _line(text, "From", f"{one.message.sender}  (account {one.account})")
        _line(text, "Written", say_time(one.created_at, now))
        if one.sent_at:
            _line(text, "Sent", say_time(one.sent_at, now))
        _line(text, "Size", say_size(one.size))
        for attachment in one.message.attachments:
            size = f"  {say_size(attachment.size)}" if attachment.size is not None else ""
            _line(text, "Attached", f"{attachment.name}{size}")
        _line(text, "Message-ID", one.message.message_id)
        _line(text, "ID", one.id)
        if one.note:
            _line(text, "Note", one.note)
        text.append("\nRecipients\n", "bold")
        for recipient in one.recipients:
            said = f"  {recipient.detail}" if recipient.detail else ""
            _line(text, f"{recipient.kind} {recipient.status}", f"{recipient.address}{said}")
        for attempt in self._attempts:
            self._tell_attempt(text, attempt)
        if one.message.text:
            text.append("\nText\n", "bold")
            text.append(clean(one.message.text[:MOST_BODY], keep_newlines=True))
        return text

    def _tell_attempt(self, text: Text, attempt: Attempt) -> None:
        now = self._moment.now
        text.append(f"\nAttempt {attempt.number}, {say_time(attempt.started_at, now)}\n", "bold")
        codes = " ".join(str(code) for code in (attempt.code, attempt.enhanced_code) if code)
        answer = " ".join(part for part in (codes, attempt.text or "") if part)
        _line(text, "Reached", str(attempt.phase))
        _line(text, "Answer", answer or ("none yet" if attempt.ended_at is None else "none"))
        for line in attempt.transcript:
            text.append(f"  {clean(line)}\n", "dim")


def _line(text: Text, label: str, value: str) -> None:
    text.append(f"{label:<13} ", "dim")
    text.append(f"{clean(value)}\n")
