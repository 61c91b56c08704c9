"""Text from outside: one safe line, measured in terminal cells."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_mailer.domain.text import cell_width, clean, has_bidi_control, has_control, shorten


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("\x1b]52;c;ZXZpbA==\x07hello", "]52;c;ZXZpbA==hello"),
        ("\x1b[2Jgone", "[2Jgone"),
        ("\x9b31mred\x9c", "31mred"),
        ("a\x00b\x7fc\x08d", "abcd"),
        ("one\r\ntwo\nthree\rfour\tfive", "one two three four five"),
        ("one\x0btwo\x0cthree\x85four\u2028five\u2029six", "one two three four five six"),
        ("user\u202etxt.exe", "usertxt.exe"),
        ("\u2066a\u2069\u202ab\u202c", "ab"),
        ("a\ud800b", "a\ufffdb"),
        ("zero\u200bwidth\ufeff\u2060\u00ad", "zerowidth"),
        ("hidden\U000e0041\U000e0042", "hidden"),
        (
            "👩\u200d💻 \u0646\u0627\u0645\u0647\u200c\u0627\u06cc",
            "👩\u200d💻 \u0646\u0627\u0645\u0647\u200c\u0627\u06cc",
        ),
        ("שלום\u200f!", "שלום\u200f!"),
        ("a\u00a0b", "a\u00a0b"),
        ("", ""),
    ],
)
def test_one_safe_line(text: str, expected: str):
    """Escapes, line breaks, bidi tricks and hidden characters are gone; every script stays readable."""
    assert clean(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one\r\ntwo\rthree\nfour", "one\ntwo\nthree\nfour"),
        ("a\tb\x1b[1m\u202ec", "a\tb[1mc"),
        ("a\x0cb\u2028c\x85d", "a\nb\nc\nd"),
        ("a\udfffb", "a\ufffdb"),
    ],
)
def test_lines_may_be_kept(text: str, expected: str):
    """A body keeps its lines and tabs and loses the rest all the same."""
    assert clean(text, keep_newlines=True) == expected


@settings(deadline=None)
@given(st.text(st.characters(), max_size=60), st.booleans())
def test_nothing_dangerous_survives(text: str, keep_newlines: bool):
    """Whatever comes in, no control or bidi character goes out, and cleaning twice changes nothing."""
    cleaned = clean(text, keep_newlines=keep_newlines)
    kept = {"\n", "\t"} if keep_newlines else set[str]()
    assert not [c for c in cleaned if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} and c not in kept]
    assert not has_bidi_control(cleaned)
    assert clean(cleaned, keep_newlines=keep_newlines) == cleaned
    cleaned.encode()


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\tb", "a\x00", "\x1b", "\x7f", "\x9b", "\u2028", "a\ud800"])
def test_control_characters_are_found(text: str):
    """A header value with a control character, a line break or half a character is noticed."""
    assert has_control(text)


@pytest.mark.parametrize("text", ["", "plain", "Grüße 👩\u200d💻", "a\u00a0b", "שלום\u200f", "\u2067نص\u2069"])
def test_honest_text_has_no_control_characters(text: str):
    """Any script, emoji and direction isolates are no control characters."""
    assert not has_control(text)


def test_bidi_controls_are_found():
    """An override that turns a file name around is noticed."""
    assert has_bidi_control("invoice\u202efdp.exe")
    assert not has_bidi_control("שלום\u200f")


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("", 0),
        ("abc", 3),
        ("日本", 4),
        ("e\u0301", 1),
        ("👩\u200d💻", 2),
        ("❤\ufe0f", 2),
        ("👍🏽", 2),
        ("한국", 4),
        ("ab日", 4),
    ],
)
def test_width_is_counted_in_cells(text: str, cells: int):
    """Wide characters take two cells, combining ones none, a joined emoji two."""
    assert cell_width(text) == cells


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("short", 10, "short"),
        ("exactly", 7, "exactly"),
        ("too long", 5, "too…"),
        ("too long", 6, "too l…"),
        ("日本語日本語", 5, "日本…"),
        ("日本語日本語", 4, "日…"),
        ("👩\u200d💻👩\u200d💻", 3, "👩\u200d💻…"),
        ("e\u0301e\u0301e\u0301", 2, "e\u0301…"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
        ("a\nb\x1b[1m", 20, "a b[1m"),
    ],
)
def test_long_text_ends_in_an_ellipsis(text: str, width: int, expected: str):
    """Text is cut by cells, never through a character and its marks."""
    assert shorten(text, width) == expected


@settings(deadline=None)
@given(st.text(max_size=40), st.integers(0, 30))
def test_shortened_text_fits(text: str, width: int):
    """Whatever the text, it fits its column."""
    assert cell_width(shorten(text, width)) <= width
