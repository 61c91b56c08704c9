"""What a person writes (`Draft`): every field as typed, so that nothing is lost while it is still wrong.

Apart from `domain.message`, which the app's first frame needn't wait for; named tuples, since a dataclass of that
many fields takes three times as long to make.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

_NOTHING: Mapping[str, str] = MappingProxyType({})


class BodyFormat(StrEnum):
    """How the body text is to be read."""

    PLAIN = "plain"
    MARKDOWN = "markdown"
    """Sent as text and HTML."""


class DraftAttachment(NamedTuple):
    """An attachment as asked for: a local path, an http(s) URL, or ``ref:TYPE/ID`` of a provider's resource."""

    source: str
    name: str | None = None
    """The file name recipients see; None: the last part of the source."""
    media_type: str | None = None
    """``type/subtype``; None: guessed from the name."""
    content_id: str | None = None
    """Set for an inline image: what ``cid:`` in the HTML names."""


class Draft(NamedTuple):
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
    html_text: str | None = None
    """The body that ``html`` was given with, from when that is changed on; None: it stands as it was given."""
    attachments: tuple[DraftAttachment, ...] = ()
    typed_attachment: str = ""
    """A path or URL still being typed (one a line): attached, or refused if missing, when the draft is sent."""
    schedule: str = ""
    """WHEN as typed; empty: now."""
    in_reply_to: str = ""
    references: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str | None], ...] = ()
    metadata: Mapping[str, str] = _NOTHING
    template: str = ""
    variables: Mapping[str, str] = _NOTHING
    options: Mapping[str, str] = _NOTHING
    """Provider options as typed; JSON where their type isn't a string."""
    retries: int | None = None
    note: str = ""
    """Kept with the submission, never sent."""
    schedule_by: str = ""
    """Who keeps a scheduled message: ``provider``, ``outbox``; empty: the provider where it can, else the outbox."""

    def all_attachments(self) -> tuple[DraftAttachment, ...]:
        """Lists what is attached and what is still being typed."""
        typed = (DraftAttachment(source=one.strip()) for one in self.typed_attachment.splitlines() if one.strip())
        return (*self.attachments, *typed)

    def with_body(self, body: str) -> Draft:
        """The draft with another body; what its HTML was given with is remembered."""
        is_first_change = self.html is not None and self.html_text is None and body != self.body
        return self._replace(body=body, html_text=self.body if is_first_change else self.html_text)

    def is_html_outdated(self) -> bool:
        """Says whether the HTML still says what the body said before it was changed."""
        return self.html is not None and self.html_text is not None and self.html_text != self.body

    def is_empty(self) -> bool:
        """Says whether a person has written nothing worth keeping."""
        return (
            not (self.to or self.cc or self.bcc or self.reply_to or self.subject or self.body.strip() or self.html)
            and not self.all_attachments()
        )
