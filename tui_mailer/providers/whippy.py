"""Whippy (Public API v1): one address, one body, sent as an e-mail channel of the organisation.

Quirks:

* The sender is a channel, by its address or id. ``sender_email`` asks for another address: its own words are that the
  domain will most likely stay the channel's, and that answers to an address which isn't a Location's are lost. Empty or
  null means the channel's; an invalid one is answered 422 (and refused here before that).
* ``body`` is plain text or HTML in the same field: a message with both goes out as its HTML. A body may be missing
  where something is attached. Files go as links, without a name of their own.
* Sending makes a contact and a conversation where there are none, and may opt the contact in to channels: here never
  unless asked (``opt_in_to_all_channels`` is sent as false).
* The Messaging API knows POST only: what became of a message is looked up among the messages of its conversation.
* The rate limit tells the wait in milliseconds (``X-RateLimit-Remaining-Interval-Milliseconds``). There is no
  idempotency key and no way to cancel what is scheduled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tui_mailer.domain.address import Address, parse_address
from tui_mailer.domain.errors import InvalidAddress, NotAuthorized
from tui_mailer.domain.submission import Kind, Receipt, RecipientStatus
from tui_mailer.providers.base import Capabilities, Identity, Outgoing, PolledStatus
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.http_answer import Answer
from tui_mailer.providers.http_body import Json
from tui_mailer.providers.http_message import options_of, without_empty
from tui_mailer.providers.http_settings import HttpOptions, HttpSettings
from tui_mailer.providers.http_status import instant_of, polled_alike
from tui_mailer.providers.http_step import HttpStep, path_part
from tui_mailer.providers.mail_part import addressed, to_left, utc_text

_STATUSES = {
    "queued": RecipientStatus.ACCEPTED,
    "scheduled": RecipientStatus.PENDING,
    "pending": RecipientStatus.ACCEPTED,
    "sending": RecipientStatus.ACCEPTED,
    "sent": RecipientStatus.ACCEPTED,
    "delivered": RecipientStatus.DELIVERED,
    "read": RecipientStatus.DELIVERED,
    "opened": RecipientStatus.DELIVERED,
    "bounced": RecipientStatus.BOUNCED,
    "undelivered": RecipientStatus.BOUNCED,
    "complained": RecipientStatus.COMPLAINED,
    "failed": RecipientStatus.REJECTED,
    "rejected": RecipientStatus.REJECTED,
    "canceled": RecipientStatus.REJECTED,
}
"""The documentation names ``queued`` only: the rest is what such words mean elsewhere, unknown ones are kept."""
_CURSORS = ("next_cursor", "cursor", "meta.next_cursor", "meta.cursor", "pagination.next_cursor", "pagination.cursor")
"""Where the next page may be named: the documentation doesn't say."""
_MOST_PAGES = 40


class WhippySettings(HttpSettings):
    """An account's settings."""

    channel: str = Field(min_length=1, description="The e-mail channel that sends: its address or its id.")


class OptIn(BaseModel):
    """A channel a new contact is opted in to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1, description="The channel's id.")
    phone: str | None = Field(default=None, description="The channel's phone number.")


class WhippyOptions(HttpOptions):
    """A message's options."""

    sender_name: str | None = Field(
        default=None, description="The name recipients see; left out: the one in From, if there is any."
    )
    sender_email: str | None = Field(
        default=None,
        description="The address to send as instead of the channel's; its domain will most likely stay the channel's, "
        "and answers are lost unless a Location has this address. Empty: the channel's.",
    )
    conversation_status: Literal["open", "automated"] | None = Field(
        default=None, description="What the conversation is set to; left out: open."
    )
    opt_in_to_all_channels: bool = Field(
        default=False, description="Opts a contact made by this message in to all channels."
    )
    opt_in_to: tuple[OptIn, ...] = Field(
        default=(), description='Channels a contact made by this message is opted in to: [{"id": "..."}].'
    )

    @field_validator("sender_email")
    @classmethod
    def _check_sender_email(cls, address: str | None) -> str | None:
        if address is None or not address.strip():
            return address
        try:
            return parse_address(address).addr_spec
        except InvalidAddress as error:
            raise ValueError(f"Whippy answers 422 to such an address: {error}") from None


class WhippyProvider(HttpProvider[WhippySettings]):
    """Sends one message an address, as a channel."""

    name: ClassVar[str] = "whippy"
    title = "Whippy"
    Settings: ClassVar[type[BaseModel]] = WhippySettings
    Options: ClassVar[type[BaseModel]] = WhippyOptions
    default_base_url = "https://api.whippy.co"
    prefix = "/v1"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            one_body_only=True,
            needs_body=True,
            is_body_optional_with_files=True,
            needs_to=True,
            max_to=1,
            display_names=False,
            sender="fixed",
            max_reply_to=1,
            custom_headers=False,
            threading="none",
            attachments="url",
            inline_images=False,
            schedule_min=timedelta(minutes=1),
            status_polling=True,
            effects=(
                "Whippy makes a contact of somebody it doesn't know, and a conversation where there is none.",
                "Whippy sends as the channel: another From may get its domain, and answers to it may be lost.",
            ),
        )

    def authorization(self, secret: str) -> Mapping[str, str]:
        return {"X-WHIPPY-KEY": secret}

    def steps(self, outgoing: Outgoing) -> tuple[HttpStep, ...]:
        body = self._mail(outgoing, options_of(outgoing, WhippyOptions))
        return (HttpStep(path="/messaging/email", body=Json(body), causes_sending=True),)

    def receipt(self, outgoing: Outgoing, answers: Mapping[str, Answer]) -> Receipt:
        answer = answers["send"]
        word = answer.word("data.delivery_status") or "taken"
        receipt = self.accepted(outgoing, answer, provider_id=answer.word("data.id") or answer.word("id"), text=word)
        kept = {key: answer.word(f"data.{key}") for key in ("conversation_id", "contact_id")}
        if outgoing.not_before is not None:
            kept["schedule_at"] = utc_text(outgoing.not_before)
        return replace(receipt, note={key: value for key, value in kept.items() if value})

    async def check(self) -> list[Identity]:
        """Asks for the organisation, then looks for the channel where it is named by its id."""
        await self.ask(HttpStep(method="GET", path="/organization"))
        listed = await self.ask(HttpStep(method="GET", path="/channels", accepts=frozenset({403, 404})))
        wanted = self.settings.channel.strip()
        channels = listed.rows("data")
        found = next((one for one in channels if wanted in (one.word("id"), one.word("email"))), None)
        if found is None and channels and "@" not in wanted:
            known = ", ".join(f"{one.word('id')} {one.word('name')}" for one in channels[:20])
            raise NotAuthorized(f"There is no channel '{wanted}'. Channels: {known}. Check channel.")
        detail = f"by channel {wanted}" + (f" '{found.word('name')}'" if found else "")
        return [Identity(address=one.addr_spec, detail=detail) for one in self.account.identities]

    async def status(self, receipt: Receipt) -> list[PolledStatus]:
        """Looks the message up among those of its conversation; nothing where it isn't there yet."""
        found = await self._message(receipt.note.get("conversation_id", ""), receipt.provider_id or "")
        if found is None:
            return []
        said = next((said for key in ("error", "error_message", "failure_reason") if (said := found.word(key))), "")
        at = instant_of(found.word("updated_at"))
        due = instant_of(receipt.note.get("schedule_at", ""))
        is_waiting = due is not None and due > datetime.now(UTC)
        statuses = {**_STATUSES, "queued": RecipientStatus.PENDING} if is_waiting else _STATUSES
        return polled_alike(receipt, found.word("delivery_status"), statuses, detail=said, at=at)

    async def _message(self, conversation: str, message: str) -> Answer | None:
        """Pages through the list, oldest first; the filters go with every page."""
        if not conversation or not message:
            return None
        query = {"conversation_id": conversation}
        for _ in range(_MOST_PAGES):
            page = await self.ask(
                HttpStep(method="GET", path="/message/list", query=query, accepts=frozenset({404, 405}))
            )
            if not page.is_success:
                path = f"/conversations/{path_part(conversation)}/messages"
                page = await self.ask(HttpStep(method="GET", path=path, query={"limit": "100", "offset": "0"}))
            for found in page.rows("data"):
                if found.word("id") == message:
                    return found
            cursor = next((word for key in _CURSORS if (word := page.word(key))), "")
            if not cursor or cursor == query.get("cursor"):
                return None
            query = {**query, "cursor": cursor}
        return None

    def _mail(self, outgoing: Outgoing, options: WhippyOptions) -> dict[str, Any]:
        message = outgoing.message
        sender_name = message.sender.display_name if options.sender_name is None else options.sender_name
        sender_email = self._sender_email(message.sender) if options.sender_email is None else options.sender_email
        body = without_empty(
            {
                "to": to_left(outgoing, "Whippy")[0].addr_spec,
                "from": self.settings.channel.strip(),
                "subject": message.subject,
                "body": message.html or message.text,
                "cc": [one.addr_spec for one in addressed(outgoing, Kind.CC)],
                "bcc": [one.addr_spec for one in addressed(outgoing, Kind.BCC)],
                "attachments": [one.url for one in message.attachments],
                "reply_to": message.reply_to[0].addr_spec if message.reply_to else None,
                "sender_name": sender_name,
                "sender_email": sender_email,
                "schedule_at": utc_text(outgoing.not_before) if outgoing.not_before else None,
                "conversation_status": options.conversation_status,
                "opt_in_to": [one.model_dump(exclude_none=True) for one in options.opt_in_to],
            }
        )
        return {**body, "opt_in_to_all_channels": options.opt_in_to_all_channels}

    def _sender_email(self, sender: Address) -> str | None:
        """Names From where the channel is known to have another address; an id says nothing of its own."""
        channel = self.settings.channel.strip().casefold()
        return None if "@" not in channel or channel == sender.addr_spec.casefold() else sender.addr_spec
