"""What has ended as one list, latest end first: on top what is still in the outbox, below it the history."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tui_mailer.domain.errors import NotFound
from tui_mailer.storage.history import History
from tui_mailer.storage.outbox import Outbox
from tui_mailer.storage.record import CountStep, HistoryQuery, Submission
from tui_mailer.storage.search import matches


class EndedList:
    """Pages and counts over both databases.

    What isn't moved yet ended last, for it is moved in the order it ended. A row is in both for the moment between the
    two commits: the history has it then. Few are unmoved: the deliverer moves them as it goes.
    """

    def __init__(self, outbox: Outbox, history: Callable[[], History]) -> None:
        self._outbox = outbox
        self._open_history = history

    def page(
        self, query: HistoryQuery | None = None, limit: int = 50, before: str | None = None, *, skip: int = 0
    ) -> list[Submission]:
        """Returns what matches and ended before an ID, passing over ``skip`` rows; without texts.

        Raises `NotFound` when ``before`` is nowhere.
        """
        unmoved, known = self._unmoved(query)
        is_unmoved = before in unmoved
        start = (unmoved.index(before) + 1 if is_unmoved else len(unmoved)) if before is not None else 0
        found = [self._get(one, known) for one in unmoved[start + skip :][:limit]]
        if len(found) < limit:
            passed = max(0, skip - (len(unmoved) - start))
            cursor = None if is_unmoved else before
            # What another process has moved since is at the top of the history now, and must not be listed twice.
            below = self._history.page(query, limit - len(found) + len(unmoved), cursor, skip=passed)
            found += [one for one in below if one.id not in unmoved]
        return found[:limit]

    def page_up(
        self, query: HistoryQuery | None = None, limit: int = 50, after: str | None = None, *, skip: int = 0
    ) -> list[Submission]:
        """Returns what matches and ended next after an ID, or first of all; latest end first, without texts.

        Raises `NotFound` when ``after`` is nowhere.
        """
        unmoved, known = self._unmoved(query)
        end = unmoved.index(after) if after in unmoved else len(unmoved)
        older: list[Submission] = []
        if after not in unmoved:
            older = [one for one in self._history.page_up(query, limit, after, skip=skip) if one.id not in unmoved]
            if older:
                skip = 0
            elif skip:
                skip -= self._history.count(query) if after is None else self._history.count_newer(query, after)
        end = max(0, end - skip)
        start = max(0, end - (limit - len(older)))
        return [*(self._get(one, known) for one in unmoved[start:end]), *older]

    def count(self, query: HistoryQuery | None = None) -> int:
        """Counts what matches; a search only up to 100,000."""
        return len(self._unmoved(query)[0]) + self._history.count(query)

    def count_step(self, query: HistoryQuery | None, below: int | None, limit: int) -> CountStep:
        """Counts what matches in steps, each of them short; the first one has what isn't moved yet, too."""
        step = self._history.count_step(query, below, limit)
        more = len(self._unmoved(query)[0]) if below is None else 0
        return CountStep(number=step.number + more, below=step.below)

    def index_of(self, query: HistoryQuery | None, submission_id: str) -> int:
        """Tells how many rows that match are above one; raises `NotFound` when it is nowhere."""
        unmoved = self._unmoved(query)[0]
        if submission_id in unmoved:
            return unmoved.index(submission_id)
        return len(unmoved) + self._history.count_newer(query, submission_id)

    @property
    def _history(self) -> History:
        return self._open_history()

    def _unmoved(self, query: HistoryQuery | None) -> tuple[list[str], Mapping[str, Submission]]:
        """Lists what only the outbox has, and what of it had to be read to match it."""
        ids = [one for one in self._outbox.ended_ids() if not self._history.has(one)]
        if not ids or query is None or query == HistoryQuery():
            return ids, {}
        effective = self._history.effective(query)
        known = {one.id: one for one in self._outbox.list_ended(-1) if one.id in ids and matches(effective, one)}
        return list(known), known

    def _get(self, submission_id: str, known: Mapping[str, Submission]) -> Submission:
        if submission_id in known:
            return known[submission_id]
        try:
            return self._outbox.get(submission_id)
        except NotFound:
            return self._history.get(submission_id)
