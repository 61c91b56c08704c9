"""A little room kept on the disk, so that the outcome of an attempt can be recorded when the disk is full."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from tui_mailer.domain.errors import StorageError
from tui_mailer.storage.file_system import free_bytes, sync_content

BALLAST_BYTES = 256 * 1024
ROOM_TO_SEND = 8 * 1024 * 1024
"""Bytes that must be free before a submission is claimed: its outcome has to be written whatever happens."""


class Ballast:
    """The file ``<data dir>/ballast``; with no directory, of a store in memory, there is none."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    def lay(self) -> None:
        """Puts the room aside if it isn't and the disk has it."""
        if self._directory is None:
            return
        path = self._directory / "ballast"
        with suppress(OSError):
            if path.exists() or free_bytes(self._directory) < ROOM_TO_SEND:
                return
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                # Random: a file system that compresses would keep zeros in no room at all.
                os.write(descriptor, os.urandom(BALLAST_BYTES))
                sync_content(descriptor)
            finally:
                os.close(descriptor)

    def drop(self) -> bool:
        """Gives the room back to the disk; says whether there was any."""
        if self._directory is None:
            return False
        try:
            (self._directory / "ballast").unlink()
        except OSError:
            return False
        return True

    def require_room(self) -> None:
        """Raises `StorageError` when the disk is too full to begin sending; else a dropped ballast is laid again."""
        self.lay()
        trouble = self.trouble()
        if trouble is not None:
            raise StorageError(trouble)

    def trouble(self) -> str | None:
        """Says in one sentence that the disk is too full to begin sending; None: it isn't, or doesn't tell."""
        directory = self._directory
        with suppress(OSError):
            if directory is None or free_bytes(directory) >= ROOM_TO_SEND:
                return None
            megabytes = ROOM_TO_SEND // 1024 // 1024
            return (
                f"Less than {megabytes} MB are free on the disk of {directory}: nothing is sent until there is room, "
                "all mail is kept."
            )
        return None
