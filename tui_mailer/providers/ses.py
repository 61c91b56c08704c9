"""Amazon SES v2: every request signed (Signature Version 4), raw messages too, errors named in a header.

Quirks (https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html):

* The signature covers the SHA-256 of the body, so files are read twice: once for the digest, once to send them.
* Names in addresses are ASCII: others go out as encoded words (RFC 2047). A local part that is not ASCII is refused.
* Header values are ASCII (others: encoded words), at most 995 characters, and 15 headers a message.
* A template (``--template``) brings its own subject; variables travel as one JSON string.
* The kind of an error is in ``x-amzn-errortype``, a URL perhaps behind it. ``Raw`` carries what came through sendmail;
  SES puts its own Message-ID and Date into it.
* An account in the sandbox reaches verified addresses only: the check says so. No schedule, no idempotency.
* Statuses ("insights") need the Virtual Deliverability Manager; without it there is nothing to tell, which is no error.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from email.header import Header
from email.utils import formataddr
from typing import Any, Literal

from pydantic import Field

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import NotAuthorized, Unsupported
from tui_mailer.domain.message import Attachment, Message
from tui_mailer.domain.submission import Kind, Receipt, RecipientStatus
from tui_mailer.providers import mail_part
from tui_mailer.providers.base import Capabilities, Identity, Outgoing, PolledStatus, Template
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.http_answer import Answer, words_of
from tui_mailer.providers.http_body import File, Json
from tui_mailer.providers.http_client import Request
from tui_mailer.providers.http_error import Verdict
from tui_mailer.providers.http_message import options_of
from tui_mailer.providers.http_settings import HttpOptions, HttpSettings
from tui_mailer.providers.http_status import instant_of, polled
from tui_mailer.providers.http_step import HttpStep, path_part
from tui_mailer.providers.polled import first_word, newest
from tui_mailer.providers.ses_signature import sign

_NAME = "Amazon SES"
_MOST_HEADERS = 15
_LONGEST_HEADER = 995
_STATUSES = {
    "send": RecipientStatus.ACCEPTED,
    "delivery_delay": RecipientStatus.DEFERRED,
    "delivery": RecipientStatus.DELIVERED,
    "open": RecipientStatus.DELIVERED,
    "click": RecipientStatus.DELIVERED,
    "subscription": RecipientStatus.DELIVERED,
    "bounce": RecipientStatus.BOUNCED,
    "complaint": RecipientStatus.COMPLAINED,
    "reject": RecipientStatus.REJECTED,
    "rendering_failure": RecipientStatus.REJECTED,
}

_REASONS = ("Details.Bounce.DiagnosticCode", "Details.Bounce.BounceSubType", "Details.Complaint.ComplaintFeedbackType")
_BAD_KEYS = frozenset(
    {
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "ExpiredTokenException",
    }
)
_VERDICTS = {
    "MessageRejected": Verdict.REJECTED,
    "MailFromDomainNotVerifiedException": Verdict.REJECTED,
    "NotFoundException": Verdict.REJECTED,
    "BadRequestException": Verdict.REJECTED,
    "AccountSuspendedException": Verdict.NOT_AUTHORIZED,
    "SendingPausedException": Verdict.NOT_AUTHORIZED,
    "AccessDeniedException": Verdict.NOT_AUTHORIZED,
    "InvalidSignatureException": Verdict.NOT_AUTHORIZED,
    "SignatureDoesNotMatch": Verdict.NOT_AUTHORIZED,
    "IncompleteSignature": Verdict.NOT_AUTHORIZED,
    "InvalidClientTokenId": Verdict.NOT_AUTHORIZED,
    "UnrecognizedClientException": Verdict.NOT_AUTHORIZED,
    "ExpiredTokenException": Verdict.NOT_AUTHORIZED,
    "TooManyRequestsException": Verdict.TRY_LATER,
    "LimitExceededException": Verdict.TRY_LATER,
    "ThrottlingException": Verdict.TRY_LATER,
    "Throttling": Verdict.TRY_LATER,
}


class SesSettings(HttpSettings):
    """An account's settings."""

    region: str = Field(pattern=r"^[a-z]{2}(?:-[a-z]+)+-\d$", description="The AWS region, like eu-west-1.")
    access_key_id: str = Field(
        pattern=r"^[A-Za-z0-9]{8,128}$", description="The access key's id; its secret is the credential."
    )
    configuration_set: str | None = Field(
        default=None, min_length=1, description="The configuration set to send with; left out: the identity's own."
    )


class SesOptions(HttpOptions):
    """A message's options."""

    configuration_set_name: str | None = Field(
        default=None, min_length=1, description="The configuration set to send with; left out: as the account says."
    )
    feedback_forwarding_email_address: str | None = Field(
        default=None, min_length=3, description="Where bounces and complaints are sent; left out: as the identity says."
    )
    contact_list_name: str | None = Field(
        default=None, min_length=1, description="The contact list whose unsubscribe links are used."
    )
    topic_name: str | None = Field(default=None, min_length=1, description="The list's topic; needs contact_list_name.")
    tenant_name: str | None = Field(default=None, min_length=1, description="The tenant to send for.")
    open_tracking: Literal["ENABLED", "DISABLED"] | None = Field(
        default=None, description="Count openings, or don't; left out: as the configuration set does."
    )
    click_tracking: Literal["ENABLED", "DISABLED"] | None = Field(
        default=None, description="Count clicks, or don't; left out: as the configuration set does."
    )


def mail(outgoing: Outgoing, options: SesOptions, settings: SesSettings) -> dict[str, Any]:
    """Makes the body of ``POST /v2/email/outbound-emails``; raises `Unsupported`."""
    message = outgoing.message
    destination: dict[str, Any] = {"ToAddresses": _mailboxes(mail_part.addressed(outgoing, Kind.TO))}
    for key, kind in (("CcAddresses", Kind.CC), ("BccAddresses", Kind.BCC)):
        if addresses := mail_part.addressed(outgoing, kind):
            destination[key] = _mailboxes(addresses)
    body: dict[str, Any] = {
        "FromEmailAddress": _mailbox(message.sender),
        "Destination": destination,
        "Content": _content(message),
    }
    if message.reply_to:
        body["ReplyToAddresses"] = _mailboxes(message.reply_to)
    if tags := mail_part.tag_pairs(message, _NAME):
        body["EmailTags"] = [{"Name": name, "Value": value} for name, value in tags]
    configuration_set = options.configuration_set_name or settings.configuration_set
    if configuration_set is not None:
        body["ConfigurationSetName"] = configuration_set
    return body | _extras(options)


def _content(message: Message) -> dict[str, Any]:
    if message.raw_sha256 is not None:
        return {"Raw": {"Data": File(mail_part.raw_file(message))}}
    extras: dict[str, Any] = {}
    if headers := _headers(message):
        extras["Headers"] = headers
    if message.attachments:
        extras["Attachments"] = [_attachment(one) for one in message.attachments]
    if message.template is not None:
        mail_part.require_no_subject(message, _NAME)
        template = {
            "TemplateName": message.template,
            "TemplateData": json.dumps(dict(message.variables), ensure_ascii=False),
        }
        return {"Template": {**template, **extras}}
    parts = (("Text", message.text), ("Html", message.html))
    return {
        "Simple": {
            "Subject": _text(message.subject),
            "Body": {key: _text(text) for key, text in parts if text},
            **extras,
        }
    }


def _text(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}


def _headers(message: Message) -> list[dict[str, str]]:
    pairs = mail_part.header_pairs(message, _NAME)
    if len(pairs) > _MOST_HEADERS:
        raise Unsupported("headers", f"Amazon SES takes 15 headers a message, not {len(pairs)}.", "Leave some out.")
    written = [
        (name, value if value.isascii() else Header(value, "utf-8").encode(maxlinelen=0)) for name, value in pairs
    ]
    for name, value in written:
        if len(value) > _LONGEST_HEADER:
            raise Unsupported("headers", f"Amazon SES takes 995 characters a header: {name} is longer.", "Shorten it.")
    return [{"Name": name, "Value": value.replace("\t", " ")} for name, value in written]


def _mailboxes(addresses: Iterable[Address]) -> list[str]:
    return [_mailbox(one) for one in addresses]


def _mailbox(address: Address) -> str:
    if address.needs_smtputf8:
        raise Unsupported(
            "to",
            f"Amazon SES can't reach {address.addr_spec}: the part before the @ isn't ASCII.",
            "Use another address, or another account.",
        )
    return formataddr((address.display_name, address.addr_spec)) if address.display_name else address.addr_spec


def _attachment(attachment: Attachment) -> dict[str, Any]:
    for what, text, longest, how in (
        ("file names", attachment.name, 255, "--as"),
        ("media types", attachment.media_type, 78, "--type"),
        ("Content-IDs", attachment.content_id or "", 78, "--inline"),
    ):
        if len(text) > longest:
            raise Unsupported(
                "attachments", f"Amazon SES takes {what} of at most {longest} characters.", f"Shorten it ({how})."
            )
    described: dict[str, Any] = {
        "RawContent": File(attachment),
        "FileName": attachment.name,
        "ContentType": attachment.media_type,
        "ContentTransferEncoding": "BASE64",
    }
    if attachment.content_id is None:
        return {**described, "ContentDisposition": "ATTACHMENT"}
    return {**described, "ContentDisposition": "INLINE", "ContentId": attachment.content_id}


def _extras(options: SesOptions) -> dict[str, Any]:
    extras: dict[str, Any] = {}
    if options.feedback_forwarding_email_address is not None:
        extras["FeedbackForwardingEmailAddress"] = options.feedback_forwarding_email_address
    if options.contact_list_name is not None:
        topic = {"TopicName": options.topic_name} if options.topic_name is not None else {}
        extras["ListManagementOptions"] = {"ContactListName": options.contact_list_name, **topic}
    if options.tenant_name is not None:
        extras["TenantName"] = options.tenant_name
    tracking = {"OpenTrackingEnabled": options.open_tracking, "ClickTrackingEnabled": options.click_tracking}
    asked = {key: value for key, value in tracking.items() if value is not None}
    return extras | ({"ConfigurationOverrides": {"Tracking": asked}} if asked else {})


class SesProvider(HttpProvider[SesSettings]):
    """Sends by ``POST /v2/email/outbound-emails``."""

    name = "ses"
    title = _NAME
    Settings = SesSettings
    Options = SesOptions

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            needs_to=True,
            max_recipients=50,
            needs_body=True,
            reserved_headers=mail_part.SERVICE_HEADERS,
            max_size=40_000_000,
            tags=50,
            tag_pattern=r"[A-Za-z0-9_-]+",
            max_tag=256,
            tag_values=True,
            templates=True,
            status_polling=True,
            raw=True,
        )

    @property
    def base_url(self) -> str:
        return self.settings.base_url or f"https://email.{self.settings.region}.amazonaws.com"

    async def sign(self, request: Request, secret: str) -> Mapping[str, str]:
        return await sign(request, key_id=self.settings.access_key_id, secret=secret, region=self.settings.region)

    def shown_authorization(self) -> Mapping[str, str]:
        return {"X-Amz-Date": "[date]", "Authorization": "AWS4-HMAC-SHA256 [signature]"}

    def steps(self, outgoing: Outgoing) -> tuple[HttpStep, ...]:
        body = Json(mail(outgoing, options_of(outgoing, SesOptions), self.settings))
        return (HttpStep(path="/v2/email/outbound-emails", body=body, causes_sending=True),)

    def judge(self, answer: Answer) -> Verdict | None:
        return None if answer.is_success else _VERDICTS.get(_error_type(answer))

    def refuses_secret(self, answer: Answer) -> bool:
        return _error_type(answer) in _BAD_KEYS or super().refuses_secret(answer)

    def words(self, answer: Answer) -> str:
        said, kind = words_of(answer, ("message", "Message")), _error_type(answer)
        return f"{said} ({kind})" if kind else said

    def receipt(self, outgoing: Outgoing, answers: Mapping[str, Answer]) -> Receipt:
        answer = answers["send"]
        return self.accepted(outgoing, answer, provider_id=answer.word("MessageId"), text="accepted")

    async def check(self) -> list[Identity]:
        account = await self.ask(HttpStep(method="GET", path="/v2/email/account"))
        if account.value("SendingEnabled") is False:
            raise NotAuthorized("Amazon SES has paused sending for this account: see the SES console.")
        is_sandbox = account.value("ProductionAccessEnabled") is False
        limits = "sandbox: reaches verified addresses only" if is_sandbox else ""
        # A key that may send needn't be allowed to list.
        step = HttpStep(path="/v2/email/list-identities", body=Json({"PageSize": 1000}), accepts=frozenset({403, 404}))
        rows = (await self.ask(step)).rows("EmailIdentities")
        if not rows:
            return [Identity(address=one.addr_spec, detail=limits) for one in self.account.identities]
        return [
            Identity(
                address=_sender(row), detail=", ".join(filter(None, (row.word("VerificationStatus").lower(), limits)))
            )
            for row in rows
            if row.word("IdentityName")
        ]

    async def status(self, receipt: Receipt) -> list[PolledStatus]:
        if not receipt.provider_id:
            return []
        path = f"/v2/email/insights/{path_part(receipt.provider_id)}/"
        answer = await self.ask(HttpStep(method="GET", path=path, accepts=frozenset({400, 403, 404})))
        events = [
            _polled(event, insight.word("Destination"))
            for insight in answer.rows("Insights")
            for event in insight.rows("Events")
        ]
        return newest(events, receipt)

    async def list_templates(self) -> list[Template]:
        """Lists the first 100 templates, called by name."""
        answer = await self.ask(HttpStep(method="GET", path="/v2/email/templates", query={"PageSize": "100"}))
        names = [row.word("TemplateName") for row in answer.rows("TemplatesMetadata")]
        return [Template(id=name, name=name) for name in names if name]


def _error_type(answer: Answer) -> str:
    """Reads ``MessageRejected:http://...`` and ``com.amazonaws...#MessageRejected`` alike."""
    named = answer.headers.get("x-amzn-errortype", "") or answer.word("__type")
    return named.partition(":")[0].rpartition("#")[2]


def _sender(row: Answer) -> str:
    name = row.word("IdentityName")
    return name if "@" in name else f"*@{name}"


def _polled(event: Answer, address: str) -> PolledStatus:
    at = instant_of(event.word("Timestamp"))
    return polled(address, event.word("Type"), _STATUSES, detail=first_word(event, _REASONS), at=at)
