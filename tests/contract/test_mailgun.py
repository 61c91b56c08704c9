"""Mailgun's own ways: forms, plain-text refusals, waits told in words, events by recipient."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from http_lab import HttpLab, Reply
from popular_message import CAROL, DAVE, PLAN, raw_outgoing, rich_outgoing, templated_outgoing
from rules_mailgun import CASE, MailgunRules

from tui_mailer.domain.errors import NotAuthorized, TryLater, Unsupported
from tui_mailer.domain.submission import RecipientStatus
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.testing import FixedSecret, Recorder, make_message, make_outgoing


@pytest.fixture
def rules() -> MailgunRules:
    return MailgunRules()


@pytest.fixture
async def lab(rules: MailgunRules) -> AsyncIterator[HttpLab]:
    async with HttpLab(rules) as lab:
        yield lab


@pytest.fixture
async def provider(lab: HttpLab) -> AsyncIterator[HttpProvider]:
    provider = CASE.make(lab)
    yield provider
    await provider.close()


async def test_the_form_is_the_one_documented(lab: HttpLab, provider: HttpProvider) -> None:
    """Every field stands under the name Mailgun's page gives it, files as they are."""
    options = {"testmode": True, "tracking_clicks": "htmlonly", "require_tls": "yes"}
    await provider.send(provider.prepare(rich_outgoing(reply_to=(CAROL, DAVE), options=options)), Recorder())
    parts = lab.requests[0].form
    assert [(one.name, one.body.decode()) for one in parts if one.file_name is None] == [
        ("from", '"Ada \\"the Countess\\" Lovelace, Esq." <ada@example.org>'),
        ("to", "\u0391\u03bb\u03c6\u03b1 <alpha@xn--bcher-kva.example>"),
        ("to", "Eve <eve@example.net>"),
        ("cc", "Carol <carol@example.net>"),
        ("bcc", "dave@example.net"),
        ("subject", "Notes on the engine \u2014 No. 7"),
        ("text", "The engine weaves algebraic patterns.\n"),
        ("html", '<p>The engine weaves <img src="cid:logo"></p>'),
        ("o:tag", "spring"),
        ("o:tag", "team=engine"),
        ("o:tracking", "no"),
        ("o:tracking-clicks", "htmlonly"),
        ("o:require-tls", "yes"),
        ("o:testmode", "yes"),
        ("h:Reply-To", "Carol <carol@example.net>, dave@example.net"),
        ("h:In-Reply-To", "<1@example.net>"),
        ("h:References", "<0@example.net> <1@example.net>"),
        ("h:X-Loom", "east"),
        ("v:customer", "7"),
        ("v:note", "\u00fcber"),
    ]
    files = [(one.name, one.file_name, one.media_type, len(one.body)) for one in parts if one.file_name is not None]
    assert files[0] == ("attachment", "pl\u00e4n, v2.pdf", "application/pdf", PLAN.size)
    assert files[1][:3] == ("inline", "logo", "image/png")


async def test_a_template_gets_its_variables_as_json(lab: HttpLab, provider: HttpProvider) -> None:
    """Variables travel as one JSON text; the subject stays away where nobody wrote one."""
    await provider.send(provider.prepare(templated_outgoing("welcome")), Recorder())
    named = {one.name: one.body.decode() for one in lab.requests[0].form}
    assert json.loads(named["t:variables"]) == {"name": "Bob"}
    assert named["template"] == "welcome"
    assert not {"subject", "text", "html"} & set(named)


async def test_a_ready_made_message_stays_byte_for_byte(lab: HttpLab, provider: HttpProvider) -> None:
    """What came through sendmail is uploaded as it is, to its envelope."""
    octets = b"From: ada@example.org\r\nSubject: =?utf-8?q?=C3=BC?=\r\n\r\n8-bit: \xe4\xf6\r\n--\r\n"
    await provider.send(provider.prepare(raw_outgoing(octets)), Recorder())
    (request,) = lab.requests
    assert request.path == "/v3/mg.example.org/messages.mime"
    named = {one.name: one for one in request.form}
    assert named["message"].body == octets
    assert named["to"].body == b"bob@example.net"


async def test_a_time_is_written_as_mail_writes_it(lab: HttpLab, provider: HttpProvider) -> None:
    """The delivery time is an RFC 2822 date; what waits there is pending until then."""
    when = (datetime.now(UTC) + timedelta(hours=2)).replace(microsecond=0)
    receipt = await provider.send(provider.prepare(replace(make_outgoing(), not_before=when)), Recorder())
    (told,) = [one.body.decode() for one in lab.requests[0].form if one.name == "o:deliverytime"]
    assert datetime.strptime(told, "%a, %d %b %Y %H:%M:%S %z") == when
    assert receipt.is_handed_over
    assert [one.status for one in await provider.status(receipt)] == [RecipientStatus.PENDING] * 2


async def test_a_wrong_key_is_forbidden_in_plain_text(lab: HttpLab) -> None:
    """Mailgun's one word without JSON is understood: the account's credential is wrong."""
    secrets = FixedSecret("key-of-somebody-else")
    provider = CASE.make(lab, secrets=secrets)
    with pytest.raises(NotAuthorized, match="Forbidden"):
        await provider.send(provider.prepare(make_outgoing()), Recorder())
    assert secrets.times_invalidated == 1
    await provider.close()


@pytest.mark.parametrize("reply", [Reply(404, {"message": "Domain not found: x"}), Reply(402, {"message": "Pay."})])
async def test_an_unknown_domain_is_the_accounts_trouble(lab: HttpLab, provider: HttpProvider, reply: Reply) -> None:
    """A wrong domain or an unpaid bill holds the account; its mail waits."""
    lab.on("POST", reply)
    with pytest.raises(NotAuthorized):
        await provider.send(provider.prepare(make_outgoing()), Recorder())


async def test_a_wait_told_in_words_is_understood(lab: HttpLab, provider: HttpProvider) -> None:
    """ "Try again after 120 seconds" is when it is tried again."""
    words = "Domain mg.example.org is not allowed to send: account-requests-per-sec limit exceeded"
    lab.on("POST", Reply(429, {"message": f"{words}, try again after 120 seconds"}))
    before = datetime.now(UTC)
    with pytest.raises(TryLater, match="limit exceeded") as later:
        await provider.send(provider.prepare(make_outgoing()), Recorder())
    assert later.value.retry_at
    assert timedelta(seconds=119) < later.value.retry_at - before < timedelta(seconds=130)


@pytest.mark.parametrize(
    ("event", "more", "status", "detail"),
    [
        ("accepted", {}, RecipientStatus.ACCEPTED, "accepted"),
        ("delivered", {}, RecipientStatus.DELIVERED, "delivered"),
        ("opened", {}, RecipientStatus.DELIVERED, "opened"),
        (
            "failed",
            {"severity": "temporary", "delivery-status": {"message": "451 later"}},
            RecipientStatus.DEFERRED,
            "temporary failed: 451 later",
        ),
        (
            "failed",
            {"severity": "permanent", "delivery-status": {"message": "550 no such user"}},
            RecipientStatus.BOUNCED,
            "failed: 550 no such user",
        ),
        ("rejected", {"reject": {"reason": "virus"}}, RecipientStatus.REJECTED, "rejected: virus"),
        ("complained", {}, RecipientStatus.COMPLAINED, "complained"),
        ("levitated", {}, RecipientStatus.UNKNOWN, "levitated"),
    ],
)
async def test_every_event_is_known(
    rules: MailgunRules,
    provider: HttpProvider,
    event: str,
    more: dict[str, object],
    status: RecipientStatus,
    detail: str,
) -> None:
    """The newest event of each recipient counts, whatever happened to the others."""
    receipt = await provider.send(provider.prepare(make_outgoing()), Recorder())
    message_id = (receipt.provider_id or "").strip("<>")
    rules.tell(message_id, event, "BOB@example.net", **more)
    told = {one.address: one for one in await provider.status(receipt)}
    assert (told["bob@example.net"].status, told["bob@example.net"].detail) == (status, detail)
    assert told["bob@example.net"].at
    assert told["eve@example.net"].status is RecipientStatus.ACCEPTED


async def test_another_domain_is_told(lab: HttpLab, provider: HttpProvider) -> None:
    """The check finds out that the key has no such domain, and says which it has."""
    (identity,) = await provider.check()
    assert (identity.address, identity.detail) == ("ada@example.org", "by mg.example.org, active")
    elsewhere = CASE.make(lab, domain="mg.example.com")
    with pytest.raises(NotAuthorized, match=r"mg\.example\.com.*mg\.example\.org"):
        await elsewhere.check()
    await elsewhere.close()


async def test_the_region_decides_where(lab: HttpLab) -> None:
    """A European domain's mail goes to the European servers."""
    assert CASE.make(lab, base_url=None, region="eu").base_url == "https://api.eu.mailgun.net"
    assert CASE.make(lab, base_url="https://api.mailgun.net/v3").base_url == "https://api.mailgun.net"


def test_more_than_16_kb_of_options_is_refused(provider: HttpProvider) -> None:
    """Headers, variables and metadata together beyond Mailgun's limit are refused before sending."""
    with pytest.raises(Unsupported, match="16 KB"):
        provider.prepare(make_outgoing(replace(make_message(), metadata={"note": "x" * 17_000})))


def test_a_scheduled_message_cannot_be_taken_back(provider: HttpProvider) -> None:
    """Taking one message back would take back all of the domain's, so it isn't offered."""
    assert not provider.capabilities.cancel_scheduled
