"""The last valid configuration as plain JSON in the cache, so that a start needs no YAML reader.

It holds the values with their lines, not conclusions: whoever reads it judges them again, which is cheap. A snapshot
that is missing, foreign, stale or damaged is no snapshot.
"""

from __future__ import annotations

import contextlib
import os
import time
import zlib
from pathlib import Path

from tui_mailer import __version__
from tui_mailer.accounts.configuration import FileVersion
from tui_mailer.accounts.document import Node
from tui_mailer.accounts.trusted_file import Distrusted, not_ours, open_trusted

_SETTLED_SECONDS = 2.0
"""A file changed so recently could change again within its time stamp's grain (2 s on FAT and old NFS)."""


def version_of(status: os.stat_result) -> FileVersion:
    """Names one version of a file."""
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size


def file_identity(path: Path, status: os.stat_result) -> list[str | int]:
    """Names one version of one file, as this version of the program reads it."""
    return [__version__, str(path), *version_of(status)]


def read_snapshot(cache_dir: Path, path: Path, status: os.stat_result) -> Node | None:
    """Returns the values of exactly this version of the file, or None."""
    import json

    try:
        with open_trusted(_snapshot_file(cache_dir, path), not_ours, follow_links=False) as file:
            kept = json.load(file)
        return Node.from_json(kept["document"]) if kept["identity"] == file_identity(path, status) else None
    except (OSError, Distrusted, ValueError, TypeError, LookupError, RecursionError):
        return None


def write_snapshot(cache_dir: Path, path: Path, status: os.stat_result, document: Node) -> None:
    """Keeps the values for the next start; a cache that can't be written is no trouble."""
    if time.time() - status.st_mtime < _SETTLED_SECONDS:
        return
    import json
    import tempfile

    kept = json.dumps({"identity": file_identity(path, status), "document": document.to_json()})
    with contextlib.suppress(OSError):
        cache_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp makes it 0600.
        descriptor, temporary = tempfile.mkstemp(dir=cache_dir, prefix=".configuration-")
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - it must be this descriptor
            file.write(kept)
        Path(temporary).replace(_snapshot_file(cache_dir, path))


def _snapshot_file(cache_dir: Path, path: Path) -> Path:
    # A collision costs a re-reading, no more: the identity holds the whole path.
    return cache_dir / f"configuration-{zlib.crc32(os.fsencode(path)):08x}.json"
