"""What a person may put into a header, and what the last look at a header block catches."""

from __future__ import annotations

import pytest

from tui_mailer.domain.errors import InvalidMessage
from tui_mailer.domain.header_rule import check_custom_header, is_machine_read, lint_header

GOOD = b"From: a@b.test\r\nSubject: hi\r\n there\r\nX-A: 1\r\nX-A: 2\r\n\r\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Note", "Grüße"),
        ("List-Unsubscribe", "<https://x.test/u>"),
        ("Organization", "Analytical Engines"),
        ("X-A", "a\tb"),
    ],
)
def test_a_header_of_ones_own_is_welcome(name: str, value: str) -> None:
    """Fields that the program doesn't write itself may be set."""
    check_custom_header(name, value)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("From", "use the From field"),
        ("bcc", "use the Bcc field"),
        ("Subject", "use the Subject field"),
        ("DATE", "use the schedule"),
        ("In-Reply-To", r"\(--in-reply-to\)"),
        ("Message-ID", "written by the program itself"),
        ("Content-Type", "written by the program itself"),
        ("MIME-Version", "written by the program itself"),
        ("Resent-To", "written by mail servers only"),
        ("Received", "written by mail servers only"),
        ("DKIM-Signature", "written by mail servers only"),
        ("X Note", "can't be a header's name"),
        ("X-Note:", "can't be a header's name"),
        ("X-Note\r\nBcc", "can't be a header's name"),
        ("", "can't be a header's name"),
        ("X" * 80, "can't be a header's name"),
        ("Ünïcode", "can't be a header's name"),
    ],
)
def test_a_header_that_is_not_ones_own_is_refused_with_a_sentence(name: str, sentence: str) -> None:
    """The sentence says where that is set instead."""
    with pytest.raises(InvalidMessage, match=sentence) as caught:
        check_custom_header(name, "x")
    assert caught.value.field == "headers"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("X-Note", "a\nBcc: b@c.test", "must be one line"),
        ("X-Note", "a\r\n", "must be one line"),
        ("X-Note", "\x1b[0m", "must be one line"),
        ("X-Note", "  ", "has no value"),
        ("List-Unsubscribe", "<https://x.test/ü>", "plain ASCII"),
        ("Auto-Submitted", "=?utf-8?q?no?=", "plain ASCII"),
        ("List-Unsubscribe", f"<https://x.test/{'x' * 1000}>", "too long for one line"),
    ],
)
def test_a_value_that_would_break_the_header_is_refused(name: str, value: str, sentence: str) -> None:
    """Control characters, empty values, and encoded words where programs read."""
    with pytest.raises(InvalidMessage, match=sentence):
        check_custom_header(name, value)


def test_fields_for_programs_are_known_in_any_case() -> None:
    """List-* and such are never encoded, however they are spelt."""
    assert is_machine_read("LIST-Unsubscribe-Post")
    assert not is_machine_read("X-Note")


def test_a_good_header_block_passes() -> None:
    """Folded lines and repeated fields of one's own are fine."""
    lint_header(GOOD)
    lint_header(GOOD.replace(b"a@b", "ä@b".encode()), is_utf8=True)


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (GOOD.replace(b"X-A: 1", b"Bcc: x@y.test"), "bcc, which must never be sent"),
        (GOOD.replace(b"X-A: 1", b"Resent-BCC: x@y.test"), "resent-bcc, which must never be sent"),
        (GOOD.replace(b"X-A: 1", b"FROM: x@y.test"), "stands twice"),
        (GOOD.replace(b"X-A: 1", b"subject: x"), "stands twice"),
        (GOOD.replace(b"hi\r\n", b"hi\n"), "isn't one"),
        (GOOD.replace(b"hi\r\n", b"hi\r"), "isn't one"),
        (GOOD.replace(b" there", b""), "isn't one"),
        (GOOD.replace(b" there", b"  "), "isn't one"),
        (GOOD.replace(b"hi", b"h\0i"), "isn't one"),
        (GOOD.replace(b"hi", b"h\x1bi"), "isn't one"),
        (GOOD.replace(b"Subject:", b"Sub ject:"), "isn't one"),
        (GOOD.replace(b"hi", b"x" * 990), "more than 998 bytes"),
        (GOOD.replace(b"a@b", "ä@b".encode()), "8-bit"),
        (GOOD[:-2], "isn't one"),
        (GOOD + b"more", "isn't one"),
        (b"\r\n", "isn't one"),
        (b"", "isn't one"),
    ],
)
def test_the_last_look_catches(header: bytes, sentence: str) -> None:
    """Whatever went wrong before, a broken header block is never sealed."""
    with pytest.raises(InvalidMessage, match=sentence):
        lint_header(header)
