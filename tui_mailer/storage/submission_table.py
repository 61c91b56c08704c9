"""Submissions in the outbox: reading them, and the one guarded way to change one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import DamagedStore, NotFound, TooLate
from tui_mailer.domain.message import Message
from tui_mailer.domain.submission import ENDED_STATES, TRANSITIONS, Attempt, Recipient, State
from tui_mailer.storage.ballast import Ballast
from tui_mailer.storage.clock import Clock, to_microseconds
from tui_mailer.storage.codec import from_json
from tui_mailer.storage.database import Bindings, Database, Row
from tui_mailer.storage.draft import Drafts
from tui_mailer.storage.host import Host
from tui_mailer.storage.lock import OwnerLocks
from tui_mailer.storage.record import NewSubmission, Submission
from tui_mailer.storage.row import attempt_of_row, recipient_of_row, recipient_rows, submission_of_row
from tui_mailer.storage.sidecar import Sidecars
from tui_mailer.storage.statement import statements

_OF_A_LEASE = ("owner", "lease_boot", "lease_until", "claimed_from", "claimed_at", "bytes_sent", "bytes_total")
"""What a row has only while it is being sent."""


@dataclass(frozen=True, slots=True)
class OutboxParts:
    """What an outbox is made of."""

    database: Database
    drafts: Drafts
    clock: Clock
    locks: OwnerLocks
    sidecars: Sidecars
    ballast: Ballast
    host: Host
    find_ended: Callable[[str], Submission]
    """Looks a submission up in the history; raises `NotFound`."""


class SubmissionTable:
    """The rows of the outbox."""

    def __init__(self, parts: OutboxParts) -> None:
        self._parts = parts
        self._database = parts.database
        self._clock = parts.clock
        self._sql = statements("outbox")

    def get(self, submission_id: str) -> Submission:
        """Returns a submission, its draft included; raises `NotFound`."""
        with self._database.snapshot():
            row = self._database.row(self._sql["find"], {"id": submission_id})
            if row is None:
                raise NotFound(f"There is no submission {submission_id} in the outbox.")
            return self._whole_of(row, self._recipients(submission_id))

    def has(self, submission_id: str) -> bool:
        """Says whether the outbox holds a submission."""
        return self._database.row(self._sql["find_state"], {"id": submission_id}) is not None

    def attempts(self, submission_id: str) -> tuple[Attempt, ...]:
        """Returns every attempt, oldest first; raises `NotFound`."""
        with self._database.snapshot():
            rows = self._database.rows(self._sql["list_attempts"], {"id": submission_id})
            if not rows and not self.has(submission_id):
                raise NotFound(f"There is no submission {submission_id} in the outbox.")
        return tuple(attempt_of_row(one) for one in rows)

    def notes(self, submission_id: str) -> dict[str, str]:
        """Returns what all attempts of its account have noted on the way, the newest of each name."""
        rows = self._database.rows(self._sql["list_notes"], {"id": submission_id})
        return {name: value for row in rows for name, value in json.loads(row["note"]).items()}

    # for the rooms built on this one; called inside a transaction

    def _row(self, submission_id: str) -> Row:
        """Reads a row to decide on; raises `TooLate` for what is history, `NotFound` for what never was."""
        row = self._database.row(self._sql["find_state"], {"id": submission_id})
        if row is not None:
            return row
        ended = self._parts.find_ended(submission_id)
        raise TooLate(f"Too late: {submission_id} is {ended.state} and in the history.", state=ended.state)

    def _recipients(self, submission_id: str) -> tuple[Recipient, ...]:
        rows = self._database.rows(self._sql["list_recipients"], {"id": submission_id})
        return tuple(recipient_of_row(one) for one in rows)

    def _whole(self, statement: str, bindings: Bindings) -> list[Submission]:
        """Reads whole submissions, with one query for all their recipients."""
        with self._database.snapshot():
            return self._with_recipients(self._database.rows(self._sql[statement], bindings))

    def _with_recipients(self, rows: Sequence[Row]) -> list[Submission]:
        recipients: dict[str, list[Recipient]] = {row["id"]: [] for row in rows}
        for one in self._database.rows(self._sql["list_recipients_of"], {"ids": json.dumps(list(recipients))}):
            recipients[one["submission_id"]].append(recipient_of_row(one))
        return [self._whole_of(row, tuple(recipients[row["id"]])) for row in rows]

    def _whole_of(self, row: Row, recipients: tuple[Recipient, ...]) -> Submission:
        """Makes it from its row with message and draft; what is damaged there, from its sealed copy."""
        try:
            return submission_of_row(row, recipients)
        except DamagedStore:
            copy = self._sealed_copy(row["id"])
            return submission_of_row({**row, "draft": None}, recipients, message=copy.message, draft=copy.draft)

    def _sealed_copy(self, submission_id: str) -> NewSubmission:
        copy = self._parts.sidecars.find(submission_id)
        if copy is None:
            raise DamagedStore(
                f"What is kept of {submission_id} isn't what was written, and its sealed copy is gone. See a backup."
            )
        return copy

    def _message(self, submission_id: str) -> Message:
        row = self._database.row(self._sql["find_message"], {"id": submission_id})
        if row is None:
            raise NotFound(f"There is no submission {submission_id} in the outbox.")
        try:
            return from_json(Message, row["message"])
        except DamagedStore:
            return self._sealed_copy(submission_id).message

    def _draft(self, submission_id: str) -> Draft | None:
        row = self._database.row(self._sql["find_draft"], {"id": submission_id})
        try:
            return from_json(Draft, row["draft"]) if row and row["draft"] else None
        except DamagedStore:
            return self._sealed_copy(submission_id).draft

    def _move(self, row: Row, state: State, **changes: Any) -> Row:
        """Moves a row that was read in this transaction to a state and returns it as it then is.

        Raises `TooLate` for a move that `TRANSITIONS` doesn't know; staying in a state is always legal.
        """
        seen = State(row["state"])
        if state is not seen and state not in TRANSITIONS[seen]:
            raise TooLate(f"Too late: {row['id']} is {seen}, it can't become {state}.", state=seen)
        now = to_microseconds(self._clock.now())
        moved: dict[str, Any] = {**row, **changes, "state": str(state), "updated_at": now}
        moved["ended_at"] = now if state in ENDED_STATES else None
        if state not in (State.QUEUED, State.DEFERRED):
            moved["due_at"] = None
        if state is not State.SENDING:
            moved.update(dict.fromkeys(_OF_A_LEASE))
        if state is not State.HELD:
            moved["held_reason"] = None
        if not self._database.run(self._sql["move"], {**moved, "seen_state": seen, "seen_epoch": row["epoch"]}):
            raise TooLate(f"Too late: {row['id']} has changed meanwhile.", state=seen)
        return moved

    def _update_recipients(self, submission_id: str, old: Iterable[Recipient], new: Sequence[Recipient]) -> None:
        rows = recipient_rows(submission_id, new)
        changed = [row for row, before, after in zip(rows, old, new, strict=True) if before != after]
        if changed:
            self._database.run_many(self._sql["update_recipient"], changed)
