"""Postmark's own ways: addresses in one string, codes of its own, recipients that are inactive."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from email.utils import getaddresses

import pytest
from http_lab import HttpLab, Reply
from popular_message import CAROL, DAVE, rich_outgoing, templated_outgoing
from rules_postmark import CASE, PostmarkRules

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import DeliveryError, NotAuthorized, Rejected, TryLater, Unsupported
from tui_mailer.domain.message import Attachment
from tui_mailer.domain.submission import RecipientStatus
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.testing import Recorder, make_message, make_outgoing


@pytest.fixture
def rules() -> PostmarkRules:
    return PostmarkRules()


@pytest.fixture
async def lab(rules: PostmarkRules) -> AsyncIterator[HttpLab]:
    async with HttpLab(rules) as lab:
        yield lab


@pytest.fixture
async def provider(lab: HttpLab) -> AsyncIterator[HttpProvider]:
    provider = CASE.make(lab)
    yield provider
    await provider.close()


async def test_the_request_is_the_one_documented(lab: HttpLab, provider: HttpProvider) -> None:
    """Every field stands where Postmark's page puts it, addresses between commas, tracking off."""
    await provider.send(provider.prepare(rich_outgoing(reply_to=(CAROL, DAVE), tags=(("spring", None),))), Recorder())
    document = lab.requests[0].json
    for one in document["Attachments"]:
        del one["Content"]
    assert document == {
        "From": '"Ada \\"the Countess\\" Lovelace, Esq." <ada@example.org>',
        "To": "\u0391\u03bb\u03c6\u03b1 <alpha@xn--bcher-kva.example>, Eve <eve@example.net>",
        "Cc": "Carol <carol@example.net>",
        "Bcc": "dave@example.net",
        "ReplyTo": "Carol <carol@example.net>, dave@example.net",
        "Subject": "Notes on the engine \u2014 No. 7",
        "HtmlBody": '<p>The engine weaves <img src="cid:logo"></p>',
        "TextBody": "The engine weaves algebraic patterns.\n",
        "Tag": "spring",
        "Metadata": {"customer": "7", "note": "\u00fcber"},
        "Headers": [
            {"Name": "In-Reply-To", "Value": "<1@example.net>"},
            {"Name": "References", "Value": "<0@example.net> <1@example.net>"},
            {"Name": "X-Loom", "Value": "east"},
        ],
        "Attachments": [
            {"Name": "pl\u00e4n, v2.pdf", "ContentType": "application/pdf"},
            {"Name": "logo.png", "ContentType": "image/png", "ContentID": "cid:logo"},
        ],
        "TrackOpens": False,
        "TrackLinks": "None",
        "MessageStream": "outbound",
    }


async def test_names_with_commas_and_quotes_stay_one_name(lab: HttpLab, provider: HttpProvider) -> None:
    """A reader of address lists finds the same people in Postmark's string as we do."""
    people = (
        Address("bob", "example.net", 'Smith, "Bob" (Jr.)'),
        Address("eve", "example.net", "\u0415\u0432\u0430; <x@y>"),
    )
    await provider.send(provider.prepare(make_outgoing(replace(make_message(), to=people))), Recorder())
    read = getaddresses([lab.requests[0].json["To"]])
    assert read == [(one.display_name, one.addr_spec) for one in people]


@pytest.mark.parametrize(
    ("template", "field", "value"), [("1234", "TemplateId", 1234), ("welcome", "TemplateAlias", "welcome")]
)
async def test_a_template_has_a_path_of_its_own(
    lab: HttpLab, provider: HttpProvider, template: str, field: str, value: object
) -> None:
    """A number is a template's id, a word its alias; the subject is the template's."""
    await provider.send(provider.prepare(templated_outgoing(template)), Recorder())
    assert lab.requests[0].path == "/email/withTemplate"
    assert lab.requests[0].json[field] == value
    assert lab.requests[0].json["TemplateModel"] == {"name": "Bob"}
    with pytest.raises(Unsupported) as refusal:
        provider.prepare(templated_outgoing(template, subject="Mine"))
    assert refusal.value.field == "subject"


async def test_an_inactive_recipient_is_told_and_the_others_get_it(
    rules: PostmarkRules, provider: HttpProvider
) -> None:
    """Who can't be reached is refused by name; who can has the mail."""
    rules.inactive = {"eve@example.net"}
    receipt = await provider.send(provider.prepare(make_outgoing()), Recorder())
    assert [(one.address, one.status) for one in receipt.recipients] == [
        ("bob@example.net", RecipientStatus.ACCEPTED),
        ("eve@example.net", RecipientStatus.REJECTED),
    ]
    rules.inactive |= {"bob@example.net"}
    with pytest.raises(Rejected, match="inactive"):
        await provider.send(provider.prepare(make_outgoing()), Recorder())


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (422, 300, Rejected),
        (422, 406, Rejected),
        (422, 401, Rejected),
        (422, 429, TryLater),
        (429, 429, TryLater),
        (422, 405, NotAuthorized),
        (422, 412, NotAuthorized),
        (401, 10, NotAuthorized),
        (503, 100, TryLater),
        (200, 300, Rejected),
        (200, 406, Rejected),
    ],
)
async def test_its_codes_are_not_taken_for_https(
    lab: HttpLab, provider: HttpProvider, status: int, code: int, kind: type[DeliveryError]
) -> None:
    """ErrorCode 406 is an inactive recipient and 429 a limit, whatever the HTTP status says; 200 may be a refusal."""
    lab.on("POST /email", Reply(status, {"ErrorCode": code, "Message": "Because."}))
    with pytest.raises(kind, match=rf"Because\. \(ErrorCode {code}\)"):
        await provider.send(provider.prepare(make_outgoing()), Recorder())


async def test_events_tell_what_became_of_each(rules: PostmarkRules, provider: HttpProvider) -> None:
    """The newest event of each recipient counts, in whatever order they come."""
    receipt = await provider.send(provider.prepare(make_outgoing()), Recorder())
    assert await provider.status(receipt) == []
    rules.events = [
        {"Recipient": "bob@example.net", "Type": "Opened", "ReceivedAt": "2026-11-26T09:05:00Z"},
        {
            "Recipient": "bob@example.net",
            "Type": "Delivered",
            "ReceivedAt": "2026-11-26T09:00:00.1234567-00:00",
            "Details": {"DeliveryMessage": "250 ok"},
        },
        {
            "Recipient": "Eve@example.net",
            "Type": "Bounced",
            "ReceivedAt": "2026-11-26T09:00:01Z",
            "Details": {"Summary": "smtp;550 5.1.1"},
        },
    ]
    told = {one.address: one for one in await provider.status(receipt)}
    assert told["bob@example.net"].status is RecipientStatus.DELIVERED
    assert told["bob@example.net"].detail == "Opened"
    assert told["eve@example.net"].status is RecipientStatus.BOUNCED
    assert told["eve@example.net"].detail == "Bounced: smtp;550 5.1.1"


async def test_the_stream_is_the_accounts_unless_the_message_has_one(lab: HttpLab, provider: HttpProvider) -> None:
    """A message may go by another stream than the account's."""
    outgoing = make_outgoing(replace(make_message(), options={"message_stream": "broadcast"}))
    await provider.send(provider.prepare(outgoing), Recorder())
    assert lab.requests[0].json["MessageStream"] == "broadcast"


def test_a_program_is_refused(provider: HttpProvider) -> None:
    """A file of a kind that Postmark forbids is refused before sending, by name."""
    attachment = Attachment(name="setup.EXE", media_type="application/x-msdownload", size=3, sha256="0" * 64)
    with pytest.raises(Unsupported, match=r"setup\.EXE"):
        provider.prepare(make_outgoing(replace(make_message(), attachments=(attachment,))))


def test_two_tags_are_refused(provider: HttpProvider) -> None:
    """Postmark has room for one tag; a second one is refused, not dropped."""
    with pytest.raises(Unsupported, match="1 tag"):
        provider.prepare(make_outgoing(replace(make_message(), tags=(("a", None), ("b", None)))))
