"""Brevo (ex Sendinblue): one JSON request, an idempotency key among the message's headers, a schedule of 72 hours.

Quirks (https://developers.brevo.com/reference/send-transac-email):

* The idempotency key is a UUID, ``headers.idempotencyKey`` inside the body. Its life is told as 15 and as 30 minutes:
  the shorter one counts. A repeat isn't answered as before but refused (400 ``duplicate_parameter``, "already been
  processed"): that proves the first one was taken, only its id is lost.
* Own headers may not be standard ones, so answers can't be threaded.
* Inline images aren't offered. A file is sent or, by URL, fetched by Brevo.
* ``scheduledAt`` is UTC with milliseconds and may slip by five minutes.
* A template's id is a number; a subject replaces the template's.
* The id has angle brackets. Looking messages up is limited to 2 requests a second, sending to 1000.
* A 429 has ``x-sib-ratelimit-reset`` (seconds) and no Retry-After.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import Rejected
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
from tui_mailer.providers.polled import id_to_cancel, newest

_NAME = "Brevo"
_KEYS = UUID("6f0a1c52-7f0f-4d8e-9a53-0d3c1b9d5e21")
"""The namespace in which a submission's key becomes a UUID, always the same."""
_STANDARD_HEADERS = mail_part.SERVICE_HEADERS | {
    *("comments", "keywords", "auto-submitted", "importance", "priority", "precedence", "sensitivity", "expires"),
    *("organization", "disposition-notification-to", "archived-at", "autocrypt", "idempotencykey", "idempotency-key"),
}
_STANDARD_BEGINNINGS = ("list-", "resent-", "content-")
_STATUSES = {
    "requests": RecipientStatus.ACCEPTED,
    "request": RecipientStatus.ACCEPTED,
    "sent": RecipientStatus.ACCEPTED,
    "queued": RecipientStatus.PENDING,
    "inprogress": RecipientStatus.PENDING,
    "processed": RecipientStatus.ACCEPTED,
    "deferred": RecipientStatus.DEFERRED,
    "delivered": RecipientStatus.DELIVERED,
    "opened": RecipientStatus.DELIVERED,
    "uniqueopened": RecipientStatus.DELIVERED,
    "loadedbyproxy": RecipientStatus.DELIVERED,
    "clicks": RecipientStatus.DELIVERED,
    "clicked": RecipientStatus.DELIVERED,
    "click": RecipientStatus.DELIVERED,
    "unsubscribed": RecipientStatus.DELIVERED,
    "bounces": RecipientStatus.BOUNCED,
    "hardbounces": RecipientStatus.BOUNCED,
    "hardbounce": RecipientStatus.BOUNCED,
    "softbounces": RecipientStatus.BOUNCED,
    "softbounce": RecipientStatus.BOUNCED,
    "blocked": RecipientStatus.REJECTED,
    "invalid": RecipientStatus.REJECTED,
    "invalidemail": RecipientStatus.REJECTED,
    "error": RecipientStatus.REJECTED,
    "spam": RecipientStatus.COMPLAINED,
    "complaint": RecipientStatus.COMPLAINED,
}
"""By the word without ``_``, in lower case: pages differ in how they write it."""

_NOT_YET_SENT = frozenset({"queued", "inprogress", "error"})
_SECONDS_BETWEEN_LOOKUPS = 0.55
"""Brevo answers two look-ups a second."""


class BrevoSettings(HttpSettings):
    """An account's settings."""


class BrevoOptions(HttpOptions):
    """A message's options."""


def mail(outgoing: Outgoing) -> dict[str, Any]:
    """Makes the body of ``POST /smtp/email``; raises `Unsupported`."""
    message = outgoing.message
    body: dict[str, Any] = {
        "sender": _mailbox(message.sender),
        "to": [_mailbox(one) for one in mail_part.addressed(outgoing, Kind.TO)],
    }
    for key, kind in (("cc", Kind.CC), ("bcc", Kind.BCC)):
        if addresses := mail_part.addressed(outgoing, kind):
            body[key] = [_mailbox(one) for one in addresses]
    if message.reply_to:
        body["replyTo"] = _mailbox(message.reply_to[0])
    body |= _content(message)
    if message.attachments:
        mail_part.require_filled(message.attachments, _NAME)
        body["attachment"] = [_attachment(one) for one in message.attachments]
    headers = dict(mail_part.header_pairs(message, _NAME, _STANDARD_BEGINNINGS))
    if outgoing.idempotency_key:
        headers["idempotencyKey"] = str(uuid5(_KEYS, outgoing.idempotency_key))
    if headers:
        body["headers"] = headers
    if tags := mail_part.tag_words(message):
        body["tags"] = tags
    if outgoing.not_before is not None:
        body["scheduledAt"] = mail_part.utc_text(outgoing.not_before, timespec="milliseconds")
    return body


def _content(message: Message) -> dict[str, Any]:
    subject = {"subject": message.subject} if message.subject else {}
    if message.template is None:
        parts = (("htmlContent", message.html), ("textContent", message.text))
        return {**subject, **{key: text for key, text in parts if text}}
    params = {"params": dict(message.variables)} if message.variables else {}
    return {**subject, "templateId": mail_part.template_number(message.template, _NAME), **params}


def _mailbox(address: Address) -> dict[str, str]:
    named = {"name": address.display_name} if address.display_name else {}
    return {**named, "email": address.addr_spec}


def _attachment(attachment: Attachment) -> dict[str, Any]:
    if attachment.url is not None:
        return {"name": attachment.name, "url": attachment.url}
    return {"name": attachment.name, "content": File(attachment)}


class BrevoProvider(HttpProvider[BrevoSettings]):
    """Sends by ``POST /smtp/email``."""

    name = "brevo"
    title = _NAME
    Settings = BrevoSettings
    Options = BrevoOptions
    default_base_url = "https://api.brevo.com"
    prefix = "/v3"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            needs_to=True,
            max_recipients=99,
            max_reply_to=1,
            needs_subject=True,
            needs_body=True,
            reserved_headers=_STANDARD_HEADERS,
            attachments="both",
            inline_images=False,
            threading="none",
            schedule_min=timedelta(minutes=1),
            schedule_max=timedelta(hours=72),
            schedule_accuracy=timedelta(minutes=5),
            cancel_scheduled=True,
            tags=None,
            tag_values=True,
            templates=True,
            idempotency="key",
            idempotency_lifetime=timedelta(minutes=15),
            status_polling=True,
        )

    def authorization(self, secret: str) -> Mapping[str, str]:
        return {"api-key": secret}

    def steps(self, outgoing: Outgoing) -> tuple[HttpStep, ...]:
        options_of(outgoing, BrevoOptions)
        return (HttpStep(path="/smtp/email", body=Json(mail(outgoing)), causes_sending=True),)

    def judge(self, answer: Answer) -> Verdict | None:
        """Tells a repeat that came too often from a bad request, and an empty account from a bad message."""
        if answer.status == 400 and answer.word("code").startswith("duplicate_") and "idempotency" in answer.text:
            return Verdict.ACCEPTED
        return Verdict.NOT_AUTHORIZED if answer.status == 402 else None

    def words(self, answer: Answer) -> str:
        said, code = words_of(answer), answer.word("code")
        return f"{said} ({code})" if code and code not in said else said

    def receipt(self, outgoing: Outgoing, answers: Mapping[str, Answer]) -> Receipt:
        answer = answers["send"]
        text = "accepted" if answer.is_success else self.words(answer)
        return self.accepted(outgoing, answer, provider_id=answer.word("messageId"), text=text)

    async def check(self) -> list[Identity]:
        await self.ask(HttpStep(method="GET", path="/account"))
        senders = (await self.ask(HttpStep(method="GET", path="/senders"))).rows("senders")
        if not senders:
            return [Identity(address=one.addr_spec, detail="as configured") for one in self.account.identities]
        return [
            Identity(address=row.word("email"), detail="active" if row.value("active") is True else "not active")
            for row in senders
            if row.word("email")
        ]

    async def status(self, receipt: Receipt) -> list[PolledStatus]:
        if not receipt.provider_id:
            return []
        if receipt.is_handed_over:
            path = f"/smtp/emailStatus/{path_part(receipt.provider_id)}"
            answer = await self.ask(HttpStep(method="GET", path=path, accepts=frozenset({404})))
            if answer.word("status").lower() in _NOT_YET_SENT:
                return newest([_polled(answer, "", answer.word("status"))], receipt)
        query = {"messageId": receipt.provider_id}
        answer = await self.ask(HttpStep(method="GET", path="/smtp/emails", query=query))
        events: list[PolledStatus] = []
        for row in answer.rows("transactionalEmails"):
            events += await self._events(row)
        return newest(events, receipt)

    async def _events(self, row: Answer) -> list[PolledStatus]:
        """Lists what happened to one recipient's message; the list of messages itself tells no status."""
        address = row.word("email")
        if word := row.word("event") or row.word("status"):
            return [_polled(row, address, word)]
        if not row.word("uuid"):
            return [_polled(row, address, "sent")]
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKUPS)
        path = f"/smtp/emails/{path_part(row.word('uuid'))}"
        told = await self.ask(HttpStep(method="GET", path=path, accepts=frozenset({404})))
        return [_polled(event, address, event.word("name")) for event in told.rows("events")]

    async def cancel(self, receipt: Receipt) -> None:
        path = f"/smtp/email/{path_part(id_to_cancel(receipt, _NAME))}"
        step = HttpStep(method="DELETE", path=path, accepts=frozenset({400, 404}), needs_json=False)
        answer = await self.ask(step)
        if not answer.is_success:
            raise Rejected(f"Brevo can't take it back any more: {self.words(answer)}")

    async def list_templates(self) -> list[Template]:
        """Lists the active templates (`GET /smtp/templates`)."""
        query = {"templateStatus": "true", "limit": "1000", "offset": "0"}
        answer = await self.ask(HttpStep(method="GET", path="/smtp/templates", query=query))
        return [Template(id=row.word("id"), name=row.word("name")) for row in answer.rows("templates")]


def _polled(event: Answer, address: str, word: str) -> PolledStatus:
    plain = re.sub(r"[_\- ]", "", word.lower())
    at = instant_of(event.word("time") or event.word("date"))
    return polled(address, plain if plain in _STATUSES else word, _STATUSES, detail=event.word("reason"), at=at)
