"""The rules of SendGrid's server."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import http_rule as rule
from http_case import HttpCase
from http_lab import LabRequest, Reply, Rules, route
from popular_message import CAROL, DAVE, rich_outgoing

from tui_mailer.providers.sendgrid import SendGridProvider
from tui_mailer.providers.testing import SECRET

MAILBOX = rule.obj({"email": rule.required(rule.email), "name": rule.text()})
RESERVED = {
    *("x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding"),
    *("to", "from", "subject", "reply-to", "cc", "bcc"),
}
SWITCH: rule.Shape = {"enable": rule.required(rule.boolean)}
MAIL: rule.Shape = {
    "personalizations": rule.required(
        rule.listing(
            rule.obj(
                {
                    "to": rule.required(rule.listing(MAILBOX, 1, 1000)),
                    "cc": rule.listing(MAILBOX, 1, 1000),
                    "bcc": rule.listing(MAILBOX, 1, 1000),
                    "custom_args": rule.mapping(rule.text()),
                    "dynamic_template_data": rule.mapping(rule.anything),
                    "substitutions": rule.mapping(rule.text()),
                }
            ),
            1,
            1000,
        )
    ),
    "from": rule.required(MAILBOX),
    "reply_to": MAILBOX,
    "reply_to_list": rule.listing(MAILBOX, 1, 1000),
    "subject": rule.text(shortest=1),
    "content": rule.listing(
        rule.obj({"type": rule.required(rule.text(shortest=1)), "value": rule.required(rule.text(shortest=1))}), 1
    ),
    "attachments": rule.listing(
        rule.obj(
            {
                "content": rule.required(rule.base64_bytes()),
                "type": rule.text(shortest=1),
                "filename": rule.required(rule.text(shortest=1)),
                "disposition": rule.choice("inline", "attachment"),
                "content_id": rule.text(shortest=1),
            }
        ),
        1,
    ),
    "headers": rule.mapping(rule.text()),
    "categories": rule.listing(rule.text(255, 1), 1, 10),
    "send_at": rule.integer(1_000_000_000),
    "batch_id": rule.text(shortest=1),
    "template_id": rule.text(shortest=1),
    "asm": rule.obj({"group_id": rule.required(rule.integer())}),
    "ip_pool_name": rule.text(64, 2),
    "mail_settings": rule.obj({"sandbox_mode": rule.obj(SWITCH)}),
    "tracking_settings": rule.obj(
        {
            "click_tracking": rule.obj({**SWITCH, "enable_text": rule.boolean}),
            "open_tracking": rule.obj(SWITCH),
            "subscription_tracking": rule.obj(SWITCH),
        }
    ),
}


class SendGridRules(Rules):
    """What SendGrid's server does; ``has_activity`` is the add-on that status needs."""

    def __init__(self) -> None:
        super().__init__()
        self.has_activity = True
        self.scopes = ["mail.send", "scopes.read"]
        self.batches: dict[str, str] = {}
        self.states: dict[str, dict[str, Any]] = {}

    def authorize(self, request: LabRequest) -> Reply | None:
        is_known = request.headers.get("authorization") == f"Bearer {SECRET}"
        return None if is_known else self.error(401, "authorization required")

    def error(self, status: int, text: str, where: str = "") -> Reply:
        return Reply(status, {"errors": [{"message": text, "field": where or None, "help": None}]})

    def invalid_status(self) -> int:
        return 400

    @route("POST", "/v3/mail/batch")
    def batch(self, request: LabRequest) -> Reply:
        batch_id = f"HkJ5yLYULb7Rj8GKSx7u025ouWVlM{len(self.batches)}"
        self.batches[batch_id] = ""
        return Reply(201, {"batch_id": batch_id})

    @route("POST", "/v3/mail/send")
    def send(self, request: LabRequest) -> Reply:
        document: dict[str, Any] = request.json
        rule.check(MAIL, document)
        self._check_together(document)
        if document.get("mail_settings", {}).get("sandbox_mode", {}).get("enable"):
            return Reply(200)
        self.stored.append(document)
        message_id = f"14c5d75ce93.dfd.{len(self.stored)}"
        self.states[message_id] = {"msg_id": message_id, "status": "processed", "events": []}
        return Reply(202, headers={"X-Message-Id": message_id})

    def _check_together(self, document: dict[str, Any]) -> None:
        if "reply_to" in document and "reply_to_list" in document:
            raise rule.Invalid("reply_to", "is used together with reply_to_list")
        if "template_id" not in document and not ("subject" in document and "content" in document):
            raise rule.Invalid("subject", "subject and content are required without a template")
        kinds = [part["type"] for part in document.get("content", [])]
        if kinds not in ([], ["text/plain"], ["text/html"], ["text/plain", "text/html"]):
            raise rule.Invalid("content", "If present, text/plain must be first, followed by text/html")
        if taken := [name for name in document.get("headers", {}) if name.lower() in RESERVED]:
            raise rule.Invalid(f"headers.{taken[0]}", "is reserved")
        envelope = document["personalizations"][0]
        everybody = [one["email"].lower() for kind in ("to", "cc", "bcc") for one in envelope.get(kind, [])]
        if len(everybody) != len(set(everybody)):
            raise rule.Invalid("personalizations", "each address must be unique between to, cc and bcc")
        if document.get("send_at", 0) > datetime.now(UTC).timestamp() + 72 * 3600:
            raise rule.Invalid("send_at", "Scheduling more than 72 hours in advance is not permitted")
        if "batch_id" in document and document["batch_id"] not in self.batches:
            raise rule.Invalid("batch_id", "invalid batch id")

    @route("POST", "/v3/user/scheduled_sends")
    def stop(self, request: LabRequest) -> Reply:
        shape: rule.Shape = {
            "batch_id": rule.required(rule.text(shortest=1)),
            "status": rule.required(rule.choice("cancel", "pause")),
        }
        rule.check(shape, request.json)
        batch_id = request.json["batch_id"]
        if self.batches.get(batch_id) != "":
            return self.error(400, "batch id is unknown or has a status already", "batch_id")
        self.batches[batch_id] = request.json["status"]
        return Reply(201, request.json)

    @route("GET", "/v3/user/scheduled_sends/{batch_id}")
    def stopped(self, request: LabRequest, batch_id: str) -> Reply:
        status = self.batches.get(batch_id)
        return Reply(200, [{"batch_id": batch_id, "status": status}] if status else [])

    @route("GET", "/v3/messages/{message_id}")
    def look(self, request: LabRequest, message_id: str) -> Reply:
        if not self.has_activity:
            return self.error(403, "access forbidden")
        if message_id not in self.states:
            return self.error(404, "not found")
        return Reply(200, self.states[message_id])

    @route("GET", "/v3/messages")
    def search(self, request: LabRequest) -> Reply:
        if not self.has_activity:
            return self.error(403, "access forbidden")
        found = re.fullmatch(r"msg_id LIKE '([\w.-]+)%'", request.query["query"])
        if not found or not 1 <= int(request.query["limit"]) <= 1000:
            return self.error(400, "invalid query")
        rows = [one for key, one in self.states.items() if key.startswith(found[1])]
        return Reply(200, {"messages": rows})

    @route("GET", "/v3/scopes")
    def list_scopes(self, request: LabRequest) -> Reply:
        return Reply(200, {"scopes": self.scopes})

    @route("GET", "/v3/verified_senders")
    def senders(self, request: LabRequest) -> Reply:
        return Reply(200, {"results": [{"id": 1, "from_email": "ada@example.org", "verified": True}]})

    @route("GET", "/v3/templates")
    def templates(self, request: LabRequest) -> Reply:
        return Reply(200, {"result": [{"id": "d-123", "name": "Welcome", "generation": "dynamic"}]})


CASE = HttpCase(
    provider=SendGridProvider,
    rules=SendGridRules,
    sends="POST /v3/mail/send",
    rich=lambda: rich_outgoing(
        reply_to=(CAROL, DAVE),
        options={"asm_group_id": 7, "ip_pool_name": "pool", "open_tracking": True, "subscription_tracking": False},
    ),
)
