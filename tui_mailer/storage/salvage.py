"""Takes what can still be read out of a damaged outbox: drafts, keys, and which accounts are held.

Submissions come back from their sealed copies, not from here: their state in a damaged file can't be trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import apsw

from tui_mailer.domain.errors import StorageError
from tui_mailer.storage.database import Database, outbox_schema
from tui_mailer.storage.file_system import reason
from tui_mailer.storage.lock import StoreLock
from tui_mailer.storage.statement import statements


def move_aside(data_dir: Path, now: datetime) -> Path:
    """Renames a damaged outbox, its log with it, and returns its new name.

    Raises `StorageError` while another process has the store open.
    """
    lock = StoreLock(data_dir / "locks")
    damaged = data_dir / f"outbox.db.damaged-{now:%Y-%m-%dT%H%M%SZ}"
    try:
        with lock.alone():
            for suffix in ("-shm", "-wal", ""):
                path = data_dir / f"outbox.db{suffix}"
                if path.exists():
                    path.rename(f"{damaged}{suffix}")
    except OSError as error:
        raise StorageError(f"{data_dir} can't be written: {reason(error)}. Nothing was changed.") from None
    finally:
        lock.close()
    return damaged


def salvage(damaged: Path, sound: Path, copies: Sequence[Path] = ()) -> int:
    """Copies the readable rows of a damaged outbox into a new one, each table as far as it goes; returns how many.

    Where a table couldn't be read to its end, the newest of the daily ``copies`` that can be read fills in.
    """
    database = Database.open(sound, outbox_schema())
    try:
        copied = 0
        for table in ("draft", "submission_key", "account_hold", "series"):
            for source in (damaged, *copies):
                count, is_whole = _copy(source, table, database)
                copied += count
                if is_whole:
                    break
        return copied
    finally:
        database.close()


def _copy(path: Path, table: str, database: Database) -> tuple[int, bool]:
    """Copies a table as far as it can be read; says too whether that was to its end."""
    sql = statements("salvage")
    copied = 0
    try:
        source = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    except apsw.Error:
        return 0, False
    try:
        for (row,) in source.execute(sql[f"read_{table}"]):  # pyright: ignore[reportUnknownMemberType]
            with database.transaction(is_durable=False):
                copied += database.run(sql[f"write_{table}"], {"row": row})
    except apsw.Error:
        return copied, False  # the rest of this table is what was damaged
    finally:
        source.close(force=True)
    return copied, True
