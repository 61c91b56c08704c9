"""Addresses: what a mailbox is, and reading RFC 5322 address lists as people type, paste and export them.

`Address` is the only door: whatever holds one holds a local part, a domain and a name that passed every check here.
Nothing is looked up: whether a domain exists is the server's to say.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple, Never, Self

from tui_mailer.domain.address_token import ATEXT, Kind, Token, quote_for_person, refuse_controls, tokenize
from tui_mailer.domain.domain_name import looks_mixed_script, to_a_label, to_unicode
from tui_mailer.domain.errors import InvalidAddress

__all__ = ["LOCAL_PART_LIMIT", "Address", "format_address_list", "parse_address", "parse_address_list", "to_a_label"]

LOCAL_PART_LIMIT = 64
"""Octets of a local part as it goes on the wire, quotes included (RFC 5321 section 4.5.3.1.1)."""
_DOT_ATOM = re.compile(rf"{ATEXT}+(?:\.{ATEXT}+)*")
_PLAIN_NAME = rf"{ATEXT}+(?: {ATEXT}+)*"


class _Mailbox(NamedTuple):
    """What an address consists of; `Address` is what checks it."""

    local_part: str
    """Left of the @, without quotes or quoted pairs; NFC."""
    domain: str
    """A-labels in lower case, or an address literal in its brackets."""
    display_name: str = ""
    """As read, white space collapsed; never decoded: a literal ``=?...?=`` stays literal."""


class Address(_Mailbox):
    """One mailbox (RFC 5322 section 3.4), normalised and checked when it is made; raises `InvalidAddress`."""

    __slots__ = ()

    def __new__(cls, local_part: str, domain: str, display_name: str = "") -> Self:
        """Checks the parts, each as `_Mailbox` has it."""
        return super().__new__(cls, _checked_local_part(local_part), to_a_label(domain), _checked_name(display_name))

    @classmethod
    def _make(cls, iterable: Iterable[str]) -> Self:  # pyright: ignore[reportIncompatibleMethodOverride]  # no way around
        """What `_replace` makes the changed one by: checked as well."""
        return cls(*iterable)

    def __str__(self) -> str:
        """Writes it so that `parse_address` reads the same address again."""
        if not self.display_name:
            return self.addr_spec
        return f"{_quoted_name(self.display_name)} <{self.addr_spec}>"

    @property
    def addr_spec(self) -> str:
        """``local@domain`` as it goes on the wire: the local part quoted where needed, the domain as A-labels."""
        return f"{_wire_local_part(self.local_part)}@{self.domain}"

    @property
    def unicode_domain(self) -> str:
        """The domain with U-labels, for a person to read; see `looks_mixed_script` before trusting one's eyes."""
        return to_unicode(self.domain)

    @property
    def readable(self) -> str:
        """The form to show: as `str`, with the domain in its own script unless that could pass for another one."""
        domain = self.unicode_domain
        if looks_mixed_script(domain):
            domain = self.domain
        addr_spec = f"{_wire_local_part(self.local_part)}@{domain}"
        return f"{_quoted_name(self.display_name)} <{addr_spec}>" if self.display_name else addr_spec

    @property
    def needs_smtputf8(self) -> bool:
        """Says whether only a server with SMTPUTF8 can take it: the local part isn't ASCII (RFC 6531)."""
        return not self.local_part.isascii()

    @property
    def mailbox_key(self) -> str:
        """Equal for two spellings of what is in practice one mailbox: case in the local part is ignored."""
        return f"{self.local_part.casefold()}@{self.domain}"


def parse_address(text: str, *, field: str | None = None) -> Address:
    """Reads exactly one address, with or without a name; raises `InvalidAddress`, which names the part."""
    stripped = text.strip()
    try:
        if not stripped:
            _refuse("There is no address here", text)
        if "\n" in stripped or "\r" in stripped:
            _refuse(f"{quote_for_person(stripped)} has a line break inside", text)
        parser = _Parser(stripped)
        addresses = parser.read_list()
        if len(addresses) != 1 or parser.has_group:
            what = "a group" if parser.has_group else f"{len(addresses) or 'no'} addresses"
            _refuse(f"{quote_for_person(stripped)} is {what}; one address is wanted here", text)
    except InvalidAddress as error:
        error.field = error.field or field
        raise
    return addresses[0]


def parse_address_list(text: str, *, field: str | None = None) -> tuple[Address, ...]:
    """Reads addresses between commas, semicolons or line breaks, groups flattened; raises `InvalidAddress`.

    Empty entries and trailing separators are skipped; an empty text, or an empty group, is an empty tuple.
    """
    parser = None
    try:
        parser = _Parser(text)
        return tuple(parser.read_list())
    except InvalidAddress as error:
        more = parser.count_wrong_behind() if parser is not None else 0
        said = f"{error} (and {more} more)" if more else str(error)
        raise InvalidAddress(said, part=error.part, field=error.field or field) from None


def format_address_list(addresses: Iterable[Address]) -> str:
    """Writes addresses so that `parse_address_list` reads the same ones again."""
    return ", ".join(map(str, addresses))


def _checked_local_part(local_part: str) -> str:
    refuse_controls(local_part, where="The part before the @")
    if not local_part:
        _refuse("There is nothing before the @", local_part)
    normal = unicodedata.normalize("NFC", local_part)
    for character in normal:
        if character in "\t\r\n" or (not character.isascii() and unicodedata.category(character) in {"Cf", "Zs"}):
            _refuse(
                f"{quote_for_person(local_part)} before the @ has the invisible character U+{ord(character):04X}",
                local_part,
            )
    if len(_wire_local_part(normal).encode()) > LOCAL_PART_LIMIT:
        _refuse(f"{quote_for_person(local_part)} before the @ is longer than {LOCAL_PART_LIMIT} characters", local_part)
    return normal


def _checked_name(name: str) -> str:
    refuse_controls(name, where="A name")
    if "\n" in name or "\r" in name:
        _refuse(f"The name {quote_for_person(name)} has a line break inside", name)
    return " ".join(name.split())


def _wire_local_part(local_part: str) -> str:
    return local_part if _DOT_ATOM.fullmatch(local_part) else _quoted(local_part)


def _quoted_name(name: str) -> str:
    return name if re.fullmatch(_PLAIN_NAME, name) and "=?" not in name else _quoted(name)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _refuse(text: str, part: str) -> Never:
    raise InvalidAddress(text, part=part)


class _Parser:
    """Recursive descent over one address list; every refusal names the part it is about."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokenize(text)
        self._position = 0
        self.has_group = False

    def read_list(self) -> list[Address]:
        """Reads the whole text."""
        addresses: list[Address] = []
        while self._peek().kind is not Kind.END:
            if self._skip_separator():
                continue
            addresses += self._read_entry(group="")
        return addresses

    def count_wrong_behind(self) -> int:
        """Counts the wrong entries behind the one that was just refused."""
        while self._peek().kind not in {Kind.END, Kind.NEWLINE} and not self._peek().is_special(",;"):
            self._position += 1
        signs = (token for token in self._tokens[self._position :] if token.is_special("<>"))
        first = next(signs, None)
        if first is not None and first.is_special(">"):
            return 0  # inside of a bracket: where the next address begins can't be told
        wrong = 0
        while self._peek().kind is not Kind.END:
            if self._peek().kind is not Kind.NEWLINE and not self._peek().is_special(",;"):
                self._position += 1
                continue
            try:
                self.read_list()
            except InvalidAddress:
                wrong += 1
        return wrong

    def _read_entry(self, *, group: str) -> list[Address]:
        """Reads one mailbox, or a whole group where none is open; ends before the separator."""
        first = self._peek()
        words = self._read_words()
        ahead = self._peek()
        if ahead.is_special(":"):
            return self._read_group(words, first, group)
        if ahead.is_special("@"):
            return [self._read_bare(words, first)]
        if ahead.is_special("<"):
            address = self._read_angle(_phrase(words))
            self._expect_end(first)
            return [address]
        part = self._part(first)
        if ahead.is_special(">"):
            _refuse(f"{quote_for_person(part)} has a > without its <", part)
        hint = "; a name with a comma in it goes in quotes" if ahead.is_special(",") else ""
        _refuse(f"{quote_for_person(part)} has no @{hint}", part)

    def _read_words(self) -> list[Token]:
        """Reads atoms, quoted strings, dots and bracketed words; a folded line break is white space."""
        words: list[Token] = []
        while True:
            token = self._peek()
            if token.kind in {Kind.ATOM, Kind.QUOTED, Kind.LITERAL} or token.is_special("."):
                words.append(token)
            elif not (token.kind is Kind.NEWLINE and token.is_indented and words):
                return words
            self._position += 1

    def _read_group(self, words: list[Token], first: Token, group: str) -> list[Address]:
        name = _phrase(words)
        self._position += 1
        if name.lower() == "mailto" and not self._peek().is_spaced:
            return self._read_entry(group=group)
        if not name:
            _refuse(f"{quote_for_person(self._part(first))} starts with a colon", self._part(first))
        if group:
            _refuse(f"The group {quote_for_person(group)} can't hold another group, {quote_for_person(name)}", name)
        self.has_group = True
        members: list[Address] = []
        while not self._peek().is_special(";"):
            if self._peek().kind is Kind.END:
                part = self._part(first)
                _refuse(f"The group {quote_for_person(name)} is never closed with a ;", part)
            if not self._skip_separator():
                members += self._read_entry(group=name)
        self._position += 1
        return members

    def _read_bare(self, words: list[Token], first: Token) -> Address:
        """Reads ``local@domain`` without brackets, or with its own text as the name: ``a@b <a@b>``."""
        local_words = list(words)
        domain_words = self._read_domain_words()
        if self._peek().is_special("<"):
            start, end = first.start, self._peek().start
            address = self._read_angle(self._text[start:end].strip())
            self._expect_end(first)
            return address
        end = self._peek()
        self._refuse_spaced_domain(domain_words)
        self._expect_end(first)
        part = self._part(first)
        return Address(_local_part(local_words, part), _domain(domain_words, part), end.comment)

    def _read_angle(self, name: str) -> Address:
        """Reads ``<local@domain>``, an obsolete route (``<@a,@b:local@domain>``) skipped."""
        opening = self._peek()
        self._position += 1
        self._skip_route()
        words = self._read_words()
        if self._peek().is_special(":") and _phrase(words).lower() == "mailto":
            self._position += 1
            words = self._read_words()
        closing = self._peek()
        domain_words = self._read_domain_words() if closing.is_special("@") else []
        after = self._peek()
        part = self._text[opening.start : after.end]
        if domain_words and self._end_of_angle() is not None:
            self._refuse_spaced_domain(domain_words)
        if closing.is_special(">"):
            inside = part[1:-1].strip()
            _refuse(f"{quote_for_person(inside)} in < > has no @" if inside else "There is no address in < >", part)
        if not after.is_special(">"):
            _refuse(f"The bracket < in {quote_for_person(part)} is not closed after the address", part)
        self._position += 1
        return Address(_local_part(words, part, is_in_angle=True), _domain(domain_words, part), name)

    def _end_of_angle(self) -> Token | None:
        """The > that closes the bracket read so far, if the entry has one."""
        for token in self._tokens[self._position :]:
            if token.is_special(">"):
                return token
            if token.kind in {Kind.END, Kind.NEWLINE} or token.is_special(",;<"):
                return None
        return None

    def _refuse_spaced_domain(self, domain_words: list[Token]) -> None:
        """Raises where the words of a domain go on after a space, and no other address begins there."""
        ahead = self._position
        while self._tokens[ahead].kind is Kind.ATOM or self._tokens[ahead].is_special("."):
            ahead += 1
        if not domain_words or ahead == self._position or self._tokens[ahead].is_special("@<:"):
            return
        domain = self._text[domain_words[0].start : self._tokens[ahead - 1].end]
        _refuse(f"The domain {quote_for_person(domain)} has a space inside", domain)

    def _skip_route(self) -> None:
        start = self._position
        while self._peek().is_special("@,"):
            if self._peek().is_special(","):
                self._position += 1
            else:
                self._read_domain_words()
        if self._position > start and self._peek().is_special(":"):
            self._position += 1
        else:
            self._position = start

    def _read_domain_words(self) -> list[Token]:
        """Reads what follows the @ that stands here: atoms and dots, or a literal."""
        self._position += 1
        words: list[Token] = []
        while self._peek().kind in {Kind.ATOM, Kind.LITERAL} or self._peek().is_special("."):
            is_next = not words or words[-1].is_special(".") or self._peek().is_special(".")
            if not is_next:
                break
            words.append(self._peek())
            self._position += 1
        return words

    def _expect_end(self, first: Token) -> None:
        """Raises unless an entry ends here."""
        token = self._peek()
        if token.kind in {Kind.END, Kind.NEWLINE} or token.is_special(",;"):
            return
        while self._peek().kind not in {Kind.END, Kind.NEWLINE} and not self._peek().is_special(",;"):
            self._position += 1
        part = self._part(first)
        if token.is_special("@"):
            _refuse(f"{quote_for_person(part)} has two @", part)
        if token.is_special(">"):
            _refuse(f"{quote_for_person(part)} has a > without its <", part)
        rest = self._text[token.start :].split("\n", 1)[0]
        _refuse(f"A comma is missing before {quote_for_person(rest)}", part)

    def _skip_separator(self) -> bool:
        token = self._peek()
        if token.kind is Kind.NEWLINE or token.is_special(",;"):
            self._position += 1
            return True
        return False

    def _peek(self) -> Token:
        return self._tokens[self._position]

    def _part(self, first: Token) -> str:
        """The input from a token up to here."""
        return self._text[first.start : self._peek().start].strip() or self._text[first.start : self._peek().end]


def _phrase(words: list[Token]) -> str:
    pieces: list[str] = []
    for word in words:
        if pieces and word.is_spaced:
            pieces.append(" ")
        pieces.append(word.text)
    return "".join(pieces)


def _local_part(words: list[Token], part: str, *, is_in_angle: bool = False) -> str:
    """Joins the words before the @; they must be atoms or quoted strings with single dots between."""
    if not words:
        _refuse(f"{quote_for_person(part)} has nothing before the @", part)
    for index, word in enumerate(words):
        is_dot = word.is_special(".")
        if word.kind is Kind.LITERAL:
            _refuse(f"{quote_for_person(part)} has a bracket before the @", part)
        if is_dot != (index % 2 == 1) or (is_dot and index == len(words) - 1):
            if is_dot:
                _refuse(f"{quote_for_person(part)} has a dot too many before the @", part)
            if is_in_angle:
                _refuse(f"{quote_for_person(_phrase(words))} before the @ has a space or quote inside", part)
            no_space = "an address has no space inside; " if word.is_spaced else ""
            _refuse(f"{quote_for_person(part)}: {no_space}with a name before it, the address goes in < >", part)
    return "".join(word.text for word in words)


def _domain(words: list[Token], part: str) -> str:
    if not words:
        _refuse(f"{quote_for_person(part)} has no domain after the @", part)
    return "".join(word.text for word in words)
