"""The history as rows by number, of which only the pages looked at are held.

The store pages by key (what ended before or after this ID). A page that borders on one that is held is read by its
key alone; a farther one by passing over the rows between, from the nearest place known: a held page, the first row, the
last one. So no way there leads through the pages between.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol

from tui_mailer.storage.record import CountStep, Submission

PAGE = 64
MOST_PAGES = 32
"""Held at once: 2,048 rows, whatever the history's length."""
COUNT_STEP = 100_000
"""Rows counted in one go: some milliseconds, in which nobody else is answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Rows to fetch."""

    limit: int
    skip: int
    """Rows to pass over first."""
    key: str | None
    """The ID to go on from; None: from the first row, or from the last."""
    is_upward: bool
    """Towards the first row (the newest) rather than the last."""


class Shelf(Protocol):
    """Where the rows of one query come from."""

    def fetch(self, span: Span) -> Awaitable[list[Submission]]:
        """Returns the rows of a span, first one first."""
        ...

    def count(self, below: int | None, limit: int) -> Awaitable[CountStep]:
        """Counts on from where the last step stopped."""
        ...


class HistoryPages:
    """Rows of one query, newest first."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self.total = 0
        """How many rows are known of; all of them once `is_counted`."""
        self.is_counted = False
        self._pages: OrderedDict[int, list[Submission]] = OrderedDict()

    def get(self, index: int) -> Submission | None:
        """The row, if its page is held."""
        page = self._pages.get(index // PAGE)
        if page is None or index % PAGE >= len(page):
            return None
        self._pages.move_to_end(index // PAGE)
        return page[index % PAGE]

    def is_held(self, index: int) -> bool:
        """Says whether the row's page is held."""
        return index // PAGE in self._pages

    async def count(self) -> None:
        """Counts all rows, step by step; others are answered between."""
        counted, below = 0, None
        while not self.is_counted:
            step = await self._shelf.count(below, COUNT_STEP)
            counted += step.number
            below = step.below
            self.total = max(self.total, counted)
            if below is None:
                self.total, self.is_counted = counted, True

    async def load(self, index: int) -> None:
        """Reads the page of a row, unless it is held."""
        number = index // PAGE
        if number in self._pages:
            return
        page = await self._shelf.fetch(self._span(number))
        self._pages[number] = page
        seen = number * PAGE + len(page)
        if not self.is_counted:
            self.total = max(self.total, seen)
            self.is_counted = 0 < len(page) < PAGE or seen == 0
        while len(self._pages) > MOST_PAGES:
            self._pages.popitem(last=False)

    def _span(self, number: int) -> Span:
        """The cheapest way to a page: the one that passes over the fewest rows."""
        start = number * PAGE
        limit = min(PAGE, self.total - start) if self.is_counted else PAGE
        ways = [Span(limit=limit, skip=start, key=None, is_upward=False)]
        if self.is_counted:
            ways.append(Span(limit=limit, skip=self.total - start - limit, key=None, is_upward=True))
        for held, page in self._pages.items():
            if page and held < number:
                skip = start - held * PAGE - len(page)
                ways.append(Span(limit=limit, skip=skip, key=page[-1].id, is_upward=False))
            elif page and held > number:
                ways.append(Span(limit=limit, skip=held * PAGE - start - limit, key=page[0].id, is_upward=True))
        return min((way for way in ways if way.skip >= 0), key=lambda way: way.skip)
