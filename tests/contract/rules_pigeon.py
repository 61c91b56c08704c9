"""The rules of Pigeon Post, the imaginary API of the example package in ``pigeon_package``."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).with_name("pigeon_package")))

import http_rule as rule
from http_case import HttpCase, plain_outgoing
from http_lab import LabRequest, Reply, Rules, route
from pigeon_post import PigeonProvider

from tui_mailer.domain.message import Attachment
from tui_mailer.providers.base import Outgoing
from tui_mailer.providers.testing import SECRET, MemoryContent

MESSAGE: rule.Shape = {
    "from": rule.required(rule.mailbox),
    "to": rule.required(rule.listing(rule.mailbox, 1, 50)),
    "cc": rule.listing(rule.mailbox, 1),
    "bcc": rule.listing(rule.email, 1),
    "reply_to": rule.listing(rule.email, 1),
    "subject": rule.required(rule.text(200, 1)),
    "text": rule.text(shortest=1),
    "html": rule.text(shortest=1),
    "headers": rule.mapping(rule.text(998)),
    "files": rule.listing(
        rule.obj(
            {
                "name": rule.required(rule.text(255, 1)),
                "url": rule.url,
                "data": rule.base64_bytes(),
            }
        ),
        1,
        10,
    ),
    "breed": rule.text(20, 1),
    "send_at": rule.integer(1_000_000_000, 10_000_000_000),
}


class PigeonRules(Rules):
    """What Pigeon Post's server does."""

    def __init__(self) -> None:
        super().__init__()
        self.states: dict[str, dict[str, str]] = {}

    def authorize(self, request: LabRequest) -> Reply | None:
        return None if request.headers.get("x-pigeon-key") == SECRET else self.error(401, "Who are you?")

    def error(self, status: int, text: str, where: str = "") -> Reply:
        return Reply(status, {"error": {"message": text, "field": where}})

    @route("POST", "/v1/lofts/{loft}/messages")
    def send(self, request: LabRequest, loft: str) -> Reply:
        def act() -> Reply:
            document: dict[str, Any] = request.json
            rule.check(MESSAGE, document)
            if loft != "tower":
                return self.error(404, "There is no such loft.")
            self.stored.append(document)
            pigeon = f"p_{len(self.stored)}"
            everybody = [*document["to"], *document.get("cc", []), *document.get("bcc", [])]
            self.states[pigeon] = {
                one.rpartition("<")[2].rstrip(">"): "waiting" if "send_at" in document else "flying"
                for one in everybody
            }
            return Reply(202, {"id": pigeon})

        return self.once(request.headers.get("idempotency-key"), request.body, act)

    @route("GET", "/v1/me")
    def me(self, request: LabRequest) -> Reply:
        return Reply(200, {"senders": [{"address": "ada@example.org", "name": "Ada"}]})

    @route("GET", "/v1/messages/{pigeon}")
    def look(self, request: LabRequest, pigeon: str) -> Reply:
        if pigeon not in self.states:
            return self.error(404, "no such pigeon")
        recipients = [{"address": address, "state": state} for address, state in self.states[pigeon].items()]
        return Reply(200, {"id": pigeon, "recipients": recipients})

    @route("DELETE", "/v1/messages/{pigeon}")
    def cancel(self, request: LabRequest, pigeon: str) -> Reply:
        if not self.states.pop(pigeon, None):
            return self.error(409, "It has left.")
        return Reply(204)


def rich() -> Outgoing:
    """A message with all that Pigeon Post carries."""
    plan = MemoryContent(b"%PDF-1.7 plan" * 20_000)
    plain = plain_outgoing()
    message = replace(
        plain.message,
        html="<p>The engine</p>",
        headers=(("X-Loft", "east"),),
        in_reply_to="<1@example.net>",
        references=("<0@example.net>", "<1@example.net>"),
        attachments=(
            Attachment(name='pl"an ü.pdf', media_type="application/pdf", size=plan.size, sha256=plan.sha256),
            Attachment(name="map.png", media_type="image/png", url="https://example.org/map.png"),
        ),
        options={"breed": "racing"},
    )
    return replace(plain, message=message, contents={plan.sha256: plan})


CASE = HttpCase(
    provider=PigeonProvider,
    rules=PigeonRules,
    settings={"loft": "tower"},
    base_path="/v1",
    sends="POST /v1/lofts/",
    rich=rich,
)
