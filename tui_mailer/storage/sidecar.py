"""Sidecars: each sealed submission once more as a small file, from which a damaged outbox can be made anew."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Protocol

from tui_mailer.domain.errors import DamagedStore, StorageError
from tui_mailer.storage.codec import from_json, to_json
from tui_mailer.storage.file_system import make_private_directory, reason, sync_content, sync_directory
from tui_mailer.storage.lock import locked
from tui_mailer.storage.record import NewSubmission


class Sidecars(Protocol):
    """The second copy of what was sealed."""

    def write(self, many: Sequence[NewSubmission]) -> None:
        """Keeps these, durably, or none of them; raises `StorageError`."""
        ...

    def remove(self, ids: Iterable[str]) -> None:
        """Forgets those that are there."""
        ...

    def read(self) -> list[NewSubmission]:
        """Returns all that can be read, oldest first."""
        ...

    def find(self, submission_id: str) -> NewSubmission | None:
        """Returns one, None where it isn't there or can't be read."""
        ...

    def ids(self) -> set[str]:
        """Names all that are there, readable or not."""
        ...

    def locked(self, *, is_alone: bool) -> AbstractContextManager[None]:
        """Holds off who rebuilds while something is sealed, and the other way round."""
        ...


class DirectorySidecars:
    """Sidecars as files ``<id>.json``, mode 0600."""

    def __init__(self, directory: Path) -> None:
        make_private_directory(directory)
        self._directory = directory
        self._prefix = f"{directory}{os.sep}"

    def write(self, many: Sequence[NewSubmission]) -> None:
        """Keeps these, durably, or none of them; raises `StorageError`."""
        descriptors: list[int] = []
        try:
            # All are written before the first is waited for: the disk takes them together.
            for one in many:
                flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
                descriptors.append(os.open(self._path(one.message.id), flags, 0o600))
                with open(descriptors[-1], "w", encoding="ascii", closefd=False) as file:
                    file.write(to_json(one))
                if len(descriptors) == _OPEN_AT_ONCE:
                    _finish(descriptors)
            _finish(descriptors)
            sync_directory(self._directory)
        except OSError as error:
            for descriptor in descriptors:
                os.close(descriptor)
            self.remove(one.message.id for one in many)
            raise StorageError(f"{self._directory} can't be written: {reason(error)}. Nothing was stored.") from None

    def remove(self, ids: Iterable[str]) -> None:
        """Forgets those that are there."""
        for one in ids:
            with suppress(OSError):
                os.unlink(self._path(one))  # noqa: PTH108 - one per message in bulk; a Path takes as long as the kernel

    def read(self) -> list[NewSubmission]:
        """Returns all that can be read, oldest first; one cut short was never confirmed to anybody."""
        found = [self.find(path.stem) for path in sorted(self._directory.glob("*.json"))]
        return [one for one in found if one is not None]

    def find(self, submission_id: str) -> NewSubmission | None:
        """Returns one, None where it isn't there or can't be read."""
        try:
            return from_json(NewSubmission, Path(self._path(submission_id)).read_text(encoding="ascii"))
        except (OSError, ValueError, DamagedStore):
            return None

    def ids(self) -> set[str]:
        """Names all that are there, readable or not."""
        return {path.stem for path in self._directory.glob("*.json")}

    def locked(self, *, is_alone: bool) -> AbstractContextManager[None]:
        """Holds off who rebuilds while something is sealed, and the other way round."""
        return locked(self._directory / "seal.lock", is_alone=is_alone)

    def _path(self, submission_id: str) -> str:
        return f"{self._prefix}{submission_id}.json"


_OPEN_AT_ONCE = 64
"""Files; a process may have 256 open on some systems."""


def _finish(descriptors: list[int]) -> None:
    while descriptors:
        sync_content(descriptors[-1])
        os.close(descriptors.pop())


class MemorySidecars:
    """Sidecars of a store in memory."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}

    def write(self, many: Sequence[NewSubmission]) -> None:
        """Keeps these."""
        self._kept.update({one.message.id: to_json(one) for one in many})

    def remove(self, ids: Iterable[str]) -> None:
        """Forgets those that are there."""
        for one in ids:
            self._kept.pop(one, None)

    def read(self) -> list[NewSubmission]:
        """Returns all, oldest first."""
        return [from_json(NewSubmission, self._kept[one]) for one in sorted(self._kept)]

    def find(self, submission_id: str) -> NewSubmission | None:
        """Returns one, None where it isn't there."""
        return from_json(NewSubmission, self._kept[submission_id]) if submission_id in self._kept else None

    def ids(self) -> set[str]:
        """Names all that are there."""
        return set(self._kept)

    def locked(self, *, is_alone: bool) -> AbstractContextManager[None]:  # noqa: ARG002 - nobody else is there
        """Holds nobody off."""
        return nullcontext()
