"""Submissions in a person's words: what happened, what it means for the mail, what to do next."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tui_mailer.domain.submission import (
    BY_HAND,
    DUE_STATUSES,
    SETTLED_STATUSES,
    Kind,
    Phase,
    RecipientStatus,
    State,
    worst_status,
)
from tui_mailer.services.doubt import is_in_doubt
from tui_mailer.storage.record import AccountHold, Submission

if TYPE_CHECKING:
    from tui_mailer.cli.context import Context


def describe_submission(submission: Submission, context: Context, hold: AccountHold | None) -> str:
    """Says where a submission stands, in one to three sentences, its ID first."""
    return f"{submission.id}  {_Sentence(submission, context, hold).say()}"


def moment(at: datetime | None, zone: ZoneInfo) -> str:
    """Writes a time for a person: absolute, with its zone."""
    if at is None:
        return ""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y %H:%M:%S} {zone.key}"


def short_moment(at: datetime | None, zone: ZoneInfo, now: datetime) -> str:
    """Writes a time for a column of a list."""
    if at is None:
        return ""
    local = at.astimezone(zone)
    return f"{local:%H:%M:%S}" if local.date() == now.astimezone(zone).date() else f"{local:%Y-%m-%d %H:%M}"


def state_words(submission: Submission) -> str:
    """Writes the state with the worst recipient status beside it: ``sent, bounced 2 of 3``."""
    statuses = [recipient.status for recipient in submission.recipients]
    worst = worst_status(statuses)
    state = submission.state.value.replace("_", " ")
    if (
        worst is None
        or submission.state is State.CANCELED
        or worst.value == state
        or (submission.state is State.FAILED and len(set(statuses)) == 1)
    ):
        return state
    return f"{state}, {worst.value} {statuses.count(worst)} of {len(statuses)}"


def addressees(submission: Submission) -> str:
    """Names the first recipient and counts the others."""
    named = [
        recipient.address for recipient in sorted(submission.recipients, key=lambda each: list(Kind).index(each.kind))
    ]
    if not named:
        return "nobody"
    return named[0] if len(named) == 1 else f"{named[0]} +{len(named) - 1}"


def _reason(submission: Submission) -> str:
    text = submission.error or submission.response_text or "no reason was given"
    # A 2yz is the answer for those who have it: no reason for the others.
    code = str(submission.response_code or "") if (submission.response_code or 0) >= 300 else ""
    shown = f"{code} {text}" if code and not text.startswith(code) and code not in text else text
    return shown.rstrip(". ")


class _Sentence:
    """The sentence for each state."""

    def __init__(self, submission: Submission, context: Context, hold: AccountHold | None) -> None:
        self.submission = submission
        self.context = context
        self.hold = hold

    def say(self) -> str:
        return {
            State.HELD: self._held,
            State.QUEUED: self._queued,
            State.SENDING: self._sending,
            State.DEFERRED: self._deferred,
            State.HANDED_OVER: self._handed_over,
            State.SENT: self._sent,
            State.PARTIAL: self._partial,
            State.FAILED: self._failed,
            State.UNCERTAIN: self._uncertain,
            State.CANCELED: self._canceled,
        }[self.submission.state]()

    def _held(self) -> str:
        reason = (self.submission.held_reason or self.submission.error or "held").rstrip(". ")
        way_out = f"To let it go: tui-mailer outbox release {self.submission.id}"
        return f"{self._doubt()}Waits in the outbox: {reason}. {way_out}"

    def _queued(self) -> str:
        hold = self.hold
        if hold is not None and not hold.is_offline:
            return (
                f"Not sent: account {self.submission.account} is held: {hold.reason.rstrip('. ')}. It waits in the "
                f"outbox untouched. Once mended: tui-mailer account release {self.submission.account}"
            )
        if hold is not None:
            return f"Not sent yet: {hold.reason.rstrip('. ')}. It stays in the outbox. {self._deliverer()}"
        opening = self.context.mailer.opens_at(self.submission)
        if opening is not None:
            return (
                f"Queued, waits for the hours of account {self.submission.account}: goes out "
                f"{moment(opening, self.context.zone)}. {self._deliverer()} To send it now: "
                f"tui-mailer outbox retry {self.submission.id}"
            )
        if self.submission.not_before > self.context.now():
            return (
                f"Queued, goes out {moment(self.submission.not_before, self.context.zone)}{self._repeats()}. "
                f"{self._deliverer()}"
            )
        no_room = self.context.mailer.store.ballast.trouble()
        if no_room is not None:
            return f"{self._doubt()}Not sent yet: {no_room} {self._deliverer()}"
        return f"{self._doubt()}Queued. {self._deliverer()}"

    def _doubt(self) -> str:
        return "It may or may not have been sent: no answer came. " if is_in_doubt(self.submission) else ""

    def _repeats(self) -> str:
        if self.submission.series_id is None:
            return ""
        return f", and then again ({self.submission.schedule_words})"

    def _sending(self) -> str:
        deliverers = self.context.mailer.store.outbox.deliverers()
        if any(each.owner == self.submission.deliverer and not each.is_alive for each in deliverers):
            return self._interrupted()
        return f"Being sent by {self.submission.deliverer or 'another process'}; it is in the outbox."

    def _interrupted(self) -> str:
        so = "It hadn't been handed over, so whoever delivers next sends it."
        if self.submission.phase in {Phase.INTENT, Phase.DONE}:
            so = "It may have been delivered: no answer was read."
        now = "To have that looked after now: tui-mailer outbox flush"
        return f"Interrupted: {self.submission.deliverer}, which was sending it, has ended. {so} {now}"

    def _deferred(self) -> str:
        at = moment(self.submission.next_attempt_at, self.context.zone)
        again = f"next try {at}" if at else "it will be tried again"
        return f"{self._not_yet()}: {_reason(self.submission)}. It stays in the outbox, {again}. {self._deliverer()}"

    def _not_yet(self) -> str:
        if is_in_doubt(self.submission):
            return "It may or may not have been sent"
        recipients = self.submission.recipients
        waiting = [each.address for each in recipients if each.status in DUE_STATUSES]
        done = sum(each.status in SETTLED_STATUSES for each in recipients)
        return f"Sent to {done} of {len(recipients)}, not yet to {', '.join(waiting)}" if done else "Not sent yet"

    def _handed_over(self) -> str:
        if not self.submission.hands_over:
            return f"Handed over to {self.submission.provider}: {self.submission.response_text or 'it is kept there'}."
        at = moment(self.submission.not_before, self.context.zone)
        return f"Handed over to {self.submission.provider}, which sends it {at}."

    def _sent(self) -> str:
        if self.submission.is_kept_locally:
            return f"Kept on this computer, sent to nobody: {self._folder()} (account {self.submission.account})."
        if any((one.detail or "").startswith(BY_HAND) for one in self.submission.recipients):
            return f"You marked it as sent to {addressees(self.submission)}; no answer had come."
        answer = f" The server said: {self.submission.response_text}" if self.submission.response_text else ""
        return f"Sent to {addressees(self.submission)}.{answer}"

    def _folder(self) -> str:
        session = self.context.session
        account = session.configuration.accounts.get(self.submission.account)
        own = account.settings.get("path") if account else None
        return str(own or session.paths.data_dir / "Maildir")

    def _partial(self) -> str:
        recipients = self.submission.recipients
        refused = [each for each in recipients if each.status is RecipientStatus.REJECTED]
        named = "; ".join(f"{each.address}: {each.detail or 'refused'}" for each in refused)
        return (
            f"Sent to {len(recipients) - len(refused)} of {len(recipients)}, not to {named}. "
            f"To send it to the refused alone: tui-mailer history resend {self.submission.id} --refused"
        )

    def _failed(self) -> str:
        kept = f"Text and files are kept: tui-mailer history show {self.submission.id}"
        return f"Not sent: {_reason(self.submission)}. {kept}"

    def _uncertain(self) -> str:
        return (
            f"It may or may not have been delivered: {_reason(self.submission)}. It isn't sent again by itself. "
            f"When you know: tui-mailer outbox resolve {self.submission.id} --sent, --failed or --resend"
        )

    def _canceled(self) -> str:
        return "Canceled before it left: sent to nobody."

    def _deliverer(self) -> str:
        return self.context.mailer.who_sends().text
