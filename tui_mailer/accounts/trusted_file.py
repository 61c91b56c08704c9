"""Opening a file only if nobody else could have written it (or read it, for a secret): one descriptor for both."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

Judge = Callable[[os.stat_result], str]
"""Says why a file isn't trusted (it ..., a clause); empty: it is."""


class Distrusted(Exception):
    """The file isn't used; ``str`` says why, as a clause. Never leaves this package."""


def open_trusted(path: Path, judge: Judge, *, follow_links: bool = True) -> BinaryIO:
    """Opens a regular file for reading; raises `Distrusted` and OSError (ValueError for a path no system has)."""
    # Not blocking: a FIFO in this place would stop the program for good.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow_links else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    complaint = _complaint(path, os.fstat(descriptor), judge)
    if complaint:
        os.close(descriptor)
        raise Distrusted(complaint)
    return open(descriptor, "rb")  # noqa: PTH123 - it must be this descriptor; the caller closes it


def _complaint(path: Path, status: os.stat_result, judge: Judge) -> str:
    if stat.S_ISREG(status.st_mode):
        return judge(status)
    is_nothing = stat.S_ISCHR(status.st_mode) and path == Path(os.devnull)
    return "" if is_nothing else "is no regular file"


def writable_by_others(status: os.stat_result) -> str:
    """Judges a file whose content is believed: it is ours or root's, and nobody else may write to it."""
    if status.st_uid not in {os.geteuid(), 0}:
        return f"belongs to user {status.st_uid}, neither to you nor to root"
    return "may be written to by others (chmod go-w would help)" if status.st_mode & 0o022 else ""


def readable_by_others(status: os.stat_result) -> str:
    """Judges a file that holds a secret: ours and closed, or root's, where a group may read it."""
    if status.st_uid == os.geteuid():
        return "can be read or written by others" if status.st_mode & 0o077 else ""
    if status.st_uid != 0:
        return "belongs to somebody else"
    return "can be read or written by others" if status.st_mode & 0o027 else ""


def not_ours(status: os.stat_result) -> str:
    """Judges a file that only this program writes."""
    return "isn't ours alone" if status.st_uid != os.geteuid() or status.st_mode & 0o077 else ""
