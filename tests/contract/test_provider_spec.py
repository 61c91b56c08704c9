"""Requests to Resend, SendGrid and Mailgun keep to the providers' own specs, with no field these don't name."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import rules_mailgun
import rules_resend
import rules_sendgrid
from http_case import HttpCase
from http_lab import LabRequest
from popular_message import raw_outgoing, templated_outgoing
from provider_spec import schema_at, troubles

from tui_mailer.providers.base import Outgoing
from tui_mailer.providers.testing import Recorder

pytestmark = pytest.mark.specs
SOON = datetime.now(UTC) + timedelta(hours=2)


def variants(case: HttpCase, template: str) -> list[Outgoing]:
    """A small message, one with everything, one for later, one by template."""
    assert case.rich
    plain, rich = case.outgoing("01JZZZZZZZZZZZZZZZZZZZZZZ1"), case.rich()
    return [plain, rich, replace(rich, not_before=SOON), templated_outgoing(template, subject="Welcome")]


async def requests_of(case: HttpCase, outgoing: Outgoing) -> list[LabRequest]:
    """Sends a message to the provider's lab and returns what arrived there."""
    async with case.running() as (lab, provider):
        await provider.send(provider.prepare(outgoing), Recorder())
        return lab.requests


@pytest.mark.parametrize("number", range(4))
async def test_resend(number: int) -> None:
    """What Resend gets is a SendEmailRequest, with a key no longer than it allows."""
    (request,) = await requests_of(rules_resend.CASE, variants(rules_resend.CASE, "welcome")[number])
    assert not troubles(schema_at("resend.yaml", "components", "schemas", "SendEmailRequest"), request.json)
    parameters = schema_at("resend.yaml", "paths", "/emails", "post")["parameters"]
    (key,) = [one for one in parameters if one["name"] == "Idempotency-Key"]
    assert not troubles(key["schema"], request.headers["idempotency-key"])


@pytest.mark.parametrize("number", range(4))
async def test_sendgrid(number: int) -> None:
    """What SendGrid gets is a mail send request; the batch before it has the path of the spec."""
    requests = await requests_of(rules_sendgrid.CASE, variants(rules_sendgrid.CASE, "d-123")[number])
    body = ("components", "requestBodies", "PostMailSend", "content", "application/json", "schema")
    assert not troubles(schema_at("tsg_mail_v3.json", *body), requests[-1].json)
    for request in requests:
        assert schema_at("tsg_mail_v3.json", "paths", request.path)[request.method.lower()]


async def test_a_cancellation_at_sendgrid() -> None:
    """Taking a message back is the request that the spec describes."""
    case = rules_sendgrid.CASE
    assert case.rich
    async with case.running() as (lab, provider):
        receipt = await provider.send(provider.prepare(replace(case.rich(), not_before=SOON)), Recorder())
        await provider.cancel(receipt)
    place = ("paths", "/v3/user/scheduled_sends", "post", "requestBody", "content", "application/json", "schema")
    assert not troubles(schema_at("tsg_scheduled_sends_v3.json", *place), lab.requests[-1].json)


def form_of(request: LabRequest) -> dict[str, Any]:
    """A form as the document its schema is about: parts of one name that is an array there, together."""
    document: dict[str, Any] = {}
    for part in request.form:
        value = part.body.decode("latin-1") if part.file_name else part.body.decode()
        if part.name in rules_mailgun.MANY:
            document.setdefault(part.name, []).append(value)
        else:
            document[part.name] = value
    return document


@pytest.mark.parametrize("number", range(5))
async def test_mailgun(number: int) -> None:
    """What Mailgun gets is the form its spec describes, all fields by the names it gives or by its prefixes."""
    outgoing = [*variants(rules_mailgun.CASE, "welcome"), raw_outgoing(b"Subject: x\r\n\r\n")][number]
    (request,) = await requests_of(rules_mailgun.CASE, outgoing)
    path = request.path.replace("mg.example.org", "{domain_name}")
    place = ("paths", path, "post", "requestBody", "content", "multipart/form-data", "schema")
    schema = schema_at("mailgun.yaml", *place)
    document = form_of(request)
    assert not troubles(schema, document)
    unknown = [name for name in document if name not in schema["properties"] and not re.match("[hv]:", name)]
    assert not unknown
