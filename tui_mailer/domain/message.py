"""What is sealed from a draft (`Message`), as a frozen value.

A message holds parsed addresses, attachments by digest, and everything a provider needs; never the bytes of a file.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tui_mailer.domain.address import Address


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
