"""The life of a submission: its states, phases, recipients' results, and the one table of legal transitions.

The names follow RFC 5321 (envelope), RFC 3463 (enhanced status codes) and RFC 8621 section 7 (EmailSubmission).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """Where a submission stands."""

    HELD = "held"
    """Waits for a person."""
    QUEUED = "queued"
    """To go out at ``not_before``."""
    SENDING = "sending"
    """Leased by one deliverer."""
    DEFERRED = "deferred"
    """Not accepted for a temporary reason; retried at ``next_attempt_at``."""
    HANDED_OVER = "handed_over"
    """The provider has accepted it for a later time."""
    SENT = "sent"
    """Accepted for every recipient."""
    PARTIAL = "partial"
    """Accepted for some, permanently refused for others."""
    FAILED = "failed"
    """Permanently refused, or too old."""
    UNCERTAIN = "uncertain"
    """The final answer never came."""
    CANCELED = "canceled"
    """Taken back before it left."""


OPEN_STATES = frozenset({State.HELD, State.QUEUED, State.SENDING, State.DEFERRED, State.HANDED_OVER, State.UNCERTAIN})
"""What ``outbox list`` shows: not finished, or in need of a person."""

ENDED_STATES = frozenset({State.SENT, State.PARTIAL, State.FAILED, State.CANCELED})
"""What ``history list`` shows."""

TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.HELD: frozenset({State.QUEUED, State.CANCELED, State.FAILED, State.PARTIAL, State.UNCERTAIN}),
    State.QUEUED: frozenset({State.SENDING, State.HELD, State.CANCELED, State.FAILED, State.PARTIAL, State.UNCERTAIN}),
    State.SENDING: frozenset(
        {
            State.QUEUED,
            State.DEFERRED,
            State.HANDED_OVER,
            State.SENT,
            State.PARTIAL,
            State.FAILED,
            State.UNCERTAIN,
            State.HELD,
        }
    ),
    State.DEFERRED: frozenset(
        {
            State.SENDING,
            State.HELD,
            State.CANCELED,
            State.PARTIAL,
            State.FAILED,
            State.QUEUED,
            State.UNCERTAIN,
        }
    ),
    State.HANDED_OVER: frozenset({State.SENT, State.PARTIAL, State.FAILED, State.CANCELED, State.UNCERTAIN}),
    State.UNCERTAIN: frozenset(
        {State.SENT, State.PARTIAL, State.FAILED, State.QUEUED, State.CANCELED, State.HANDED_OVER}
    ),
    State.SENT: frozenset(),
    State.PARTIAL: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELED: frozenset(),
}
"""Every legal move; storage refuses any other. A fenced but accepted answer may still settle UNCERTAIN -> SENT."""


class Phase(StrEnum):
    """How far an attempt got; durable before the network step that makes it true."""

    CLAIMED = "claimed"
    """Leased; nothing that could cause a delivery has been done."""
    CONNECTING = "connecting"
    ENVELOPE = "envelope"
    BODY = "body"
    INTENT = "intent"
    """The point of no return is about to be passed: a break from here on is uncertain."""
    DONE = "done"
    """The answer was read and recorded."""


PHASE_WORD: Mapping[Phase, str] = {
    Phase.CLAIMED: "about to connect",
    Phase.CONNECTING: "connecting",
    Phase.ENVELOPE: "naming the recipients",
    Phase.BODY: "transferring the message",
    Phase.INTENT: "all sent, waiting for the answer",
    Phase.DONE: "answered",
}
"""How far an attempt is, or got, as a person is told."""

UNDER_WAY = "under way: how far it is, the process that sends it writes down now and then"
"""The same, where only another process knows."""


class RecipientStatus(StrEnum):
    """What is known of one recipient; an open enumeration on the wire: unknown words are kept in ``detail``."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNKNOWN = "unknown"


SETTLED_STATUSES = frozenset(
    {
        RecipientStatus.ACCEPTED,
        RecipientStatus.DELIVERED,
        RecipientStatus.BOUNCED,
        RecipientStatus.COMPLAINED,
    }
)
"""The provider has taken responsibility for these: they are never put into an envelope again."""

BY_HAND = "settled as"
"""Begins a recipient's ``detail`` where a person has said what became of it, not a server."""

DUE_STATUSES = frozenset({RecipientStatus.PENDING, RecipientStatus.DEFERRED})
"""Only these go into the next envelope."""


class Kind(StrEnum):
    """Which header, if any, names a recipient."""

    TO = "to"
    CC = "cc"
    BCC = "bcc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One envelope recipient and what became of it."""

    address: str
    """The addr-spec as it goes on the wire (domain as A-label)."""
    kind: Kind
    status: RecipientStatus = RecipientStatus.PENDING
    detail: str | None = None
    """The server's own words, or why."""
    at: datetime | None = None
    """When the status was learnt (aware, UTC)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientResult:
    """What one attempt learnt of one recipient."""

    address: str
    status: RecipientStatus
    code: int | None = None
    enhanced_code: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A provider's definite answer to one attempt."""

    recipients: tuple[RecipientResult, ...]
    """One result for every recipient that was in the attempt's envelope."""
    provider_id: str | None = None
    """The provider's own ID of the message (an SMTP queue ID where the answer names one)."""
    response_code: int | None = None
    enhanced_code: str | None = None
    response_text: str = ""
    is_handed_over: bool = False
    """The provider keeps it for a later time (native schedule)."""
    retry_at: datetime | None = None
    """The provider's hint for the recipients that were deferred."""
    transcript: tuple[str, ...] = ()
    """The lines exchanged, secrets removed."""
    note: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the provider wants to be handed again when its status is asked for or it is to be taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt to deliver, as kept."""

    number: int
    started_at: datetime
    ended_at: datetime | None
    phase: Phase
    provider: str
    intent_at: datetime | None = None
    """When the point of no return was about to be passed: the last byte left right after it."""
    code: int | None = None
    enhanced_code: str | None = None
    text: str | None = None
    provider_id: str | None = None
    note: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the provider asked to be kept on the way (ids got so far)."""
    transcript: tuple[str, ...] = ()
    account: str | None = None
    """Which account tried; None where that wasn't kept yet (older versions)."""


def derive_state(statuses: Iterable[RecipientStatus]) -> State:
    """Derives a submission's state from its recipients' once an attempt has ended.

    Any deferred or pending recipient keeps it DEFERRED; else any unknown makes it UNCERTAIN; else it is SENT, PARTIAL
    or FAILED by how many were accepted.
    """
    known = list(statuses)
    if any(status in DUE_STATUSES for status in known):
        return State.DEFERRED
    if any(status is RecipientStatus.UNKNOWN for status in known):
        return State.UNCERTAIN
    accepted = sum(status in SETTLED_STATUSES for status in known)
    if accepted == len(known):
        return State.SENT
    return State.PARTIAL if accepted else State.FAILED


def worst_status(statuses: Iterable[RecipientStatus]) -> RecipientStatus | None:
    """Names the recipient status that a one-line summary must not hide, or None when all is well."""
    order = (
        RecipientStatus.COMPLAINED,
        RecipientStatus.BOUNCED,
        RecipientStatus.REJECTED,
        RecipientStatus.UNKNOWN,
        RecipientStatus.DEFERRED,
    )
    present = set(statuses)
    return next((status for status in order if status in present), None)
