"""Shows a prepared RFC 5322 message as ``--dry-run`` prints it: headers and text as is, files by name and digest."""

from __future__ import annotations

from collections.abc import Iterator

from tui_mailer.domain.message import Attachment, Message
from tui_mailer.domain.text import clean
from tui_mailer.providers.base import Step


def message_step(message: Message, header: bytes) -> Step:
    """Describes headers, bodies and attachments; ``header`` is the block as it goes out, empty for a raw message."""
    return Step(title="Message", lines=tuple(_lines(message, header)))


def _lines(message: Message, header: bytes) -> Iterator[str]:
    if message.raw_sha256 is not None:
        yield f"[as received: {message.raw_size} bytes, sha256 {message.raw_sha256}]"
        return
    for line in header.decode("utf-8", "replace").rstrip("\r\n").split("\r\n"):
        yield clean(line)
    for title, body in (("text/plain", message.text), ("text/html", message.html)):
        if body is not None:
            yield ""
            yield f"[{title}]"
            # Line by line: cleaning a whole body costs as much as rendering it.
            yield from map(clean, body.splitlines())
    if message.attachments:
        yield ""
    for attachment in message.attachments:
        yield _attachment_line(attachment)


def _attachment_line(attachment: Attachment) -> str:
    kind = "inline" if attachment.content_id is not None else "attachment"
    what = f"[{kind} {clean(attachment.name)}: {clean(attachment.media_type)}"
    if attachment.sha256 is not None:
        return f"{what}, {attachment.size} bytes, sha256 {attachment.sha256}]"
    return f"{what}, {clean(attachment.url or attachment.reference or '')}]"
