"""Reading the history in pages, both ways, by words and by dates; and counting, in steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tui_mailer.domain.errors import NotFound
from tui_mailer.storage.clock import to_microseconds
from tui_mailer.storage.database import Database
from tui_mailer.storage.record import CountStep, HistoryQuery, Submission
from tui_mailer.storage.row import listed_of_ended_row
from tui_mailer.storage.search import match_expression, may_be_unfinished
from tui_mailer.storage.statement import statements

MOST_COUNTED = 100_000
"""A count of search results stops here."""
POSITION_SLACK = 10_000
"""Milliseconds by which a row's position may lie after its end: as many may have ended in one."""
_FOREVER = 2**62


class HistoryReading:
    """Rows by position: the order in which they ended."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("history")

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
            "below": before // 1000 + POSITION_SLACK if before is not None else _FOREVER,
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

    def _number(self, statement: str, bindings: dict[str, Any]) -> int:
        row = self._database.row(self._sql[statement], bindings)
        return row["number"] if row else 0
