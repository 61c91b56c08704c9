"""SendGrid (v3 Mail Send): everything in one JSON request, a schedule of up to 72 hours, an empty answer.

Quirks (https://www.twilio.com/docs/sendgrid/api-reference/mail-send):

* ``text/plain`` stands before ``text/html``; no part, subject (but with a template) or file may be empty.
* The answer is 202 without a body; the id is in ``X-Message-Id``. In sandbox mode it is 200 and there is no id.
* A scheduled message can be taken back by its batch only, so a ``batch_id`` is asked for before the mail is sent.
  Within ten minutes of its time a cancellation isn't guaranteed.
* ``custom_args`` stand in the personalization (strings): the spec has another type for them beside it.
* No idempotency: what broke after the body is uncertain.
* The status needs the Email Activity add-on; without it there is nothing to tell, which is no error.
* Tracking is the account's habit, so it is switched off in every request unless it is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import NotAuthorized, OutcomeUncertain, Rejected, Unsupported
from tui_mailer.domain.message import Attachment, Message
from tui_mailer.domain.submission import Kind, Receipt, RecipientStatus
from tui_mailer.providers import mail_part
from tui_mailer.providers.base import Capabilities, Identity, Outgoing, PolledStatus, Template
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.http_answer import LONGEST_ID, Answer
from tui_mailer.providers.http_body import Blank, File, Json
from tui_mailer.providers.http_error import Verdict
from tui_mailer.providers.http_message import options_of
from tui_mailer.providers.http_settings import HttpOptions, HttpSettings
from tui_mailer.providers.http_status import instant_of, polled
from tui_mailer.providers.http_step import HttpStep, path_part
from tui_mailer.providers.polled import first_word, newest

_NAME = "SendGrid"
_RESERVED = mail_part.SERVICE_HEADERS | {"x-sg-id", "x-sg-eid", "content-type", "content-transfer-encoding"}
_MOST_ARGUMENTS = 10_000
"""Bytes of ``custom_args`` and of ``substitutions``."""
_SURELY_CANCELED_SECONDS = 600
_MOST_RECIPIENTS = 1000
_STATUSES = {
    "processed": RecipientStatus.ACCEPTED,
    "processing": RecipientStatus.ACCEPTED,
    "deferred": RecipientStatus.DEFERRED,
    "delivered": RecipientStatus.DELIVERED,
    "open": RecipientStatus.DELIVERED,
    "click": RecipientStatus.DELIVERED,
    "not_delivered": RecipientStatus.BOUNCED,
    "bounce": RecipientStatus.BOUNCED,
    "bounced": RecipientStatus.BOUNCED,
    "blocked": RecipientStatus.BOUNCED,
    "dropped": RecipientStatus.REJECTED,
    "spamreport": RecipientStatus.COMPLAINED,
    "spam_report": RecipientStatus.COMPLAINED,
}


class SendGridSettings(HttpSettings):
    """An account's settings."""

    region: Literal["global", "eu"] = Field(
        default="global", description="Where the account's subuser lives: global, or eu (api.eu.sendgrid.com)."
    )


class SendGridOptions(HttpOptions):
    """A message's options."""

    sandbox_mode: bool = Field(default=False, description="Only check the request: nothing is delivered.")
    click_tracking: bool = Field(default=False, description="Rewrite links to count clicks.")
    open_tracking: bool = Field(default=False, description="Add an invisible image to count openings.")
    subscription_tracking: bool | None = Field(
        default=None, description="Append an unsubscribe link, or don't; left out: as the account does."
    )
    asm_group_id: int | None = Field(default=None, description="The unsubscribe group the message belongs to.")
    ip_pool_name: str | None = Field(
        default=None, min_length=2, max_length=64, description="The pool of dedicated IP addresses to send from."
    )


def mail(outgoing: Outgoing, options: SendGridOptions) -> dict[str, Any]:
    """Makes the body of ``POST /v3/mail/send``; raises `Unsupported`."""
    message = outgoing.message
    body: dict[str, Any] = {"personalizations": [_envelope(outgoing)], "from": _mailbox(message.sender)}
    if len(message.reply_to) == 1:
        body["reply_to"] = _mailbox(message.reply_to[0])
    elif message.reply_to:
        body["reply_to_list"] = [_mailbox(one) for one in message.reply_to]
    body |= _content(message)
    if message.attachments:
        mail_part.require_filled(message.attachments, _NAME)
        body["attachments"] = [_attachment(one) for one in message.attachments]
    if headers := mail_part.header_pairs(message, _NAME):
        body["headers"] = dict(headers)
    if categories := mail_part.tag_words(message):
        body["categories"] = categories
    if outgoing.not_before is not None:
        body["send_at"] = int(outgoing.not_before.timestamp())
        body["batch_id"] = Blank("batch.batch_id")
    return body | _settings(options)


def _envelope(outgoing: Outgoing) -> dict[str, Any]:
    message = outgoing.message
    envelope: dict[str, Any] = {"to": [_mailbox(one) for one in mail_part.addressed(outgoing, Kind.TO)]}
    for key, kind in (("cc", Kind.CC), ("bcc", Kind.BCC)):
        if addresses := mail_part.addressed(outgoing, kind):
            envelope[key] = [_mailbox(one) for one in addresses]
    if message.metadata:
        envelope["custom_args"] = dict(message.metadata)
    if message.template is not None and message.variables:
        is_dynamic = message.template.startswith("d-")
        key = "dynamic_template_data" if is_dynamic else "substitutions"
        variables = dict(message.variables)
        envelope[key] = variables if is_dynamic else _substitutions(variables)
    return envelope


def _substitutions(variables: dict[str, str]) -> dict[str, str]:
    if sum(len(f"{key}{value}".encode()) for key, value in variables.items()) > _MOST_ARGUMENTS:
        raise Unsupported("variables", "SendGrid takes 10,000 bytes of variables (--var).", "Shorten them.")
    return variables


def _content(message: Message) -> dict[str, Any]:
    subject = {"subject": message.subject} if message.subject else {}
    if message.template is not None:
        return {**subject, "template_id": message.template}
    parts = (("text/plain", message.text), ("text/html", message.html))
    return {**subject, "content": [{"type": kind, "value": text} for kind, text in parts if text]}


def _mailbox(address: Address) -> dict[str, str]:
    named = {"name": address.display_name} if address.display_name else {}
    return {"email": address.addr_spec, **named}


def _attachment(attachment: Attachment) -> dict[str, Any]:
    described = {"content": File(attachment), "type": attachment.media_type, "filename": attachment.name}
    if attachment.content_id is None:
        return {**described, "disposition": "attachment"}
    return {**described, "disposition": "inline", "content_id": attachment.content_id}


def _settings(options: SendGridOptions) -> dict[str, Any]:
    tracking: dict[str, Any] = {
        "click_tracking": {"enable": options.click_tracking, "enable_text": False},
        "open_tracking": {"enable": options.open_tracking},
    }
    if options.subscription_tracking is not None:
        tracking["subscription_tracking"] = {"enable": options.subscription_tracking}
    settings: dict[str, Any] = {"tracking_settings": tracking}
    if options.sandbox_mode:
        settings["mail_settings"] = {"sandbox_mode": {"enable": True}}
    if options.asm_group_id is not None:
        settings["asm"] = {"group_id": options.asm_group_id}
    if options.ip_pool_name is not None:
        settings["ip_pool_name"] = options.ip_pool_name
    return settings


class SendGridProvider(HttpProvider[SendGridSettings]):
    """Sends by ``POST /v3/mail/send``, a scheduled message in a batch of its own."""

    name = "sendgrid"
    title = _NAME
    Settings = SendGridSettings
    Options = SendGridOptions
    prefix = "/v3"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            needs_to=True,
            max_recipients=_MOST_RECIPIENTS,
            needs_subject=True,
            needs_body=True,
            reserved_headers=_RESERVED,
            max_size=30_000_000,
            schedule_min=timedelta(minutes=1),
            schedule_max=timedelta(hours=72),
            cancel_scheduled=True,
            tags=10,
            tag_values=True,
            max_tag=127,
            metadata=True,
            max_metadata_size=_MOST_ARGUMENTS,
            templates=True,
            status_polling=True,
        )

    @property
    def default_base_url(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # by the account's region
        return "https://api.eu.sendgrid.com" if self.settings.region == "eu" else "https://api.sendgrid.com"

    def authorization(self, secret: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {secret}"}

    def steps(self, outgoing: Outgoing) -> tuple[HttpStep, ...]:
        body = Json(mail(outgoing, options_of(outgoing, SendGridOptions)))
        send = HttpStep(path="/mail/send", body=body, causes_sending=True, needs_json=False)
        if outgoing.not_before is None:
            return (send,)
        return (HttpStep(name="batch", path="/mail/batch"), send)

    def receipt(self, outgoing: Outgoing, answers: Mapping[str, Answer]) -> Receipt:
        answer = answers["send"]
        message_id = answer.headers.get("x-message-id", "")[:LONGEST_ID]
        if answer.status != 202 and not options_of(outgoing, SendGridOptions).sandbox_mode:
            raise OutcomeUncertain(
                f"SendGrid answered {answer.status}, as in its sandbox, which wasn't asked for.", code=answer.status
            )
        text = "accepted" if answer.status == 202 else "checked in the sandbox, delivered to nobody"
        receipt = self.accepted(outgoing, answer, provider_id=message_id, text=text)
        if outgoing.not_before is None or "batch" not in answers:
            return receipt
        note = {
            "batch_id": answers["batch"].word("batch_id"),
            "send_at": str(int(outgoing.not_before.timestamp())),
        }
        return replace(receipt, note=note)

    async def check(self) -> list[Identity]:
        scopes = (await self.ask(HttpStep(method="GET", path="/scopes"))).value("scopes")
        if not isinstance(scopes, list) or "mail.send" not in scopes:
            raise NotAuthorized("SendGrid knows the key, but it may not send mail: give it the scope mail.send.")
        step = HttpStep(method="GET", path="/verified_senders", accepts=frozenset({401, 403, 404}))
        senders = (await self.ask(step)).rows("results")
        if not senders:
            return [Identity(address=one.addr_spec, detail="as configured") for one in self.account.identities]
        return [
            Identity(
                address=row.word("from_email"), detail="verified" if row.value("verified") is True else "not verified"
            )
            for row in senders
            if row.word("from_email")
        ]

    def judge(self, answer: Answer) -> Verdict | None:
        """A sender that isn't verified is the message's trouble, not the key's."""
        is_sender = answer.status == 403 and answer.word("errors[0].field") == "from"
        return Verdict.REJECTED if is_sender else None

    async def status(self, receipt: Receipt) -> list[PolledStatus]:
        if not receipt.provider_id:
            return []
        rows = [await self._ask_activity(HttpStep(method="GET", path=f"/messages/{path_part(receipt.provider_id)}"))]
        if rows[0].status == 404:
            # The activity's ids go on where the answer's ends, one for each recipient.
            query = {"limit": str(_MOST_RECIPIENTS), "query": f"msg_id LIKE '{receipt.provider_id}%'"}
            found = await self._ask_activity(HttpStep(method="GET", path="/messages", query=query))
            rows = found.rows("messages")
        told = [_polled(row) for row in rows if row.is_success and row.word("status")]
        if not told and await self._is_batch_canceled(receipt):
            is_due = float(receipt.note.get("send_at") or 0) <= datetime.now(UTC).timestamp()
            status = RecipientStatus.UNKNOWN if is_due else RecipientStatus.PENDING
            told = [
                PolledStatus(address="", status=status, detail="canceled, but SendGrid doesn't say whether in time")
            ]
        return newest(told, receipt)

    async def _is_batch_canceled(self, receipt: Receipt) -> bool:
        if not (batch_id := receipt.note.get("batch_id")):
            return False
        path = f"/user/scheduled_sends/{path_part(batch_id)}"
        answer = await self.ask(HttpStep(method="GET", path=path, accepts=frozenset({400, 403, 404})))
        return any(row.word("status") == "cancel" for row in answer.rows())

    async def _ask_activity(self, step: HttpStep) -> Answer:
        """Asks a page that needs the Email Activity add-on: without it there is none for this key."""
        return await self.ask(replace(step, accepts=frozenset({401, 403, 404})))

    async def list_templates(self) -> list[Template]:
        """Lists the first 200 templates, dynamic ones and older."""
        query = {"generations": "legacy,dynamic", "page_size": "200"}
        answer = await self.ask(HttpStep(method="GET", path="/templates", query=query))
        rows = answer.rows("result") or answer.rows("templates")
        return [Template(id=row.word("id"), name=row.word("name")) for row in rows if row.word("id")]

    async def cancel(self, receipt: Receipt) -> None:
        batch_id = receipt.note.get("batch_id")
        if not batch_id:
            raise Rejected("SendGrid takes a message back by its batch only, and this one has none.")
        body = Json({"batch_id": batch_id, "status": "cancel"})
        step = HttpStep(path="/user/scheduled_sends", body=body, accepts=frozenset({400, 404}))
        answer = await self.ask(step)
        if not answer.is_success and not await self._is_batch_canceled(receipt):
            raise Rejected(f"SendGrid can't take it back: {self.words(answer)}")
        left = float(receipt.note.get("send_at") or 0) - datetime.now(UTC).timestamp()
        if left < _SURELY_CANCELED_SECONDS:
            raise OutcomeUncertain(
                "SendGrid took the cancellation less than ten minutes before the message's time: it may still go out."
            )


def _polled(row: Answer) -> PolledStatus:
    events = row.rows("events")
    address = first_word(row, ("to_email", "to_email[0]"))
    at = instant_of(row.word("last_event_time"))
    return polled(address, row.word("status"), _STATUSES, detail=events[-1].word("reason") if events else "", at=at)
