"""Files and directories that only their owner can read, made durable; and what the file system under them is like."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from tui_mailer.domain.errors import StorageError

_NETWORK_TYPES = frozenset(
    {
        "9p", "acfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "glusterfs", "gpfs", "lustre",
        "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs",
    }
)  # fmt: skip
"""File systems on which several hosts, or a guest and its host, may see one file."""


def is_read_only(path: Path) -> bool:
    """Says whether nothing can be written into a directory that is there, whoever asks: its disk takes no writes."""
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def make_private_directory(path: Path) -> None:
    """Creates a directory with mode 0700 and its missing parents; raises `StorageError`.

    One that was there is taken as it is if it holds anything: it may be somebody's home. An empty one is closed to
    others.
    """
    try:
        missing = [one for one in (path, *path.parents) if not one.exists()]
        for one in reversed(missing):
            one.mkdir(mode=0o700, exist_ok=True)
            sync_directory(one.parent)
        found = path.stat()
        if not stat.S_ISDIR(found.st_mode):
            raise StorageError(f"{path} is not a directory; nothing can be stored there.")
        if found.st_uid != os.geteuid():
            raise StorageError(
                f"{path} belongs to another user (uid {found.st_uid}); tui-mailer doesn't write into it. "
                "Run it as that user, or choose another data directory (--data-dir)."
            )
        if found.st_mode & 0o077 and not any(path.iterdir()):
            path.chmod(0o700)
    except OSError as error:
        raise StorageError(f"The data directory {path} can't be used: {reason(error)}. Nothing was stored.") from None


def create_private_file(path: Path) -> bool:
    """Creates an empty file with mode 0600 unless it is there; closes one that others can read. Says if it was made."""
    try:
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            found = path.stat()
            if found.st_uid != os.geteuid():
                raise StorageError(
                    f"{path} belongs to another user (uid {found.st_uid}); tui-mailer doesn't touch it."
                ) from None
            if found.st_mode & 0o077:
                path.chmod(0o600)
            return False
    except OSError as error:
        raise StorageError(f"{path} can't be written: {reason(error)}. Nothing was stored.") from None
    return True


def sync_directory(path: Path) -> None:
    """Makes names that were added to or removed from a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_content(descriptor: int) -> None:
    """Makes a file's content and length durable (on macOS past the drive's cache too)."""
    if sys.platform == "darwin":
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fdatasync(descriptor)


def free_bytes(path: Path) -> int:
    """Tells how much this user can still write below a directory."""
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


def is_on_network(path: Path, mounts: Iterable[str] | None = None) -> bool:
    """Says whether a directory is on a network or FUSE file system; ``mounts`` are lines of /proc/self/mountinfo."""
    if mounts is None:
        try:
            mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except OSError:
            return False
    place = path.resolve()
    best, best_type = -1, ""
    for line in mounts:
        left, _, right = line.partition(" - ")
        columns = left.split()
        point = Path(_unescape(columns[4]))
        # Of two mounts on one point the later one is on top.
        if (place == point or point in place.parents) and len(point.parts) >= best:
            best, best_type = len(point.parts), right.split()[0]
    return best_type in _NETWORK_TYPES or best_type.startswith("fuse")


def reason(error: OSError) -> str:
    """Words an operating system's error for the middle of a sentence."""
    text = error.strerror or type(error).__name__
    return text[:1].lower() + text[1:]


def _unescape(text: str) -> str:
    return text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
