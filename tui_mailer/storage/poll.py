"""Whom to ask next what became of a message: planned with the outcome, taken by one process at a time."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tui_mailer.domain.submission import RecipientStatus, State
from tui_mailer.domain.timeline import StatusEvent, refine, state_when_left
from tui_mailer.storage.clock import from_microseconds, to_microseconds
from tui_mailer.storage.codec import to_json
from tui_mailer.storage.database import Row
from tui_mailer.storage.record import Submission
from tui_mailer.storage.row import submission_of_row, timeline_of_row
from tui_mailer.storage.statement import statements
from tui_mailer.storage.submission_table import OutboxParts, SubmissionTable

POLL_LEASE = timedelta(minutes=2)
"""Who asks has so long; then another process may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """One question to a provider, taken."""

    submission_id: str
    account: str
    since: datetime
    """When the first question was planned."""
    asked: int
    """How often it has been asked, this time included."""


class Polls(SubmissionTable):
    """The questions that are open, and what their answers change."""

    def __init__(self, parts: OutboxParts) -> None:
        super().__init__(parts)
        self._poll_sql = statements("poll")

    def plan_poll(self, submission_id: str, account: str, at: datetime, *, is_durable: bool = False) -> None:
        """Has a provider asked about a message at an instant."""
        with self._database.transaction(is_durable=is_durable):
            self._plan_poll(submission_id, account, at)

    def take_poll(self, now: datetime, *, skip_accounts: Collection[str] = ()) -> Poll | None:
        """Takes the question that is due first; nobody else gets it for `POLL_LEASE`."""
        bindings = {"now": to_microseconds(now), "skip": json.dumps(sorted(skip_accounts))}
        if self._database.row(self._poll_sql["find_due"], bindings) is None:
            return None
        with self._database.transaction(is_durable=False):
            row = self._database.row(self._poll_sql["find_due"], bindings)
            if row is None:
                return None
            until = to_microseconds(now + POLL_LEASE)
            self._database.run(
                self._poll_sql["take"], {"id": row["submission_id"], "due_at": row["due_at"], "until": until}
            )
            return Poll(
                submission_id=row["submission_id"],
                account=row["account"],
                since=from_microseconds(row["since"]),
                asked=row["asked"] + 1,
            )

    def end_poll(self, submission_id: str, *, next_at: datetime | None) -> None:
        """Plans the next question; None: there is nothing more to ask."""
        with self._database.transaction(is_durable=False):
            if next_at is None:
                self._database.run(self._poll_sql["end"], {"id": submission_id})
            else:
                bindings = {"id": submission_id, "due_at": to_microseconds(next_at)}
                self._database.run(self._poll_sql["postpone"], bindings)

    def poll_of(self, submission_id: str) -> datetime | None:
        """Tells when the provider is asked about a submission next; None: it isn't, or not any more."""
        row = self._database.row(self._poll_sql["find"], {"id": submission_id})
        return from_microseconds(row["due_at"]) if row else None

    def next_poll(self, *, skip_accounts: Collection[str] = ()) -> datetime | None:
        """Tells when the next question is due."""
        row = self._database.row(self._poll_sql["next_due"], {"skip": json.dumps(sorted(skip_accounts))})
        return from_microseconds(row["due_at"]) if row and row["due_at"] is not None else None

    def refine(
        self, submission_id: str, learnt: Sequence[StatusEvent], *, has_left: bool, is_unknown: bool = False
    ) -> Submission:
        """Keeps what a provider told of an open submission; one that has left the provider ends.

        Where the provider itself can't say whether it has sent it (``is_unknown``), it becomes uncertain.

        Raises `NotFound` and, for what is history by now, `TooLate`.
        """
        with self._database.transaction():
            row = self._row(submission_id)
            before = self._recipients(submission_id)
            after, timeline = refine(before, timeline_of_row(row), learnt)
            self._database.run(self._poll_sql["refine"], {"id": submission_id, "timeline": to_json(timeline)})
            row = {**row, "timeline": to_json(timeline)}
            state = state_when_left(after)
            is_over = has_left or state is State.FAILED
            if row["state"] == State.HANDED_OVER and has_left and is_unknown and state is State.SENT:
                state = State.UNCERTAIN
                after = tuple(replace(one, status=RecipientStatus.UNKNOWN) for one in after)
            self._update_recipients(submission_id, before, after)
            if row["state"] == State.HANDED_OVER and is_over:
                error = next((one.detail for one in after if one.detail), None) if state is not State.SENT else None
                sent_at = max(row["sent_at"] or 0, row["not_before"]) if state is not State.FAILED else None
                row = self._move(row, state, sent_at=sent_at, error=error)
            return submission_of_row(row, after, message=self._message(submission_id), draft=self._draft(submission_id))

    def _plan_poll(self, submission_id: str, account: str, at: datetime) -> None:
        self._database.run(
            self._poll_sql["plan"],
            {
                "id": submission_id,
                "account": account,
                "due_at": to_microseconds(at),
                "now": to_microseconds(self._clock.now()),
            },
        )

    def _end_poll(self, row: Row) -> None:
        self._database.run(self._poll_sql["end"], {"id": row["id"]})
