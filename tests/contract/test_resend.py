"""Resend's own ways: keys, restricted keys, one status for all, schedules that can be taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from http_lab import DROP_AFTER_ACTING, HttpLab, Reply
from popular_message import BY_FILE, BY_URL, INLINE, LOGO, PLAN, only_left, rich_outgoing, templated_outgoing
from rules_resend import CASE, ResendRules

from tui_mailer.domain.errors import NotAuthorized, OutcomeUncertain, Rejected, TryLater, Unsupported
from tui_mailer.domain.submission import RecipientStatus
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.testing import Recorder, make_message, make_outgoing

NOON = datetime(2026, 12, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def rules() -> ResendRules:
    return ResendRules()


@pytest.fixture
async def lab(rules: ResendRules) -> AsyncIterator[HttpLab]:
    async with HttpLab(rules) as lab:
        yield lab


@pytest.fixture
async def provider(lab: HttpLab) -> AsyncIterator[HttpProvider]:
    provider = CASE.make(lab)
    yield provider
    await provider.close()


async def test_the_request_is_the_one_documented(lab: HttpLab, provider: HttpProvider) -> None:
    """Every field stands where Resend's page puts it, and none that isn't set."""
    outgoing = rich_outgoing(attachments=(BY_FILE, INLINE, BY_URL))
    await provider.send(provider.prepare(outgoing), Recorder())
    (request,) = lab.requests
    assert request.headers["idempotency-key"] == outgoing.idempotency_key
    document = request.json
    files = [one.pop("content", None) for one in document["attachments"]]
    assert [one and len(one) for one in files] == [-(-PLAN.size // 3) * 4, -(-LOGO.size // 3) * 4, None]
    assert document == {
        "from": '"Ada \\"the Countess\\" Lovelace, Esq." <ada@example.org>',
        "to": ["\u0391\u03bb\u03c6\u03b1 <alpha@xn--bcher-kva.example>", "Eve <eve@example.net>"],
        "subject": "Notes on the engine \u2014 No. 7",
        "cc": ["Carol <carol@example.net>"],
        "bcc": ["dave@example.net"],
        "reply_to": ["Carol <carol@example.net>"],
        "html": '<p>The engine weaves <img src="cid:logo"></p>',
        "text": "The engine weaves algebraic patterns.\n",
        "headers": {
            "In-Reply-To": "<1@example.net>",
            "References": "<0@example.net> <1@example.net>",
            "X-Loom": "east",
        },
        "attachments": [
            {"filename": "pl\u00e4n, v2.pdf", "content_type": "application/pdf"},
            {"filename": "logo.png", "content_type": "image/png", "content_id": "logo"},
            {"filename": "map.png", "path": "https://example.org/map.png", "content_type": "image/png"},
        ],
        "tags": [{"name": "spring", "value": "true"}, {"name": "team", "value": "engine"}],
    }


async def test_a_small_message_has_nothing_that_is_not_set(lab: HttpLab, provider: HttpProvider) -> None:
    """What nobody filled in isn't sent, not even empty."""
    await provider.send(provider.prepare(make_outgoing()), Recorder())
    assert list(lab.requests[0].json) == ["from", "to", "subject", "text"]


async def test_a_repeat_with_the_key_sends_once(lab: HttpLab, rules: ResendRules, provider: HttpProvider) -> None:
    """When the answer is lost, the same request again gets the first one's id and mails nobody twice."""
    lab.on("POST /emails", DROP_AFTER_ACTING)
    prepared = provider.prepare(make_outgoing())
    with pytest.raises(OutcomeUncertain):
        await provider.send(prepared, Recorder())
    receipt = await provider.send(prepared, Recorder())
    assert receipt.provider_id == "4ef9a417-1"
    assert len(rules.stored) == 1


@pytest.mark.parametrize("name", ["invalid_idempotent_request", "concurrent_idempotent_requests"])
async def test_a_key_that_was_used_already_proves_nothing(lab: HttpLab, provider: HttpProvider, name: str) -> None:
    """A key that Resend knows for another request, or one under way, leaves the outcome uncertain."""
    lab.on("POST /emails", Reply(409, {"statusCode": 409, "name": name, "message": "Same idempotency key"}))
    with pytest.raises(OutcomeUncertain, match=name):
        await provider.send(provider.prepare(make_outgoing()), Recorder())


async def test_a_domain_that_is_not_verified_is_the_messages_trouble(provider: HttpProvider) -> None:
    """From an address that Resend doesn't know the message is refused with Resend's words; the account goes on."""
    message = replace(make_message(), sender=make_message().sender._replace(domain="example.com"))
    with pytest.raises(Rejected, match="not verified"):
        await provider.send(provider.prepare(make_outgoing(message)), Recorder())


async def test_a_rate_limit_says_when(lab: HttpLab, provider: HttpProvider) -> None:
    """The next try is when Resend says it may be."""
    headers = {"ratelimit-limit": "2", "ratelimit-remaining": "0", "ratelimit-reset": "1", "retry-after": "30"}
    lab.on("POST /emails", Reply(429, {"name": "rate_limit_exceeded", "message": "Too many requests"}, headers))
    before = datetime.now(UTC)
    with pytest.raises(TryLater, match="rate_limit_exceeded") as later:
        await provider.send(provider.prepare(make_outgoing()), Recorder())
    assert later.value.retry_at
    assert timedelta(seconds=29) < later.value.retry_at - before < timedelta(seconds=40)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("queued", RecipientStatus.ACCEPTED),
        ("scheduled", RecipientStatus.PENDING),
        ("sent", RecipientStatus.ACCEPTED),
        ("delivered", RecipientStatus.DELIVERED),
        ("delivery_delayed", RecipientStatus.DEFERRED),
        ("bounced", RecipientStatus.BOUNCED),
        ("complained", RecipientStatus.COMPLAINED),
        ("failed", RecipientStatus.REJECTED),
        ("canceled", RecipientStatus.REJECTED),
        ("suppressed", RecipientStatus.REJECTED),
        ("opened", RecipientStatus.DELIVERED),
        ("clicked", RecipientStatus.DELIVERED),
        ("teleported", RecipientStatus.UNKNOWN),
    ],
)
async def test_every_status_word_is_known(
    rules: ResendRules, provider: HttpProvider, word: str, status: RecipientStatus
) -> None:
    """Each of Resend's words has its meaning; a new one is shown as it is."""
    outgoing = only_left(make_outgoing(), "bob@example.net")
    receipt = await provider.send(provider.prepare(outgoing), Recorder())
    rules.events[receipt.provider_id or ""] = word
    (told,) = await provider.status(receipt)
    assert (told.address, told.status, told.detail) == ("bob@example.net", status, word)


async def test_one_status_for_several_recipients_says_so(rules: ResendRules, provider: HttpProvider) -> None:
    """Where Resend tells one status for the whole message, each recipient's status says that it is shared."""
    receipt = await provider.send(provider.prepare(make_outgoing()), Recorder())
    rules.events[receipt.provider_id or ""] = "bounced"
    told = await provider.status(receipt)
    assert len(told) == 2
    assert all("whole message" in one.detail for one in told)


async def test_a_scheduled_message_can_be_taken_back_until_it_leaves(
    lab: HttpLab, rules: ResendRules, provider: HttpProvider
) -> None:
    """What waits at Resend is canceled there; afterwards it is too late, in a sentence."""
    receipt = await provider.send(provider.prepare(replace(make_outgoing(), not_before=NOON)), Recorder())
    assert lab.requests[0].json["scheduled_at"] == "2026-12-24T12:00:00Z"
    assert receipt.is_handed_over
    await provider.cancel(receipt)
    assert rules.events == {"4ef9a417-1": "canceled"}
    rules.events["4ef9a417-1"] = "sent"
    with pytest.raises(Rejected, match="back any more"):
        await provider.cancel(receipt)


async def test_a_lost_yes_to_a_cancel_is_no_no(lab: HttpLab, rules: ResendRules, provider: HttpProvider) -> None:
    """The answer to a cancel never came: that is told as unknown, and asked again it counts as taken back."""
    receipt = await provider.send(provider.prepare(replace(make_outgoing(), not_before=NOON)), Recorder())
    lab.on("POST /emails/", DROP_AFTER_ACTING)
    with pytest.raises(OutcomeUncertain, match="broke before Resend answered"):
        await provider.cancel(receipt)
    await provider.cancel(receipt)
    assert rules.events == {"4ef9a417-1": "canceled"}


async def test_a_key_that_may_only_send_is_no_wrong_key(
    lab: HttpLab, rules: ResendRules, provider: HttpProvider
) -> None:
    """The check says what a sending-only key can't do instead of calling it wrong; sending works."""
    rules.is_sending_only = True
    (identity,) = await provider.check()
    assert identity.address == "ada@example.org"
    assert "may only send" in identity.detail
    receipt = await provider.send(provider.prepare(make_outgoing()), Recorder())
    with pytest.raises(NotAuthorized, match="restricted"):
        await provider.status(receipt)


async def test_the_check_lists_the_domains(provider: HttpProvider) -> None:
    """The check says for which domains the key may send, and whether they are verified."""
    (identity,) = await provider.check()
    assert (identity.address, identity.detail) == ("*@example.org", "verified")


def test_a_template_without_a_subject_is_refused(provider: HttpProvider) -> None:
    """Resend wants a subject even with a template, so it is asked for before sending."""
    with pytest.raises(Unsupported) as refusal:
        provider.prepare(templated_outgoing("welcome"))
    assert refusal.value.field == "subject"


@pytest.mark.parametrize("tag", [("sp\u00e4t", None), ("team", "the engine"), ("x" * 257, None)])
def test_tags_that_resend_refuses_are_refused_here(provider: HttpProvider, tag: tuple[str, str | None]) -> None:
    """A tag with other characters than Resend takes, or too long, is refused before sending."""
    with pytest.raises(Unsupported) as refusal:
        provider.prepare(make_outgoing(replace(make_message(), tags=(tag,))))
    assert refusal.value.field == "tags"
