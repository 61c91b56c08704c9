"""Mailjet (Send API v3.1): a list of one message, errors per message within a 200, an id per recipient.

Quirks (https://dev.mailjet.com/email/guides/send-api-v31/):

* HTTP Basic: the user is the account's ``api_key`` (public), the credential is the private key.
* A refused message is ``Status: error`` with its ``Errors``, whether the answer is 200 or 4xx.
* Every recipient has a message of its own with its own ``MessageID``, by which its status is asked.
* One tag, as ``CustomID``; metadata as one JSON string, ``EventPayload``. One Reply-To. 15 MB, 50 recipients.
* A template's id is a number; variables are filled in only with ``TemplateLanguage``.
* ``SandboxMode`` checks the request and sends nothing. No schedule, no idempotency.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import OutcomeUncertain
from tui_mailer.domain.message import Attachment, Message
from tui_mailer.domain.submission import Kind, Receipt, RecipientStatus
from tui_mailer.providers import mail_part
from tui_mailer.providers.base import Capabilities, Identity, Outgoing, PolledStatus, Template
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.http_answer import Answer, words_of
from tui_mailer.providers.http_body import File, Json
from tui_mailer.providers.http_error import Verdict
from tui_mailer.providers.http_message import options_of
from tui_mailer.providers.http_settings import HttpOptions, HttpSettings
from tui_mailer.providers.http_status import instant_of, polled
from tui_mailer.providers.http_step import HttpStep, path_part
from tui_mailer.providers.polled import first_word, newest

_NAME = "Mailjet"
_RESERVED = mail_part.SERVICE_HEADERS | {"domainkey-status", "received-spf", "feedback-id", "x-feedback-id"}
_RESERVED_BEGINNINGS = ("x-mailjet-", "x-mj-")
_STATUSES = {
    "unknown": RecipientStatus.ACCEPTED,
    "queued": RecipientStatus.ACCEPTED,
    "sent": RecipientStatus.DELIVERED,
    "opened": RecipientStatus.DELIVERED,
    "clicked": RecipientStatus.DELIVERED,
    "unsub": RecipientStatus.DELIVERED,
    "deferred": RecipientStatus.DEFERRED,
    "bounce": RecipientStatus.BOUNCED,
    "hardbounced": RecipientStatus.BOUNCED,
    "softbounced": RecipientStatus.BOUNCED,
    "blocked": RecipientStatus.REJECTED,
    "spam": RecipientStatus.COMPLAINED,
}
"""``sent`` is Mailjet's word for what the receiving server has taken."""
_GOOD_NEWS = frozenset({RecipientStatus.ACCEPTED, RecipientStatus.DELIVERED})

Tracking = Literal["account_default", "disabled", "enabled"]


class MailjetSettings(HttpSettings):
    """An account's settings."""

    api_key: str = Field(
        pattern=r"^[!-9;-~]+$", description="The public API key; the credential is the private (secret) one."
    )


class MailjetOptions(HttpOptions):
    """A message's options."""

    sandbox_mode: bool = Field(default=False, description="Only check the request: nothing is delivered.")
    custom_campaign: str | None = Field(
        default=None, min_length=1, description="The campaign whose statistics the message counts in."
    )
    track_opens: Tracking | None = Field(default=None, description="Count openings; left out: as the account does.")
    track_clicks: Tracking | None = Field(default=None, description="Count clicks; left out: as the account does.")


def mail(outgoing: Outgoing, options: MailjetOptions) -> dict[str, Any]:
    """Makes the body of ``POST /v3.1/send``; raises `Unsupported`."""
    message = outgoing.message
    one: dict[str, Any] = {
        "From": _mailbox(message.sender),
        "To": [_mailbox(address) for address in mail_part.addressed(outgoing, Kind.TO)],
    }
    for key, kind in (("Cc", Kind.CC), ("Bcc", Kind.BCC)):
        if addresses := mail_part.addressed(outgoing, kind):
            one[key] = [_mailbox(address) for address in addresses]
    if message.reply_to:
        one["ReplyTo"] = _mailbox(message.reply_to[0])
    one |= _content(message) | _attachments(message)
    if headers := mail_part.header_pairs(message, _NAME, _RESERVED_BEGINNINGS):
        one["Headers"] = dict(headers)
    if words := mail_part.tag_words(message):
        one["CustomID"] = words[0]
    if message.metadata:
        one["EventPayload"] = json.dumps(dict(message.metadata), ensure_ascii=False)
    chosen = (
        ("CustomCampaign", options.custom_campaign),
        ("TrackOpens", options.track_opens),
        ("TrackClicks", options.track_clicks),
    )
    one |= {key: value for key, value in chosen if value is not None}
    return {"Messages": [one], **({"SandboxMode": True} if options.sandbox_mode else {})}


def _content(message: Message) -> dict[str, Any]:
    subject = {"Subject": message.subject} if message.subject or message.template is None else {}
    if message.template is None:
        parts = (("TextPart", message.text), ("HTMLPart", message.html))
        return {**subject, **{key: text for key, text in parts if text}}
    filled = {"TemplateLanguage": True, "Variables": dict(message.variables)} if message.variables else {}
    return {**subject, "TemplateID": mail_part.template_number(message.template, _NAME), **filled}


def _attachments(message: Message) -> dict[str, Any]:
    lists: dict[str, Any] = {}
    for attachment in message.attachments:
        key = "Attachments" if attachment.content_id is None else "InlinedAttachments"
        lists.setdefault(key, []).append(_attachment(attachment))
    return lists


def _attachment(attachment: Attachment) -> dict[str, Any]:
    described = {
        "ContentType": attachment.media_type,
        "Filename": attachment.name,
        "Base64Content": File(attachment),
    }
    return described if attachment.content_id is None else {**described, "ContentID": attachment.content_id}


def _mailbox(address: Address) -> dict[str, str]:
    named = {"Name": address.display_name} if address.display_name else {}
    return {"Email": address.addr_spec, **named}


class MailjetProvider(HttpProvider[MailjetSettings]):
    """Sends by ``POST /v3.1/send``."""

    name = "mailjet"
    title = _NAME
    Settings = MailjetSettings
    Options = MailjetOptions
    default_base_url = "https://api.mailjet.com"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            needs_to=True,
            max_recipients=50,
            max_reply_to=1,
            needs_body=True,
            reserved_headers=_RESERVED,
            max_size=15_000_000,
            tags=1,
            tag_values=True,
            metadata=True,
            templates=True,
            status_polling=True,
        )

    def authorization(self, secret: str) -> Mapping[str, str]:
        return {"Authorization": f"Basic {b64encode(f'{self.settings.api_key}:{secret}'.encode()).decode()}"}

    def steps(self, outgoing: Outgoing) -> tuple[HttpStep, ...]:
        body = Json(mail(outgoing, options_of(outgoing, MailjetOptions)))
        return (HttpStep(path="/v3.1/send", body=body, causes_sending=True),)

    def judge(self, answer: Answer) -> Verdict | None:
        """Reads the one message's own status: an error may come with 200."""
        if answer.is_success and answer.word("Messages[0].Status").lower() == "error":
            return Verdict.REJECTED
        return None

    def words(self, answer: Answer) -> str:
        problems = answer.rows("Messages[0].Errors")
        told = [_explained(one) for one in problems]
        return "; ".join(told) if told else words_of(answer, ("ErrorMessage",))

    def receipt(self, outgoing: Outgoing, answers: Mapping[str, Answer]) -> Receipt:
        answer = answers["send"]
        if answer.word("Messages[0].Status").lower() != "success":
            raise OutcomeUncertain(f"Mailjet answered {answer.status} without saying what became of the message.")
        rows = [row for kind in ("To", "Cc", "Bcc") for row in answer.rows(f"Messages[0].{kind}")]
        ids = {row.word("Email").lower(): row.word("MessageID") for row in rows}
        by_address = {one.address: ids.get(one.address.lower(), "") for one in outgoing.recipients}
        known = {address: message_id for address, message_id in by_address.items() if message_id not in ("", "0")}
        receipt = self.accepted(outgoing, answer, provider_id=next(iter(known.values()), ""), text="success")
        return replace(receipt, note=known)

    async def check(self) -> list[Identity]:
        answer = await self.ask(HttpStep(method="GET", path="/v3/REST/sender", query={"Limit": "1000"}))
        return [
            Identity(address=row.word("Email"), detail=row.word("Status"))
            for row in answer.rows("Data")
            if row.word("Email") and row.word("Status").lower() != "deleted"
        ]

    async def status(self, receipt: Receipt) -> list[PolledStatus]:
        events: list[PolledStatus] = []
        for address, message_id in receipt.note.items():
            answer = await self.ask(HttpStep(method="GET", path=f"/v3/REST/message/{path_part(message_id)}"))
            if rows := answer.rows("Data"):
                events.append(await self._told(address, message_id, rows[0]))
        return newest(events, receipt)

    async def _told(self, address: str, message_id: str, row: Answer) -> PolledStatus:
        """Adds why and when, which only the history knows, to a status that isn't good news."""
        word = row.word("Status")
        status = _STATUSES.get(word.lower(), RecipientStatus.UNKNOWN)
        if status in _GOOD_NEWS:
            return polled(address, word, _STATUSES)
        path = f"/v3/REST/messagehistory/{path_part(message_id)}"
        history = (await self.ask(HttpStep(method="GET", path=path, accepts=frozenset({404})))).rows("Data")
        said = next((said for one in history[::-1] if (said := first_word(one, ("Comment", "State")))), "")
        at = instant_of(history[-1].word("EventAt")) if history else None
        return polled(address, word, _STATUSES, detail=said, at=at)

    async def list_templates(self) -> list[Template]:
        """Lists the account's own templates, called by number."""
        query = {"Limit": "1000", "OwnerType": "user"}
        answer = await self.ask(HttpStep(method="GET", path="/v3/REST/template", query=query))
        return [Template(id=row.word("ID"), name=row.word("Name")) for row in answer.rows("Data")]


def _explained(problem: Answer) -> str:
    said = problem.word("ErrorMessage") or problem.word("ErrorCode")
    about = problem.word("ErrorRelatedTo[0]")
    return f"{said} [{about}]" if about else said
