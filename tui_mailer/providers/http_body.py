"""The bodies of HTTP requests: described and sent from one value, files streamed from where they are sealed.

A value holds plain JSON, `File` (an attachment's bytes in Base64) and `Blank` (what only an earlier answer can give).
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from tui_mailer.domain.message import Attachment, Content
from tui_mailer.domain.text import clean

PIECE = 48 * 1024
"""Bytes handed to the network at once: whole Base64 groups, few enough to be written in time on a slow line."""


@dataclass(frozen=True, slots=True)
class Blank:
    """Stands for what an earlier answer gives: ``draft.id``, ``upload[0].mediaUrl``."""

    name: str

    def __str__(self) -> str:
        return f"{{{self.name}}}"


@dataclass(frozen=True, slots=True)
class File:
    """An attachment's bytes: in Base64 within JSON, as they are in a form."""

    attachment: Attachment

    @property
    def size(self) -> int:
        """Bytes of the file itself."""
        return self.attachment.size or 0

    def __str__(self) -> str:
        """Says which file without its bytes."""
        return f"[{clean(self.attachment.name)}: {self.size} bytes, sha256 {self.attachment.sha256}]"


Fill = Callable[[str], object]
"""Gives the value of a `Blank` by its name; raises `MissingAnswer`."""

Chunk = bytes | File


class Body(Protocol):
    """What a request carries."""

    @property
    def media_type(self) -> str:
        """The Content-Type to send."""
        ...

    def shown(self) -> Iterator[str]:
        """Yields the lines of a dry run."""
        ...

    def chunks(self, fill: Fill) -> tuple[Chunk, ...]:
        """Makes what goes on the wire, files still unread."""
        ...


@dataclass(frozen=True, slots=True)
class Json:
    """A JSON document (RFC 8259, UTF-8)."""

    value: Any

    @property
    def media_type(self) -> str:
        return "application/json"

    def shown(self) -> Iterator[str]:
        """Yields it indented, files and blanks by name."""
        yield from map(clean, json.dumps(self.value, ensure_ascii=False, indent=2, default=str).splitlines())

    def chunks(self, fill: Fill) -> tuple[Chunk, ...]:
        mark = secrets.token_hex(16)
        files: list[File] = []

        def stand_in(leaf: object) -> object:
            if isinstance(leaf, Blank):
                return fill(leaf.name)
            assert isinstance(leaf, File), leaf
            files.append(leaf)
            return mark

        text = json.dumps(self.value, ensure_ascii=False, separators=(",", ":"), default=stand_in)
        pieces = text.encode("utf-8", "replace").split(mark.encode())
        return _interleaved(pieces, files)


@dataclass(frozen=True, slots=True)
class Field:
    """One text field of a form."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class FilePart:
    """One file of a form."""

    name: str
    file: File


@dataclass(frozen=True, slots=True)
class Spread:
    """All fields that an earlier answer holds under a name, as they are (a presigned upload's)."""

    blank: Blank


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart/form-data body (RFC 7578), its parts in this order."""

    parts: tuple[Field | FilePart | Spread, ...]
    boundary: str
    """Unlikely to occur in a part, the same for the same message."""

    @property
    def media_type(self) -> str:
        return f"multipart/form-data; boundary={self.boundary}"

    def shown(self) -> Iterator[str]:
        """Yields a line for each part."""
        for part in self.parts:
            match part:
                case Field(name, value):
                    yield from (f"{name}: {clean(line)}" for line in value.splitlines() or [""])
                case FilePart(name, file):
                    yield f"{name}: {file}"
                case Spread(blank):
                    yield f"{blank} (each of its fields)"

    def chunks(self, fill: Fill) -> tuple[Chunk, ...]:
        pieces: list[bytes] = [b""]
        files: list[File] = []
        for part in self.parts:
            if isinstance(part, FilePart):
                pieces[-1] += self._head(part.name, part.file.attachment)
                files.append(part.file)
                pieces.append(b"\r\n")
                continue
            for name, value in _fields(part, fill):
                pieces[-1] += self._head(name) + value.encode("utf-8", "replace") + b"\r\n"
        pieces[-1] += f"--{self.boundary}--\r\n".encode()
        return _interleaved(pieces, files)

    def _head(self, name: str, attachment: Attachment | None = None) -> bytes:
        lines = [f"--{self.boundary}", f'Content-Disposition: form-data; name="{_quoted(name)}"']
        if attachment is not None:
            lines[-1] += f'; filename="{_quoted(attachment.name)}"'
            lines.append(f"Content-Type: {attachment.media_type}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace")


def _fields(part: Field | Spread, fill: Fill) -> Sequence[tuple[str, str]]:
    if isinstance(part, Field):
        return [(part.name, part.value)]
    given = fill(part.blank.name)
    if not isinstance(given, Mapping):
        return []
    return [(str(name), str(value)) for name, value in cast("Mapping[object, object]", given).items()]


def _quoted(name: str) -> str:
    """Escapes a form's names as browsers do (WHATWG HTML, multipart/form-data encoding)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _interleaved(pieces: Sequence[bytes], files: Sequence[File]) -> tuple[Chunk, ...]:
    chunks: list[Chunk] = []
    for index, piece in enumerate(pieces):
        if piece:
            chunks.append(piece)
        if index < len(files):
            chunks.append(files[index])
    return tuple(chunks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A body with every blank filled: its length is known, its bytes can be read more than once."""

    chunks: tuple[Chunk, ...]
    is_base64: bool
    contents: Mapping[str, Content]

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return sum(len(one) if isinstance(one, bytes) else self._encoded_size(one) for one in self.chunks)

    async def stream(self) -> AsyncIterator[bytes]:
        """Yields the bytes in small pieces; raises `DamagedStore` when a file isn't what was sealed."""
        for chunk in self.chunks:
            if isinstance(chunk, bytes):
                for start in range(0, len(chunk), PIECE):
                    yield chunk[start : start + PIECE]
                continue
            async for block in self._read(chunk):
                yield base64.b64encode(block) if self.is_base64 else block

    def _encoded_size(self, file: File) -> int:
        return -(-file.size // 3) * 4 if self.is_base64 else file.size

    async def _read(self, file: File) -> AsyncIterator[bytes]:
        kept = b""
        async for block in self.contents[file.attachment.sha256 or ""].open():
            joined = kept + block
            whole = len(joined) - len(joined) % PIECE
            for start in range(0, whole, PIECE):
                yield joined[start : start + PIECE]
            kept = joined[whole:]
        if kept:
            yield kept
