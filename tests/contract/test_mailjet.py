"""Mailjet's own ways: errors inside a 200, an id for each recipient."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from http_lab import HttpLab, Reply
from popular_message import CAROL, DAVE, rich_outgoing, templated_outgoing
from rules_mailjet import CASE, MailjetRules

from tui_mailer.domain.errors import OutcomeUncertain, Rejected, Unsupported
from tui_mailer.domain.submission import RecipientStatus
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.testing import Recorder, make_message, make_outgoing


@pytest.fixture
def rules() -> MailjetRules:
    return MailjetRules()


@pytest.fixture
async def lab(rules: MailjetRules) -> AsyncIterator[HttpLab]:
    async with HttpLab(rules) as lab:
        yield lab


@pytest.fixture
async def provider(lab: HttpLab) -> AsyncIterator[HttpProvider]:
    provider = CASE.make(lab)
    yield provider
    await provider.close()


async def test_the_request_is_the_one_documented(lab: HttpLab, provider: HttpProvider) -> None:
    """Every field stands where Mailjet's page puts it, in a list of one message."""
    await provider.send(provider.prepare(rich_outgoing(tags=(("spring", None),))), Recorder())
    document = lab.requests[0].json
    for one in (*document["Messages"][0]["Attachments"], *document["Messages"][0]["InlinedAttachments"]):
        del one["Base64Content"]
    assert document == {
        "Messages": [
            {
                "From": {"Email": "ada@example.org", "Name": 'Ada "the Countess" Lovelace, Esq.'},
                "To": [
                    {"Email": "alpha@xn--bcher-kva.example", "Name": "\u0391\u03bb\u03c6\u03b1"},
                    {"Email": "eve@example.net", "Name": "Eve"},
                ],
                "Cc": [{"Email": "carol@example.net", "Name": "Carol"}],
                "Bcc": [{"Email": "dave@example.net"}],
                "ReplyTo": {"Email": "carol@example.net", "Name": "Carol"},
                "Subject": "Notes on the engine \u2014 No. 7",
                "TextPart": "The engine weaves algebraic patterns.\n",
                "HTMLPart": '<p>The engine weaves <img src="cid:logo"></p>',
                "Attachments": [{"ContentType": "application/pdf", "Filename": "pl\u00e4n, v2.pdf"}],
                "InlinedAttachments": [{"ContentType": "image/png", "Filename": "logo.png", "ContentID": "logo"}],
                "Headers": {
                    "In-Reply-To": "<1@example.net>",
                    "References": "<0@example.net> <1@example.net>",
                    "X-Loom": "east",
                },
                "CustomID": "spring",
                "EventPayload": '{"customer": "7", "note": "\u00fcber"}',
            }
        ]
    }


@pytest.mark.parametrize("status", [200, 400])
async def test_an_error_inside_the_answer_is_a_refusal(
    lab: HttpLab, rules: MailjetRules, provider: HttpProvider, status: int
) -> None:
    """A refused message is refused whatever the HTTP status says, with Mailjet's words and field."""
    problem = {
        "ErrorIdentifier": "88b5ca9f",
        "ErrorCode": "mj-0013",
        "StatusCode": 400,
        "ErrorMessage": '"x" is an invalid email address.',
        "ErrorRelatedTo": ["To[0].Email"],
    }
    lab.on("POST", Reply(status, {"Messages": [{"Status": "error", "Errors": [problem]}]}))
    with pytest.raises(Rejected, match=r"invalid email address\. \[To\[0\]\.Email\]"):
        await provider.send(provider.prepare(make_outgoing()), Recorder())


async def test_an_answer_without_a_status_proves_nothing(lab: HttpLab, provider: HttpProvider) -> None:
    """A 200 that doesn't say what became of the message leaves it uncertain."""
    lab.on("POST", Reply(200, {"Messages": []}))
    with pytest.raises(OutcomeUncertain):
        await provider.send(provider.prepare(make_outgoing()), Recorder())


async def test_each_recipient_has_a_status_of_its_own(rules: MailjetRules, provider: HttpProvider) -> None:
    """Each recipient's message is asked by its own id; bad news comes with its reason."""
    receipt = await provider.send(provider.prepare(make_outgoing()), Recorder())
    assert receipt.provider_id == "456000000000000000"
    bob, eve = receipt.note["bob@example.net"], receipt.note["eve@example.net"]
    rules.statuses |= {bob: "sent", eve: "hardbounced"}
    told = {one.address: one for one in await provider.status(receipt)}
    assert told["bob@example.net"].status is RecipientStatus.DELIVERED
    assert told["eve@example.net"].status is RecipientStatus.BOUNCED
    assert told["eve@example.net"].detail == "hardbounced: user unknown"
    rules.statuses[bob] = "levitated"
    told = {one.address: one for one in await provider.status(receipt)}
    assert told["bob@example.net"].status is RecipientStatus.UNKNOWN


async def test_the_sandbox_sends_nothing(lab: HttpLab, rules: MailjetRules, provider: HttpProvider) -> None:
    """In sandbox mode the request is checked and nobody gets anything."""
    outgoing = make_outgoing(replace(make_message(), options={"sandbox_mode": True}))
    await provider.send(provider.prepare(outgoing), Recorder())
    assert lab.requests[0].json["SandboxMode"] is True
    assert not rules.stored


async def test_variables_need_the_template_language(lab: HttpLab, provider: HttpProvider) -> None:
    """A template is called by number, and filled in only when Mailjet is told to."""
    await provider.send(provider.prepare(templated_outgoing("77")), Recorder())
    (message,) = lab.requests[0].json["Messages"]
    assert (message["TemplateID"], message["TemplateLanguage"], message["Variables"]) == (77, True, {"name": "Bob"})
    assert not {"Subject", "TextPart"} & set(message)
    with pytest.raises(Unsupported, match="by number"):
        provider.prepare(templated_outgoing("welcome"))


async def test_the_check_lists_the_senders(provider: HttpProvider) -> None:
    """The check says who may send, without those that were deleted."""
    (identity,) = await provider.check()
    assert (identity.address, identity.detail) == ("ada@example.org", "Active")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"headers": (("X-MJ-CustomID", "1"),)}, "headers"),
        ({"headers": (("X-Mailjet-Prio", "1"),)}, "headers"),
        ({"reply_to": (CAROL, DAVE)}, "reply_to"),
        ({"tags": (("a", None), ("b", None))}, "tags"),
    ],
)
def test_what_mailjet_refuses_is_refused_here(provider: HttpProvider, change: dict[str, object], field: str) -> None:
    """Mailjet's own headers, a second Reply-To and a second tag are refused before sending."""
    with pytest.raises(Unsupported) as refusal:
        provider.prepare(make_outgoing(replace(make_message(), **change)))
    assert refusal.value.field == field
