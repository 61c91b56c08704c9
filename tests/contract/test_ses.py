"""Amazon SES' own ways: signed requests, encoded names, typed errors, the sandbox, insights."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from http_lab import HttpLab, Reply
from popular_message import CAROL, DAVE, PLAN, raw_outgoing, rich_outgoing, templated_outgoing
from rules_ses import CASE, SesRules

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import DeliveryError, NotAuthorized, OutcomeUncertain, Rejected, TryLater, Unsupported
from tui_mailer.domain.submission import RecipientStatus
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.testing import FixedSecret, Recorder, make_message, make_outgoing


@pytest.fixture
def rules() -> SesRules:
    return SesRules()


@pytest.fixture
async def lab(rules: SesRules) -> AsyncIterator[HttpLab]:
    async with HttpLab(rules) as lab:
        yield lab


@pytest.fixture
async def provider(lab: HttpLab) -> AsyncIterator[HttpProvider]:
    provider = CASE.make(lab)
    yield provider
    await provider.close()


async def test_the_request_is_the_one_documented(lab: HttpLab, provider: HttpProvider) -> None:
    """Every field stands where Amazon's page puts it, names that aren't ASCII as encoded words."""
    await provider.send(provider.prepare(rich_outgoing(reply_to=(CAROL, DAVE))), Recorder())
    document = lab.requests[0].json
    files = document["Content"]["Simple"]["Attachments"]
    assert len(base64.b64decode(files[0].pop("RawContent"))) == PLAN.size
    del files[1]["RawContent"]
    assert document == {
        "FromEmailAddress": '"Ada \\"the Countess\\" Lovelace, Esq." <ada@example.org>',
        "Destination": {
            "ToAddresses": ["=?utf-8?b?zpHOu8+GzrE=?= <alpha@xn--bcher-kva.example>", "Eve <eve@example.net>"],
            "CcAddresses": ["Carol <carol@example.net>"],
            "BccAddresses": ["dave@example.net"],
        },
        "Content": {
            "Simple": {
                "Subject": {"Data": "Notes on the engine \u2014 No. 7", "Charset": "UTF-8"},
                "Body": {
                    "Text": {"Data": "The engine weaves algebraic patterns.\n", "Charset": "UTF-8"},
                    "Html": {"Data": '<p>The engine weaves <img src="cid:logo"></p>', "Charset": "UTF-8"},
                },
                "Headers": [
                    {"Name": "In-Reply-To", "Value": "<1@example.net>"},
                    {"Name": "References", "Value": "<0@example.net> <1@example.net>"},
                    {"Name": "X-Loom", "Value": "east"},
                ],
                "Attachments": [
                    {
                        "FileName": "pl\u00e4n, v2.pdf",
                        "ContentType": "application/pdf",
                        "ContentTransferEncoding": "BASE64",
                        "ContentDisposition": "ATTACHMENT",
                    },
                    {
                        "FileName": "logo.png",
                        "ContentType": "image/png",
                        "ContentTransferEncoding": "BASE64",
                        "ContentDisposition": "INLINE",
                        "ContentId": "logo",
                    },
                ],
            }
        },
        "ReplyToAddresses": ["Carol <carol@example.net>", "dave@example.net"],
        "EmailTags": [{"Name": "spring", "Value": "true"}, {"Name": "team", "Value": "engine"}],
        "ConfigurationSetName": "notes",
    }


async def test_a_ready_made_message_stays_byte_for_byte(lab: HttpLab, provider: HttpProvider) -> None:
    """What came through sendmail is sent raw, to its envelope."""
    octets = b"From: ada@example.org\r\nSubject: x\r\n\r\n8-bit: \xe4\r\n"
    await provider.send(provider.prepare(raw_outgoing(octets)), Recorder())
    document = lab.requests[0].json
    assert base64.b64decode(document["Content"]["Raw"]["Data"]) == octets
    assert document["Destination"] == {"ToAddresses": ["bob@example.net"]}


async def test_a_template_brings_its_subject(lab: HttpLab, provider: HttpProvider) -> None:
    """Variables travel as one JSON text, and a subject of one's own is refused rather than dropped."""
    await provider.send(provider.prepare(templated_outgoing("welcome")), Recorder())
    template = {"TemplateName": "welcome", "TemplateData": '{"name": "Bob"}'}
    assert lab.requests[0].json["Content"] == {"Template": template}
    with pytest.raises(Unsupported, match="brings the subject"):
        provider.prepare(templated_outgoing("welcome", subject="Mine"))


async def test_a_header_that_is_not_ascii_is_encoded(lab: HttpLab, provider: HttpProvider) -> None:
    """SES takes ASCII headers only; another one goes out as mail encodes it, on one line."""
    outgoing = make_outgoing(replace(make_message(), headers=(("X-Motto", "\u00fcber alles? " * 20),)))
    await provider.send(provider.prepare(outgoing), Recorder())
    (header,) = lab.requests[0].json["Content"]["Simple"]["Headers"]
    assert header["Value"].startswith("=?utf-8?")
    assert "\n" not in header["Value"]


async def test_another_secret_does_not_sign(lab: HttpLab) -> None:
    """With a wrong secret key the signature is refused and the account is held."""
    provider = CASE.make(lab, secrets=FixedSecret("wJalrXUtnFEMI/another"))
    with pytest.raises(NotAuthorized, match="InvalidSignatureException"):
        await provider.send(provider.prepare(make_outgoing()), Recorder())
    await provider.close()


@pytest.mark.parametrize(
    ("status", "named", "kind"),
    [
        (400, "MessageRejected", Rejected),
        (400, "MailFromDomainNotVerifiedException", Rejected),
        (404, "NotFoundException", Rejected),
        (400, "BadRequestException", Rejected),
        (403, "AccountSuspendedException", NotAuthorized),
        (400, "AccountSuspendedException", NotAuthorized),
        (400, "SendingPausedException", NotAuthorized),
        (403, "AccessDeniedException", NotAuthorized),
        (429, "TooManyRequestsException", TryLater),
        (400, "LimitExceededException", TryLater),
        (500, "InternalFailure", OutcomeUncertain),
    ],
)
@pytest.mark.parametrize("url", ["", ":http://internal.amazon.com/coral/com.amazonaws.services.sesv2/"])
async def test_the_type_of_an_error_decides(
    lab: HttpLab, provider: HttpProvider, status: int, named: str, kind: type[DeliveryError], url: str
) -> None:
    """What an error means is read from its type, with or without an address behind it."""
    lab.on("POST", Reply(status, {"message": "Because."}, {"x-amzn-errortype": named + url}))
    with pytest.raises(kind, match=rf"Because\. \({named}\)"):
        await provider.send(provider.prepare(make_outgoing()), Recorder())


async def test_the_sandbox_is_told(rules: SesRules, provider: HttpProvider) -> None:
    """An account that reaches verified addresses only learns so from the check."""
    (identity,) = await provider.check()
    assert (identity.address, identity.detail) == ("*@example.org", "success")
    rules.is_sandbox = True
    (identity,) = await provider.check()
    assert "sandbox" in identity.detail
    rules.may_list = False
    (identity,) = await provider.check()
    assert identity.address == "ada@example.org"
    assert "sandbox" in identity.detail


async def test_insights_tell_what_became_of_each(rules: SesRules, provider: HttpProvider) -> None:
    """Where SES keeps insights, each recipient's newest event is told; without, there is nothing to tell."""
    receipt = await provider.send(provider.prepare(make_outgoing()), Recorder())
    assert await provider.status(receipt) == []
    bounce = {"Bounce": {"BounceType": "PERMANENT", "BounceSubType": "General", "DiagnosticCode": "550 5.1.1"}}
    rules.insights[receipt.provider_id or ""] = [
        {
            "Destination": "bob@example.net",
            "Events": [
                {"Type": "BOUNCE", "Timestamp": 1795000002.0, "Details": bounce},
                {"Type": "SEND", "Timestamp": 1795000001.0},
            ],
        },
        {"Destination": "eve@example.net", "Events": [{"Type": "DELIVERY", "Timestamp": "2026-11-26T09:00:00Z"}]},
    ]
    told = {one.address: one for one in await provider.status(receipt)}
    assert (told["bob@example.net"].status, told["bob@example.net"].detail) == (
        RecipientStatus.BOUNCED,
        "BOUNCE: 550 5.1.1",
    )
    assert told["eve@example.net"].status is RecipientStatus.DELIVERED


@pytest.mark.parametrize("where", ["to", "cc", "bcc", "reply_to", "sender"])
def test_an_address_that_is_not_ascii_is_refused(provider: HttpProvider, where: str) -> None:
    """SES can't reach local parts beyond ASCII; that is said before sending."""
    odd = Address("j\u00f6rg", "example.org")
    message = replace(make_message(), **{where: odd if where == "sender" else (odd,)})
    with pytest.raises(Unsupported, match="isn't ASCII"):
        provider.prepare(make_outgoing(message))


def test_more_than_15_headers_are_refused(provider: HttpProvider) -> None:
    """In-Reply-To and References count among the 15 headers that SES takes."""
    headers = tuple((f"X-{n}", "1") for n in range(14))
    message = replace(make_message(), headers=headers, in_reply_to="<1@a.example>", references=("<1@a.example>",))
    with pytest.raises(Unsupported, match="15 headers"):
        provider.prepare(make_outgoing(message))
    provider.prepare(make_outgoing(replace(message, headers=headers[:13])))
