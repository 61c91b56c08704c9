"""What storage takes and gives: frozen rows, independent of SQLite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.message import Message
from tui_mailer.domain.submission import Phase, Receipt, Recipient, State
from tui_mailer.domain.timeline import StatusEvent

HELD_BY_PERSON = "held by you"
"""Why a submission or an account is held that a person wants to wait."""
HELD_AS_ASKED = "held as asked"
"""Why a submission is held that was sealed so."""
NOT_CONFIGURED = "it isn't in the configuration; its mail waits, and leaves by itself once it is"
"""Why an account is held that a process didn't know; whichever process knows it lets it go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubmission:
    """A sealed message on its way into the outbox; its contents are in the spool already."""

    message: Message
    account: str
    provider: str
    account_fingerprint: str
    """Digest of the account's settings at sealing; a change under a queued message is noticed by it."""
    state: State
    """QUEUED or HELD."""
    not_before: datetime
    created_at: datetime
    size: int
    """Bytes on the wire."""
    envelope_from: str
    recipients: tuple[Recipient, ...]
    schedule_words: str | None = None
    schedule_zone: str | None = None
    key: str | None = None
    group: str | None = None
    note: str | None = None
    retries: int | None = None
    keep: bool = True
    held_reason: str | None = None
    is_kept_locally: bool = False
    """The account's provider sends nothing: it only keeps mail on this computer."""
    hands_over: bool = False
    """The provider is to keep it until ``not_before``: it is handed over as soon as it can be."""
    draft: Draft | None = None
    """What it was sealed from, so that ``edit`` can bring it back."""
    series_id: str | None = None
    """The series it is an occurrence of."""
    marks: tuple[str, ...] = ()
    """By what it can be found besides its key; the newest submission has a mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRule:
    """How a message recurs."""

    id: str
    rule: str
    """An RRULE's value (RFC 5545 section 3.3.10)."""
    words: str
    zone: str
    start: datetime
    """DTSTART: wall time in the zone, naive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A submission as it stands, from the outbox or the history."""

    id: str
    message: Message
    account: str
    provider: str
    account_fingerprint: str
    state: State
    created_at: datetime
    updated_at: datetime
    not_before: datetime
    size: int
    envelope_from: str
    recipients: tuple[Recipient, ...]
    schedule_words: str | None = None
    schedule_zone: str | None = None
    sent_at: datetime | None = None
    date: datetime | None = None
    """The Date header, once frozen by the first attempt."""
    attempts: int = 0
    next_attempt_at: datetime | None = None
    phase: Phase | None = None
    provider_id: str | None = None
    response_code: int | None = None
    enhanced_code: str | None = None
    response_text: str | None = None
    error: str | None = None
    """One human sentence: why it is where it is."""
    held_reason: str | None = None
    deliverer: str | None = None
    """Who leases it (``app pid 4711``), while sending."""
    claimed_at: datetime | None = None
    """Since when, while sending."""
    bytes_gone: tuple[int, int] | None = None
    """How much of how much had left when the lease was renewed last; None: that isn't known (yet)."""
    key: str | None = None
    group: str | None = None
    note: str | None = None
    retries: int | None = None
    keep: bool = True
    is_kept_locally: bool = False
    is_any_time: bool = False
    """A person wants it to leave out of its account's hours, too."""
    home_account: str | None = None
    """The account it was sealed for, while another one stands in."""
    ruled_out: tuple[str, ...] = ()
    """Accounts that won't ever take it."""
    series_id: str | None = None
    """The series it is an occurrence of."""
    is_in_history: bool = False
    hands_over: bool = False
    timeline: tuple[StatusEvent, ...] = ()
    """What the provider told after it had taken it, oldest first; `domain.timeline.timeline_of` has all of it."""
    receipt_note: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the provider wants to be handed again when it is asked."""
    key_number: int = 0
    """How many definite answers there were: each makes the idempotency key another one."""
    key_used_at: datetime | None = None
    """When the key in doubt was used first; None: nothing is in doubt."""
    key_uses: int = 0
    draft: Draft | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A lease on one submission: what is needed to deliver it, and the epoch that fences it."""

    submission: Submission
    epoch: int
    attempt: int
    """Number of this attempt, from 1."""
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """How far an attempt under way is."""

    phase: Phase
    bytes_gone: tuple[int, int] | None = None
    """Of how many; None: nothing has left yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an attempt ended, as the engine decided it; recorded in one transaction that derives the state."""

    receipt: Receipt | None = None
    """A definite answer; None: the attempt failed as a whole."""
    fallback_state: State = State.DEFERRED
    """Without a receipt: DEFERRED, FAILED, UNCERTAIN or HELD, for the recipients that were in this attempt."""
    code: int | None = None
    enhanced_code: str | None = None
    text: str = ""
    """The server's words, cleaned of control characters."""
    error: str | None = None
    """One human sentence."""
    next_attempt_at: datetime | None = None
    transcript: tuple[str, ...] = ()
    fall_back: Literal["for_good", "for_now"] | None = None
    """Proven not to have been accepted (for some), so that another account may try: this one won't ever take it, or
    hasn't yet. None: it may have been accepted, or nothing was wrong."""
    is_in_doubt: bool = False
    """The request may have been taken: its idempotency key stays the one to use."""
    poll_at: datetime | None = None
    """When to ask the provider what became of it; None: there is nothing to ask."""
    pause_until: datetime | None = None
    """The provider wants no more of this account until then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reroute:
    """Another account tries next: recorded together with what it is the consequence of."""

    account: str
    provider: str
    home_account: str | None
    """The account it was sealed for; None: it goes back to that one."""
    ruled_out: tuple[str, ...]
    reopened: frozenset[str] = frozenset()
    """Recipients that were refused and are tried again."""
    remark: str = ""
    """One human sentence."""
    due_at: datetime | None = None
    """None: at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHold:
    """An account whose mail waits for a person, or for the network."""

    account: str
    reason: str
    since: datetime
    is_offline: bool = False
    """True: no network; ends by itself at ``retry_at``. False: a person must mend it."""
    retry_at: datetime | None = None
    failures: int = 0


class DraftRef(NamedTuple):
    """A stored draft as somebody has read it: what deletes it must not delete what another has written since."""

    id: str
    epoch: int | None = None
    """None: whatever it says by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDraft:
    """A draft as kept: its epoch decides races, its loser is kept as a copy."""

    id: str
    draft: Draft
    epoch: int
    updated_at: datetime
    is_copy_of: str | None = None

    @property
    def ref(self) -> DraftRef:
        """Names it as it is here."""
        return DraftRef(self.id, self.epoch)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryQuery:
    """A parsed QUERY: all conditions are ANDed."""

    words: tuple[str, ...] = ()
    """Literal words or phrases, in subject, addresses or body."""
    sender: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    subject: tuple[str, ...] = ()
    account: str | None = None
    state: State | None = None
    before: datetime | None = None
    after: datetime | None = None
    unfinished: str = ""
    """Which of the above ends in a word still being typed, so that it also stands for longer ones: ``words``,
    ``sender``, ``to``, ``subject`` or ``account``; empty: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountStep:
    """Part of a count that is taken in steps, so that nothing waits for the whole."""

    number: int
    """How many this step has found."""
    below: int | None
    """Where the next step goes on; None: that was all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverer:
    """A process that delivers, as the outbox knows it."""

    owner: str
    """``deliver pid 812``, ``app pid 4711``."""
    role: str
    seen_at: datetime
    is_alive: bool
    since: datetime | None = None
    """When it began."""
