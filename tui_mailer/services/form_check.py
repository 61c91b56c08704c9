"""What an account makes of a message that is still being written: what it can't carry, and how much of it is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from ulid import ULID

from tui_mailer.domain.address import Address, parse_address, parse_address_list
from tui_mailer.domain.draft import Draft, DraftAttachment
from tui_mailer.domain.errors import ConfigurationError, InvalidMessage
from tui_mailer.domain.message import Attachment, Message
from tui_mailer.domain.recurrence_word import is_repeat
from tui_mailer.domain.schedule import Schedule
from tui_mailer.providers.base import Capabilities
from tui_mailer.services.announced import announced_size
from tui_mailer.services.carrying import Carrying, due_of
from tui_mailer.services.intake import SEALED, guess_media_type
from tui_mailer.services.keeping import say_keeper
from tui_mailer.services.repeat import read_when

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from tui_mailer.accounts.configuration import Account
    from tui_mailer.services.account import ProviderDirectory
    from tui_mailer.storage.store import Store

_NO_FILE = "0" * 64


@dataclass(frozen=True, slots=True, kw_only=True)
class FormCheck:
    """Beside which field of the form what is to be said."""

    account: str
    provider: str = ""
    capabilities: Capabilities | None = None
    """None: the account itself can't be used, see ``complaints``."""
    complaints: Mapping[str, str] = field(default_factory=dict[str, str])
    """Field -> what the account can't carry of what stands there, and the way out."""
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    """Addresses in To, Cc, Bcc and Reply-To, as far as they can be read."""
    keeper: str = ""
    """Who keeps it until its time, and until when its provider would; empty without a time that can be read."""
    announced_size: int | None = None
    """Bytes of a message that the account's mail server said it takes; None: not known."""
    has_options: bool = False
    """Whether the provider takes more of a message than mail itself has: options, a template, tags, metadata."""


def check_form(
    directory: ProviderDirectory, draft: Draft, sizes: Mapping[str, int], now: datetime, store: Store | None = None
) -> FormCheck:
    """Judges what is there so far; what is missing yet isn't complained of, and no file is read.

    ``sizes``: bytes of the attachments, by source, as far as they are known.
    """
    name = draft.account or directory.configuration.default_account
    try:
        account = directory.account(name)
        capabilities = directory.capabilities(name)
    except ConfigurationError as error:
        return FormCheck(account=name, complaints={"from": str(error)})
    message = _message_so_far(draft, _sender(draft, account), sizes)
    schedule = _schedule(draft, now, directory.zone)
    due = due_of(draft, schedule, now)
    complaints: dict[str, str] = {}
    try:
        for refusal in Carrying(directory).refusals(message, account, now, due):
            complaints.setdefault(refusal.field or "", str(refusal))
    except InvalidMessage as error:
        complaints[error.field or ""] = str(error)
    announced = announced_size(store, directory, account) if store is not None else None
    counts = {key: len(getattr(message, key)) for key in ("to", "cc", "bcc", "reply_to")}
    return FormCheck(
        account=name,
        provider=account.provider,
        capabilities=capabilities,
        complaints={key: text for key, text in complaints.items() if _is_filled(draft, key)},
        counts=counts,
        keeper=say_keeper(
            capabilities,
            getattr(directory.asked(account), "title", account.provider),
            due,
            now.astimezone(directory.zone),
            is_template=bool(draft.template),
            is_repeat=is_repeat(draft.schedule),
        ),
        announced_size=announced.max_size if announced else None,
        has_options=directory.has_options(account),
    )


def _is_filled(draft: Draft, field_name: str) -> bool:
    """What isn't there can't be too much: it is asked for when the message is sent. A sender there always is."""
    if field_name == "from":
        return True
    value = getattr(draft, {"at": "schedule"}.get(field_name, field_name), "")
    return bool(value.strip() if isinstance(value, str) else value)


def _sender(draft: Draft, account: Account) -> Address:
    try:
        return parse_address(draft.sender) if draft.sender.strip() else account.identities[0]
    except InvalidMessage:
        return account.identities[0]


def _schedule(draft: Draft, now: datetime, zone: ZoneInfo) -> Schedule | None:
    try:
        return read_when(draft.schedule, now=now, zone=zone) if draft.schedule.strip() else None
    except InvalidMessage:
        return None


def _message_so_far(draft: Draft, sender: Address, sizes: Mapping[str, int]) -> Message:
    submission_id = str(ULID())
    return Message(
        id=submission_id,
        message_id=f"<{submission_id}@{sender.domain}>",
        sender=sender,
        to=_readable(draft.to),
        cc=_readable(draft.cc),
        bcc=_readable(draft.bcc),
        reply_to=_readable(draft.reply_to),
        subject=draft.subject.strip(),
        text=draft.body,
        html=draft.html,
        attachments=tuple(_attachment(one, sizes) for one in draft.attachments),
        headers=draft.headers,
        tags=draft.tags,
        metadata=dict(draft.metadata),
        template=draft.template or None,
        variables=dict(draft.variables),
    )


def _readable(text: str) -> tuple[Address, ...]:
    try:
        return parse_address_list(text)
    except InvalidMessage:
        return ()


def _attachment(wanted: DraftAttachment, sizes: Mapping[str, int]) -> Attachment:
    source = wanted.source
    name = wanted.name or source.rsplit("/", 1)[-1] or "attachment"
    media_type = wanted.media_type or guess_media_type(name)
    if source.startswith(("http://", "https://")):
        return Attachment(name=name, media_type=media_type, url=source, content_id=wanted.content_id)
    if source.startswith("ref:"):
        return Attachment(name=name, media_type=media_type, reference=source.removeprefix("ref:"))
    sha256 = source.removeprefix(SEALED) if source.startswith(SEALED) else _NO_FILE
    size = max(0, sizes.get(source, 0))
    return Attachment(name=name, media_type=media_type, size=size, sha256=sha256, content_id=wanted.content_id)
