"""The rules of Resend's server."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Any

import http_rule as rule
from http_case import HttpCase
from http_lab import LabRequest, Reply, Rules, route
from popular_message import BY_FILE, BY_URL, INLINE, rich_outgoing

from tui_mailer.providers.resend import ResendProvider
from tui_mailer.providers.testing import SECRET

ADDRESSES = rule.either(rule.mailbox, rule.listing(rule.mailbox, 1))
WORD = rule.text(256, 1, r"[A-Za-z0-9_-]+")
EMAIL: rule.Shape = {
    "from": rule.required(rule.mailbox),
    "to": rule.required(rule.either(rule.mailbox, rule.listing(rule.mailbox, 1, 50))),
    "subject": rule.required(rule.text()),
    "cc": ADDRESSES,
    "bcc": ADDRESSES,
    "reply_to": ADDRESSES,
    "html": rule.text(shortest=1),
    "text": rule.text(shortest=1),
    "template": rule.obj({"id": rule.required(rule.text(shortest=1)), "variables": rule.mapping(rule.text())}),
    "headers": rule.mapping(rule.text(998, 1)),
    "scheduled_at": rule.instant,
    "attachments": rule.listing(
        rule.obj(
            {
                "content": rule.base64_bytes(),
                "path": rule.url,
                "filename": rule.text(shortest=1),
                "content_type": rule.text(),
                "content_id": rule.text(127, 1),
            }
        ),
        1,
    ),
    "tags": rule.listing(rule.obj({"name": rule.required(WORD), "value": rule.required(WORD)}), 1),
    "topic_id": rule.text(shortest=1),
}


class ResendRules(Rules):
    """What Resend's server does; ``is_sending_only`` makes the key one that may not look."""

    def __init__(self) -> None:
        super().__init__()
        self.events: dict[str, str] = {}
        self.is_sending_only = False

    def authorize(self, request: LabRequest) -> Reply | None:
        if request.headers.get("authorization") != f"Bearer {SECRET}":
            return self.named(403, "invalid_api_key", "API key is invalid")
        if self.is_sending_only and (request.method, request.path) != ("POST", "/emails"):
            return self.named(401, "restricted_api_key", "This API key is restricted to only send emails")
        return None

    def named(self, status: int, name: str, text: str) -> Reply:
        return Reply(status, {"statusCode": status, "name": name, "message": text})

    def error(self, status: int, text: str, where: str = "") -> Reply:
        names = {404: "not_found", 409: "invalid_idempotent_request"}
        return self.named(status, names.get(status, "validation_error"), f"{where}: {text}" if where else text)

    @route("POST", "/emails")
    def send(self, request: LabRequest) -> Reply:
        def act() -> Reply:
            document: dict[str, Any] = request.json
            rule.check(EMAIL, document)
            if "template" in document and ("html" in document or "text" in document):
                raise rule.Invalid("template", "can't be used with html or text")
            if not {"template", "html", "text"} & set(document):
                raise rule.Invalid("html", "html, text or template is required")
            for one in document.get("attachments", []):
                if ("content" in one) is ("path" in one):
                    raise rule.Invalid("attachments", "content or path is required")
            if not parseaddr(document["from"])[1].endswith("@example.org"):
                return self.error(403, "The domain is not verified.")
            self.stored.append(document)
            email_id = f"4ef9a417-{len(self.stored)}"
            self.events[email_id] = "scheduled" if "scheduled_at" in document else "sent"
            return Reply(200, {"id": email_id})

        key = request.headers.get("idempotency-key")
        if key is not None and not 1 <= len(key) <= 256:
            return self.named(400, "invalid_idempotency_key", "The key must be between 1-256 characters")
        return self.once(key, request.body, act)

    @route("GET", "/emails/{email_id}")
    def look(self, request: LabRequest, email_id: str) -> Reply:
        if email_id not in self.events:
            return self.error(404, "Email not found")
        return Reply(200, {"object": "email", "id": email_id, "last_event": self.events[email_id]})

    @route("POST", "/emails/{email_id}/cancel")
    def cancel(self, request: LabRequest, email_id: str) -> Reply:
        if self.events.get(email_id) != "scheduled":
            return self.error(422, "Only scheduled emails can be canceled")
        self.events[email_id] = "canceled"
        return Reply(200, {"object": "email", "id": email_id})

    @route("GET", "/domains")
    def domains(self, request: LabRequest) -> Reply:
        domain = {"id": "d91cd9bd", "name": "example.org", "status": "verified", "region": "eu-west-1"}
        return Reply(200, {"object": "list", "has_more": False, "data": [domain]})

    @route("GET", "/templates")
    def templates(self, request: LabRequest) -> Reply:
        rows = [
            {"id": "34a080c9", "alias": "welcome", "name": "Welcome", "status": "published"},
            {"id": "34a080d0", "alias": "half", "name": "Half done", "status": "draft"},
        ]
        return Reply(200, {"object": "list", "data": rows, "has_more": False})


CASE = HttpCase(
    provider=ResendProvider,
    rules=ResendRules,
    sends="POST /emails",
    rich=lambda: rich_outgoing(attachments=(BY_FILE, INLINE, BY_URL), options={"topic_id": "b6d24b8e"}),
)
