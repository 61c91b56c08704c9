"""Whippy's own ways: a channel as sender, one body, side effects, a status among the conversation's messages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from http_lab import HttpLab, Reply
from pydantic import ValidationError
from rules_respond_io import plain
from rules_whippy import CASE, CHANNEL, CHANNEL_ADDRESS, WhippyRules, rich

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import NotAuthorized, Rejected, TryLater, Unsupported
from tui_mailer.domain.message import Attachment
from tui_mailer.domain.submission import Receipt, RecipientStatus
from tui_mailer.providers.base import Outgoing
from tui_mailer.providers.capability import effects
from tui_mailer.providers.testing import Recorder
from tui_mailer.providers.whippy import WhippyOptions, WhippyProvider

LINK = Attachment(name="plan.pdf", media_type="application/pdf", url="https://example.org/plan.pdf")


@pytest.fixture
async def lab() -> AsyncIterator[HttpLab]:
    async with HttpLab(WhippyRules()) as lab:
        yield lab


@pytest.fixture
async def provider(lab: HttpLab) -> AsyncIterator[WhippyProvider]:
    provider = CASE.make(lab)
    yield provider
    await provider.close()


async def send(provider: WhippyProvider, outgoing: Outgoing | None = None, **changes: Any) -> Receipt:
    outgoing = outgoing or plain()
    return await provider.send(
        provider.prepare(replace(outgoing, message=replace(outgoing.message, **changes))), Recorder()
    )


async def test_a_mail_carries_all_that_was_written(lab: HttpLab, provider: WhippyProvider) -> None:
    """HTML, copies, links, Reply-To, sender, schedule, conversation and opt-ins reach the API as it names them."""
    outgoing = rich()
    receipt = await send(provider, outgoing)
    assert outgoing.not_before
    assert lab.rules.stored == [
        {
            "to": "bob@example.net",
            "from": CHANNEL,
            "subject": "Notes",
            "body": "<p>The engine weaves.</p>",
            "cc": ["carol@example.net"],
            "bcc": ["dan@example.net"],
            "attachments": ["https://example.org/plan.pdf"],
            "reply_to": "office@example.org",
            "sender_name": "The Office",
            "sender_email": "office@example.org",
            "schedule_at": outgoing.not_before.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "conversation_status": "automated",
            "opt_in_to": [{"id": CHANNEL}],
            "opt_in_to_all_channels": False,
        }
    ]
    assert receipt.is_handed_over
    assert receipt.note == {
        "conversation_id": "conversation-bob@example.net",
        "contact_id": "contact-bob@example.net",
        "schedule_at": lab.rules.stored[0]["schedule_at"],
    }
    assert {(one.status, one.detail) for one in await provider.status(receipt)} == {(RecipientStatus.PENDING, "queued")}


async def test_a_plain_mail_opts_nobody_in(lab: HttpLab, provider: WhippyProvider) -> None:
    """What isn't set isn't sent, but for the one default that could do harm: opting in is off."""
    await send(provider)
    (stored,) = lab.rules.stored
    assert set(stored) == {"to", "from", "subject", "body", "sender_name", "opt_in_to_all_channels"}
    assert stored["opt_in_to_all_channels"] is False
    assert stored["body"] == plain().message.text


async def test_opting_in_is_done_when_asked(lab: HttpLab, provider: WhippyProvider) -> None:
    """Who asks for it gets it."""
    await send(provider, options={"opt_in_to_all_channels": True})
    assert lab.rules.stored[0]["opt_in_to_all_channels"] is True


async def test_a_mail_may_be_its_attachment_alone(lab: HttpLab, provider: WhippyProvider) -> None:
    """An attachment needs no text beside it."""
    await send(provider, text="", subject="", attachments=(LINK,))
    assert "body" not in lab.rules.stored[0]
    assert lab.rules.stored[0]["attachments"] == [LINK.url]


@pytest.mark.parametrize(
    ("channel", "options", "sender"),
    [
        (CHANNEL, {}, None),
        (CHANNEL_ADDRESS, {}, None),
        (CHANNEL_ADDRESS, {"sender_email": ""}, None),
        (CHANNEL, {"sender_email": None}, None),
        (CHANNEL, {"sender_email": "office@example.org"}, "office@example.org"),
    ],
)
async def test_the_sender_is_the_channels_unless_asked_otherwise(
    lab: HttpLab, channel: str, options: dict[str, Any], sender: str | None
) -> None:
    """An empty sender_email or none means the channel's address; a valid one is passed on."""
    provider = CASE.make(lab, channel=channel)
    await send(provider, options=options)
    await provider.close()
    assert lab.rules.stored[0].get("sender_email") == sender


async def test_another_from_than_the_channels_address_is_asked_for(lab: HttpLab) -> None:
    """From isn't dropped silently: where the channel is known to have another address, Whippy is asked to use it."""
    provider = CASE.make(lab, channel=CHANNEL_ADDRESS)
    await send(provider, sender=Address("office", "example.org", "The Office"))
    await provider.close()
    assert lab.rules.stored[0]["sender_email"] == "office@example.org"


def test_an_invalid_sender_is_refused_at_once() -> None:
    """What Whippy would answer 422 to is told before anything is sent."""
    with pytest.raises(ValidationError, match="422"):
        WhippyOptions(sender_email="invalid@")


async def test_whippys_own_refusal_is_told_in_its_words(lab: HttpLab, provider: WhippyProvider) -> None:
    """An address that only Whippy finds wrong is refused with Whippy's reason."""
    with pytest.raises(Rejected, match="sender_email") as refusal:
        await send(provider, options={"sender_email": "invalid@something"})
    assert refusal.value.code == 422
    assert not lab.rules.stored


def test_side_effects_are_told_before_sending(provider: WhippyProvider) -> None:
    """Whoever sends knows beforehand that a contact and a conversation may be made."""
    told = " ".join(effects(provider.capabilities))
    assert "contact" in told
    assert "conversation" in told


@pytest.mark.parametrize("has_list", [True, False])
async def test_the_status_is_found_in_the_conversation(lab: HttpLab, provider: WhippyProvider, has_list: bool) -> None:
    """The message is looked up page by page; where there is no such list, in the conversation itself."""
    lab.rules.has_list = has_list
    receipt = await send(provider)
    lab.rules.messages[-1] |= {"delivery_status": "undelivered", "error": "550 no such user"}
    (told,) = await provider.status(receipt)
    assert (told.address, told.status) == ("bob@example.net", RecipientStatus.BOUNCED)
    assert told.detail == "undelivered: 550 no such user"
    pages = [one.query for one in lab.asked("GET /v1/message/list")]
    assert all(page["conversation_id"] == "conversation-bob@example.net" for page in pages)


async def test_a_status_that_is_not_there_yet_tells_nothing(lab: HttpLab, provider: WhippyProvider) -> None:
    """A message that the list doesn't show yet is still what it was."""
    receipt = await send(provider)
    lab.rules.messages.clear()
    assert await provider.status(receipt) == []


async def test_an_unknown_status_stays_in_its_own_word(lab: HttpLab, provider: WhippyProvider) -> None:
    """A word nobody has documented is shown, not guessed at."""
    receipt = await send(provider)
    lab.rules.messages[-1]["delivery_status"] = "teleported"
    (told,) = await provider.status(receipt)
    assert (told.status, told.detail) == (RecipientStatus.UNKNOWN, "teleported")


async def test_the_rate_limit_counts_milliseconds(lab: HttpLab, provider: WhippyProvider) -> None:
    """Too many requests: the mail waits for as long as Whippy says, and nothing has been sent."""
    busy = Reply(
        429,
        {"errors": [{"description": "Too many requests"}], "status": 429},
        {"x-ratelimit-remaining-interval-milliseconds": "90000"},
    )
    lab.on("POST", busy)
    before = datetime.now(UTC)
    with pytest.raises(TryLater, match="Too many requests") as later:
        await send(provider)
    assert later.value.retry_at is not None
    assert timedelta(seconds=89) <= later.value.retry_at - before <= timedelta(seconds=95)


async def test_the_account_is_proved_with_its_channel(lab: HttpLab, provider: WhippyProvider) -> None:
    """Testing an account tells its channel; one that doesn't exist is found out."""
    (identity,) = await provider.check()
    assert "Support" in identity.detail
    wrong = CASE.make(lab, channel="nowhere")
    with pytest.raises(NotAuthorized, match=f"no channel 'nowhere'. Channels: {CHANNEL} Support"):
        await wrong.check()
    await wrong.close()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"to": (Address("a", "example.net"), Address("b", "example.net"))}, "to"),
        ({"to": (), "cc": (Address("a", "example.net"),)}, "to"),
        ({"text": ""}, "body"),
        ({"reply_to": (Address("a", "example.net"), Address("b", "example.net"))}, "reply_to"),
        ({"in_reply_to": "<1@example.net>"}, "in_reply_to"),
        ({"headers": (("X-Loft", "east"),)}, "headers"),
    ],
)
async def test_what_it_cannot_carry_is_refused_with_a_way_out(
    provider: WhippyProvider, change: dict[str, Any], field: str
) -> None:
    """Nothing is dropped silently: what Whippy has no place for is refused before anything is sent."""
    outgoing = plain()
    with pytest.raises(Unsupported) as refusal:
        provider.prepare(replace(outgoing, message=replace(outgoing.message, **change)))
    assert refusal.value.field == field
    assert refusal.value.what_to_do
