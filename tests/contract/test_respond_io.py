"""respond.io's own ways: contacts, a channel that must be named, a status history, 449."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from http_lab import DROP_AFTER_ACTING, STALL_AFTER_ACTING, HttpLab, Reply
from rules_respond_io import CASE, CHANNEL, RespondIoRules, plain, rich

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import NotAuthorized, OutcomeUncertain, Rejected, TryLater, Unsupported
from tui_mailer.domain.submission import Kind, Phase, Recipient, RecipientStatus
from tui_mailer.providers.base import Outgoing
from tui_mailer.providers.respond_io import RespondIoProvider
from tui_mailer.providers.testing import Recorder, make_outgoing


@pytest.fixture
async def lab() -> AsyncIterator[HttpLab]:
    async with HttpLab(RespondIoRules()) as lab:
        yield lab


@pytest.fixture
async def provider(lab: HttpLab) -> AsyncIterator[RespondIoProvider]:
    provider = CASE.make(lab)
    yield provider
    await provider.close()


def by_option(contact: str) -> Outgoing:
    """A message to whom the option ``contact`` names."""
    outgoing = plain()
    message = replace(outgoing.message, to=(), options={"contact": contact})
    return replace(outgoing, message=message, recipients=(Recipient(address=contact, kind=Kind.TO),))


async def test_a_mail_carries_all_that_was_written(lab: HttpLab, provider: RespondIoProvider) -> None:
    """Text, subject, Cc, Bcc, links with their kind and name, the channel and the message answered reach the API."""
    outgoing = rich()
    receipt = await provider.send(provider.prepare(outgoing), Recorder())
    assert lab.rules.stored == [
        {
            "to": "email:bob@example.net",
            "channelId": CHANNEL,
            "message": {
                "type": "email",
                "text": outgoing.message.text,
                "subject": "Notes",
                "cc": ["carol@example.net"],
                "bcc": ["dan@example.net"],
                "replyToMessageId": 1_764_139_000_000_000,
                "attachments": [
                    {"type": "file", "url": "https://example.org/plan.pdf", "fileName": "plan.pdf"},
                    {"type": "image", "url": "https://example.org/map.png", "fileName": "map.png"},
                    {"type": "audio", "url": "https://example.org/talk.mp3", "fileName": "talk.mp3"},
                ],
            },
        }
    ]
    assert receipt.provider_id == "1764140000000001"
    assert [one.address for one in receipt.recipients] == ["bob@example.net", "carol@example.net", "dan@example.net"]


async def test_what_is_not_set_is_not_sent(lab: HttpLab, provider: RespondIoProvider) -> None:
    """A plain mail has nothing in it but what was written."""
    await provider.send(provider.prepare(plain()), Recorder())
    assert set(lab.rules.stored[0]["message"]) == {"type", "text", "subject"}


@pytest.mark.parametrize("contact", ["id:123", "phone:+60121233112"])
async def test_a_contact_is_named_by_id_or_phone(lab: HttpLab, provider: RespondIoProvider, contact: str) -> None:
    """Who has no address at hand names the contact in place of To."""
    receipt = await provider.send(provider.prepare(by_option(contact)), Recorder())
    assert lab.rules.stored[0]["to"] == contact
    assert [one.address for one in receipt.recipients] == [contact]
    assert [one.status for one in await provider.status(receipt)] == [RecipientStatus.ACCEPTED]


async def test_an_unknown_address_becomes_a_contact(lab: HttpLab, provider: RespondIoProvider) -> None:
    """Somebody new gets the mail too: the contact is made, and only then is the mail sent, once."""
    new = replace(plain().message, to=(Address("eve", "example.net", "Eve van Dyke"),))
    recorder = Recorder()
    prepared = provider.prepare(make_outgoing(new))
    receipt = await provider.send(prepared, recorder)
    assert [f"{one.method} {one.path}" for one in lab.requests] == [
        "POST /v2/contact/email%3Aeve%40example.net/message",
        "POST /v2/contact/create_or_update/email%3Aeve%40example.net",
        "POST /v2/contact/email%3Aeve%40example.net/message",
    ]
    assert lab.requests[1].json == {"firstName": "Eve", "lastName": "van Dyke", "email": "eve@example.net"}
    assert len(lab.rules.stored) == 1
    assert receipt.provider_id
    assert recorder.phases[-1] is Phase.INTENT
    assert [step.title.partition(" (")[2] for step in prepared.steps] == [
        "",
        "only if send is answered 404)",
        "only if send is answered 404)",
    ]


async def test_an_unknown_contact_by_number_is_refused(lab: HttpLab, provider: RespondIoProvider) -> None:
    """A contact that doesn't exist can't be made from its number: the mail is refused, nobody has it."""
    with pytest.raises(Rejected, match="Contact not found"):
        await provider.send(provider.prepare(by_option("id:999")), Recorder())
    assert not lab.rules.stored


async def test_a_contact_that_cannot_be_made(lab: HttpLab, provider: RespondIoProvider) -> None:
    """When the contact is refused, so is the mail, and the reason is told."""
    lab.on("POST /v2/contact/create_or_update/", Reply(400, {"code": 400, "message": "Contact limit reached"}))
    new = replace(plain().message, to=(Address("eve", "example.net"),))
    with pytest.raises(Rejected, match="Contact limit reached"):
        await provider.send(provider.prepare(make_outgoing(new)), Recorder())
    assert not lab.rules.stored


@pytest.mark.parametrize("status", [429, 449])
async def test_not_taken_yet(lab: HttpLab, provider: RespondIoProvider, status: int) -> None:
    """Too many requests, or respond.io's own 449: the mail waits as long as asked and is tried again."""
    lab.on("POST", Reply(status, {"code": status, "message": "Slow down"}, {"retry-after": "40"}))
    before = datetime.now(UTC)
    with pytest.raises(TryLater, match="Slow down") as later:
        await provider.send(provider.prepare(plain()), Recorder())
    assert later.value.retry_at is not None
    assert timedelta(seconds=39) <= later.value.retry_at - before <= timedelta(seconds=45)


@pytest.mark.parametrize("fault", [DROP_AFTER_ACTING, STALL_AFTER_ACTING])
async def test_no_answer_is_uncertain(lab: HttpLab, fault: Any) -> None:
    """There is no key against doubles: a lost answer is shown as uncertain, never tried again by itself."""
    provider = CASE.make(lab, timeout_seconds=0.2)
    lab.on("POST", fault)
    with pytest.raises(OutcomeUncertain):
        await provider.send(provider.prepare(plain()), Recorder())
    await provider.close()
    assert len(lab.rules.stored) == 1


async def test_a_lost_answer_to_the_contact_step_is_not_uncertain(lab: HttpLab, provider: RespondIoProvider) -> None:
    """A break while the contact is made has sent nothing: the mail is simply tried again."""
    lab.on("POST /v2/contact/create_or_update/", DROP_AFTER_ACTING)
    new = replace(plain().message, to=(Address("eve", "example.net"),))
    with pytest.raises(TryLater):
        await provider.send(provider.prepare(make_outgoing(new)), Recorder())
    assert not lab.rules.stored


@pytest.mark.parametrize(
    ("history", "status", "detail"),
    [
        ([{"value": "sent", "timestamp": 20}, {"value": "pending", "timestamp": 10}], RecipientStatus.ACCEPTED, "sent"),
        ([{"value": "sent"}, {"value": "read"}], RecipientStatus.DELIVERED, "read"),
        (
            [{"value": "sent", "timestamp": 1}, {"value": "failed", "timestamp": 2, "message": "550 no such user"}],
            RecipientStatus.REJECTED,
            "failed: 550 no such user",
        ),
        ([{"value": "teleported", "timestamp": 1}], RecipientStatus.UNKNOWN, "teleported"),
    ],
)
async def test_the_newest_entry_of_the_history_counts(
    lab: HttpLab, provider: RespondIoProvider, history: list[dict[str, Any]], status: RecipientStatus, detail: str
) -> None:
    """What happened last is what is shown, in respond.io's own words; a word nobody knows stays as it is."""
    receipt = await provider.send(provider.prepare(plain()), Recorder())
    lab.rules.histories[f"email:bob@example.net {receipt.provider_id}"] = history
    (told,) = await provider.status(receipt)
    assert (told.address, told.status, told.detail) == ("bob@example.net", status, detail)


async def test_the_account_is_proved_with_its_channel(provider: RespondIoProvider) -> None:
    """Testing an account tells the channel's name."""
    (identity,) = await provider.check()
    assert (identity.address, identity.detail) == ("ada@example.org", f"by channel {CHANNEL} 'Support'")


@pytest.mark.parametrize(
    ("channel", "words"),
    [(7, "'Chat' isn't an e-mail channel .whatsapp_cloud"), (8, f"no channel 8. E-mail channels: {CHANNEL} Support")],
)
async def test_a_wrong_channel_is_told(lab: HttpLab, channel: int, words: str) -> None:
    """An account that would write to WhatsApp, or to nowhere, is found out by testing it."""
    provider = CASE.make(lab, channel_id=channel)
    with pytest.raises(NotAuthorized, match=words):
        await provider.check()
    await provider.close()


async def test_a_bad_token_is_the_accounts_trouble(lab: HttpLab, provider: RespondIoProvider) -> None:
    """A token that was revoked holds the account; the mail stays."""
    lab.always("", Reply(401, {"code": 401, "message": "Token revoked"}))
    with pytest.raises(NotAuthorized, match="Token revoked"):
        await provider.check()
    with pytest.raises(NotAuthorized, match="Token revoked"):
        await provider.send(provider.prepare(plain()), Recorder())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"to": (Address("a", "example.net"), Address("b", "example.net"))}, "to"),
        ({"to": ()}, "to"),
        ({"html": "<p>x</p>"}, "body"),
        ({"text": ""}, "body"),
        ({"reply_to": (Address("a", "example.net"),)}, "reply_to"),
        ({"in_reply_to": "<1@example.net>"}, "in_reply_to"),
        ({"options": {"contact": "id:123"}}, "options"),
        ({"options": {"contact": "bob@example.net"}}, "options"),
    ],
)
async def test_what_it_cannot_carry_is_refused_with_a_way_out(
    provider: RespondIoProvider, change: dict[str, Any], field: str
) -> None:
    """Nothing is dropped silently: what respond.io has no place for is refused before anything is sent."""
    outgoing = plain()
    with pytest.raises(Unsupported) as refusal:
        provider.prepare(replace(outgoing, message=replace(outgoing.message, **change)))
    assert refusal.value.field == field
    assert refusal.value.what_to_do
