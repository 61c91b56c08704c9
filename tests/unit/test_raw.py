"""Messages from other programs: read for their envelope, kept byte for byte, never widened."""

from __future__ import annotations

import email
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import InvalidAddress, InvalidMessage
from tui_mailer.domain.raw import complete, read_raw

DATE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
QUICK = settings(max_examples=150, deadline=None)
CRON = (
    b"From: root (Cron Daemon)\nTo: ada\nSubject: Cron <root@host> run-parts\n"
    b"Content-Type: text/plain; charset=UTF-8\nX-Cron-Env: <SHELL=/bin/sh>\n\nran f\xc3\xbcr 2 s\n"
)


def test_what_cron_writes_is_kept_but_for_its_line_ends() -> None:
    """A message goes on byte for byte, with the line ends that SMTP demands."""
    raw = read_raw(CRON)
    assert raw.data == CRON.replace(b"\n", b"\r\n")
    assert raw.sender == "root"
    assert raw.recipients == ("ada",)
    assert raw.subject == "Cron <root@host> run-parts"
    assert raw.message_id is None
    assert raw.text_excerpt == "ran für 2 s\n"
    assert raw.has_8bit
    assert not raw.is_too_long_lines


def test_bcc_is_read_and_removed() -> None:
    """The secret recipients get the mail and nobody sees their names, however the field is spelt and folded."""
    raw = read_raw(b"To: a@x.test\nbCC : b@x.test,\n\tc@x.test\nResent-Bcc: d@x.test\nX-Bcc: stays\n\nBcc: text\n")
    assert raw.data == b"To: a@x.test\r\nX-Bcc: stays\r\n\r\nBcc: text\r\n"


def test_recipients_are_those_of_to_cc_and_bcc_once_each() -> None:
    """Groups, comments, quoted names, bare names and repeated fields are all understood."""
    raw = read_raw(
        b'To: "Last, First" <a@x.test>, team: b@x.test, Joe <joe>;\nTo: root\n'
        b"Cc: undisclosed-recipients:;, a@x.test (again)\nBcc: c@b\xc3\xbccher.example\n\n"
    )
    assert raw.to == ("a@x.test", "b@x.test", "joe", "root")
    assert raw.cc == ("a@x.test",)
    assert raw.bcc == ("c@xn--bcher-kva.example",)
    assert raw.recipients == ("a@x.test", "b@x.test", "joe", "root", "c@xn--bcher-kva.example")


def test_a_resent_message_goes_to_its_new_recipients_only() -> None:
    """With Resent-* fields the original recipients don't get it again."""
    raw = read_raw(b"From: a@x.test\nTo: b@x.test\nCc: c@x.test\nResent-From: d@x.test\nResent-To: e@x.test\n\n")
    assert raw.recipients == ("e@x.test",)
    assert raw.sender == "d@x.test"


@pytest.mark.parametrize("to", ["a b c", "a@", "<a@x.test", "a@x.test b@x.test", "a@x.test\\"])
def test_recipients_that_cannot_be_read_are_told(to: str) -> None:
    """A broken To is an error where it is asked for, not a mail to somebody else."""
    raw = read_raw(f"To: {to}\n\nx".encode())
    with pytest.raises(InvalidAddress):
        _ = raw.recipients


@pytest.mark.parametrize(
    ("octets", "kept"),
    [
        (b"", b"\r\n"),
        (b"just text\nof a script", b"\r\njust text\r\nof a script\r\n"),
        (b"\nbody", b"\r\nbody\r\n"),
        (b"A: b", b"A: b\r\n\r\n"),
        (b"A: b\nno header here\nTo: x\n", b"A: b\r\n\r\nno header here\r\nTo: x\r\n"),
        (b" not a continuation\n", b"\r\n not a continuation\r\n"),
        (b"From ada Mon Nov 22\nA: b\n\nx\n", b"A: b\r\n\r\nx\r\n"),
        (b"A: b\r\r\n\r\r\nx\r\r\n", b"A: b\r\n\r\nx\r\n"),
        (b"A: b\n\na\rb\n.\nFrom x\n", b"A: b\r\n\r\na\r\nb\r\n.\r\nFrom x\r\n"),
        (b"A: b\n \nC: d\n\n", b"A: b\r\n\r\n \r\nC: d\r\n\r\n"),
    ],
)
def test_header_and_body_are_told_apart_as_sendmail_does(octets: bytes, kept: bytes) -> None:
    """What can't be a header line begins the body."""
    assert read_raw(octets).data == kept


@pytest.mark.parametrize(
    "octets",
    [
        b"Subject: x\rBcc: evil@x.test\n\n",
        b"Subject: x\r\rTo: evil@x.test\n\n",
        b"Subject: x\0\rBcc: evil@x.test\n\n",
        "Subject: x\u2028Bcc: evil@x.test\n\n".encode(),
        b"Subject: =?utf-8?q?x=0ABcc:_evil@x.test?=\n\n",
        b"Subject: x\x0bBcc: evil@x.test\n\n",
        b"Subject: x\x85Bcc: evil@x.test\n\n",
    ],
)
def test_a_field_cannot_smuggle_in_another(octets: bytes) -> None:
    """A lone CR from a web form, or anything like it, adds no field and no recipient."""
    raw = read_raw(octets)
    assert [name for name, _ in raw.fields] == ["subject"]
    assert raw.recipients == ()
    assert not re.search(rb"(?m)^(?i:bcc|to)", raw.data)
    assert "\n" not in raw.subject


@pytest.mark.parametrize(
    ("octets", "excerpt"),
    [
        (b"Content-Type: text/html\n\n<p>Hi <b>you</b>", "Hi you\n"),
        (b"Content-Transfer-Encoding: base64\n\nSGkh\n", "Hi!"),
        (b"Content-Type: text/plain; charset=latin-1\n\nf\xfcr\n", "für\n"),
        (b"Content-Type: text/plain; charset=no-such\n\nf\xfcr\n", "f\ufffdr\n"),
        (b"Content-Type: text/plain\n\n\x1b]0;evil\x07x\n", "]0;evilx\n"),
        (
            b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: attachment\n\nno\n--b\n\nyes\n",
            "yes",
        ),
        (b'Content-Type: multipart/mixed; boundary="b"\n\nnever closed', ""),
        (b"Content-Type: text/plain; charset=a\0b\n\nyes\n", "yes\n"),
        (b"Content-Type: text/plain; charset=idna\n\n\xffyes\n", "\ufffdyes\n"),
        (b"Content-Type: text/plain; x*; x*0*=utf-8''a; x*1=b\n\nyes\n", "yes\n"),
    ],
)
def test_the_history_finds_it_by_its_text(octets: bytes, excerpt: str) -> None:
    """The first text is decoded and made safe to show."""
    assert read_raw(octets).text_excerpt == excerpt


def test_a_subject_is_decoded_for_people() -> None:
    """Encoded words, folded and adjacent ones too."""
    raw = read_raw(b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n =?utf-8?b?IGFu?= alle\n\n")
    assert raw.subject == "Grüße an alle"
    assert read_raw(b"Subject: =?no-such?q?x?= =?utf-8?b?!!!?=\n\n").subject


def test_a_line_that_smtp_cannot_carry_is_noticed() -> None:
    """Whoever seals it can refuse it with a sentence."""
    assert read_raw(b"A: b\n\n" + b"x" * 999).is_too_long_lines
    assert not read_raw(b"A: b\n\n" + b"x" * 998).is_too_long_lines


def test_only_what_is_missing_is_added() -> None:
    """From, Date and Message-ID come in where there is none, after the fields that are there."""
    raw = complete(
        read_raw(b"To: a@x.test\nDate: long ago\n\nHi\n"),
        sender=Address("ada", "example.org", "Ada, Lady"),
        message_id="<1@example.org>",
        date=DATE,
    )
    assert raw.data == (
        b"To: a@x.test\r\nDate: long ago\r\n"
        b'From: "Ada, Lady" <ada@example.org>\r\nMessage-ID: <1@example.org>\r\n\r\nHi\r\n'
    )
    assert raw.sender == "ada@example.org"
    assert raw.message_id == "<1@example.org>"
    assert complete(raw, sender=Address("x", "y.test"), message_id="<2@y.test>", date=DATE) == raw


def test_a_message_without_any_header_gets_one() -> None:
    """What a script pipes in becomes a real message."""
    raw = complete(read_raw(b"disk full\n"), sender=Address("r", "x.test"), message_id="<1@x.test>", date=DATE)
    received = email.message_from_bytes(raw.data)
    assert received.keys() == ["From", "Date", "Message-ID"]
    assert received.get_payload() == "disk full\r\n"


def test_a_broken_message_id_is_never_added() -> None:
    """Completing can't break the header."""
    with pytest.raises(InvalidMessage):
        complete(read_raw(b"x"), sender=Address("r", "x.test"), message_id="1\r\nBcc: x@y.test", date=DATE)


FRAGMENTS = [
    *(b"\n", b"\r\n", b"\r", b"\n\n", b":", b" ", b"\t", b"\0", b"\xff", b"From ", b"x"),
    *(b"Bcc: evil@x.test", b"bcc :", b"To: a@x.test", b"Subject: =?utf-8?b?", b"?=", b"Resent-To: ", b"--b\n"),
    *(b"Content-Type: multipart/mixed; boundary=b", b"Content-Type: text/plain; charset*=utf-8''x%ff"),
    *(b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: x-uuencode", b"Message-ID: <"),
]


@QUICK
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=25).map(b"".join))
def test_anything_can_be_read_and_comes_out_well_formed(octets: bytes) -> None:
    """No input breaks the reader; what it keeps has CRLF line ends, one header block and no Bcc in it.

    Refused is only a header that a broken line ends before its Bcc.
    """
    try:
        raw = read_raw(octets)
    except InvalidMessage:
        if b"bcc" not in octets.lower():
            raise
        return
    assert raw.data.count(b"\r") == raw.data.count(b"\n") == raw.data.count(b"\r\n")
    assert raw.data.endswith(b"\r\n")
    header = raw.data.partition(b"\r\n\r\n")[0] if not raw.data.startswith(b"\r\n") else b""
    assert not re.search(rb"(?im)^(resent-)?bcc[ \t]*:", header)
    assert read_raw(raw.data).data == raw.data or raw.data.startswith(b"\r\nFrom ")
    assert isinstance(raw.subject, str)
    assert "\n" not in (raw.message_id or "")
    assert raw.sender is None or raw.sender.isprintable()


@pytest.mark.parametrize("size", [200_000])
@pytest.mark.parametrize("piece", [b"\r", b"\n", b"\r\n", b"x", b"\r\r\n"])
def test_whatever_fills_a_message_it_is_read_in_one_pass(piece: bytes, size: int) -> None:
    """Runs of line ends or none at all: reading takes as long as the message is large, not its square."""
    message = read_raw(b"Subject: x\n\nbody" + piece * size)
    assert b"\n" not in message.data.replace(b"\r\n", b"")
    assert b"\r" not in message.data.replace(b"\r\n", b"")
    assert message.is_too_long_lines == (piece == b"x")
