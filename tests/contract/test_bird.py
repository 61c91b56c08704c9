"""Bird's Email API: the key's region, keys against doubles, schedule and cancel, what is off unless asked."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from http_case import plain_outgoing
from http_lab import DROP_AFTER_ACTING, HttpLab, Reply
from rules_bird import CASE, BirdRules, rich

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import NotAuthorized, OutcomeUncertain, Rejected, TryLater, Unsupported
from tui_mailer.domain.message import Attachment
from tui_mailer.domain.submission import Receipt, RecipientStatus
from tui_mailer.providers.base import AccountSettings, Outgoing
from tui_mailer.providers.bird import BirdProvider, BirdSettings
from tui_mailer.providers.capability import keeps_schedule
from tui_mailer.providers.testing import FixedSecret, Recorder

MESSAGES = "POST /v1/email/messages"


@pytest.fixture
async def lab() -> AsyncIterator[HttpLab]:
    async with HttpLab(BirdRules()) as lab:
        yield lab


@pytest.fixture
async def provider(lab: HttpLab) -> AsyncIterator[BirdProvider]:
    provider = CASE.make(lab)
    yield provider
    await provider.close()


def changed(outgoing: Outgoing | None = None, **changes: Any) -> Outgoing:
    outgoing = outgoing or plain_outgoing()
    return replace(outgoing, message=replace(outgoing.message, **changes))


async def send(provider: BirdProvider, outgoing: Outgoing | None = None, **changes: Any) -> Receipt:
    return await provider.send(provider.prepare(changed(outgoing, **changes)), Recorder())


def conflict(code: str) -> Reply:
    return Reply(409, {"error": {"type": "conflict", "code": code, "name": "idempotency", "message": "Key in use"}})


async def test_a_mail_carries_all_that_was_written(lab: HttpLab, provider: BirdProvider) -> None:
    """Names, bodies, headers, tags, metadata, files, images, schedule and options reach the API."""
    outgoing = rich()
    receipt = await provider.send(provider.prepare(outgoing), Recorder())
    (stored,) = lab.rules.stored
    assert outgoing.not_before
    files = stored.pop("attachments")
    assert stored == {
        "from": {"email": "ada@example.org", "name": "Ada Lovelace"},
        "to": ["bob@example.net", "eve@example.net"],
        "cc": [{"email": "carol@example.net", "name": 'Carol "C" ü'}],
        "bcc": ["dan@example.net"],
        "reply_to": [{"email": "office@example.org", "name": "The Office"}],
        "subject": "Notes",
        "html": outgoing.message.html,
        "text": outgoing.message.text,
        "headers": {
            "In-Reply-To": "<1@example.net>",
            "References": "<0@example.net> <1@example.net>",
            "X-Loft": "east",
        },
        "tags": [{"name": "spring", "value": "true"}, {"name": "campaign", "value": "x-1"}],
        "metadata": {"order": "7"},
        "parameters": {"a": 1},
        "scheduled_at": outgoing.not_before.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "ip_pool_id": "ipp_shared",
        "category": "marketing",
        "track_opens": True,
        "track_clicks": False,
    }
    assert base64.b64decode(files[0].pop("content")) == b"%PDF-1.7 plan" * 20_000
    assert base64.b64decode(files[1].pop("content")) == b"\x89PNG logo"
    assert files == [
        {"filename": 'pl"an ü.pdf', "content_type": "application/pdf"},
        {"filename": "a.png", "content_type": "image/png", "content_id": "logo"},
    ]
    assert receipt.is_handed_over
    assert receipt.provider_id == "em_00000000000000000000000001"


async def test_a_persons_mail_is_transactional_and_untracked(lab: HttpLab, provider: BirdProvider) -> None:
    """Bird's own defaults (marketing, tracking) are never left standing."""
    await send(provider)
    (stored,) = lab.rules.stored
    assert set(stored) == {"from", "to", "subject", "text", "category", "track_opens", "track_clicks"}
    assert (stored["category"], stored["track_opens"], stored["track_clicks"]) == ("transactional", False, False)


def at_home(secret: str = "", **settings: Any) -> tuple[BirdProvider, str]:
    """A provider at Bird's own address, and where it goes with a key."""
    account = AccountSettings(account="work", settings=BirdSettings(**settings), identities=())
    provider = BirdProvider(account, FixedSecret(secret))
    return provider, provider.base_url_for(secret)


@pytest.mark.parametrize(
    ("key", "settings", "url"),
    [
        ("bk_us1_abc", {}, "https://us1.platform.bird.com/v1"),
        ("bk_eu1_abc", {}, "https://eu1.platform.bird.com/v1"),
        ("bk_eu1_abc", {"region": "us1"}, "https://eu1.platform.bird.com/v1"),
        ("something", {"region": "us1"}, "https://us1.platform.bird.com/v1"),
        ("bk_eu1_abc", {"base_url": "http://localhost:1"}, "http://localhost:1/v1"),
    ],
)
def test_the_key_names_the_region(key: str, settings: dict[str, Any], url: str) -> None:
    """A key goes to its own region, whatever the setting; an address of one's own goes before both."""
    assert at_home(key, **settings)[1] == url


def test_a_key_of_another_kind_is_told() -> None:
    """Whoever stores an access key of the Channels API reads which provider it belongs to."""
    with pytest.raises(NotAuthorized, match="bird_channels"):
        at_home("AccessKeyOfTheOldKind")


def test_a_dry_run_needs_no_key() -> None:
    """Without a key the region is shown as a blank, or as the setting says."""
    blank, _ = at_home("bk_us1_abc")
    assert blank.prepare(plain_outgoing()).steps[0].title == "POST https://{region}.platform.bird.com/v1/email/messages"
    known, _ = at_home("bk_us1_abc", region="us1")
    assert known.prepare(plain_outgoing()).steps[0].title == "POST https://us1.platform.bird.com/v1/email/messages"


async def test_a_repeat_with_the_same_key_sends_once(lab: HttpLab, provider: BirdProvider) -> None:
    """A lost answer is asked for again under the same key: one mail, and its own id."""
    lab.on(MESSAGES, DROP_AFTER_ACTING)
    with pytest.raises(OutcomeUncertain):
        await send(provider)
    receipt = await send(provider)
    assert len(lab.rules.stored) == 1
    assert receipt.provider_id == "em_00000000000000000000000001"
    assert [one.headers["idempotency-key"] for one in lab.asked(MESSAGES)] == [plain_outgoing().idempotency_key] * 2


@pytest.mark.parametrize("code", ["E01004", "E01005"])
async def test_a_key_in_use_is_uncertain(lab: HttpLab, provider: BirdProvider, code: str) -> None:
    """A key that is in use means that an earlier request may have been taken: nothing is guessed."""
    lab.on(MESSAGES, conflict(code))
    with pytest.raises(OutcomeUncertain, match=f"{code} Key in use"):
        await send(provider)


async def test_another_conflict_is_a_refusal(lab: HttpLab, provider: BirdProvider) -> None:
    """Any other conflict says for certain that nothing was sent."""
    lab.on(MESSAGES, conflict("E02001"))
    with pytest.raises(Rejected):
        await send(provider)


async def test_a_scheduled_mail_can_be_canceled(lab: HttpLab, provider: BirdProvider) -> None:
    """Until it is being sent it can be taken back; after that one is told that it is too late."""
    soon = replace(plain_outgoing(), not_before=datetime.now(UTC) + timedelta(days=1))
    receipt = await send(provider, soon)
    assert [one.detail for one in await provider.status(receipt)] == ["scheduled", "scheduled"]
    await provider.cancel(receipt)
    assert lab.rules.messages[receipt.provider_id]["status"] == "canceled"
    await provider.cancel(receipt)  # the first yes may have been lost on the way
    lab.rules.messages[receipt.provider_id]["status"] = "processed"
    with pytest.raises(Rejected, match="no longer scheduled"):
        await provider.cancel(receipt)


def test_the_schedule_has_its_limits(provider: BirdProvider) -> None:
    """Bird keeps what is due in 30 s to 30 days, templates never; anything else stays in our outbox."""
    now = datetime(2026, 11, 26, 5, 0, tzinfo=UTC)
    kept = [
        keeps_schedule(provider.capabilities, now + ahead, now)
        for ahead in (timedelta(seconds=31), timedelta(minutes=2), timedelta(days=30), timedelta(days=30, seconds=1))
    ]
    assert kept == [False, True, True, False]
    assert not keeps_schedule(provider.capabilities, now + timedelta(days=1), now, is_template=True)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("accepted", RecipientStatus.ACCEPTED),
        ("processed", RecipientStatus.ACCEPTED),
        ("deferred", RecipientStatus.DEFERRED),
        ("delivered", RecipientStatus.DELIVERED),
        ("bounced", RecipientStatus.BOUNCED),
        ("complained", RecipientStatus.COMPLAINED),
        ("rejected", RecipientStatus.REJECTED),
        ("canceled", RecipientStatus.REJECTED),
        ("teleported", RecipientStatus.UNKNOWN),
    ],
)
async def test_each_recipient_has_a_status(
    lab: HttpLab, provider: BirdProvider, word: str, status: RecipientStatus
) -> None:
    """One recipient's trouble isn't the other's."""
    receipt = await send(provider)
    rows = lab.rules.recipients[receipt.provider_id]
    rows[0] |= {"status": "delivered"}
    rows[1] |= {"status": word, "rejection_reason": "domain_unverified" if word == "rejected" else None}
    told = await provider.status(receipt)
    assert [one.address for one in told] == ["bob@example.net", "eve@example.net"]
    assert told[0].status is RecipientStatus.DELIVERED
    assert told[1].status is status
    assert told[1].detail == ("rejected: domain_unverified" if word == "rejected" else word)


async def test_without_recipients_the_messages_status_stands_for_all(lab: HttpLab, provider: BirdProvider) -> None:
    """Where the recipients can't be had, what is known of the message is told."""
    receipt = await send(provider)
    lab.rules.has_recipients = False
    lab.rules.messages[receipt.provider_id]["status"] = "delivered"
    assert {one.status for one in await provider.status(receipt)} == {RecipientStatus.DELIVERED}


async def test_a_template_brings_subject_and_body(lab: HttpLab, provider: BirdProvider) -> None:
    """A template is named by id or slug and gets its variables; category and tracking are still ours."""
    await send(provider, text=None, subject="", template="welcome-email", variables={"name": "Bob"})
    await send(
        provider,
        replace(plain_outgoing(), idempotency_key="another"),
        text=None,
        subject="",
        template="emt_01krdgeqcxet5s7t44vh8rt9mg",
        options={"language": "pt-BR"},
    )
    assert [one["template"] for one in lab.rules.stored] == [
        {"slug": "welcome-email", "parameters": {"name": "Bob"}},
        {"id": "emt_01krdgeqcxet5s7t44vh8rt9mg", "language": "pt-BR"},
    ]
    assert {one["category"] for one in lab.rules.stored} == {"transactional"}


async def test_a_refusal_names_the_field(lab: HttpLab, provider: BirdProvider) -> None:
    """An error is shown with its code, its words and the field it is about."""
    error = {
        "code": "E01001",
        "message": "Invalid request",
        "param": "to",
        "details": [{"param": "to[0]", "message": "reserved domain"}],
    }
    lab.on(MESSAGES, Reply(422, {"error": error}))
    with pytest.raises(Rejected, match=r"E01001 Invalid request; to\[0\]: reserved domain"):
        await send(provider)


async def test_the_rate_limit_counts_seconds(lab: HttpLab, provider: BirdProvider) -> None:
    """Too many requests: the mail waits as long as asked."""
    lab.on(MESSAGES, Reply(429, {"error": {"code": "E01009", "message": "Slow down"}}, {"retry-after": "60"}))
    before = datetime.now(UTC)
    with pytest.raises(TryLater, match="Slow down") as later:
        await send(provider)
    assert later.value.retry_at is not None
    assert timedelta(seconds=59) <= later.value.retry_at - before <= timedelta(seconds=65)


async def test_the_key_is_proved_with_its_domains(lab: HttpLab, provider: BirdProvider) -> None:
    """Testing an account tells whether its domain is verified; a key that may not list them is proved otherwise."""
    (identity,) = await provider.check()
    assert (identity.address, identity.detail) == ("ada@example.org", "example.org is verified")
    lab.on("GET /v1/email/domains", Reply(403, {"error": {"code": "E01002", "message": "no"}}))
    (identity,) = await provider.check()
    assert identity.detail == "the key works"
    assert len(lab.asked("GET /v1/email/messages")) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"subject": ""}, "subject"),
        ({"text": ""}, "body"),
        ({"text": "x" * 524_289}, "body"),
        ({"to": (), "cc": (Address("a", "example.net"),)}, "to"),
        ({"to": tuple(Address(f"a{number}", "example.net") for number in range(51))}, "to"),
        ({"reply_to": tuple(Address(f"a{number}", "example.net") for number in range(26))}, "reply_to"),
        ({"headers": (("Return-Path", "x"),)}, "headers"),
        ({"headers": tuple((f"X-{number}", "1") for number in range(26))}, "headers"),
        ({"tags": (("two words", None),)}, "tags"),
        ({"tags": (("t" * 33, "v"),)}, "tags"),
        ({"metadata": {"k": "v" * 2048}}, "metadata"),
        ({"options": {"language": "en"}}, "options"),
        ({"attachments": (Attachment(name="x", media_type="a/b", url="https://example.org/x"),)}, "attachments"),
        (
            {
                "attachments": (
                    Attachment(name="x", media_type="image/png", size=1, sha256="0" * 64, content_id="a b@c"),
                )
            },
            "attachments",
        ),
        (
            {"attachments": (Attachment(name="x", media_type="a/b", size=15_000_001, sha256="0" * 64),)},
            "attachments",
        ),
    ],
)
async def test_what_it_cannot_carry_is_refused_with_a_way_out(
    provider: BirdProvider, change: dict[str, Any], field: str
) -> None:
    """Nothing is dropped silently: what Bird has no place for is refused before anything is sent."""
    with pytest.raises(Unsupported) as refusal:
        provider.prepare(changed(**change))
    assert refusal.value.field == field
    assert refusal.value.what_to_do
