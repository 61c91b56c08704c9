"""The rules of respond.io's Developer API v2, as far as e-mail goes."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import Any

import http_rule as rule
from http_case import HttpCase
from http_lab import LabRequest, Reply, Rules, route

from tui_mailer.domain.address import Address
from tui_mailer.domain.message import Attachment
from tui_mailer.providers.base import Outgoing
from tui_mailer.providers.respond_io import RespondIoProvider
from tui_mailer.providers.testing import SECRET, make_message, make_outgoing

CHANNEL = 40_771
ADDRESSES = rule.listing(rule.email, 1)
MESSAGE: rule.Shape = {
    "channelId": rule.required(rule.integer(1)),
    "message": rule.required(
        rule.obj(
            {
                "type": rule.required(rule.choice("email")),
                "text": rule.required(rule.text()),
                "subject": rule.text(shortest=1),
                "cc": ADDRESSES,
                "bcc": ADDRESSES,
                "replyToMessageId": rule.integer(1),
                "attachments": rule.listing(
                    rule.obj(
                        {
                            "type": rule.required(rule.choice("image", "video", "audio", "file")),
                            "url": rule.required(rule.url),
                            "fileName": rule.required(rule.text(shortest=1)),
                        }
                    ),
                    1,
                ),
            }
        )
    ),
}
CONTACT: rule.Shape = {
    "firstName": rule.required(rule.text(shortest=1)),
    "lastName": rule.text(shortest=1),
    "email": rule.email,
    "phone": rule.text(pattern=r"\+\d+"),
}


class RespondIoRules(Rules):
    """What respond.io's server does: contacts it doesn't know are 404."""

    def __init__(self) -> None:
        super().__init__()
        self.contacts = {"email:bob@example.net", "id:123", "phone:+60121233112"}
        self.histories: dict[str, list[dict[str, Any]]] = {}
        self.channels = [
            {"id": 7, "name": "Chat", "source": "whatsapp_cloud", "created_at": 1},
            {"id": CHANNEL, "name": "Support", "source": "gmail", "created_at": 1},
        ]
        self._numbers = itertools.count(1_764_140_000_000_001)

    def authorize(self, request: LabRequest) -> Reply | None:
        known = request.headers.get("authorization") == f"Bearer {SECRET}"
        return None if known else self.error(401, "Invalid access token")

    def error(self, status: int, text: str, where: str = "") -> Reply:
        return Reply(status, {"code": status, "message": f"{where} {text}".strip()})

    def invalid_status(self) -> int:
        return 400

    @route("POST", "/v2/contact/{identifier}/message")
    def send(self, request: LabRequest, identifier: str) -> Reply:
        self._require_identifier(identifier)
        rule.check(MESSAGE, request.json)
        if identifier not in self.contacts:
            return self.error(404, "Contact not found")
        if request.json["channelId"] != CHANNEL:
            return self.error(400, "Channel not found")
        number = next(self._numbers)
        self.stored.append({"to": identifier, **request.json})
        self.histories[f"{identifier} {number}"] = [{"value": "pending", "timestamp": 1_764_140_000}]
        return Reply(200, {"messageId": number})

    @route("POST", "/v2/contact/create_or_update/{identifier}")
    def make_contact(self, request: LabRequest, identifier: str) -> Reply:
        self._require_identifier(identifier)
        rule.check(CONTACT, request.json)
        self.contacts.add(identifier)
        return Reply(200, {"contactId": len(self.contacts)})

    @route("GET", "/v2/contact/{identifier}/message/{number}")
    def look(self, request: LabRequest, identifier: str, number: str) -> Reply:
        history = self.histories.get(f"{identifier} {number}")
        if history is None:
            return self.error(404, "Message not found")
        return Reply(
            200,
            {
                "messageId": int(number),
                "contactId": 5,
                "channelId": CHANNEL,
                "traffic": "outgoing",
                "message": {"type": "email"},
                "status": history,
                "sender": {"source": "api"},
            },
        )

    @route("GET", "/v2/space/user")
    def users(self, request: LabRequest) -> Reply:
        return Reply(200, {"items": [{"id": 1, "firstName": "Ada"}], "pagination": {"next": "", "previous": ""}})

    @route("GET", "/v2/space/channel")
    def list_channels(self, request: LabRequest) -> Reply:
        """One a page: the next page is a whole URL."""
        start = int(request.query.get("cursorId", "0"))
        page = {"items": self.channels[start : start + 1], "pagination": {"next": "", "previous": ""}}
        if start + 1 < len(self.channels):
            page["pagination"]["next"] = f"https://api.respond.io/v2/space/channel?limit=1&cursorId={start + 1}"
        return Reply(200, page)

    @staticmethod
    def _require_identifier(identifier: str) -> None:
        if not re.fullmatch(r"id:\d+|email:[^\s@]+@[^\s@]+|phone:\+\d+", identifier):
            raise rule.Invalid("identifier", f"{identifier!r} names no contact")


def plain(submission_id: str = "01JZZZZZZZZZZZZZZZZZZZZZZ1") -> Outgoing:
    """To one, as everything at respond.io is."""
    return make_outgoing(replace(make_message(submission_id), to=(Address("bob", "example.net"),)))


def rich() -> Outgoing:
    """All that respond.io carries."""
    message = replace(
        plain().message,
        cc=(Address("carol", "example.net", "Carol"),),
        bcc=(Address("dan", "example.net"),),
        attachments=(
            Attachment(name="plan.pdf", media_type="application/pdf", url="https://example.org/plan.pdf"),
            Attachment(name="map.png", media_type="image/png", url="https://example.org/map.png"),
            Attachment(name="talk.mp3", media_type="audio/mpeg", url="https://example.org/talk.mp3"),
        ),
        options={"reply_to_message_id": 1_764_139_000_000_000},
    )
    return make_outgoing(message)


CASE = HttpCase(
    provider=RespondIoProvider,
    rules=RespondIoRules,
    settings={"channel_id": CHANNEL},
    base_path="/v2",
    sends="POST /v2/contact/",
    outgoing=plain,
    rich=rich,
)
