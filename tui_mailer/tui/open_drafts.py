"""The messages that are open beside each other: their order, and where the cursor was in each."""

from __future__ import annotations

from typing import NamedTuple

from tui_mailer.tui.status import Status


class Place(NamedTuple):
    """Where one was writing."""

    field: str
    at: tuple[int, int] | None = None
    """Row and column in the body."""


class OpenDrafts:
    """Knows stored drafts by ID; the one being written may not be stored yet."""

    def __init__(self, status: Status) -> None:
        self._status = status
        self._places: dict[str, Place | None] = {}
        self.current: str | None = None
        """None: not stored yet."""

    def leave(self, draft_id: str | None, place: Place) -> None:
        """Keeps the message being written open while another is gone to."""
        if draft_id is not None:
            self._places[draft_id] = place

    def go_to(self, draft_id: str | None) -> Place | None:
        """Another message is being written; returns where one was in it."""
        self.current = draft_id
        if draft_id is not None:
            self._places.setdefault(draft_id, None)
        self._tell()
        return self._places.get(draft_id) if draft_id else None

    def stored(self, draft_id: str | None) -> None:
        """The one being written has this ID now; None: it was emptied, and isn't stored any more."""
        if draft_id == self.current:
            return
        self._places.pop(self.current or "", None)
        self.go_to(draft_id)

    def close(self, draft_id: str | None) -> None:
        """A message was put away, sent or deleted."""
        self._places.pop(draft_id or "", None)
        self._tell()

    def others(self) -> list[str]:
        """The other open ones, those after the present one first."""
        order = list(self._places)
        at = order.index(self.current) + 1 if self.current in self._places else len(order)
        return [one for one in order[at:] + order[:at] if one != self.current]

    def _tell(self) -> None:
        order = list(self._places)
        total = len(order) + (self.current is None)
        position = order.index(self.current) + 1 if self.current in self._places else total
        self._status.open_drafts = f"{position}/{total}" if total > 1 else ""
        self._status.changed()
