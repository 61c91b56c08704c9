"""The rules of Rebilly's email messages and delivery settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import http_rule as rule
from http_case import HttpCase, plain_outgoing
from http_lab import LabRequest, Reply, Rules, route

from tui_mailer.domain.address import Address
from tui_mailer.domain.message import Attachment
from tui_mailer.providers.base import Outgoing
from tui_mailer.providers.rebilly import RebillyProvider
from tui_mailer.providers.testing import SECRET, make_outgoing

ORGANIZATION = "org-1"
BASE = f"/organizations/{ORGANIZATION}"
ADDRESSES = rule.listing(rule.email, 1)
DRAFT: rule.Shape = {
    "from": rule.required(rule.email),
    "to": rule.required(ADDRESSES),
    "cc": ADDRESSES,
    "bcc": ADDRESSES,
    "subject": rule.required(rule.text(998, 1)),
    "text": rule.required(rule.text(shortest=1)),
    "html": rule.required(rule.text(shortest=1)),
    "status": rule.choice("draft"),
    "metadata": rule.mapping(rule.text()),
    "credentialHash": rule.text(shortest=1),
    "attachments": rule.listing(
        rule.obj({"resourceType": rule.required(rule.text(shortest=1)), "resourceId": rule.required(rule.text(50, 1))}),
        1,
    ),
}


class RebillyRules(Rules):
    """What Rebilly's server does: only what is in the outbox counts as stored."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[str, dict[str, Any]] = {}
        self.settings = [
            {
                "id": "mail_dst_1",
                "from": "ada@example.org",
                "name": "Ada Lovelace",
                "status": "verified",
                "provider": "smtp",
                "isDefault": True,
            },
            {"id": "mail_dst_2", "from": "new@example.org", "name": "New", "status": "pending", "provider": "rebilly"},
        ]

    def authorize(self, request: LabRequest) -> Reply | None:
        return None if request.headers.get("reb-apikey") == SECRET else self.error(401, "Invalid API key")

    def error(self, status: int, text: str, where: str = "") -> Reply:
        problem: dict[str, Any] = {
            "type": "about:blank",
            "title": "Invalid data was sent" if where else "It can't be done",
            "status": status,
            "detail": f"{text}",
            "instance": "req-1",
        }
        if where:
            problem["invalidFields"] = [{"field": where, "message": text}]
        return Reply(status, problem, {"content-type": "application/problem+json"})

    @route("POST", f"{BASE}/email-messages")
    def make(self, request: LabRequest) -> Reply:
        document = request.json
        rule.check(DRAFT, document)
        number = f"mail_msg_{len(self.messages) + 1}"
        message = {
            "status": "draft",
            **document,
            "id": number,
            "responseCode": None,
            "responseBody": None,
            "initiatedTime": None,
            "createdTime": "2026-11-26T05:00:00Z",
            "_links": [{"rel": "self", "href": f"https://api.rebilly.com{BASE}/email-messages/{number}"}],
        }
        self.messages[number] = message
        return Reply(201, message, {"location": f"{BASE}/email-messages/{number}"})

    @route("PATCH", f"{BASE}/email-messages/{{number}}")
    def send(self, request: LabRequest, number: str) -> Reply:
        rule.check({"status": rule.required(rule.choice("outbox"))}, request.json)
        message = self.messages.get(number)
        if message is None:
            return self.error(404, "There is no such message")
        if message["status"] != "draft":
            return self.error(409, f"It is {message['status']} already")
        self.stored.append(message)
        message |= {"status": "outbox", "initiatedTime": "2026-11-26T05:00:01Z"}
        return Reply(200, message)

    @route("GET", f"{BASE}/email-messages/{{number}}")
    def look(self, request: LabRequest, number: str) -> Reply:
        message = self.messages.get(number)
        return self.error(404, "There is no such message") if message is None else Reply(200, message)

    @route("DELETE", f"{BASE}/email-messages/{{number}}")
    def delete(self, request: LabRequest, number: str) -> Reply:
        if number not in self.messages:
            return self.error(404, "There is no such message")
        if self.messages[number]["status"] != "draft":
            return self.error(409, "It isn't a draft any more")
        del self.messages[number]
        return Reply(204)

    @route("GET", f"{BASE}/email-delivery-settings")
    def senders(self, request: LabRequest) -> Reply:
        return Reply(200, self.settings, {"pagination-total": str(len(self.settings))})


def rich() -> Outgoing:
    """All that Rebilly carries."""
    message = replace(
        plain_outgoing().message,
        html="<p>The engine weaves.</p>",
        cc=(Address("carol", "example.net", "Carol"),),
        bcc=(Address("dan", "example.net"),),
        metadata={"customer": "C-1", "owner": "7"},
        attachments=(Attachment(name="INV-1", media_type="application/octet-stream", reference="invoice/INV-1"),),
        options={"credential_hash": "b120c2ca-6c2b-4690-9dff-3b0d87852dc7"},
    )
    return make_outgoing(message)


CASE = HttpCase(
    provider=RebillyProvider,
    rules=RebillyRules,
    settings={"organization_id": ORGANIZATION},
    base_path=BASE,
    sends=f"PATCH {BASE}/email-messages/",
    rich=rich,
)
