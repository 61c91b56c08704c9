"""Resend: one JSON request, a real idempotency key, its own schedule, one status for the whole message.

Quirks (https://resend.com/docs/api-reference):

* Tags have a name and a value of letters, digits, ``_`` and ``-``; a tag without a value goes out as ``true``.
* The subject is required even with a template, and a template excludes text and HTML.
* Keys live 24 h. The same key with another body is refused (409 ``invalid_idempotent_request``): an earlier request
  was taken, so the outcome is uncertain, as it is with ``concurrent_idempotent_requests`` while the first is under way.
* A key that may only send is refused everywhere else (401 ``restricted_api_key``): status, cancel and identities can't
  be had with it.
* ``last_event`` is the newest event of any recipient: with several recipients it is told for all, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import Field

from tui_mailer.domain.errors import NotAuthorized, Rejected, Unsupported
from tui_mailer.domain.message import Attachment
from tui_mailer.domain.submission import Kind, Receipt, RecipientStatus
from tui_mailer.providers import mail_part
from tui_mailer.providers.base import Capabilities, Identity, Outgoing, PolledStatus, Template
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.http_answer import Answer, words_of
from tui_mailer.providers.http_body import File, Json
from tui_mailer.providers.http_error import Verdict
from tui_mailer.providers.http_message import options_of
from tui_mailer.providers.http_settings import HttpOptions, HttpSettings
from tui_mailer.providers.http_status import polled_alike
from tui_mailer.providers.http_step import HttpStep, path_part
from tui_mailer.providers.polled import id_to_cancel

_NAME = "Resend"
_BAD_KEY = frozenset({"invalid_api_key", "missing_api_key"})
_SENDING_ONLY = "restricted_api_key"
_STATUSES = {
    "queued": RecipientStatus.ACCEPTED,
    "scheduled": RecipientStatus.PENDING,
    "sent": RecipientStatus.ACCEPTED,
    "delivery_delayed": RecipientStatus.DEFERRED,
    "delivered": RecipientStatus.DELIVERED,
    "opened": RecipientStatus.DELIVERED,
    "clicked": RecipientStatus.DELIVERED,
    "bounced": RecipientStatus.BOUNCED,
    "complained": RecipientStatus.COMPLAINED,
    "failed": RecipientStatus.REJECTED,
    "suppressed": RecipientStatus.REJECTED,
    "canceled": RecipientStatus.REJECTED,
}


class ResendSettings(HttpSettings):
    """An account's settings."""


class ResendOptions(HttpOptions):
    """A message's options."""

    topic_id: str | None = Field(
        default=None, min_length=1, description="The topic: contacts who opted out of it don't get the message."
    )


def mail(outgoing: Outgoing, options: ResendOptions) -> dict[str, Any]:
    """Makes the body of ``POST /emails``; raises `Unsupported`."""
    message = outgoing.message
    body: dict[str, Any] = {
        "from": str(message.sender),
        "to": [str(one) for one in mail_part.addressed(outgoing, Kind.TO)],
        "subject": message.subject,
    }
    for key, addresses in (
        ("cc", mail_part.addressed(outgoing, Kind.CC)),
        ("bcc", mail_part.addressed(outgoing, Kind.BCC)),
        ("reply_to", message.reply_to),
    ):
        if addresses:
            body[key] = [str(one) for one in addresses]
    body |= _content(outgoing)
    if headers := mail_part.header_pairs(message, _NAME):
        body["headers"] = dict(headers)
    if outgoing.not_before is not None:
        body["scheduled_at"] = mail_part.utc_text(outgoing.not_before)
    if message.attachments:
        body["attachments"] = [_attachment(one) for one in message.attachments]
    if tags := mail_part.tag_pairs(message, _NAME):
        body["tags"] = [{"name": name, "value": value} for name, value in tags]
    if options.topic_id is not None:
        body["topic_id"] = options.topic_id
    return body


def _content(outgoing: Outgoing) -> dict[str, Any]:
    message = outgoing.message
    if message.template is None:
        return {key: body for key, body in (("html", message.html), ("text", message.text)) if body}
    if not message.subject:
        raise Unsupported("subject", "Resend wants a subject even with a template.", "Fill in Subject.")
    template: dict[str, Any] = {"id": message.template}
    if message.variables:
        template["variables"] = dict(message.variables)
    return {"template": template}


def _attachment(attachment: Attachment) -> dict[str, Any]:
    where = {"path": attachment.url} if attachment.url is not None else {"content": File(attachment)}
    described: dict[str, Any] = {"filename": attachment.name, **where, "content_type": attachment.media_type}
    if attachment.content_id is not None:
        described["content_id"] = attachment.content_id
    return described


class ResendProvider(HttpProvider[ResendSettings]):
    """Sends by ``POST /emails``."""

    name = "resend"
    title = _NAME
    Settings = ResendSettings
    Options = ResendOptions
    default_base_url = "https://api.resend.com"
    idempotency_header = "Idempotency-Key"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            needs_to=True,
            max_to=50,
            needs_body=True,
            reserved_headers=mail_part.SERVICE_HEADERS,
            attachments="both",
            max_size=40_000_000,
            schedule_min=timedelta(minutes=1),
            schedule_max=timedelta(days=30),
            cancel_scheduled=True,
            tags=None,
            tag_pattern=r"[A-Za-z0-9_-]+",
            max_tag=256,
            tag_values=True,
            templates=True,
            idempotency="key",
            idempotency_lifetime=timedelta(hours=24),
            status_polling=True,
        )

    def authorization(self, secret: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {secret}"}

    def steps(self, outgoing: Outgoing) -> tuple[HttpStep, ...]:
        body = Json(mail(outgoing, options_of(outgoing, ResendOptions)))
        return (HttpStep(path="/emails", body=body, causes_sending=True),)

    def receipt(self, outgoing: Outgoing, answers: Mapping[str, Answer]) -> Receipt:
        answer = answers["send"]
        return self.accepted(outgoing, answer, provider_id=answer.word("id"), text="accepted")

    def judge(self, answer: Answer) -> Verdict | None:
        """Tells the message's trouble from the account's by the error's name (see the module)."""
        if answer.status == 409:
            return Verdict.UNCERTAIN
        if answer.status == 403 and answer.word("name") == "validation_error":
            return Verdict.REJECTED
        return None

    def refuses_secret(self, answer: Answer) -> bool:
        return answer.word("name") in _BAD_KEY or super().refuses_secret(answer)

    def words(self, answer: Answer) -> str:
        said, name = words_of(answer), answer.word("name")
        return f"{said} ({name})" if name else said

    async def check(self) -> list[Identity]:
        try:
            answer = await self.ask(HttpStep(method="GET", path="/domains"))
        except NotAuthorized as error:
            if _SENDING_ONLY not in str(error):
                raise
            detail = "this key may only send: the domains can't be listed"
            return [Identity(address=one.addr_spec, detail=detail) for one in self.account.identities]
        return [
            Identity(address=f"*@{row.word('name')}", detail=row.word("status"))
            for row in answer.rows("data")
            if row.word("name")
        ]

    async def status(self, receipt: Receipt) -> list[PolledStatus]:
        if not receipt.provider_id:
            return []
        step = HttpStep(method="GET", path=f"/emails/{path_part(receipt.provider_id)}")
        word = (await self.ask(step)).word("last_event")
        shared = "told for the whole message" if len(receipt.recipients) > 1 else ""
        return polled_alike(receipt, word, _STATUSES, detail=shared)

    async def list_templates(self) -> list[Template]:
        """Lists the published templates, by alias where there is one."""
        answer = await self.ask(HttpStep(method="GET", path="/templates", query={"limit": "100"}))
        return [
            Template(id=row.word("alias") or row.word("id"), name=row.word("name"))
            for row in answer.rows("data")
            if row.word("status") == "published"
        ]

    async def cancel(self, receipt: Receipt) -> None:
        """Takes it back; an earlier yes that never arrived is found in the message itself."""
        path = f"/emails/{path_part(id_to_cancel(receipt, _NAME))}"
        refused = frozenset({400, 404, 409, 422})
        answer = await self.ask(HttpStep(path=f"{path}/cancel", accepts=refused))
        if answer.is_success:
            return
        found = await self.ask(HttpStep(method="GET", path=path, accepts=refused))
        if found.word("last_event") != "canceled":
            raise Rejected(f"Resend can't take it back any more: {self.words(answer)}")
