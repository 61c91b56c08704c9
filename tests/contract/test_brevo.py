"""Brevo's own ways: a key inside the message's headers, a repeat that is refused, schedules to the millisecond."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from http_lab import DROP_AFTER_ACTING, HttpLab, Reply
from popular_message import BY_FILE, BY_URL, CAROL, DAVE, INLINE, rich_outgoing, templated_outgoing
from rules_brevo import CASE, BrevoRules

from tui_mailer.domain.errors import NotAuthorized, OutcomeUncertain, Rejected, TryLater, Unsupported
from tui_mailer.domain.submission import RecipientStatus
from tui_mailer.providers import brevo
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.testing import Recorder, make_message, make_outgoing


@pytest.fixture
def rules() -> BrevoRules:
    return BrevoRules()


@pytest.fixture
async def lab(rules: BrevoRules) -> AsyncIterator[HttpLab]:
    async with HttpLab(rules) as lab:
        yield lab


@pytest.fixture
async def provider(lab: HttpLab) -> AsyncIterator[HttpProvider]:
    provider = CASE.make(lab)
    yield provider
    await provider.close()


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brevo, "_SECONDS_BETWEEN_LOOKUPS", 0)


async def test_the_request_is_the_one_documented(lab: HttpLab, provider: HttpProvider) -> None:
    """Every field stands where Brevo's page puts it, the key among the message's headers."""
    outgoing = rich_outgoing(attachments=(BY_FILE, BY_URL), is_threaded=False)
    await provider.send(provider.prepare(outgoing), Recorder())
    document = lab.requests[0].json
    del document["attachment"][0]["content"]
    UUID(document["headers"].pop("idempotencyKey"))
    assert "idempotency-key" not in lab.requests[0].headers
    assert document == {
        "sender": {"name": 'Ada "the Countess" Lovelace, Esq.', "email": "ada@example.org"},
        "to": [
            {"name": "\u0391\u03bb\u03c6\u03b1", "email": "alpha@xn--bcher-kva.example"},
            {"name": "Eve", "email": "eve@example.net"},
        ],
        "cc": [{"name": "Carol", "email": "carol@example.net"}],
        "bcc": [{"email": "dave@example.net"}],
        "replyTo": {"name": "Carol", "email": "carol@example.net"},
        "subject": "Notes on the engine \u2014 No. 7",
        "htmlContent": '<p>The engine weaves <img src="cid:logo"></p>',
        "textContent": "The engine weaves algebraic patterns.\n",
        "attachment": [
            {"name": "pl\u00e4n, v2.pdf"},
            {"name": "map.png", "url": "https://example.org/map.png"},
        ],
        "headers": {"X-Loom": "east"},
        "tags": ["spring", "team=engine"],
    }


async def test_a_refused_repeat_proves_that_it_was_taken(
    lab: HttpLab, rules: BrevoRules, provider: HttpProvider
) -> None:
    """When the answer is lost, the repeat's refusal says that the first one was processed: sent, once."""
    lab.on("POST /v3/smtp/email", DROP_AFTER_ACTING)
    prepared = provider.prepare(make_outgoing())
    with pytest.raises(OutcomeUncertain):
        await provider.send(prepared, Recorder())
    receipt = await provider.send(prepared, Recorder())
    assert len(rules.stored) == 1
    assert all(one.status is RecipientStatus.ACCEPTED for one in receipt.recipients)
    assert "already been processed" in receipt.response_text
    assert receipt.provider_id is None
    assert await provider.status(receipt) == []


async def test_another_duplicate_is_a_refusal(lab: HttpLab, provider: HttpProvider) -> None:
    """Only the word about the key proves anything; another duplicate is a refusal as any."""
    lab.on("POST", Reply(400, {"code": "duplicate_parameter", "message": "to is duplicated"}))
    with pytest.raises(Rejected, match="to is duplicated"):
        await provider.send(provider.prepare(make_outgoing()), Recorder())


async def test_a_rate_limit_says_when(lab: HttpLab, provider: HttpProvider) -> None:
    """The next try is when Brevo's own header says, in seconds."""
    headers = {"x-sib-ratelimit-limit": "1000", "x-sib-ratelimit-remaining": "0", "x-sib-ratelimit-reset": "45"}
    lab.on("POST", Reply(429, {"code": "too_many_requests", "message": "slow down"}, headers))
    before = datetime.now(UTC)
    with pytest.raises(TryLater, match="slow down") as later:
        await provider.send(provider.prepare(make_outgoing()), Recorder())
    assert later.value.retry_at
    assert timedelta(seconds=44) < later.value.retry_at - before < timedelta(seconds=55)


async def test_an_empty_account_is_the_accounts_trouble(lab: HttpLab, provider: HttpProvider) -> None:
    """Without credits the account is held and its mail waits."""
    lab.on("POST", Reply(402, {"code": "not_enough_credits", "message": "You have no credits"}))
    with pytest.raises(NotAuthorized, match="no credits"):
        await provider.send(provider.prepare(make_outgoing()), Recorder())


async def test_a_scheduled_message_waits_there_and_can_be_taken_back(
    lab: HttpLab, rules: BrevoRules, provider: HttpProvider
) -> None:
    """The time is UTC with milliseconds; while it waits the recipients are pending; a cancellation works once."""
    when = datetime.now(UTC).replace(microsecond=250_000) + timedelta(hours=2)
    receipt = await provider.send(provider.prepare(replace(make_outgoing(), not_before=when)), Recorder())
    assert lab.requests[0].json["scheduledAt"] == when.strftime("%Y-%m-%dT%H:%M:%S.250Z")
    assert receipt.is_handed_over
    assert [one.status for one in await provider.status(receipt)] == [RecipientStatus.PENDING] * 2
    await provider.cancel(receipt)
    assert rules.scheduled == {}
    with pytest.raises(Rejected, match="back any more"):
        await provider.cancel(receipt)


async def test_events_tell_what_became_of_each(lab: HttpLab, rules: BrevoRules, provider: HttpProvider) -> None:
    """The list of messages tells no status, so each recipient's own page is asked."""
    receipt = await provider.send(provider.prepare(make_outgoing()), Recorder())
    rules.events = {
        "bob@example.net": [
            {"name": "sent", "time": "2026-11-26T09:00:00Z"},
            {"name": "hard_bounce", "time": "2026-11-26T09:00:02Z", "reason": "550 no such user"},
        ],
        "eve@example.net": [{"name": "levitated", "time": "2026-11-26T09:00:01Z"}],
    }
    bob, eve = await provider.status(receipt)
    assert bob.status is RecipientStatus.BOUNCED
    assert bob.detail.endswith("550 no such user")
    assert (eve.status, eve.detail) == (RecipientStatus.UNKNOWN, "levitated")
    assert lab.asked("GET /v3/smtp/emails?")[0].query == {"messageId": receipt.provider_id}


async def test_the_check_lists_the_senders(provider: HttpProvider) -> None:
    """The check says who may send."""
    (identity,) = await provider.check()
    assert (identity.address, identity.detail) == ("ada@example.org", "active")


def test_variables_are_the_templates_params(provider: HttpProvider) -> None:
    """A template is called by number, its variables are params, the subject stays the template's own."""
    body = brevo.mail(templated_outgoing("12"))
    assert body["templateId"] == 12
    assert body["params"] == {"name": "Bob"}
    assert "subject" not in body
    with pytest.raises(Unsupported, match="by number"):
        provider.prepare(templated_outgoing("welcome"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"in_reply_to": "<1@example.net>"}, "in_reply_to"),
        ({"headers": (("List-Unsubscribe", "<mailto:x@example.org>"),)}, "headers"),
        ({"headers": (("Importance", "high"),)}, "headers"),
        ({"reply_to": (CAROL, DAVE)}, "reply_to"),
        ({"attachments": (INLINE,)}, "attachments"),
        ({"subject": ""}, "subject"),
    ],
)
def test_what_brevo_refuses_is_refused_here(provider: HttpProvider, change: dict[str, object], field: str) -> None:
    """Answers, standard headers, a second Reply-To and inline images are refused before sending."""
    with pytest.raises(Unsupported) as refusal:
        provider.prepare(make_outgoing(replace(make_message(), **change)))
    assert refusal.value.field == field
