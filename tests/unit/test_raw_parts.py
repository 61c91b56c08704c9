"""Messages of other programs taken apart: any bytes give parts or a sentence, and flowing text is read as written."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_mailer.domain.body import flow, unflow
from tui_mailer.domain.errors import InvalidMessage
from tui_mailer.domain.raw import read_raw
from tui_mailer.domain.raw_parts import take_apart

PIECES = st.sampled_from(
    [
        *(b"From: a@x.test\n", b"To: =?utf-8?q?=FF?= <b@x.test>, root, ,;<>\n", b"Subject: \xff\n", b"X-A:\tb\n c\n"),
        *(b"Content-Type: multipart/mixed; boundary=b\n", b"Content-Type: multipart/alternative; boundary=b\n"),
        *(b"Content-Type: message/rfc822\n", b"Content-Type: text/html; charset=idna\n", b"Content-Type: ;\n"),
        *(b"Content-Type: text/plain; charset=a\0b\n", b"Content-Type: a/b; x*; x*0*=utf-8''a; x*1=b\n"),
        *(b"Content-Type: a/b; name*=utf-\x008''Gr%C3\n", b"Content-Disposition: inline; filename==?x?=\n"),
        *(b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: quoted-printable\n"),
        *(
            b"Content-ID: <\xc3\xa9 x>\n",
            b"Content-ID: <dot@x>\n",
            b"\n",
            b"--b\n",
            b"--b--\n",
            b"text\xfc=\n",
            b"\r\0",
        ),
    ]
)


@given(st.lists(PIECES, max_size=14))
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_parts_or_a_sentence(pieces: list[bytes]) -> None:
    """Nothing that a program hands over ends in a crash when it is edited."""
    raw = read_raw(b"".join(pieces))
    lost: tuple[str, ...] = ()
    with suppress(InvalidMessage):
        lost = take_apart(raw.data).lost
    assert all(one.isprintable() for one in lost)


@given(st.text(alphabet="ab\n ->F\u00e9", max_size=400).map(lambda text: text.replace(">", "x")))
@settings(max_examples=300, deadline=None)
def test_flowing_text_is_read_as_it_was_written(text: str) -> None:
    """Wrapped, stuffed and read again it is the same, but for white space at the end of lines."""
    lines = [line if line == "-- " else line.rstrip(" ") for line in text.split("\n")]
    assert unflow(flow(text)).rstrip("\n") == "\n".join(lines).rstrip("\n")


@pytest.mark.parametrize(
    ("flowed", "text"),
    [
        ("One \nline.\n", "One line.\n"),
        ("> One \n> line.\n>> deeper \n> other\n", "> One line.\n>> deeper \n> other\n"),
        (" From here\n -- \n", "From here\n-- \n"),
        ("text \n-- \nAda\n", "text \n-- \nAda\n"),
    ],
)
def test_quotes_stuffing_and_signatures(flowed: str, text: str) -> None:
    """RFC 3676: soft breaks join lines of one depth only, and never a signature's line."""
    assert unflow(flowed) == text


def test_a_space_that_only_breaks_goes_with_its_break() -> None:
    """DelSp=yes, as languages without spaces between words have it."""
    assert unflow("日本 \n語\n", deletes_space=True) == "日本語\n"
