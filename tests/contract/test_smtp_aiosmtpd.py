"""The same against a server that somebody else has written: aiosmtpd, in this process."""

from __future__ import annotations

import asyncio
import email
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from email.policy import default

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from smtp_account import make_provider
from tls_lab import TlsLab

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import NotAuthorized
from tui_mailer.domain.message import Attachment
from tui_mailer.domain.submission import RecipientStatus
from tui_mailer.providers.testing import SECRET, FixedSecret, MemoryContent, Recorder, make_message, make_outgoing

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:aiosmtpd", "ignore:Requiring AUTH:UserWarning")


class Mailbox:
    """Keeps what arrives, and refuses one recipient."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.envelopes.append(envelope)
        return "250 2.0.0 Ok: queued as AIO1"


def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, credential: object) -> AuthResult:
    assert isinstance(credential, LoginPassword)
    is_known = credential.login == b"ada" and credential.password == SECRET.encode()
    return AuthResult(success=is_known, handled=False)


@asynccontextmanager
async def serve(mailbox: Mailbox, *, implicit: ssl.SSLContext | None = None, **options: object) -> AsyncIterator[int]:
    def make() -> SMTP:
        return SMTP(mailbox, enable_SMTPUTF8=True, loop=asyncio.get_running_loop(), hostname="lab", **options)

    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0, ssl=implicit)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def test_a_whole_message_by_starttls_and_auth(tls_lab: TlsLab) -> None:
    """Two To, Cc, Bcc and an attachment with names beyond ASCII arrive by STARTTLS and AUTH as they were written."""
    content = MemoryContent("Résumé\n".encode() * 5000)
    message = replace(
        make_message(),
        to=(Address("bob", "example.net", "Bôb"), Address("eve", "example.net")),
        cc=(Address("carol", "straße.example"),),
        bcc=(Address("dave", "example.net"),),
        subject="Grüße, 世界",
        attachments=(
            Attachment(name="Résumé 世界.txt", media_type="text/plain", size=content.size, sha256=content.sha256),
        ),
    )
    mailbox = Mailbox()
    options = {"tls_context": tls_lab.good(), "authenticator": authenticate, "auth_required": True}
    async with serve(mailbox, **options) as port:
        provider = make_provider(port, security="starttls", username="ada", trust_pem=tls_lab.trust_pem)
        receipt = await provider.send(provider.prepare(make_outgoing(message, (content,))), Recorder())
        await provider.close()
    assert [result.status for result in receipt.recipients] == [RecipientStatus.ACCEPTED] * 4
    assert receipt.provider_id == "AIO1"
    (envelope,) = mailbox.envelopes
    assert envelope.rcpt_tos == [
        "bob@example.net",
        "eve@example.net",
        "carol@xn--strae-oqa.example",
        "dave@example.net",
    ]
    read = email.message_from_bytes(bytes(envelope.content or b""), policy=default)
    assert read["Subject"] == "Grüße, 世界"
    assert "dave" not in str(read).split("\n\n", 1)[0]
    (attachment,) = list(read.iter_attachments())
    assert attachment.get_filename() == "Résumé 世界.txt"
    assert attachment.get_payload(decode=True) == "Résumé\n".encode() * 5000


@pytest.mark.parametrize("mechanism", ["plain", "login"])
async def test_implicit_tls_and_a_refused_recipient(tls_lab: TlsLab, mechanism: str) -> None:
    """By TLS from the first byte one recipient gets the mail and the other is listed as refused."""
    message = replace(make_message(), to=(Address("bob", "example.net"), Address("nobody", "example.net")))
    mailbox = Mailbox()
    options = {"authenticator": authenticate, "auth_require_tls": False}
    async with serve(mailbox, implicit=tls_lab.good(), **options) as port:
        provider = make_provider(port, security="tls", username="ada", auth=mechanism, trust_pem=tls_lab.trust_pem)
        receipt = await provider.send(provider.prepare(make_outgoing(message)), Recorder())
        await provider.close()
    assert [result.status for result in receipt.recipients] == [RecipientStatus.ACCEPTED, RecipientStatus.REJECTED]
    assert mailbox.envelopes[0].rcpt_tos == ["bob@example.net"]


async def test_a_wrong_password(tls_lab: TlsLab) -> None:
    """A wrong password holds the account, and no mail arrives."""
    mailbox = Mailbox()
    options = {"tls_context": tls_lab.good(), "authenticator": authenticate}
    async with serve(mailbox, **options) as port:
        provider = make_provider(
            port, secrets=FixedSecret("wrong"), security="starttls", username="ada", trust_pem=tls_lab.trust_pem
        )
        with pytest.raises(NotAuthorized, match="535"):
            await provider.send(provider.prepare(make_outgoing()), Recorder())
        await provider.close()
    assert mailbox.envelopes == []


async def test_many_messages_over_few_connections() -> None:
    """Thirty messages, ten at a time, arrive once each."""
    mailbox = Mailbox()
    async with serve(mailbox) as port:
        provider = make_provider(port, max_connections=2)
        messages = [make_message(f"01JZZZZZZZZZZZZZZZZZZZZZ{number:02}") for number in range(30)]
        prepared = [provider.prepare(make_outgoing(message)) for message in messages]
        await asyncio.gather(*(provider.send(each, Recorder()) for each in prepared))
        await provider.close()
    ids = [email.message_from_bytes(bytes(envelope.content or b""))["Message-ID"] for envelope in mailbox.envelopes]
    assert len(ids) == len(set(ids)) == 30
