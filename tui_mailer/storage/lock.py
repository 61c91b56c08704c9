"""Who is alive, and who is alone: locks that the kernel lets go of when a process dies, however it dies.

They tell liveness only. That a submission is sent by one deliverer at a time is the epoch's business, in the database.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from tui_mailer.domain.errors import StorageError
from tui_mailer.storage.file_system import create_private_file, is_read_only, make_private_directory, reason

_MODE = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
_MIGRATION_WAIT_SECONDS = 5.0


class OwnerLocks(Protocol):
    """One lock per deliverer, held for its life."""

    def acquire(self, owner: str) -> None:
        """Takes the lock of a new owner; raises `StorageError`."""
        ...

    def release(self, owner: str) -> None:
        """Lets go of a lock held by this object."""
        ...

    def is_alive(self, owner: str) -> bool:
        """Says whether some process, this one included, holds the owner's lock."""
        ...

    def forget(self, owner: str) -> None:
        """Removes what a dead owner left."""
        ...

    def touch(self, owner: str, now: datetime) -> None:
        """Notes that the owner of a lock held here is about."""
        ...

    def seen_at(self, owner: str) -> datetime | None:
        """Tells when the owner was last about; None when it is gone."""
        ...


class FileOwnerLocks:
    """Owner locks as flocked files under ``<data dir>/locks/``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._held: dict[str, int] = {}

    def acquire(self, owner: str) -> None:
        """Takes the lock of a new owner; raises `StorageError`."""
        path = self._path(owner)
        unnamed = path.with_suffix(".new")
        try:
            descriptor = os.open(unnamed, _MODE | os.O_EXCL, 0o600)
            # Locked before it has its name: whoever finds the name finds it locked.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            unnamed.rename(path)
        except OSError as error:
            raise StorageError(f"{path.parent} can't be written: {reason(error)}. Nothing is sent.") from None
        self._held[owner] = descriptor

    def release(self, owner: str) -> None:
        """Lets go of a lock held by this object."""
        descriptor = self._held.pop(owner, None)
        if descriptor is not None:
            with suppress(OSError):
                self._path(owner).unlink(missing_ok=True)
            os.close(descriptor)

    def is_alive(self, owner: str) -> bool:
        """Says whether some process, this one included, holds the owner's lock."""
        try:
            # Only to lock it; a network file system wants it open for writing for that, a read-only disk doesn't.
            mode = os.O_RDONLY if is_read_only(self._directory) else os.O_RDWR
            descriptor = os.open(self._path(owner), mode | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError:
            return True  # can't be told; the lease tells in the end
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    def forget(self, owner: str) -> None:
        """Removes what a dead owner left."""
        if owner not in self._held:
            with suppress(OSError):
                self._path(owner).unlink(missing_ok=True)

    def touch(self, owner: str, now: datetime) -> None:
        """Notes that the owner is about, in the lock's time stamp: a commit would be news to every other process."""
        descriptor = self._held.get(owner)
        if descriptor is not None:
            with suppress(OSError):
                os.utime(descriptor, (now.timestamp(), now.timestamp()))

    def seen_at(self, owner: str) -> datetime | None:
        """Tells when the owner was last about; None when it is gone."""
        try:
            return datetime.fromtimestamp(self._path(owner).stat().st_mtime, UTC)
        except OSError:
            return None

    def _path(self, owner: str) -> Path:
        return self._directory / f"{owner.replace(' ', '-').replace('/', '-')}.lock"


class MemoryOwnerLocks:
    """Owner locks of a store in memory: alive until released."""

    def __init__(self) -> None:
        self._held: dict[str, datetime | None] = {}

    def acquire(self, owner: str) -> None:
        """Takes the lock of a new owner."""
        self._held[owner] = None

    def release(self, owner: str) -> None:
        """Lets go of a lock."""
        self._held.pop(owner, None)

    def is_alive(self, owner: str) -> bool:
        """Says whether the lock is held."""
        return owner in self._held

    def forget(self, owner: str) -> None:
        """Has nothing to remove."""

    def touch(self, owner: str, now: datetime) -> None:
        """Notes that the owner is about."""
        if owner in self._held:
            self._held[owner] = now

    def seen_at(self, owner: str) -> datetime | None:
        """Tells when the owner was last about."""
        return self._held.get(owner)


class StoreLock:
    """Held shared by every process that has the store open; alone by one that rebuilds or migrates it."""

    def __init__(self, directory: Path) -> None:
        make_private_directory(directory)
        path = directory / "store.lock"
        create_private_file(path)
        self._descriptor = _open(path)
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def close(self) -> None:
        """Leaves the store to others; a second call does nothing."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)

    def is_last(self) -> bool:
        """Says whether no other process has the store open; if so none can open it until `close`."""
        if self._descriptor < 0:
            return False
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False  # the shared lock may be gone with it: only for one that is about to close
        return True

    @contextmanager
    def alone(self) -> Generator[None]:
        """Waits up to 5 s until no other process has the store open; raises `StorageError` when one stays."""
        until = time.monotonic() + _MIGRATION_WAIT_SECONDS
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                # A failed conversion has let go of the shared lock: two that both wait don't block each other.
                if time.monotonic() > until:
                    fcntl.flock(self._descriptor, fcntl.LOCK_SH)
                    raise StorageError(
                        "Another tui-mailer is running on the same data directory; stop it (also `deliver` and the "
                        "service) and try again. Nothing was changed."
                    ) from None
                time.sleep(0.02)
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)


@contextmanager
def locked(path: Path, *, is_alone: bool) -> Generator[None]:
    """Holds the lock of a file, made if missing: shared with others like us, or alone."""
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if is_alone else fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def locked_at_once(path: Path) -> Generator[bool]:
    """Holds the lock of a file, made if missing and gone afterwards, unless somebody else does; says whether it does.

    Raises `StorageError`.
    """
    make_private_directory(path.parent)
    descriptor = _open(path)
    try:
        is_ours = _lock_named(descriptor, path)
        yield is_ours
        if is_ours:
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _lock_named(descriptor: int, path: Path) -> bool:
    """Locks an open file if that is free; not one that has lost its name meanwhile to another."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _open(path: Path) -> int:
    try:
        return os.open(path, _MODE, 0o600)
    except OSError as error:
        raise StorageError(f"{path} can't be written: {reason(error)}. Nothing was stored.") from None
