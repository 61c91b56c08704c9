"""The history as rows by number, of which only the pages looked at are held.

The store pages by key (what is before this ID), so the first row of each page becomes known by walking there; a page
once passed is read again from its key at any time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable

from tui_mailer.storage.record import Submission

PAGE = 64
MOST_PAGES = 32
"""Held at once: 2,048 rows, whatever the history's length."""

Fetch = Callable[[int, str | None], Awaitable[list[Submission]]]
"""``(limit, before)``: the next rows older than an ID."""


class HistoryPages:
    """Rows of one query, newest first."""

    def __init__(self, fetch: Fetch, total: int) -> None:
        self._fetch = fetch
        self.total = total
        """How many rows there are; corrected when the end is met."""
        self._starts: list[str | None] = [None]
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

    async def load(self, index: int) -> None:
        """Reads the page of a row, walking there over keys where nobody has been yet."""
        wanted = index // PAGE
        while wanted >= len(self._starts) and not self._is_complete():
            await self._read(len(self._starts) - 1)
        if wanted < len(self._starts) and wanted not in self._pages:
            await self._read(wanted)

    def _is_complete(self) -> bool:
        last = len(self._starts) - 1
        page = self._pages.get(last)
        return page is not None and len(page) < PAGE

    async def _read(self, number: int) -> None:
        page = await self._fetch(PAGE, self._starts[number])
        self._pages[number] = page
        if len(page) == PAGE and number == len(self._starts) - 1:
            self._starts.append(page[-1].id)
        if len(page) < PAGE:
            self.total = number * PAGE + len(page)
        else:
            self.total = max(self.total, number * PAGE + len(page))
        while len(self._pages) > MOST_PAGES:
            self._pages.popitem(last=False)
