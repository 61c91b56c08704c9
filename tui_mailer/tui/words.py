"""Says in one human sentence what a submission is doing and why, and names times and sizes as people do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

from tui_mailer.domain.submission import (
    BY_HAND,
    PHASE_WORD,
    Kind,
    Phase,
    Recipient,
    RecipientStatus,
    State,
    worst_status,
)
from tui_mailer.domain.text import clean
from tui_mailer.tui.action import Keymap
from tui_mailer.tui.app_words import in_the_app
from tui_mailer.tui.size_words import say_size

if TYPE_CHECKING:
    from tui_mailer.domain.window import Window
    from tui_mailer.storage.record import AccountHold, Submission

STATE_WORD: Mapping[State, str] = {
    State.HELD: "held",
    State.QUEUED: "queued",
    State.SENDING: "sending",
    State.DEFERRED: "deferred",
    State.HANDED_OVER: "handed over",
    State.SENT: "sent",
    State.PARTIAL: "partial",
    State.FAILED: "failed",
    State.UNCERTAIN: "uncertain",
    State.CANCELED: "canceled",
}
"""States are words, never colour alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What a sentence about a submission depends on besides the submission."""

    now: datetime
    """Aware, in the person's zone."""
    holds: Mapping[str, AccountHold] = field(default_factory=dict[str, "AccountHold"])
    sent_bytes: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    """Bytes gone and in all, of those in flight."""
    phases: Mapping[str, Phase] = field(default_factory=dict[str, Phase])
    """Newer than the row's own, from the engine."""
    owner: str = ""
    """This process as a deliverer (``app pid 4711``): of what it sends itself all is known at once."""
    is_disk_full: bool = False
    """Nothing is sent until there is room."""
    is_coarse: bool = False
    """Countdowns below a hundred seconds in steps of ten: a list of them costs a slow line little, and stays true."""
    most_attempts: int | None = None
    """Attempts after which a message is given up, unless it has its own limit."""
    windows: Mapping[str, Window] = field(default_factory=dict[str, "Window"])
    """Accounts that send only at some hours."""
    undo_key: str = "u"
    """What takes it back where the sentence stands."""
    keymap: Keymap | None = None
    """None: every key is the usual one."""

    def key(self, action_id: str, usual: str) -> str:
        """The key to name for an action."""
        return self.keymap.display(action_id) if self.keymap is not None else usual


def say_distance(distance: timedelta) -> str:
    """``8 s``, ``4 min``, ``3 h``, ``2 days``: one unit, rounded up."""
    seconds = max(0, ceil(distance.total_seconds()))
    if seconds < 100:
        return f"{seconds} s"
    if seconds < 100 * 60:
        return f"{-(-seconds // 60)} min"
    if seconds < 36 * 3600:
        return f"{-(-seconds // 3600)} h"
    return f"{-(-seconds // 86400)} days"


def say_countdown(until: datetime, moment: Moment) -> str:
    """How long until then; in coarse steps as a bound (``<60 s``), so that no exact count contradicts it."""
    distance = until - moment.now
    if moment.is_coarse and timedelta(0) < distance < timedelta(seconds=100):
        step = 10 if distance <= timedelta(seconds=30) else 30
        return f"<{step * ceil(distance.total_seconds() / step)} s"
    return say_distance(distance)


def say_ahead(at: datetime, moment: Moment) -> str:
    """``in 4 min``, or ``now``."""
    return f"in {say_countdown(at, moment)}" if at > moment.now else "now"


def say_clock(at: datetime, now: datetime) -> str:
    """A clock time to the second, with its day unless that is today; in the zone of ``now``."""
    local = at.astimezone(now.tzinfo or UTC)
    return f"{local:%H:%M:%S}" if local.date() == now.date() else f"{local.day} {local:%b} {local:%H:%M:%S}"


def say_tries(submission: Submission, moment: Moment) -> str:
    """``2/5``: this attempt, or the last one, of how many; only how many where there is no limit; empty for none."""
    if not submission.attempts:
        return ""
    most = moment.most_attempts if submission.retries is None else submission.retries + 1
    return f"{submission.attempts}/{most}" if most else str(submission.attempts)


def without_name(account: str, reason: str) -> str:
    """A reason, for where it is told beside the account's name."""
    return reason.removeprefix(f"Account '{account}': ")


def say_remedy(hold: AccountHold, keymap: Keymap) -> str:
    """Why an account's mail waits, and the keys that mend it."""
    keys = {
        "accounts": keymap.display("app.accounts"),
        "password": keymap.display("accounts.password"),
        "retry": keymap.display("outbox.retry"),
    }
    reason = in_the_app(without_name(hold.account, hold.reason))
    if reason and reason[-1] not in ".!?":
        reason = f"{reason}."
    if hold.is_offline:
        return f"{hold.account} can't send now: {reason} It tries again by itself ({keys['retry']} tries now)."
    return (
        f"{hold.account} is held: {reason}  {keys['retry']} tries again; {keys['accounts']} shows the account, "
        f"{keys['password']} there takes a new password."
    )


def say_time(at: datetime, now: datetime) -> str:
    """A clock time today, else a day, else a day with its year; in the zone of ``now``."""
    local = at.astimezone(now.tzinfo or UTC)
    if local.date() == now.date():
        return f"{local:%H:%M}"
    if local.year == now.year or abs(local - now) < timedelta(days=180):
        return f"{local.day} {local:%b} {local:%H:%M}"
    return f"{local.day} {local:%b %Y}"


def say_day(at: datetime, now: datetime) -> str:
    """The eleven-cell form of a time for a list."""
    local = at.astimezone(now.tzinfo or UTC)
    if local.date() == now.date():
        return f"{local:%H:%M}"
    if local.year == now.year:
        return f"{local.day} {local:%b}"
    return f"{local.day} {local:%b %Y}"


def say_recipients(submission: Submission) -> str:
    """To as it reads, or the first recipient, and how many more there are."""
    written = submission.message.to
    to = [recipient.address for recipient in submission.recipients if recipient.kind is Kind.TO]
    # A message sent again goes only to some of those its header names.
    names = (
        [address.display_name or address.addr_spec for address in written]
        if written and len(to) == len(written)
        else to or [recipient.address for recipient in submission.recipients]
    )
    others = len(submission.recipients) - 1
    first = clean(names[0]) if names else "(nobody)"
    return f"{first} +{others}" if others > 0 else first


def say_subject(text: str) -> str:
    """The subject, or that there is none."""
    return clean(text).strip() or "(no subject)"


def say_why(submission: Submission, moment: Moment) -> str:
    """One sentence: when it goes, or why it doesn't."""
    teller = _TELLERS.get(submission.state)
    said = teller(submission, moment) if teller else STATE_WORD[submission.state]
    if submission.state in _REPEATING:
        said = f"{said}{say_repeat(submission)}"
    if submission.state in (State.HELD, State.QUEUED) and submission.key_used_at is not None:
        said = f"may have been taken, no answer came; {said}"
    return clean(in_the_app(said))


def say_repeat(submission: Submission) -> str:
    """``; repeats every weekday 9:00``, to be put behind a sentence; empty for what goes out once."""
    return f"; repeats {submission.schedule_words}" if submission.series_id and submission.schedule_words else ""


def needed_action(state: State) -> tuple[str, str]:
    """What a mail in this state waits for a person to do, as `KeyLine.need` takes it; empty: nothing."""
    return _NEEDED_ACTION.get(state, ("", ""))


def say_phase(phase: Phase) -> str:
    """How far an attempt is, or got."""
    return PHASE_WORD[phase]


def _held(submission: Submission, moment: Moment) -> str:
    goes = f", goes {say_time(submission.not_before, moment.now)}" if submission.not_before > moment.now else ""
    return f"{moment.key('outbox.hold', 'h')} releases it{goes}: {submission.held_reason or 'held'}"


def _waits_for(hold: AccountHold, moment: Moment) -> str:
    """The row's part of it: why stands above the list, once for the account."""
    if not hold.is_offline:
        return f"waits for account {hold.account}"
    if hold.retry_at is None or hold.retry_at <= moment.now:
        return "next try now"
    return f"next try in {say_countdown(hold.retry_at, moment)}"


def opening_of(submission: Submission, moment: Moment) -> datetime | None:
    """When its account's hours let it go; None where they don't delay it."""
    from tui_mailer.services.opening_hours import opens_at  # not for the first frame

    zone = moment.now.tzinfo or UTC
    return opens_at(submission, moment.windows.get(submission.account), moment.now, zone)


_NO_ROOM = "waits for room on the disk"


def _waits_for_hours(submission: Submission, moment: Moment) -> str:
    opening = opening_of(submission, moment)
    if opening is None:
        return ""
    return f"waits for its hours, goes {say_time(opening, moment.now)} ({moment.key('outbox.retry', 'r')} sends it now)"


def _queued(submission: Submission, moment: Moment) -> str:
    hold = moment.holds.get(submission.account)
    if hold is not None:
        return _waits_for(hold, moment)
    waits = _waits_for_hours(submission, moment)
    if waits:
        return waits
    distance = submission.not_before - moment.now
    if distance <= timedelta(0):
        return _NO_ROOM if moment.is_disk_full else "next to go"
    if submission.schedule_words is None and distance < timedelta(minutes=5):
        return f"leaves in {say_countdown(submission.not_before, moment)}, {moment.undo_key} undoes it"
    from tui_mailer.domain.schedule import describe_distance

    if distance < timedelta(seconds=99):
        far = say_ahead(submission.not_before, moment)
    else:
        far = describe_distance(submission.not_before, moment.now)
    return f"goes {say_time(submission.not_before, moment.now)}, {far}"


def _sending(submission: Submission, moment: Moment) -> str:
    if is_sent_by_another(submission, moment):
        return _sent_by_another(submission, moment)
    phase = moment.phases.get(submission.id, submission.phase or Phase.CLAIMED)
    return _say_bytes(moment.sent_bytes.get(submission.id)) or PHASE_WORD[phase]


def is_sent_by_another(submission: Submission, moment: Moment) -> bool:
    """Says whether another process is sending it: one writes down how far it is now and then, and no phase at once."""
    return bool(submission.deliverer) and submission.deliverer != moment.owner


def _say_bytes(gone: tuple[int, int] | None) -> str:
    """How much has left, while some of it hasn't."""
    return f"{say_size(gone[0])} of {say_size(gone[1])} sent" if gone is not None and gone[0] < gone[1] else ""


def _sent_by_another(submission: Submission, moment: Moment) -> str:
    """No more than is known here."""
    role, _, pid = (submission.deliverer or "").partition(" pid ")
    name = f"{_ROLE_NAME.get(role, role)} (pid {pid})" if pid else role
    if submission.phase is Phase.INTENT and submission.bytes_gone and not _say_bytes(submission.bytes_gone):
        return f"{PHASE_WORD[Phase.INTENT]} (by {name})"
    since = f" since {say_time(submission.claimed_at, moment.now)}" if submission.claimed_at else ""
    return f"{_say_bytes(submission.bytes_gone) or 'being sent'} by {name}{since}"


def _deferred(submission: Submission, moment: Moment) -> str:
    why = submission.error or submission.response_text or "not accepted yet"
    if submission.key_used_at is not None:
        why = f"may have been taken: {why}"
    hold = moment.holds.get(submission.account)
    if hold is not None:
        return f"{_waits_for(hold, moment)}; before: {why}"
    waits = _waits_for_hours(submission, moment)
    if waits:
        return f"{waits}; before: {why}"
    if submission.next_attempt_at is None or submission.next_attempt_at <= moment.now:
        return f"{_NO_ROOM if moment.is_disk_full else 'next try now'}; {why}"
    return f"next try in {say_countdown(submission.next_attempt_at, moment)}; {why}"


def _handed_over(submission: Submission, moment: Moment) -> str:
    if not submission.hands_over:
        return f"with {submission.provider}: {submission.response_text or 'it is kept there'}"
    return f"{submission.provider} holds it until {say_time(submission.not_before, moment.now)}"


def _uncertain(submission: Submission, moment: Moment) -> str:
    at, key = say_time(submission.updated_at, moment.now), moment.key("outbox.resolve", "o")
    return f"{key} settles it: it may or may not have gone out, {at}; {submission.error or 'the answer never came'}"


def _sent(submission: Submission, moment: Moment) -> str:
    del moment
    worst = worst_status(recipient.status for recipient in submission.recipients)
    if worst is None:
        if any(_is_by_hand(recipient) for recipient in submission.recipients):
            return "you marked it sent; no answer came"
        if all(recipient.status is RecipientStatus.DELIVERED for recipient in submission.recipients):
            return "delivered to all"
        return "kept on this computer, sent to nobody" if submission.is_kept_locally else "accepted for all"
    count = sum(recipient.status is worst for recipient in submission.recipients)
    return f"sent, {worst} {count} of {len(submission.recipients)}"


def _partial(submission: Submission, moment: Moment) -> str:
    refused = [recipient.address for recipient in submission.recipients if recipient.status is RecipientStatus.REJECTED]
    if not refused:
        return submission.error or "partly accepted"
    return f"refused for {', '.join(refused)} ({moment.key('history.resend', 's')} resends to them)"


def _is_by_hand(recipient: Recipient) -> bool:
    return (recipient.detail or "").startswith(BY_HAND)


def _ended(submission: Submission, moment: Moment) -> str:
    del moment
    if submission.state is State.FAILED and any(_is_by_hand(recipient) for recipient in submission.recipients):
        return "you marked it failed; no answer came"
    return submission.error or submission.response_text or STATE_WORD[submission.state]


_ROLE_NAME = {"deliver": "the delivery service", "app": "another app"}

_TELLERS = {
    State.HELD: _held,
    State.QUEUED: _queued,
    State.SENDING: _sending,
    State.DEFERRED: _deferred,
    State.HANDED_OVER: _handed_over,
    State.UNCERTAIN: _uncertain,
    State.SENT: _sent,
    State.PARTIAL: _partial,
    State.FAILED: _ended,
    State.CANCELED: _ended,
}

_REPEATING = frozenset({State.HELD, State.QUEUED, State.DEFERRED, State.HANDED_OVER})
"""States in which the next occurrences are still to come of it."""

_NEEDED_ACTION: Mapping[State, tuple[str, str]] = {
    State.UNCERTAIN: ("outbox.resolve", ""),
    State.HELD: ("outbox.hold", "Release"),
    State.PARTIAL: ("history.resend", ""),
    State.FAILED: ("history.edit", ""),
}

KIND_WORD: Mapping[Kind, str] = {Kind.TO: "To", Kind.CC: "Cc", Kind.BCC: "Bcc (hidden)"}
