"""Whether the disk has room to record what is sent: while it hasn't nothing is claimed, and people are told why."""

from __future__ import annotations

from tui_mailer.services.event import RoomChanged
from tui_mailer.services.workplace import Workplace


class Room:
    """The disk of one store, as it was at the last look."""

    def __init__(self, work: Workplace) -> None:
        self._work = work
        self.is_enough = True
        """Until the first look: then a claim without room raises."""

    async def look(self) -> None:
        """Looks, and tells the listener when it has changed."""
        trouble = await self._work.db(self._work.store.ballast.trouble)
        if self.is_enough == (trouble is not None):
            self.is_enough = trouble is None
            self._work.emit(RoomChanged(trouble=trouble))
