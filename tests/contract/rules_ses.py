"""The rules of Amazon SES' server: botocore's own service model, and signatures that are really verified."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from functools import cache
from typing import Any

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.model import OperationModel
from botocore.validate import ParamValidator
from http_case import HttpCase
from http_lab import LabRequest, Reply, Rules, route
from popular_message import CAROL, DAVE, rich_outgoing

from tui_mailer.providers.ses import SesProvider
from tui_mailer.providers.testing import SECRET

KEY_ID = "AKIAEXAMPLE12345"
REGION = "eu-west-1"
AUTHORIZATION = re.compile(
    rf"AWS4-HMAC-SHA256 Credential={KEY_ID}/(\d{{8}}/{REGION}/ses/aws4_request), "
    r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})"
)


@cache
def operation(name: str) -> OperationModel:
    """One operation of the service model that ships with botocore."""
    return botocore.session.get_session().get_service_model("sesv2").operation_model(name)


def with_bytes(document: Any) -> Any:
    """Turns what travels in Base64 into the bytes that the model's parameters are."""
    if isinstance(document, list):
        return [with_bytes(one) for one in document]
    if not isinstance(document, dict):
        return document
    return {
        name: base64.b64decode(value, validate=True)
        if name in ("RawContent", "Data") and isinstance(value, str) and (name == "RawContent" or len(document) == 1)
        else with_bytes(value)
        for name, value in document.items()
    }


class SesRules(Rules):
    """What SES' server does; ``is_sandbox`` and ``has_insights`` are the account's."""

    def __init__(self) -> None:
        super().__init__()
        self.is_sandbox = False
        self.may_list = True
        self.insights: dict[str, list[dict[str, Any]]] = {}

    def authorize(self, request: LabRequest) -> Reply | None:
        found = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        if not found:
            return self.typed(403, "IncompleteSignatureException", "The authorization can't be read.")
        if not {"host", "x-amz-date"} <= set(found[2].split(";")):
            return self.typed(403, "IncompleteSignatureException", "host and x-amz-date must be signed.")
        if not hmac.compare_digest(self._signature(request, found[2], found[1]), found[3]):
            return self.typed(403, "InvalidSignatureException", "The request signature does not match.")
        return None

    def _signature(self, request: LabRequest, signed: str, scope: str) -> str:
        """Works the signature out from what came, by the steps of Signature Version 4."""
        values = {name: request.headers[name] for name in signed.split(";")}
        made = AWSRequest(method=request.method, url=f"https://{values['host']}{request.target}", headers=values)
        made.context["timestamp"] = values["x-amz-date"]
        auth = SigV4Auth(Credentials(KEY_ID, SECRET), "ses", REGION)
        auth.payload = lambda _: hashlib.sha256(request.body).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{values['x-amz-date']}\n{scope}\n"
        text += hashlib.sha256(auth.canonical_request(made).encode()).hexdigest()
        return auth.signature(text, made)

    def typed(self, status: int, kind: str, text: str) -> Reply:
        url = "http://internal.amazon.com/coral/com.amazonaws.services.sesv2/"
        return Reply(status, {"message": text}, {"x-amzn-errortype": f"{kind}:{url}"})

    def error(self, status: int, text: str, where: str = "") -> Reply:
        kinds = {404: "NotFoundException", 429: "TooManyRequestsException"}
        return self.typed(status, kinds.get(status, "BadRequestException"), f"{where}: {text}" if where else text)

    @route("POST", "/v2/email/outbound-emails")
    def send(self, request: LabRequest) -> Reply:
        document = request.json
        report = ParamValidator().validate(with_bytes(document), operation("SendEmail").input_shape)
        if report.has_errors():
            return self.error(400, report.generate_report())
        everybody = [one for listed in document["Destination"].values() for one in listed]
        if not 1 <= len(everybody) <= 50 or not all(one.isascii() for one in everybody):
            return self.error(400, "Recipients are 1 to 50, in ASCII.")
        content = document["Content"]
        if len(content) != 1:
            return self.error(400, "Exactly one of Simple, Raw and Template is allowed.")
        if "Simple" in content and not content["Simple"]["Body"]:
            return self.error(400, "Body is empty.")
        inside = next(iter(content.values()))
        for header in inside.get("Headers", []):
            if not re.fullmatch(r"[ -~]{1,995}", header["Value"]) or len(inside["Headers"]) > 15:
                return self.error(400, f"Header {header['Name']} is invalid.")
        if "@example.org" not in document["FromEmailAddress"]:
            return self.typed(400, "MessageRejected", "Email address is not verified.")
        self.stored.append(document)
        return Reply(200, {"MessageId": f"0102018e-{len(self.stored)}"})

    @route("GET", "/v2/email/account")
    def account(self, request: LabRequest) -> Reply:
        quota = {"Max24HourSend": 200.0, "MaxSendRate": 1.0, "SentLast24Hours": 0.0}
        is_open = not self.is_sandbox
        return Reply(200, {"SendingEnabled": True, "ProductionAccessEnabled": is_open, "SendQuota": quota})

    @route("POST", "/v2/email/list-identities")
    def identities(self, request: LabRequest) -> Reply:
        if not self.may_list:
            return self.typed(403, "AccessDeniedException", "not authorized to perform ses:ListEmailIdentities")
        if ParamValidator().validate(request.json, operation("ListEmailIdentities").input_shape).has_errors():
            return self.error(400, "unknown parameter")
        domain = {"IdentityType": "DOMAIN", "IdentityName": "example.org", "SendingEnabled": True}
        return Reply(200, {"EmailIdentities": [{**domain, "VerificationStatus": "SUCCESS"}]})

    @route("GET", "/v2/email/insights/{message_id}/")
    def look(self, request: LabRequest, message_id: str) -> Reply:
        if message_id not in self.insights:
            return self.error(404, "Message not found.")
        return Reply(200, {"MessageId": message_id, "Insights": self.insights[message_id]})

    @route("GET", "/v2/email/templates")
    def templates(self, request: LabRequest) -> Reply:
        return Reply(200, {"TemplatesMetadata": [{"TemplateName": "welcome", "CreatedTimestamp": 1.7e9}]})


CASE = HttpCase(
    provider=SesProvider,
    rules=SesRules,
    settings={"region": REGION, "access_key_id": KEY_ID, "configuration_set": "notes"},
    sends="POST /v2/email/outbound-emails",
    rich=lambda: rich_outgoing(
        reply_to=(CAROL, DAVE),
        options={"contact_list_name": "readers", "topic_name": "engine", "open_tracking": "DISABLED"},
    ),
)
