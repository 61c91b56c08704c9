"""The rules of Bird's Channels API for an e-mail channel, and of the storage that takes its uploads."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import http_rule as rule
from http_case import HttpCase, plain_outgoing
from http_lab import LabRequest, Reply, Rules, route

from tui_mailer.domain.address import Address
from tui_mailer.domain.message import Attachment
from tui_mailer.providers.base import Outgoing
from tui_mailer.providers.bird_channels import BirdChannelsProvider
from tui_mailer.providers.testing import SECRET, MemoryContent, make_outgoing

WORKSPACE = "a1405560-c8d3-4b1a-877d-3f449ad95352"
CHANNEL = "0f1c5560-c8d3-4b1a-877d-3f449ad95300"
CONTACT_ID = "5d0c5560-c8d3-4b1a-877d-3f449ad953aa"
BASE = f"/workspaces/{WORKSPACE}"
SPOTS = f"{BASE}/channels/{CHANNEL}"
ATTACHMENTS = rule.listing(
    rule.obj(
        {
            "mediaUrl": rule.required(rule.url),
            "filename": rule.required(rule.text(255, 1)),
            "inline": rule.boolean,
        }
    ),
    1,
)
HEADERS = rule.mapping(rule.text(shortest=1))
SENDER = rule.obj({"username": rule.text(64, 1, r"[^@]+"), "displayName": rule.text(shortest=1)})
TYPED = {"type": rule.choice("cc", "bcc")}
MESSAGE: rule.Shape = {
    "receiver": rule.required(
        rule.obj(
            {
                "contacts": rule.required(
                    rule.listing(
                        rule.either(
                            rule.obj(
                                {
                                    "identifierKey": rule.required(rule.choice("emailaddress")),
                                    "identifierValue": rule.required(rule.email),
                                    **TYPED,
                                }
                            ),
                            rule.obj({"id": rule.required(rule.text(36, 36)), **TYPED}),
                        ),
                        1,
                    )
                )
            }
        )
    ),
    "body": rule.either(
        rule.obj(
            {
                "type": rule.required(rule.choice("text")),
                "text": rule.required(
                    rule.obj(
                        {
                            "text": rule.required(rule.text(shortest=1)),
                            "metadata": rule.obj({"subject": rule.text(), "headers": HEADERS}),
                            "attachments": ATTACHMENTS,
                        }
                    )
                ),
            }
        ),
        rule.obj(
            {
                "type": rule.required(rule.choice("html")),
                "html": rule.required(
                    rule.obj(
                        {
                            "html": rule.required(rule.text(shortest=1)),
                            "text": rule.text(shortest=1),
                            "metadata": rule.obj({"subject": rule.text(), "headers": HEADERS, "emailFrom": SENDER}),
                            "attachments": ATTACHMENTS,
                        }
                    )
                ),
            }
        ),
    ),
    "template": rule.obj(
        {
            "projectId": rule.required(rule.text(shortest=1)),
            "version": rule.required(rule.text(shortest=1)),
            "locale": rule.required(rule.text(shortest=1)),
            "variables": rule.mapping(rule.text()),
            "parameters": rule.listing(rule.mapping(rule.anything), 1),
            "attachments": ATTACHMENTS,
        }
    ),
    "meta": rule.obj(
        {"extraInformation": rule.obj({"useCase": rule.choice("transactional", "otp", "conversation", "marketing")})}
    ),
    "reference": rule.text(shortest=1),
    "replyTo": rule.obj(
        {"id": rule.required(rule.text(shortest=1)), "order": rule.integer(0), "type": rule.choice("message")}
    ),
    "tags": rule.listing(rule.text(shortest=1), 1, 10),
    "scheduledFor": rule.instant,
    "validity": rule.integer(1),
    "enableLinkTracking": rule.boolean,
    "ignoreQuietHours": rule.boolean,
    "ignoreGlobalHoldout": rule.boolean,
    "capFrequency": rule.boolean,
    "notification": rule.mapping(rule.anything),
}


class BirdChannelsRules(Rules):
    """What Bird's server does, and the storage behind its presigned uploads (at the same address, without a key)."""

    def __init__(self) -> None:
        super().__init__()
        self.uploads: dict[str, bytes] = {}
        self.messages: dict[str, dict[str, Any]] = {}
        self.has_channel_upload = True
        self.channels = [{"id": CHANNEL, "name": "Support", "identifier": "mail.example.org", "status": "active"}]

    def authorize(self, request: LabRequest) -> Reply | None:
        given = request.headers.get("authorization")
        if request.path.startswith("/storage/"):
            return self.error(400, "two authorizations") if given else None
        return None if given == f"AccessKey {SECRET}" else self.error(401, "Unauthorized")

    def error(self, status: int, text: str, where: str = "") -> Reply:
        return Reply(status, {"code": "InvalidPayload", "message": text, "details": {where: [text]} if where else {}})

    @route("POST", f"{SPOTS}/messages")
    def send(self, request: LabRequest) -> Reply:
        document = request.json
        rule.check(MESSAGE, document)
        if ("body" in document) == ("template" in document):
            return self.error(422, "exactly one of body and template")
        if "useCase" not in document.get("meta", {}).get("extraInformation", {}):
            return self.error(422, "this would be marketing")
        if document.get("capFrequency") and document["meta"]["extraInformation"]["useCase"] != "marketing":
            return self.error(422, "capFrequency is for marketing")
        self._require_uploaded(document)
        when = document.get("scheduledFor")
        if when and datetime.fromisoformat(when) - datetime.now(UTC) > timedelta(days=35):
            return self.error(422, "too far", "scheduledFor")
        self.stored.append(document)
        message = {
            "id": f"message-{len(self.stored)}",
            "channelId": CHANNEL,
            "receiver": document["receiver"],
            "status": "scheduled" if when else "accepted",
            "reason": "",
            "lastStatusAt": "2026-11-26T05:00:00.123Z",
            "createdAt": "2026-11-26T05:00:00.123Z",
        }
        self.messages[message["id"]] = message
        return Reply(202, message)

    @route("GET", f"{SPOTS}/messages/{{number}}")
    def look(self, request: LabRequest, number: str) -> Reply:
        message = self.messages.get(number)
        return self.error(404, "no such message") if message is None else Reply(200, message)

    @route("POST", f"{SPOTS}/presigned-upload")
    def presign(self, request: LabRequest) -> Reply:
        return self._presigned(request) if self.has_channel_upload else self.error(404, "not found")

    @route("POST", f"{BASE}/channel-media/presigned-upload")
    def presign_for_workspace(self, request: LabRequest) -> Reply:
        return self._presigned(request)

    @route("POST", "/storage/bucket")
    def store(self, request: LabRequest) -> Reply:
        parts = request.form
        fields = {part.name: part.body.decode() for part in parts[:-1]}
        if parts[-1].name != "file" or parts[-1].file_name is None:
            return self.error(400, "the file comes last")
        if fields.get("policy") != "p0licy==" or "key" not in fields or fields.get("Content-Type") is None:
            return self.error(403, "the form's fields are missing")
        self.uploads[fields["key"]] = parts[-1].body
        return Reply(204)

    @route("GET", f"{BASE}/channels")
    def list_channels(self, request: LabRequest) -> Reply:
        if request.query.get("platform") != "email" or request.query.get("status") != "active":
            return self.error(422, "wrong filter")
        return Reply(200, {"results": self.channels, "nextPageToken": None})

    def _presigned(self, request: LabRequest) -> Reply:
        rule.check({"contentType": rule.required(rule.text(shortest=3))}, request.json)
        key = f"media/{len(self.uploads) + 1}"
        self.uploads[key] = b""
        return Reply(
            200,
            {
                "mediaUrl": f"https://media.api.bird.com/{key}",
                "uploadUrl": f"{self.url}/storage/bucket",
                "uploadMethod": "POST",
                "uploadFormData": {"key": key, "policy": "p0licy==", "Content-Type": request.json["contentType"]},
            },
        )

    def _require_uploaded(self, document: dict[str, Any]) -> None:
        content = document.get("template") or document["body"][document["body"]["type"]]
        for one in content.get("attachments", ()):
            found = one["mediaUrl"].removeprefix("https://media.api.bird.com/")
            if found != one["mediaUrl"] and not self.uploads.get(found):
                raise rule.Invalid("attachments", f"{found} was never uploaded")


def rich() -> Outgoing:
    """All that Bird's channels carry."""
    plan, logo = MemoryContent(b"%PDF-1.7 plan" * 20_000), MemoryContent(b"\x89PNG logo")
    message = replace(
        plain_outgoing().message,
        html='<p>The engine <img src="cid:logo.png"></p>',
        cc=(Address("carol", "example.net", "Carol"),),
        bcc=(Address("dan", "example.net"),),
        reply_to=(Address("office", "example.org", "The Office"),),
        headers=(("X-Loft", "east"),),
        in_reply_to="<1@example.net>",
        references=("<0@example.net>", "<1@example.net>"),
        tags=(("Spring", None),),
        attachments=(
            Attachment(name='pl"an ü.pdf', media_type="application/pdf", size=plan.size, sha256=plan.sha256),
            Attachment(name="a.png", media_type="image/png", size=logo.size, sha256=logo.sha256, content_id="logo.png"),
            Attachment(name="map.png", media_type="image/png", url="https://example.org/map.png"),
        ),
        options={
            "use_case": "conversation",
            "reference": "my-own-identifier",
            "reply_to": {"id": "message-0", "type": "message", "order": 0},
            "validity": 3600,
            "enable_link_tracking": False,
            "ignore_quiet_hours": True,
            "ignore_global_holdout": True,
            "notification": {"url": "https://example.org/hook"},
        },
    )
    outgoing = make_outgoing(message, (plan, logo))
    return replace(outgoing, not_before=datetime.now(UTC).replace(microsecond=0) + timedelta(days=2))


CASE = HttpCase(
    provider=BirdChannelsProvider,
    rules=BirdChannelsRules,
    settings={"workspace_id": WORKSPACE, "channel_id": CHANNEL},
    sends=f"POST {SPOTS}/messages",
    rich=rich,
)
