"""What a person writes (`Draft`) and what is sealed from it (`Message`), as frozen values with a JSON form.

A draft holds every field as typed, so that nothing is lost while it is still wrong. A message holds parsed addresses,
attachments by digest, and everything a provider needs; it never holds the bytes of a file.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from typing import Protocol, TypeVar, cast

from tui_mailer.domain.address import Address, parse_address
from tui_mailer.domain.errors import DamagedStore, InvalidAddress


class BodyFormat(StrEnum):
    """How the body text is to be read."""

    PLAIN = "plain"
    MARKDOWN = "markdown"
    """Sent as text and HTML."""


class Content(Protocol):
    """Bytes that were sealed: read them as often as needed, in blocks, without ever holding them all."""

    @property
    def size(self) -> int:
        """Length in bytes."""
        ...

    @property
    def sha256(self) -> str:
        """Digest, 64 lower-case hex digits."""
        ...

    def open(self) -> AsyncIterator[bytes]:
        """Yields the bytes in blocks of at most 256 KiB.

        Raises `DamagedStore` when they are gone or no longer have this digest.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftAttachment:
    """An attachment as asked for: a local path, an http(s) URL, or ``ref:TYPE/ID`` of a provider's resource."""

    source: str
    name: str | None = None
    """The file name recipients see; None: the last part of the source."""
    media_type: str | None = None
    """``type/subtype``; None: guessed from the name."""
    content_id: str | None = None
    """Set for an inline image: what ``cid:`` in the HTML names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a person is writing: every field as typed."""

    account: str = ""
    """Name of the account; empty: chosen from ``sender``, else the default."""
    sender: str = ""
    """The From address as typed; empty: the account's first identity."""
    to: str = ""
    cc: str = ""
    bcc: str = ""
    reply_to: str = ""
    subject: str = ""
    body: str = ""
    body_format: BodyFormat = BodyFormat.PLAIN
    html: str | None = None
    """An HTML body given as such; the text part is ``body``, or made from it when that is empty."""
    attachments: tuple[DraftAttachment, ...] = ()
    schedule: str = ""
    """WHEN as typed; empty: now."""
    in_reply_to: str = ""
    references: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str | None], ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    template: str = ""
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    """Provider options as typed; JSON where their type isn't a string."""
    retries: int | None = None
    note: str = ""
    """Kept with the submission, never sent."""

    def is_empty(self) -> bool:
        """Says whether a person has written nothing worth keeping."""
        return (
            not (self.to or self.cc or self.bcc or self.reply_to or self.subject or self.body.strip() or self.html)
            and not self.attachments
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A sealed attachment: exactly one of ``sha256``, ``url`` and ``reference`` is set."""

    name: str
    media_type: str
    size: int | None = None
    """Bytes; None for a URL or a reference."""
    sha256: str | None = None
    url: str | None = None
    reference: str | None = None
    content_id: str | None = None
    """Set for an inline image; without angle brackets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A sealed message: what was reviewed is what is sent."""

    id: str
    """The submission's ULID."""
    message_id: str
    """With its angle brackets: ``<ULID@from-domain>``, fixed for good (RFC 5322 section 3.6.4)."""
    sender: Address
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    """Envelope only; never in a header."""
    reply_to: tuple[Address, ...] = ()
    subject: str = ""
    text: str | None = None
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()
    in_reply_to: str | None = None
    """One msg-id with angle brackets."""
    references: tuple[str, ...] = ()
    """Msg-ids with angle brackets, oldest first."""
    headers: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str | None], ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    template: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    options: Mapping[str, object] = field(default_factory=dict[str, object])
    raw_sha256: str | None = None
    """Set for a message that came through ``sendmail``: these bytes, as they are (CRLF line ends, Bcc removed)."""
    raw_size: int | None = None

    def recipients(self) -> tuple[Address, ...]:
        """Lists To, Cc and Bcc in this order."""
        return self.to + self.cc + self.bcc


def draft_to_record(draft: Draft) -> dict[str, object]:
    """Turns a draft into JSON values; what stands at its default is left out."""
    return _to_record(draft)


def draft_from_record(record: Mapping[str, object]) -> Draft:
    """Turns JSON values back into a draft.

    Missing keys take their defaults, unknown ones are ignored; raises `DamagedStore` for a value of the wrong type.
    """
    read = _Reader(record)
    return Draft(
        **{name: read.text(name) or "" for name in _DRAFT_TEXTS},
        body_format=read.body_format("body_format"),
        html=read.text("html"),
        attachments=read.each("attachments", _draft_attachment),
        headers=read.each("headers", _header),
        tags=read.each("tags", _tag),
        metadata=read.texts("metadata"),
        variables=read.texts("variables"),
        options=read.texts("options"),
        retries=read.number("retries"),
    )


def message_to_record(message: Message) -> dict[str, object]:
    """Turns a message into JSON values, addresses as text; what stands at its default is left out."""
    return _to_record(message)


def message_from_record(record: Mapping[str, object]) -> Message:
    """Turns JSON values back into a message.

    Missing keys take their defaults, unknown ones are ignored; raises `DamagedStore` for a value of the wrong type, an
    address that can't be read, or when ``id``, ``message_id`` or ``sender`` is missing.
    """
    read = _Reader(record)
    return Message(
        id=read.required("id"),
        message_id=read.required("message_id"),
        sender=_address(read.required("sender")),
        to=read.each("to", _address),
        cc=read.each("cc", _address),
        bcc=read.each("bcc", _address),
        reply_to=read.each("reply_to", _address),
        subject=read.text("subject") or "",
        text=read.text("text"),
        html=read.text("html"),
        attachments=read.each("attachments", _attachment),
        in_reply_to=read.text("in_reply_to"),
        references=read.each("references", _text),
        headers=read.each("headers", _header),
        tags=read.each("tags", _tag),
        metadata=read.texts("metadata"),
        template=read.text("template"),
        variables=read.texts("variables"),
        options=read.mapping("options"),
        raw_sha256=read.text("raw_sha256"),
        raw_size=read.number("raw_size"),
    )


_DRAFT_TEXTS = (
    "account",
    "sender",
    "to",
    "cc",
    "bcc",
    "reply_to",
    "subject",
    "body",
    "schedule",
    "in_reply_to",
    "references",
    "template",
    "note",
)


def _to_record(value: Draft | DraftAttachment | Message | Attachment) -> dict[str, object]:
    record: dict[str, object] = {}
    for each in fields(value):
        default = each.default if each.default_factory is MISSING else each.default_factory()
        current = getattr(value, each.name)
        if current != default:
            record[each.name] = _to_json(current)
    return record


def _to_json(value: object) -> object:
    if isinstance(value, Address):
        return str(value)
    if isinstance(value, (DraftAttachment, Attachment)):
        return _to_record(value)
    if isinstance(value, tuple):
        return [_to_json(item) for item in cast("tuple[object, ...]", value)]
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, object]", value))
    return value.value if isinstance(value, StrEnum) else value


_T = TypeVar("_T")


class _Reader:
    """Takes typed values out of one JSON object; raises `DamagedStore` for a value of the wrong type."""

    def __init__(self, record: Mapping[str, object]) -> None:
        self._record = record

    def text(self, name: str) -> str | None:
        value = self._record.get(name)
        return None if value is None else _text(value)

    def required(self, name: str) -> str:
        if (value := self.text(name)) is None:
            raise DamagedStore(f"A stored message lacks its {name!r}")
        return value

    def number(self, name: str) -> int | None:
        value = self._record.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise DamagedStore(f"A stored message has no whole number in {name!r}")
        return value

    def body_format(self, name: str) -> BodyFormat:
        try:
            return BodyFormat(self.text(name) or BodyFormat.PLAIN)
        except ValueError:
            return BodyFormat.PLAIN

    def each(self, name: str, convert: Callable[[object], _T]) -> tuple[_T, ...]:
        value = self._record.get(name, ())
        if not isinstance(value, (list, tuple)):
            raise DamagedStore(f"A stored message has no list in {name!r}")
        return tuple(convert(item) for item in cast("list[object]", value))

    def mapping(self, name: str) -> dict[str, object]:
        value = self._record.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise DamagedStore(f"A stored message has no object in {name!r}")
        return {str(key): item for key, item in cast("Mapping[object, object]", value).items()}

    def texts(self, name: str) -> dict[str, str]:
        return {key: _text(item) for key, item in self.mapping(name).items()}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise DamagedStore("A stored message has something else where text belongs")
    return value


def _address(value: object) -> Address:
    try:
        return parse_address(_text(value))
    except InvalidAddress as error:
        raise DamagedStore(f"A stored message has an address that can't be read: {error}") from error


def _object(value: object) -> _Reader:
    if not isinstance(value, Mapping):
        raise DamagedStore("A stored message has something else where an object belongs")
    return _Reader(cast("Mapping[str, object]", value))


def _attachment(value: object) -> Attachment:
    read = _object(value)
    return Attachment(
        name=read.required("name"),
        media_type=read.required("media_type"),
        size=read.number("size"),
        sha256=read.text("sha256"),
        url=read.text("url"),
        reference=read.text("reference"),
        content_id=read.text("content_id"),
    )


def _draft_attachment(value: object) -> DraftAttachment:
    read = _object(value)
    return DraftAttachment(
        source=read.required("source"),
        name=read.text("name"),
        media_type=read.text("media_type"),
        content_id=read.text("content_id"),
    )


def _pair(value: object) -> tuple[object, object]:
    if not isinstance(value, (list, tuple)) or len(cast("list[object]", value)) != 2:
        raise DamagedStore("A stored message has something else where a pair belongs")
    first, second = cast("list[object]", value)
    return first, second


def _header(value: object) -> tuple[str, str]:
    name, text = _pair(value)
    return _text(name), _text(text)


def _tag(value: object) -> tuple[str, str | None]:
    name, text = _pair(value)
    return _text(name), None if text is None else _text(text)
