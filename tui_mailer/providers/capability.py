"""Refuses what a provider's capabilities exclude: the one table from a message's fields to what carries them."""

from __future__ import annotations

from collections.abc import Iterator

from tui_mailer.domain.errors import Unsupported
from tui_mailer.domain.message import Message
from tui_mailer.providers.base import Capabilities

_CHOOSE_ANOTHER = "Remove it, or choose another account."


def require(message: Message, capabilities: Capabilities, *, provider: str) -> None:
    """Raises `Unsupported` for the first thing in the message that the provider can't carry."""
    for field, what, remedy in _violations(message, capabilities):
        raise Unsupported(field, f"The provider {provider} can't carry {what}.", remedy)


def _violations(message: Message, can: Capabilities) -> Iterator[tuple[str, str, str]]:
    yield from _recipients(message, can)
    yield from _content(message, can)
    yield from _attachments(message, can)
    yield from _provider_features(message, can)


def _recipients(message: Message, can: Capabilities) -> Iterator[tuple[str, str, str]]:
    if can.max_to is not None and len(message.to) > can.max_to:
        yield "to", f"more than {can.max_to} To", "Send one submission per recipient."
    if can.max_recipients is not None and len(message.recipients()) > can.max_recipients:
        yield "to", f"more than {can.max_recipients} recipients", "Send to fewer recipients at a time."
    if message.cc and not can.cc:
        yield "cc", "Cc", _CHOOSE_ANOTHER
    if message.bcc and not can.bcc:
        yield "bcc", "Bcc", _CHOOSE_ANOTHER
    if message.reply_to and not can.reply_to:
        yield "reply_to", "Reply-To", _CHOOSE_ANOTHER


def _content(message: Message, can: Capabilities) -> Iterator[tuple[str, str, str]]:
    if message.raw_sha256 is not None:
        if not can.raw:
            yield "raw", "a message exactly as another program wrote it", "Choose an SMTP account."
        return
    if message.html is not None and not can.html:
        yield "html", "HTML", "Write plain text."
    if message.text is not None and not can.text:
        yield "body", "a plain text body", "Write HTML or Markdown."
    if can.needs_both_bodies and (message.text is None or message.html is None):
        yield "body", "a message without both a text and an HTML body", "Write Markdown."
    if can.one_body_only and message.text is not None and message.html is not None:
        yield "html", "text and HTML in one message", "Write plain text."
    if message.headers and not can.custom_headers:
        yield "headers", "headers of your own", _CHOOSE_ANOTHER
    if (message.in_reply_to or message.references) and can.threading == "none":
        yield "in_reply_to", "a reply's thread", _CHOOSE_ANOTHER


def _attachments(message: Message, can: Capabilities) -> Iterator[tuple[str, str, str]]:
    if can.max_attachments is not None and len(message.attachments) > can.max_attachments:
        yield "attachments", f"more than {can.max_attachments} attachments", "Remove some."
    for attachment in message.attachments:
        name = attachment.name
        if attachment.sha256 is not None and can.attachments not in {"bytes", "both"}:
            yield "attachments", f"a file ({name})", "Attach an http(s) URL, or choose another account."
        if attachment.url is not None and can.attachments not in {"url", "both"}:
            yield "attachments", f"an attachment by URL ({name})", "Download it and attach the file."
        if attachment.reference is not None and not can.attachment_references:
            yield "attachments", f"a reference ({name})", "Attach a file."
        if attachment.content_id is not None and not can.inline_images:
            yield "attachments", f"inline images ({name})", "Attach it as a file."


def _provider_features(message: Message, can: Capabilities) -> Iterator[tuple[str, str, str]]:
    if can.tags is not None and len(message.tags) > can.tags:
        what = f"more than {can.tags} tags" if can.tags else "tags"
        yield "tags", what, "Remove them, or choose another account."
    if message.metadata and not can.metadata:
        yield "metadata", "metadata", _CHOOSE_ANOTHER
    if message.template is not None and not can.templates:
        yield "template", "templates", "Write the body, or choose another account."
