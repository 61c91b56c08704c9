"""What a provider can't carry, by its capabilities: asked before anything is stored, and again before sending."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from fnmatch import fnmatch

from tui_mailer.domain.errors import Unsupported
from tui_mailer.domain.message import Attachment, Message
from tui_mailer.providers.base import Capabilities


def refusals(message: Message, capabilities: Capabilities, *, account: str, size: int) -> tuple[Unsupported, ...]:
    """Lists everything in the message that the provider can't carry, in the order of the form.

    Metadata that the provider has no place for isn't refused: it is kept with the submission here.
    """
    return (
        *_recipient_refusals(message, capabilities, account),
        *_body_refusals(message, capabilities, account),
        *_attachment_refusals(message, capabilities, account),
        *_extra_refusals(message, capabilities, account),
        *_size_refusals(message, capabilities, account, size),
    )


def require(message: Message, capabilities: Capabilities, *, account: str, size: int) -> None:
    """Raises the first of the `refusals`, if there is any."""
    for refusal in refusals(message, capabilities, account=account, size=size):
        raise refusal


SCHEDULE_MARGIN = timedelta(seconds=30)
"""A time must lie so much further ahead than the provider's least: the request takes a while to arrive."""


def keeps_schedule(
    capabilities: Capabilities, not_before: datetime, now: datetime, *, is_template: bool = False
) -> bool:
    """Says whether the provider itself can keep the message until then (else the outbox does)."""
    if capabilities.schedule_min is None or not_before <= now:
        return False
    if is_template and not capabilities.template_with_schedule:
        return False
    ahead = not_before - now
    return capabilities.schedule_min + SCHEDULE_MARGIN <= ahead and (
        capabilities.schedule_max is None or ahead <= capabilities.schedule_max
    )


def effects(capabilities: Capabilities) -> tuple[str, ...]:
    """What a person should read before sending with an account: side effects, and that it only tries out."""
    return (*((capabilities.sandbox,) if capabilities.sandbox else ()), *capabilities.effects)


def _recipient_refusals(message: Message, can: Capabilities, account: str) -> Iterator[Unsupported]:
    is_named_by_option = can.recipient_option is not None and can.recipient_option in message.options
    if can.needs_to and not (message.to or message.raw_sha256 or is_named_by_option):
        yield Unsupported("to", f"Account '{account}' takes no message without a To.", "Put somebody into To.")
    if is_named_by_option and message.to and not can.recipient_option_adds:
        yield Unsupported(
            "options", f"Option '{can.recipient_option}' names the recipient in place of To.", "Leave one of them out."
        )
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
    for field, name, addresses, most in (
        ("cc", "Cc", message.cc, can.max_cc),
        ("bcc", "Bcc", message.bcc, can.max_bcc),
        ("reply_to", "Reply-To", message.reply_to, can.max_reply_to),
    ):
        if most is not None and len(addresses) > most:
            yield Unsupported(
                field,
                f"Account '{account}' takes at most {most} {name} a message, not {len(addresses)}.",
                "Name fewer, or send it in several messages.",
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
    yield from _text_refusals(message, can, account)
    yield from _template_refusals(message, can, account)


def _text_refusals(message: Message, can: Capabilities, account: str) -> Iterator[Unsupported]:
    bodies = [body for body in (message.text, message.html) if body is not None and body.strip()]
    is_excused = message.template or message.raw_sha256 or (can.is_body_optional_with_files and message.attachments)
    if can.needs_body and not bodies and not is_excused:
        yield Unsupported("body", f"Account '{account}' takes no message without a text.", "Write one.")
    longest = max(map(len, bodies), default=0)
    if can.max_body is not None and longest > can.max_body:
        yield Unsupported(
            "body",
            f"The text has {longest} characters, account '{account}' takes {can.max_body}.",
            "Shorten it, or attach it as a file.",
        )
    if can.needs_subject and not message.subject and not (message.template or message.raw_sha256):
        yield Unsupported("subject", f"Account '{account}' takes no message without a subject.", "Write one.")
    if can.max_subject is not None and len(message.subject) > can.max_subject:
        yield Unsupported(
            "subject",
            f"The subject has {len(message.subject)} characters, account '{account}' takes {can.max_subject}.",
            "Shorten it.",
        )


def _template_refusals(message: Message, can: Capabilities, account: str) -> Iterator[Unsupported]:
    if message.variables and not message.template:
        yield Unsupported(
            "variables",
            "Variables (--var) need a template, or to be filled in here.",
            "Name a template, or have them filled in here (--expand).",
        )
    if not message.template:
        return
    if not can.templates:
        yield Unsupported("template", f"Account '{account}' has no templates.", "Write the text itself.")
        return
    if message.variables and not can.template_variables:
        yield Unsupported("variables", f"Templates of account '{account}' take no variables.", "Leave them out.")
    if (message.text or message.html) and not can.template_with_body:
        yield Unsupported(
            "body", f"Account '{account}' takes a template or a text, not both.", "Leave one of them out."
        )
    if message.attachments and not can.template_with_attachments:
        yield Unsupported(
            "attachments", f"Templates of account '{account}' take no attachments.", "Write the text itself instead."
        )


def _attachment_refusals(message: Message, can: Capabilities, account: str) -> Iterator[Unsupported]:
    for attachment in message.attachments:
        name = attachment.name
        if attachment.reference is None and can.attachments == "none":
            what = "Put a link into the text"
            yield Unsupported(
                "attachments",
                f"Account '{account}' takes neither files nor links ('{name}').",
                f"{what}, or name what it keeps itself (--attach ref:TYPE/ID)."
                if can.attachment_references
                else f"{what}.",
            )
        elif attachment.reference is not None and not can.attachment_references:
            yield Unsupported(
                "attachments", f"Account '{account}' has no resource '{name}' to attach.", "Attach a file."
            )
        elif attachment.url is not None and can.attachments not in ("url", "both"):
            yield Unsupported(
                "attachments",
                f"Account '{account}' can't attach a link ('{name}').",
                "Put the link into the text."
                if can.attachments == "none"
                else "Attach the file itself, or put the link into the text.",
            )
        elif attachment.sha256 is not None and can.attachments not in ("bytes", "both"):
            yield Unsupported(
                "attachments",
                f"Account '{account}' takes {'links, not' if can.attachments == 'url' else 'no'} files ('{name}').",
                "Attach a URL, or use another account." if can.attachments == "url" else "Use another account.",
            )
        elif attachment.sha256 is not None:
            yield from _file_refusals(attachment, can, account)
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


def _file_refusals(attachment: Attachment, can: Capabilities, account: str) -> Iterator[Unsupported]:
    name, size = attachment.name, attachment.size or 0
    if can.max_attachment_size is not None and size > can.max_attachment_size:
        yield Unsupported(
            "attachments",
            f"'{name}' is {megabytes(size)}, account '{account}' takes {megabytes(can.max_attachment_size)} a file.",
            "Send a link instead of the file, or split it.",
        )
    if can.attachment_types and not any(fnmatch(attachment.media_type.lower(), one) for one in can.attachment_types):
        allowed = ", ".join(can.attachment_types)
        yield Unsupported(
            "attachments",
            f"Account '{account}' doesn't take '{name}' ({attachment.media_type}), only {allowed}.",
            "Convert it, or send a link.",
        )
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    if extension in can.refused_extensions:
        yield Unsupported(
            "attachments", f"Account '{account}' refuses files like '{name}' (.{extension}).", "Send a link instead."
        )


def _header_refusals(message: Message, can: Capabilities, account: str) -> Iterator[Unsupported]:
    if message.headers and not can.custom_headers:
        yield Unsupported("headers", f"Account '{account}' has no custom headers.", "Leave them out.")
        return
    if can.max_headers is not None and len(message.headers) > can.max_headers:
        yield Unsupported(
            "headers",
            f"Account '{account}' takes {can.max_headers} custom headers, not {len(message.headers)}.",
            "Leave some out.",
        )
    for name, value in message.headers:
        is_allowed = not can.header_prefixes or name.lower().startswith(can.header_prefixes)
        if name.lower() in can.reserved_headers or not is_allowed:
            only = f" (only names that begin with {', '.join(can.header_prefixes)})" if not is_allowed else ""
            yield Unsupported(
                "headers", f"Account '{account}' doesn't take the header '{name}'{only}.", "Leave it out."
            )
        if can.max_header_value is not None and len(value) > can.max_header_value:
            yield Unsupported(
                "headers",
                f"The header '{name}' has {len(value)} characters, account '{account}' takes {can.max_header_value}.",
                "Shorten it.",
            )


def _extra_refusals(message: Message, can: Capabilities, account: str) -> Iterator[Unsupported]:
    yield from _header_refusals(message, can, account)
    if (message.in_reply_to or message.references) and can.threading == "none":
        yield Unsupported(
            "in_reply_to", f"Account '{account}' can't reply within a conversation.", "Send it as a new message."
        )
    if (message.in_reply_to or message.references) and can.threading == "provider_id":
        yield Unsupported(
            "in_reply_to",
            f"Account '{account}' knows messages by its provider's own numbers, not by Message-ID.",
            "Leave In-Reply-To empty and name the number with an option, or use another account.",
        )
    if can.tags is not None and len(message.tags) > can.tags:
        limit = "no tags" if can.tags == 0 else f"at most {can.tags} tags"
        yield Unsupported(
            "tags", f"Account '{account}' has {limit}.", "Leave them out, or keep them here as metadata (--meta)."
        )
    else:
        yield from _tag_refusals(message, can, account)
    yield from _metadata_refusals(message, can, account)


def _tag_refusals(message: Message, can: Capabilities, account: str) -> Iterator[Unsupported]:
    for name, value in message.tags:
        shown = name if value is None else f"{name}={value}"
        if value is not None and not can.tag_values:
            yield Unsupported(
                "tags",
                f"Account '{account}' has tags without values, not '{shown}'.",
                f"Write {name} alone (--tag {name}).",
            )
        if value is None and can.needs_tag_values:
            yield Unsupported("tags", f"Account '{account}' wants a value with tag '{name}'.", "Write NAME=VALUE.")
        parts = [name] if value is None else [name, value]
        if can.max_tag is not None and any(len(part) > can.max_tag for part in parts):
            yield Unsupported(
                "tags", f"Tag '{shown}' is too long: account '{account}' takes {can.max_tag} characters.", "Shorten it."
            )
        if can.tag_pattern is not None and not all(re.fullmatch(can.tag_pattern, part) for part in parts):
            yield Unsupported(
                "tags",
                f"Account '{account}' doesn't take the tag '{shown}': it must match {can.tag_pattern}.",
                "Use other characters.",
            )


def _metadata_refusals(message: Message, can: Capabilities, account: str) -> Iterator[Unsupported]:
    """Only of what is handed to the provider: where it takes none, metadata is kept here."""
    if not can.metadata:
        return
    if can.max_metadata is not None and len(message.metadata) > can.max_metadata:
        yield Unsupported(
            "metadata",
            f"Account '{account}' takes {can.max_metadata} entries of metadata, not {len(message.metadata)}.",
            "Leave some out.",
        )
    size = sum(len(key.encode()) + len(value.encode()) for key, value in message.metadata.items())
    if can.max_metadata_size is not None and size > can.max_metadata_size:
        yield Unsupported(
            "metadata",
            f"The metadata is {size} bytes, account '{account}' takes {can.max_metadata_size}.",
            "Shorten it.",
        )


def _size_refusals(message: Message, can: Capabilities, account: str, size: int) -> Iterator[Unsupported]:
    files = sum(one.size or 0 for one in message.attachments)
    if can.max_attachments_size is not None and files > can.max_attachments_size:
        yield Unsupported(
            "attachments",
            f"The files are {megabytes(files)}, account '{account}' takes {megabytes(can.max_attachments_size)}.",
            "Send a link instead of a file, or several messages.",
        )
    if can.max_size is not None and size > can.max_size:
        yield Unsupported(
            "attachments",
            f"The message is {megabytes(size)}, account '{account}' takes {megabytes(can.max_size)}.",
            "Send a link instead of the file, or split it.",
        )


def megabytes(size: int) -> str:
    """Says a size in a person's units."""
    return f"{size / 1_000_000:.1f} MB" if size >= 100_000 else f"{max(size, 0) / 1000:.1f} kB"
