"""The outbox: what is sealed and hasn't ended, and everything that moves it on."""

from __future__ import annotations

import builtins
import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from tui_mailer.domain.errors import NotFound
from tui_mailer.domain.submission import OPEN_STATES, Attempt, State
from tui_mailer.storage.clock import from_microseconds, to_microseconds
from tui_mailer.storage.record import Submission
from tui_mailer.storage.recovery import Recovery
from tui_mailer.storage.series import SeriesTable
from tui_mailer.storage.statement import statements
from tui_mailer.storage.submission_table import OutboxParts


class AnnouncedSize(NamedTuple):
    """What a mail server takes (RFC 1870)."""

    max_size: int
    """Bytes of a message on the wire."""
    at: datetime
    """When it said so."""


class Outbox(SeriesTable, Recovery):
    """Listing; `sealing` brings in, `lease` and `recovery` deliver, `poll` asks, `move` is a person's."""

    def __init__(self, parts: OutboxParts) -> None:
        super().__init__(parts)
        self._seen_version = self._database.data_version()

    # reading

    def list(
        self,
        *,
        states: Collection[State] = OPEN_STATES,
        limit: int = 50,
        before: str | None = None,
        account: str | None = None,
    ) -> list[Submission]:
        """Returns a page, newest first, without drafts; ``before`` is the last ID of the page before."""
        bindings = {"states": json.dumps(sorted(states)), "limit": limit, "before": before, "account": account}
        return self._whole("list_newest_of_many" if State.QUEUED in states else "list_newest", bindings)

    def counts(self) -> dict[State, int]:
        """Counts the open submissions by state; states without any are missing."""
        counted = {State(row["state"]): row["number"] for row in self._database.rows(self._sql["count_states"])}
        return {state: number for state, number in counted.items() if state in OPEN_STATES}

    def open_count(self, account: str) -> int:
        """Counts an account's open submissions."""
        row = self._database.row(self._sql["count_open"], {"account": account})
        return row["number"] if row else 0

    def undoable(self, now: datetime) -> Submission | None:
        """Returns the newest submission whose undo window is open."""
        with self._database.snapshot():
            row = self._database.row(self._sql["find_undoable"], {"now": to_microseconds(now)})
            return self.get(row["id"]) if row else None

    def has_changed(self) -> bool:
        """Says whether another connection has committed since the last call; a few microseconds.

        Raises `NewerDatabase` when a newer program has brought the database up to its own format.
        """
        version = self._database.data_version()
        has_changed, self._seen_version = version != self._seen_version, version
        return has_changed

    def announced_size(self, server: str) -> AnnouncedSize | None:
        """Tells what a server (``host:port``) said last that it takes; None: no limit, or nothing yet."""
        row = self._database.row(statements("announced")["find"], {"server": server})
        if row is None or not row["max_size"]:
            return None
        return AnnouncedSize(max_size=row["max_size"], at=from_microseconds(row["announced_at"]))

    def note_announced_size(self, server: str, max_size: int, now: datetime) -> None:
        """Keeps what a server says it takes, in bytes; 0: it names no limit."""
        with self._database.transaction(is_durable=False):
            bindings = {"server": server, "max_size": max_size, "now": to_microseconds(now)}
            self._database.run(statements("announced")["note"], bindings)

    def ids_ending(self, suffix: str) -> builtins.list[str]:
        """Lists the IDs with a suffix."""
        return [row["id"] for row in self._database.rows(self._sql["list_ids_ending"], {"suffix": suffix})]

    def texts(self) -> builtins.list[str]:
        """Returns every sealed message and draft as stored: what names spool objects."""
        rows = self._database.rows(self._sql["list_messages"])
        sealed = [text for row in rows for text in (row["message"], row["draft"]) if text]
        return [*sealed, *self.series_texts()]

    # moving into the history

    def list_ended(self, limit: int, before: str | None = None) -> builtins.list[Submission]:
        """Returns what has ended and isn't moved yet, latest end first; raises `NotFound` when ``before`` is moved."""
        with self._database.snapshot():
            bindings = {"limit": limit, "before": before, "before_at": None}
            if before is not None:
                row = self._database.row(self._sql["find_state"], {"id": before})
                if row is None or row["ended_at"] is None:
                    raise NotFound(f"{before} isn't among what has ended in the outbox.")
                bindings["before_at"] = row["ended_at"]
            return self._whole("list_ended_newest", bindings)

    def ended_ids(self) -> builtins.list[str]:
        """Lists the ids of what has ended and isn't moved yet, latest end first."""
        return [row["id"] for row in self._database.rows(self._sql["list_ended_ids"])]

    def take_ended(self, limit: int) -> builtins.list[tuple[Submission, tuple[Attempt, ...]]]:
        """Returns what ended first, with its attempts, for the history to keep."""
        with self._database.snapshot():
            return [(one, self.attempts(one.id)) for one in self._whole("list_ended_oldest", {"limit": limit})]

    def open_ids(self) -> builtins.list[str]:
        """Lists the ids of what hasn't ended."""
        return [row["id"] for row in self._database.rows(self._sql["list_open_ids"])]

    def forget_outdated(self, ids: Iterable[str]) -> None:
        """Deletes what is open here only because this is an older copy put back: the history says how it ended."""
        outdated = tuple(ids)
        with self._database.transaction():
            self._database.run_many(self._sql["delete_outdated"], [{"id": one} for one in outdated])
        self._parts.sidecars.remove(outdated)

    def forget(self, ids: Iterable[str]) -> None:
        """Deletes ended submissions that the history holds."""
        gone = tuple(ids)
        # If a power cut takes this back, the next move finds them in the history and does it again.
        with self._database.transaction(is_durable=False):
            self._database.run_many(self._sql["delete"], [{"id": one} for one in gone])
        self._parts.sidecars.remove(gone)
