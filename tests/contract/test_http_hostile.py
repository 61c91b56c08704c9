"""A server that breaks off, stalls, lies or attacks is met calmly by every HTTP provider: never a duplicate."""

from __future__ import annotations

import socket
import time
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from http_case import HttpCase
from http_lab import (
    BAD_BOMB,
    BOMB,
    DRIP,
    DROP_AFTER_ACTING,
    DROP_BEFORE_BODY,
    DROP_UNACTED,
    STALL,
    STALL_AFTER_ACTING,
    Fault,
    HttpLab,
    Reply,
)
from tls_lab import TlsLab

from tui_mailer.domain.errors import (
    DeliveryError,
    NotAuthorized,
    Offline,
    OutcomeUncertain,
    TryLater,
)
from tui_mailer.domain.submission import Receipt
from tui_mailer.domain.text import clean
from tui_mailer.providers.base import PolledStatus
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.testing import FixedSecret, Recorder

HTML = Reply(200, "<html><script>x()</script><h1>Welcome \x1b[2J</h1></html>", {"content-type": "text/html"})
ESCAPES = "\x1b]0;owned\x07\x1b[2Jdone\u202e\r\nX: y"


def is_clean(error: DeliveryError) -> bool:
    """Says whether a person can be shown it."""
    text = str(error)
    return clean(text) == text and len(text) < 2000


async def send(case: HttpCase, provider: HttpProvider) -> Receipt:
    try:
        return await provider.send(provider.prepare(case.full()), Recorder())
    finally:
        await provider.close()


async def error_of(case: HttpCase, provider: HttpProvider) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await send(case, provider)
    assert is_clean(caught.value)
    return caught.value


async def requests_before(case: HttpCase) -> list[str]:
    """What is asked before the request that causes the sending."""
    async with case.running() as (lab, provider):
        await provider.send(provider.prepare(case.full()), Recorder())
        asked = [f"{one.method} {one.path}" for one in lab.requests]
    causing = next(index for index, one in enumerate(asked) if one.startswith(case.sends))
    return asked[:causing]


async def test_nobody_there(case: HttpCase) -> None:
    """Where nobody listens nothing was sent, and the account counts as off line."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        closed = HttpLab(case.rules())
        closed.port = nobody.getsockname()[1]
        assert isinstance(await error_of(case, case.make(closed)), Offline)


@pytest.mark.parametrize("fault", [DROP_BEFORE_BODY, DROP_UNACTED], ids=["before-body", "after-body"])
async def test_a_break_without_effect(case: HttpCase, lab: HttpLab, fault: Fault) -> None:
    """A connection that ends before the answer is never taken for a success or for a refusal."""
    lab.on(case.sends, fault)
    error = await error_of(case, case.make(lab))
    assert isinstance(error, (TryLater, OutcomeUncertain))
    assert lab.rules.stored == []


async def test_a_break_after_the_whole_request_is_uncertain(case: HttpCase, lab: HttpLab) -> None:
    """The server has it and said nothing: it may or may not have gone out, and it isn't sent again by itself."""
    lab.on(case.sends, DROP_AFTER_ACTING)
    assert isinstance(await error_of(case, case.make(lab)), OutcomeUncertain)
    assert len(lab.rules.stored) == 1


@pytest.mark.parametrize("fault", [STALL, STALL_AFTER_ACTING, DRIP], ids=["stall", "acted", "drip"])
async def test_an_answer_that_never_comes_is_uncertain(case: HttpCase, lab: HttpLab, fault: Fault) -> None:
    """Neither silence nor an answer a byte at a time is waited for longer than the account says."""
    lab.on(case.sends, fault)
    started = time.monotonic()
    assert isinstance(await error_of(case, case.make(lab, timeout_seconds=0.2)), OutcomeUncertain)
    assert time.monotonic() - started < 10


async def test_a_break_in_an_earlier_step_sends_nothing(case: HttpCase) -> None:
    """Drafts, uploads and look-ups before the sending may fail as they like: it is tried again later."""
    for asked in await requests_before(case):
        async with HttpLab(case.rules()) as lab:
            lab.on(asked, DROP_AFTER_ACTING)
            error = await error_of(case, case.make(lab))
            assert isinstance(error, TryLater), asked
            assert lab.asked(case.sends) == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(case: HttpCase, lab: HttpLab, status: int) -> None:
    """The secret and the mail go where the configuration says, and nowhere else; the account is held."""
    async with HttpLab(case.rules()) as elsewhere:
        lab.on(case.sends, Reply(status, None, {"location": elsewhere.url + "/x"}))
        error = await error_of(case, case.make(lab))
        assert isinstance(error, NotAuthorized)
        assert elsewhere.url in str(error)
        assert elsewhere.requests == []


@pytest.mark.parametrize("fault", [BOMB, BAD_BOMB], ids=["success", "refusal"])
async def test_a_gzip_bomb_costs_nothing(case: HttpCase, lab: HttpLab, fault: Fault) -> None:
    """An answer that unpacks to 200 MB is cut short: neither memory nor time is spent on it."""
    provider = case.make(lab)
    prepared = provider.prepare(case.full())
    lab.on(case.sends, fault)
    tracemalloc.start()
    try:
        with pytest.raises(OutcomeUncertain if fault is BOMB else DeliveryError) as caught:
            await provider.send(prepared, Recorder())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        await provider.close()
    assert peak < 20_000_000
    if fault is BAD_BOMB:
        assert not isinstance(caught.value, OutcomeUncertain)


async def test_a_page_instead_of_an_answer_is_no_success(case: HttpCase, lab: HttpLab) -> None:
    """A web page with status 200 proves nothing: the outcome is uncertain, never sent."""
    lab.on(case.sends, HTML)
    assert isinstance(await error_of(case, case.make(lab)), OutcomeUncertain)


@pytest.mark.parametrize(
    "body",
    [
        ESCAPES,
        f"<html><body>{ESCAPES}</body></html>",
        {"message": ESCAPES},
        [ESCAPES],
        {"errors": [{"message": ESCAPES}]},
        "",
        "x" * 5000,
    ],
    ids=["text", "html", "json", "array", "errors", "empty", "long"],
)
async def test_an_error_says_nothing_harmful(case: HttpCase, lab: HttpLab, body: object) -> None:
    """Whatever a refusal is made of, a person reads one clean, short line."""
    lab.on(case.sends, Reply(400, body))
    error = await error_of(case, case.make(lab))
    assert error.code == 400
    assert "<body>" not in str(error)
    assert all(clean(line) == line for line in error.transcript)


@pytest.mark.parametrize("body", [{}, {"id": None}, {"id": {"a": 1}}, {"data": []}, [], None], ids=str)
async def test_a_success_without_what_it_should_hold(case: HttpCase, lab: HttpLab, body: object) -> None:
    """A success without an ID, or with one that is none, is a success that can't be asked about, or uncertain."""
    lab.on(case.sends, Reply(200, body))
    try:
        receipt = await send(case, case.make(lab))
    except (OutcomeUncertain, TryLater):
        return
    assert receipt.provider_id is None or clean(receipt.provider_id) == receipt.provider_id
    assert [one.address for one in receipt.recipients] == [one.address for one in case.full().recipients]


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "E1", "message": "quota \x1b[2Jused up"}},
        {"errors": [{"message": "down"}]},
        {"ErrorMessage": "down"},
        {"ErrorCode": [1]},
        [{"error": "x"}],
    ],
    ids=["error", "errors", "words", "odd-code", "array"],
)
async def test_a_success_that_tells_of_an_error_is_no_success(case: HttpCase, lab: HttpLab, body: object) -> None:
    """Status 200 around an error contradicts itself: the outcome is uncertain, and never called sent."""
    lab.on(case.sends, Reply(200, body))
    assert isinstance(await error_of(case, case.make(lab)), OutcomeUncertain)


@pytest.mark.parametrize(
    ("status", "headers"), [(429, {}), (429, {"retry-after": "120"}), (503, {"retry-after": "120"}), (425, {})]
)
async def test_what_was_not_taken_is_tried_later(
    case: HttpCase, lab: HttpLab, status: int, headers: dict[str, str]
) -> None:
    """Too many requests, too early, or down for a while with a time: nothing was taken, and the hint is honoured."""
    lab.on(case.sends, Reply(status, {"message": "slow down"}, headers))
    now = datetime.now(UTC)
    error = await error_of(case, case.make(lab))
    assert isinstance(error, TryLater)
    if headers:
        assert error.retry_at is not None
        assert timedelta(seconds=100) < error.retry_at - now < timedelta(seconds=140)
    assert lab.rules.stored == []


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 599])
async def test_a_server_in_trouble_leaves_it_uncertain(case: HttpCase, lab: HttpLab, status: int) -> None:
    """A server error may come after the mail was taken."""
    lab.on(case.sends, Reply(status, "<html>Bad gateway</html>", {"content-type": "text/html"}))
    error = await error_of(case, case.make(lab))
    assert isinstance(error, OutcomeUncertain)
    assert error.code == status


async def test_a_refused_key_holds_the_account(case: HttpCase, lab: HttpLab) -> None:
    """With a wrong key nothing is sent, and the account is in trouble, not the message."""
    secrets = FixedSecret(case.secret[:-1] + "x")
    provider = case.make(lab, secrets=secrets)
    error = await error_of(case, provider)
    assert isinstance(error, NotAuthorized)
    assert lab.rules.stored == []
    with pytest.raises(NotAuthorized):
        await provider.check()
    await provider.close()


async def test_a_secret_no_header_can_hold(case: HttpCase, lab: HttpLab) -> None:
    """A key pasted with a line break adds no header; it is told, not repeated."""
    from tui_mailer.domain.errors import CredentialUnavailable

    provider = case.make(lab, secrets=FixedSecret(case.secret + "\r\nX-Evil: 1"))
    with pytest.raises((CredentialUnavailable, NotAuthorized)) as caught:
        await send(case, provider)
    assert case.secret not in str(caught.value)
    assert not any("x-evil" in one.headers for one in lab.requests)


async def test_certificates_are_verified(case: HttpCase, tls_lab: TlsLab) -> None:
    """Nothing, not even the key, goes to a server whose certificate nobody vouches for; one's own authority counts."""
    async with HttpLab(case.rules(), tls=tls_lab.good()) as lab:
        assert isinstance(await error_of(case, case.make(lab)), NotAuthorized)
        assert lab.requests == []
        await send(case, case.make(lab, trust_pem=tls_lab.trust_pem))
        assert len(lab.rules.stored) == 1
    async with HttpLab(case.rules(), tls=tls_lab.for_another_host()) as lab:
        assert isinstance(await error_of(case, case.make(lab, trust_pem=tls_lab.trust_pem)), NotAuthorized)


@pytest.mark.parametrize(
    "body",
    [{}, [], {"status": "teleported"}, {"data": [{"status": 7}, None]}, HTML.body, ESCAPES, None],
    ids=["empty", "array", "unknown", "odd", "html", "escapes", "nothing"],
)
async def test_a_status_nobody_knows(case: HttpCase, lab: HttpLab, body: object) -> None:
    """A status answer of any shape is told as what it is, or asked again later; it never stops the program."""
    provider = case.make(lab)
    if not provider.capabilities.status_polling:
        return
    receipt = await provider.send(provider.prepare(case.full()), Recorder())
    lab.always("", Reply(200, body))
    found: list[PolledStatus] = []
    trouble = ""
    try:
        found = await provider.status(receipt)
    except DeliveryError as error:
        trouble = str(error)
    finally:
        await provider.close()
    assert clean(trouble) == trouble
    assert all(isinstance(one, PolledStatus) and clean(one.detail) == one.detail for one in found)


async def test_check_survives_anything(case: HttpCase, lab: HttpLab) -> None:
    """Testing an account ends with a sentence, whatever the server says."""
    for behaviour in (HTML, Reply(200, {}), Reply(200, []), Reply(404, "no"), Reply(500), Reply(429), DROP_UNACTED):
        async with HttpLab(case.rules()) as one:
            one.always("", behaviour)
            provider = case.make(one)
            said: list[str] = []
            try:
                said = [each.address for each in await provider.check()]
            except DeliveryError as error:
                said = [str(error)]
            finally:
                await provider.close()
            assert said == list(map(clean, said))
