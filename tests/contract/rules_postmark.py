"""The rules of Postmark's server."""

from __future__ import annotations

from email.utils import getaddresses
from typing import Any

import http_rule as rule
from http_case import HttpCase
from http_lab import LabRequest, Reply, Rules, route
from popular_message import CAROL, DAVE, rich_outgoing

from tui_mailer.providers.postmark import PostmarkProvider
from tui_mailer.providers.testing import SECRET

COMMON: rule.Shape = {
    "From": rule.required(rule.mailbox),
    "To": rule.required(rule.text(shortest=3)),
    "Cc": rule.text(shortest=3),
    "Bcc": rule.text(shortest=3),
    "ReplyTo": rule.text(shortest=3),
    "Tag": rule.text(1000, 1),
    "Metadata": rule.mapping(rule.text(), 10),
    "Headers": rule.listing(
        rule.obj({"Name": rule.required(rule.text(shortest=1)), "Value": rule.required(rule.text())}), 1
    ),
    "Attachments": rule.listing(
        rule.obj(
            {
                "Name": rule.required(rule.text(shortest=1)),
                "Content": rule.required(rule.base64_bytes()),
                "ContentType": rule.required(rule.text(shortest=3)),
                "ContentID": rule.text(pattern=r"cid:\S+"),
            }
        ),
        1,
    ),
    "MessageStream": rule.text(shortest=1),
    "TrackOpens": rule.boolean,
    "TrackLinks": rule.choice("None", "HtmlAndText", "HtmlOnly", "TextOnly"),
}
EMAIL: rule.Shape = {
    **COMMON,
    "Subject": rule.text(2000),
    "HtmlBody": rule.text(shortest=1),
    "TextBody": rule.text(shortest=1),
}
TEMPLATED: rule.Shape = {
    **COMMON,
    "TemplateId": rule.integer(1),
    "TemplateAlias": rule.text(pattern=r"[A-Za-z][A-Za-z0-9._-]*"),
    "TemplateModel": rule.required(rule.mapping(rule.anything)),
}


class PostmarkRules(Rules):
    """What Postmark's server does; ``inactive`` are addresses that bounced before."""

    def __init__(self) -> None:
        super().__init__()
        self.inactive: set[str] = set()
        self.events: list[dict[str, Any]] = []

    def authorize(self, request: LabRequest) -> Reply | None:
        if request.headers.get("x-postmark-server-token") != SECRET:
            return Reply(401, {"ErrorCode": 10, "Message": "Bad or missing Server API token."})
        if request.headers.get("accept") != "application/json":
            return Reply(406, "Not Acceptable")
        return None

    def error(self, status: int, text: str, where: str = "") -> Reply:
        return Reply(status, {"ErrorCode": 300, "Message": f"Invalid '{where}': {text}" if where else text})

    @route("POST", "/email")
    def send(self, request: LabRequest) -> Reply:
        rule.check(EMAIL, request.json)
        if not {"HtmlBody", "TextBody"} & set(request.json):
            raise rule.Invalid("TextBody", "Provide either email TextBody or HtmlBody or both.")
        return self._take(request.json)

    @route("POST", "/email/withTemplate")
    def send_template(self, request: LabRequest) -> Reply:
        rule.check(TEMPLATED, request.json)
        if ("TemplateId" in request.json) is ("TemplateAlias" in request.json):
            raise rule.Invalid("TemplateId", "either TemplateId or TemplateAlias is required")
        return self._take(request.json)

    def _take(self, document: dict[str, Any]) -> Reply:
        lists = [document[kind] for kind in ("To", "Cc", "Bcc") if kind in document]
        everybody = [address for _, address in getaddresses(lists)]
        for address in everybody:
            rule.email(address, "To")
        if len(everybody) > 50:
            return self.error(422, "You may only send to 50 recipients.")
        turned_away = [address for address in everybody if address in self.inactive]
        if len(turned_away) == len(everybody):
            found = f"Found inactive addresses: {', '.join(turned_away)}. "
            text = f"You tried to send to recipient(s) that have been marked as inactive. {found}Inactive recipients"
            return Reply(422, {"ErrorCode": 406, "Message": f"{text} are ones that have generated a hard bounce."})
        self.stored.append(document)
        text = f"Message OK, but will not deliver to these inactive addresses: {', '.join(turned_away)}."
        answer = {"To": document["To"], "SubmittedAt": "2026-11-26T07:25:01.4178645-05:00", "ErrorCode": 0}
        message_id = f"0a129aee-{len(self.stored)}"
        return Reply(200, {**answer, "MessageID": message_id, "Message": text if turned_away else "OK"})

    @route("GET", "/messages/outbound/{message_id}/details")
    def look(self, request: LabRequest, message_id: str) -> Reply:
        if message_id != f"0a129aee-{len(self.stored)}":
            return Reply(422, {"ErrorCode": 701, "Message": "This message was not found."})
        return Reply(200, {"MessageID": message_id, "Status": "Sent", "MessageEvents": self.events})

    @route("GET", "/server")
    def server(self, request: LabRequest) -> Reply:
        return Reply(200, {"ID": 1, "Name": "Staging", "DeliveryType": "Live"})

    @route("GET", "/templates")
    def templates(self, request: LabRequest) -> Reply:
        if not {"count", "offset"} <= set(request.query):
            raise rule.Invalid("count", "count and offset are required")
        rows = [{"TemplateId": 1234, "Alias": "welcome", "Name": "Welcome", "Active": True}]
        return Reply(200, {"TotalCount": 1, "Templates": rows})


CASE = HttpCase(
    provider=PostmarkProvider,
    rules=PostmarkRules,
    settings={"message_stream": "outbound"},
    sends="POST /email",
    rich=lambda: rich_outgoing(
        reply_to=(CAROL, DAVE), tags=(("team", "engine"),), options={"track_opens": True, "track_links": "HtmlOnly"}
    ),
)
