"""Whose turn it is to look for due mail: one process a data dir polls for all, by role; any may still claim.

The epoch in the database keeps two from sending the same; this only spares the machine the looking, and tells people
who delivers. A leader that dies (its lock is free) or no longer shows itself is followed by the next.
"""

from __future__ import annotations

from collections.abc import Callable

from tui_mailer.services.event import RoleChanged
from tui_mailer.services.who_sends import RANK, leader
from tui_mailer.services.workplace import Workplace
from tui_mailer.storage.row import displayed_owner


class Turn:
    """One process' place among those that deliver from the same outbox."""

    def __init__(self, work: Workplace, owner: str, unknown: Callable[[], frozenset[str]]) -> None:
        """``unknown`` names the accounts that aren't in this process' configuration."""
        self._work = work
        self._unknown = unknown
        self._owner = displayed_owner(owner)
        self._leader: str | None = None

    async def is_ours(self) -> bool:
        """Looks who leads, and tells the listener when that has changed."""
        if self._work.role not in RANK:
            return True
        now = self._work.now()
        first = leader(await self._work.db(self._work.store.outbox.deliverers), now)
        name = self._owner if first is None else first.owner
        if name != self._leader:
            self._leader = name
            self._work.emit(RoleChanged(leader=name, is_leading=name == self._owner))
        return name == self._owner or self._asks_for_secrets()

    def unserved(self) -> frozenset[str]:
        """Names the accounts this process can't send for: unknown ones; those whose secret the app asks for."""
        if self._work.role != "deliver":
            return self._unknown()
        return self._unknown() | self._prompting()

    def _asks_for_secrets(self) -> bool:
        return self._work.role == "app" and bool(self._prompting())

    def _prompting(self) -> frozenset[str]:
        accounts = self._work.directory.configuration.accounts.values()
        return frozenset(one.name for one in accounts if one.credential is not None and one.credential.kind == "prompt")
