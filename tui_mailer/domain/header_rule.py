"""What may stand in a header: printable text, msg-ids, a person's own fields, and the last look before sealing."""

from __future__ import annotations

import re

from tui_mailer.domain.errors import InvalidMessage
from tui_mailer.domain.text import has_control

_MSG_ID = re.compile(r"<[!-;=?-~]{1,900}>")
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,75}")
_MAX_LINE = 998

_HOW_TO_SET = {
    "from": "the From field (--from)",
    "sender": "the From field (--from)",
    "to": "the To field (--to)",
    "cc": "the Cc field (--cc)",
    "bcc": "the Bcc field (--bcc)",
    "reply-to": "the Reply-To field (--reply-to)",
    "subject": "the Subject field (--subject)",
    "in-reply-to": "In-Reply-To (--in-reply-to)",
    "references": "References (--references)",
    "date": "the schedule (--at)",
}
_OURS = frozenset({"message-id", "mime-version"})
_OF_SERVERS = frozenset({"received", "return-path", "delivered-to", "dkim-signature", "authentication-results"})
_OF_SERVERS_PREFIXES = ("resent-", "arc-", "received-")
_MACHINE_READ = frozenset(
    {
        "archived-at",
        "auto-submitted",
        "autocrypt",
        "disposition-notification-to",
        "expires",
        "expiry-date",
        "feedback-id",
        "importance",
        "precedence",
        "priority",
        "require-recipient-valid-since",
        "return-receipt-to",
        "sensitivity",
        "supersedes",
        "tls-required",
        "x-auto-response-suppress",
        "x-msmail-priority",
        "x-priority",
    }
)
"""Fields that programs read by a grammar: encoded words would break them."""
_MACHINE_READ_PREFIXES = ("list-", "original-")
_FOREVER_ABSENT = frozenset({b"bcc", b"resent-bcc"})
_ONCE = frozenset(
    {
        *(b"date", b"from", b"sender", b"reply-to", b"to", b"cc", b"subject"),
        *(b"message-id", b"in-reply-to", b"references", b"mime-version"),
    }
)
_ONCE_PREFIXES = (b"content-", b"list-")
"""RFC 5322 section 3.6, RFC 2045 section 3, RFC 2369 section 3."""
_FIELD = re.compile(
    rb"([A-Za-z][A-Za-z0-9-]*):"
    rb"((?: [ -~\x80-\xff]*)?(?:\r\n[ \t]+[!-~\x80-\xff][ -~\t\x80-\xff]*)*)\r\n"
)


def check_printable(value: str, field: str) -> str:
    """Returns ``value``; raises `InvalidMessage` for control characters, line ends and lone surrogates."""
    if has_control(value):
        raise InvalidMessage(
            f"The {field} field has a line break or control character inside, which no header may carry. Remove it.",
            field=_field_key(field),
        )
    return value


def check_msg_id(value: str, field: str) -> str:
    """Returns ``value`` if it is one msg-id in angle brackets, printable ASCII without spaces (RFC 5322 3.6.4)."""
    if not _MSG_ID.fullmatch(value) or "=?" in value:
        raise InvalidMessage(
            f"{field} must name a message as <something@somewhere>, in ASCII without spaces, unlike {value!a}.",
            field=_field_key(field),
        )
    return value


def is_machine_read(name: str) -> bool:
    """Says whether programs read this field by a grammar, so that it can't carry encoded words."""
    lowered = name.lower()
    return lowered in _MACHINE_READ or lowered.startswith(_MACHINE_READ_PREFIXES)


def stands_once(name: str) -> bool:
    """Says whether a message may have this field (in lower case) once at most."""
    return name.encode() in _ONCE or name.encode().startswith(_ONCE_PREFIXES)


def check_custom_header(name: str, value: str) -> None:
    """Raises `InvalidMessage` with a sentence if a person may not set this field, or not to this value."""
    if not _FIELD_NAME.fullmatch(name):
        raise InvalidMessage(
            f"{name!a} can't be a header's name: use letters, digits and hyphens, at most 76, a letter first.",
            field="headers",
        )
    lowered = name.lower()
    if lowered in _HOW_TO_SET:
        raise InvalidMessage(
            f"{name} can't be set as a header of your own: use {_HOW_TO_SET[lowered]}.", field="headers"
        )
    if lowered in _OURS or lowered.startswith("content-"):
        raise InvalidMessage(f"{name} is written by the program itself: leave it out.", field="headers")
    if lowered in _OF_SERVERS or lowered.startswith(_OF_SERVERS_PREFIXES):
        raise InvalidMessage(f"{name} is written by mail servers only: leave it out.", field="headers")
    if has_control(value.replace("\t", " ")):
        raise InvalidMessage(f"{name} must be one line without control characters.", field="headers")
    if not value.strip():
        raise InvalidMessage(f"{name} has no value: give it one or leave it out.", field="headers")
    if is_machine_read(name) and (not value.isascii() or "=?" in value):
        raise InvalidMessage(f"{name} is read by programs and must be plain ASCII.", field="headers")
    if is_machine_read(name) and max(map(len, value.split())) > _MAX_LINE - len(name) - 2:
        raise InvalidMessage(f"{name} has a word that is too long for one line (998 characters).", field="headers")


def lint_header(header: bytes, *, is_utf8: bool = False) -> None:
    """Looks a finished header block over before it is sealed; raises `InvalidMessage` naming what is wrong.

    CRLF line ends only and a blank line last, no control characters, no line over 998 bytes, no Bcc, no field
    twice that may stand once, no 8-bit byte unless ``is_utf8`` (RFC 6532).
    """
    position = 0
    seen: set[bytes] = set()
    while found := _FIELD.match(header, position):
        name = found[1].lower()
        if name in _FOREVER_ABSENT:
            raise InvalidMessage(f"The header names {name.decode()}, which must never be sent.", field="bcc")
        if name in seen and stands_once(name.decode()):
            raise InvalidMessage(
                f"The header field {found[1].decode()} stands twice; it may stand once.", field="headers"
            )
        seen.add(name)
        if len(found[0]) > _MAX_LINE and max(map(len, found[0].split(b"\r\n"))) > _MAX_LINE:
            raise InvalidMessage(
                f"The header field {found[1].decode()} has a line of more than 998 bytes.", field="headers"
            )
        position = found.end()
    if not seen or header[position:] != b"\r\n":
        line = header[position:].split(b"\r\n", 1)[0][:60]
        raise InvalidMessage(f"The header has a line that isn't one: {line!r}.", field="headers")
    if not is_utf8 and not header.isascii():
        raise InvalidMessage("The header has 8-bit bytes that the mail system doesn't allow.", field="headers")


def _field_key(field: str) -> str:
    """Names the compose field of a header field (``In-Reply-To`` -> ``in_reply_to``)."""
    return field.lower().replace("-", "_")
