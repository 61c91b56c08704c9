"""A copy of the outbox for each day, from which drafts and keys come back when the outbox is damaged.

In a copy everything that was to go out is held: put in the outbox' place, it sends nothing by itself, for what it
knows is older than what has been sent since.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import apsw

from tui_mailer.domain.errors import StorageError
from tui_mailer.storage.database import Database, copy_database
from tui_mailer.storage.file_system import free_bytes, make_private_directory, reason, sync_content, sync_directory
from tui_mailer.storage.statement import statements

KEPT = 7
"""Copies, one a day; the oldest go."""
_ROOM_TO_KEEP = 16 * 1024 * 1024
"""Bytes that a copy must leave free: mail comes first."""


class Backups:
    """The copies in ``<data dir>/backup``; with no directory, of a store in memory, there are none."""

    def __init__(self, directory: Path | None, database: Database) -> None:
        self._directory = directory / "backup" if directory else None
        self._database = database

    def list(self) -> list[Path]:
        """Returns the copies, newest first."""
        return list_copies(self._directory.parent) if self._directory else []

    def take(self, now: datetime) -> Path | None:
        """Copies the outbox unless today's copy is there (days by UTC); returns the new copy.

        Whole or not at all, durable, mode 0600. Raises `StorageError`, also where it would leave too little room.
        """
        if self._directory is None:
            return None
        day = f"{now.astimezone(UTC):%Y-%m-%d}"
        copy = self._directory / f"outbox-{day}.db"
        if copy.exists():
            return None
        make_private_directory(self._directory)
        if free_bytes(self._directory) < _ROOM_TO_KEEP + self._size():
            raise StorageError(f"There isn't room in {self._directory} for today's copy of the outbox.")
        unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
        try:
            copy_database(self._database, unfinished)
            _hold_all(unfinished, f"from the copy of {day}: it may have been sent since")
            with unfinished.open("rb+") as file:
                sync_content(file.fileno())
            unfinished.replace(copy)
            sync_directory(self._directory)
        except OSError as error:
            raise StorageError(f"{copy} can't be written: {reason(error)}.") from None
        except apsw.Error as error:
            raise StorageError(f"{copy} can't be written: {error}.") from None
        finally:
            unfinished.unlink(missing_ok=True)
        self._forget_old()
        return copy

    def _size(self) -> int:
        pages, bytes_each = (self._database.rows(f"PRAGMA {name}")[0][name] for name in ("page_count", "page_size"))
        return pages * bytes_each

    def _forget_old(self) -> None:
        assert self._directory is not None
        for one in self.list()[KEPT:]:
            with suppress(OSError):
                one.unlink()


def list_copies(data_dir: Path) -> list[Path]:
    """Lists the copies below a data directory, newest first; none while there is no such directory."""
    return sorted((data_dir / "backup").glob("outbox-????-??-??.db"), reverse=True)


def _hold_all(copy: Path, why: str) -> None:
    sql = statements("backup")
    connection = apsw.Connection(str(copy), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        # No journal beside it: a copy that is cut short here never gets its name.
        connection.execute("PRAGMA journal_mode = MEMORY").fetchall()  # pyright: ignore[reportUnknownMemberType]
        reason_given = f"{why}; release it to send it, or cancel it"
        connection.execute(sql["hold_all"], {"reason": reason_given}).fetchall()  # pyright: ignore[reportUnknownMemberType]
        connection.execute(sql["forget_deliverers"]).fetchall()  # pyright: ignore[reportUnknownMemberType]
    finally:
        connection.close(force=True)
