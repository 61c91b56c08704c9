"""Reads a file a person named, once and as it is: no device, no pipe, nothing that changes under the reading."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tui_mailer.domain.errors import InvalidAttachment
from tui_mailer.domain.text import clean
from tui_mailer.storage.file_system import reason

_BLOCK_BYTES = 1024 * 1024
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
"""O_NONBLOCK: opening a pipe must not wait for its writer; O_NOCTTY: nor a terminal take this process over."""
_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
_SYSTEM_TREES = ("/proc", "/sys")


@dataclass(frozen=True, slots=True)
class Source:
    """An open regular file."""

    path: Path
    descriptor: int
    size: int
    """Bytes, when it was opened."""
    mark: tuple[int, ...]

    def blocks(self) -> Iterator[bytes]:
        """Yields the file; raises `InvalidAttachment` when it isn't the size it was, or was written to meanwhile."""
        taken = 0
        try:
            while taken <= self.size and (block := os.read(self.descriptor, _BLOCK_BYTES)):
                taken += len(block)
                yield block
            is_same = taken == self.size and self.mark == _mark(os.fstat(self.descriptor))
        except OSError as error:
            raise InvalidAttachment(
                f"{_name(self.path)} can't be read: {reason(error)}.", field="attachments"
            ) from None
        if not is_same:
            raise InvalidAttachment(
                f"{_name(self.path)} was being written while it was read; attach it again when it is complete.",
                field="attachments",
            )


@contextmanager
def read_source(path: Path) -> Generator[Source]:
    """Opens a regular file for reading it whole; raises `InvalidAttachment` with a sentence for a person."""
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        raise InvalidAttachment(_why_not(path, error), field="attachments") from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            kind = _KINDS.get(stat.S_IFMT(found.st_mode), "not a regular file")
            raise InvalidAttachment(f"{_name(path)} is {kind}; only files can be attached.", field="attachments")
        if found.st_dev in _system_devices():
            raise InvalidAttachment(
                f"{_name(path)} is a window into the system, not a file; it can't be attached.", field="attachments"
            )
        yield Source(path, descriptor, found.st_size, _mark(found))
    finally:
        os.close(descriptor)


def _mark(found: os.stat_result) -> tuple[int, ...]:
    return (found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _system_devices() -> set[int]:
    devices: set[int] = set()
    for tree in _SYSTEM_TREES:
        try:
            devices.add(Path(tree).stat().st_dev)
        except OSError:
            continue
    return devices - {Path("/").stat().st_dev}


def _why_not(path: Path, error: OSError | ValueError) -> str:
    match getattr(error, "errno", None):
        case errno.ENOENT | errno.ENOTDIR:
            return f"{_name(path)} doesn't exist."
        case errno.EACCES | errno.EPERM:
            return f"{_name(path)} may not be read by you."
        case errno.ENXIO:
            return f"{_name(path)} is a socket; only files can be attached."
        case _ if isinstance(error, OSError):
            return f"{_name(path)} can't be read: {reason(error)}."
        case _:
            return f"{_name(path)} is no name of a file."


def _name(path: Path) -> str:
    return clean(str(path))
