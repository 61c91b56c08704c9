"""What the MIME tests share: messages to write, a rendering of them, and a reader of format=flowed."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from hypothesis import strategies as st

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import InvalidAddress
from tui_mailer.domain.message import Attachment, Content, Message
from tui_mailer.domain.mime import MimeMessage, build

DATE = datetime(2026, 11, 22, 7, 6, 58, tzinfo=timezone(timedelta(hours=1)))
SECRET = Address("secret.copy", "hidden.test", "Hidden Person")
"""Goes into Bcc of every generated message; nothing of it may ever be seen."""


@dataclass(frozen=True)
class BytesContent:
    """Sealed content in memory, yielded in blocks of an awkward length."""

    octets: bytes
    block: int = 100

    @property
    def size(self) -> int:
        return len(self.octets)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.octets).hexdigest()

    async def open(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.octets), self.block):
            yield self.octets[start : start + self.block]


def plain_message(**changes: object) -> Message:
    """A message with nothing special, changed as asked."""
    message = Message(
        id="01JD0000000000000000000000",
        message_id="<01JD0000000000000000000000@example.org>",
        sender=Address("ada", "example.org", "Ada Lovelace"),
        to=(Address("grace", "example.test"),),
        subject="Hello",
        text="Hello\n",
    )
    return replace(message, **changes)


def attached(octets: bytes, name: str = "file.bin", **changes: object) -> tuple[Attachment, BytesContent]:
    """An attachment and its sealed content."""
    content = BytesContent(octets)
    attachment = Attachment(name=name, media_type="application/octet-stream", size=content.size, sha256=content.sha256)
    return replace(attachment, **changes), content


def built(message: Message, *contents: BytesContent) -> MimeMessage:
    """Builds with these contents by digest."""
    by_digest: Mapping[str, Content] = {content.sha256: content for content in contents}
    return build(message, date=DATE, contents=by_digest)


def collected(mime: MimeMessage) -> bytes:
    """All that ``stream`` yields."""

    async def collect() -> bytes:
        return b"".join([block async for block in mime.stream()])

    return asyncio.run(collect())


def render(message: Message, *contents: BytesContent) -> bytes:
    """The bytes on the wire, after checking that they keep the promises every message keeps."""
    mime = built(message, *contents)
    rendered = collected(mime)
    assert len(rendered) == mime.size == build(message, date=DATE, contents={}).size
    small = mime.small_body()
    assert small is None or mime.header + small == rendered
    assert rendered.startswith(mime.header)
    assert mime.header.endswith(b"\r\n\r\n")
    assert rendered.endswith(b"\r\n")
    assert rendered.count(b"\r") == rendered.count(b"\n") == rendered.count(b"\r\n")
    assert b"\0" not in rendered
    assert max(map(len, rendered.split(b"\r\n"))) <= 998
    assert mime.needs_smtputf8 or rendered.isascii()
    assert not re.search(rb"(?im)^(resent-)?bcc", mime.header)
    assert b"secret" not in rendered.lower()
    assert b"hidden" not in rendered.lower()
    assert not re.search(rb"(?m)^(From |\.\r?$)", mime.header)
    return rendered


def unflow(text: str) -> str:
    """Reads format=flowed with DelSp=no as RFC 3676 section 4.4 says, independently of how it is written."""
    paragraphs: list[str] = []
    open_depth: int | None = None
    lines = text.split("\n")
    for line in lines:
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:]
        content = content.removeprefix(" ")
        if open_depth == depth and content != "-- ":
            paragraphs[-1] += content
        else:
            paragraphs.append((">" * depth + " " if depth else "") + content)
        open_depth = depth if content.endswith(" ") and content != "-- " else None
    return "\n".join(paragraphs)


NASTY = ['"', "\\", ",", ";", ":", "<", ">", "(", ")", "@", ".", "%", "'", "=?", "?=", "=?utf-8?q?x?=", "_", "  ", "="]
_PRINTABLE = st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\u2028\u2029")
_PIECE = st.one_of(
    st.sampled_from([*NASTY, " ", " ", "word", "Grüße", "漢字", "😀", "👩‍👩‍👧", "é", "x" * 90]),
    _PRINTABLE,
)
lines = st.lists(_PIECE, max_size=40).map("".join)
"""One line of text such as a subject, with everything that has ever broken one."""

bodies = st.lists(
    st.one_of(
        _PIECE,
        st.sampled_from(
            ["\n", "\n", "\r\n", "\n.\n", "\nFrom ", "\n> ", "\n-- \n", "\t", " \n", "\0", "\x1b[0m", "\r"]
        ),
        st.sampled_from(["--=_1_", "lorem ipsum " * 20, "y" * 1200, "\x0b", "\x85", "\u2028"]),
    ),
    max_size=40,
).map("".join)
"""A text of several lines, with control characters that only an encoding can carry."""


def _address(local_part: str, domain: str, name: str) -> Address | None:
    try:
        return Address(local_part, domain, name)
    except InvalidAddress:
        return None


addresses = st.builds(
    _address,
    st.one_of(
        st.sampled_from(["ada", "a.b+c", "two words", 'quo"te', "a,b", "x" * 64]),
        st.from_regex(r"[a-z0-9]{1,9}", fullmatch=True),
    ),
    st.sampled_from(
        ["example.test", "bücher.example", "[192.0.2.1]", "a-rather-long-domain-name.in-many.labels.example.test"]
    ),
    lines,
).filter(lambda address: address is not None)

file_names = lines.map(lambda name: name.strip())
msg_ids = st.from_regex(r"<[A-Za-z0-9.!#$%&'*+/^_`{|}~-]{1,120}@[A-Za-z0-9.-]{1,40}>", fullmatch=True)


@st.composite
def messages(draw: st.DrawFn) -> tuple[Message, tuple[BytesContent, ...]]:
    """A whole message with its contents, SECRET always in Bcc."""
    attachments: list[Attachment] = []
    contents: list[BytesContent] = []
    for number in range(draw(st.integers(0, 3))):
        is_image = draw(st.booleans())
        attachment, content = attached(
            draw(st.binary(max_size=300)),
            draw(file_names),
            content_id=f"image{number}@example.org" if is_image else None,
            media_type=draw(st.sampled_from(["image/png", "text/plain", "application/pdf", "multipart/mixed"])),
        )
        attachments.append(attachment)
        contents.append(content)
    message = plain_message(
        sender=draw(addresses),
        to=tuple(draw(st.lists(addresses, max_size=4))),
        cc=tuple(draw(st.lists(addresses, max_size=3))),
        reply_to=tuple(draw(st.lists(addresses, max_size=2))),
        bcc=(SECRET,),
        subject=draw(lines),
        text=draw(st.one_of(st.none(), bodies)),
        html=draw(st.one_of(st.none(), bodies)),
        attachments=tuple(attachments),
        in_reply_to=draw(st.one_of(st.none(), msg_ids)),
        references=tuple(draw(st.lists(msg_ids, max_size=30))),
        headers=(("X-Note", "note " + draw(lines)),),
    )
    return message, tuple(contents)


def shown(subject: str) -> str:
    """What a reader should see of a one-line value: spaces at the ends are dropped."""
    return subject.strip(" ")


def base_name(name: str) -> str:
    """What a reader should see of a file name."""
    from tui_mailer.domain.text import clean

    last = clean(name.replace("\\", "/").rpartition("/")[2]).strip()
    return "attachment" if last in {"", ".", ".."} else last
