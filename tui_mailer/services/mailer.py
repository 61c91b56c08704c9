"""The façade that the command line and the app use: write, seal, hold, cancel, search.

Every method is synchronous and short (one transaction, or reading files); the app calls them in its I/O thread. The
network is the engine's business (`services.engine`): nothing here awaits it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from tui_mailer.accounts.configuration import Account, Configuration, Paths
from tui_mailer.domain.checks import Finding
from tui_mailer.domain.message import Draft, Message
from tui_mailer.domain.schedule import Schedule
from tui_mailer.domain.submission import Attempt, Recipient, State
from tui_mailer.providers.base import Capabilities, Prepared
from tui_mailer.storage.record import (
    AccountHold,
    Deliverer,
    HistoryQuery,
    StoredDraft,
    Submission,
)

if TYPE_CHECKING:
    from tui_mailer.storage.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRequest:
    """How a draft is to be sealed."""

    hold: bool = False
    undo_seconds: int = 0
    """Seconds in which it can still be taken back: `not_before` = now + this."""
    key: str | None = None
    """A second call with the same key returns the first submission."""
    each: bool = False
    """One submission per To."""
    draft_id: str | None = None
    """The stored draft it comes from; deleted in the sealing transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What a person should see before sending."""

    account: Account
    capabilities: Capabilities
    message: Message
    recipients: tuple[Recipient, ...]
    size: int
    """Bytes on the wire."""
    schedule: Schedule | None
    findings: tuple[Finding, ...]
    """Errors first; any error means that sealing would be refused."""
    who_sends: str
    """One sentence: who will deliver it."""


class Mailer:
    """Everything the program does with mail, short of the network."""

    def __init__(self, *, configuration: Configuration, paths: Paths, store: Store) -> None:
        self.configuration = configuration
        self.paths = paths
        self.store = store

    # writing

    def account_for(self, draft: Draft) -> Account:
        """Names the account that would send the draft; raises `InvalidMessage` or `ConfigurationError`."""
        raise NotImplementedError

    def capabilities(self, account: str) -> Capabilities:
        """Tells what an account can carry."""
        raise NotImplementedError

    def review(self, draft: Draft) -> Review:
        """Checks a draft as sealing would, storing nothing; raises `InvalidMessage` only where nothing can be shown."""
        raise NotImplementedError

    def dry_run(self, draft: Draft) -> Prepared:
        """Works out exactly what would go out; stores nothing."""
        raise NotImplementedError

    def seal(self, draft: Draft, request: SealRequest = SealRequest()) -> list[Submission]:
        """Checks, copies attachments into the spool and commits; on return the submissions are durable.

        Raises `InvalidMessage` (nothing stored) and `StorageError`.
        """
        raise NotImplementedError

    def seal_raw(self, raw: bytes, *, envelope_from: str, recipients: Sequence[str], account: str) -> Submission:
        """Seals an RFC 5322 message byte for byte (CRLF, Bcc removed by the caller)."""
        raise NotImplementedError

    # finding

    def resolve_id(self, text: str) -> str:
        """Completes an ID from a unique suffix of four or more characters; raises `NotFound`."""
        raise NotImplementedError

    def show(self, submission_id: str) -> Submission:
        """Returns a submission from the outbox or the history (full ID); raises `NotFound`."""
        raise NotImplementedError

    def attempts(self, submission_id: str) -> tuple[Attempt, ...]:
        """Returns every attempt, oldest first, with its transcript."""
        raise NotImplementedError

    def outbox(self, *, limit: int = 50, before: str | None = None) -> list[Submission]:
        """Lists what is open, newest first."""
        raise NotImplementedError

    def history(
        self, query: HistoryQuery | None = None, *, limit: int = 50, before: str | None = None
    ) -> list[Submission]:
        """Lists what has ended, newest first, that matches the query."""
        raise NotImplementedError

    def history_count(self, query: HistoryQuery | None = None) -> int:
        """Counts what has ended; approximate where exact would be slow."""
        raise NotImplementedError

    def parse_query(self, text: str) -> HistoryQuery:
        """Reads a QUERY (DESIGN A1); anything it doesn't know is literal."""
        raise NotImplementedError

    def export(self, submission_id: str) -> Iterator[bytes]:
        """Yields the message as an .eml, exactly as it went (or would go) out; never the Bcc."""
        raise NotImplementedError

    # moving on: each returns the submission as it then stands; raises `NotFound`, `TooLate`

    def hold(self, submission_id: str) -> Submission:
        raise NotImplementedError

    def release(self, submission_id: str) -> Submission:
        raise NotImplementedError

    def retry(self, submission_id: str) -> Submission:
        """Makes it due now."""
        raise NotImplementedError

    def cancel(self, submission_id: str) -> Submission:
        raise NotImplementedError

    def reschedule(self, submission_id: str, when: str) -> Submission:
        raise NotImplementedError

    def settle(self, submission_id: str, how: Literal["sent", "failed", "resend"]) -> Submission:
        """Settles an uncertain submission by a person's word."""
        raise NotImplementedError

    def edit(self, submission_id: str) -> StoredDraft:
        """Takes an open submission back into a draft, in one transaction (also: undo send)."""
        raise NotImplementedError

    def edit_as_new(self, submission_id: str) -> StoredDraft:
        """Makes a new draft from any submission, leaving it as it is."""
        raise NotImplementedError

    def resend(self, submission_id: str, *, only_refused: bool = False) -> Submission:
        """Seals a new submission with the same content, to everyone or to those refused only."""
        raise NotImplementedError

    def delete(self, submission_id: str) -> None:
        """Deletes a row of the history and what only it refers to."""
        raise NotImplementedError

    def purge(self, before: datetime) -> int:
        """Deletes what ended before an instant; returns how many."""
        raise NotImplementedError

    def undoable(self) -> Submission | None:
        """The newest submission whose undo window is still open."""
        raise NotImplementedError

    # drafts

    def drafts(self, *, limit: int = 50, before: str | None = None) -> list[StoredDraft]:
        """Newest first."""
        raise NotImplementedError

    def draft(self, draft_id: str) -> StoredDraft:
        """Returns a draft (suffix allowed); raises `NotFound`."""
        raise NotImplementedError

    def save_draft(self, draft: Draft, *, draft_id: str | None = None, epoch: int | None = None) -> StoredDraft:
        """Saves every field; with a stale epoch the text is kept as a copy under a new ID."""
        raise NotImplementedError

    def delete_draft(self, draft_id: str) -> None:
        raise NotImplementedError

    # accounts and deliverers

    def account_holds(self) -> Mapping[str, AccountHold]:
        """Accounts whose mail waits, and why."""
        raise NotImplementedError

    def hold_account(self, name: str, reason: str = "held by you") -> None:
        raise NotImplementedError

    def release_account(self, name: str) -> None:
        raise NotImplementedError

    def open_count(self, account: str) -> int:
        """How many open submissions an account has."""
        raise NotImplementedError

    def counts(self) -> Mapping[State, int]:
        """How many open submissions there are, by state."""
        raise NotImplementedError

    def deliverers(self) -> list[Deliverer]:
        """Living processes that deliver."""
        raise NotImplementedError

    def has_changed(self) -> bool:
        """Says whether another process has committed to the outbox since the last call (cheap: poll it)."""
        raise NotImplementedError
