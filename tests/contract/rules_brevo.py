"""The rules of Brevo's server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import http_rule as rule
from http_case import HttpCase
from http_lab import LabRequest, Reply, Rules, route
from popular_message import BY_FILE, BY_URL, rich_outgoing

from tui_mailer.providers.brevo import BrevoProvider
from tui_mailer.providers.testing import SECRET

MAILBOX = rule.obj({"email": rule.required(rule.email), "name": rule.text(70, 1)})
MAIL: rule.Shape = {
    "sender": rule.required(MAILBOX),
    "to": rule.required(rule.listing(MAILBOX, 1, 99)),
    "cc": rule.listing(MAILBOX, 1),
    "bcc": rule.listing(MAILBOX, 1),
    "replyTo": MAILBOX,
    "subject": rule.text(shortest=1),
    "htmlContent": rule.text(shortest=1),
    "textContent": rule.text(shortest=1),
    "attachment": rule.listing(
        rule.obj({"name": rule.required(rule.text(shortest=1)), "content": rule.base64_bytes(), "url": rule.url}), 1
    ),
    "headers": rule.mapping(rule.text(shortest=1)),
    "tags": rule.listing(rule.text(shortest=1), 1),
    "params": rule.mapping(rule.anything),
    "templateId": rule.integer(1),
    "scheduledAt": rule.text(pattern=r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
}
STANDARD = {"in-reply-to", "references", "list-unsubscribe", "message-id", "importance", "reply-to", "comments"}


class BrevoRules(Rules):
    """What Brevo's server does; ``events`` are those of each address, ``scheduled`` what waits."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: set[str] = set()
        self.scheduled: dict[str, str] = {}
        self.recipients: dict[str, list[str]] = {}
        self.events: dict[str, list[dict[str, str]]] = {}

    def authorize(self, request: LabRequest) -> Reply | None:
        is_known = request.headers.get("api-key") == SECRET
        return None if is_known else Reply(401, {"code": "unauthorized", "message": "Key not found"})

    def error(self, status: int, text: str, where: str = "") -> Reply:
        code = {404: "document_not_found", 429: "too_many_requests"}.get(status, "invalid_parameter")
        return Reply(status, {"code": code, "message": f"{where} {text}" if where else text})

    def invalid_status(self) -> int:
        return 400

    @route("POST", "/v3/smtp/email")
    def send(self, request: LabRequest) -> Reply:
        document: dict[str, Any] = request.json
        rule.check(MAIL, document)
        self._check_together(document)
        key = document.get("headers", {}).get("idempotencyKey")
        if key is not None:
            UUID(key)
            if key in self.keys:
                text = "Email for the idempotency key has already been processed"
                return Reply(400, {"code": "duplicate_parameter", "message": text})
            self.keys.add(key)
        self.stored.append(document)
        message_id = f"<20261126.{len(self.stored)}@smtp-relay.mailin.fr>"
        kinds = ("to", "cc", "bcc")
        self.recipients[message_id] = [one["email"] for kind in kinds for one in document.get(kind, [])]
        if "scheduledAt" in document:
            self.scheduled[message_id] = "queued"
        return Reply(201, {"messageId": message_id})

    def _check_together(self, document: dict[str, Any]) -> None:
        bodies = {"htmlContent", "textContent"} & set(document)
        if "templateId" not in document and not ("subject" in document and bodies):
            raise rule.Invalid("subject", "subject and content are required without a template")
        if "params" in document and "templateId" not in document:
            raise rule.Invalid("params", "are for templates")
        if taken := STANDARD & {name.lower() for name in document.get("headers", {})}:
            raise rule.Invalid("headers", f"{taken.pop()} is a standard header")
        for one in document.get("attachment", []):
            if ("content" in one) is ("url" in one):
                raise rule.Invalid("attachment", "content or url is required")
        if "scheduledAt" in document:
            ahead = datetime.fromisoformat(document["scheduledAt"]) - datetime.now(UTC)
            if not timedelta(0) < ahead <= timedelta(hours=72):
                raise rule.Invalid("scheduledAt", "must be within 72 hours")

    @route("DELETE", "/v3/smtp/email/{message_id}")
    def cancel(self, request: LabRequest, message_id: str) -> Reply:
        if self.scheduled.get(message_id) != "queued":
            return self.error(400, "no scheduled email of this id")
        del self.scheduled[message_id]
        return Reply(204)

    @route("GET", "/v3/smtp/emailStatus/{message_id}")
    def schedule(self, request: LabRequest, message_id: str) -> Reply:
        if message_id not in self.scheduled:
            return self.error(404, "not scheduled")
        return Reply(200, {"scheduledAt": "2026-11-27T09:00:00Z", "status": self.scheduled[message_id]})

    @route("GET", "/v3/smtp/emails")
    def look(self, request: LabRequest) -> Reply:
        message_id = request.query["messageId"]
        addresses = self.recipients.get(message_id, [])
        rows = [
            {"email": one, "messageId": message_id, "uuid": f"uuid-{one}", "date": "2026-11-26T09:00:00Z"}
            for one in addresses
        ]
        return Reply(200, {"count": len(rows), "transactionalEmails": rows})

    @route("GET", "/v3/smtp/emails/{uuid}")
    def look_closer(self, request: LabRequest, uuid: str) -> Reply:
        address = uuid.removeprefix("uuid-")
        return Reply(200, {"email": address, "subject": "x", "events": self.events.get(address, [])})

    @route("GET", "/v3/account")
    def account(self, request: LabRequest) -> Reply:
        return Reply(200, {"email": "ada@example.org", "companyName": "Engines", "plan": []})

    @route("GET", "/v3/senders")
    def senders(self, request: LabRequest) -> Reply:
        return Reply(200, {"senders": [{"id": 1, "name": "Ada", "email": "ada@example.org", "active": True}]})

    @route("GET", "/v3/smtp/templates")
    def templates(self, request: LabRequest) -> Reply:
        return Reply(200, {"count": 1, "templates": [{"id": 12, "name": "Welcome", "isActive": True}]})


CASE = HttpCase(
    provider=BrevoProvider,
    rules=BrevoRules,
    base_path="/v3",
    sends="POST /v3/smtp/email",
    rich=lambda: rich_outgoing(attachments=(BY_FILE, BY_URL), is_threaded=False),
)
