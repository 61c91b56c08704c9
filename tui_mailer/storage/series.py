"""Series of recurring mail: a rule, what its occurrences are made from, and the one made last.

An occurrence and the note that it was made are one transaction, guarded by what was seen: killed or raced, each is made
once.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from tui_mailer.domain.errors import NotFound, TooLate
from tui_mailer.domain.submission import State
from tui_mailer.storage.clock import from_microseconds, to_microseconds
from tui_mailer.storage.codec import from_json, to_json
from tui_mailer.storage.move import Moves
from tui_mailer.storage.record import DraftRef, NewSubmission, SeriesRule, Submission
from tui_mailer.storage.sealing import Sealing
from tui_mailer.storage.statement import statements
from tui_mailer.storage.submission_table import OutboxParts


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleSeries:
    """A series that wants its next occurrence."""

    rule: SeriesRule
    last_at: datetime
    """Time of the occurrence made last."""
    occurrence_id: str
    is_waiting: bool
    """That one waits as it was made: nobody has tried, held or moved it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesStep:
    """What becomes of a stale series: a new occurrence, the waiting one moved on, or the end."""

    made: NewSubmission | None = None
    moved_to: datetime | None = None
    remark: str | None = None
    """Why it was moved."""


class SeriesTable(Sealing, Moves):
    """Series of the outbox."""

    def __init__(self, parts: OutboxParts) -> None:
        super().__init__(parts)
        self._series_sql = statements("series")

    def seal_series(self, rule: SeriesRule, first: NewSubmission, *, draft: DraftRef | None = None) -> list[Submission]:
        """Makes a series durable with its first occurrence; one whose key is known is returned instead."""

        def note() -> None:
            self._database.run(
                self._series_sql["insert"],
                {
                    "id": rule.id,
                    "rule": rule.rule,
                    "words": rule.words,
                    "zone": rule.zone,
                    "start": rule.start.isoformat(),
                    "last_at": to_microseconds(first.not_before),
                    "occurrence_id": first.message.id,
                    "template": to_json(first),
                },
            )

        return self.seal([first], draft=draft, note=note)

    def stale_series(self, now: datetime) -> list[StaleSeries]:
        """Lists the series whose last occurrence has come or has gone."""
        return [
            StaleSeries(
                rule=SeriesRule(
                    id=row["id"],
                    rule=row["rule"],
                    words=row["words"],
                    zone=row["zone"],
                    start=datetime.fromisoformat(row["start"]),
                ),
                last_at=from_microseconds(row["last_at"]),
                occurrence_id=row["occurrence_id"],
                is_waiting=row["state"] == State.QUEUED and not row["attempts"] and row["not_before"] == row["last_at"],
            )
            for row in self._database.rows(self._series_sql["list_stale"], {"now": to_microseconds(now)})
        ]

    def series_template(self, series_id: str) -> NewSubmission:
        """Returns what occurrences are made from; raises `NotFound` once the series has been stopped."""
        row = self._database.row(self._series_sql["find"], {"id": series_id})
        if row is None:
            raise NotFound("The series was stopped meanwhile.")
        return from_json(NewSubmission, row["template"])

    def advance_series(self, seen: StaleSeries, step: SeriesStep) -> bool:
        """Takes a step, if the series still is as it was seen; without anything to make or move, it ends."""
        at = step.made.not_before if step.made else step.moved_to
        bindings = {
            "id": seen.rule.id,
            "seen_at": to_microseconds(seen.last_at),
            "seen_id": seen.occurrence_id,
            "last_at": None if at is None else to_microseconds(at),
            "occurrence_id": step.made.message.id if step.made else seen.occurrence_id,
        }

        def swap() -> None:
            if not self._database.run(self._series_sql["finish" if at is None else "advance"], bindings):
                raise TooLate("Another process was faster.", state="")
            if step.moved_to is not None:
                row = self._row(seen.occurrence_id)
                due_at = to_microseconds(step.moved_to)
                self._move(row, State(row["state"]), not_before=due_at, due_at=due_at, error=step.remark)

        with suppress(TooLate):
            if step.made is not None:
                self.seal([step.made], note=swap)
            else:
                with self._database.transaction():
                    swap()
            return True
        return False

    def stop_series(self, series_id: str) -> Submission | None:
        """Ends a series; its occurrence that waits is canceled and returned; raises `NotFound` if it has ended."""
        with self._database.transaction():
            row = self._database.row(self._series_sql["find"], {"id": series_id})
            if row is None:
                raise NotFound("That series has ended.")
            self._database.run(self._series_sql["delete"], {"id": series_id})
        with suppress(TooLate, NotFound):
            return self.cancel(row["occurrence_id"], "canceled by you, with all that follow")
        return None

    def occurrences_ending(self, suffix: str) -> list[str]:
        """Lists the last occurrences of the series whose ID has a suffix."""
        rows = self._database.rows(self._series_sql["list_occurrences_ending"], {"suffix": suffix})
        return [row["occurrence_id"] for row in rows]

    def has_series(self, series_id: str) -> bool:
        """Says whether a series goes on."""
        return self._database.row(self._series_sql["find"], {"id": series_id}) is not None

    def series_texts(self) -> Sequence[str]:
        """Returns the templates as stored: what names spool objects."""
        return [row["template"] for row in self._database.rows(self._series_sql["list_templates"])]
