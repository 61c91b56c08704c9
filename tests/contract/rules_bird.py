"""The rules of Bird's Email API v1."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import http_rule as rule
from http_case import HttpCase, plain_outgoing
from http_lab import LabRequest, Reply, Rules, route

from tui_mailer.domain.address import Address
from tui_mailer.domain.message import Attachment
from tui_mailer.providers.base import Outgoing
from tui_mailer.providers.bird import BirdProvider
from tui_mailer.providers.testing import SECRET, MemoryContent, make_outgoing

MAILBOX = rule.either(
    rule.mailbox,
    rule.obj({"email": rule.required(rule.email), "name": rule.text(256, 1, r"[^\r\n]+")}),
)
WORD = r"[A-Za-z0-9_-]+"
RESERVED = {
    "from",
    "to",
    "cc",
    "bcc",
    "reply-to",
    "subject",
    "content-type",
    "dkim-signature",
    "received",
    "return-path",
}


def small_object(value: Any, where: str) -> None:
    rule.mapping(rule.anything)(value, where)
    if len(json.dumps(value).encode()) > 2048:
        raise rule.Invalid(where, "larger than 2 KB")


MESSAGE: rule.Shape = {
    "from": rule.required(MAILBOX),
    "to": rule.required(rule.listing(MAILBOX, 1, 50)),
    "cc": rule.listing(MAILBOX, 1, 50),
    "bcc": rule.listing(MAILBOX, 1, 50),
    "reply_to": rule.listing(MAILBOX, 1, 25),
    "subject": rule.text(998, 1),
    "html": rule.text(524_288, 1),
    "text": rule.text(524_288, 1),
    "headers": rule.mapping(rule.text(998), 25),
    "tags": rule.listing(
        rule.obj({"name": rule.required(rule.text(32, 1, WORD)), "value": rule.required(rule.text(64, 1, WORD))}), 1, 20
    ),
    "metadata": small_object,
    "parameters": rule.mapping(rule.anything),
    "template": rule.obj(
        {
            "id": rule.text(pattern=r"emt_\w+"),
            "slug": rule.text(63, 1, r"[a-z0-9_-]+"),
            "language": rule.text(35, 2),
            "parameters": rule.mapping(rule.anything),
        }
    ),
    "category": rule.choice("marketing", "transactional"),
    "track_opens": rule.boolean,
    "track_clicks": rule.boolean,
    "ip_pool_id": rule.text(pattern=r"ipp_\w+"),
    "attachments": rule.listing(
        rule.obj(
            {
                "filename": rule.required(rule.text(255, 1)),
                "content": rule.required(rule.base64_bytes()),
                "content_type": rule.text(shortest=3),
                "content_id": rule.text(128, 1, r"[A-Za-z0-9._-]+"),
            }
        ),
        1,
        20,
    ),
    "scheduled_at": rule.instant,
}


class BirdRules(Rules):
    """What Bird's server does; a 4xx is kept under its idempotency key like any other answer, a 5xx isn't."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[str, dict[str, Any]] = {}
        self.recipients: dict[str, list[dict[str, Any]]] = {}
        self.has_recipients = True

    def authorize(self, request: LabRequest) -> Reply | None:
        known = request.headers.get("authorization") == f"Bearer {SECRET}"
        return None if known else self.error(401, "The API key is invalid.")

    def error(self, status: int, text: str, where: str = "") -> Reply:
        code = {409: "E01005", 401: "E01002", 404: "E01003"}.get(status, "E01001")
        error: dict[str, Any] = {"type": "invalid_request", "code": code, "name": "error", "message": text}
        if where:
            error |= {"param": where, "details": [{"param": where, "message": text}]}
        return Reply(status, {"error": {**error, "doc_url": "https://bird.com/docs", "request_id": "req_1"}})

    @route("POST", "/v1/email/messages")
    def send(self, request: LabRequest) -> Reply:
        def act() -> Reply:
            document = request.json
            try:
                rule.check(MESSAGE, document)
            except rule.Invalid as invalid:
                return self.error(422, invalid.text, invalid.where)
            if (refusal := self._refusal(document, len(request.body))) is not None:
                return refusal
            return self._take(document)

        key = request.headers.get("idempotency-key", "")
        if len(key) > 255:
            return self.error(422, "the key is too long")
        return self.once(key, request.body, act)

    def _refusal(self, document: dict[str, Any], size: int) -> Reply | None:
        if "template" in document:
            extra = {"subject", "html", "text", "scheduled_at"} & document.keys()
            if extra or ("id" in document["template"]) == ("slug" in document["template"]):
                return self.error(422, f"not with a template: {extra}", "template")
        elif "subject" not in document or not {"html", "text"} & document.keys():
            return self.error(422, "subject and a body are required", "subject")
        reserved = RESERVED & {name.lower() for name in document.get("headers", {})}
        if reserved:
            return self.error(422, f"reserved: {reserved}", "headers")
        if size > 20_000_000:
            return self.error(422, "larger than 20 MB", "attachments")
        when = document.get("scheduled_at")
        if when:
            ahead = datetime.fromisoformat(when) - datetime.now(UTC)
            if not timedelta(seconds=30) <= ahead <= timedelta(days=30):
                return self.error(422, "30 s to 30 days ahead", "scheduled_at")
        return None

    def _take(self, document: dict[str, Any]) -> Reply:
        self.stored.append(document)
        number = f"em_{len(self.stored):026}"
        status = "scheduled" if "scheduled_at" in document else "accepted"
        everybody = [*document["to"], *document.get("cc", []), *document.get("bcc", [])]
        addresses = [one["email"] if isinstance(one, dict) else one for one in everybody]
        self.recipients[number] = [{"email": address, "status": status} for address in addresses]
        self.messages[number] = {"id": number, "status": status, "delivered_at": None}
        return Reply(202, {"id": number, "status": "accepted"})

    @route("GET", "/v1/email/messages/{number}")
    def look(self, request: LabRequest, number: str) -> Reply:
        found = self.messages.get(number)
        return self.error(404, "no such message") if found is None else Reply(200, found)

    @route("GET", "/v1/email/messages/{number}/recipients")
    def look_at_recipients(self, request: LabRequest, number: str) -> Reply:
        if not self.has_recipients or number not in self.recipients:
            return self.error(404, "no such message")
        rows, start = self.recipients[number], int(request.query.get("starting_after", "0"))
        following = str(start + 1) if start + 1 < len(rows) else None
        return Reply(200, {"data": rows[start : start + 1], "next_cursor": following})

    @route("POST", "/v1/email/messages/{number}/cancel")
    def cancel(self, request: LabRequest, number: str) -> Reply:
        if self.messages[number]["status"] != "scheduled":
            return self.error(409, "It is no longer scheduled.")
        self.messages[number]["status"] = "canceled"
        return Reply(204)

    @route("GET", "/v1/email/messages")
    def list_messages(self, request: LabRequest) -> Reply:
        return Reply(200, {"data": list(self.messages.values())[:1], "next_cursor": None})

    @route("GET", "/v1/email/domains")
    def domains(self, request: LabRequest) -> Reply:
        return Reply(
            200, {"data": [{"id": "dom_1", "domain": "example.org", "status": "verified"}], "next_cursor": None}
        )


def rich() -> Outgoing:
    """All that Bird carries."""
    plan, logo = MemoryContent(b"%PDF-1.7 plan" * 20_000), MemoryContent(b"\x89PNG logo")
    message = replace(
        plain_outgoing().message,
        html='<p>The engine <img src="cid:logo"></p>',
        cc=(Address("carol", "example.net", 'Carol "C" ü'),),
        bcc=(Address("dan", "example.net"),),
        reply_to=(Address("office", "example.org", "The Office"),),
        headers=(("X-Loft", "east"),),
        in_reply_to="<1@example.net>",
        references=("<0@example.net>", "<1@example.net>"),
        tags=(("spring", None), ("campaign", "x-1")),
        metadata={"order": "7"},
        attachments=(
            Attachment(name='pl"an ü.pdf', media_type="application/pdf", size=plan.size, sha256=plan.sha256),
            Attachment(name="a.png", media_type="image/png", size=logo.size, sha256=logo.sha256, content_id="logo"),
        ),
        options={"category": "marketing", "track_opens": True, "ip_pool_id": "ipp_shared", "parameters": {"a": 1}},
    )
    outgoing = make_outgoing(message, (plan, logo))
    return replace(outgoing, not_before=datetime.now(UTC).replace(microsecond=0) + timedelta(days=2))


CASE = HttpCase(
    provider=BirdProvider,
    rules=BirdRules,
    base_path="/v1",
    sends="POST /v1/email/messages",
    rich=rich,
)
