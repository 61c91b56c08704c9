"""Header fields as they go on the wire: folding, encoded words, addresses, msg-ids, parameters (RFC 5322, 2047, 2231).

Each ``write_*`` function returns one field as text: CRLF before every continuation line, none at the end. Lines are
folded at 78 characters where a token boundary allows it. What may stand in a header at all is `header_rule`'s matter.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from tui_mailer.domain.address import Address
from tui_mailer.domain.header_rule import check_msg_id, check_printable

_FOLD_AT = 78
_ENCODED_LINE = 76
"""A line with an encoded word is no longer than this (RFC 2047 section 2)."""
_ENCODED_WORD = 75
_ENVELOPE = len("=?utf-8?q??=")
_SMALLEST_ROOM = _ENVELOPE + 12
"""Room for one code point, whatever it is, as an encoded word."""
_KEPT_REFERENCES = 20
"""How many of the newest msg-ids follow the thread's first one (RFC 5322 section 3.6.4 sets no limit; relays do)."""

_ATOM_WORDS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,66}(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,66})*")
_TOKEN = re.compile(r"[A-Za-z0-9!#$&+.^_`{|}~-]+")
_SPACED_WORD = re.compile(r" ?( *[^ ]+)")
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_Q = ["_" if byte == 0x20 else chr(byte) if byte in _Q_SAFE else f"={byte:02X}" for byte in range(256)]
_EXTENDED_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`|~")
_EXTENDED = [chr(byte) if byte in _EXTENDED_SAFE else f"%{byte:02X}" for byte in range(256)]
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def write_text(name: str, value: str, *, longest_word: int | None = None) -> str:
    """Writes an unstructured field; what isn't plain ASCII becomes encoded words, spaces between words are kept.

    ``longest_word`` is the length up to which an ASCII word without spaces stays as it is (default: one line's).
    Spaces at both ends are dropped; a tab counts as a space. Raises `InvalidMessage` for control characters.
    """
    value = check_printable(value.replace("\t", " "), name).strip(" ")
    text = f"{name}: {value}"
    if len(text) <= _FOLD_AT and value.isascii() and "=?" not in value:
        return text
    line = _Line(name)
    run: list[str] = []
    for word in _SPACED_WORD.findall(value):
        bare = word.lstrip(" ")
        longest = longest_word or _FOLD_AT - 2 - (0 if line.has_word else len(name))
        if not bare.isascii() or "=?" in bare or len(word) > longest:
            run.append(word)
            continue
        if run:
            spaces = word[: -len(bare)]
            line.add_encoded(" ".join(run) + spaces)
            run.clear()
            line.add(bare)
        else:
            line.add(word)
    if run:
        line.add_encoded(" ".join(run))
    return line.text()


def write_tokens(name: str, tokens: Iterable[str]) -> str:
    """Writes a structured field from its tokens, one space or one fold between them, never inside one."""
    line = _Line(name)
    for token in tokens:
        line.add(token)
    return line.text()


def write_addresses(name: str, addresses: Sequence[Address]) -> str:
    """Writes an address list (RFC 5322 section 3.4); a non-ASCII local part stays UTF-8 (RFC 6532)."""
    tokens: list[str] = []
    for address in addresses:
        spec = check_printable(address.addr_spec, name)
        if address.display_name:
            tokens += _phrase(address.display_name, name)
            spec = f"<{spec}>"
        tokens.append(spec + ",")
    tokens[-1] = tokens[-1][:-1]
    text = f"{name}: {' '.join(tokens)}"
    return text if len(text) <= _FOLD_AT else write_tokens(name, tokens)


def write_msg_ids(name: str, msg_ids: Sequence[str]) -> str:
    """Writes msg-ids, oldest first: all of a short chain, of a long one the first and the last twenty.

    Raises `InvalidMessage` for what isn't a msg-id.
    """
    if len(msg_ids) > _KEPT_REFERENCES + 1:
        msg_ids = (msg_ids[0], *msg_ids[-_KEPT_REFERENCES:])
    return write_tokens(name, [check_msg_id(msg_id, name) for msg_id in msg_ids])


def write_date(name: str, moment: datetime) -> str:
    """Writes a date with the zone of ``moment``, which must be aware (RFC 5322 section 3.3)."""
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError("a Date header needs an aware datetime")
    minutes = int(offset / timedelta(minutes=1))
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    return (
        f"{name}: {_DAYS[moment.weekday()]}, {moment.day} {_MONTHS[moment.month - 1]} {moment.year:04d}"
        f" {moment.hour:02d}:{moment.minute:02d}:{moment.second:02d} {sign}{minutes // 60:02d}{minutes % 60:02d}"
    )


def write_parameters(name: str, value: str, parameters: Iterable[tuple[str, str]]) -> str:
    """Writes ``value`` with its parameters; non-ASCII, odd and long ones by RFC 2231."""
    tokens = [value]
    for key, text in parameters:
        tokens += _parameter(key, check_printable(text, name))
    return write_tokens(name, [token + ";" for token in tokens[:-1]] + tokens[-1:])


def encode_words(text: str, room: int = _ENCODED_WORD) -> list[str]:
    """Encodes ``text`` as RFC 2047 words of at most 75 characters, the first of at most ``room``.

    UTF-8, B or Q, whichever is shorter; no code point is split.
    """
    octets = text.encode()
    is_q = sum(len(_Q[byte]) for byte in octets) <= (len(octets) + 2) // 3 * 4
    words: list[str] = []
    limit = max(min(room, _ENCODED_WORD), _SMALLEST_ROOM) - _ENVELOPE
    start = used = 0
    for index, character in enumerate(text):
        coded = character.encode()
        cost = sum(len(_Q[byte]) for byte in coded) if is_q else len(coded)
        if used + cost > (limit if is_q else limit // 4 * 3):
            words.append(_encode_word(text[start:index], is_q=is_q))
            start, used, limit = index, 0, _ENCODED_WORD - _ENVELOPE
        used += cost
    words.append(_encode_word(text[start:], is_q=is_q))
    return words


def _encode_word(text: str, *, is_q: bool) -> str:
    octets = text.encode()
    if is_q:
        return f"=?utf-8?q?{''.join([_Q[byte] for byte in octets])}?="
    return f"=?utf-8?b?{binascii.b2a_base64(octets, newline=False).decode()}?="


class _Line:
    """One field in the making: the lines that are full, and the one being written."""

    def __init__(self, name: str) -> None:
        self._full: list[str] = []
        self._line = name + ":"
        self.has_word = False

    def add(self, word: str, width: int = _FOLD_AT) -> None:
        if self.has_word and len(self._line) + 1 + len(word) > width:
            self._full.append(self._line)
            self._line = ""
        self._line += " " + word
        self.has_word = True

    def add_encoded(self, text: str) -> None:
        """Adds ``text`` as encoded words, the first on this line if a useful part of it fits."""
        room = _ENCODED_LINE - len(self._line) - 1
        if self.has_word and room < _SMALLEST_ROOM:
            room = _ENCODED_WORD
        for word in encode_words(text, room):
            self.add(word, _ENCODED_LINE)

    def text(self) -> str:
        return "\r\n".join((*self._full, self._line))


def _phrase(display_name: str, field: str) -> list[str]:
    """Gives a display name as the tokens of a phrase: atoms, one quoted string, or encoded words."""
    check_printable(display_name, field)
    if display_name.isascii() and "=?" not in display_name:
        if _ATOM_WORDS.fullmatch(display_name):
            return display_name.split(" ")
        escaped = display_name.replace("\\", "\\\\").replace('"', '\\"')
        if len(escaped) <= _FOLD_AT - len(field) - 4:
            return [f'"{escaped}"']
    return encode_words(display_name, _ENCODED_LINE - len(field) - 2)


def _parameter(key: str, value: str) -> list[str]:
    """Gives one parameter as one token, or as the continuations of RFC 2231 section 3."""
    width = _FOLD_AT - 2  # a space before it, a semicolon after it
    if value.isascii() and not any(odd in value for odd in ('"', "\\", "=?")):
        plain = f"{key}={value}" if _TOKEN.fullmatch(value) else f'{key}="{value}"'
        if len(plain) <= width:
            return [plain]
        step = width - len(key) - len('*000=""')
        return [f'{key}*{index}="{value[at : at + step]}"' for index, at in enumerate(range(0, len(value), step))]
    coded = ["".join([_EXTENDED[byte] for byte in character.encode()]) for character in value]
    whole = f"{key}*=utf-8''{''.join(coded)}"
    if len(whole) <= width:
        return [whole]
    sections = [f"{key}*0*=utf-8''"]
    for character in coded:
        if len(sections[-1]) + len(character) > width:
            sections.append(f"{key}*{len(sections)}*=")
        sections[-1] += character
    return sections
