"""What providers need of a message when they write it into an API's own shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import Unsupported
from tui_mailer.domain.message import Attachment
from tui_mailer.providers.base import Outgoing
from tui_mailer.providers.http_body import File

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressees:
    """Who of a message still needs it, by header."""

    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    bcc: tuple[Address, ...]


def addressees(outgoing: Outgoing) -> Addressees:
    """Sorts the recipients that still need the message; who has it already is left out."""
    due = {one.address for one in outgoing.recipients}
    message = outgoing.message

    def left(addresses: tuple[Address, ...]) -> tuple[Address, ...]:
        return tuple(one for one in addresses if one.addr_spec in due)

    return Addressees(to=left(message.to), cc=left(message.cc), bcc=left(message.bcc))


def without_empty(mapping: Mapping[str, object]) -> dict[str, object]:
    """Leaves out what is None, empty text, or an empty list or object: most APIs refuse those."""
    return {key: value for key, value in mapping.items() if value is not None and value not in ("", [], {}, ())}


def options_of(outgoing: Outgoing, model: type[M]) -> M:
    """The message's options as the provider's own model; raises `Unsupported` for one that isn't valid any more."""
    try:
        return model.model_validate(dict(outgoing.message.options))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise Unsupported("options", f"Option '{name}': {first['msg']}.", "Change it or leave it out.") from None


def mailbox(address: Address) -> str:
    """Writes ``Name <local@domain>`` (RFC 5322, the name in Unicode) for APIs that take it in one string."""
    return str(address)


def threading_headers(outgoing: Outgoing) -> dict[str, str]:
    """In-Reply-To and References, where the message is an answer."""
    message = outgoing.message
    headers: dict[str, str] = {}
    if message.in_reply_to:
        headers["In-Reply-To"] = message.in_reply_to
    if message.references:
        headers["References"] = " ".join(message.references)
    return headers


def file_of(attachment: Attachment) -> File:
    """The attachment's bytes as a leaf of a JSON document (Base64) or a part of a form."""
    return File(attachment)
