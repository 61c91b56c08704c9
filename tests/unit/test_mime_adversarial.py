"""Every field that takes text from outside, against every payload that has ever added a header somewhere."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Callable

import pytest
from mime_kit import BytesContent, attached, plain_message, render

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import InvalidMessage
from tui_mailer.domain.message import Message

PAYLOADS = {
    "newline": "x\nBcc: evil@x.test",
    "crlf": "x\r\nBcc: evil@x.test",
    "carriage return": "x\rBcc: evil@x.test",
    "folded": "x\r\n Bcc: evil@x.test",
    "end of header": "x\r\n\r\nevil body",
    "trailing crlf": "x\r\n",
    "encoded newline": "x =?utf-8?q?=0ABcc:_evil@x.test?=",
    "encoded crlf": "=?utf-8?b?eA0KQmNjOiBldmlsQHgudGVzdA==?=",
    "unfinished word": "=?utf-8?q?x",
    "nul": "x\0y",
    "escape": "x\x1b]52;c;ZXZpbA==\x07",
    "c1": "x\x9b31m",
    "next line": "x\x85Bcc: evil@x.test",
    "line separator": "x\u2028Bcc: evil@x.test",
    "surrogate": "x\ud800",
    "vertical tab": "x\x0bBcc: evil@x.test",
    "quote": '"x" <evil@x.test>, y',
    "percent": "x%0d%0aBcc: evil@x.test",
    "boundary": "x\r\n--=_1_0\r\n",
    "long": "x" * 5000,
    "long wide": "漢" * 3000,
    "many spaces": "x" + " " * 3000 + "y",
}


def with_file_name(payload: str) -> tuple[Message, list[BytesContent]]:
    """A message whose attachment has the payload for its name."""
    file, content = attached(b"x", payload)
    return plain_message(attachments=(file,)), [content]


def with_content_id(payload: str) -> tuple[Message, list[BytesContent]]:
    """A message whose inline image has the payload for its Content-ID."""
    file, content = attached(b"x", "i.png", content_id=payload)
    return plain_message(html="<p>", attachments=(file,)), [content]


def with_media_type(payload: str) -> tuple[Message, list[BytesContent]]:
    """A message whose attachment has the payload for its type."""
    file, content = attached(b"x", "f", media_type="text/plain; x=" + payload)
    return plain_message(attachments=(file,)), [content]


FIELDS: dict[str, Callable[[str], tuple[Message, list[BytesContent]]]] = {
    "subject": lambda payload: (plain_message(subject=payload), []),
    "from name": lambda payload: (plain_message(sender=Address("ada", "example.org", payload)), []),
    "to name": lambda payload: (plain_message(to=(Address("ada", "example.org", payload),)), []),
    "cc name": lambda payload: (plain_message(cc=(Address("ada", "example.org", payload),)), []),
    "reply-to name": lambda payload: (plain_message(reply_to=(Address("ada", "example.org", payload),)), []),
    "local part": lambda payload: (plain_message(to=(Address(payload, "example.org"),)), []),
    "domain": lambda payload: (plain_message(to=(Address("ada", payload),)), []),
    "message-id": lambda payload: (plain_message(message_id=payload), []),
    "message-id inside": lambda payload: (plain_message(message_id=f"<{payload}@x.test>"), []),
    "in-reply-to": lambda payload: (plain_message(in_reply_to=f"<{payload}@x.test>"), []),
    "references": lambda payload: (plain_message(references=("<1@x.test>", f"<{payload}@x.test>")), []),
    "custom value": lambda payload: (plain_message(headers=(("X-Note", payload),)), []),
    "custom name": lambda payload: (plain_message(headers=((payload, "x"),)), []),
    "list-unsubscribe": lambda payload: (plain_message(headers=(("List-Unsubscribe", payload),)), []),
    "file name": with_file_name,
    "content-id": with_content_id,
    "media type": with_media_type,
    "text": lambda payload: (plain_message(text=payload), []),
    "html": lambda payload: (plain_message(html=payload), []),
}


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
@pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS.keys())
def test_no_text_adds_a_header_a_part_or_a_control_character(
    field: Callable[[str], tuple[Message, list[BytesContent]]], payload: str
) -> None:
    """The message is refused with a sentence, or goes out with just the fields and parts it should have."""
    harmless, harmless_contents = field("x")
    try:
        message, contents = field(payload)
        rendered = render(message, *contents)
    except InvalidMessage as error:
        assert str(error).isprintable()  # noqa: PT017 - refusing is one of two right answers
        return
    try:
        expected = email.message_from_bytes(render(harmless, *harmless_contents))
    except InvalidMessage:
        expected = None  # this field takes no "x", so there is nothing to compare with
    received = email.message_from_bytes(rendered)
    assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", rendered)
    assert not [part for part in received.walk() if "bcc" in part]
    if expected is not None:
        new_name = {name.lower() for name in received} ^ {name.lower() for name in expected}
        assert new_name <= {payload.lower(), "x"}
        assert [part.get_content_type() for part in received.walk()] == [
            part.get_content_type() for part in expected.walk()
        ]


@pytest.mark.parametrize("payload", [payload for payload in PAYLOADS.values() if payload.isprintable()])
def test_a_fake_encoded_word_is_shown_as_it_was_typed(payload: str) -> None:
    """Text that looks like an encoded word reaches the reader's eye unchanged, decoded by nobody."""
    received = email.message_from_bytes(render(plain_message(subject=payload)), policy=email.policy.default)
    assert received["Subject"] == payload
