"""What a person writes (`Draft`) and what is sealed from it (`Message`), as frozen values.

A draft holds every field as typed, so that nothing is lost while it is still wrong. A message holds parsed addresses,
attachments by digest, and everything a provider needs; it never holds the bytes of a file.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from tui_mailer.domain.address import Address


class BodyFormat(StrEnum):
    """How the body text is to be read."""

    PLAIN = "plain"
    MARKDOWN = "markdown"
    """Sent as text and HTML."""


class Content(Protocol):
    """Bytes that were sealed: read them as often as needed, in blocks, without ever holding them all."""

    @property
    def size(self) -> int:
        """Length in bytes."""
        ...

    @property
    def sha256(self) -> str:
        """Digest, 64 lower-case hex digits."""
        ...

    def open(self) -> AsyncIterator[bytes]:
        """Yields the bytes in blocks of at most 256 KiB.

        Raises `DamagedStore` when they are gone or no longer have this digest.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftAttachment:
    """An attachment as asked for: a local path, an http(s) URL, or ``ref:TYPE/ID`` of a provider's resource."""

    source: str
    name: str | None = None
    """The file name recipients see; None: the last part of the source."""
    media_type: str | None = None
    """``type/subtype``; None: guessed from the name."""
    content_id: str | None = None
    """Set for an inline image: what ``cid:`` in the HTML names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a person is writing: every field as typed."""

    account: str = ""
    """Name of the account; empty: chosen from ``sender``, else the default."""
    sender: str = ""
    """The From address as typed; empty: the account's first identity."""
    to: str = ""
    cc: str = ""
    bcc: str = ""
    reply_to: str = ""
    subject: str = ""
    body: str = ""
    body_format: BodyFormat = BodyFormat.PLAIN
    html: str | None = None
    """An HTML body given as such; the text part is ``body``, or made from it when that is empty."""
    attachments: tuple[DraftAttachment, ...] = ()
    typed_attachment: str = ""
    """A path or URL still being typed (one a line): attached, or refused if missing, when the draft is sent."""
    schedule: str = ""
    """WHEN as typed; empty: now."""
    in_reply_to: str = ""
    references: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str | None], ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    template: str = ""
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    """Provider options as typed; JSON where their type isn't a string."""
    retries: int | None = None
    note: str = ""
    """Kept with the submission, never sent."""
    schedule_by: str = ""
    """Who keeps a scheduled message: ``provider``, ``outbox``; empty: the provider where it can, else the outbox."""

    def all_attachments(self) -> tuple[DraftAttachment, ...]:
        """Lists what is attached and what is still being typed."""
        typed = (DraftAttachment(source=one.strip()) for one in self.typed_attachment.splitlines() if one.strip())
        return (*self.attachments, *typed)

    def is_empty(self) -> bool:
        """Says whether a person has written nothing worth keeping."""
        return (
            not (self.to or self.cc or self.bcc or self.reply_to or self.subject or self.body.strip() or self.html)
            and not self.all_attachments()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A sealed attachment: exactly one of ``sha256``, ``url`` and ``reference`` is set."""

    name: str
    media_type: str
    size: int | None = None
    """Bytes; None for a URL or a reference."""
    sha256: str | None = None
    url: str | None = None
    reference: str | None = None
    content_id: str | None = None
    """Set for an inline image; without angle brackets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A sealed message: what was reviewed is what is sent."""

    id: str
    """The submission's ULID."""
    message_id: str
    """With its angle brackets: ``<ULID@from-domain>``, fixed for good (RFC 5322 section 3.6.4)."""
    sender: Address
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    """Envelope only; never in a header."""
    reply_to: tuple[Address, ...] = ()
    subject: str = ""
    text: str | None = None
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()
    in_reply_to: str | None = None
    """One msg-id with angle brackets."""
    references: tuple[str, ...] = ()
    """Msg-ids with angle brackets, oldest first."""
    headers: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str | None], ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    template: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    options: Mapping[str, object] = field(default_factory=dict[str, object])
    raw_sha256: str | None = None
    """Set for a message that came through ``sendmail``: these bytes, as they are (CRLF line ends, Bcc removed)."""
    raw_size: int | None = None

    def recipients(self) -> tuple[Address, ...]:
        """Lists To, Cc and Bcc in this order."""
        return self.to + self.cc + self.bcc
