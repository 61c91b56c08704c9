"""Messages with all that the popular mail APIs carry, for their rules and their specs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from tui_mailer.domain.address import Address
from tui_mailer.domain.message import Attachment
from tui_mailer.domain.submission import Kind, Recipient
from tui_mailer.providers.base import Outgoing
from tui_mailer.providers.testing import MemoryContent, make_message, make_outgoing

PLAN = MemoryContent(b"%PDF-1.7 the engine" * 5_000)
LOGO = MemoryContent(b"\x89PNG\r\n\x1a\n logo")
BY_FILE = Attachment(name="pl\u00e4n, v2.pdf", media_type="application/pdf", size=PLAN.size, sha256=PLAN.sha256)
INLINE = Attachment(name="logo.png", media_type="image/png", size=LOGO.size, sha256=LOGO.sha256, content_id="logo")
BY_URL = Attachment(name="map.png", media_type="image/png", url="https://example.org/map.png")
ADA = Address("ada", "example.org", 'Ada "the Countess" Lovelace, Esq.')
GREEK = Address("alpha", "b\u00fccher.example", "\u0391\u03bb\u03c6\u03b1")
CAROL = Address("carol", "example.net", "Carol")
DAVE = Address("dave", "example.net")


def rich_outgoing(
    *,
    attachments: tuple[Attachment, ...] = (BY_FILE, INLINE),
    is_threaded: bool = True,
    reply_to: tuple[Address, ...] = (CAROL,),
    tags: tuple[tuple[str, str | None], ...] = (("spring", None), ("team", "engine")),
    options: Mapping[str, object] | None = None,
    not_before: datetime | None = None,
) -> Outgoing:
    """A message to two To, a Cc and a Bcc, with both bodies, files, headers, tags and metadata."""
    message = replace(
        make_message(),
        sender=ADA,
        to=(GREEK, Address("eve", "example.net", "Eve")),
        cc=(CAROL,),
        bcc=(DAVE,),
        reply_to=reply_to,
        subject="Notes on the engine \u2014 No. 7",
        html='<p>The engine weaves <img src="cid:logo"></p>',
        headers=(("X-Loom", "east"),),
        in_reply_to="<1@example.net>" if is_threaded else None,
        references=("<0@example.net>", "<1@example.net>") if is_threaded else (),
        attachments=attachments,
        tags=tags,
        metadata={"customer": "7", "note": "\u00fcber"},
        options=dict(options or {}),
    )
    return replace(make_outgoing(message, (PLAN, LOGO)), not_before=not_before)


def templated_outgoing(template: str, *, subject: str = "", variables: Mapping[str, str] | None = None) -> Outgoing:
    """A message made by a template with variables, to one recipient."""
    bob = Address("bob", "example.net", "Bob")
    message = replace(
        make_message(),
        to=(bob,),
        subject=subject,
        text=None,
        template=template,
        variables={"name": "Bob"} if variables is None else variables,
    )
    return make_outgoing(message)


def raw_outgoing(octets: bytes) -> Outgoing:
    """A ready-made message that came through sendmail, to one recipient."""
    raw = MemoryContent(octets)
    message = replace(
        make_message(), to=(Address("bob", "example.net"),), raw_sha256=raw.sha256, raw_size=raw.size, text="excerpt"
    )
    return make_outgoing(message, (raw,))


def only_left(outgoing: Outgoing, address: str) -> Outgoing:
    """The same message for one recipient who is left."""
    return replace(outgoing, recipients=(Recipient(address=address, kind=Kind.TO),))
