"""respond.io (Developer API v2): a message to one *contact* through an e-mail channel.

Quirks:

* The recipient is a contact, found by address, id or phone. An address it doesn't know is answered 404 and nothing is
  sent: then the contact is made (``create_or_update``) and the message sent again.
* Without ``channelId`` a message leaves by the channel the contact last used, WhatsApp perhaps: it is always sent.
* The sender is the channel's; there is no HTML, no Reply-To, no header. Files go as links. An answer refers to a
  message by respond.io's own number (``reply_to_message_id``), not by Message-ID.
* ``{{$contact.name}}`` and the like in a text are filled in by respond.io, wanted or not.
* 449 means "not taken yet, send again later". There is no idempotency key.
* The status is a history: the newest entry counts. It is told of the message, so it stands for every recipient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel, Field

from tui_mailer.domain.errors import NotAuthorized
from tui_mailer.domain.message import Attachment
from tui_mailer.domain.submission import Kind, Receipt, RecipientStatus
from tui_mailer.providers.base import Capabilities, Identity, Outgoing, PolledStatus
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.http_answer import Answer
from tui_mailer.providers.http_body import Json
from tui_mailer.providers.http_error import Verdict
from tui_mailer.providers.http_message import options_of, without_empty
from tui_mailer.providers.http_settings import HttpOptions, HttpSettings
from tui_mailer.providers.http_status import instant_of, polled_alike
from tui_mailer.providers.http_step import HttpStep, path_part
from tui_mailer.providers.mail_part import addressed, to_left

_STATUSES = {
    "pending": RecipientStatus.ACCEPTED,
    "sent": RecipientStatus.ACCEPTED,
    "delivered": RecipientStatus.DELIVERED,
    "read": RecipientStatus.DELIVERED,
    "failed": RecipientStatus.REJECTED,
}
_ATTACHMENT_TYPES = ("image", "video", "audio")
_UNKNOWN_CONTACT = 404
_CONTACT = r"^(id:[1-9]\d{0,18}|phone:\+[1-9]\d{5,14}|email:[^\s@]+@[^\s@]+)$"
_CHANNEL_PAGES = 20


class RespondIoSettings(HttpSettings):
    """An account's settings."""

    channel_id: int = Field(ge=1, description="The number of the e-mail channel (respond.io: Settings, Channels).")


class RespondIoOptions(HttpOptions):
    """A message's options."""

    contact: str | None = Field(
        default=None,
        pattern=_CONTACT,
        description="Who gets it, in place of To: id:123, phone:+60121233112 or email:ada@example.org.",
    )
    reply_to_message_id: int | None = Field(
        default=None, ge=1, description="The number of the respond.io message that this one answers."
    )


class RespondIoProvider(HttpProvider[RespondIoSettings]):
    """Sends one message a contact; the channel decides who it comes from."""

    name: ClassVar[str] = "respond_io"
    title = "respond.io"
    Settings: ClassVar[type[BaseModel]] = RespondIoSettings
    Options: ClassVar[type[BaseModel]] = RespondIoOptions
    default_base_url = "https://api.respond.io"
    prefix = "/v2"
    verdicts: ClassVar[Mapping[int, Verdict]] = {449: Verdict.TRY_LATER}

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            html=False,
            needs_body=True,
            is_body_optional_with_files=True,
            needs_to=True,
            recipient_option="contact",
            max_to=1,
            display_names=False,
            sender="fixed",
            sender_name=False,
            reply_to=False,
            custom_headers=False,
            threading="provider_id",
            attachments="url",
            inline_images=False,
            status_polling=True,
            effects=(
                "respond.io sends from the channel's own address and name, and fills in {{$...}} in the text.",
                "Somebody who isn't a contact in respond.io yet becomes one.",
            ),
        )

    def authorization(self, secret: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {secret}"}

    def steps(self, outgoing: Outgoing) -> tuple[HttpStep, ...]:
        """The message; where the address is unknown, the contact and then the message again."""
        options = options_of(outgoing, RespondIoOptions)
        contact = _contact(outgoing)
        path = f"/contact/{path_part(contact)}/message"
        body = Json(self._mail(outgoing, options))
        if options.contact is not None:
            return (HttpStep(path=path, body=body, causes_sending=True),)
        unknown = ("send", _UNKNOWN_CONTACT)
        return (
            HttpStep(path=path, body=body, causes_sending=True, accepts=frozenset({_UNKNOWN_CONTACT})),
            HttpStep(
                name="contact",
                path=f"/contact/create_or_update/{path_part(contact)}",
                body=Json(_new_contact(outgoing)),
                only_after=unknown,
                needs_json=False,
            ),
            HttpStep(name="again", path=path, body=body, causes_sending=True, only_after=unknown),
        )

    def receipt(self, outgoing: Outgoing, answers: Mapping[str, Answer]) -> Receipt:
        answer = answers.get("again") or answers["send"]
        number = answer.word("messageId")
        receipt = self.accepted(outgoing, answer, provider_id=number, text=f"taken as message {number}".rstrip())
        return replace(receipt, note={"contact": _contact(outgoing)})

    async def check(self) -> list[Identity]:
        """Asks who is in the workspace, then looks for the channel: it must be an e-mail channel."""
        await self.ask(HttpStep(method="GET", path="/space/user", query={"limit": "1"}))
        channel = await self._channel()
        detail = f"by channel {self.settings.channel_id}" + (f" '{channel.word('name')}'" if channel else "")
        return [Identity(address=one.addr_spec, detail=detail) for one in self.account.identities]

    async def status(self, receipt: Receipt) -> list[PolledStatus]:
        contact = path_part(receipt.note.get("contact", ""))
        answer = await self.ask(
            HttpStep(method="GET", path=f"/contact/{contact}/message/{path_part(receipt.provider_id or '')}")
        )
        entries = answer.rows("status")
        if not entries:
            return []
        newest = max(enumerate(entries), key=_age)[1]
        return polled_alike(
            receipt,
            newest.word("value"),
            _STATUSES,
            detail=newest.word("message"),
            at=instant_of(newest.word("timestamp")),
        )

    def _mail(self, outgoing: Outgoing, options: RespondIoOptions) -> dict[str, Any]:
        message = outgoing.message
        content = without_empty(
            {
                "subject": message.subject,
                "cc": [one.addr_spec for one in addressed(outgoing, Kind.CC)],
                "bcc": [one.addr_spec for one in addressed(outgoing, Kind.BCC)],
                "replyToMessageId": options.reply_to_message_id,
                "attachments": [_attachment(one) for one in message.attachments],
            }
        )
        return {
            "channelId": self.settings.channel_id,
            "message": {"type": "email", "text": message.text or "", **content},
        }

    async def _channel(self) -> Answer | None:
        """Finds the channel in the list; None where the list can't be had. Raises `NotAuthorized` for a wrong one."""
        wanted = str(self.settings.channel_id)
        query = {"limit": "100"}
        known: list[str] = []
        for _ in range(_CHANNEL_PAGES):
            page = await self.ask(
                HttpStep(method="GET", path="/space/channel", query=query, accepts=frozenset({403, 404}))
            )
            for channel in page.rows("items"):
                is_email = "mail" in channel.word("source")
                if channel.word("id") == wanted:
                    if is_email:
                        return channel
                    raise NotAuthorized(
                        f"Channel {wanted} '{channel.word('name')}' isn't an e-mail channel ({channel.word('source')})."
                    )
                if is_email:
                    known.append(f"{channel.word('id')} {channel.word('name')}")
            cursor = _cursor(page.word("pagination.next"))
            if cursor is None or cursor == query.get("cursorId"):
                break
            query = {**query, "cursorId": cursor}
        else:
            return None
        if not known:
            return None
        raise NotAuthorized(f"There is no channel {wanted}. E-mail channels: {', '.join(known)}. Check channel_id.")


def _contact(outgoing: Outgoing) -> str:
    """Names the contact as paths do: by the option, or by the address in To."""
    named = options_of(outgoing, RespondIoOptions).contact
    return named or f"email:{to_left(outgoing, 'respond.io')[0].addr_spec}"


def _new_contact(outgoing: Outgoing) -> dict[str, object]:
    address = addressed(outgoing, Kind.TO)[0]
    first, _, last = address.display_name.partition(" ")
    return without_empty(
        {"firstName": first or address.local_part, "lastName": last.strip(), "email": address.addr_spec}
    )


def _age(entry: tuple[int, Answer]) -> tuple[datetime, int]:
    """Sorts the history by its times, and by place where they say nothing."""
    place, told = entry
    return (instant_of(told.word("timestamp")) or datetime.min.replace(tzinfo=UTC), place)


def _cursor(next_page: str) -> str | None:
    """Takes the cursor out of the URL of the next page, which is otherwise built here."""
    found = parse_qs(urlsplit(next_page).query).get("cursorId")
    return found[0] if found else None


def _attachment(attachment: Attachment) -> dict[str, str]:
    kind = attachment.media_type.partition("/")[0]
    return {
        "type": kind if kind in _ATTACHMENT_TYPES else "file",
        "url": attachment.url or "",
        "fileName": attachment.name,
    }
