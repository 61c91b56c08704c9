"""Bird's Channels API (once MessageBird): a message to contacts through an e-mail channel of a workspace.

Quirks:

* ``useCase`` is *marketing* unless told otherwise, which drops mail to people who have unsubscribed: here it is always
  sent, ``transactional`` by default. Link tracking, quiet hours and the like are left as Bird has them unless asked.
* From: an HTML message carries the name and the part before the @ (``emailFrom``), the domain is the channel's,
  whatever From says. A plain-text message has no place for either and leaves as the channel is set up; so does a
  template.
* To, Cc and Bcc are contacts with a type, by address or (option ``contacts``) by id. One status stands for all.
* Files are uploaded first: Bird gives a presigned form, which goes to its storage, the file last and without our key.
* An inline image is found by its file name (``cid:name``), so it gets its content id as name.
* A time less than 10 minutes ahead may be ignored and one more than 35 days ahead is refused: our outbox keeps those.
  There is no way to cancel, and no idempotency key (``reference`` is only a label).
* An answer refers to a Bird message (``reply_to``); In-Reply-To travels as a header. ``shortLinks`` is for SMS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tui_mailer.domain.address import format_address_list
from tui_mailer.domain.errors import NotAuthorized, Unsupported
from tui_mailer.domain.message import Attachment, Message
from tui_mailer.domain.submission import Kind, Receipt, RecipientStatus
from tui_mailer.providers import mail_part
from tui_mailer.providers.base import Capabilities, Identity, Outgoing, PolledStatus
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.http_answer import Answer
from tui_mailer.providers.http_body import Blank, File, FilePart, Form, Json, Spread
from tui_mailer.providers.http_message import options_of, without_empty
from tui_mailer.providers.http_settings import HttpOptions, HttpSettings
from tui_mailer.providers.http_status import instant_of, polled_alike
from tui_mailer.providers.http_step import HttpStep, path_part

_STATUSES = {
    "accepted": RecipientStatus.ACCEPTED,
    "processing": RecipientStatus.ACCEPTED,
    "scheduled": RecipientStatus.PENDING,
    "sent": RecipientStatus.ACCEPTED,
    "delivered": RecipientStatus.DELIVERED,
    "delivery_failed": RecipientStatus.BOUNCED,
    "sending_failed": RecipientStatus.REJECTED,
    "rejected": RecipientStatus.REJECTED,
    "skipped": RecipientStatus.REJECTED,
    "deleted": RecipientStatus.REJECTED,
}
_NOT_SENT = frozenset({"rejected", "sending_failed", "skipped", "deleted"})
_MISSING = 404
_MOST_PAGES = 20


class BirdChannelsSettings(HttpSettings):
    """An account's settings."""

    workspace_id: str = Field(min_length=1, description="The workspace's id (a UUID).")
    channel_id: str = Field(min_length=1, description="The e-mail channel's id (a UUID).")


class BirdContact(BaseModel):
    """Somebody Bird knows already."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1, max_length=100, description="The contact's id.")
    type: Literal["to", "cc", "bcc"] = Field(default="to", description="to, cc or bcc.")


class ReplyTo(BaseModel):
    """The Bird message that is answered."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1, description="The message's id.")
    type: Literal["message"] = Field(default="message", description="message.")
    order: int | None = Field(default=None, ge=0, description="Which part of it.")


class BirdChannelsOptions(HttpOptions):
    """A message's options."""

    use_case: Literal["transactional", "otp", "conversation", "marketing"] = Field(
        default="transactional", description="What the message is for; marketing isn't sent to who has unsubscribed."
    )
    contacts: tuple[BirdContact, ...] = Field(
        default=(), description='Contacts by id, besides To, Cc and Bcc: [{"id": "...", "type": "cc"}] or ids alone.'
    )
    reference: str | None = Field(default=None, min_length=1, description="A name of your own for the message.")
    reply_to: ReplyTo | None = Field(default=None, description="The id of the Bird message that this one answers.")
    validity: int | None = Field(default=None, ge=1, description="For how many seconds it may still be sent.")
    enable_link_tracking: bool | None = Field(default=None, description="Add tracking parameters to links.")
    ignore_quiet_hours: bool | None = Field(default=None, description="Send at once, whatever the quiet hours.")
    cap_frequency: bool | None = Field(
        default=None, description="Let the frequency cap hold it back (use_case marketing only)."
    )
    ignore_global_holdout: bool | None = Field(default=None, description="Don't ask whether somebody is held out.")
    notification: dict[str, Any] | None = Field(
        default=None, description="Where Bird reports on it: JSON in Bird's own shape."
    )
    version: str | None = Field(default=None, min_length=1, description="The template's version.")
    locale: str | None = Field(default=None, min_length=1, description="The template's language, like en.")
    parameters: tuple[dict[str, Any], ...] = Field(
        default=(), description='The template\'s typed parameters: [{"type": "string", "key": "k", "value": "v"}].'
    )
    short_links: Any = Field(default=None, exclude=True, description="Refused: for SMS, an e-mail keeps its links.")

    @field_validator("contacts", mode="before")
    @classmethod
    def _read_ids(cls, typed: object) -> object:
        """Takes an id alone, or several, for contacts in To."""
        listed: object = [typed] if isinstance(typed, str) else typed
        if not isinstance(listed, list | tuple):
            return listed
        return [{"id": one} if isinstance(one, str) else one for one in cast("list[object]", listed)]

    @field_validator("reply_to", mode="before")
    @classmethod
    def _read_id(cls, typed: object) -> object:
        return {"id": str(typed)} if isinstance(typed, str | int) else typed

    @field_validator("short_links")
    @classmethod
    def _refuse_short_links(cls, typed: object) -> None:
        if typed is not None:
            raise ValueError("short links are for SMS, an e-mail keeps its links: leave it out")

    @model_validator(mode="after")
    def _check_cap(self) -> Self:
        if self.cap_frequency and self.use_case != "marketing":
            raise ValueError("cap_frequency goes with use_case=marketing only")
        return self


class BirdChannelsProvider(HttpProvider[BirdChannelsSettings]):
    """Sends to contacts through a channel; files are uploaded on the way."""

    name: ClassVar[str] = "bird_channels"
    title = "Bird"
    Settings: ClassVar[type[BaseModel]] = BirdChannelsSettings
    Options: ClassVar[type[BaseModel]] = BirdChannelsOptions
    default_base_url = "https://api.bird.com"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            needs_body=True,
            needs_to=True,
            recipient_option="contacts",
            recipient_option_adds=True,
            display_names=False,
            sender="local_part",
            attachments="both",
            max_attachment_size=100 * 1024 * 1024,
            reserved_headers=mail_part.SERVICE_HEADERS,
            schedule_min=timedelta(minutes=10),
            schedule_max=timedelta(days=35),
            tags=10,
            templates=True,
            status_polling=True,
            effects=(
                "Bird sends from the channel's domain; of From it takes the name and the part before the @, for HTML.",
                "Bird makes a contact of somebody it doesn't know.",
            ),
        )

    def authorization(self, secret: str) -> Mapping[str, str]:
        return {"Authorization": f"AccessKey {secret}"}

    def steps(self, outgoing: Outgoing) -> tuple[HttpStep, ...]:
        """Two requests for each local file, then the message."""
        body = self._mail(outgoing, options_of(outgoing, BirdChannelsOptions))
        uploads = [
            step
            for index, attachment in enumerate(outgoing.message.attachments)
            if attachment.sha256 is not None
            for step in self._upload(index, attachment, boundary=f"tui-mailer-{outgoing.submission_id}")
        ]
        return (*uploads, HttpStep(path=f"{self._channel}/messages", body=Json(body), causes_sending=True))

    def receipt(self, outgoing: Outgoing, answers: Mapping[str, Answer]) -> Receipt:
        answer = answers["send"]
        word = answer.word("status")
        receipt = self.accepted(outgoing, answer, provider_id=answer.word("id"), text=_said(answer) or "accepted")
        if word in _NOT_SENT:
            refused = tuple(replace(one, status=RecipientStatus.REJECTED) for one in receipt.recipients)
            return replace(receipt, recipients=refused, is_handed_over=False)
        return receipt

    async def check(self) -> list[Identity]:
        """Lists the active e-mail channels; the account's must be one of them."""
        query = {"platform": "email", "status": "active", "limit": "100"}
        known: list[str] = []
        for _ in range(_MOST_PAGES):
            page = await self.ask(HttpStep(method="GET", path=f"{self._workspace}/channels", query=query))
            for channel in page.rows("results"):
                if channel.word("id") == self.settings.channel_id:
                    return self._identities(channel)
                known.append(f"{channel.word('id')} {channel.word('name')}")
            token = page.word("nextPageToken")
            if not token or token == query.get("pageToken"):
                break
            query = {**query, "pageToken": token}
        if not known:
            return self._identities(None)
        raise NotAuthorized(
            f"There is no active e-mail channel {self.settings.channel_id}. There are: {', '.join(known)}. "
            "Check channel_id."
        )

    async def status(self, receipt: Receipt) -> list[PolledStatus]:
        path = f"{self._channel}/messages/{path_part(receipt.provider_id or '')}"
        answer = await self.ask(HttpStep(method="GET", path=path))
        at = instant_of(answer.word("lastStatusAt"))
        return polled_alike(receipt, answer.word("status"), _STATUSES, detail=_why(answer), at=at)

    @property
    def _workspace(self) -> str:
        return f"/workspaces/{path_part(self.settings.workspace_id)}"

    @property
    def _channel(self) -> str:
        return f"{self._workspace}/channels/{path_part(self.settings.channel_id)}"

    def _identities(self, channel: Answer | None) -> list[Identity]:
        described = "by channel " + (f"'{channel.word('name')}'" if channel else self.settings.channel_id)
        own = channel.word("identifier") if channel else ""
        detail = f"{described} ({own})" if own else described
        return [Identity(address=one.addr_spec, detail=detail) for one in self.account.identities]

    def _upload(self, index: int, attachment: Attachment, *, boundary: str) -> tuple[HttpStep, ...]:
        """Asks for a form, in one of the two places it is to be had, and sends the file to where the form says."""
        name = f"upload[{index}]"
        wanted = Json({"contentType": attachment.media_type})
        form = Form((Spread(Blank(f"{name}.uploadFormData")), FilePart("file", File(attachment))), boundary=boundary)
        return (
            HttpStep(name=name, path=f"{self._channel}/presigned-upload", body=wanted, accepts=frozenset({_MISSING})),
            HttpStep(
                name=name,
                path=f"{self._workspace}/channel-media/presigned-upload",
                body=wanted,
                only_after=(name, _MISSING),
            ),
            HttpStep(
                name=f"file[{index}]",
                path=f"{{{name}.uploadUrl}}",
                body=form,
                is_authorized=False,
                needs_json=False,
            ),
        )

    def _mail(self, outgoing: Outgoing, options: BirdChannelsOptions) -> dict[str, Any]:
        message = outgoing.message
        attachments = [_attachment(one, index) for index, one in enumerate(message.attachments)]
        content = _template(message, options, attachments) if message.template else _body(message, options, attachments)
        given = without_empty(
            {
                "reference": options.reference,
                "tags": [word.lower() for word in mail_part.tag_words(message)],
                "replyTo": options.reply_to.model_dump(exclude_none=True) if options.reply_to else None,
                "scheduledFor": mail_part.utc_text(outgoing.not_before) if outgoing.not_before else None,
                "validity": options.validity,
                "enableLinkTracking": options.enable_link_tracking,
                "ignoreQuietHours": options.ignore_quiet_hours,
                "capFrequency": options.cap_frequency,
                "ignoreGlobalHoldout": options.ignore_global_holdout,
                "notification": options.notification,
            }
        )
        return {
            "receiver": {"contacts": _contacts(outgoing, options)},
            **content,
            "meta": {"extraInformation": {"useCase": options.use_case}},
            **given,
        }


def _contacts(outgoing: Outgoing, options: BirdChannelsOptions) -> list[dict[str, str]]:
    by_address = [
        {"identifierKey": "emailaddress", "identifierValue": address.addr_spec, **_typed(kind)}
        for kind in Kind
        for address in mail_part.addressed(outgoing, kind)
    ]
    due = {one.address for one in outgoing.recipients}
    by_id = [{"id": one.id, **_typed(Kind(one.type))} for one in options.contacts if f"id:{one.id}" in due]
    listed = [*by_address, *by_id]
    if all("type" in one for one in listed):
        mail_part.to_left(outgoing, "Bird")
    return listed


def _typed(kind: Kind) -> dict[str, str]:
    return {} if kind is Kind.TO else {"type": kind.value}


def _body(message: Message, options: BirdChannelsOptions, attachments: list[dict[str, Any]]) -> dict[str, Any]:
    if options.version or options.locale or options.parameters:
        raise Unsupported(
            "options", "version, locale and parameters belong to a template.", "Name the template, or leave them out."
        )
    kind = "html" if message.html else "text"
    sender = {"username": message.sender.local_part, "displayName": message.sender.display_name}
    metadata = without_empty(
        {
            "subject": message.subject,
            "emailFrom": without_empty(sender) if message.html else None,
            "headers": _headers(message),
        }
    )
    content = {"html": message.html, "text": message.text, "metadata": metadata, "attachments": attachments}
    return {"body": {"type": kind, kind: without_empty(content)}}


def _template(message: Message, options: BirdChannelsOptions, attachments: list[dict[str, Any]]) -> dict[str, Any]:
    mail_part.require_no_subject(message, "Bird")
    if _headers(message):
        raise Unsupported("headers", "At Bird a template has no Reply-To and no headers.", "Leave them out.")
    if not options.version or not options.locale:
        raise Unsupported(
            "options",
            "Bird wants a template's version and language.",
            "Add the options version and locale (--option locale=en).",
        )
    template = {
        "projectId": message.template,
        "version": options.version,
        "locale": options.locale,
        "variables": dict(message.variables),
        "parameters": list(options.parameters),
        "attachments": attachments,
    }
    return {"template": without_empty(template)}


def _headers(message: Message) -> dict[str, str]:
    headers = {"reply-to": format_address_list(message.reply_to)} if message.reply_to else {}
    return headers | dict(mail_part.header_pairs(message, "Bird"))


def _attachment(attachment: Attachment, index: int) -> dict[str, Any]:
    described: dict[str, Any] = {
        "mediaUrl": Blank(f"upload[{index}].mediaUrl") if attachment.sha256 is not None else attachment.url,
        "filename": attachment.content_id or attachment.name,
    }
    return {**described, "inline": True} if attachment.content_id is not None else described


def _why(answer: Answer) -> str:
    """Says why a message stands as it does: reason, details, and what failed where."""
    said = (
        answer.word("reason"),
        answer.word("details"),
        " ".join(filter(None, (answer.word("failure.code"), answer.word("failure.description")))),
        " ".join(filter(None, (answer.word("failure.source.name"), answer.word("failure.source.code")))),
    )
    return "; ".join(dict.fromkeys(filter(None, said)))


def _said(answer: Answer) -> str:
    return ": ".join(filter(None, (answer.word("status"), _why(answer))))
