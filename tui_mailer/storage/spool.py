"""The content-addressed spool: bytes that were sealed, kept under their SHA-256 and never changed."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from tui_mailer.domain.errors import DamagedStore, StorageError
from tui_mailer.storage.file_system import free_bytes, make_private_directory, reason, sync_content, sync_directory
from tui_mailer.storage.lock import locked
from tui_mailer.storage.source import read_source

BLOCK_BYTES = 256 * 1024
ROOM_TO_KEEP = 8 * 1024 * 1024
"""Bytes that a new object must leave free on the disk."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class SpooledFile:
    """What was taken in: its digest and its size in bytes."""

    sha256: str
    size: int


class Spool(Protocol):
    """Where sealed bytes are kept."""

    def add_file(self, path: Path) -> SpooledFile:
        """Copies a regular file in, durably; raises `InvalidAttachment` or `StorageError`."""
        ...

    def add_bytes(self, content: bytes) -> SpooledFile:
        """Keeps these bytes, durably; raises `StorageError`."""
        ...

    def inspect_file(self, path: Path) -> SpooledFile:
        """Digests a file as `add_file` would, keeping nothing; raises `InvalidAttachment`."""
        ...

    def size_of(self, sha256: str) -> int:
        """Tells an object's size in bytes; raises `DamagedStore` when it isn't there."""
        ...

    def keep(self, sha256: str) -> int:
        """Makes an object young again, so that nobody removes it before it is referred to; as `size_of` otherwise."""
        ...

    def blocks(self, sha256: str) -> Iterator[bytes]:
        """Yields an object in blocks of at most 256 KiB; raises `DamagedStore` when it isn't what was kept."""
        ...

    def collect(self, referenced: set[str], older_than: datetime) -> int:
        """Removes objects that nothing refers to and that were added before an instant; returns how many."""
        ...

    def read(self, sha256: str) -> bytes:
        """Returns an object whole; raises `DamagedStore`."""
        return b"".join(self.blocks(sha256))

    def content(self, sha256: str) -> SpooledContent:
        """Returns an object as providers read it; raises `DamagedStore` when it isn't there."""
        return SpooledContent(self, sha256, self.size_of(sha256))


@dataclass(frozen=True, slots=True)
class SpooledContent:
    """Sealed bytes that can be read as often as needed (`domain.message.Content`)."""

    spool: Spool
    sha256: str
    size: int

    async def open(self) -> AsyncIterator[bytes]:
        """Yields the bytes in blocks of at most 256 KiB, read in a thread; raises `DamagedStore`."""
        blocks = self.spool.blocks(self.sha256)
        while block := await asyncio.to_thread(next, blocks, b""):
            yield block


class DirectorySpool(Spool):
    """The spool on disk: ``objects/ab/abcd...``, directories 0700, objects 0400."""

    def __init__(self, directory: Path) -> None:
        self._objects = directory / "objects"
        self._incoming = directory / "incoming"
        self._lock = directory / "spool.lock"
        """Shared while an object is named or made young again, alone while one is removed for its age."""
        for one in (directory, self._objects, self._incoming):
            make_private_directory(one)

    def add_file(self, path: Path) -> SpooledFile:
        """Copies a regular file in, durably; raises `InvalidAttachment` or `StorageError`."""
        with read_source(path) as source:
            return self._add(source.blocks(), source.size)

    def add_bytes(self, content: bytes) -> SpooledFile:
        """Keeps these bytes, durably; raises `StorageError`."""
        return self._add(iter((content,)), len(content))

    def inspect_file(self, path: Path) -> SpooledFile:
        """Digests a file as `add_file` would, keeping nothing; raises `InvalidAttachment`."""
        return _inspect(path)

    def size_of(self, sha256: str) -> int:
        """Tells an object's size in bytes; raises `DamagedStore` when it isn't there."""
        try:
            return self._path(sha256).stat().st_size
        except OSError:
            raise _missing(sha256) from None

    def keep(self, sha256: str) -> int:
        """Makes an object young again, so that nobody removes it before it is referred to; as `size_of` otherwise."""
        with locked(self._lock, is_alone=False), suppress(OSError):
            os.utime(self._path(sha256))
        return self.size_of(sha256)

    def blocks(self, sha256: str) -> Iterator[bytes]:
        """Yields an object in blocks of at most 256 KiB; raises `DamagedStore` when it isn't what was kept."""
        digest = hashlib.sha256()
        try:
            with self._path(sha256).open("rb", buffering=0) as file:
                while block := file.read(BLOCK_BYTES):
                    digest.update(block)
                    yield block
        except FileNotFoundError:
            raise _missing(sha256) from None
        except OSError as error:
            raise DamagedStore(f"A kept file ({sha256[:12]}) can't be read: {reason(error)}.") from None
        if digest.hexdigest() != sha256:
            raise DamagedStore(f"A kept file ({sha256[:12]}) isn't what was sealed: its disk or a program changed it.")

    def collect(self, referenced: set[str], older_than: datetime) -> int:
        """Removes objects that nothing refers to and that were added before an instant; returns how many."""
        before = older_than.timestamp()
        removed = 0
        with locked(self._lock, is_alone=True):
            for path in self._objects.glob("??/*"):
                if path.name not in referenced and path.stat().st_mtime < before:
                    path.unlink()
                    removed += 1
        for path in self._incoming.iterdir():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()
        return removed

    def _add(self, blocks: Iterator[bytes], size: int) -> SpooledFile:
        if free_bytes(self._objects) < size + ROOM_TO_KEEP:
            raise StorageError(f"There isn't room for {size} bytes more on the disk of {self._objects.parent}.")
        incoming = self._incoming / uuid4().hex
        try:
            digest = hashlib.sha256()
            descriptor = os.open(incoming, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
            with open(descriptor, "wb", buffering=0) as file:  # noqa: PTH123 - a descriptor, made with its mode
                for block in blocks:
                    digest.update(block)
                    _write_all(file.fileno(), block)
                sync_content(descriptor)
            sha256 = digest.hexdigest()
            self._name(incoming, sha256, size)
        except OSError as error:
            raise StorageError(
                f"{self._objects.parent} can't be written: {reason(error)}. Nothing was stored."
            ) from None
        finally:
            incoming.unlink(missing_ok=True)
        return SpooledFile(sha256, size)

    def _name(self, incoming: Path, sha256: str, size: int) -> None:
        """Gives a complete, durable file its name; one that is there already is made young again instead."""
        path = self._path(sha256)
        with locked(self._lock, is_alone=False):
            if not path.parent.exists():
                path.parent.mkdir(mode=0o700, exist_ok=True)
                sync_directory(self._objects)
            try:
                os.link(incoming, path)
            except FileExistsError:
                if path.stat().st_size == size:
                    os.utime(path)
                else:
                    incoming.rename(path)  # damaged: cut short by a file system's repair
            except PermissionError:
                incoming.rename(path)  # a file system without hard links
            sync_directory(path.parent)

    def _path(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise _missing(sha256)
        return self._objects / sha256[:2] / sha256


class MemorySpool(Spool):
    """The spool of a store in memory."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}
        self._added_at: dict[str, float] = {}

    def add_file(self, path: Path) -> SpooledFile:
        """Copies a regular file in; raises `InvalidAttachment`."""
        with read_source(path) as source:
            return self.add_bytes(b"".join(source.blocks()))

    def add_bytes(self, content: bytes) -> SpooledFile:
        """Keeps these bytes."""
        sha256 = hashlib.sha256(content).hexdigest()
        self._kept[sha256] = content
        self._added_at[sha256] = datetime.now().timestamp()  # noqa: DTZ005 - a file's age, as the disk would tell it
        return SpooledFile(sha256, len(content))

    def inspect_file(self, path: Path) -> SpooledFile:
        """Digests a file as `add_file` would, keeping nothing; raises `InvalidAttachment`."""
        return _inspect(path)

    def size_of(self, sha256: str) -> int:
        """Tells an object's size in bytes; raises `DamagedStore` when it isn't there."""
        return len(self._get(sha256))

    def keep(self, sha256: str) -> int:
        """Makes an object young again, so that nobody removes it before it is referred to; as `size_of` otherwise."""
        if sha256 in self._kept:
            self._added_at[sha256] = datetime.now().timestamp()  # noqa: DTZ005 - a file's age, as the disk would tell it
        return self.size_of(sha256)

    def blocks(self, sha256: str) -> Iterator[bytes]:
        """Yields an object in blocks of at most 256 KiB."""
        content = self._get(sha256)
        for start in range(0, len(content), BLOCK_BYTES):
            yield content[start : start + BLOCK_BYTES]

    def collect(self, referenced: set[str], older_than: datetime) -> int:
        """Removes objects that nothing refers to and that were added before an instant; returns how many."""
        before = older_than.timestamp()
        unused = [one for one in self._kept if one not in referenced and self._added_at[one] < before]
        for sha256 in unused:
            del self._kept[sha256]
        return len(unused)

    def _get(self, sha256: str) -> bytes:
        try:
            return self._kept[sha256]
        except KeyError:
            raise _missing(sha256) from None


def _inspect(path: Path) -> SpooledFile:
    digest = hashlib.sha256()
    with read_source(path) as source:
        for block in source.blocks():
            digest.update(block)
        return SpooledFile(digest.hexdigest(), source.size)


def _write_all(descriptor: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(descriptor, view) :]


def _missing(sha256: str) -> DamagedStore:
    return DamagedStore(f"A file of this message ({sha256[:12]}) isn't kept any more, or its spool was damaged.")
