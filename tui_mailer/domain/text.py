"""Makes any string safe for one terminal line: no control characters, no bidi tricks, measured in terminal cells."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_CONTROL = "\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
_INVISIBLE = "\u00ad\u180e\u200b\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f"
_BIDI_CONTROL = "\u202a-\u202e\u2066-\u2069"

# Not compiled here: most text is printable, and the app's first frame needn't wait for patterns of what isn't.
_HAS_CONTROL = f"[{_CONTROL}]"
_HAS_BIDI_CONTROL = f"[{_BIDI_CONTROL}]"
_UNSAFE_RUN = f"\r\n|[{_CONTROL}{_BIDI_CONTROL}{_INVISIBLE}]"
_UNSAFE_BUT_LINES = f"\r\n?|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff{_BIDI_CONTROL}{_INVISIBLE}]"

_BREAKS = frozenset({"\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"})
_ZERO_WIDTH_JOINER = "\u200d"
_EMOJI_PRESENTATION = "\ufe0f"
_ELLIPSIS = "…"


def clean(text: str, *, keep_newlines: bool = False) -> str:
    r"""Returns the text with nothing in it that could move a cursor, reorder the line or hide.

    Control characters (C0, DEL, C1), bidi embeddings, overrides and isolates, and invisible characters are removed;
    the joiners that emoji, Persian and Indic scripts need stay. Line breaks and tabs become one space each, or stay (as
    ``\n`` and tab) with ``keep_newlines``. A lone surrogate becomes U+FFFD.
    """
    if text.isprintable():
        return text
    if keep_newlines:
        return re.sub(_UNSAFE_BUT_LINES, _replace_keeping_lines, text)
    return re.sub(_UNSAFE_RUN, _replace, text)


def has_control(text: str) -> bool:
    """Says whether the text holds a control character, a line break, a tab or a lone surrogate: unfit for a header."""
    return not text.isprintable() and re.search(_HAS_CONTROL, text) is not None


def has_bidi_control(text: str) -> bool:
    """Says whether the text holds a character that makes others appear in another order than they are in."""
    return not text.isprintable() and re.search(_HAS_BIDI_CONTROL, text) is not None


def cell_width(text: str) -> int:
    """Measures the terminal cells a cleaned text takes."""
    if text.isascii():
        return len(text)
    return sum(width for _, width in _clusters(text))


def shorten(text: str, width: int) -> str:
    """Cleans the text and cuts it to at most ``width`` cells, the last of them an ellipsis if anything was cut."""
    cleaned = clean(text)
    if width <= 0:
        return ""
    if cell_width(cleaned) <= width:
        return cleaned
    kept: list[str] = []
    room = width - 1
    for cluster, cluster_width in _clusters(cleaned):
        if cluster_width > room:
            break
        room -= cluster_width
        kept.append(cluster)
    return "".join(kept).rstrip() + _ELLIPSIS


def _replace(match: re.Match[str]) -> str:
    found = match[0]
    if found in _BREAKS or found == "\t":
        return " "
    return "\ufffd" if "\ud800" <= found <= "\udfff" else ""


def _replace_keeping_lines(match: re.Match[str]) -> str:
    found = match[0]
    if found[0] == "\r" or found in _BREAKS:
        return "\n"
    return "\ufffd" if "\ud800" <= found <= "\udfff" else ""


def _clusters(text: str) -> Iterator[tuple[str, int]]:
    """Yields characters with what combines with them, and the cells each such cluster takes."""
    cluster, width, is_joined = "", 0, False
    for character in text:
        category = unicodedata.category(character)
        if cluster and (is_joined or category in {"Mn", "Me", "Cf"} or "\U0001f3fb" <= character <= "\U0001f3ff"):
            cluster += character
            if character == _EMOJI_PRESENTATION:
                width = 2
            is_joined = character == _ZERO_WIDTH_JOINER
            continue
        if cluster:
            yield cluster, width
        cluster, is_joined = character, False
        width = _character_width(character, category)
    if cluster:
        yield cluster, width


def _character_width(character: str, category: str) -> int:
    if category in {"Mn", "Me", "Cf", "Cc"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
