"""What the popular mail APIs get: all that a message has, a time, a template, a ready-made message, whoever is left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import rules_brevo
import rules_mailgun
import rules_mailjet
import rules_postmark
import rules_resend
import rules_sendgrid
import rules_ses
from http_case import HttpCase
from http_lab import HttpLab, Reply
from popular_message import DAVE, raw_outgoing, templated_outgoing

from tui_mailer.domain.errors import NotAuthorized, OutcomeUncertain, Rejected, TryLater, Unsupported
from tui_mailer.domain.submission import Kind, Recipient, RecipientStatus
from tui_mailer.providers.base import Outgoing
from tui_mailer.providers.capability import keeps_schedule, require
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.testing import FixedSecret, Recorder

CASES = [
    module.CASE
    for module in (
        rules_brevo,
        rules_mailgun,
        rules_mailjet,
        rules_postmark,
        rules_resend,
        rules_sendgrid,
        rules_ses,
    )
]
TEMPLATES = {
    "brevo": "12",
    "mailgun": "welcome",
    "mailjet": "77",
    "postmark": "welcome",
    "resend": "welcome",
    "sendgrid": "d-123",
    "ses": "welcome",
}
BRING_SUBJECT = {"postmark", "ses"}


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> HttpCase:
    return request.param


@pytest.fixture
async def lab(case: HttpCase) -> AsyncIterator[HttpLab]:
    async with HttpLab(case.rules()) as lab:
        yield lab


@pytest.fixture
async def provider(case: HttpCase, lab: HttpLab) -> AsyncIterator[HttpProvider]:
    provider = case.make(lab)
    yield provider
    await provider.close()


def templated(case: HttpCase) -> Outgoing:
    return templated_outgoing(TEMPLATES[case.name], subject="" if case.name in BRING_SUBJECT else "Welcome")


async def test_all_that_a_message_has_is_taken(case: HttpCase, lab: HttpLab, provider: HttpProvider) -> None:
    """A message with copies, answers, files, images, headers, tags and options arrives under the API's own rules."""
    assert case.rich
    outgoing = case.rich()
    receipt = await provider.send(provider.prepare(outgoing), Recorder())
    assert len(lab.rules.stored) == 1
    assert [one.address for one in receipt.recipients] == [one.address for one in outgoing.recipients]
    assert all(one.status is RecipientStatus.ACCEPTED for one in receipt.recipients)
    assert receipt.provider_id
    assert not receipt.is_handed_over


async def test_a_blind_copy_shows_up_in_its_own_field_only(
    case: HttpCase, lab: HttpLab, provider: HttpProvider
) -> None:
    """Nobody who reads a header learns who got a blind copy."""
    assert case.rich
    await provider.send(provider.prepare(case.rich()), Recorder())
    body = lab.asked(case.sends)[0].body
    assert body.count(DAVE.addr_spec.encode()) == 1 + (DAVE in case.rich().message.reply_to)


async def test_a_template_is_filled_in_there(case: HttpCase, lab: HttpLab, provider: HttpProvider) -> None:
    """A template is called by its id with the message's variables, and brings the body."""
    await provider.send(provider.prepare(templated(case)), Recorder())
    assert len(lab.rules.stored) == 1
    assert b"Bob" in lab.asked(case.sends)[0].body


async def test_templates_are_listed_as_they_are_called(case: HttpCase, lab: HttpLab, provider: HttpProvider) -> None:
    """A listed template's id is what --template takes."""
    listed = await provider.list_templates()
    assert [one.id for one in listed] == [TEMPLATES[case.name]]
    assert listed[0].name.lower() == "welcome"


async def test_a_body_beside_a_template_is_refused(case: HttpCase, provider: HttpProvider) -> None:
    """A text that a template would silently replace is refused before sending."""
    outgoing = templated(case)
    with pytest.raises(Unsupported) as refusal:
        provider.prepare(replace(outgoing, message=replace(outgoing.message, text="Hello")))
    assert refusal.value.field == "body"


async def test_its_own_schedule_is_used_within_its_limits(case: HttpCase, lab: HttpLab, provider: HttpProvider) -> None:
    """A time the provider can keep goes there and is known to be waiting there; others stay with us."""
    can, now = provider.capabilities, datetime.now(UTC)
    assert not keeps_schedule(can, now + timedelta(days=31), now)
    assert not keeps_schedule(can, now + timedelta(seconds=10), now)
    if can.schedule_min is None:
        assert not keeps_schedule(can, now + timedelta(hours=2), now)
        return
    assert keeps_schedule(can, now + timedelta(hours=2), now)
    assert case.rich
    receipt = await provider.send(
        provider.prepare(replace(case.rich(), not_before=now + timedelta(hours=2))), Recorder()
    )
    assert receipt.is_handed_over
    assert len(lab.rules.stored) == 1


async def test_what_came_through_sendmail_stays_as_it_is_or_is_refused(
    case: HttpCase, lab: HttpLab, provider: HttpProvider
) -> None:
    """A ready-made message is carried byte for byte where the API can, and refused elsewhere."""
    octets = b"From: ada@example.org\r\nTo: bob@example.net\r\nSubject: x\r\n\r\n8-bit: \xe4\r\n"
    outgoing = raw_outgoing(octets)
    if not provider.capabilities.raw:
        with pytest.raises(Unsupported):
            provider.prepare(outgoing)
        return
    # Whom its header doesn't name is told to the service like all others: it has no Bcc of its own.
    message = replace(outgoing.message, to=(), cc=outgoing.message.to, bcc=(DAVE,))
    kinds = ((message.cc[0].addr_spec, Kind.CC), (DAVE.addr_spec, Kind.BCC))
    recipients = tuple(Recipient(address=address, kind=kind) for address, kind in kinds)
    require(message, provider.capabilities, account="work", size=0)
    prepared = provider.prepare(replace(outgoing, message=message, recipients=recipients))
    told = "\n".join(map(str, prepared.describe()))
    assert all(address in told for address, _kind in kinds)
    await provider.send(prepared, Recorder())
    assert len(lab.rules.stored) == 1


async def test_without_anybody_in_to_it_is_refused(case: HttpCase, provider: HttpProvider) -> None:
    """A message with blind copies alone is refused with a way out: no mail API takes it."""
    outgoing = case.outgoing("01JZZZZZZZZZZZZZZZZZZZZZZ1")
    message = replace(outgoing.message, to=(), bcc=(DAVE,))
    with pytest.raises(Unsupported) as refusal:
        provider.prepare(
            replace(outgoing, message=message, recipients=(Recipient(address=DAVE.addr_spec, kind=Kind.BCC),))
        )
    assert refusal.value.field == "to"


async def test_an_address_in_two_lists_gets_it_once(case: HttpCase, lab: HttpLab, provider: HttpProvider) -> None:
    """Somebody in To and Cc is named in To only."""
    outgoing = case.outgoing("01JZZZZZZZZZZZZZZZZZZZZZZ1")
    message = replace(outgoing.message, cc=outgoing.message.to[:1])
    await provider.send(provider.prepare(replace(outgoing, message=message)), Recorder())
    assert lab.asked(case.sends)[0].body.count(message.to[0].addr_spec.encode()) == 1


async def test_the_same_header_twice_is_refused(case: HttpCase, provider: HttpProvider) -> None:
    """A header that would overwrite another one is refused, not dropped."""
    outgoing = case.outgoing("01JZZZZZZZZZZZZZZZZZZZZZZ1")
    message = replace(outgoing.message, headers=(("X-Loom", "east"), ("x-loom", "west")))
    with pytest.raises(Unsupported) as refusal:
        provider.prepare(replace(outgoing, message=message))
    assert refusal.value.field == "headers"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(429, {"message": "too many"}, {"retry-after": "7"}), TryLater),
        (Reply(503, "down", {"retry-after": "7"}), TryLater),
        (Reply(500, {"message": "oops"}), OutcomeUncertain),
        (Reply(502, "<html>Bad gateway</html>"), OutcomeUncertain),
        (Reply(413, {"message": "too large"}), Rejected),
        (Reply(200, "<html>Welcome to the hotel</html>"), OutcomeUncertain),
        (Reply(302, None, {"location": "https://elsewhere.example/"}), NotAuthorized),
    ],
    ids=lambda one: str(one.status) if isinstance(one, Reply) else one.__name__,
)
async def test_an_answer_means_what_it_says_about_the_mail(
    case: HttpCase, lab: HttpLab, provider: HttpProvider, reply: Reply, kind: type[Exception]
) -> None:
    """An answer that proves nothing is uncertain; one that proves a refusal or a delay is told as that."""
    lab.on(case.sends, reply)
    with pytest.raises(kind):
        await provider.send(provider.prepare(case.outgoing("01JZZZZZZZZZZZZZZZZZZZZZZ1")), Recorder())
    assert not lab.rules.stored


async def test_without_an_id_nothing_is_asked_and_nothing_taken_back(
    case: HttpCase, lab: HttpLab, provider: HttpProvider
) -> None:
    """A message that never got an id isn't mistaken for others: no status is told and no cancellation asked for."""
    receipt = await provider.send(provider.prepare(case.outgoing("01JZZZZZZZZZZZZZZZZZZZZZZ1")), Recorder())
    made = len(lab.requests)
    nameless = replace(receipt, provider_id=None, note={})
    assert await provider.status(nameless) == []
    if provider.capabilities.cancel_scheduled:
        with pytest.raises(Rejected):
            await provider.cancel(nameless)
    assert len(lab.requests) == made


async def test_a_wrong_key_is_the_accounts_trouble(case: HttpCase, lab: HttpLab) -> None:
    """With a wrong key nothing is sent and the account is held with the server's words."""
    secrets = FixedSecret("another-secret-altogether")
    provider = case.make(lab, secrets=secrets)
    with pytest.raises(NotAuthorized) as trouble:
        await provider.send(provider.prepare(case.outgoing("01JZZZZZZZZZZZZZZZZZZZZZZ1")), Recorder())
    with pytest.raises(NotAuthorized):
        await provider.check()
    await provider.close()
    assert "another-secret" not in str(trouble.value)
    assert not lab.rules.stored
