"""What a server really stored, read from its Maildirs: the ground truth of every end-to-end test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

TRACE_FIELDS = {"return-path", "received", "delivered-to", "x-original-to", "envelope-to"}


@dataclass(frozen=True, slots=True)
class StoredMail:
    """One file of a Maildir."""

    path: Path
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """The message as the standard library reads it."""
        return message_from_bytes(self.raw, policy=default)

    @property
    def message_id(self) -> str:
        """With its angle brackets."""
        return str(self.message["Message-ID"]).strip()

    @property
    def envelope_recipients(self) -> frozenset[str]:
        """Whom the server delivered this copy to, by the trace fields it added itself."""
        message = self.message
        traces = [*message.get_all("X-Original-To", []), *message.get_all("Envelope-To", [])]
        return frozenset(address.strip() for trace in traces for address in str(trace).split(","))

    def headers_as_sent(self) -> list[tuple[str, str]]:
        """The header fields without those that the server adds on delivery."""
        return [(name, str(value)) for name, value in self.message.items() if name.lower() not in TRACE_FIELDS]

    def attachments(self) -> dict[str, bytes]:
        """File names, decoded, with their bytes."""
        found: dict[str, bytes] = {}
        for part in self.message.iter_attachments():
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            found[str(part.get_filename())] = payload
        return found


def read_maildirs(folder: Path) -> Iterator[StoredMail]:
    """Yields every message in every Maildir at or below a folder."""
    for place in ("new", "cur"):
        for path in sorted(folder.rglob(f"{place}/*")):
            yield StoredMail(path, path.read_bytes())
