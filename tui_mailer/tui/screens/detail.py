"""Everything about one submission: recipients with what became of them, attempts with their transcripts, the text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from textual import events
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from tui_mailer.domain.submission import UNDER_WAY, Attempt, Phase, Recipient, RecipientStatus, State
from tui_mailer.domain.timeline import FINAL_STATUSES, StatusEvent, timeline_of
from tui_mailer.services.event import BytesProgressed, Event
from tui_mailer.storage.record import Submission
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.pace import Pace
from tui_mailer.tui.screens.dialog import Dialog
from tui_mailer.tui.sheet import Sheet
from tui_mailer.tui.size_words import say_size
from tui_mailer.tui.unshown import unshown_lines
from tui_mailer.tui.widgets.key_line import KeyLine
from tui_mailer.tui.words import (
    STATE_WORD,
    Moment,
    is_sent_by_another,
    needed_action,
    say_ahead,
    say_clock,
    say_phase,
    say_remedy,
    say_subject,
    say_time,
    say_tries,
    say_why,
)

if TYPE_CHECKING:
    from tui_mailer.services.mailer import Mailer
    from tui_mailer.tui.screens.mail_room import MailRoom

MOST_BODY = 20_000
"""Characters of the text shown; the whole is in the .eml."""
MOST_RECIPIENTS = 200
READ_GAP_SECONDS = 0.5
_LABEL_WIDTH = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that the store has of a submission."""

    submission: Submission
    attempts: Sequence[Attempt]
    asked_next: datetime | None
    """When the provider is asked next what became of it."""


def read_known(mailer: Mailer, key: str) -> Known:
    """Reads it; raises `NotFound`."""
    return Known(submission=mailer.show(key), attempts=mailer.attempts(key), asked_next=mailer.asked_next(key))


class DetailScreen(Dialog[str | None]):
    """Read, scroll, go back; it follows what happens. Returns the verb of a key of the list's, meant for this one."""

    place = "detail"
    BINDINGS = bindings("detail")
    DEFAULT_CSS = """
    DetailScreen > .box { width: 100%; height: 100%; }
    DetailScreen #detail { height: 1fr; scrollbar-size-vertical: 1; }
    DetailScreen #detail > Static { height: auto; }
    """

    def __init__(self, room: MailRoom, known: Known) -> None:
        super().__init__(room.desk.keymap, say_subject(known.submission.message.subject))
        self._room = room
        self._submission = known.submission
        self._attempts = known.attempts
        self._asked_next = known.asked_next
        self._static = Static(self._sheet().as_renderable(), markup=False)
        self._reading = Pace(self._read_anew, gap_seconds=READ_GAP_SECONDS)

    def contents(self) -> Iterable[Widget]:
        with VerticalScroll(id="detail", can_focus=True):
            yield self._static

    def key_places(self) -> tuple[str, ...]:
        """The list's own keys work here as well, for this one."""
        return (self.place, self._room.place)

    def on_mount(self) -> None:
        self._stop_listening = self._room.watch_desk.listen(self._event_came)
        self.query_one(KeyLine).need(*needed_action(self._submission.state))

    def on_unmount(self) -> None:
        self._stop_listening()

    def _event_came(self, event: Event) -> None:
        if not isinstance(event, BytesProgressed) and getattr(event, "id", self._submission.id) == self._submission.id:
            self.attempt(self._reading.ask())

    async def _read_anew(self) -> None:
        known = await self._room.desk.ask(lambda mailer: read_known(mailer, self._submission.id))
        self._submission, self._attempts, self._asked_next = known.submission, known.attempts, known.asked_next
        self._static.update(self._sheet().as_renderable())
        self.query_one(KeyLine).need(*needed_action(self._submission.state))

    def on_key(self, event: events.Key) -> None:
        """Takes the list's keys: copying stays here, anything else goes back and does it there."""
        for action in self.keymap.actions_of(self._room.place):
            if event.key not in self.keymap.keys(action.id):
                continue
            if action.verb in {"copy_id", "copy_provider_id"}:
                event.stop()
                self._room.copy_ids_of(self._submission, provider=action.verb == "copy_provider_id")
                self.say(self._room.desk.status.text, is_quiet=True)
            elif action.id.startswith(f"{self._room.place}.") and action.is_plain:
                event.stop()
                self.dismiss(action.verb)
            return

    def _sheet(self) -> Sheet:
        moment = self._room.moment()
        one, now = self._submission, moment.now
        sheet = Sheet(label_width=_LABEL_WIDTH)
        sheet.line("State", f"{STATE_WORD[one.state]}: {say_why(one, moment)}")
        hold = moment.holds.get(one.account)
        if hold is not None and one.state in {State.QUEUED, State.DEFERRED}:
            sheet.line("Account", say_remedy(hold, self.keymap))
        sheet.line("From", f"{one.message.sender}  (account {one.account}, {one.provider})")
        sheet.line("Written", say_time(one.created_at, now))
        if one.schedule_words:
            label = "Repeats" if one.series_id else "Scheduled"
            sheet.line(label, f"{one.schedule_words}: {say_time(one.not_before, now)}")
        if one.sent_at:
            sheet.line("Sent", say_time(one.sent_at, now))
        if one.attempts:
            sheet.line("Attempts", say_tries(one, moment).replace("/", " of at most "))
        sheet.line("Size", say_size(one.size))
        self._tell_parts(sheet)
        sheet.line("Message-ID", one.message.message_id)
        if one.provider_id:
            sheet.line("Provider's ID", one.provider_id)
        sheet.line("ID", one.id)
        if one.note:
            sheet.line("Note", one.note)
        self._tell_recipients(sheet, moment)
        for attempt in reversed(self._attempts):
            self._tell_attempt(sheet, attempt, moment)
        if one.message.text:
            sheet.heading("Text")
            sheet.text(one.message.text[:MOST_BODY])
        return sheet

    def _tell_parts(self, sheet: Sheet) -> None:
        message = self._submission.message
        for attachment in message.attachments:
            size = f"  {say_size(attachment.size)}" if attachment.size is not None else ""
            where = f"  {attachment.url}" if attachment.url else ""
            sheet.line("Attached", f"{attachment.name}  {attachment.media_type}{size}{where}")
        for label, value in unshown_lines(message):
            sheet.line(label, value)

    def _tell_recipients(self, sheet: Sheet, moment: Moment) -> None:
        one = self._submission
        sheet.heading("Recipients")
        learnt: dict[str, list[StatusEvent]] = {}
        for event in timeline_of(one.recipients, one.timeline):
            learnt.setdefault(event.address, []).append(event)
        for recipient in one.recipients[:MOST_RECIPIENTS]:
            sheet.line(f"{recipient.kind} {self._status_word(recipient)}", recipient.address)
            for event in learnt.get(recipient.address, ()):
                word = self._status_word(recipient) if event.status is recipient.status else event.status
                asked = "" if event.source == "attempt" else " (asked)"
                said = f": {event.detail}" if event.detail and event.detail != word else ""
                sheet.line(f"  {say_clock(event.at, moment.now)}", f"{word}{asked}{said}")
            if self._asked_next is not None and recipient.status not in FINAL_STATUSES:
                sheet.line("  not the end", f"the provider is asked again {say_ahead(self._asked_next, moment)}")
        if len(one.recipients) > MOST_RECIPIENTS:
            sheet.line("", f"and {len(one.recipients) - MOST_RECIPIENTS} more")

    def _status_word(self, recipient: Recipient) -> str:
        # Who was left out by canceling counts as rejected, but no server has said so.
        is_canceled = self._submission.state is State.CANCELED and recipient.status is RecipientStatus.REJECTED
        return "canceled" if is_canceled else recipient.status

    def _tell_attempt(self, sheet: Sheet, attempt: Attempt, moment: Moment) -> None:
        now = moment.now
        sheet.heading(f"Attempt {attempt.number}, {say_clock(attempt.started_at, now)}")
        codes = " ".join(str(code) for code in (attempt.code, attempt.enhanced_code) if code)
        answer = " ".join(part for part in (codes, attempt.text or "") if part)
        sheet.line("Reached", self._say_reached(attempt, moment))
        if attempt.intent_at is not None:
            sheet.line("Last byte", say_clock(attempt.intent_at, now))
        sheet.line("Answer", answer or ("none yet" if attempt.ended_at is None else "none"))
        if attempt.ended_at is not None:
            sheet.line("Ended", say_clock(attempt.ended_at, now))
        if attempt.transcript:
            sheet.text("\n".join(f"  {line}" for line in attempt.transcript), style="dim")
        elif attempt.ended_at is not None:
            sheet.line("Transcript", "none was kept of this one")

    def _say_reached(self, attempt: Attempt, moment: Moment) -> str:
        """Of the one under way, what the engine or the row says; an attempt's own comes with its end."""
        one = self._submission
        if attempt.ended_at is not None:
            return say_phase(attempt.phase)
        if is_sent_by_another(one, moment) and one.phase in {None, Phase.CLAIMED}:
            return UNDER_WAY
        reached = Phase.INTENT if attempt.intent_at is not None else moment.phases.get(one.id) or one.phase
        return say_phase(reached or attempt.phase)
