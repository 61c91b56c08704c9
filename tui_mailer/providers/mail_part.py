"""The parts of a message as mail APIs take them: who is addressed, header pairs, tags; what no capability can tell.

Every function is pure. Text stays as it is: JSON and forms carry UTF-8, so names and subjects need no encoded words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import Unsupported
from tui_mailer.domain.message import Attachment, Message
from tui_mailer.domain.submission import Kind
from tui_mailer.domain.text import clean
from tui_mailer.providers.base import Outgoing

SERVICE_HEADERS = frozenset({"sender", "return-path", "received", "dkim-signature"})
"""Besides what no person may set (`domain.header_rule`): written by every service itself."""


def addressed(outgoing: Outgoing, kind: Kind) -> list[Address]:
    """Lists who of To, Cc or Bcc still needs the message, each once and with the most visible kind, names included.

    All of a ready-made one's (``sendmail``) are To: its own header says who is named, and the service isn't to.
    """
    message = outgoing.message
    if message.raw_sha256 is not None:
        left = {one.address for one in outgoing.recipients}
        named = {one.addr_spec: one for one in message.recipients() if one.addr_spec in left}
        return list(named.values()) if kind is Kind.TO else []
    wanted = {one.address for one in outgoing.recipients if one.kind is kind}
    found: dict[str, Address] = {}
    for address in {Kind.TO: message.to, Kind.CC: message.cc, Kind.BCC: message.bcc}[kind]:
        if address.addr_spec in wanted:
            found.setdefault(address.addr_spec, address)
    return list(found.values())


def to_left(outgoing: Outgoing, service: str) -> list[Address]:
    """Lists who of To still needs the message; raises `Unsupported` where only Cc or Bcc are left of it."""
    to = addressed(outgoing, Kind.TO)
    if not to:
        raise Unsupported(
            "to", f"Nobody in To is left to send it to, and {service} wants somebody there.", "Send a new message."
        )
    return to


def header_pairs(message: Message, service: str, reserved: Collection[str] = ()) -> list[tuple[str, str]]:
    """Lists In-Reply-To, References and the message's own headers.

    Raises `Unsupported` for a second one of a name, and for a name that begins with one of ``reserved`` (lower case).
    """
    pairs: list[tuple[str, str]] = []
    if message.in_reply_to:
        pairs.append(("In-Reply-To", message.in_reply_to))
    if message.references:
        pairs.append(("References", " ".join(message.references)))
    seen: set[str] = set()
    for name, value in message.headers:
        lowered = name.lower()
        if lowered.startswith(tuple(reserved)):
            raise Unsupported("headers", f"{service} sets the header {name} itself.", "Leave it out.")
        if lowered in seen:
            raise Unsupported("headers", f"{service} takes the header {name} once.", "Join its values into one.")
        seen.add(lowered)
        pairs.append((name, value))
    return pairs


def tag_words(message: Message) -> list[str]:
    """Writes tags for a service that knows words only: ``name`` or ``name=value``, each once."""
    return list(dict.fromkeys(name if value is None else f"{name}={value}" for name, value in message.tags))


def tag_pairs(message: Message, service: str) -> list[tuple[str, str]]:
    """Writes tags for a service that wants a name and a value: without a value it is ``true``.

    Raises `Unsupported` for a name that comes twice.
    """
    pairs = {name: "true" if value is None else value for name, value in message.tags}
    if len(pairs) < len(message.tags):
        raise Unsupported("tags", f"{service} takes each tag's name once.", "Leave the second one out.")
    return list(pairs.items())


def require_no_subject(message: Message, service: str) -> None:
    """Raises `Unsupported` for a subject beside a template that brings its own."""
    if message.subject:
        raise Unsupported(
            "subject",
            f"At {service} the template brings the subject.",
            "Leave Subject empty; what varies in it goes into a variable (--var).",
        )


def require_filled(attachments: Iterable[Attachment], service: str) -> None:
    """Raises `Unsupported` for a file without a byte where the service refuses one."""
    for attachment in attachments:
        if attachment.sha256 is not None and not attachment.size:
            raise Unsupported(
                "attachments", f"{service} refuses an empty file ('{clean(attachment.name)}').", "Leave it out."
            )


def template_number(template: str, service: str) -> int:
    """Reads a template's id where ids are numbers; raises `Unsupported`."""
    if not (template.isascii() and template.isdecimal() and len(template) < 19):
        raise Unsupported(
            "template", f"{service} calls templates by number, unlike '{clean(template)}'.", "Give the template's id."
        )
    return int(template)


def raw_file(message: Message) -> Attachment:
    """Describes a ready-made message (``sendmail``) as the file it is sent as."""
    return Attachment(name="message.eml", media_type="message/rfc822", size=message.raw_size, sha256=message.raw_sha256)


def utc_text(moment: datetime, *, timespec: str = "seconds") -> str:
    """Writes an instant as ``2026-11-26T09:00:00Z`` (RFC 3339); ``timespec`` as in `datetime.isoformat`."""
    return moment.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
