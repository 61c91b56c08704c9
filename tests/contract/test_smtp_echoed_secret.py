"""A server that repeats the password in its answer: it isn't kept, shown or logged for that."""

from __future__ import annotations

import base64

import pytest
from smtp_account import make_provider
from smtp_server import ScriptedServer
from tls_lab import TlsLab

from tui_mailer.domain.errors import DeliveryError, NotAuthorized
from tui_mailer.providers.testing import SECRET, Recorder, make_outgoing

PLAIN = base64.b64encode(f"\0ada\0{SECRET}".encode()).decode()
WORD = base64.b64encode(SECRET.encode()).decode()


TORN = (f"{SECRET[:3]}\u200b{SECRET[3:]}", f"{SECRET[:3]}\x01{SECRET[3:]}", f"{PLAIN[:9]}\x1b{PLAIN[9:]}")
"""By what is cleaned away before anybody sees it."""


@pytest.mark.parametrize("echo", [SECRET, PLAIN, WORD, f"({PLAIN}), '{SECRET}'", *TORN])
async def test_a_refusal_that_echoes_the_password_is_told_without_it(tls_lab: TlsLab, echo: str) -> None:
    """The reason a person reads and the transcript that is kept have the rest of the answer."""
    async with ScriptedServer(tls=tls_lab.good(), is_implicit_tls=True) as server:
        server.always("AUTH", f"535 5.7.8 refused: {echo}")
        provider = make_provider(server.port, security="tls", trust_pem=tls_lab.trust_pem, username="ada")
        with pytest.raises(NotAuthorized, match=r"535 5\.7\.8 refused") as trouble:
            await provider.send(provider.prepare(make_outgoing()), Recorder())
        await provider.close()
    told = "\n".join((str(trouble.value), *trouble.value.transcript))
    assert not any(each in told for each in (SECRET, PLAIN, WORD))
    assert "[secret]" in str(trouble.value)


async def test_a_welcome_that_echoes_the_password_is_kept_without_it(tls_lab: TlsLab) -> None:
    """The transcript of what was sent has no secret either."""
    async with ScriptedServer(tls=tls_lab.good(), is_implicit_tls=True) as server:
        server.always("AUTH", f"235 2.7.0 welcome, {PLAIN}")
        provider = make_provider(server.port, security="tls", trust_pem=tls_lab.trust_pem, username="ada")
        receipt = await provider.send(provider.prepare(make_outgoing()), Recorder())
        await provider.close()
    told = "\n".join(receipt.transcript)
    assert "S: 235 2.7.0 welcome, " in told
    assert "[secret]" in told
    assert not any(each in told for each in (SECRET, PLAIN, WORD))


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "DOT"])
@pytest.mark.parametrize("echo", [SECRET, PLAIN, WORD, *TORN])
async def test_an_echo_in_any_later_answer_is_told_without_it(tls_lab: TlsLab, verb: str, echo: str) -> None:
    """Sender, recipient, text: whichever is refused with the password in the reason."""
    async with ScriptedServer(tls=tls_lab.good(), is_implicit_tls=True) as server:
        server.always("AUTH", "235 2.7.0 welcome")
        server.always(verb, f"550 5.7.1 refused: {echo}")
        provider = make_provider(server.port, security="tls", trust_pem=tls_lab.trust_pem, username="ada")
        try:
            told = repr(await provider.send(provider.prepare(make_outgoing()), Recorder()))
        except DeliveryError as error:
            told = f"{error} {vars(error)}"
        await provider.close()
    assert "5.7.1" in told
    assert "[secret]" in told
    assert not any(each in told for each in (SECRET, PLAIN, WORD))
