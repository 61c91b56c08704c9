"""Messages as RFC 5322 bytes: exact size first, then a stream of blocks; the structure of parts and their encodings.

Everything sealed here is 7-bit with CRLF line ends (but for UTF-8 addresses, RFC 6532), the same bytes at every
rendering. How one header field is written is `header`'s matter.

    multipart/mixed                 only with attachments
        multipart/alternative       only with HTML
            text/plain; format=flowed
            multipart/related       only with inline images
                text/html
                image/...
        application/... , message/rfc822
"""

from __future__ import annotations

import binascii
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from tui_mailer.domain.body import flow, text_from_html
from tui_mailer.domain.errors import DamagedStore, InvalidAttachment, InvalidMessage, Unsupported
from tui_mailer.domain.header import (
    write_addresses,
    write_date,
    write_msg_ids,
    write_parameters,
    write_text,
    write_tokens,
)
from tui_mailer.domain.header_rule import check_custom_header, check_msg_id, is_machine_read, lint_header
from tui_mailer.domain.message import Attachment, Content, Message
from tui_mailer.domain.text import clean

__all__ = ["MimeMessage", "build", "check_custom_header", "lint_header", "prepare_rfc822", "write_custom_header"]

_BLOCK = 256 * 1024
_ENCODED_LINE = 57
"""Bytes that make one base64 line of 76 characters (RFC 2045 section 6.8)."""
_LINE = 998
_LONGEST_CUSTOM_WORD = 900
_NOT_PLAIN = bytes(set(range(32)) - set(b"\t\n")) + b"\x7f"
_BOUNDARY_SIGN = "=_"
"""Can't stand in base64 or quoted-printable (RFC 2045 section 6.7)."""
_MEDIA_TYPE = re.compile(
    r"(?P<type>[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+)"
    r"""(?P<parameters>(?:\s*;\s*[A-Za-z0-9!#$&^_.+-]+=(?:[A-Za-z0-9!#$&^_.+-]+|"[ !#-\[\]-~]*"))*)"""
)
_BCC = re.compile(rb"^(?:resent-)?bcc[ \t]*:", re.IGNORECASE)
_NESTED_MESSAGE = re.compile(
    rb"^content-type[ \t]*:[ \t\r\n]*message/(?:rfc822|global)\b", re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class _Sealed:
    """Sealed content on its way into the message."""

    sha256: str
    size: int
    content: Content | None
    is_base64: bool

    @property
    def wire_size(self) -> int:
        """Bytes it takes in the message; no line end after the last base64 line."""
        if not self.is_base64 or not self.size:
            return self.size
        return (self.size + 2) // 3 * 4 + 2 * ((self.size - 1) // _ENCODED_LINE)

    async def stream(self) -> AsyncIterator[bytes]:
        """Yields it as it goes into the message; raises `DamagedStore` unless it has the size it was sealed with."""
        if self.content is None:
            raise DamagedStore(f"The sealed content {self.sha256[:12]} isn't there; the message can't be sent.")
        seen = 0
        rest = b""
        separator = b""
        async for block in self.content.open():
            seen += len(block)
            if not self.is_base64:
                yield block
                continue
            rest = rest + block if rest else block
            whole = len(rest) - len(rest) % _ENCODED_LINE
            if whole:
                yield separator + _base64_lines(rest[:whole])
                separator = b"\r\n"
                rest = rest[whole:]
        if rest and self.is_base64:
            yield separator + _base64_lines(rest)
        if seen != self.size:
            raise DamagedStore(f"The sealed content {self.sha256[:12]} has {seen} bytes instead of {self.size}.")


@dataclass(frozen=True, slots=True)
class MimeMessage:
    """A message ready for the wire: ``stream`` yields ``header`` and everything after it, ``size`` bytes in all."""

    header: bytes
    """The header block with CRLF line ends and the blank line after it; empty for a raw message (see ``is_raw``)."""
    size: int
    """Bytes of the whole message, header included, before dot-stuffing."""
    needs_smtputf8: bool
    """An address in the header or the envelope has a local part that isn't ASCII (RFC 6531)."""
    is_raw: bool
    """It came through ``sendmail``: streamed as it is, header and all, and maybe with 8-bit bytes (RFC 6152)."""
    _pieces: tuple[bytes | _Sealed, ...]

    async def stream(self) -> AsyncIterator[bytes]:
        """Yields the whole message in blocks: CRLF line ends, not dot-stuffed; raises `DamagedStore`."""
        for piece in (self.header, *self._pieces):
            if isinstance(piece, _Sealed):
                async for block in piece.stream():
                    yield block
            else:
                for start in range(0, len(piece), _BLOCK):
                    yield piece[start : start + _BLOCK]

    def small_body(self) -> bytes | None:
        """Returns all that follows ``header`` if it is in memory anyway; None where sealed content must be streamed."""
        inline = [piece for piece in self._pieces if isinstance(piece, bytes)]
        return b"".join(inline) if len(inline) == len(self._pieces) else None


def build(message: Message, *, date: datetime, contents: Mapping[str, Content]) -> MimeMessage:
    """Works out the bytes of ``message`` with this (aware) date; the sealed bytes are read by ``stream`` only.

    Raises `InvalidMessage` for what no header may carry and `Unsupported` for an attachment without bytes.
    """
    addresses = (message.sender, *message.recipients(), *message.reply_to)
    needs_smtputf8 = any(address.needs_smtputf8 for address in addresses)
    if message.raw_sha256 is not None:
        size = message.raw_size or 0
        raw = _Sealed(message.raw_sha256, size, contents.get(message.raw_sha256), is_base64=False)
        return MimeMessage(b"", size, needs_smtputf8, is_raw=True, _pieces=(raw,))
    part = _Composer(message, contents).compose()
    lines = [*_message_fields(message, date), "MIME-Version: 1.0", *part.fields, "", ""]
    header = "\r\n".join(lines).encode()
    lint_header(header, is_utf8=needs_smtputf8)
    size = len(header) + sum(len(piece) if isinstance(piece, bytes) else piece.wire_size for piece in part.pieces)
    return MimeMessage(header, size, needs_smtputf8, is_raw=False, _pieces=part.pieces)


def prepare_rfc822(message: bytes) -> bytes | None:
    """Makes a message fit to be attached as message/rfc822: CRLF line ends, Bcc removed, also in messages within.

    None: it isn't a 7-bit message with lines of at most 998 bytes, so it travels as application/octet-stream.
    """
    message = re.sub(rb"\r+\n|\r|\n", b"\r\n", message)
    if message.startswith(b"From "):
        message = message.partition(b"\r\n")[2]
    if not re.match(rb"[!-9;-~]+[ \t]*:", message) or not message.isascii() or b"\0" in message:
        return None
    message = _without_bcc(message, 0)
    position = 0
    while found := _NESTED_MESSAGE.search(message, position):
        position = message.find(b"\r\n\r\n", found.end()) + 4
        if position < 4:
            break
        message = _without_bcc(message, position)
    if not message.endswith(b"\r\n"):
        message += b"\r\n"
    return None if re.search(rb"[^\r\n]{999}", message) else message


def _without_bcc(message: bytes, start: int) -> bytes:
    """Removes Bcc and Resent-Bcc, continuation lines included, from the header block that begins at ``start``."""
    end = message.find(b"\r\n\r\n", start)
    end = len(message) if end < 0 else end + 2
    kept: list[bytes] = []
    is_bcc = False
    for line in message[start:end].splitlines(keepends=True):
        if line[:1] not in (b" ", b"\t"):
            is_bcc = _BCC.match(line) is not None
        if not is_bcc:
            kept.append(line)
    return message[:start] + b"".join(kept) + message[end:]


def _message_fields(message: Message, date: datetime) -> list[str]:
    """Writes the fields that say who, to whom, when and about what; never Bcc."""
    fields = [write_date("Date", date), write_addresses("From", (message.sender,))]
    if message.reply_to:
        fields.append(write_addresses("Reply-To", message.reply_to))
    if message.to:
        fields.append(write_addresses("To", message.to))
    elif not message.cc:
        fields.append("To: undisclosed-recipients:;")
    if message.cc:
        fields.append(write_addresses("Cc", message.cc))
    if message.subject.strip(" \t"):
        fields.append(write_text("Subject", message.subject))
    fields.append(write_tokens("Message-ID", [check_msg_id(message.message_id, "Message-ID")]))
    if message.in_reply_to:
        fields.append(write_msg_ids("In-Reply-To", (message.in_reply_to,)))
    if message.references:
        fields.append(write_msg_ids("References", message.references))
    fields += [write_custom_header(name, value) for name, value in message.headers]
    return fields


def write_custom_header(name: str, value: str) -> str:
    """Writes a field that a person or program has added; raises `InvalidMessage` where none may, or not so."""
    check_custom_header(name, value)
    if is_machine_read(name):
        return write_tokens(name, value.split())
    return write_text(name, value, longest_word=_LONGEST_CUSTOM_WORD)


@dataclass(frozen=True, slots=True)
class _Part:
    """One MIME part: its own header fields, and its content."""

    fields: tuple[str, ...]
    pieces: tuple[bytes | _Sealed, ...]


class _Composer:
    """Puts the parts of one message together."""

    def __init__(self, message: Message, contents: Mapping[str, Content]) -> None:
        self._message = message
        self._contents = contents
        self._multiparts = 0

    def compose(self) -> _Part:
        """Builds the tree that the module's docstring shows."""
        message = self._message
        inline: list[Attachment] = []
        attached: list[Attachment] = []
        for attachment in message.attachments:
            is_inline = attachment.content_id is not None and message.html is not None
            (inline if is_inline else attached).append(attachment)
        text = message.text
        if text is None:
            text = text_from_html(message.html) if message.html is not None else ""
        part = _text_part(flow(text), "plain", "format=flowed")
        if message.html is not None:
            html = _text_part(_ended(message.html), "html")
            if inline:
                html = self._multipart("related", html, [self._attachment(image) for image in inline])
            part = self._multipart("alternative", part, [html])
        if attached:
            part = self._multipart("mixed", part, [self._attachment(attachment) for attachment in attached])
        return part

    def _multipart(self, subtype: str, first: _Part, others: list[_Part]) -> _Part:
        """Joins parts; the boundary follows from the message's id, so that every rendering is the same."""
        self._multiparts += 1
        digest = sha256(f"{self._message.message_id}{self._message.id}".encode()).hexdigest()[:32]
        boundary = f"{_BOUNDARY_SIGN}{self._multiparts}_{digest}"
        pieces: list[bytes | _Sealed] = []
        for part in (first, *others):
            opening = b"\r\n--" if pieces else b"--"
            header = "\r\n".join((*part.fields, "", "")).encode()
            lint_header(header)
            pieces += (opening + boundary.encode() + b"\r\n" + header, *part.pieces)
        pieces.append(b"\r\n--" + boundary.encode() + b"--\r\n")
        parameters = [f'boundary="{boundary}"']
        if subtype == "related":
            parameters.insert(0, 'type="text/html";')
        content_type = write_tokens("Content-Type", [f"multipart/{subtype};", *parameters])
        return _Part((content_type,), tuple(pieces))

    def _attachment(self, attachment: Attachment) -> _Part:
        if attachment.sha256 is None or attachment.size is None:
            raise Unsupported(
                "attachments",
                f"{clean(attachment.name)} has no content of its own (a web address or a provider's resource), which"
                " a mail can't carry.",
                "Attach the file itself, or put the address into the text.",
            )
        name = _base_name(attachment.name)
        media_type, parameters = _media_type(attachment.media_type)
        is_message = media_type == "message/rfc822"
        fields = [
            write_parameters("Content-Type", media_type, [*parameters, ("name", name)]),
            f"Content-Transfer-Encoding: {'7bit' if is_message else 'base64'}",
        ]
        disposition = "attachment"
        if attachment.content_id is not None:
            fields.append(write_tokens("Content-ID", [check_msg_id(f"<{attachment.content_id}>", "Content-ID")]))
            disposition = "inline" if self._message.html is not None else "attachment"
        fields.append(write_parameters("Content-Disposition", disposition, [("filename", name)]))
        content = self._contents.get(attachment.sha256)
        sealed = _Sealed(attachment.sha256, attachment.size, content, is_base64=not is_message)
        return _Part(tuple(fields), (sealed,))


def _text_part(text: str, subtype: str, *parameters: str) -> _Part:
    """Encodes a text with LF line ends: 7bit if it is safe as it is, else the shorter of QP and base64."""
    try:
        octets = text.encode()
    except UnicodeEncodeError as error:
        raise InvalidMessage(
            "The text has half a character (a lone surrogate) inside. Remove it.", field="body"
        ) from error
    charset = "us-ascii" if len(octets) == len(text) else "utf-8"
    tokens = [f"text/{subtype}", f"charset={charset}", *parameters]
    if _is_seven_bit(text, octets):
        encoding = "7bit"
        body = octets.replace(b"\n", b"\r\n")
    else:
        encoding, body = _encode_text(octets)
    content_type = write_tokens("Content-Type", [token + ";" for token in tokens[:-1]] + tokens[-1:])
    return _Part((content_type, f"Content-Transfer-Encoding: {encoding}"), (body,))


def _is_seven_bit(text: str, octets: bytes) -> bool:
    """Says whether a text can travel as it is, whatever the servers on the way do to From lines and long lines."""
    return (
        len(octets) == len(text)
        and len(octets.translate(None, _NOT_PLAIN)) == len(octets)
        and not _has_long_line(octets)
        and "--" + _BOUNDARY_SIGN not in text
        and not text.startswith("From ")
        and "\nFrom " not in text
    )


def _has_long_line(octets: bytes) -> bool:
    """Says whether a line, LF not counted, is longer than 998 bytes."""
    start = 0
    while len(octets) - start > _LINE:
        end = octets.rfind(b"\n", start, start + _LINE + 1)
        if end < 0:
            return True
        start = end + 1
    return False


def _encode_text(octets: bytes) -> tuple[str, bytes]:
    quoted = binascii.b2a_qp(octets, istext=True).replace(b"\n", b"\r\n")
    octets = octets.replace(b"\n", b"\r\n")
    has_from_line = quoted.startswith(b"From ") or b"\nFrom " in quoted
    if not has_from_line and len(quoted) <= len(octets) * 4 / 3 * 78 / 76:
        return "quoted-printable", quoted
    return "base64", _base64_lines(octets) + b"\r\n"


def _base64_lines(octets: bytes) -> bytes:
    """Encodes in lines of 76 characters, no line end after the last."""
    coded = binascii.b2a_base64(octets, newline=False)
    return b"\r\n".join([coded[at : at + 76] for at in range(0, len(coded), 76)])


def _ended(text: str) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.endswith("\n") else text + "\n"


def _base_name(name: str) -> str:
    """Makes a file name that says nothing of the sender's folders and can't hide its ending."""
    last = re.split(r"[/\\]", name)[-1]
    last = clean(last).strip()
    return last if last not in {"", ".", ".."} else "attachment"


def _media_type(media_type: str) -> tuple[str, list[tuple[str, str]]]:
    """Splits ``type/subtype; key=value``; what base64 may not carry (multipart, message) becomes octet-stream."""
    found = _MEDIA_TYPE.fullmatch(media_type)
    if not found:
        raise InvalidAttachment(
            f"{clean(media_type)!a} isn't a media type: write type/subtype, such as application/pdf.",
            field="attachments",
        )
    kind = found["type"].lower()
    if kind.startswith(("multipart/", "message/")) and kind != "message/rfc822":
        return "application/octet-stream", []
    given = (item.strip().split("=", 1) for item in found["parameters"].split(";")[1:])
    return kind, [(key.lower(), value.strip('"')) for key, value in given if key.lower() != "name"]
