"""Bird's channels: contacts with a type, uploads, templates, a use case that is never silent, every status."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from http_case import plain_outgoing
from http_lab import DROP_AFTER_ACTING, HttpLab, Reply
from pydantic import ValidationError
from rules_bird_channels import BASE, CASE, CHANNEL, CONTACT_ID, SPOTS, BirdChannelsRules, rich

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import NotAuthorized, OutcomeUncertain, Rejected, TryLater, Unsupported
from tui_mailer.domain.message import Attachment
from tui_mailer.domain.submission import Kind, Receipt, Recipient, RecipientStatus
from tui_mailer.providers.base import Outgoing
from tui_mailer.providers.bird_channels import BirdChannelsOptions, BirdChannelsProvider
from tui_mailer.providers.capability import keeps_schedule
from tui_mailer.providers.testing import MemoryContent, Recorder
from tui_mailer.services.model_form import form_fields

LOGO = MemoryContent(b"\x89PNG logo")
FILE = Attachment(name="logo.png", media_type="image/png", size=LOGO.size, sha256=LOGO.sha256)


@pytest.fixture
async def lab() -> AsyncIterator[HttpLab]:
    async with HttpLab(BirdChannelsRules()) as lab:
        yield lab


@pytest.fixture
async def provider(lab: HttpLab) -> AsyncIterator[BirdChannelsProvider]:
    provider = CASE.make(lab)
    yield provider
    await provider.close()


def changed(outgoing: Outgoing | None = None, **changes: Any) -> Outgoing:
    outgoing = replace(outgoing or plain_outgoing(), contents={LOGO.sha256: LOGO})
    return replace(outgoing, message=replace(outgoing.message, **changes))


async def send(provider: BirdChannelsProvider, outgoing: Outgoing | None = None, **changes: Any) -> Receipt:
    return await provider.send(provider.prepare(changed(outgoing, **changes)), Recorder())


async def test_a_mail_carries_all_that_was_written(lab: HttpLab, provider: BirdChannelsProvider) -> None:
    """Contacts by kind, both bodies, sender, headers, files, links, tags and every option reach the API."""
    outgoing = rich()
    receipt = await provider.send(provider.prepare(outgoing), Recorder())
    assert outgoing.not_before
    address = "emailaddress"
    (stored,) = lab.rules.stored
    html = stored["body"].pop("html")
    assert stored == {
        "receiver": {
            "contacts": [
                {"identifierKey": address, "identifierValue": "bob@example.net"},
                {"identifierKey": address, "identifierValue": "eve@example.net"},
                {"identifierKey": address, "identifierValue": "carol@example.net", "type": "cc"},
                {"identifierKey": address, "identifierValue": "dan@example.net", "type": "bcc"},
            ]
        },
        "body": {"type": "html"},
        "meta": {"extraInformation": {"useCase": "conversation"}},
        "reference": "my-own-identifier",
        "tags": ["spring"],
        "replyTo": {"id": "message-0", "type": "message", "order": 0},
        "scheduledFor": outgoing.not_before.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "validity": 3600,
        "enableLinkTracking": False,
        "ignoreQuietHours": True,
        "ignoreGlobalHoldout": True,
        "notification": {"url": "https://example.org/hook"},
    }
    assert html["html"] == outgoing.message.html
    assert html["text"] == outgoing.message.text
    assert html["metadata"] == {
        "subject": "Notes",
        "emailFrom": {"username": "ada", "displayName": "Ada Lovelace"},
        "headers": {
            "reply-to": "The Office <office@example.org>",
            "In-Reply-To": "<1@example.net>",
            "References": "<0@example.net> <1@example.net>",
            "X-Loft": "east",
        },
    }
    assert [(one["filename"], one.get("inline", False)) for one in html["attachments"]] == [
        ('pl"an ü.pdf', False),
        ("logo.png", True),
        ("map.png", False),
    ]
    assert receipt.is_handed_over


async def test_files_are_uploaded_as_they_are(lab: HttpLab, provider: BirdChannelsProvider) -> None:
    """A local file goes to Bird's storage byte for byte, all of the form's fields before it, without our key."""
    await send(provider, html='<img src="cid:logo.png">', attachments=(FILE,))
    assert lab.rules.uploads == {"media/1": b"\x89PNG logo"}
    (upload,) = lab.asked("POST /storage/bucket")
    assert [part.name for part in upload.form] == ["key", "policy", "Content-Type", "file"]
    assert "authorization" not in upload.headers
    media = lab.rules.stored[0]["body"]["html"]["attachments"][0]["mediaUrl"]
    assert media == "https://media.api.bird.com/media/1"


async def test_the_other_place_for_uploads_is_tried(lab: HttpLab, provider: BirdChannelsProvider) -> None:
    """A workspace whose channels have no uploads of their own uses the workspace's."""
    lab.rules.has_channel_upload = False
    await send(provider, attachments=(FILE,))
    assert len(lab.asked(f"POST {BASE}/channel-media/presigned-upload")) == 1
    assert lab.rules.uploads == {"media/1": b"\x89PNG logo"}


@pytest.mark.parametrize("step", [f"POST {SPOTS}/presigned-upload", "POST /storage/bucket"])
async def test_a_break_while_uploading_is_not_uncertain(
    lab: HttpLab, provider: BirdChannelsProvider, step: str
) -> None:
    """An upload sends no mail: when it breaks, everything is simply tried again."""
    lab.on(step, DROP_AFTER_ACTING)
    with pytest.raises(TryLater):
        await send(provider, attachments=(FILE,))
    assert not lab.rules.stored


async def test_a_lost_answer_to_the_message_is_uncertain(lab: HttpLab, provider: BirdChannelsProvider) -> None:
    """There is no key against doubles: a lost answer is shown as uncertain."""
    lab.on(f"POST {SPOTS}/messages", DROP_AFTER_ACTING)
    with pytest.raises(OutcomeUncertain):
        await send(provider)


async def test_an_upload_to_somewhere_else_is_refused(lab: HttpLab, provider: BirdChannelsProvider) -> None:
    """A file is never sent in the clear to wherever an answer says."""
    answer = {"mediaUrl": "https://media.api.bird.com/1", "uploadUrl": "http://evil.example/x", "uploadFormData": {}}
    lab.on(f"POST {SPOTS}/presigned-upload", Reply(200, answer))
    with pytest.raises(TryLater, match="Nothing was sent"):
        await send(provider, attachments=(FILE,))
    assert not lab.rules.stored


async def test_plain_text_has_a_place_for_headers_but_not_for_from(
    lab: HttpLab, provider: BirdChannelsProvider
) -> None:
    """A plain-text mail leaves as the channel is set up: that is told beforehand, and nothing invalid is sent."""
    await send(provider, reply_to=(Address("office", "example.org"),))
    assert lab.rules.stored[0]["body"] == {
        "type": "text",
        "text": {
            "text": plain_outgoing().message.text,
            "metadata": {"subject": "Notes", "headers": {"reply-to": "office@example.org"}},
        },
    }
    assert any("the part before the @" in one for one in provider.capabilities.effects)


async def test_marketing_is_never_silent(lab: HttpLab, provider: BirdChannelsProvider) -> None:
    """A person's mail is transactional unless they say otherwise."""
    await send(provider)
    await send(provider, options={"use_case": "marketing", "cap_frequency": True})
    assert [one["meta"]["extraInformation"]["useCase"] for one in lab.rules.stored] == ["transactional", "marketing"]
    assert lab.rules.stored[1]["capFrequency"] is True
    assert "capFrequency" not in lab.rules.stored[0]


async def test_contacts_are_named_by_id_too(lab: HttpLab, provider: BirdChannelsProvider) -> None:
    """Whoever knows a contact's id writes to it without an address, in To or as a copy."""
    outgoing = changed(options={"contacts": [{"id": CONTACT_ID, "type": "cc"}]})
    by_id = Recipient(address=f"id:{CONTACT_ID}", kind=Kind.CC)
    receipt = await provider.send(
        provider.prepare(replace(outgoing, recipients=(*outgoing.recipients, by_id))), Recorder()
    )
    assert lab.rules.stored[0]["receiver"]["contacts"][-1] == {"id": CONTACT_ID, "type": "cc"}
    assert receipt.recipients[-1].address == f"id:{CONTACT_ID}"


async def test_a_template_takes_the_place_of_the_body(lab: HttpLab, provider: BirdChannelsProvider) -> None:
    """A template goes with its version, language, variables, parameters and files."""
    await send(
        provider,
        text=None,
        subject="",
        template="project-1",
        variables={"name": "Bob"},
        attachments=(FILE,),
        options={
            "version": "version-1",
            "locale": "en",
            "parameters": [{"type": "string", "key": "k", "value": "v"}],
        },
    )
    (stored,) = lab.rules.stored
    assert "body" not in stored
    assert stored["template"] == {
        "projectId": "project-1",
        "version": "version-1",
        "locale": "en",
        "variables": {"name": "Bob"},
        "parameters": [{"type": "string", "key": "k", "value": "v"}],
        "attachments": [{"mediaUrl": "https://media.api.bird.com/media/1", "filename": "logo.png"}],
    }


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("accepted", RecipientStatus.ACCEPTED),
        ("processing", RecipientStatus.ACCEPTED),
        ("scheduled", RecipientStatus.PENDING),
        ("sent", RecipientStatus.ACCEPTED),
        ("delivered", RecipientStatus.DELIVERED),
        ("delivery_failed", RecipientStatus.BOUNCED),
        ("sending_failed", RecipientStatus.REJECTED),
        ("rejected", RecipientStatus.REJECTED),
        ("skipped", RecipientStatus.REJECTED),
        ("deleted", RecipientStatus.REJECTED),
        ("teleported", RecipientStatus.UNKNOWN),
    ],
)
async def test_every_status_is_known(
    lab: HttpLab, provider: BirdChannelsProvider, word: str, status: RecipientStatus
) -> None:
    """What Bird says of a message is told for each recipient, in Bird's own word."""
    receipt = await send(provider)
    lab.rules.messages[receipt.provider_id]["status"] = word
    told = await provider.status(receipt)
    assert [(one.address, one.status, one.detail) for one in told] == [
        ("bob@example.net", status, word),
        ("eve@example.net", status, word),
    ]
    assert told[0].at == datetime(2026, 11, 26, 5, 0, 0, 123_000, tzinfo=UTC)


async def test_a_failure_says_why(lab: HttpLab, provider: BirdChannelsProvider) -> None:
    """Reason, details and the failure behind them are told once each."""
    receipt = await send(provider)
    lab.rules.messages[receipt.provider_id] |= {
        "status": "delivery_failed",
        "reason": "undeliverable",
        "details": "550 5.1.1",
        "failure": {"code": 5, "description": "Mailbox unknown", "source": {"code": "550", "name": "mx.example.net"}},
    }
    (told, _) = await provider.status(receipt)
    assert told.detail == "delivery_failed: undeliverable; 550 5.1.1; 5 Mailbox unknown; mx.example.net 550"


@pytest.mark.parametrize("word", ["rejected", "skipped", "sending_failed"])
async def test_a_message_refused_with_202_is_not_sent(lab: HttpLab, provider: BirdChannelsProvider, word: str) -> None:
    """An answer that says in its body that nobody will get the mail isn't taken for a success."""
    lab.on(f"POST {SPOTS}/messages", Reply(202, {"id": "m-1", "status": word, "reason": "unsubscribed"}))
    receipt = await send(provider)
    assert {one.status for one in receipt.recipients} == {RecipientStatus.REJECTED}
    assert receipt.recipients[0].text == f"{word}: unsubscribed"
    assert not receipt.is_handed_over


def test_the_schedule_has_its_limits(provider: BirdChannelsProvider) -> None:
    """Bird keeps what is due in 10 minutes to 35 days; anything else stays in our outbox."""
    now = datetime(2026, 11, 26, 5, 0, tzinfo=UTC)
    kept = [
        keeps_schedule(provider.capabilities, now + ahead, now)
        for ahead in (timedelta(minutes=5), timedelta(minutes=11), timedelta(days=34), timedelta(days=36))
    ]
    assert kept == [False, True, True, False]


async def test_the_account_is_proved_with_its_channel(lab: HttpLab, provider: BirdChannelsProvider) -> None:
    """Testing an account tells its channel; one that isn't an active e-mail channel is found out."""
    (identity,) = await provider.check()
    assert identity.detail == "by channel 'Support' (mail.example.org)"
    wrong = CASE.make(lab, channel_id="another")
    with pytest.raises(NotAuthorized, match=f"no active e-mail channel another. There are: {CHANNEL} Support"):
        await wrong.check()
    await wrong.close()


async def test_a_refusal_and_a_rate_limit_are_told(lab: HttpLab, provider: BirdChannelsProvider) -> None:
    """An error of the API is shown in its words; too many requests are tried again."""
    lab.on(f"POST {SPOTS}/messages", Reply(422, {"code": "InvalidPayload", "message": "receiver is wrong"}), Reply(429))
    with pytest.raises(Rejected, match="receiver is wrong"):
        await send(provider)
    with pytest.raises(TryLater):
        await send(provider)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"short_links": {"enabled": True}}, "for SMS"),
        ({"cap_frequency": True}, "use_case=marketing only"),
        ({"use_case": "spam"}, "transactional"),
    ],
)
def test_an_option_that_cannot_be_is_refused(options: dict[str, Any], words: str) -> None:
    """What Bird would refuse, or what belongs to SMS, is told with the reason."""
    with pytest.raises(ValidationError, match=words):
        BirdChannelsOptions.model_validate(options)


def test_what_is_only_refused_is_not_offered() -> None:
    """The form of a message doesn't ask for what can only be refused."""
    offered = {field.name for field in form_fields(BirdChannelsOptions)}
    assert "use_case" in offered
    assert "short_links" not in offered


def test_options_may_be_typed_shortly() -> None:
    """An id alone is enough for a contact in To and for the message answered."""
    options = BirdChannelsOptions.model_validate({"contacts": CONTACT_ID, "reply_to": "message-1"})
    assert options.model_dump(mode="json", exclude_unset=True) == {
        "contacts": [{"id": CONTACT_ID}],
        "reply_to": {"id": "message-1"},
    }


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": ""}, "body"),
        ({"to": (), "cc": (Address("a", "example.net"),)}, "to"),
        ({"tags": tuple((f"t{number}", None) for number in range(11))}, "tags"),
        ({"tags": (("a", "b"),)}, "tags"),
        ({"headers": (("X-A", "1"), ("X-A", "2"))}, "headers"),
        ({"template": "p", "text": None, "subject": ""}, "options"),
        ({"template": "p", "text": None}, "subject"),
        ({"options": {"locale": "en"}}, "options"),
    ],
)
async def test_what_it_cannot_carry_is_refused_with_a_way_out(
    provider: BirdChannelsProvider, change: dict[str, Any], field: str
) -> None:
    """Nothing is dropped silently: what Bird has no place for is refused before anything is sent."""
    with pytest.raises(Unsupported) as refusal:
        provider.prepare(changed(**change))
    assert refusal.value.field == field
    assert refusal.value.what_to_do
