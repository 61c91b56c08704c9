"""Reads a mailto link (RFC 6068): only what a stranger's link may fill in; never a file, a sender or a header."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import InvalidMessage
from tui_mailer.domain.text import clean

_LISTS = ("to", "cc", "bcc")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailtoLink:
    """What a link fills in, and what of it was left out."""

    draft: Draft
    ignored: tuple[str, ...]
    """Names of fields that a link may not set, lower case, in the order they came."""


def read_mailto(url: str) -> MailtoLink:
    """Reads a link; raises `InvalidMessage` when its text isn't UTF-8."""
    path, _, query = url.partition(":")[2].partition("#")[0].partition("?")
    lists: dict[str, list[str]] = {name: [] for name in _LISTS}
    lists["to"] += [_decoded(path)] if path else []
    texts = {"subject": "", "body": "", "in-reply-to": ""}
    ignored: list[str] = []
    for item in filter(None, query.split("&")):
        key, _, value = item.partition("=")
        name = _decoded(key).lower()
        if name in lists:
            lists[name].append(_decoded(value))
        elif name in texts:
            texts[name] = _decoded(value)
        else:
            ignored.append(clean(name))
    draft = Draft(
        to=_one_line(", ".join(lists["to"])),
        cc=_one_line(", ".join(lists["cc"])),
        bcc=_one_line(", ".join(lists["bcc"])),
        subject=_one_line(texts["subject"]),
        body=clean(texts["body"], keep_newlines=True),
        in_reply_to=_one_line(texts["in-reply-to"]),
    )
    return MailtoLink(draft=draft, ignored=tuple(ignored))


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise InvalidMessage("The mailto link isn't UTF-8; nothing was filled in. Copy the address by hand.") from None


def _one_line(text: str) -> str:
    return clean(text).strip()
