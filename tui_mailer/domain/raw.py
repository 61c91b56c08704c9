"""Messages that another program wrote (``sendmail``): read for their envelope and history, kept byte for byte.

Only line ends, a mailbox's ``From `` line and Bcc are touched; what is missing is added by `complete` alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from tui_mailer.domain.address import Address, parse_address_list
from tui_mailer.domain.address_token import Kind, Token, tokenize
from tui_mailer.domain.errors import InvalidAddress, InvalidMessage
from tui_mailer.domain.header import write_addresses, write_date, write_msg_ids
from tui_mailer.domain.text import clean

_READ_FOR_EXCERPT = 1024 * 1024
_EXCERPT = 64 * 1024
"""Characters kept for the history's search."""

_LONGEST_LINE = 998
"""Bytes without CRLF (RFC 5321 section 4.5.3.1.6)."""
_HEADER_LINE = re.compile(rb"(?P<name>[!-9;-~]+)[ \t]*:|[ \t]+[^ \t\r\n]")
_HIDDEN = frozenset({b"bcc", b"resent-bcc"})
_HIDDEN_LINE = re.compile(rb"^(?:resent-)?bcc[ \t]*:", re.IGNORECASE | re.MULTILINE)
_NO_DOMAIN = "name-without-domain.invalid"
"""Stands in for the domain of a bare name while an address list is read (RFC 2606)."""


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A message ready to be sealed as it is."""

    data: bytes
    """CRLF line ends, Bcc and Resent-Bcc removed, everything else as it came."""
    fields: tuple[tuple[str, str], ...]
    """The header fields as they came, Bcc included: names in lower case, values unfolded, not decoded."""
    has_8bit: bool
    """Needs 8BITMIME (RFC 6152)."""
    is_too_long_lines: bool
    """A line has more than 998 bytes: SMTP can't carry it (RFC 5321 section 4.5.3.1.6)."""
    text_excerpt: str
    """The beginning of its text, for the history's search."""

    @property
    def sender(self) -> str | None:
        """The first address of From (of Resent-From when it is there); a bare name stays one."""
        for name in ("resent-from", "from"):
            try:
                found = _read_addresses(self.values(name))
            except InvalidAddress:
                continue
            if found:
                return found[0]
        return None

    @property
    def to(self) -> tuple[str, ...]:
        """The addresses of To, or of Resent-To in a resent message; raises `InvalidAddress`."""
        return self._recipients("to")

    @property
    def cc(self) -> tuple[str, ...]:
        """The same for Cc; raises `InvalidAddress`."""
        return self._recipients("cc")

    @property
    def bcc(self) -> tuple[str, ...]:
        """The same for Bcc, which ``data`` no longer has; raises `InvalidAddress`."""
        return self._recipients("bcc")

    @property
    def recipients(self) -> tuple[str, ...]:
        """To, Cc and Bcc, each address once; a bare name stays one; raises `InvalidAddress`."""
        return tuple(dict.fromkeys(self.to + self.cc + self.bcc))

    @property
    def subject(self) -> str:
        """The Subject, decoded and cleaned, on one line."""
        return clean(decode_words(" ".join(self.values("subject")))).strip()

    @property
    def message_id(self) -> str | None:
        """The Message-ID as it stands, cleaned; None: there is none."""
        return next((clean(value) for value in self.values("message-id") if clean(value)), None)

    def values(self, name: str) -> tuple[str, ...]:
        """Lists the values of one field, in order, unfolded; ``name`` in lower case."""
        return tuple(value for known, value in self.fields if known == name)

    def _recipients(self, kind: str) -> tuple[str, ...]:
        is_resent = any(name in {"resent-to", "resent-cc", "resent-bcc"} for name, _ in self.fields)
        return _read_addresses(self.values(f"resent-{kind}" if is_resent else kind))


def read_raw(data: bytes) -> RawMessage:
    """Reads a message with LF or CRLF line ends; what has no header is all body, as sendmail has it.

    Raises `InvalidMessage` for a header that a broken line ends before its Bcc: that would be text for all to read, and
    whom it names would get nothing.
    """
    header, body, is_cut_short = _split(data)
    if is_cut_short and _HIDDEN_LINE.search(body.partition(b"\r\n\r\n")[0]):
        broken = clean(body.partition(b"\r\n")[0][:60].decode(errors="replace"))
        raise InvalidMessage(
            f"The header ends at a line that isn't part of one ('{broken}'), and Bcc comes after it. Mend that line.",
            field="bcc",
        )
    kept: list[bytes] = []
    fields: list[tuple[str, str]] = []
    for field in _fields(header):
        name, _, value = field.partition(b":")
        name = name.rstrip(b" \t").lower()
        fields.append((name.decode(), re.sub(r"\r\n(?=[ \t])", "", value.decode(errors="replace")).strip()))
        if name not in _HIDDEN:
            kept.append(field)
    message = b"".join(kept) + b"\r\n" + body
    return RawMessage(
        data=message,
        fields=tuple(fields),
        has_8bit=not message.isascii(),
        is_too_long_lines=_has_longer_lines(message, _LONGEST_LINE),
        text_excerpt=_excerpt(message[:_READ_FOR_EXCERPT]),
    )


def complete(raw: RawMessage, *, sender: Address, message_id: str, date: datetime) -> RawMessage:
    """Adds From, Date and Message-ID where the message has none, at the end of its header; ``date`` is aware."""
    missing = {
        "from": lambda: write_addresses("From", (sender,)),
        "date": lambda: write_date("Date", date),
        "message-id": lambda: write_msg_ids("Message-ID", (message_id,)),
    }
    known = {name for name, _ in raw.fields}
    lines = [(name, write()) for name, write in missing.items() if name not in known]
    if not lines:
        return raw
    end = 0 if raw.data.startswith(b"\r\n") else raw.data.index(b"\r\n\r\n") + 2
    added = "".join(f"{line}\r\n" for _, line in lines).encode()
    values = tuple((name, re.sub(r"\r\n(?= )", "", line.partition(":")[2]).strip()) for name, line in lines)
    return replace(
        raw,
        data=raw.data[:end] + added + raw.data[end:],
        fields=raw.fields + values,
        has_8bit=raw.has_8bit or not added.isascii(),
    )


def _split(data: bytes) -> tuple[list[bytes], bytes, bool]:
    """Splits into header lines and body, all with CRLF, and says whether a line that can't be a header's begins it.

    A lone CR becomes a space in the header, where it could pass for the end of a line, and a line end in the body.
    """
    lines: list[bytes] = []
    is_cut_short = False
    position = 0
    while position < len(data):
        end = data.find(b"\n", position)
        end, after = (end, end + 1) if end >= 0 else (len(data), len(data))
        line = data[position:end].rstrip(b"\r").replace(b"\r", b" ")
        if position == 0 and line.startswith(b"From "):
            position = after
            continue
        if not line:
            position = after
            break
        is_header = _HEADER_LINE.match(line)
        if not is_header or (is_header["name"] is None and not lines):
            is_cut_short = bool(lines)
            break
        lines.append(line)
        position = after
    body = _with_crlf(data[position:])
    if body and not body.endswith(b"\r\n"):
        body += b"\r\n"
    return lines, body, is_cut_short


def _with_crlf(text: bytes) -> bytes:
    """Makes every line end CRLF, in one pass whatever the text: what is common takes the quick ways."""
    returns, feeds = text.count(b"\r"), text.count(b"\n")
    if not returns:
        return text.replace(b"\n", b"\r\n")
    if returns == feeds == text.count(b"\r\n"):
        return text
    return re.sub(rb"\r+\n?|\n", lambda ends: b"\r\n" * (1 if ends[0].endswith(b"\n") else len(ends[0])), text)


def _has_longer_lines(message: bytes, limit: int) -> bool:
    """Looks for a line of more than ``limit`` bytes, its CRLF not counted, without a copy of the message."""
    begin = 0
    while (end := message.find(b"\r\n", begin)) >= 0:
        if end - begin > limit:
            return True
        begin = end + 2
    return len(message) - begin > limit


def _fields(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Joins header lines with their continuations; each field ends with CRLF."""
    field = b""
    for line in lines:
        if field and line[:1] not in b" \t":
            yield field
            field = b""
        field += line + b"\r\n"
    if field:
        yield field


def read_mailboxes(values: Iterable[str]) -> tuple[Address, ...]:
    """Reads the values of an address field, names as they stand; a bare name is let in (`is_bare`).

    Raises `InvalidAddress`.
    """
    return parse_address_list(_with_domains(", ".join(value for value in values if value)))


def is_bare(address: Address) -> bool:
    """Says whether an address that `read_mailboxes` has read stands there as a name without a domain."""
    return address.domain == _NO_DOMAIN


def _read_addresses(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(one.addr_spec.removesuffix(f"@{_NO_DOMAIN}") for one in read_mailboxes(values))


def _with_domains(text: str) -> str:
    """Gives each bare name (``root``, ``Joe <joe>``) a domain that means none, so that one parser reads them all."""
    ends: list[int] = []
    entry: list[Token] = []
    for token in tokenize(text):
        if token.is_special(",;:") or token.kind is Kind.END:
            ends += [] if token.is_special(":") else _end_of_bare_name(entry)
            entry = []
        else:
            entry.append(token)
    for end in reversed(ends):
        text = f"{text[:end]}@{_NO_DOMAIN}{text[end:]}"
    return text


def _end_of_bare_name(entry: list[Token]) -> list[int]:
    """Finds where a domain is missing in one entry of a list; nothing if it has one or isn't a bare name."""
    if any(token.is_special("@") for token in entry):
        return []
    opening = next((index for index, token in enumerate(entry) if token.is_special("<")), None)
    words = entry if opening is None else entry[opening + 1 : -1]
    if not words or any(token.is_spaced for token in words[1:]):
        return []
    return [words[-1].end]


def decode_words(value: str) -> str:
    """Decodes RFC 2047 words for a person; what can't be decoded stays as it is."""
    from email.errors import HeaderParseError
    from email.header import decode_header

    try:
        pieces = decode_header(value)
        return "".join(
            piece if isinstance(piece, str) else piece.decode(charset or "utf-8", "replace")
            for piece, charset in pieces
        )
    except (HeaderParseError, LookupError, ValueError):
        return value


def _excerpt(message: bytes) -> str:
    """Reads the first text of a message, HTML only if there is no plain one; never raises for a broken one."""
    from email import message_from_bytes

    from tui_mailer.domain.body import text_from_html

    html = ""
    for part in message_from_bytes(message).walk():
        kind = part.get_content_type()
        if kind not in {"text/plain", "text/html"} or part.get_content_disposition() == "attachment":
            continue
        octets = part.get_payload(decode=True)
        try:
            charset = part.get_param("charset")
        except TypeError:  # the standard library trips over parameters in pieces that are told twice (RFC 2231)
            charset = None
        text = _text(octets if isinstance(octets, bytes) else b"", charset)
        if kind == "text/plain":
            return clean(text, keep_newlines=True)[:_EXCERPT]
        html = html or text
    return clean(text_from_html(html), keep_newlines=True)[:_EXCERPT]


def _text(octets: bytes, charset: object) -> str:
    try:
        return octets.decode(charset if isinstance(charset, str) else "utf-8", "replace")
    except (LookupError, ValueError):
        return octets.decode("utf-8", "replace")
