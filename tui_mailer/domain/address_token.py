"""Cuts an address list into the tokens of RFC 5322 section 3.2 (with 6532's non-ASCII), comments left out."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple

from tui_mailer.domain.errors import InvalidAddress
from tui_mailer.domain.text import shorten

ATEXT = r"[^\x00-\x20\x7f-\x9f()<>\[\]:;@\\,.\"\s]"
"""One character of an atom: RFC 5322's atext, and any non-ASCII character that isn't white space (RFC 6532)."""

_ATOM = re.compile(f"{ATEXT}+")
_SPACE = re.compile(r"[^\S\r\n]+")
# The rest is compiled when it is first needed, and kept by `re`: a start would wait for it.
_NEWLINES = r"(?:\r?\n[^\S\r\n]*)+"
_QUOTED = r'"((?:[^"\\\r\n]|\\[^\r\n])*)"'
_QUOTED_PAIR = r"\\(.)"
_LITERAL = r"\[([^\[\]\\\r\n]*)\]"
_PARENTHESIS_OR_PAIR = r"\\.|[()]"
_FORBIDDEN = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
_LONE_RETURN = r"\r(?!\n)"


class Kind(Enum):
    """What a token is."""

    ATOM = auto()
    QUOTED = auto()
    """A quoted string; its text is without quotes and quoted pairs."""
    LITERAL = auto()
    """``[...]``; its text is with the brackets."""
    SPECIAL = auto()
    """One of ``< > @ , ; : .``."""
    NEWLINE = auto()
    """A line break: between two addresses, or inside one that a mail program folded."""
    END = auto()


class Token(NamedTuple):
    """One token and where it stood."""

    kind: Kind
    text: str
    start: int
    end: int
    is_spaced: bool = False
    """White space or a comment stands before it."""
    is_indented: bool = False
    """Of a NEWLINE: the next line starts with white space (RFC 5322 section 2.2.3) or with an address in brackets."""
    comment: str = ""
    """The last comment right before it, without its parentheses."""

    def is_special(self, characters: str) -> bool:
        """Says whether it is one of these specials."""
        return self.kind is Kind.SPECIAL and self.text in characters


def quote_for_person(text: str) -> str:
    """Puts a part of the input into single quotes, cleaned and cut, for a sentence."""
    return f"'{shorten(text.strip(), 60)}'"


def refuse_controls(text: str, *, where: str = "An address") -> None:
    """Raises `InvalidAddress` for a control character, a bidi control or a lone surrogate; line breaks may pass."""
    if text.isprintable():
        return
    match = re.search(_FORBIDDEN, text) or re.search(_LONE_RETURN, text)
    if match is None:
        return
    around = text[max(0, match.start() - 15) : match.end() + 15]
    near = f" (near {quote_for_person(around)})" if around.strip() else ""
    raise InvalidAddress(f"{where} can't hold the control character U+{ord(match[0]):04X}{near}", part=match[0])


def tokenize(text: str) -> list[Token]:
    """Cuts the text into tokens, an END last; raises `InvalidAddress` for what can't be one."""
    refuse_controls(text)
    tokens: list[Token] = []
    position, is_spaced, comment = 0, False, ""
    while position < len(text):
        start = position
        if match := _SPACE.match(text, position):
            position, is_spaced = match.end(), True
            continue
        if text[position] == "(":
            position = _end_of_comment(text, position)
            is_spaced, comment = True, re.sub(_QUOTED_PAIR, r"\1", text[start + 1 : position - 1]).strip()
            continue
        kind, value, position = _next_token(text, position)
        is_indented = kind is Kind.NEWLINE and (
            text[position - 1] not in "\r\n" or text[position : position + 1] == "<"
        )
        tokens.append(Token(kind, value, start, position, is_spaced, is_indented, comment))
        is_spaced, comment = kind is Kind.NEWLINE, ""
    tokens.append(Token(Kind.END, "", position, position, is_spaced, comment=comment))
    return tokens


def _next_token(text: str, position: int) -> tuple[Kind, str, int]:
    if match := _ATOM.match(text, position):
        return Kind.ATOM, match[0], match.end()
    character = text[position]
    if character in "<>@,;:.":
        return Kind.SPECIAL, character, position + 1
    if match := re.compile(_QUOTED).match(text, position):
        return Kind.QUOTED, re.sub(_QUOTED_PAIR, r"\1", match[1]), match.end()
    if match := re.compile(_LITERAL).match(text, position):
        return Kind.LITERAL, match[0], match.end()
    if match := re.compile(_NEWLINES).match(text, position):
        return Kind.NEWLINE, match[0], match.end()
    raise _refusal(text, position)


def _end_of_comment(text: str, start: int) -> int:
    depth = 0
    for match in re.compile(_PARENTHESIS_OR_PAIR).finditer(text, start):
        if match[0] == "(":
            depth += 1
        elif match[0] == ")":
            depth -= 1
            if depth == 0:
                if "\n" in text[start : match.start()]:
                    break
                return match.end()
    part = text[start:].split("\n", 1)[0]
    raise InvalidAddress(f"The bracket ( in {quote_for_person(part)} is never closed", part=part)


def _refusal(text: str, position: int) -> InvalidAddress:
    rest = text[position:].split("\n", 1)[0]
    line = text[text.rfind("\n", 0, position) + 1 :].split("\n", 1)[0]
    if text[position] in '"[':
        name = "quote" if text[position] == '"' else "bracket"
        return InvalidAddress(f"The {name} before {quote_for_person(rest[1:])} is never closed", part=rest)
    if text[position] == "\\":
        return InvalidAddress(f"The backslash in {quote_for_person(line)} is only allowed inside quotes", part=rest)
    return InvalidAddress(f"{quote_for_person(line)} has a {text[position]} that closes nothing", part=rest)
