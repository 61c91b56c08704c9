"""What SQLite can refuse, as sentences for a person."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import apsw

from tui_mailer.domain.errors import DamagedStore, StorageError

BUSY_TIMEOUT_MILLISECONDS = 15_000


class DatabaseBusy(StorageError):
    """Another process has kept the database locked for longer than the busy timeout."""


class DiskFull(StorageError):
    """There was no room to write; nothing was changed."""


class AlreadyThere(StorageError):
    """A row with that key exists."""


@contextmanager
def translated(path: Path | None) -> Generator[None]:
    """Raises what SQLite raises inside as a `StorageError`."""
    try:
        yield
    except apsw.Error as error:
        raise sentence(error, path) from error


def sentence(error: apsw.Error, path: Path | None) -> StorageError:
    """Makes what goes to a person of what SQLite says."""
    seconds = BUSY_TIMEOUT_MILLISECONDS // 1000
    match error:
        case apsw.CorruptError() | apsw.NotADBError():
            found: StorageError = damaged(path)
        case apsw.BusyError() | apsw.LockedError():
            found = DatabaseBusy(
                f"Another process has kept {path} locked for {seconds} s (is a tui-mailer stopped with Ctrl-Z?); "
                "nothing was changed. Try again."
            )
        case apsw.FullError():
            found = _full(path)
        case apsw.IOError() if _has_no_room(path):
            found = _full(path)  # the shared memory of the log couldn't grow, for one
        case apsw.ConstraintError():
            found = AlreadyThere(f"That is already stored ({error}); nothing was changed.")
        case apsw.ReadOnlyError() | apsw.CantOpenError() | apsw.PermissionsError():
            found = StorageError(f"{path} can't be written (read-only, or not yours); nothing was stored.")
        case _:
            found = StorageError(f"{path} can't be used: {error}. Nothing was stored.")
    return found


def _has_no_room(path: Path | None) -> bool:
    return path is not None and os.statvfs(path.parent).f_bavail == 0


def _full(path: Path | None) -> DiskFull:
    return DiskFull(f"The disk of {path.parent if path else 'the store'} is full, so this wasn't written. Make room.")


def damaged(path: Path | None) -> DamagedStore:
    """The error for a file whose content can't be trusted, and the way out."""
    name = path.name if path else "the store"
    if name.startswith("history"):
        return DamagedStore(
            f"{path} is damaged. Sending still works; to start a new history, move {name}, {name}-wal and {name}-shm "
            "away and restore them from a backup if there is one."
        )
    return DamagedStore(
        f"{path} is damaged; nothing is sent from it. `tui-mailer outbox rebuild` makes it anew from the sealed "
        "messages and holds them all; it keeps the damaged file."
    )


def foreign(path: Path | None) -> StorageError:
    """The error for a file that another program made."""
    return StorageError(
        f"{path} isn't a database of tui-mailer; nothing was changed. Choose another data directory (--data-dir)."
    )
