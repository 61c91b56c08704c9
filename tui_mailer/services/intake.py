"""Takes attachments in: a path becomes sealed bytes, a URL or a provider's resource stays a name.

A source may also be ``sealed:SHA256``, which is how a submission taken back to a draft names bytes that are in the
spool already, whatever has become of the original file.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from tui_mailer.domain.draft import DraftAttachment
from tui_mailer.domain.errors import InvalidAttachment
from tui_mailer.domain.message import Attachment
from tui_mailer.domain.mime import prepare_rfc822
from tui_mailer.domain.text import clean

if TYPE_CHECKING:
    from tui_mailer.storage.spool import Spool, SpooledFile

SEALED = "sealed:"
LARGEST_FORWARDED_MESSAGE = 50_000_000
"""Bytes; a message/rfc822 attachment is normalised in memory, beyond this it goes as a plain file."""
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}")


class SealingIntake:
    """Copies files into the spool: what is sealed stays, whatever happens to the originals."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def __call__(self, wanted: DraftAttachment) -> Attachment:
        elsewhere = _not_a_file(wanted, self._find)
        if elsewhere is not None:
            return elsewhere
        path = _path(wanted)
        media_type = _media_type(wanted, path.name)
        taken = self._take(path)
        if media_type == "message/rfc822":
            normal = self._normalised(path, taken)
            # A forwarded message can't be encoded (RFC 2046 section 5.2.1): as it is, or else as a plain file.
            taken, media_type = (taken, "application/octet-stream") if normal is None else (normal, media_type)
        return Attachment(
            name=_name(wanted, path.name),
            media_type=media_type,
            size=taken.size,
            sha256=taken.sha256,
            content_id=wanted.content_id,
        )

    def _normalised(self, path: Path, taken: SpooledFile) -> SpooledFile | None:
        if taken.size > LARGEST_FORWARDED_MESSAGE:
            return None
        normal = prepare_rfc822(self._read(path, taken))
        return None if normal is None else self._keep(normal)

    def _find(self, sha256: str) -> int:
        return self._spool.keep(sha256)

    def _take(self, path: Path) -> SpooledFile:
        return self._spool.add_file(path)

    def _read(self, path: Path, taken: SpooledFile) -> bytes:
        del path
        return self._spool.read(taken.sha256)

    def _keep(self, normal: bytes) -> SpooledFile:
        return self._spool.add_bytes(normal)


class PreviewIntake(SealingIntake):
    """Looks at files as sealing would, storing nothing."""

    def _find(self, sha256: str) -> int:
        return self._spool.size_of(sha256)

    def _take(self, path: Path) -> SpooledFile:
        return self._spool.inspect_file(path)

    def _read(self, path: Path, taken: SpooledFile) -> bytes:
        del taken
        try:
            return path.read_bytes()
        except OSError as error:
            raise InvalidAttachment(f"{path} can't be read: {error.strerror}.", field="attachments") from None

    def _keep(self, normal: bytes) -> SpooledFile:
        from tui_mailer.storage.spool import SpooledFile

        return SpooledFile(hashlib.sha256(normal).hexdigest(), len(normal))


def sealed_source(attachment: Attachment) -> DraftAttachment:
    """Names a sealed attachment so that a draft made from the submission still has it."""
    source = attachment.url or (
        f"ref:{attachment.reference}" if attachment.reference else f"{SEALED}{attachment.sha256}"
    )
    return DraftAttachment(
        source=source, name=attachment.name, media_type=attachment.media_type, content_id=attachment.content_id
    )


def _not_a_file(wanted: DraftAttachment, find: Callable[[str], int]) -> Attachment | None:
    """``find`` tells the size of what is in the spool already."""
    source = wanted.source
    if source.startswith(("http://", "https://")):
        last = unquote(urlsplit(source).path.rsplit("/", 1)[-1]) or "attachment"
        return Attachment(
            name=_name(wanted, last), media_type=_media_type(wanted, last), url=source, content_id=wanted.content_id
        )
    if source.startswith("ref:"):
        reference = source.removeprefix("ref:")
        return Attachment(name=_name(wanted, reference), media_type=_media_type(wanted, reference), reference=reference)
    if source.startswith(SEALED):
        sha256 = source.removeprefix(SEALED)
        return Attachment(
            name=_name(wanted, "attachment"),
            # As it was sealed: with its parameters, where it came in another program's message.
            media_type=wanted.media_type or guess_media_type(wanted.name or ""),
            size=find(sha256),
            sha256=sha256,
            content_id=wanted.content_id,
        )
    return None


def _path(wanted: DraftAttachment) -> Path:
    try:
        return Path(wanted.source).expanduser()
    except RuntimeError:
        raise InvalidAttachment(
            f"There is no file '{clean(wanted.source)}': nobody of that name has a home here.", field="attachments"
        ) from None


def _name(wanted: DraftAttachment, fallback: str) -> str:
    """The last part of the name, without anything that isn't text: no path leaks, nothing can be smuggled."""
    chosen = (wanted.name or fallback).replace("\\", "/").rsplit("/", 1)[-1]
    printable = chosen.encode("utf-8", "replace").decode("utf-8")
    return clean(printable).strip() or "attachment"


def _media_type(wanted: DraftAttachment, name: str) -> str:
    if wanted.media_type:
        if not _MEDIA_TYPE.fullmatch(wanted.media_type):
            raise InvalidAttachment(
                f"'{clean(wanted.media_type)}' is no media type; it looks like application/pdf.", field="attachments"
            )
        return wanted.media_type.lower()
    return guess_media_type(name)


def guess_media_type(name: str) -> str:
    """The media type of a file by its name."""
    if name.lower().endswith(".eml"):
        return "message/rfc822"
    guessed, encoding = mimetypes.guess_type(name, strict=False)
    if encoding:
        return {"gzip": "application/gzip", "bzip2": "application/x-bzip2"}.get(encoding, "application/octet-stream")
    return guessed or "application/octet-stream"
