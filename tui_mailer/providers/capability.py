"""What a provider can't carry, by its capabilities: asked before anything is stored, and again before sending."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from tui_mailer.domain.errors import Unsupported
from tui_mailer.domain.message import Message
from tui_mailer.providers.base import Capabilities


def refusals(message: Message, capabilities: Capabilities, *, account: str, size: int) -> tuple[Unsupported, ...]:
    """Lists everything in the message that the provider can't carry, in the order of the form.

    Metadata is never refused: it is kept with the submission and can be searched for, whoever carries the mail.
    """
    return (
        *_recipient_refusals(message, capabilities, account),
        *_body_refusals(message, capabilities, account),
        *_attachment_refusals(message, capabilities, account),
        *_extra_refusals(message, capabilities, account),
        *_size_refusals(capabilities, account, size),
    )


def require(message: Message, capabilities: Capabilities, *, account: str, size: int) -> None:
    """Raises the first of the `refusals`, if there is any."""
    for refusal in refusals(message, capabilities, account=account, size=size):
        raise refusal


def keeps_schedule(capabilities: Capabilities, not_before: datetime, now: datetime) -> bool:
    """Says whether the provider itself can keep the message until then (else the outbox does)."""
    if capabilities.schedule_min is None or capabilities.schedule_max is None:
        return False
    return capabilities.schedule_min <= not_before - now <= capabilities.schedule_max


def _recipient_refusals(message: Message, can: Capabilities, account: str) -> Iterator[Unsupported]:
    if message.raw_sha256 and not can.raw:
        yield Unsupported(
            "body", f"Account '{account}' can't carry a ready-made message as it is.", "Use an SMTP account."
        )
    if can.max_to is not None and len(message.to) > can.max_to:
        yield Unsupported(
            "to",
            f"Account '{account}' takes at most {can.max_to} To a message, not {len(message.to)}.",
            "Send one message to each (--each), or use another account.",
        )
    total = len(message.recipients())
    if can.max_recipients is not None and total > can.max_recipients:
        yield Unsupported(
            "to",
            f"Account '{account}' takes {can.max_recipients} recipients a message, not {total}.",
            "Send it in several messages.",
        )
    for field, present, allowed in (
        ("cc", message.cc, can.cc),
        ("bcc", message.bcc, can.bcc),
        ("reply_to", message.reply_to, can.reply_to),
    ):
        if present and not allowed:
            name = {"cc": "Cc", "bcc": "Bcc", "reply_to": "Reply-To"}[field]
            yield Unsupported(
                field, f"Account '{account}' has no {name}.", f"Leave {name} empty, or use another account."
            )


def _body_refusals(message: Message, can: Capabilities, account: str) -> Iterator[Unsupported]:
    if message.text is not None and message.html is None and not (can.text or can.needs_both_bodies):
        yield Unsupported("body", f"Account '{account}' carries HTML only.", "Write the body as Markdown.")
    if message.html is not None and not can.html:
        yield Unsupported("body", f"Account '{account}' carries plain text only.", "Write the body as plain text.")
    if message.template and not can.templates:
        yield Unsupported("template", f"Account '{account}' has no templates.", "Write the text itself.")
    if message.variables and not message.template:
        yield Unsupported(
            "variables", "Variables (--var) need a template or --expand.", "Add --expand to fill them in here."
        )


def _attachment_refusals(message: Message, can: Capabilities, account: str) -> Iterator[Unsupported]:
    for attachment in message.attachments:
        name = attachment.name
        if attachment.reference is not None and not can.attachment_references:
            yield Unsupported(
                "attachments", f"Account '{account}' has no resource '{name}' to attach.", "Attach a file."
            )
        elif attachment.url is not None and can.attachments not in ("url", "both"):
            yield Unsupported(
                "attachments",
                f"Account '{account}' can't attach a link ('{name}').",
                "Attach the file itself, or put the link into the text.",
            )
        elif attachment.sha256 is not None and can.attachments not in ("bytes", "both"):
            yield Unsupported(
                "attachments",
                f"Account '{account}' takes links, not files ('{name}').",
                "Attach a URL, or use another account.",
            )
        if attachment.content_id is not None and not can.inline_images:
            yield Unsupported(
                "attachments", f"Account '{account}' has no inline images ('{name}').", "Attach it instead."
            )
    if can.max_attachments is not None and len(message.attachments) > can.max_attachments:
        yield Unsupported(
            "attachments",
            f"Account '{account}' takes {can.max_attachments} attachments, not {len(message.attachments)}.",
            "Put them into one archive, or send several messages.",
        )


def _extra_refusals(message: Message, can: Capabilities, account: str) -> Iterator[Unsupported]:
    if message.headers and not can.custom_headers:
        yield Unsupported("headers", f"Account '{account}' has no custom headers.", "Leave them out.")
    if (message.in_reply_to or message.references) and can.threading == "none":
        yield Unsupported(
            "in_reply_to", f"Account '{account}' can't reply within a conversation.", "Send it as a new message."
        )
    if can.tags is not None and len(message.tags) > can.tags:
        limit = "no tags" if can.tags == 0 else f"at most {can.tags} tags"
        yield Unsupported(
            "tags", f"Account '{account}' has {limit}.", "Leave them out, or use --meta to keep them here."
        )


def _size_refusals(can: Capabilities, account: str, size: int) -> Iterator[Unsupported]:
    if can.max_size is not None and size > can.max_size:
        yield Unsupported(
            "attachments",
            f"The message is {megabytes(size)}, account '{account}' takes {megabytes(can.max_size)}.",
            "Send a link instead of the file, or split it.",
        )


def megabytes(size: int) -> str:
    """Says a size in a person's units."""
    return f"{size / 1_000_000:.1f} MB" if size >= 100_000 else f"{max(size, 0) / 1000:.1f} kB"
