"""SendGrid's own ways: batches for what is scheduled, empty answers, an add-on for status."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from http_lab import DROP_AFTER_ACTING, DROP_UNACTED, HttpLab, Reply
from popular_message import CAROL, DAVE, only_left, rich_outgoing, templated_outgoing
from rules_sendgrid import CASE, SendGridRules

from tui_mailer.domain.errors import NotAuthorized, OutcomeUncertain, Rejected, TryLater, Unsupported
from tui_mailer.domain.message import Attachment
from tui_mailer.domain.submission import Phase, RecipientStatus
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.testing import MemoryContent, Recorder, make_message, make_outgoing


@pytest.fixture
def rules() -> SendGridRules:
    return SendGridRules()


@pytest.fixture
async def lab(rules: SendGridRules) -> AsyncIterator[HttpLab]:
    async with HttpLab(rules) as lab:
        yield lab


@pytest.fixture
async def provider(lab: HttpLab) -> AsyncIterator[HttpProvider]:
    provider = CASE.make(lab)
    yield provider
    await provider.close()


def in_hours(hours: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours)


async def test_the_request_is_the_one_documented(lab: HttpLab, provider: HttpProvider) -> None:
    """Every field stands where SendGrid's page puts it, text before HTML, tracking off."""
    await provider.send(provider.prepare(rich_outgoing(options={"asm_group_id": 7})), Recorder())
    document = lab.requests[0].json
    for one in document["attachments"]:
        del one["content"]
    assert document == {
        "personalizations": [
            {
                "to": [
                    {"email": "alpha@xn--bcher-kva.example", "name": "\u0391\u03bb\u03c6\u03b1"},
                    {"email": "eve@example.net", "name": "Eve"},
                ],
                "cc": [{"email": "carol@example.net", "name": "Carol"}],
                "bcc": [{"email": "dave@example.net"}],
                "custom_args": {"customer": "7", "note": "\u00fcber"},
            }
        ],
        "from": {"email": "ada@example.org", "name": 'Ada "the Countess" Lovelace, Esq.'},
        "reply_to": {"email": "carol@example.net", "name": "Carol"},
        "subject": "Notes on the engine \u2014 No. 7",
        "content": [
            {"type": "text/plain", "value": "The engine weaves algebraic patterns.\n"},
            {"type": "text/html", "value": '<p>The engine weaves <img src="cid:logo"></p>'},
        ],
        "attachments": [
            {"type": "application/pdf", "filename": "pl\u00e4n, v2.pdf", "disposition": "attachment"},
            {"type": "image/png", "filename": "logo.png", "disposition": "inline", "content_id": "logo"},
        ],
        "headers": {
            "In-Reply-To": "<1@example.net>",
            "References": "<0@example.net> <1@example.net>",
            "X-Loom": "east",
        },
        "categories": ["spring", "team=engine"],
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": {"enable": False},
        },
        "asm": {"group_id": 7},
    }


async def test_several_reply_to_are_a_list(lab: HttpLab, provider: HttpProvider) -> None:
    """One Reply-To and several stand in different fields, never in both."""
    await provider.send(provider.prepare(rich_outgoing(reply_to=(CAROL, DAVE))), Recorder())
    document = lab.requests[0].json
    assert "reply_to" not in document
    assert [one["email"] for one in document["reply_to_list"]] == ["carol@example.net", "dave@example.net"]


async def test_an_older_template_gets_substitutions(lab: HttpLab, provider: HttpProvider) -> None:
    """A template's id tells its generation, and so where the variables go."""
    await provider.send(provider.prepare(templated_outgoing("7e2e3b")), Recorder())
    envelope = lab.requests[0].json["personalizations"][0]
    assert envelope["substitutions"] == {"name": "Bob"}
    assert "dynamic_template_data" not in envelope


async def test_a_scheduled_message_has_a_batch_first(
    lab: HttpLab, rules: SendGridRules, provider: HttpProvider
) -> None:
    """The batch by which a message can be taken back exists before it is sent, and cancels it."""
    when = in_hours(2)
    recorder = Recorder()
    receipt = await provider.send(provider.prepare(replace(make_outgoing(), not_before=when)), recorder)
    assert [request.path for request in lab.requests] == ["/v3/mail/batch", "/v3/mail/send"]
    assert recorder.phases.count(Phase.INTENT) == 1
    (batch_id,) = rules.batches
    document = lab.requests[1].json
    assert (document["send_at"], document["batch_id"]) == (int(when.timestamp()), batch_id)
    await provider.cancel(receipt)
    assert rules.batches == {batch_id: "cancel"}
    await provider.cancel(receipt)
    rules.batches.clear()
    with pytest.raises(Rejected, match="can't take it back"):
        await provider.cancel(receipt)


async def test_a_cancellation_in_the_last_ten_minutes_is_uncertain(
    provider: HttpProvider, rules: SendGridRules
) -> None:
    """Within ten minutes of its time SendGrid promises nothing, so neither do we."""
    receipt = await provider.send(provider.prepare(replace(make_outgoing(), not_before=in_hours(0.1))), Recorder())
    with pytest.raises(OutcomeUncertain, match="may still go out"):
        await provider.cancel(receipt)
    assert list(rules.batches.values()) == ["cancel"]
    rules.has_activity = False
    assert [one.status for one in await provider.status(receipt)] == [RecipientStatus.PENDING] * 2
    due = replace(receipt, note={**receipt.note, "send_at": "1"})
    told = await provider.status(due)
    assert [one.status for one in told] == [RecipientStatus.UNKNOWN] * 2
    assert "whether in time" in told[0].detail


@pytest.mark.parametrize("fault", [Reply(500, {"errors": []}), DROP_AFTER_ACTING, DROP_UNACTED])
async def test_trouble_with_the_batch_sends_nothing(lab: HttpLab, provider: HttpProvider, fault: object) -> None:
    """Whatever breaks while the batch is made, the mail hasn't left and is tried again."""
    lab.on("POST /v3/mail/batch", fault)
    with pytest.raises(TryLater):
        await provider.send(provider.prepare(replace(make_outgoing(), not_before=in_hours(2))), Recorder())
    assert not lab.rules.stored


async def test_without_a_key_a_lost_answer_is_uncertain(lab: HttpLab, provider: HttpProvider) -> None:
    """SendGrid knows no repeats: when the answer is lost, nobody knows."""
    lab.on("POST /v3/mail/send", DROP_AFTER_ACTING)
    with pytest.raises(OutcomeUncertain):
        await provider.send(provider.prepare(make_outgoing()), Recorder())


async def test_the_sandbox_sends_nothing(lab: HttpLab, rules: SendGridRules, provider: HttpProvider) -> None:
    """In sandbox mode the request is checked and the answer says that nobody got it."""
    outgoing = make_outgoing(replace(make_message(), options={"sandbox_mode": True}))
    receipt = await provider.send(provider.prepare(outgoing), Recorder())
    assert "nobody" in receipt.response_text
    assert not rules.stored
    assert lab.requests[0].json["mail_settings"] == {"sandbox_mode": {"enable": True}}


async def test_a_sandbox_nobody_asked_for_is_no_success(lab: HttpLab, provider: HttpProvider) -> None:
    """Only 202 says that it was taken: 200, the sandbox's answer, to a real message leaves it uncertain."""
    lab.on("POST /v3/mail/send", Reply(200, None, {"x-message-id": "x"}))
    with pytest.raises(OutcomeUncertain):
        await provider.send(provider.prepare(make_outgoing()), Recorder())


async def test_status_needs_the_add_on(rules: SendGridRules, provider: HttpProvider) -> None:
    """Without the Email Activity add-on there is nothing to tell; with it the newest word is told."""
    receipt = await provider.send(provider.prepare(only_left(make_outgoing(), "bob@example.net")), Recorder())
    rules.has_activity = False
    assert await provider.status(receipt) == []
    rules.has_activity = True
    rules.states[receipt.provider_id or ""] |= {
        "status": "not_delivered",
        "to_email": "bob@example.net",
        "events": [{"event_name": "bounced", "reason": "550 no such user"}],
    }
    (told,) = await provider.status(receipt)
    assert told.status is RecipientStatus.BOUNCED
    assert told.detail == "not_delivered: 550 no such user"


async def test_each_recipient_is_found_by_the_beginning_of_its_id(rules: SendGridRules, provider: HttpProvider) -> None:
    """Where the activity has an id for each recipient, all that begin like the answer's are read."""
    receipt = await provider.send(provider.prepare(make_outgoing()), Recorder())
    del rules.states[receipt.provider_id or ""]
    for number, (address, word) in enumerate((("bob@example.net", "delivered"), ("Eve@example.net", "levitated"))):
        message_id = f"{receipt.provider_id}.filter0001.{number}"
        told = {"msg_id": message_id, "to_email": address, "status": word}
        rules.states[message_id] = {**told, "last_event_time": "2026-11-26T09:00:00Z"}
    bob, eve = await provider.status(receipt)
    assert (bob.address, bob.status) == ("bob@example.net", RecipientStatus.DELIVERED)
    assert (eve.status, eve.detail) == (RecipientStatus.UNKNOWN, "levitated")


async def test_a_sender_that_is_not_verified_is_the_messages_trouble(lab: HttpLab, provider: HttpProvider) -> None:
    """SendGrid says 403 of a sender it doesn't know: the message is refused, the account goes on."""
    problem = {"message": "The from address does not match a verified Sender Identity.", "field": "from"}
    lab.on("POST", Reply(403, {"errors": [problem]}))
    with pytest.raises(Rejected, match="verified Sender Identity"):
        await provider.send(provider.prepare(make_outgoing()), Recorder())


async def test_a_key_without_the_right_to_send_is_told(rules: SendGridRules, provider: HttpProvider) -> None:
    """The check finds out that a key may do other things, but not send."""
    assert [one.address for one in await provider.check()] == ["ada@example.org"]
    rules.scopes = ["stats.read"]
    with pytest.raises(NotAuthorized, match=r"mail\.send"):
        await provider.check()


async def test_a_rate_limit_says_when(lab: HttpLab, provider: HttpProvider) -> None:
    """The next try is at the Unix time that SendGrid names."""
    reset = int((datetime.now(UTC) + timedelta(seconds=90)).timestamp())
    headers = {"X-RateLimit-Limit": "500", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
    lab.on("POST /v3/mail/send", Reply(429, {"errors": [{"field": None, "message": "too many requests"}]}, headers))
    with pytest.raises(TryLater, match="too many requests") as later:
        await provider.send(provider.prepare(make_outgoing()), Recorder())
    assert later.value.retry_at == datetime.fromtimestamp(reset, UTC)


async def test_the_region_decides_where(lab: HttpLab) -> None:
    """A European account's mail goes to the European servers."""
    assert CASE.make(lab, base_url=None, region="eu").base_url == "https://api.eu.sendgrid.com/v3"
    assert CASE.make(lab, base_url=None).base_url == "https://api.sendgrid.com/v3"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"subject": ""}, "subject"),
        ({"text": ""}, "body"),
        ({"headers": (("X-SG-EID", "1"),)}, "headers"),
        ({"tags": tuple((f"t{n}", None) for n in range(11))}, "tags"),
        ({"metadata": {"note": "x" * 10_001}}, "metadata"),
        ({"template": "7e2e3b", "text": None, "variables": {"x": "y" * 10_001}}, "variables"),
    ],
)
def test_what_sendgrid_refuses_is_refused_here(provider: HttpProvider, change: dict[str, object], field: str) -> None:
    """Reserved headers, too many tags, too much metadata and empty parts are refused before sending."""
    with pytest.raises(Unsupported) as refusal:
        provider.prepare(make_outgoing(replace(make_message(), **change)))
    assert refusal.value.field == field


def test_an_empty_file_is_refused(provider: HttpProvider) -> None:
    """SendGrid refuses a file without a byte; so it is refused before sending, by name."""
    empty = MemoryContent(b"")
    attachment = Attachment(name="empty.txt", media_type="text/plain", size=0, sha256=empty.sha256)
    with pytest.raises(Unsupported, match=r"empty\.txt"):
        provider.prepare(make_outgoing(replace(make_message(), attachments=(attachment,)), (empty,)))
