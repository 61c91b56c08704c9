"""Rebilly (email messages): a draft is made, then moved to the outbox; both bodies, bare addresses.

Quirks:

* ``POST /email-messages`` makes a draft and mails nobody; ``PATCH {"status": "outbox"}`` is what sends. A break in
  between leaves a draft whose id is known, and the next attempt goes on with it. The outcome of a PATCH that nobody
  answered, or that was answered 409, is settled by reading the message.
* Text and HTML must both be there: the missing one is made from the other. No sender name, no Reply-To, no headers, no
  schedule. From must be a verified e-mail delivery setting, whose name recipients see.
* So the settings are asked for before a draft is made: a From that isn't among them is refused while nothing exists.
* Attachments are resources that Rebilly has already (``--attach ref:invoice/INV-1``), never files or links.
* ``sent`` means that the mail service behind Rebilly took it: its ``responseCode`` and ``responseBody`` are shown.
* A draft can be left as one (option ``status=draft``): it stays *handed over* until somebody sends it in Rebilly;
  canceling deletes it.
* 429 names the instant in ``X-RateLimit-Retry-After`` (Unix time); errors are problem documents (RFC 9457) with
  ``invalidFields``. ``GET /status`` needs no key and proves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field

from tui_mailer.domain.body import html_from_text, text_from_html
from tui_mailer.domain.errors import OutcomeUncertain, Rejected, Unsupported
from tui_mailer.domain.message import Attachment
from tui_mailer.domain.submission import Kind, Receipt, RecipientStatus
from tui_mailer.domain.text import clean
from tui_mailer.providers.base import Capabilities, Identity, Outgoing, PolledStatus
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.http_answer import Answer, words_of
from tui_mailer.providers.http_body import Json
from tui_mailer.providers.http_message import options_of, without_empty
from tui_mailer.providers.http_settings import HttpOptions, HttpSettings
from tui_mailer.providers.http_status import instant_of, polled_alike
from tui_mailer.providers.http_step import HttpStep, path_part
from tui_mailer.providers.mail_part import addressed, to_left

_STATUSES = {
    "draft": RecipientStatus.PENDING,
    "outbox": RecipientStatus.ACCEPTED,
    "sending": RecipientStatus.ACCEPTED,
    "sent": RecipientStatus.ACCEPTED,
    "failed": RecipientStatus.REJECTED,
    "deleted": RecipientStatus.REJECTED,
}
_MESSAGES = "/email-messages"
_CONFLICT = 409
_FORBIDDEN = 403
_MISSING = 404
_LONGEST_ADDRESS = 254
_LONGEST_RESOURCE_ID = 50
_LEFT_AS_DRAFT = "left in Rebilly as a draft: nobody gets it until somebody sends it there"


class RebillySettings(HttpSettings):
    """An account's settings."""

    organization_id: str = Field(min_length=1, description="The organization's id.")
    sandbox: bool = Field(default=False, description="Use Rebilly's sandbox.")


class RebillyOptions(HttpOptions):
    """A message's options."""

    status: Literal["outbox", "draft"] = Field(
        default="outbox", description="outbox sends it; draft leaves it in Rebilly for somebody to send there."
    )
    credential_hash: str | None = Field(
        default=None, min_length=1, description="The id of the SMTP or mail service credential to send with."
    )


class RebillyProvider(HttpProvider[RebillySettings]):
    """Sends in two steps, of which the second one counts."""

    name: ClassVar[str] = "rebilly"
    title = "Rebilly"
    Settings: ClassVar[type[BaseModel]] = RebillySettings
    Options: ClassVar[type[BaseModel]] = RebillyOptions
    _verified: frozenset[str] | None = None
    """Who one may send as, as `check` has found; None before it was asked."""

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            needs_both_bodies=True,
            needs_body=True,
            needs_subject=True,
            max_subject=998,
            needs_to=True,
            display_names=False,
            sender="identities",
            sender_name=False,
            reply_to=False,
            custom_headers=False,
            threading="none",
            attachments="none",
            attachment_references=True,
            inline_images=False,
            cancel_scheduled=True,
            metadata=True,
            idempotency="findable",
            status_polling=True,
            effects=("Rebilly shows recipients the name of the delivery setting, whatever name From has.",),
            sandbox="This is Rebilly's sandbox." if self.settings.sandbox else "",
        )

    @property
    def base_url(self) -> str:
        host = "https://api-sandbox.rebilly.com" if self.settings.sandbox else "https://api.rebilly.com"
        base = self.settings.base_url or host
        organization = f"/organizations/{path_part(self.settings.organization_id)}"
        return base if base.endswith(organization) else base + organization

    def authorization(self, secret: str) -> Mapping[str, str]:
        return {"REB-APIKEY": secret}

    def words(self, answer: Answer) -> str:
        said = words_of(answer, ("detail", "title"))
        fields = [f"{one.word('field')}: {one.word('message')}" for one in answer.rows("invalidFields")]
        return "; ".join((said, *fields))

    def steps(self, outgoing: Outgoing) -> tuple[HttpStep, ...]:
        """Who one may send as, the draft unless an earlier attempt made it, the outbox; a conflict is looked into."""
        options = options_of(outgoing, RebillyOptions)
        asking = _senders("senders", frozenset({_FORBIDDEN, _MISSING}))
        making = HttpStep(name="draft", path=_MESSAGES, body=Json(self._draft(outgoing, options)))
        if options.status == "draft":
            return (asking, replace(making, causes_sending=True))
        known = outgoing.note.get("draft.id")
        path = f"{_MESSAGES}/{path_part(known) if known else '{draft.id}'}"
        sending = HttpStep(
            name="outbox",
            method="PATCH",
            path=path,
            body=Json({"status": "outbox"}),
            causes_sending=True,
            accepts=frozenset({_CONFLICT}),
        )
        looking = HttpStep(name="look", method="GET", path=path, only_after=("outbox", _CONFLICT))
        return (sending, looking) if known else (asking, making, sending, looking)

    def heed(self, outgoing: Outgoing, step: HttpStep, answer: Answer) -> None:
        """Refuses a From that isn't a verified delivery setting; a key that may not read them is left to the draft."""
        if step.name != "senders" or not answer.is_success:
            return
        try:
            _require_verified(outgoing.message.sender.addr_spec, _verified(answer))
        except Unsupported as error:
            raise Rejected(f"{error} Nothing was sent.") from None

    def receipt(self, outgoing: Outgoing, answers: Mapping[str, Answer]) -> Receipt:
        known = answers["draft"].word("id") if "draft" in answers else outgoing.note.get("draft.id", "")
        answer = answers.get("look") or answers.get("outbox") or answers["draft"]
        receipt = self._receipt(outgoing, answer, known)
        if receipt is not None:
            return receipt
        if "look" not in answers:
            return self.accepted(outgoing, answer, provider_id=known, text="outbox")
        raise Rejected(f"Rebilly didn't move the draft to the outbox: {self.words(answers['outbox'])}.", code=_CONFLICT)

    async def check(self) -> list[Identity]:
        """Lists the verified delivery settings: who one may send as."""
        listed = await self.ask(_senders("check"))
        self._verified = _verified(listed)
        return [Identity(address=one.word("from"), detail=_sender_detail(one)) for one in _verified_rows(listed)]

    async def status(self, receipt: Receipt) -> list[PolledStatus]:
        path = f"{_MESSAGES}/{path_part(receipt.provider_id or '')}"
        answer = await self.ask(HttpStep(method="GET", path=path, accepts=frozenset({_MISSING})))
        if answer.status == _MISSING:
            return polled_alike(receipt, "deleted", _STATUSES, detail="it is no longer in Rebilly")
        at = instant_of(answer.word("sentTime") or answer.word("updatedTime"))
        return polled_alike(receipt, answer.word("status"), _STATUSES, detail=upstream_words(answer), at=at)

    async def cancel(self, receipt: Receipt) -> None:
        """Deletes a draft that was left as one; what is gone was deleted before: a sent message stays."""
        path = f"{_MESSAGES}/{path_part(receipt.provider_id or '')}"
        answer = await self.ask(
            HttpStep(method="DELETE", path=path, needs_json=False, accepts=frozenset({_CONFLICT, _MISSING}))
        )
        if answer.status == _CONFLICT:
            raise Rejected("Rebilly no longer has it as a draft: it can't be taken back.", code=answer.status)

    async def find(self, outgoing: Outgoing, note: Mapping[str, str]) -> Receipt | None:
        """Reads the draft: still one means that nothing was sent. Without its id nobody can tell."""
        known = note.get("draft.id") or outgoing.note.get("draft.id")
        if not known:
            raise OutcomeUncertain("It isn't known which draft of Rebilly's this was: look there yourself.")
        path = f"{_MESSAGES}/{path_part(known)}"
        answer = await self.ask(HttpStep(method="GET", path=path, accepts=frozenset({_MISSING})))
        return None if answer.status == _MISSING else self._receipt(outgoing, answer, known)

    def _draft(self, outgoing: Outgoing, options: RebillyOptions) -> dict[str, Any]:
        message = outgoing.message
        if self._verified is not None:
            _require_verified(message.sender.addr_spec, self._verified)
        html = message.html or html_from_text(message.text or "")
        body = without_empty(
            {
                "cc": [one.addr_spec for one in addressed(outgoing, Kind.CC)],
                "bcc": [one.addr_spec for one in addressed(outgoing, Kind.BCC)],
                "metadata": dict(message.metadata),
                "credentialHash": options.credential_hash,
                "attachments": [_resource(one) for one in message.attachments],
            }
        )
        for address in (message.sender.addr_spec, *(one.address for one in outgoing.recipients)):
            _require_short(address)
        return {
            "from": message.sender.addr_spec,
            "to": [one.addr_spec for one in to_left(outgoing, "Rebilly")],
            "subject": message.subject,
            "text": message.text or text_from_html(html),
            "html": html,
            "status": "draft",
            **body,
        }

    def _receipt(self, outgoing: Outgoing, answer: Answer, known: str) -> Receipt | None:
        """Reads a message; None where it is still a draft that was to be sent. Raises `Rejected` for a failed one."""
        word = answer.word("status")
        is_left = options_of(outgoing, RebillyOptions).status == "draft"
        if word == "draft" and not is_left:
            return None
        upstream = upstream_words(answer)
        if word == "failed":
            raise Rejected(f"Rebilly couldn't send it: {upstream or 'it gives no reason'}.", code=answer.status)
        text = _LEFT_AS_DRAFT if is_left and word in ("draft", "") else "; ".join(filter(None, (word, upstream)))
        receipt = self.accepted(outgoing, answer, provider_id=answer.word("id") or known, text=text or "outbox")
        return replace(receipt, is_handed_over=text == _LEFT_AS_DRAFT, note=_kept(answer))


def upstream_words(answer: Answer) -> str:
    """Says what the mail service behind Rebilly answered; empty where nothing is known of it."""
    said = " ".join(filter(None, (answer.word("responseCode"), answer.word("responseBody"))))
    return f"the mail service answered {said}" if said else ""


def _kept(answer: Answer) -> dict[str, str]:
    links = {one.word("rel"): one.word("href") for one in answer.rows("_links")}
    found = {"initiatedTime": answer.word("initiatedTime"), "self": links.get("self", "")}
    return {key: value for key, value in found.items() if value}


def _senders(name: str, accepts: frozenset[int] = frozenset()) -> HttpStep:
    path, query = "/email-delivery-settings", {"limit": "1000"}
    return HttpStep(name=name, method="GET", path=path, query=query, accepts=accepts)


def _verified_rows(listed: Answer) -> list[Answer]:
    return [one for one in listed.rows() if one.word("status") == "verified" and one.word("from")]


def _verified(listed: Answer) -> frozenset[str]:
    return frozenset(one.word("from").casefold() for one in _verified_rows(listed))


def _require_verified(sender: str, verified: frozenset[str]) -> None:
    if sender.casefold() not in verified:
        raise Unsupported(
            "from",
            f"{sender} isn't a verified e-mail delivery setting of Rebilly.",
            f"Send as one that is ({', '.join(sorted(verified)) or 'there is none'}), or verify it there.",
        )


def _sender_detail(setting: Answer) -> str:
    by = setting.word("provider")
    is_default = setting.value("isDefault") is True
    return ", ".join(filter(None, (setting.word("name"), by and f"by {by}", "default" if is_default else "")))


def _resource(attachment: Attachment) -> dict[str, str]:
    kind, _, name = (attachment.reference or "").partition("/")
    if not kind or not name or len(name) > _LONGEST_RESOURCE_ID:
        raise Unsupported(
            "attachments",
            f"Rebilly attaches what it has already, by type and id, unlike '{clean(attachment.reference or '')}'.",
            "Name it like ref:invoice/INV-1.",
        )
    return {"resourceType": kind, "resourceId": name}


def _require_short(address: str) -> None:
    if len(address) > _LONGEST_ADDRESS:
        raise Unsupported("to", f"Rebilly takes addresses of at most {_LONGEST_ADDRESS} characters.", "Leave it out.")
