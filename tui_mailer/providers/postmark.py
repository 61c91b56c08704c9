"""Postmark: addresses in one string, 50 recipients, 10 MB, error codes of its own that look like HTTP's.

Quirks (https://postmarkapp.com/developer/api/email-api):

* To, Cc and Bcc are each one string of addresses between commas; names with commas are quoted as in RFC 5322.
* An error is an ``ErrorCode`` in the body, with 422 or even with 200; its numbers collide with HTTP's (406 is an
  inactive recipient, 401 an unconfirmed sender).
* Some recipients inactive: the rest gets the mail and the answer's words name those who don't.
* A template goes to another path and brings its own subject. A number is a template's id, anything else its alias.
* One tag. No schedule, no idempotency, no word about waiting in a 429.
* The credential ``POSTMARK_API_TEST`` checks every request and sends nothing.
* Tracking is the server's habit, so it is switched off in every request unless it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from tui_mailer.domain.address import Address
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

_NAME = "Postmark"
_STATUSES = {
    "queued": RecipientStatus.ACCEPTED,
    "processed": RecipientStatus.ACCEPTED,
    "sent": RecipientStatus.ACCEPTED,
    "transient": RecipientStatus.DEFERRED,
    "delivered": RecipientStatus.DELIVERED,
    "opened": RecipientStatus.DELIVERED,
    "linkclicked": RecipientStatus.DELIVERED,
    "bounced": RecipientStatus.BOUNCED,
    "spamcomplaint": RecipientStatus.COMPLAINED,
    "subscriptionchanged": RecipientStatus.DELIVERED,
}
_ACCOUNT_CODES = frozenset({10, 405, 412, 413})
"""Bad token, out of credits, account pending, account may not send."""
_LATER_CODES = frozenset({100, 429})
"""Maintenance, too many requests."""
_FORBIDDEN_FILES = frozenset(
    {
        *("vbs", "exe", "bin", "bat", "chm", "com", "cpl", "crt", "hlp", "hta", "inf"),
        *("ins", "isp", "jse", "lnk", "mdb", "pcd", "pif", "reg", "scr", "sct", "shs"),
        *("vbe", "vba", "wsf", "wsh", "wsl", "msc", "msi", "msp", "mst"),
    }
)
_INACTIVE = re.compile(r"inactive addresses: ([^\s].*?)\.?(?:\s+Inactive|$)", re.IGNORECASE)
_REASONS = ("Details.Summary", "Details.DeliveryMessage")


class PostmarkSettings(HttpSettings):
    """An account's settings."""

    message_stream: str | None = Field(
        default=None, min_length=1, description="The stream's id; left out: the server's own (outbound)."
    )


class PostmarkOptions(HttpOptions):
    """A message's options."""

    message_stream: str | None = Field(
        default=None, min_length=1, description="The stream's id; left out: as the account says."
    )
    track_opens: bool = Field(default=False, description="Add an invisible image to count openings.")
    track_links: Literal["None", "HtmlAndText", "HtmlOnly", "TextOnly"] = Field(
        default="None", description="Rewrite links to count clicks."
    )


def mail(outgoing: Outgoing, options: PostmarkOptions, stream: str | None) -> dict[str, Any]:
    """Makes the body of ``POST /email`` or, with a template, ``/email/withTemplate``; raises `Unsupported`."""
    message = outgoing.message
    body: dict[str, Any] = {"From": str(message.sender), "To": _joined(mail_part.addressed(outgoing, Kind.TO))}
    for key, addresses in (
        ("Cc", mail_part.addressed(outgoing, Kind.CC)),
        ("Bcc", mail_part.addressed(outgoing, Kind.BCC)),
        ("ReplyTo", message.reply_to),
    ):
        if addresses:
            body[key] = _joined(addresses)
    body |= _content(message)
    if words := mail_part.tag_words(message):
        body["Tag"] = words[0]
    if message.metadata:
        body["Metadata"] = dict(message.metadata)
    if headers := mail_part.header_pairs(message, _NAME):
        body["Headers"] = [{"Name": name, "Value": value} for name, value in headers]
    if message.attachments:
        body["Attachments"] = [_attachment(one) for one in message.attachments]
    body |= {"TrackOpens": options.track_opens, "TrackLinks": options.track_links}
    chosen_stream = options.message_stream or stream
    return body | ({"MessageStream": chosen_stream} if chosen_stream else {})


def _content(message: Message) -> dict[str, Any]:
    if message.template is None:
        parts = (("HtmlBody", message.html), ("TextBody", message.text))
        return {"Subject": message.subject, **{key: text for key, text in parts if text}}
    mail_part.require_no_subject(message, _NAME)
    is_number = message.template.isascii() and message.template.isdecimal()
    which = {"TemplateId": int(message.template)} if is_number else {"TemplateAlias": message.template}
    return {**which, "TemplateModel": dict(message.variables)}


def _joined(addresses: Iterable[Address]) -> str:
    return ", ".join(map(str, addresses))


def _attachment(attachment: Attachment) -> dict[str, Any]:
    described = {"Name": attachment.name, "Content": File(attachment), "ContentType": attachment.media_type}
    if attachment.content_id is not None:
        described["ContentID"] = f"cid:{attachment.content_id}"
    return described


class PostmarkProvider(HttpProvider[PostmarkSettings]):
    """Sends by ``POST /email``, a template by ``/email/withTemplate``."""

    name = "postmark"
    title = _NAME
    Settings = PostmarkSettings
    Options = PostmarkOptions
    default_base_url = "https://api.postmarkapp.com"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            needs_to=True,
            max_recipients=50,
            needs_body=True,
            reserved_headers=mail_part.SERVICE_HEADERS,
            refused_extensions=_FORBIDDEN_FILES,
            max_size=10_000_000,
            tags=1,
            tag_values=True,
            max_tag=499,
            metadata=True,
            templates=True,
            status_polling=True,
        )

    def authorization(self, secret: str) -> Mapping[str, str]:
        return {"X-Postmark-Server-Token": secret}

    def steps(self, outgoing: Outgoing) -> tuple[HttpStep, ...]:
        body = Json(mail(outgoing, options_of(outgoing, PostmarkOptions), self.settings.message_stream))
        path = "/email" if outgoing.message.template is None else "/email/withTemplate"
        return (HttpStep(path=path, body=body, causes_sending=True),)

    def judge(self, answer: Answer) -> Verdict | None:
        """Reads ``ErrorCode`` before the status: an error may come with 200."""
        found = answer.value("ErrorCode")
        code = found if isinstance(found, int) else 0
        if code in _ACCOUNT_CODES:
            return Verdict.NOT_AUTHORIZED
        if code in _LATER_CODES:
            return Verdict.TRY_LATER
        if answer.is_success and code:
            return Verdict.REJECTED
        return None

    def words(self, answer: Answer) -> str:
        code = answer.word("ErrorCode")
        return f"{words_of(answer)} (ErrorCode {code})" if code not in ("", "0") else words_of(answer)

    def receipt(self, outgoing: Outgoing, answers: Mapping[str, Answer]) -> Receipt:
        answer = answers["send"]
        receipt = self.accepted(outgoing, answer, provider_id=answer.word("MessageID"))
        found = _INACTIVE.search(answer.word("Message"))
        inactive = {one.strip(" .").lower() for one in found[1].split(",")} if found else set[str]()
        return replace(
            receipt,
            recipients=tuple(
                replace(one, status=RecipientStatus.REJECTED, text="inactive: it bounced or complained before")
                if one.address.lower() in inactive
                else one
                for one in receipt.recipients
            ),
        )

    async def check(self) -> list[Identity]:
        server = await self.ask(HttpStep(method="GET", path="/server"))
        kind = "sandbox: delivers to nobody" if server.word("DeliveryType").lower() == "sandbox" else ""
        detail = ", ".join(filter(None, (server.word("Name"), kind)))
        return [Identity(address=one.addr_spec, detail=detail) for one in self.account.identities]

    async def status(self, receipt: Receipt) -> list[PolledStatus]:
        if not receipt.provider_id:
            return []
        path = f"/messages/outbound/{path_part(receipt.provider_id)}/details"
        details = await self.ask(HttpStep(method="GET", path=path))
        return newest(map(_polled, details.rows("MessageEvents")), receipt)

    async def list_templates(self) -> list[Template]:
        """Lists the active templates, by alias where there is one."""
        query = {"count": "300", "offset": "0", "templateType": "Standard"}
        answer = await self.ask(HttpStep(method="GET", path="/templates", query=query))
        return [
            Template(id=row.word("Alias") or row.word("TemplateId"), name=row.word("Name"))
            for row in answer.rows("Templates")
            if row.value("Active") is not False
        ]


def _polled(event: Answer) -> PolledStatus:
    return polled(
        event.word("Recipient"),
        event.word("Type"),
        _STATUSES,
        detail=first_word(event, _REASONS),
        at=instant_of(event.word("ReceivedAt")),
    )
