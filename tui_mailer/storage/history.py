"""The history: what has ended, in the order it ended, found again by words."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from tui_mailer.domain.errors import NotFound
from tui_mailer.domain.submission import Attempt
from tui_mailer.storage.clock import to_microseconds
from tui_mailer.storage.codec import to_json
from tui_mailer.storage.database import Database, Row
from tui_mailer.storage.record import HistoryQuery, Submission
from tui_mailer.storage.row import attempts_of_ended_row, ended_row, submission_of_ended_row
from tui_mailer.storage.search import can_widen, match_expression
from tui_mailer.storage.statement import statements

MOST_COUNTED = 100_000
"""A count of search results stops here."""
_FOREVER = 2**62
_SLACK = 10_000
"""Milliseconds by which a row's position may lie after its end: as many may have ended in one."""
_BATCH = 200
"""Rows deleted or changed in one transaction: a writer waits no longer than that takes."""


class History:
    """The ended submissions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("history")

    def insert_many(self, many: Iterable[tuple[Submission, Sequence[Attempt]]]) -> None:
        """Adds ended submissions with their attempts, durably; those that are there stay as they are."""
        with self._database.transaction():
            for submission, attempts in many:
                if not self.has(submission.id):
                    self._insert(submission, attempts)

    def has(self, submission_id: str) -> bool:
        """Says whether a submission is in the history."""
        return self._database.row(self._sql["find_position"], {"id": submission_id}) is not None

    def get(self, submission_id: str) -> Submission:
        """Returns a submission; raises `NotFound`."""
        return submission_of_ended_row(self._row(submission_id))

    def attempts(self, submission_id: str) -> tuple[Attempt, ...]:
        """Returns every attempt, oldest first; raises `NotFound`."""
        return attempts_of_ended_row(self._row(submission_id))

    def page(self, query: HistoryQuery | None = None, limit: int = 50, before: str | None = None) -> list[Submission]:
        """Returns what matches, latest end first; ``before`` is the last ID of the page before.

        A page costs the same however long the history is: no row is ranked, counted or skipped.
        """
        bindings = _range(query)
        if before is not None:
            bindings["below"] = min(bindings["below"], self._row(before)["position"])
        expression = self._expression(query)
        if expression is not None:
            bindings["match"] = expression
        rows = self._database.rows(
            self._sql["page" if expression is None else "search_page"], {**bindings, "limit": limit}
        )
        return [submission_of_ended_row(row) for row in rows]

    def is_widened(self, query: HistoryQuery) -> bool:
        """Says whether a query's last word is taken for the beginning of one: nothing matches it as a whole word.

        Not always: the beginning of a common word costs a pass over all that hold it, a whole word only its page.
        """
        expression = match_expression(query)
        if expression is None or not can_widen(query):
            return False
        return self._database.row(self._sql["find_match"], {"match": expression}) is None

    def count(self, query: HistoryQuery | None = None) -> int:
        """Counts what matches, up to 100,000; the whole history exactly."""
        expression = self._expression(query)
        if query is None or (expression is None and query.before is None and query.after is None):
            return self._number("count_all", {})
        bindings = {**_range(query, is_exact=True), "limit": MOST_COUNTED}
        if expression is None:
            return self._number("count_range", bindings)
        return self._number("count_search", {**bindings, "match": expression})

    def delete(self, submission_id: str) -> None:
        """Deletes a submission and overwrites what it was kept in; raises `NotFound`."""
        with self._database.transaction():
            if not self._database.run(self._sql["delete"], {"id": submission_id}):
                raise NotFound(f"There is no submission {submission_id} in the history.")
        self._database.forget_log()

    def purge(self, before: datetime) -> list[str]:
        """Deletes what ended before an instant as `delete` does; returns the ids."""
        at = to_microseconds(before)
        purged: list[str] = []
        while True:
            with self._database.transaction():
                rows = self._database.rows(
                    self._sql["list_ended_before"], {"below": at // 1000 + _SLACK, "before": at, "limit": _BATCH}
                )
                self._database.run_many(self._sql["delete"], [{"id": row["id"]} for row in rows])
            if not rows:
                break
            purged.extend(row["id"] for row in rows)
        if purged:
            self._database.forget_log()
        return purged

    def expire(self, *, text_before: datetime | None, attachments_before: datetime | None) -> int:
        """Removes the text, or the hold on attachments, of what ended before an instant; returns how many lost text.

        Who, when and the subject stay. A message that came through ``sendmail`` is one piece, and goes with the text.
        """
        if attachments_before is not None:
            with self._database.transaction():
                self._database.run(
                    self._sql["drop_attachment_references"], {"before": to_microseconds(attachments_before)}
                )
        expired = 0
        while text_before is not None:
            with self._database.transaction():
                bindings = {"before": to_microseconds(text_before), "limit": _BATCH}
                rows = self._database.rows(self._sql["list_with_text"], bindings)
                for row in rows:
                    self._drop_text(row)
            if not rows:
                break
            expired += len(rows)
        if expired:
            self._database.forget_log()
        return expired

    def ids_ending(self, suffix: str) -> builtins.list[str]:
        """Lists the IDs with a suffix, two at most."""
        rows = self._database.rows(self._sql["list_ids_ending"], {"prefix": suffix[::-1]})
        return [row["id"] for row in rows]

    def references(self) -> set[str]:
        """Returns the digests of all spool objects that are still needed."""
        return {row["sha256"] for row in self._database.rows(self._sql["list_references"])}

    # small things

    def _expression(self, query: HistoryQuery | None) -> str | None:
        return match_expression(query, is_widened=self.is_widened(query)) if query else None

    def _row(self, submission_id: str) -> Row:
        row = self._database.row(self._sql["find"], {"id": submission_id})
        if row is None:
            raise NotFound(f"There is no submission {submission_id}.")
        return row

    def _number(self, statement: str, bindings: dict[str, Any]) -> int:
        row = self._database.row(self._sql[statement], bindings)
        return row["number"] if row else 0

    def _insert(self, submission: Submission, attempts: Sequence[Attempt]) -> None:
        row = ended_row(submission, attempts)
        wanted = {"wanted": row["ended_at"] // 1000}
        free = self._database.row(self._sql["free_position"], wanted) or {}
        position = free["position"]
        self._database.run(self._sql["insert"], {**row, "position": position})
        message = submission.message
        needed = {one.sha256: True for one in message.attachments if one.sha256}
        if message.raw_sha256:
            needed[message.raw_sha256] = False
        if submission.keep and needed:
            self._database.run_many(
                self._sql["insert_reference"],
                [
                    {"position": position, "sha256": one, "is_attachment": is_it, "ended_at": row["ended_at"]}
                    for one, is_it in needed.items()
                ],
            )

    def _drop_text(self, row: Row) -> None:
        submission = submission_of_ended_row(row)
        bare = replace(submission.message, text=None, html=None, raw_sha256=None, variables={})
        kept = replace(submission, message=bare, draft=None, is_in_history=False)
        self._database.run(self._sql["drop_text"], {"position": row["position"], "submission": to_json(kept)})
        self._database.run(self._sql["drop_text_references"], {"position": row["position"]})


def _range(query: HistoryQuery | None, *, is_exact: bool = False) -> dict[str, Any]:
    """Turns a query's dates into positions, and into instants for the rows at the edge."""
    before = to_microseconds(query.before) if query and query.before else _FOREVER
    after = to_microseconds(query.after) if query and query.after else -_FOREVER
    slack = 0 if is_exact else _SLACK
    below = before // 1000 + slack if before < _FOREVER else _FOREVER
    bindings: dict[str, Any] = {"below": below, "above": after // 1000 if after > -_FOREVER else -_FOREVER}
    return bindings if is_exact else {**bindings, "before": before, "after": after}
