"""What ``--dry-run`` prints is what `send` makes, for every HTTP provider; the secret is in neither."""

from __future__ import annotations

import base64
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from http_case import HttpCase
from http_lab import HttpLab, LabRequest, Reply
from http_shown import difference

from tui_mailer.domain.errors import MailerError
from tui_mailer.domain.submission import Receipt
from tui_mailer.providers.base import Outgoing, Prepared
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.testing import FixedSecret, Recorder


def messages(case: HttpCase, provider: HttpProvider) -> list[Outgoing]:
    """A plain one, one with everything, and one for later where the provider keeps it."""
    found = [case.outgoing("01JZZZZZZZZZZZZZZZZZZZZZZ1"), case.full()]
    can = provider.capabilities
    if can.schedule_min is not None:
        later = datetime.now(UTC).replace(microsecond=0) + can.schedule_min + timedelta(hours=1)
        found.append(replace(found[0], not_before=later))
    return found


def shown(prepared: Prepared) -> str:
    return "\n".join(line for step in prepared.steps for line in (step.title, *step.lines))


async def test_the_dry_run_shows_what_send_makes(case: HttpCase) -> None:
    """Every request that was made is printed, in this order, with every header and every byte of its body."""
    for index in range(3):
        async with HttpLab(case.rules()) as lab:
            provider = case.make(lab)
            wanted = messages(case, provider)
            if index >= len(wanted):
                return
            prepared = provider.prepare(wanted[index])
            sent_sizes: list[tuple[int, int]] = []
            note_size = sent_sizes.append
            receipt = await provider.send(prepared, Recorder(), lambda *sizes, note=note_size: note(sizes))
            await provider.close()
            assert receipt.is_handed_over == (wanted[index].not_before is not None)
            steps = list(prepared.steps)
            for request in lab.requests:
                while steps and "(only if" in steps[0].title and difference(steps[0], request, lab.url, wanted[index]):
                    steps.pop(0)
                assert steps, f"not shown: {request.method} {request.target}"
                assert not difference(steps[0], request, lab.url, wanted[index])
                steps.pop(0)
            assert all("(only if" in step.title for step in steps)
            assert sent_sizes[-1][0] == sent_sizes[-1][1]
            assert len(lab.rules.stored) == 1


async def test_the_dry_run_needs_neither_secret_nor_files(case: HttpCase, lab: HttpLab) -> None:
    """A dry run reads no secret and no file; files are shown by name, size and digest."""
    secrets = FixedSecret(case.secret)
    provider = case.make(lab, secrets=secrets)
    full = case.full()
    text = shown(provider.prepare(replace(full, contents={})))
    assert secrets.times_asked == 0
    assert lab.requests == []
    for attachment in full.message.attachments:
        if attachment.sha256:
            assert attachment.sha256 in text
            assert f"{attachment.size} bytes" in text


def forms_of(secret: str) -> list[str]:
    """The secret as it is and as servers and headers encode it."""
    encoded = secret.encode()
    return [secret, base64.b64encode(encoded).decode().rstrip("=")[:-1], encoded.hex()]


def holds(secret: str, text: str) -> bool:
    """Says whether any form of the secret is in the text, inside other Base64 too (``api:secret``)."""
    return any(form in text for form in forms_of(secret)) or any(
        base64.b64encode(b"\0" * offset + secret.encode()).decode()[4:-4] in text for offset in (1, 2)
    )


async def test_the_secret_is_nowhere(case: HttpCase, lab: HttpLab, caplog: pytest.LogCaptureFixture) -> None:
    """Neither dry run, answer, error, transcript nor debug log holds the key, not even when the server repeats it."""
    caplog.set_level(logging.DEBUG)
    provider = case.make(lab)
    prepared = provider.prepare(case.full())
    receipt = await provider.send(prepared, Recorder())
    echoed = echo_of(lab.requests[-1], case.secret)
    texts = [shown(prepared), repr(receipt), repr(provider), repr(prepared)]
    for status in (200, 400, 401, 403, 422, 429, 500):
        lab.on(case.sends, Reply(status, {"message": echoed, "id": echoed, "errors": [{"message": echoed}]}))
        fresh = provider.prepare(case.outgoing(f"01JZZZZZZZZZZZZZZZZZZZZ{status}"))
        try:
            texts.append(repr(await provider.send(fresh, Recorder())))
        except MailerError as error:
            texts += [str(error), repr(error), repr(vars(error))]
    texts += await told_later(provider, receipt, lab, echoed)
    lab.always_now("", Reply(400, echoed))
    with pytest.raises(MailerError) as caught:
        await provider.check()
    texts += [str(caught.value), repr(vars(caught.value)), caplog.text]
    await provider.close()
    for text in texts:
        assert not holds(case.secret, text), text[:3000]


async def told_later(provider: HttpProvider, receipt: Receipt, lab: HttpLab, echoed: str) -> list[str]:
    """What status and cancel say of a server that repeats the key in every field."""
    texts: list[str] = []
    words = ("message", "status", "reason", "description", "last_event", "detail", "event", "name", "code", "Status")
    row = dict.fromkeys(words, echoed)
    for status in (200, 400, 404, 409, 422):
        lab.always_now("", Reply(status, {**row, "data": [row], "Data": [row], "items": [row]}))
        for ask in (provider.status, provider.cancel):
            try:
                texts.append(repr(await ask(receipt)))
            except MailerError as error:
                texts += [str(error), repr(vars(error))]
    return texts


def echo_of(request: LabRequest, secret: str) -> str:
    """What a careless server says: the headers it got, and the key in several forms."""
    return " ".join(
        [secret, *request.headers.values(), *forms_of(secret), base64.b64encode(f"api:{secret}".encode()).decode()]
    )
