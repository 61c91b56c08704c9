"""Mailgun: a form with files as they are, raw messages too, a schedule of 3 days, errors in plain text.

Quirks (https://documentation.mailgun.com/docs/mailgun/api-reference):

* HTTP Basic with the user ``api``. A wrong key gets 401 and the word ``Forbidden``, without JSON.
* The schedule is an RFC 2822 date, 3 days ahead at most (7 on larger plans; beyond 3 the outbox keeps the message).
* What is scheduled can be taken back only with everything else of the domain (``DELETE envelopes``): not offered.
* An inline image's Content-ID is its file name, so it is sent under the name that the HTML calls it by.
* Options, headers, variables and metadata (``o: h: v: t:``) may take 16 KB together.
* A 429 says how long to wait in words: "try again after 120 seconds". No idempotency.
* The id has angle brackets, the events' ``message-id`` has none. Events are kept for some days only.
* Tracking is the domain's habit, so it is switched off in every request unless it is asked for.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from typing import Literal

from pydantic import Field as Setting

from tui_mailer.domain.errors import NotAuthorized, Unsupported
from tui_mailer.domain.message import Message
from tui_mailer.domain.submission import Kind, Receipt, RecipientStatus
from tui_mailer.providers import mail_part
from tui_mailer.providers.base import Capabilities, Identity, Outgoing, PolledStatus, Template
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.http_answer import Answer
from tui_mailer.providers.http_body import Field, File, FilePart, Form
from tui_mailer.providers.http_error import Verdict
from tui_mailer.providers.http_message import options_of
from tui_mailer.providers.http_settings import HttpOptions, HttpSettings
from tui_mailer.providers.http_status import instant_of, polled
from tui_mailer.providers.http_step import HttpStep, path_part
from tui_mailer.providers.polled import first_word, newest

_NAME = "Mailgun"
_MOST_OPTIONS = 16 * 1024
_STATUSES = {
    "accepted": RecipientStatus.ACCEPTED,
    "stored": RecipientStatus.ACCEPTED,
    "rejected": RecipientStatus.REJECTED,
    "delivered": RecipientStatus.DELIVERED,
    "opened": RecipientStatus.DELIVERED,
    "clicked": RecipientStatus.DELIVERED,
    "unsubscribed": RecipientStatus.DELIVERED,
    "complained": RecipientStatus.COMPLAINED,
    "failed": RecipientStatus.BOUNCED,
    "temporary failed": RecipientStatus.DEFERRED,
}
"""``failed`` has a severity; a temporary one is looked up with it in front."""

_REASONS = ("delivery-status.message", "delivery-status.description", "reject.reason", "reason")

Toggle = Literal["yes", "no"]


class MailgunSettings(HttpSettings):
    """An account's settings."""

    domain: str = Setting(min_length=1, description="The sending domain, as it is called at Mailgun.")
    region: Literal["us", "eu"] = Setting(
        default="us", description="Where the domain lives: us, or eu (api.eu.mailgun.net)."
    )


class MailgunOptions(HttpOptions):
    """A message's options."""

    testmode: bool = Setting(default=False, description="Processed and logged, but delivered to nobody.")
    tracking: Literal["yes", "no", "htmlonly"] = Setting(default="no", description="Track openings and clicks.")
    tracking_clicks: Literal["yes", "no", "htmlonly"] | None = Setting(
        default=None, description="Rewrite links to count clicks; left out: as `tracking` says."
    )
    tracking_opens: Toggle | None = Setting(
        default=None, description="Add an invisible image to count openings; left out: as `tracking` says."
    )
    dkim: Toggle | None = Setting(default=None, description="Sign with DKIM, or don't; left out: as the domain does.")
    require_tls: Toggle | None = Setting(
        default=None, description="Deliver over TLS only; left out: as the domain does."
    )
    skip_verification: Toggle | None = Setting(
        default=None, description="Don't verify the receiving server's certificate; left out: as the domain does."
    )
    deliver_within: str | None = Setting(
        default=None,
        pattern=r"^(?:[0-9]+h)?(?:[0-9]+m)?$",
        min_length=2,
        description="Give up after this long, from 5m to 24h (1h30m).",
    )
    sending_ip: str | None = Setting(default=None, min_length=1, description="The account's IP address to send from.")
    sending_ip_pool: str | None = Setting(default=None, min_length=1, description="The pool of IP addresses to use.")
    version: str | None = Setting(
        default=None, min_length=1, description="The template's version; left out: the active one."
    )


def form(outgoing: Outgoing, options: MailgunOptions) -> Form:
    """Makes the form of ``POST messages``, or of ``messages.mime`` for a ready-made message; raises `Unsupported`."""
    message = outgoing.message
    to = [Field("to", str(one)) for one in mail_part.addressed(outgoing, Kind.TO)]
    extras = [Field(name, value) for name, value in _extras(outgoing, options)]
    if sum(len(f"{one.name}{one.value}".encode()) for one in extras) > _MOST_OPTIONS:
        raise Unsupported(
            "headers",
            "Mailgun takes 16 KB of headers, tags, variables and metadata together.",
            "Shorten or drop some of them.",
        )
    boundary = f"tui-mailer-{sha256(outgoing.submission_id.encode()).hexdigest()[:32]}"
    if message.raw_sha256 is not None:
        return Form((*to, *extras, FilePart("message", File(mail_part.raw_file(message)))), boundary)
    copies = [
        Field(name, str(one))
        for name, kind in (("cc", Kind.CC), ("bcc", Kind.BCC))
        for one in mail_part.addressed(outgoing, kind)
    ]
    fields = (Field("from", str(message.sender)), *to, *copies, *_content(message), *extras)
    return Form((*fields, *_files(message)), boundary)


def _content(message: Message) -> Iterator[Field]:
    if message.subject or message.template is None:
        yield Field("subject", message.subject)
    if message.template is not None:
        yield Field("template", message.template)
        return
    for name, value in (("text", message.text), ("html", message.html)):
        if value:
            yield Field(name, value)


def _extras(outgoing: Outgoing, options: MailgunOptions) -> Iterator[tuple[str, str]]:
    message = outgoing.message
    if message.variables:
        yield "t:variables", json.dumps(dict(message.variables), ensure_ascii=False)
    if options.version is not None:
        yield "t:version", options.version
    yield from (("o:tag", word) for word in mail_part.tag_words(message))
    if outgoing.not_before is not None:
        yield "o:deliverytime", format_datetime(outgoing.not_before.astimezone(UTC))
    chosen = options.model_dump(exclude={"version", "testmode"}, exclude_none=True)
    yield from ((f"o:{name.replace('_', '-')}", str(value)) for name, value in chosen.items())
    if options.testmode:
        yield "o:testmode", "yes"
    if message.reply_to:
        yield "h:Reply-To", ", ".join(map(str, message.reply_to))
    headers = mail_part.header_pairs(message, _NAME)
    yield from ((f"h:{name}", value) for name, value in headers)
    yield from ((f"v:{name}", value) for name, value in message.metadata.items())


def _files(message: Message) -> Iterator[FilePart]:
    for attachment in message.attachments:
        if attachment.content_id is None:
            yield FilePart("attachment", File(attachment))
        else:
            yield FilePart("inline", File(replace(attachment, name=attachment.content_id)))


class MailgunProvider(HttpProvider[MailgunSettings]):
    """Sends by ``POST /v3/{domain}/messages``, what came through sendmail by ``messages.mime``."""

    name = "mailgun"
    title = _NAME
    Settings = MailgunSettings
    Options = MailgunOptions

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            needs_to=True,
            max_recipients=1000,
            needs_body=True,
            reserved_headers=mail_part.SERVICE_HEADERS,
            max_size=25_000_000,
            schedule_min=timedelta(minutes=1),
            schedule_max=timedelta(days=3),
            tags=10,
            tag_values=True,
            max_tag=128,
            metadata=True,
            templates=True,
            status_polling=True,
            raw=True,
        )

    @property
    def default_base_url(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # by the domain's region
        return "https://api.eu.mailgun.net" if self.settings.region == "eu" else "https://api.mailgun.net"

    @property
    def base_url(self) -> str:
        # Often written with the version, but there are several.
        return super().base_url.removesuffix("/v3")

    @property
    def _domain(self) -> str:
        return path_part(self.settings.domain)

    def authorization(self, secret: str) -> Mapping[str, str]:
        return {"Authorization": f"Basic {b64encode(f'api:{secret}'.encode()).decode()}"}

    def steps(self, outgoing: Outgoing) -> tuple[HttpStep, ...]:
        body = form(outgoing, options_of(outgoing, MailgunOptions))
        last = "messages" if outgoing.message.raw_sha256 is None else "messages.mime"
        return (HttpStep(path=f"/v3/{self._domain}/{last}", body=body, causes_sending=True),)

    def judge(self, answer: Answer) -> Verdict | None:
        """An unknown domain and an unpaid bill are the account's trouble."""
        is_domain = answer.status == 404 and "omain not found" in answer.text
        return Verdict.NOT_AUTHORIZED if is_domain or answer.status == 402 else None

    def receipt(self, outgoing: Outgoing, answers: Mapping[str, Answer]) -> Receipt:
        answer = answers["send"]
        receipt = self.accepted(outgoing, answer, provider_id=answer.word("id"))
        if outgoing.not_before is None:
            return receipt
        return replace(receipt, note={"send_at": str(int(outgoing.not_before.timestamp()))})

    async def check(self) -> list[Identity]:
        answer = await self.ask(HttpStep(method="GET", path="/v4/domains", query={"limit": "1000"}))
        domains = {row.word("name").lower(): row.word("state") for row in answer.rows("items")}
        state = domains.get(self.settings.domain.lower())
        if state is None and len(domains) < 1000:
            known = ", ".join(sorted(domains)[:10]) or "none"
            raise NotAuthorized(f"The key works, but it has no domain {self.settings.domain} (it has: {known}).")
        detail = f"by {self.settings.domain}, {state}" if state else f"by {self.settings.domain}"
        return [Identity(address=one.addr_spec, detail=detail) for one in self.account.identities]

    async def status(self, receipt: Receipt) -> list[PolledStatus]:
        if not receipt.provider_id:
            return []
        query = {"message-id": receipt.provider_id.strip("<>"), "ascending": "yes", "limit": "300"}
        answer = await self.ask(HttpStep(method="GET", path=f"/v3/{self._domain}/events", query=query))
        told = newest(map(_polled, answer.rows("items")), receipt)
        if float(receipt.note.get("send_at") or 0) <= datetime.now(UTC).timestamp():
            return told
        # "accepted" is said at once, of a scheduled message too.
        return [
            replace(one, status=RecipientStatus.PENDING) if one.status is RecipientStatus.ACCEPTED else one
            for one in told
        ]

    async def list_templates(self) -> list[Template]:
        """Lists the domain's templates, called by name."""
        answer = await self.ask(HttpStep(method="GET", path=f"/v3/{self._domain}/templates", query={"limit": "100"}))
        rows = answer.rows("items")
        return [Template(id=row.word("name"), name=row.word("description") or row.word("name")) for row in rows]


def _polled(event: Answer) -> PolledStatus:
    word = event.word("event").lower()
    is_temporary = word == "failed" and event.word("severity").lower() == "temporary"
    return polled(
        event.word("recipient"),
        "temporary failed" if is_temporary else word,
        _STATUSES,
        detail=first_word(event, _REASONS),
        at=instant_of(event.word("timestamp")),
    )
