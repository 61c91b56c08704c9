"""Bird's Email API v1: one JSON request to the region the key names, a key against doubles, its own schedule, cancel.

Quirks:

* The key names the region (``bk_us1_...``, ``bk_eu1_...``): only a dry run, which hasn't got it, needs the setting
  ``region``. Access keys of the Channels API are of another kind and don't work here.
* ``category`` is *marketing* and tracking is on unless told otherwise: all three are always sent, transactional and off
  unless asked (for the same reason a template's own category isn't followed).
* ``Idempotency-Key`` is kept about 3 h, and so is a refusal (4xx) under it: after a refusal the next attempt needs
  another key. 409 E01004: the first request is still under way. 409 E01005: the key was used with another body.
* Scheduling 30 s to 30 days ahead, never with a template; cancel until it is being sent (409 after that). A scheduled
  message is answered ``accepted`` and read as ``scheduled``.
* The limit of 20 MB counts Base64: about 15 MB of files. ``{{ name }}`` in a text is filled in from ``parameters``.
* Reserved domains (example.com, .test) are refused with 422. What became of each recipient is at ``/recipients``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import NotAuthorized, Rejected, Unsupported
from tui_mailer.domain.message import Attachment, Message
from tui_mailer.domain.submission import Kind, Receipt, RecipientStatus
from tui_mailer.domain.text import clean
from tui_mailer.providers import mail_part
from tui_mailer.providers.base import Capabilities, Identity, Outgoing, PolledStatus
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.http_answer import Answer, words_of
from tui_mailer.providers.http_body import File, Json
from tui_mailer.providers.http_error import Verdict
from tui_mailer.providers.http_message import options_of, without_empty
from tui_mailer.providers.http_settings import HttpOptions, HttpSettings
from tui_mailer.providers.http_status import instant_of, polled, polled_alike
from tui_mailer.providers.http_step import HttpStep, path_part

_MESSAGES = "/email/messages"
_HOST = "https://{region}.platform.bird.com"
_KEY_REGION = re.compile(r"bk_([a-z]{2}[0-9]+)_")
_STATUSES = {
    "scheduled": RecipientStatus.PENDING,
    "accepted": RecipientStatus.ACCEPTED,
    "processed": RecipientStatus.ACCEPTED,
    "deferred": RecipientStatus.DEFERRED,
    "delivered": RecipientStatus.DELIVERED,
    "partial_failure": RecipientStatus.BOUNCED,
    "bounced": RecipientStatus.BOUNCED,
    "complained": RecipientStatus.COMPLAINED,
    "rejected": RecipientStatus.REJECTED,
    "canceled": RecipientStatus.REJECTED,
}
_CONFLICT = 409
_UNDER_WAY = frozenset({"E01004", "E01005"})
"""The key has been used already: for the same request, or for another one with the same key."""
_UNANSWERABLE = frozenset({403, 404, 405})
_LONGEST_TAG_NAME = 32
_LARGEST_PARAMETERS = 16 * 1024
_CONTENT_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_RECIPIENT_NAMES = ("email", "address", "recipient", "to", "to.email")
_RECIPIENT_REASONS = ("rejection_reason", "bounce_type", "reason", "smtp_response", "message", "error")
_MOST_PAGES = 20


class BirdSettings(HttpSettings):
    """An account's settings."""

    region: Literal["us1", "eu1"] | None = Field(
        default=None, description="us1 or eu1; left out: as the key says. Only a dry run without the key needs it."
    )


class BirdOptions(HttpOptions):
    """A message's options."""

    category: Literal["transactional", "marketing"] = Field(
        default="transactional", description="marketing isn't sent to who has unsubscribed or complained."
    )
    track_opens: bool = Field(default=False, description="Put a picture into the HTML that tells when it is opened.")
    track_clicks: bool = Field(default=False, description="Lead links through Bird to count clicks.")
    ip_pool_id: str | None = Field(
        default=None, pattern=r"^ipp_\w+$", description="The pool of IP addresses to send from."
    )
    language: str | None = Field(default=None, min_length=2, max_length=35, description="The template's language.")
    parameters: dict[str, Any] | None = Field(
        default=None, description='Values for {{ name }} in subject and body: {"name": "Ada"}.'
    )


class BirdProvider(HttpProvider[BirdSettings]):
    """Sends to the region its key belongs to."""

    name: ClassVar[str] = "bird"
    title = "Bird"
    Settings: ClassVar[type[BaseModel]] = BirdSettings
    Options: ClassVar[type[BaseModel]] = BirdOptions
    prefix = "/v1"
    idempotency_header = "Idempotency-Key"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            needs_body=True,
            max_body=524_288,
            needs_subject=True,
            max_subject=998,
            needs_to=True,
            max_to=50,
            max_cc=50,
            max_bcc=50,
            max_reply_to=25,
            max_headers=25,
            max_header_value=998,
            reserved_headers=mail_part.SERVICE_HEADERS,
            max_attachments=20,
            max_size=20_000_000,
            schedule_min=timedelta(seconds=30),
            schedule_max=timedelta(days=30),
            cancel_scheduled=True,
            tags=20,
            tag_values=True,
            max_tag=64,
            tag_pattern=r"[A-Za-z0-9_-]+",
            metadata=True,
            max_metadata_size=2048,
            templates=True,
            template_with_schedule=False,
            idempotency="key",
            idempotency_lifetime=timedelta(hours=3),
            status_polling=True,
        )

    @property
    def default_base_url(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # by the account's region
        """The region's host; a blank where no region is set: the key knows it."""
        return _HOST.format(region=self.settings.region or "{region}")

    def base_url_for(self, secret: str) -> str:
        """The key's own region wins: at any other one it is unknown."""
        named = _KEY_REGION.match(secret)
        if self.settings.base_url is not None or (named is None and self.settings.region is not None):
            return self.base_url
        if named is None:
            raise NotAuthorized(
                "The credential isn't a key of Bird's Email API: those begin with bk_us1_ or bk_eu1_ "
                "(an access key belongs to the provider bird_channels). Nothing was sent."
            )
        return _HOST.format(region=named[1]) + self.prefix

    def authorization(self, secret: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {secret}"}

    def judge(self, answer: Answer) -> Verdict | None:
        """A key that has been used already means that an earlier request may have been taken."""
        if answer.status == _CONFLICT and answer.word("error.code") in _UNDER_WAY:
            return Verdict.UNCERTAIN
        return super().judge(answer)

    def words(self, answer: Answer) -> str:
        said = " ".join(filter(None, (answer.word("error.code"), words_of(answer, ("error.message",)))))
        rows = [f"{one.word('param')}: {one.word('message')}" for one in answer.rows("error.details")]
        param = answer.word("error.param")
        return "; ".join(dict.fromkeys(filter(None, (said, *(rows or [param])))))

    def steps(self, outgoing: Outgoing) -> tuple[HttpStep, ...]:
        body = _mail(outgoing, options_of(outgoing, BirdOptions))
        return (HttpStep(path=_MESSAGES, body=Json(body), causes_sending=True),)

    def receipt(self, outgoing: Outgoing, answers: Mapping[str, Answer]) -> Receipt:
        answer = answers["send"]
        return self.accepted(outgoing, answer, provider_id=answer.word("id"), text=answer.word("status") or "accepted")

    async def check(self) -> list[Identity]:
        """Lists the sending domains; a key that may not is tried on the messages."""
        listed = await self._list("/email/domains")
        if not listed:
            await self.ask(HttpStep(method="GET", path=_MESSAGES, query={"limit": "1"}))
        domains = {one.word("domain").lower(): one.word("status") for one in listed}
        return [
            Identity(address=one.addr_spec, detail=_domain_detail(one.domain, domains))
            for one in self.account.identities
        ]

    async def status(self, receipt: Receipt) -> list[PolledStatus]:
        """Asks for each recipient; where that isn't to be had, for the message as a whole."""
        path = f"{_MESSAGES}/{path_part(receipt.provider_id or '')}"
        told = [_recipient(one) for one in await self._list(f"{path}/recipients")]
        found = {one.address.casefold(): one for one in told if one is not None}
        if found:
            return [found[key] for one in receipt.recipients if (key := one.address.casefold()) in found]
        answer = await self.ask(HttpStep(method="GET", path=path))
        at = instant_of(answer.word("delivered_at"))
        return polled_alike(receipt, answer.word("status"), _STATUSES, at=at)

    async def cancel(self, receipt: Receipt) -> None:
        """Takes it back; an earlier yes that never arrived is found in the message itself."""
        path = f"{_MESSAGES}/{path_part(receipt.provider_id or '')}"
        answer = await self.ask(HttpStep(path=f"{path}/cancel", needs_json=False, accepts=frozenset({_CONFLICT})))
        if answer.is_success:
            return
        found = await self.ask(HttpStep(method="GET", path=path))
        if found.word("status") != "canceled":
            raise Rejected(f"Bird is sending it already: {self.words(answer)}", code=answer.status)

    async def _list(self, path: str) -> list[Answer]:
        """Reads a list page by page; empty where the key may not, or there is none."""
        found: list[Answer] = []
        query = {"limit": "100"}
        for _ in range(_MOST_PAGES):
            page = await self.ask(HttpStep(method="GET", path=path, query=query, accepts=_UNANSWERABLE))
            found += page.rows("data") or page.rows()
            cursor = page.word("next_cursor")
            if not cursor or cursor == query.get("starting_after"):
                break
            query = {**query, "starting_after": cursor}
        return found


def _mail(outgoing: Outgoing, options: BirdOptions) -> dict[str, Any]:
    message = outgoing.message
    given = without_empty(
        {
            "cc": [_mailbox(one) for one in mail_part.addressed(outgoing, Kind.CC)],
            "bcc": [_mailbox(one) for one in mail_part.addressed(outgoing, Kind.BCC)],
            "reply_to": [_mailbox(one) for one in message.reply_to],
            **_content(message, options),
            "headers": dict(mail_part.header_pairs(message, "Bird")),
            "tags": _tags(message),
            "metadata": dict(message.metadata),
            "attachments": [_attachment(one) for one in message.attachments],
            "scheduled_at": mail_part.utc_text(outgoing.not_before) if outgoing.not_before else None,
            "ip_pool_id": options.ip_pool_id,
        }
    )
    return {
        "from": _mailbox(message.sender),
        "to": [_mailbox(one) for one in mail_part.to_left(outgoing, "Bird")],
        **given,
        "category": options.category,
        "track_opens": options.track_opens,
        "track_clicks": options.track_clicks,
    }


def _mailbox(address: Address) -> str | dict[str, str]:
    if not address.display_name:
        return address.addr_spec
    return {"email": address.addr_spec, "name": address.display_name}


def _content(message: Message, options: BirdOptions) -> dict[str, Any]:
    parameters = {**(options.parameters or {}), **message.variables}
    size = len(json.dumps(parameters, ensure_ascii=False, separators=(",", ":")).encode())
    if size > _LARGEST_PARAMETERS:
        raise Unsupported(
            "variables", f"Bird takes {_LARGEST_PARAMETERS} bytes of variables, not {size}.", "Shorten them."
        )
    if message.template is None:
        if options.language is not None:
            raise Unsupported("options", "language belongs to a template.", "Name the template, or leave it out.")
        return {"subject": message.subject, "html": message.html, "text": message.text, "parameters": parameters}
    mail_part.require_no_subject(message, "Bird")
    by = "id" if message.template.startswith("emt_") else "slug"
    return {"template": without_empty({by: message.template, "language": options.language, "parameters": parameters})}


def _tags(message: Message) -> list[dict[str, str]]:
    pairs = mail_part.tag_pairs(message, "Bird")
    for name, _ in pairs:
        if len(name) > _LONGEST_TAG_NAME:
            why = f"Bird takes tag names of at most {_LONGEST_TAG_NAME} characters ('{clean(name)}')."
            raise Unsupported("tags", why, "Shorten it.")
    return [{"name": name, "value": value} for name, value in pairs]


def _attachment(attachment: Attachment) -> dict[str, Any]:
    mail_part.require_filled((attachment,), "Bird")
    if attachment.content_id is not None and not _CONTENT_ID.fullmatch(attachment.content_id):
        raise Unsupported(
            "attachments",
            f"Bird takes content ids of letters, digits, '.', '_' and '-', unlike '{clean(attachment.content_id)}'.",
            "Give the image another one (--inline logo=PATH).",
        )
    return without_empty(
        {
            "filename": attachment.name,
            "content": File(attachment),
            "content_type": attachment.media_type,
            "content_id": attachment.content_id,
        }
    )


def _recipient(told: Answer) -> PolledStatus | None:
    """Reads one entry of ``/recipients``, whose exact shape isn't documented."""
    address = next((word for key in _RECIPIENT_NAMES if (word := told.word(key))), "")
    if not address:
        return None
    said = [told.word(key) for key in _RECIPIENT_REASONS]
    at = instant_of(told.word("updated_at") or told.word("delivered_at"))
    return polled(address, told.word("status"), _STATUSES, detail="; ".join(filter(None, said)), at=at)


def _domain_detail(domain: str, known: Mapping[str, str]) -> str:
    if not known:
        return "the key works"
    parts = domain.split(".")
    named = next((one for one in (".".join(parts[start:]) for start in range(len(parts))) if one in known), None)
    if named is None:
        return f"{domain} isn't a domain of this workspace: Bird will refuse it"
    return f"{named} is {known[named]}"
