"""The rules of Mailjet's server."""

from __future__ import annotations

import base64
from typing import Any

import http_rule as rule
from http_case import HttpCase
from http_lab import LabRequest, Reply, Rules, route
from popular_message import rich_outgoing

from tui_mailer.providers.mailjet import MailjetProvider
from tui_mailer.providers.testing import SECRET

PUBLIC_KEY = "0123456789abcdef0123456789abcdef"
MAILBOX = rule.obj({"Email": rule.required(rule.email), "Name": rule.text()})
FILE: rule.Shape = {
    "ContentType": rule.required(rule.text(shortest=3)),
    "Filename": rule.required(rule.text(shortest=1)),
    "Base64Content": rule.required(rule.base64_bytes()),
}
TRACKING = rule.choice("account_default", "disabled", "enabled")
MESSAGE: rule.Shape = {
    "From": rule.required(MAILBOX),
    "To": rule.required(rule.listing(MAILBOX, 1)),
    "Cc": rule.listing(MAILBOX, 1),
    "Bcc": rule.listing(MAILBOX, 1),
    "ReplyTo": MAILBOX,
    "Subject": rule.text(),
    "TextPart": rule.text(shortest=1),
    "HTMLPart": rule.text(shortest=1),
    "Attachments": rule.listing(rule.obj(FILE), 1),
    "InlinedAttachments": rule.listing(rule.obj({**FILE, "ContentID": rule.required(rule.text(shortest=1))}), 1),
    "Headers": rule.mapping(rule.text(shortest=1)),
    "CustomID": rule.text(255, 1),
    "EventPayload": rule.text(shortest=1),
    "Variables": rule.mapping(rule.anything),
    "TemplateID": rule.integer(1),
    "TemplateLanguage": rule.boolean,
    "CustomCampaign": rule.text(255, 1),
    "TrackOpens": TRACKING,
    "TrackClicks": TRACKING,
}
MAIL: rule.Shape = {
    "Messages": rule.required(rule.listing(rule.obj(MESSAGE), 1, 50)),
    "SandboxMode": rule.boolean,
}
RESERVED = {
    *("from", "sender", "subject", "to", "cc", "bcc", "return-path", "reply-to"),
    *("x-mailjet-prio", "x-mj-customid"),
}


class MailjetRules(Rules):
    """What Mailjet's server does; ``statuses`` are by message id."""

    def __init__(self) -> None:
        super().__init__()
        self.statuses: dict[str, str] = {}
        self.refusal: dict[str, Any] | None = None

    def authorize(self, request: LabRequest) -> Reply | None:
        wanted = base64.b64encode(f"{PUBLIC_KEY}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") == f"Basic {wanted}":
            return None
        return self.error(401, "API key authentication/authorization failure.")

    def error(self, status: int, text: str, where: str = "") -> Reply:
        told = {"ErrorIdentifier": "f987008f", "ErrorCode": "mj-0001", "StatusCode": status, "ErrorMessage": text}
        if not where:
            return Reply(status, told)
        return Reply(status, {"Messages": [{"Status": "error", "Errors": [{**told, "ErrorRelatedTo": [where]}]}]})

    def invalid_status(self) -> int:
        return 400

    @route("POST", "/v3.1/send")
    def send(self, request: LabRequest) -> Reply:
        document: dict[str, Any] = request.json
        rule.check(MAIL, document)
        message = document["Messages"][0]
        if not {"TextPart", "HTMLPart", "TemplateID"} & set(message):
            raise rule.Invalid("TextPart", 'At least "HTMLPart", "TextPart" or "TemplateID" must be provided.')
        if taken := RESERVED & {name.lower() for name in message.get("Headers", {})}:
            raise rule.Invalid(f"Headers.{taken.pop()}", "is reserved")
        everybody = [one for kind in ("To", "Cc", "Bcc") for one in message.get(kind, [])]
        if len(everybody) > 50:
            raise rule.Invalid("To", "50 recipients are allowed")
        if self.refusal is not None:
            return Reply(200, {"Messages": [{"Status": "error", "Errors": [self.refusal]}]})
        if not document.get("SandboxMode"):
            self.stored.append(document)
        told = {kind: [self._told(one["Email"]) for one in message.get(kind, [])] for kind in ("To", "Cc", "Bcc")}
        return Reply(200, {"Messages": [{"Status": "success", "CustomID": "", **told}]})

    def _told(self, address: str) -> dict[str, Any]:
        number = 456_000_000_000_000_000 + len(self.statuses)
        self.statuses[str(number)] = "queued"
        return {
            "Email": address,
            "MessageUUID": f"uuid-{number}",
            "MessageID": number,
            "MessageHref": f"https://api.mailjet.com/v3/REST/message/{number}",
        }

    @route("GET", "/v3/REST/message/{message_id}")
    def look(self, request: LabRequest, message_id: str) -> Reply:
        if message_id not in self.statuses:
            return self.error(404, "Object not found")
        row = {"ID": int(message_id), "Status": self.statuses[message_id]}
        return Reply(200, {"Count": 1, "Data": [row], "Total": 1})

    @route("GET", "/v3/REST/messagehistory/{message_id}")
    def history(self, request: LabRequest, message_id: str) -> Reply:
        event = {"EventType": "bounce", "EventAt": 1_795_000_000, "Comment": "user unknown"}
        return Reply(200, {"Count": 1, "Data": [event], "Total": 1})

    @route("GET", "/v3/REST/sender")
    def senders(self, request: LabRequest) -> Reply:
        rows = [{"ID": 1, "Email": "ada@example.org", "Status": "Active"}, {"Email": "x@y.z", "Status": "Deleted"}]
        return Reply(200, {"Count": 2, "Data": rows, "Total": 2})

    @route("GET", "/v3/REST/template")
    def templates(self, request: LabRequest) -> Reply:
        return Reply(200, {"Count": 1, "Data": [{"ID": 77, "Name": "Welcome"}], "Total": 1})


CASE = HttpCase(
    provider=MailjetProvider,
    rules=MailjetRules,
    settings={"api_key": PUBLIC_KEY},
    sends="POST /v3.1/send",
    rich=lambda: rich_outgoing(
        tags=(("team", "engine"),), options={"custom_campaign": "notes", "track_opens": "disabled"}
    ),
)
