"""The rules of Whippy's Public API v1, as far as e-mail goes."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import http_rule as rule
from http_case import HttpCase
from http_lab import LabRequest, Reply, Rules, route
from rules_respond_io import plain

from tui_mailer.domain.address import Address
from tui_mailer.domain.message import Attachment
from tui_mailer.providers.base import Outgoing
from tui_mailer.providers.testing import SECRET, make_outgoing
from tui_mailer.providers.whippy import WhippyProvider

CHANNEL = "3f0c3f4e-2c5a-4a55-9a39-0d6f6f3b1a01"
CHANNEL_ADDRESS = "ada@example.org"
ADDRESSES = rule.listing(rule.email, 1)


def nullable_sender(value: Any, where: str) -> None:
    """Empty and null are ignored; an invalid address is refused (422)."""
    if value in (None, ""):
        return
    rule.text(254, pattern=r"[^\s@]+@[^\s@]+\.[A-Za-z]{2,}")(value, where)


MESSAGE: rule.Shape = {
    "to": rule.required(rule.email),
    "from": rule.required(rule.choice(CHANNEL, CHANNEL_ADDRESS)),
    "subject": rule.text(),
    "body": rule.text(shortest=1),
    "cc": ADDRESSES,
    "bcc": ADDRESSES,
    "attachments": rule.listing(rule.url, 1),
    "reply_to": rule.email,
    "sender_name": rule.text(shortest=1),
    "sender_email": nullable_sender,
    "schedule_at": rule.instant,
    "conversation_status": rule.choice("automated", "open"),
    "opt_in_to_all_channels": rule.boolean,
    "opt_in_to": rule.listing(rule.obj({"id": rule.required(rule.text(shortest=1)), "phone": rule.text()}), 1),
}


class WhippyRules(Rules):
    """What Whippy's server does; its message list is in pages of two, oldest first."""

    def __init__(self) -> None:
        super().__init__()
        self.contacts: dict[str, str] = {}
        self.messages: list[dict[str, Any]] = [
            {"id": f"old-{number}", "conversation_id": "conversation-bob@example.net", "delivery_status": "sent"}
            for number in range(3)
        ]
        self.has_list = True

    def authorize(self, request: LabRequest) -> Reply | None:
        return None if request.headers.get("x-whippy-key") == SECRET else self.error(401, "Not authenticated")

    def error(self, status: int, text: str, where: str = "") -> Reply:
        return Reply(status, {"errors": [{"description": f"{where} {text}".strip()}], "status": status})

    @route("POST", "/v1/messaging/email")
    def send(self, request: LabRequest) -> Reply:
        document = request.json
        rule.check(MESSAGE, document)
        if not document.get("body") and not document.get("attachments"):
            return self.error(422, "body or attachments are required")
        self.contacts.setdefault(document["to"], f"contact-{document['to']}")
        self.stored.append(document)
        message = {
            "id": f"message-{len(self.stored)}",
            "contact_id": self.contacts[document["to"]],
            "conversation_id": f"conversation-{document['to']}",
            "delivery_status": "queued",
        }
        self.messages.append(message)
        return Reply(201, {"data": message})

    @route("GET", "/v1/message/list")
    def list_messages(self, request: LabRequest) -> Reply:
        if not self.has_list:
            return self.error(404, "Not found")
        query = request.query
        if "conversation_id" not in query:
            return self.error(422, "filters must be repeated on every page")
        found = [one for one in self.messages if one["conversation_id"] == query["conversation_id"]]
        start = int(query.get("cursor", "0"))
        following = str(start + 2) if start + 2 < len(found) else None
        return Reply(200, {"data": found[start : start + 2], "cursor": following})

    @route("GET", "/v1/conversations/{conversation}/messages")
    def list_conversation(self, request: LabRequest, conversation: str) -> Reply:
        found = [one for one in self.messages if one["conversation_id"] == conversation]
        start, limit = int(request.query.get("offset", "0")), int(request.query.get("limit", "50"))
        return Reply(200, {"data": found[start : start + limit], "total": len(found)})

    @route("GET", "/v1/organization")
    def organization(self, request: LabRequest) -> Reply:
        return Reply(200, {"data": {"id": "org-1", "name": "Analytical Engines"}})

    @route("GET", "/v1/channels")
    def channels(self, request: LabRequest) -> Reply:
        return Reply(200, {"data": [{"id": CHANNEL, "name": "Support", "phone": None}], "organization_id": "org-1"})


def rich() -> Outgoing:
    """All that Whippy carries."""
    message = replace(
        plain().message,
        html="<p>The engine weaves.</p>",
        cc=(Address("carol", "example.net", "Carol"),),
        bcc=(Address("dan", "example.net"),),
        reply_to=(Address("office", "example.org"),),
        attachments=(Attachment(name="plan.pdf", media_type="application/pdf", url="https://example.org/plan.pdf"),),
        options={
            "sender_name": "The Office",
            "sender_email": "office@example.org",
            "conversation_status": "automated",
            "opt_in_to": [{"id": CHANNEL}],
        },
    )
    return replace(make_outgoing(message), not_before=datetime.now(UTC).replace(microsecond=0) + timedelta(days=2))


def is_instant(text: str) -> bool:
    """Whether it is a time in UTC, to the second."""
    return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text) is not None


CASE = HttpCase(
    provider=WhippyProvider,
    rules=WhippyRules,
    settings={"channel": CHANNEL},
    base_path="/v1",
    sends="POST /v1/messaging/email",
    outgoing=plain,
    rich=rich,
)
