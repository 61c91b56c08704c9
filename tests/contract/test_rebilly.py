"""Rebilly's own ways: a draft, then the outbox; both bodies; the mail service's answer; verified senders."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from http_case import plain_outgoing
from http_lab import DROP_AFTER_ACTING, DROP_UNACTED, HttpLab, Reply
from rules_rebilly import BASE, CASE, RebillyRules, rich

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import OutcomeUncertain, Rejected, TryLater, Unsupported
from tui_mailer.domain.message import Attachment
from tui_mailer.domain.submission import Phase, RecipientStatus
from tui_mailer.providers.base import Outgoing
from tui_mailer.providers.rebilly import RebillyProvider
from tui_mailer.providers.testing import Recorder

MAKE, SEND = f"POST {BASE}/email-messages", f"PATCH {BASE}/email-messages/"


@pytest.fixture
async def lab() -> AsyncIterator[HttpLab]:
    async with HttpLab(RebillyRules()) as lab:
        yield lab


@pytest.fixture
async def provider(lab: HttpLab) -> AsyncIterator[RebillyProvider]:
    provider = CASE.make(lab)
    yield provider
    await provider.close()


def with_options(**options: Any) -> Outgoing:
    outgoing = plain_outgoing()
    return replace(outgoing, message=replace(outgoing.message, options=options))


async def test_a_draft_carries_all_that_was_written(lab: HttpLab, provider: RebillyProvider) -> None:
    """Addresses, both bodies, metadata, credential and resources reach the API as it names them."""
    outgoing = rich()
    receipt = await provider.send(provider.prepare(outgoing), Recorder())
    assert lab.asked(MAKE)[0].json == {
        "from": "ada@example.org",
        "to": ["bob@example.net", "eve@example.net"],
        "cc": ["carol@example.net"],
        "bcc": ["dan@example.net"],
        "subject": "Notes",
        "text": outgoing.message.text,
        "html": "<p>The engine weaves.</p>",
        "status": "draft",
        "metadata": {"customer": "C-1", "owner": "7"},
        "credentialHash": "b120c2ca-6c2b-4690-9dff-3b0d87852dc7",
        "attachments": [{"resourceType": "invoice", "resourceId": "INV-1"}],
    }
    assert receipt.provider_id == "mail_msg_1"
    assert receipt.note == {
        "initiatedTime": "2026-11-26T05:00:01Z",
        "self": f"https://api.rebilly.com{BASE}/email-messages/mail_msg_1",
    }


@pytest.mark.parametrize(
    ("bodies", "text", "html"),
    [
        ({"text": "a < b\n"}, "a < b\n", "<p>a &lt; b</p>"),
        ({"text": None, "html": "<p>a &lt; b</p>"}, "a < b\n", "<p>a &lt; b</p>"),
    ],
)
async def test_the_missing_body_is_made(
    lab: HttpLab, provider: RebillyProvider, bodies: dict[str, Any], text: str, html: str
) -> None:
    """Rebilly wants text and HTML: whoever writes one gets the other made from it."""
    outgoing = plain_outgoing()
    await provider.send(provider.prepare(replace(outgoing, message=replace(outgoing.message, **bodies))), Recorder())
    assert lab.rules.stored[0]["text"] == text
    assert html in lab.rules.stored[0]["html"]


async def test_a_break_before_the_outbox_goes_on_with_the_same_draft(lab: HttpLab, provider: RebillyProvider) -> None:
    """When the line breaks between the two steps nothing was sent, and the next attempt makes no second draft."""
    recorder = Recorder()
    lab.on(SEND, Reply(503, {"title": "Down for repair", "status": 503}, {"retry-after": "5"}))
    with pytest.raises(TryLater, match="Down for repair"):
        await provider.send(provider.prepare(plain_outgoing()), recorder)
    assert recorder.note == {"draft.id": "mail_msg_1"}
    assert recorder.phases[-1] is Phase.INTENT
    again = replace(plain_outgoing(), note=recorder.note, attempt=2)
    receipt = await provider.send(provider.prepare(again), Recorder())
    assert receipt.provider_id == "mail_msg_1"
    assert len(lab.asked(MAKE)) == 1
    assert len(lab.rules.stored) == 1


async def test_a_break_at_the_draft_is_not_uncertain(lab: HttpLab, provider: RebillyProvider) -> None:
    """A draft nobody sent is no mail: a lost answer to the first step is simply tried again."""
    lab.on(MAKE, DROP_AFTER_ACTING)
    with pytest.raises(TryLater):
        await provider.send(provider.prepare(plain_outgoing()), Recorder())
    assert not lab.rules.stored


@pytest.mark.parametrize(("fault", "is_sent"), [(DROP_AFTER_ACTING, True), (DROP_UNACTED, False)])
async def test_an_uncertain_outbox_step_is_settled_by_asking(
    lab: HttpLab, provider: RebillyProvider, fault: Any, is_sent: bool
) -> None:
    """A lost answer to the second step is looked up: sent, or certainly not."""
    recorder = Recorder()
    lab.on(SEND, fault)
    with pytest.raises(OutcomeUncertain):
        await provider.send(provider.prepare(plain_outgoing()), recorder)
    found = await provider.find(plain_outgoing(), recorder.note)
    assert (found is not None) is is_sent
    if found:
        assert found.provider_id == "mail_msg_1"


async def test_without_the_drafts_id_nothing_is_guessed(provider: RebillyProvider) -> None:
    """When it isn't known which draft it was, the outcome stays uncertain: a second mail would be worse."""
    with pytest.raises(OutcomeUncertain):
        await provider.find(plain_outgoing(), {})


@pytest.mark.parametrize("status", ["outbox", "sending", "sent"])
async def test_a_draft_that_has_left_already_is_sent(lab: HttpLab, provider: RebillyProvider, status: str) -> None:
    """Sending what an earlier attempt has sent is answered 409, and isn't sent twice."""
    recorder = Recorder()
    lab.on(SEND, DROP_AFTER_ACTING)
    with pytest.raises(OutcomeUncertain):
        await provider.send(provider.prepare(plain_outgoing()), recorder)
    lab.rules.messages["mail_msg_1"]["status"] = status
    receipt = await provider.send(provider.prepare(replace(plain_outgoing(), note=recorder.note)), Recorder())
    assert all(one.status is RecipientStatus.ACCEPTED for one in receipt.recipients)
    assert len(lab.rules.stored) == 1


async def test_a_draft_that_was_deleted_is_refused(lab: HttpLab, provider: RebillyProvider) -> None:
    """Somebody took the draft back in Rebilly: the mail isn't sent behind their back."""
    with pytest.raises(Rejected, match="no such message"):
        await provider.send(provider.prepare(replace(plain_outgoing(), note={"draft.id": "mail_msg_9"})), Recorder())


async def test_the_mail_services_answer_is_shown(lab: HttpLab, provider: RebillyProvider) -> None:
    """What the server behind Rebilly said is what one reads, code and words."""
    receipt = await provider.send(provider.prepare(plain_outgoing()), Recorder())
    message = lab.rules.messages["mail_msg_1"]
    message |= {
        "status": "sent",
        "responseCode": 250,
        "responseBody": "2.0.0 OK queued",
        "sentTime": "2026-11-26T05:01:00Z",
    }
    told = await provider.status(receipt)
    assert [one.address for one in told] == ["bob@example.net", "eve@example.net"]
    assert told[0].status is RecipientStatus.ACCEPTED
    assert told[0].detail == "sent: the mail service answered 250 2.0.0 OK queued"
    assert told[0].at == datetime(2026, 11, 26, 5, 1, tzinfo=UTC)
    message |= {"status": "failed", "responseCode": 550, "responseBody": "5.1.1 no such user"}
    (told, _) = await provider.status(receipt)
    assert (told.status, told.detail) == (
        RecipientStatus.REJECTED,
        "failed: the mail service answered 550 5.1.1 no such user",
    )


async def test_a_failure_at_once_is_a_refusal(lab: HttpLab, provider: RebillyProvider) -> None:
    """When the mail service refuses it straight away, that is the answer."""
    failed = {"id": "mail_msg_1", "status": "failed", "responseCode": 535, "responseBody": "bad credential"}
    lab.on(SEND, Reply(200, failed))
    with pytest.raises(Rejected, match="the mail service answered 535 bad credential"):
        await provider.send(provider.prepare(plain_outgoing()), Recorder())


async def test_a_draft_can_be_left_and_taken_back(lab: HttpLab, provider: RebillyProvider) -> None:
    """Left as a draft it is with Rebilly, not sent; canceling deletes it."""
    receipt = await provider.send(provider.prepare(with_options(status="draft")), Recorder())
    assert receipt.is_handed_over
    assert "as a draft" in receipt.response_text
    assert not lab.asked(SEND)
    assert [one.status for one in await provider.status(receipt)] == [RecipientStatus.PENDING] * 2
    await provider.cancel(receipt)
    assert not lab.rules.messages
    await provider.cancel(receipt)  # the first yes may have been lost on the way


async def test_a_draft_that_was_deleted_there_is_told(lab: HttpLab, provider: RebillyProvider) -> None:
    """Somebody has thrown the draft away in Rebilly: nobody will get it, and that is told."""
    receipt = await provider.send(provider.prepare(with_options(status="draft")), Recorder())
    lab.rules.messages.clear()
    assert {one.status for one in await provider.status(receipt)} == {RecipientStatus.REJECTED}


async def test_an_answer_without_its_id_keeps_the_drafts(lab: HttpLab, provider: RebillyProvider) -> None:
    """What the second answer leaves out is known from the first."""
    lab.on(SEND, Reply(200, {"status": "outbox"}))
    assert (await provider.send(provider.prepare(plain_outgoing()), Recorder())).provider_id == "mail_msg_1"


async def test_a_draft_that_was_sent_meanwhile_cannot_be_taken_back(lab: HttpLab, provider: RebillyProvider) -> None:
    """Somebody has sent it in Rebilly: it is too late, and that is told."""
    receipt = await provider.send(provider.prepare(with_options(status="draft")), Recorder())
    lab.rules.messages["mail_msg_1"]["status"] = "outbox"
    with pytest.raises(Rejected, match="can't be taken back"):
        await provider.cancel(receipt)


async def test_the_dry_run_shows_both_steps(provider: RebillyProvider) -> None:
    """One sees beforehand that the draft comes first and that the second step sends it."""
    steps = provider.prepare(plain_outgoing()).steps
    assert [step.title.partition(" ")[0] for step in steps] == ["GET", "POST", "PATCH", "GET"]
    assert steps[0].title.endswith("/email-delivery-settings?limit=1000")
    assert steps[2].title.endswith("/email-messages/{draft.id}")
    assert any('"status": "outbox"' in line for line in steps[2].lines)


async def test_senders_are_the_verified_settings(lab: HttpLab, provider: RebillyProvider) -> None:
    """Testing an account lists who one may send as; after that another From is refused at once."""
    assert [(one.address, one.detail) for one in await provider.check()] == [
        ("ada@example.org", "Ada Lovelace, by smtp, default")
    ]
    outgoing = plain_outgoing()
    pending = replace(outgoing, message=replace(outgoing.message, sender=Address("new", "example.org")))
    with pytest.raises(Unsupported, match="isn't a verified") as refusal:
        provider.prepare(pending)
    assert refusal.value.field == "from"
    assert "ada@example.org" in refusal.value.what_to_do


async def test_a_sender_that_is_not_verified_is_refused_before_there_is_a_draft(
    lab: HttpLab, provider: RebillyProvider
) -> None:
    """A process that never tested the account asks first: nothing is made at Rebilly, and who could send is named."""
    outgoing = plain_outgoing()
    pending = replace(outgoing, message=replace(outgoing.message, sender=Address("new", "example.org")))
    with pytest.raises(Rejected, match=r"new@example.org isn't a verified .*\(ada@example.org\).*Nothing was sent"):
        await provider.send(provider.prepare(pending), Recorder())
    assert [one.method for one in lab.requests] == ["GET"]
    lab.rules.settings[1]["status"] = "verified"  # type: ignore[attr-defined]
    receipt = await provider.send(provider.prepare(pending), Recorder())
    assert receipt.recipients[0].status is RecipientStatus.ACCEPTED


async def test_a_key_that_may_not_read_the_senders_still_sends(lab: HttpLab, provider: RebillyProvider) -> None:
    """Who isn't told decides nothing: Rebilly itself judges From then."""
    lab.always("GET /organizations/org-1/email-delivery-settings", Reply(403, {"title": "Forbidden"}))
    receipt = await provider.send(provider.prepare(plain_outgoing()), Recorder())
    assert receipt.recipients[0].status is RecipientStatus.ACCEPTED


async def test_the_sandbox_has_an_address_of_its_own(lab: HttpLab) -> None:
    """An account in the sandbox talks to the sandbox, and says that it is one."""
    live, sandbox = CASE.make(lab, base_url=None), CASE.make(lab, base_url=None, sandbox=True)
    assert live.base_url == "https://api.rebilly.com/organizations/org-1"
    assert sandbox.base_url == "https://api-sandbox.rebilly.com/organizations/org-1"
    assert sandbox.capabilities.sandbox
    assert not live.capabilities.sandbox


async def test_the_rate_limit_names_an_instant(lab: HttpLab, provider: RebillyProvider) -> None:
    """Too many requests: the mail waits until the time Rebilly names."""
    instant = int(time.time()) + 90
    problem = {"type": "about:blank", "title": "Too many requests", "status": 429}
    lab.on(
        MAKE, Reply(429, problem, {"x-ratelimit-retry-after": str(instant), "content-type": "application/problem+json"})
    )
    with pytest.raises(TryLater, match="Too many requests") as later:
        await provider.send(provider.prepare(plain_outgoing()), Recorder())
    assert later.value.retry_at == datetime.fromtimestamp(instant, UTC)


async def test_invalid_fields_are_named(lab: HttpLab, provider: RebillyProvider) -> None:
    """A refusal says which field is meant, in Rebilly's own words."""
    problem = {
        "title": "Invalid data was sent",
        "status": 422,
        "detail": "See the fields",
        "invalidFields": [{"field": "from", "message": "isn't verified"}],
    }
    lab.on(MAKE, Reply(422, problem, {"content-type": "application/problem+json"}))
    with pytest.raises(Rejected, match="See the fields; from: isn't verified"):
        await provider.send(provider.prepare(plain_outgoing()), Recorder())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"subject": ""}, "subject"),
        ({"subject": "x" * 999}, "subject"),
        ({"text": ""}, "body"),
        ({"to": (), "cc": (Address("a", "example.net"),)}, "to"),
        ({"reply_to": (Address("a", "example.net"),)}, "reply_to"),
        ({"attachments": (Attachment(name="x", media_type="a/b", reference="invoice"),)}, "attachments"),
        ({"attachments": (Attachment(name="x", media_type="a/b", reference=f"a/{'i' * 51}"),)}, "attachments"),
        ({"attachments": (Attachment(name="x", media_type="a/b", url="https://example.org/x"),)}, "attachments"),
    ],
)
async def test_what_it_cannot_carry_is_refused_with_a_way_out(
    provider: RebillyProvider, change: dict[str, Any], field: str
) -> None:
    """Nothing is dropped silently: what Rebilly has no place for is refused before anything is sent."""
    outgoing = plain_outgoing()
    with pytest.raises(Unsupported) as refusal:
        provider.prepare(replace(outgoing, message=replace(outgoing.message, **change)))
    assert refusal.value.field == field
    assert refusal.value.what_to_do


@pytest.mark.parametrize(
    "held", [{"url": "https://example.org/x"}, {"sha256": "0" * 64, "size": 1}], ids=["link", "file"]
)
async def test_files_and_links_are_refused_with_what_works(provider: RebillyProvider, held: dict[str, Any]) -> None:
    """The way out of a file isn't a link, nor of a link a file, where neither can be sent: it is a resource."""
    outgoing = plain_outgoing()
    attached = (Attachment(name="x", media_type="a/b", **held),)
    with pytest.raises(Unsupported, match="neither files nor links") as refusal:
        provider.prepare(replace(outgoing, message=replace(outgoing.message, attachments=attached)))
    assert "ref:TYPE/ID" in refusal.value.what_to_do
