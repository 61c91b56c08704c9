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
from tui_mailer.storage.record import CountStep, HistoryQuery, Submission
from tui_mailer.storage.row import attempts_of_ended_row, ended_row, listed_of_ended_row, submission_of_ended_row
from tui_mailer.storage.search import match_expression, may_be_unfinished
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

    def page(
        self, query: HistoryQuery | None = None, limit: int = 50, before: str | None = None, *, skip: int = 0
    ) -> list[Submission]:
        """Returns what matches, latest end first, without texts; ``before`` is the last ID of the page before.

        A page costs the same however long the history is: no row is ranked or counted. ``skip`` passes over rows at
        the cost of an index entry each. Raises `NotFound` when ``before`` isn't in the history.
        """
        bindings = self._bindings(query)
        if before is not None:
            bindings["below"] = min(bindings["below"], self._position(before))
        return self._page("older", {**bindings, "limit": limit, "skip": skip})

    def page_up(
        self, query: HistoryQuery | None = None, limit: int = 50, after: str | None = None, *, skip: int = 0
    ) -> list[Submission]:
        """Returns what matches and ended next after an ID, or first of all; latest end first, as `page` does."""
        bindings = self._bindings(query)
        if after is not None:
            bindings["over"] = max(bindings["over"], self._position(after))
        return self._page("newer", {**bindings, "limit": limit, "skip": skip})

    def count(self, query: HistoryQuery | None = None) -> int:
        """Counts what matches, up to 100,000; the whole history exactly."""
        if query is None or query == HistoryQuery():
            return self._number("count_all", {})
        return self.count_step(query, None, MOST_COUNTED).number

    def count_step(self, query: HistoryQuery | None, below: int | None, limit: int) -> CountStep:
        """Counts at most ``limit`` of what matches, going down from where the last step stopped (None: the newest)."""
        bindings = self._bindings(query)
        bindings["below"] = min(bindings["below"], below if below is not None else _FOREVER)
        statement = "count_search_older" if "match" in bindings else "count_older"
        (row,) = self._database.rows(self._sql[statement], {**bindings, "limit": limit})
        return CountStep(number=row["number"], below=row["lowest"] if row["number"] == limit else None)

    def count_newer(self, query: HistoryQuery | None, submission_id: str) -> int:
        """Counts what matches and ended after a submission; raises `NotFound`."""
        bindings = self._bindings(query)
        bindings["over"] = max(bindings["over"], self._position(submission_id))
        statement = "count_search_older" if "match" in bindings else "count_older"
        return self._number(statement, {**bindings, "limit": -1})

    def delete(self, submission_id: str) -> None:
        """Deletes a submission and overwrites what it was kept in; raises `NotFound`."""
        with self._database.transaction():
            if not self._database.run(self._sql["delete"], {"id": submission_id}):
                raise NotFound(f"There is no submission {submission_id} in the history.")
        self._database.forget_log()

    def purge(self, before: datetime) -> list[str]:
        """Deletes what ended before an instant as `delete` does; returns the ids."""
        purged: list[str] = []
        while some := self._purge_batch(before):
            purged.extend(some)
        if purged:
            self._database.forget_log()
        return purged

    def purge_some(self, before: datetime) -> list[str]:
        """Deletes a few hundred of what ended before an instant; returns the ids, none once there are none left."""
        purged = self._purge_batch(before)
        if len(purged) < _BATCH:
            self._database.forget_log()
        return purged

    def _purge_batch(self, before: datetime) -> list[str]:
        at = to_microseconds(before)
        with self._database.transaction():
            rows = self._database.rows(
                self._sql["list_ended_before"], {"below": at // 1000 + _SLACK, "before": at, "limit": _BATCH}
            )
            self._database.run_many(self._sql["delete"], [{"id": row["id"]} for row in rows])
        return [row["id"] for row in rows]

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

    def effective(self, query: HistoryQuery) -> HistoryQuery:
        """The query as it is meant: a last word that nothing has is taken for the beginning of one."""
        if query.unfinished or not query.words:
            return query
        expression = match_expression(query, self._beginnings)
        is_met = self._database.row(self._sql["find_match"], {"match": expression}) is not None
        return query if is_met else may_be_unfinished(query)

    def _page(self, direction: str, bindings: dict[str, Any]) -> list[Submission]:
        kind = "search" if "match" in bindings else "page"
        rows = self._database.rows(self._sql[f"{kind}_{direction}"], bindings)
        return [listed_of_ended_row(row) for row in rows]

    def _bindings(self, query: HistoryQuery | None) -> dict[str, Any]:
        """Turns a query into its full-text expression, if it needs one, and its dates into positions.

        By the table they are exact; a search goes by positions alone, which lie after the end by as many milliseconds
        as ended in the same one.
        """
        before = to_microseconds(query.before) if query and query.before else None
        after = to_microseconds(query.after) if query and query.after else None
        expression = match_expression(self.effective(query), self._beginnings) if query else None
        over = after // 1000 - 1 if after is not None else -_FOREVER
        if expression is not None:
            return {"match": expression, "over": over, "below": -(-before // 1000) if before is not None else _FOREVER}
        return {
            "over": over,
            "below": before // 1000 + _SLACK if before is not None else _FOREVER,
            "before": before if before is not None else _FOREVER,
            "after": after if after is not None else -_FOREVER,
        }

    def _beginnings(self, beginning: str, limit: int) -> Sequence[str]:
        rows = self._database.rows(self._sql["list_beginnings"], {"beginning": beginning, "limit": limit})
        return [row["term"] for row in rows]

    def _position(self, submission_id: str) -> int:
        row = self._database.row(self._sql["find_position"], {"id": submission_id})
        if row is None:
            raise NotFound(f"There is no submission {submission_id} in the history.")
        return row["position"]

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
