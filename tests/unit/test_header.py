"""How single header fields are written: folding, encoded words, phrases, parameters."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mime_kit import lines

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import InvalidMessage
from tui_mailer.domain.header import (
    encode_words,
    write_addresses,
    write_msg_ids,
    write_parameters,
    write_text,
    write_tokens,
)

QUICK = settings(max_examples=150, deadline=None)


def unfolded(field: str) -> str:
    """Takes the folds out."""
    return field.replace("\r\n", "")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("Hello", "Subject: Hello"),
        ("two  spaces. Kept", "Subject: two  spaces. Kept"),
        ("  trimmed  ", "Subject: trimmed"),
        ("tab\tbed", "Subject: tab bed"),
        ("Grüße", "Subject: =?utf-8?b?R3LDvMOfZQ==?="),
        ("Überlegungen dazu", "Subject: =?utf-8?q?=C3=9Cberlegungen?= dazu"),
        ("a =?utf-8?q?b?= c", "Subject: a =?utf-8?b?PT91dGYtOD9xP2I/PQ==?= c"),
        ("ideé  b", "Subject: =?utf-8?b?aWRlw6kg?= b"),
    ],
)
def test_a_subject_is_encoded_word_by_word(value: str, written: str) -> None:
    """Only the words that need it are encoded, the rest stays readable in the raw."""
    assert write_text("Subject", value) == written


@QUICK
@given(lines)
def test_folding_only_adds_line_ends_before_spaces(value: str) -> None:
    """A folded line begins with a space, is never blank, and holds nothing but ASCII up to 78 characters."""
    field = write_text("Subject", value)
    for line in field.split("\r\n")[1:]:
        assert line.startswith(" ")
        assert line.strip(" ")
    assert field.isascii()
    assert max(map(len, field.split("\r\n"))) <= 78
    for word in re.findall(r"=\?utf-8\?[bq]\?[^? ]*\?=", field):
        assert len(word) <= 75


@QUICK
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.integers(24, 75))
def test_every_encoded_word_can_be_decoded_alone(text: str, room: int) -> None:
    """No character is split between two words, so each can be decoded by itself."""
    from email.header import decode_header

    words = encode_words(text, room)
    assert len(words[0]) <= room
    assert all(len(word) <= 75 for word in words)
    assert "".join(octets.decode("utf-8") for word in words for octets, _ in decode_header(word)) == text


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("", "ada@x.test"),
        ("Ada Lovelace", "Ada Lovelace <ada@x.test>"),
        ("Lovelace, Ada", '"Lovelace, Ada" <ada@x.test>'),
        ('Ada "the first"', '"Ada \\"the first\\"" <ada@x.test>'),
        ("Ada B. Lovelace", '"Ada B. Lovelace" <ada@x.test>'),
        ("=?utf-8?q?x?=", "=?utf-8?b?PT91dGYtOD9xP3g/PQ==?= <ada@x.test>"),
        ("Adä", "=?utf-8?q?Ad=C3=A4?= <ada@x.test>"),
    ],
)
def test_a_name_is_atoms_a_quoted_string_or_encoded(name: str, written: str) -> None:
    """A name is written in the plainest form that can't be misread."""
    assert write_addresses("To", [Address("ada", "x.test", name)]) == f"To: {written}"


def test_an_encoded_word_never_stands_in_quotes_or_in_an_address() -> None:
    """Readers don't decode inside quotes; a long quoted name is encoded instead of folded."""
    field = write_addresses("To", [Address("a" * 60, "x.test", "Last, First " * 20)] * 3)
    assert '"' not in field
    assert max(map(len, field.split("\r\n"))) <= 78
    assert unfolded(field).count("@x.test>") == 3


def test_a_token_that_fits_no_line_stays_whole() -> None:
    """An address or msg-id is never broken, even if its line gets longer than 78 characters."""
    long_id = f"<{'x' * 200}@example.org>"
    assert write_tokens("References", ["<1@x.test>", long_id]) == f"References: <1@x.test>\r\n {long_id}"


@pytest.mark.parametrize(
    "msg_id",
    [
        "",
        "<>",
        "1@x.test",
        "<1@x.test",
        "<a b@x.test>",
        "<1@x.test> <2@x.test>",
        "<ü@x.test>",
        "<=?utf-8?q?x?=@x.test>",
    ],
)
def test_what_is_no_msg_id_is_refused(msg_id: str) -> None:
    """A broken msg-id can't end up in a thread's References."""
    with pytest.raises(InvalidMessage, match="In-Reply-To must name a message") as caught:
        write_msg_ids("In-Reply-To", [msg_id])
    assert caught.value.field == "in_reply_to"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a.pdf", "filename=a.pdf"),
        ("two words; 100%.pdf", 'filename="two words; 100%.pdf"'),
        ('the "best".pdf', "filename*=utf-8''the%20%22best%22.pdf"),
        ("na\u00efve.pdf", "filename*=utf-8''na%C3%AFve.pdf"),
        ("=?utf-8?q?x?=", "filename*=utf-8''%3D%3Futf-8%3Fq%3Fx%3F%3D"),
    ],
)
def test_a_parameter_is_plain_quoted_or_extended(value: str, written: str) -> None:
    """The plainest form that every reader understands: token, quoted string, RFC 2231."""
    field = write_parameters("Content-Disposition", "attachment", [("filename", value)])
    assert unfolded(field) == f"Content-Disposition: attachment; {written}"


@pytest.mark.parametrize("value", ["x" * 400, "é" * 300, "long name " * 40], ids=["ascii", "wide", "spaces"])
def test_a_long_parameter_is_continued_over_lines(value: str) -> None:
    """RFC 2231 continuations, numbered from 0, each line within 78 characters."""
    field = write_parameters("Content-Disposition", "attachment", [("filename", value)])
    numbers = [int(number) for number in re.findall(r"filename\*(\d+)\*?=", field)]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 1
    assert max(map(len, field.split("\r\n"))) <= 78
