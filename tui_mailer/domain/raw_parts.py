"""A message that another program wrote, taken apart so that a person can write on from it.

Whatever the parts can't hold is named (`RawParts.lost`), so that nothing is dropped unsaid; what would break by being
taken apart (signed, encrypted, damaged) is refused.
"""

from __future__ import annotations

import mimetypes
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message as Part
from email.utils import collapse_rfc2231_value
from typing import cast
from urllib.parse import unquote

from tui_mailer.domain.address import Address
from tui_mailer.domain.body import flow, text_from_html, unflow
from tui_mailer.domain.errors import InvalidAddress, InvalidMessage
from tui_mailer.domain.header_rule import check_msg_id, stands_once
from tui_mailer.domain.mime import prepare_rfc822, write_custom_header
from tui_mailer.domain.raw import decode_words, is_bare, read_mailboxes
from tui_mailer.domain.text import clean, shorten

_SHOWN = 60
"""Cells of what is quoted in a phrase."""
_FORM_FIELDS = frozenset({"from", "to", "cc", "reply-to", "subject", "in-reply-to", "references"})
_MADE_ANEW = frozenset({"date", "message-id", "mime-version"})
_OF_A_PART = frozenset({"content-type", "content-transfer-encoding", "content-disposition", "content-id"})
_CONTAINERS = frozenset({"multipart/mixed", "multipart/alternative", "multipart/related"})
_SEALED_KINDS = {
    "multipart/signed": "it is signed, and any change breaks a signature",
    "multipart/encrypted": "it is encrypted",
    "application/pkcs7-mime": "it is signed or encrypted (S/MIME)",
    "application/x-pkcs7-mime": "it is signed or encrypted (S/MIME)",
}
_DAMAGED = "its parts are damaged, and can't be told apart for certain"
_SEALED_TEXT = re.compile(r"(?m)^-----BEGIN PGP (?:SIGNED )?MESSAGE-----")
_ENCODINGS = frozenset({"", "7bit", "8bit", "binary", "base64", "quoted-printable"})
_MSG_ID = re.compile(r"<[^<>\s@]+@[^<>\s@]+>")
_PARAMETER = re.compile(r"[A-Za-z0-9!#$&^_.+-]+")
_PARAMETER_VALUE = re.compile(r"[ !#-\[\]-~]*")
_BYTE_FOR_BYTE = policy.compat32.clone(linesep="\r\n", mangle_from_=False, max_line_length=None)


@dataclass(frozen=True, slots=True)
class RawFile:
    """An attachment of such a message."""

    name: str
    media_type: str
    """With the parameters it came with, but for its name."""
    content: bytes
    content_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawParts:
    """Everything in a message that a draft has a place for."""

    sender: Address | None
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    subject: str
    text: str
    html: str | None
    files: tuple[RawFile, ...]
    in_reply_to: str
    references: str
    headers: tuple[tuple[str, str], ...]
    lost: tuple[str, ...]
    """What there is no place for, a phrase each."""


def take_apart(message: bytes) -> RawParts:
    """Takes a message apart that `raw.read_raw` has made ready; raises `InvalidMessage` with the reason it can't."""
    root = message_from_bytes(message)
    lost: list[str] = []
    content = _Content(lost)
    try:
        content.take(root)
    except (AttributeError, TypeError, ValueError) as error:
        # The standard library trips over parameters (RFC 2231) told twice, or in a charset that is none.
        raise _refuse(_DAMAGED) from error
    header = _Header(root, lost)
    text, html = content.text, content.html
    if text is None:
        text = text_from_html(html) if html is not None else ""
    to, cc, reply_to, senders = (header.mailboxes(name) for name in ("To", "Cc", "Reply-To", "From"))
    lost += [f"another author: {one.addr_spec}" for one in senders[1:]]
    in_reply_to, *others = header.message_ids("In-Reply-To") or [""]
    lost += [f"In-Reply-To: {shorten(one, _SHOWN)}" for one in others]
    return RawParts(
        sender=senders[0] if senders else None,
        to=to,
        cc=cc,
        reply_to=reply_to,
        subject=header.subject(),
        text=text,
        html=html,
        files=tuple(content.placed_files()),
        in_reply_to=in_reply_to,
        references=" ".join(header.message_ids("References")),
        headers=tuple(header.others()),
        lost=tuple(dict.fromkeys(lost)),
    )


def _refuse(why: str) -> InvalidMessage:
    return InvalidMessage(f"It can't be edited: {why}. It can go as it is, now or at another time.")


class _Content:
    """Walks the parts: the first text, its HTML version, and files; adds to ``lost`` what changes."""

    def __init__(self, lost: list[str]) -> None:
        self.text: str | None = None
        self.html: str | None = None
        self._files: list[RawFile] = []
        self._lost = lost
        self._home: Part | None = None
        """The multipart/alternative that the first text is in."""

    def take(self, part: Part, versions: Part | None = None) -> None:
        """Takes a part and all in it; ``versions``: the multipart/alternative around it."""
        kind = part.get_content_type()
        if kind in _SEALED_KINDS:
            raise _refuse(_SEALED_KINDS[kind])
        self._look_at_header(part, kind)
        if kind in _CONTAINERS and part.is_multipart():
            for child in cast("list[Part]", part.get_payload()):
                self.take(child, part if kind == "multipart/alternative" else versions)
        elif kind == "message/rfc822" and part.is_multipart():
            self._take_message(part)
        elif part.is_multipart() or kind.startswith(("multipart/", "message/")):
            raise _refuse(f"it has a part ({shorten(kind, _SHOWN)}) that means something only as it stands")
        else:
            self._take_leaf(part, kind, versions)
        if part.defects:
            raise _refuse(_DAMAGED)

    def _look_at_header(self, part: Part, kind: str) -> None:
        if (encoding := str(part.get("Content-Transfer-Encoding", "")).strip().lower()) not in _ENCODINGS:
            raise _refuse(f"one of its parts has an encoding unknown here ({shorten(encoding, _SHOWN)})")
        for name in dict.fromkeys(part.keys()):
            if name.lower().startswith("content-") and name.lower() not in _OF_A_PART:
                self._lost.append(f"{shorten(name, _SHOWN)} of {_called(part, kind)}")

    def _take_leaf(self, part: Part, kind: str, versions: Part | None) -> None:
        payload = part.get_payload(decode=True)
        octets = payload if isinstance(payload, bytes) else b""
        is_body = part.get_content_disposition() != "attachment" and not part.get_filename()
        is_first = self.text is None and self.html is None
        is_version = versions is not None and versions is self._home
        if is_body and kind == "text/plain" and (is_first or (is_version and self.text is None)):
            self._home = versions
            self.text = self._plain(part, octets)
        elif is_body and kind == "text/html" and (is_first or (is_version and self.html is None)):
            self._home = versions
            self.html = self._decoded(part, octets)
        else:
            self._take_file(part, kind, octets)
            if is_body and (versions is not None or kind.startswith("text/")):
                self._lost.append(f"the place of {_called(part, kind)} in the text: it becomes an attachment")

    def _plain(self, part: Part, octets: bytes) -> str:
        text = self._decoded(part, octets)
        if _SEALED_TEXT.search(text):
            raise _refuse("its text is signed or encrypted (PGP)")
        if str(part.get_param("format", "")).lower() == "flowed":
            return unflow(text, deletes_space=str(part.get_param("delsp", "")).lower() == "yes")
        if flow(text).rstrip("\n") != text.rstrip("\n"):
            self._lost.append("the exact form of its lines (as a patch needs it): it goes as flowing text")
        return text

    def _decoded(self, part: Part, octets: bytes) -> str:
        charset = part.get_content_charset() or "utf-8"
        for one in (charset, "utf-8"):
            try:
                return octets.decode(one).replace("\r\n", "\n")
            except (LookupError, ValueError):
                continue
        self._lost.append(f"letters of its text that aren't in the charset it names ({shorten(charset, _SHOWN)})")
        return octets.decode("cp1252", "replace").replace("\r\n", "\n")

    def _take_message(self, part: Part) -> None:
        (inner,) = cast("list[Part]", part.get_payload())
        name = _file_name(part, "message/rfc822", len(self._files) + 1)
        octets = inner.as_bytes(policy=_BYTE_FOR_BYTE)
        ready = prepare_rfc822(octets)
        if ready is None or ready.rstrip() != octets.rstrip():
            self._lost.append(f"the exact form of the attached message {name}")
        kind = "message/rfc822" if ready is not None else "application/octet-stream"
        self._files.append(RawFile(name, kind, octets if ready is None else ready))

    def _take_file(self, part: Part, kind: str, octets: bytes) -> None:
        name = _file_name(part, kind, len(self._files) + 1)
        parameters = [kind]
        for key, value in part.get_params([])[1:]:
            said = collapse_rfc2231_value(value)
            if key.lower() in {"name", "boundary"}:
                continue
            if _PARAMETER.fullmatch(key) and _PARAMETER_VALUE.fullmatch(said):
                parameters.append(f'{key.lower()}="{said}"')
            else:
                self._lost.append(f"{shorten(key, _SHOWN)} of {name}")
        content_id = str(part.get("Content-ID", "")).strip().strip("<>").strip() or None
        if content_id is not None and not _is_msg_id(f"<{content_id}>"):
            self._lost.append(f"Content-ID of {name}")
            content_id = None
        self._files.append(RawFile(name, "; ".join(parameters), octets, content_id))

    def placed_files(self) -> Iterator[RawFile]:
        """Yields the files; inline ones are those that the HTML shows."""
        shown = {unquote(one) for one in re.findall(r"""cid:([^"'\s>)]+)""", self.html or "", re.IGNORECASE)}
        for one in self._files:
            is_shown = self.html is None or one.content_id in shown
            yield one if is_shown else RawFile(one.name, one.media_type, one.content)


class _Header:
    """Reads the fields of the message itself; adds to ``lost`` what can't be read or kept."""

    def __init__(self, root: Part, lost: list[str]) -> None:
        self._fields = [(name, _unfolded(str(value))) for name, value in root.raw_items()]
        self._lost = lost
        names = {name.lower() for name, _value in self._fields}
        if any(name.startswith("resent-") for name in names):
            raise _refuse("it was passed on (Resent-To): its To and Cc aren't whom it goes to")
        if "message-id" in names:
            lost.append("its Message-ID and Date: an edited message gets new ones")

    def _values(self, name: str) -> list[str]:
        return [value for known, value in self._fields if known.lower() == name.lower()]

    def mailboxes(self, name: str) -> tuple[Address, ...]:
        """Reads an address list with its names decoded; bare names and what can't be read are lost."""
        try:
            found = read_mailboxes(self._values(name))
        except InvalidAddress:
            self._lost.append(f"{name}, which can't be read: {shorten(', '.join(self._values(name)), _SHOWN)}")
            return ()
        bare = [one for one in found if is_bare(one)]
        self._lost += [f"{one.local_part} in {name}: a name without a domain" for one in bare]
        return tuple(self._named(one) for one in found if one not in bare)

    def _named(self, address: Address) -> Address:
        return Address(address.local_part, address.domain, clean(decode_words(address.display_name)))

    def subject(self) -> str:
        """Reads the first Subject."""
        first, *others = [self._read("Subject", value) for value in self._values("subject")] or [""]
        self._lost += [f"another Subject: {shorten(one, _SHOWN)}" for one in others]
        return first

    def _read(self, name: str, value: str) -> str:
        decoded = decode_words(value)
        said = clean(decoded).strip()
        if "\ufffd" in said or said != decoded.strip():
            self._lost.append(f"characters of {shorten(name, _SHOWN)} that can't be read or shown")
        return said

    def message_ids(self, name: str) -> list[str]:
        """Reads Message-IDs; what isn't one is lost."""
        text = " ".join(self._values(name))
        found = [one for one in _MSG_ID.findall(text) if _is_msg_id(one)]
        rest = text
        for one in found:
            rest = rest.replace(one, " ")
        if rest.strip(" ,\t"):
            self._lost.append(f"{name}: {shorten(rest.strip(), _SHOWN)}")
        return list(dict.fromkeys(found))

    def others(self) -> Iterator[tuple[str, str]]:
        """Yields the fields that a draft keeps as headers of its own; the rest is lost."""
        seen: set[str] = set()
        dropped: Counter[str] = Counter()
        for name, value in self._fields:
            lowered = name.lower()
            if lowered in _FORM_FIELDS | _MADE_ANEW or lowered.startswith("content-"):
                continue
            said = self._read(name, value)
            is_second = lowered in seen and stands_once(lowered)
            seen.add(lowered)
            if is_second or not _is_keepable(name, said):
                dropped[name] += 1
            else:
                yield name, said
        self._lost += [
            f"header {shorten(name, _SHOWN)}{f' ({count} times)' if count > 1 else ''}"
            for name, count in dropped.items()
        ]


def _unfolded(value: str) -> str:
    octets = value.encode("ascii", "surrogateescape") if not value.isascii() else value.encode()
    return re.sub(r"\r?\n(?=[ \t])", "", octets.decode("utf-8", "replace")).replace("\t", " ").strip()


def _is_keepable(name: str, value: str) -> bool:
    try:
        write_custom_header(name, value)
    except InvalidMessage:
        return False
    return True


def _is_msg_id(text: str) -> bool:
    try:
        check_msg_id(text, "Message-ID")
    except InvalidMessage:
        return False
    return True


def _called(part: Part, kind: str) -> str:
    """A part by its name, or by its kind."""
    return shorten(decode_words(part.get_filename() or ""), _SHOWN) or f"its part {shorten(kind, _SHOWN)}"


def _file_name(part: Part, kind: str, number: int) -> str:
    name = clean(decode_words(part.get_filename() or "")).strip()
    if name:
        return name
    if kind == "message/rfc822":
        return f"message-{number}.eml"
    return f"part-{number}{mimetypes.guess_extension(kind) or '.bin'}"
