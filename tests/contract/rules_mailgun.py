"""The rules of Mailgun's server."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr, parsedate_to_datetime
from typing import Any

import http_rule as rule
from http_case import HttpCase
from http_lab import LabRequest, Part, Reply, Rules, route
from popular_message import CAROL, DAVE, rich_outgoing

from tui_mailer.providers.mailgun import MailgunProvider
from tui_mailer.providers.testing import SECRET

TOGGLE = rule.choice("yes", "no", "true", "false")
TRACKING = rule.choice("yes", "no", "true", "false", "htmlonly")
FIELDS: Mapping[str, rule.Check] = {
    "from": rule.mailbox,
    "to": rule.mailbox,
    "cc": rule.mailbox,
    "bcc": rule.mailbox,
    "subject": rule.text(),
    "text": rule.text(shortest=1),
    "html": rule.text(shortest=1),
    "template": rule.text(shortest=1),
    "t:version": rule.text(shortest=1),
    "t:variables": rule.text(pattern=r"\{.*\}"),
    "o:tag": rule.text(128, 1),
    "o:dkim": TOGGLE,
    "o:deliverytime": rule.text(pattern=r"\w{3}, \d{2} \w{3} \d{4} \d\d:\d\d:\d\d \+0000"),
    "o:deliver-within": rule.text(pattern=r"(\d+h)?(\d+m)?"),
    "o:testmode": rule.choice("yes"),
    "o:tracking": TRACKING,
    "o:tracking-clicks": TRACKING,
    "o:tracking-opens": TOGGLE,
    "o:require-tls": TOGGLE,
    "o:skip-verification": TOGGLE,
    "o:sending-ip": rule.text(shortest=7),
    "o:sending-ip-pool": rule.text(shortest=1),
}
FREE = re.compile(r"h:[A-Za-z][A-Za-z0-9-]*|v:.+")
MANY = {"to", "cc", "bcc", "o:tag", "attachment", "inline"}


class MailgunRules(Rules):
    """What Mailgun's server does."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []

    def authorize(self, request: LabRequest) -> Reply | None:
        wanted = base64.b64encode(f"api:{SECRET}".encode()).decode()
        return None if request.headers.get("authorization") == f"Basic {wanted}" else Reply(401, "Forbidden")

    def error(self, status: int, text: str, where: str = "") -> Reply:
        return Reply(status, {"message": f"{where} parameter is not valid: {text}" if where else text})

    def invalid_status(self) -> int:
        return 400

    @route("POST", "/v3/mg.example.org/messages")
    def send(self, request: LabRequest) -> Reply:
        parts = self._checked(request.form, {"attachment", "inline"})
        names = {part.name for part in parts}
        if missing := {"from", "to", "subject"} - names - ({"subject"} if "template" in names else set()):
            raise rule.Invalid(missing.pop(), "is missing")
        if not names & {"text", "html", "template"}:
            return self.error(400, "Need at least one of 'text', 'html', 'amp-html' or 'template' specified.")
        if "template" in names and "html" in names:
            return self.error(400, "Only one parameter 'html' or 'template' is allowed.")
        return self._take(parts)

    @route("POST", "/v3/mg.example.org/messages.mime")
    def send_raw(self, request: LabRequest) -> Reply:
        parts = self._checked(request.form, {"message"})
        if missing := {"to", "message"} - {part.name for part in parts}:
            raise rule.Invalid(missing.pop(), "is missing")
        return self._take(parts)

    def _checked(self, parts: list[Part], files: set[str]) -> list[Part]:
        for part in parts:
            if (part.file_name is not None) is not (part.name in files):
                raise rule.Invalid(part.name, "is or isn't a file")
            if part.name in files or FREE.fullmatch(part.name):
                continue
            if part.name not in FIELDS:
                raise rule.Invalid(part.name, "unknown parameter")
            FIELDS[part.name](part.body.decode(), part.name)
        once = [part.name for part in parts if part.name not in MANY]
        if len(once) != len(set(once)):
            raise rule.Invalid(max(once, key=once.count), "comes twice")
        extras = [part for part in parts if part.name[:2] in ("o:", "h:", "v:", "t:")]
        if sum(len(part.name.encode()) + len(part.body) for part in extras) > 16 * 1024:
            raise rule.Invalid("", "Send options (parameters starting with o:, h:, v: or t:) are limited to 16KB total")
        for part in parts:
            if part.name == "o:deliverytime":
                self._check_time(parsedate_to_datetime(part.body.decode()))
            if part.name == "t:variables":
                json.loads(part.body)
        return parts

    def _check_time(self, moment: datetime) -> None:
        if not timedelta(0) < moment - datetime.now(UTC) < timedelta(days=3, minutes=1):
            raise rule.Invalid("o:deliverytime", "must be within 3 days")

    def _take(self, parts: list[Part]) -> Reply:
        self.stored.append(parts)
        message_id = f"20261126.{len(self.stored)}.B31A451A2E5422BB@mg.example.org"
        for part in parts:
            if part.name in ("to", "cc", "bcc"):
                self.tell(message_id, "accepted", parseaddr(part.body.decode())[1])
        return Reply(200, {"id": f"<{message_id}>", "message": "Queued. Thank you."})

    def tell(self, message_id: str, event: str, recipient: str, **more: Any) -> None:
        """Adds an event."""
        happened = {
            "event": event,
            "recipient": recipient,
            "timestamp": 1_795_000_000.5 + len(self.events),
            "message": {"headers": {"message-id": message_id}},
        }
        self.events.append(happened | more)

    @route("GET", "/v3/mg.example.org/events")
    def list_events(self, request: LabRequest) -> Reply:
        known = {"begin", "end", "ascending", "limit", "event", "message-id", "recipient"}
        if unknown := set(request.query) - known:
            raise rule.Invalid(unknown.pop(), "unknown parameter")
        wanted = request.query["message-id"]
        items = [one for one in self.events if one["message"]["headers"]["message-id"] == wanted]
        return Reply(200, {"items": items, "paging": {"next": "https://api.mailgun.net/v3/x"}})

    @route("GET", "/v4/domains")
    def domains(self, request: LabRequest) -> Reply:
        return Reply(200, {"total_count": 1, "items": [{"name": "mg.example.org", "state": "active"}]})

    @route("GET", "/v3/mg.example.org/templates")
    def templates(self, request: LabRequest) -> Reply:
        return Reply(200, {"items": [{"name": "welcome", "description": "Welcome", "id": "48d63154"}], "paging": {}})


CASE = HttpCase(
    provider=MailgunProvider,
    rules=MailgunRules,
    settings={"domain": "mg.example.org"},
    sends="POST /v3/mg.example.org/messages",
    rich=lambda: rich_outgoing(
        reply_to=(CAROL, DAVE), options={"testmode": True, "tracking": "htmlonly", "deliver_within": "1h30m"}
    ),
)
