"""Connecting, TLS and signing in: nothing is sent over a connection that isn't what the account asks for."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl

import pytest
from pydantic import ValidationError
from smtp_account import HASTY, make_provider
from smtp_server import DROP, RESET, STALL, Answer, Garbage, ScriptedServer, Then
from tls_lab import TlsLab

from tui_mailer.domain.errors import CredentialUnavailable, NotAuthorized, Offline, TryLater
from tui_mailer.providers.smtp import SmtpProvider, SmtpSettings
from tui_mailer.providers.testing import SECRET, FixedSecret, Recorder, make_outgoing

USERS = {"ada": SECRET}
MECHANISMS = ["plain", "login", "cram-md5", "xoauth2", "oauthbearer"]


async def send(provider: SmtpProvider) -> tuple[str, ...]:
    """Sends one message; returns the transcript."""
    try:
        return (await provider.send(provider.prepare(make_outgoing()), Recorder())).transcript
    finally:
        await provider.close()


# TLS


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_good_certificate(tls_lab: TlsLab, security: str) -> None:
    """Mail and password travel by TLS, from the first byte or after STARTTLS."""
    async with ScriptedServer(tls=tls_lab.good(), is_implicit_tls=security == "tls", users=USERS) as server:
        provider = make_provider(server.port, security=security, trust_pem=tls_lab.trust_pem, username="ada")
        await send(provider)
        assert len(server.stored) == 1
        verbs = [line.split()[0] for line in server.commands]
        assert ("STARTTLS" in verbs) is (security == "starttls")
        assert verbs.index("AUTH") == verbs.index("MAIL") - 1


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize(
    ("certificate", "reason"),
    [
        ("for_another_host", "127.0.0.1"),
        ("expired", "expired"),
        ("from_nobody_known", "unable to get local issuer|self.signed"),
    ],
)
async def test_a_bad_certificate_holds_the_account(
    tls_lab: TlsLab, security: str, certificate: str, reason: str
) -> None:
    """A certificate that doesn't prove the server holds the account with the reason; no password, no mail leaves."""
    context = getattr(tls_lab, certificate)()
    async with ScriptedServer(tls=context, is_implicit_tls=security == "tls", users=USERS) as server:
        provider = make_provider(server.port, security=security, trust_pem=tls_lab.trust_pem, username="ada")
        with pytest.raises(
            NotAuthorized, match=f"not to be trusted.*({reason}).*Nothing was sent, not even the password"
        ):
            await send(provider)
        assert not any(line.startswith(("AUTH", "MAIL")) for line in server.commands)


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_fingerprint_accepts_that_certificate(tls_lab: TlsLab, security: str) -> None:
    """A server of one's own, signed by nobody, is accepted by its certificate's fingerprint, colons or not."""
    context, fingerprint = tls_lab.with_fingerprint()
    with_colons = ":".join(fingerprint[i : i + 2] for i in range(0, 64, 2)).upper()
    async with ScriptedServer(tls=context, is_implicit_tls=security == "tls", users=USERS) as server:
        await send(make_provider(server.port, security=security, fingerprint=with_colons, username="ada"))
        assert len(server.stored) == 1


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_a_fingerprint_accepts_no_other(tls_lab: TlsLab, security: str) -> None:
    """With a fingerprint even a certificate of a trusted authority is refused, before a command is sent."""
    async with ScriptedServer(tls=tls_lab.good(), is_implicit_tls=security == "tls", users=USERS) as server:
        provider = make_provider(
            server.port, security=security, fingerprint="0" * 64, trust_pem=tls_lab.trust_pem, username="ada"
        )
        with pytest.raises(NotAuthorized, match=r"fingerprint.*Nothing was sent, not even the password"):
            await send(provider)
        assert not any(line.startswith(("AUTH", "MAIL")) for line in server.commands)


async def test_starttls_stripped(tls_lab: TlsLab) -> None:
    """When somebody on the way removes STARTTLS the account is held; the password never goes out in the clear."""
    async with ScriptedServer(users=USERS) as server:
        secrets = FixedSecret()
        provider = make_provider(server.port, secrets=secrets, security="starttls", username="ada")
        with pytest.raises(NotAuthorized, match="doesn't offer STARTTLS"):
            await send(provider)
        assert server.commands == ["EHLO localhost"]


@pytest.mark.parametrize(
    "answer", ["454 4.7.0 TLS not available", "421 4.3.2 closing", DROP, RESET, Then("220 go", DROP)]
)
async def test_starttls_fails_for_now(tls_lab: TlsLab, answer: Answer) -> None:
    """A server that can't do TLS just now is tried later; there is no way around TLS."""
    async with ScriptedServer(tls=tls_lab.good(), users=USERS) as server:
        server.always("STARTTLS", answer)
        provider = make_provider(server.port, security="starttls", username="ada", timeouts=HASTY)
        with pytest.raises((TryLater, NotAuthorized), match="Nothing was sent"):
            await send(provider)
        assert not any(line.startswith(("AUTH", "MAIL")) for line in server.commands)


async def test_starttls_injection_is_discarded(tls_lab: TlsLab) -> None:
    """Answers slipped in before the handshake are not read as if they came by TLS."""
    async with ScriptedServer(tls=tls_lab.good(), users=USERS, extensions=["AUTH PLAIN"]) as server:
        server.on("STARTTLS", "220 2.0.0 go ahead\r\n250 evil")
        provider = make_provider(
            server.port, security="starttls", trust_pem=tls_lab.trust_pem, username="ada", timeouts=HASTY
        )
        with pytest.raises((TryLater, NotAuthorized)):
            await send(provider)
        assert server.stored == []


async def test_tls_on_a_plain_port() -> None:
    """security: tls against a port that speaks plain SMTP is told as the misconfiguration it is."""
    async with ScriptedServer() as server:
        with pytest.raises(NotAuthorized, match="Check port and security"):
            await send(make_provider(server.port, security="tls"))


async def test_old_tls_is_refused(tls_lab: TlsLab) -> None:
    """A server that can only do TLS 1.1 gets nothing."""
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context = tls_lab.only_old_protocols()
    async with ScriptedServer(tls=context, is_implicit_tls=True) as server:
        with pytest.raises((NotAuthorized, TryLater), match="Nothing was sent"):
            await send(make_provider(server.port, security="tls", trust_pem=tls_lab.trust_pem))
        assert server.commands == []


async def test_an_unreadable_ca_file() -> None:
    """A ca_file without a certificate holds the account before anything is connected."""
    async with ScriptedServer() as server:
        with pytest.raises(NotAuthorized, match="ca_file"):
            await send(make_provider(server.port, security="tls", trust_pem="no certificate"))
        assert server.connections == 0


# signing in


@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_each_mechanism_signs_in(mechanism: str) -> None:
    """Every mechanism works, and its exchange is not in the transcript."""
    async with ScriptedServer(users=USERS) as server:
        transcript = await send(make_provider(server.port, username="ada", auth=mechanism))
        assert len(server.stored) == 1
    assert f"C: AUTH {mechanism.upper()} <secret>" in transcript
    shown = "\n".join(transcript)
    assert SECRET not in shown
    assert base64.b64encode(f"\0ada\0{SECRET}".encode()).decode() not in shown


@pytest.mark.parametrize("mechanism", MECHANISMS)
async def test_a_wrong_password_is_tried_once(mechanism: str) -> None:
    """A refused credential holds the account after one single attempt, and is forgotten."""
    async with ScriptedServer(users=USERS) as server:
        secrets = FixedSecret("wrong")
        provider = make_provider(server.port, secrets=secrets, username="ada", auth=mechanism)
        with pytest.raises(
            NotAuthorized, match=r"refused the .*535 5\.7\.8 bad credentials.*Nothing was sent"
        ) as trouble:
            await send(provider)
        assert trouble.value.code == 535
        assert len([line for line in server.commands if line.startswith("AUTH")]) == 1
        assert secrets.times_invalidated == 1
        assert server.stored == []
        assert "wrong" not in "\n".join(trouble.value.transcript)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ("CRAM-MD5 LOGIN PLAIN", "PLAIN"),
        ("CRAM-MD5 LOGIN", "LOGIN"),
        ("XOAUTH2 CRAM-MD5", "CRAM-MD5"),
        ("login plain", "PLAIN"),
    ],
)
async def test_auto_takes_the_best_offered(offered: str, chosen: str) -> None:
    """Without a choice of one's own the best mechanism that the server offers is used."""
    async with ScriptedServer(extensions=[f"AUTH {offered}"], users=USERS) as server:
        await send(make_provider(server.port, username="ada"))
        assert [line.split()[1] for line in server.commands if line.startswith("AUTH")] == [chosen]


@pytest.mark.parametrize(
    ("extensions", "auth", "reason"),
    [
        (["AUTH XOAUTH2 GSSAPI"], "auto", "gssapi, xoauth2"),
        (["AUTH PLAIN"], "cram-md5", "no cram-md5 but plain"),
        ([], "auto", "no way to sign in at all"),
    ],
)
async def test_no_mechanism_in_common(extensions: list[str], auth: str, reason: str) -> None:
    """Without a common mechanism the account is held, and one reads what the server offers."""
    async with ScriptedServer(extensions=extensions, users=USERS) as server:
        with pytest.raises(NotAuthorized, match=reason):
            await send(make_provider(server.port, username="ada", auth=auth))


@pytest.mark.parametrize("answer", ["454 4.7.0 try later", "421 4.7.0 closing", "451 4.3.0 hm"])
async def test_signing_in_is_not_possible_now(answer: str) -> None:
    """A server that can't check the password now is tried later; the password is not thrown away."""
    async with ScriptedServer(users=USERS) as server:
        server.always("AUTH", answer)
        secrets = FixedSecret()
        with pytest.raises(TryLater, match="can't check the password now") as trouble:
            await send(make_provider(server.port, secrets=secrets, username="ada"))
        assert trouble.value.is_account_wide
        assert secrets.times_invalidated == 0


@pytest.mark.parametrize("fault", [DROP, RESET, STALL, Garbage(b"nonsense\r\n")])
async def test_a_break_while_signing_in(fault: Answer) -> None:
    """A connection that breaks during AUTH says nothing about the password."""
    async with ScriptedServer(users=USERS) as server:
        server.always("AUTH", fault)
        secrets = FixedSecret()
        with pytest.raises(TryLater, match="Nothing was sent"):
            await send(make_provider(server.port, secrets=secrets, username="ada", timeouts=HASTY))
        assert secrets.times_invalidated == 0


async def test_no_password_in_the_clear() -> None:
    """Without TLS a password goes to this computer only: for another host nothing is even connected."""
    secrets = FixedSecret()
    provider = make_provider(25, host="mail.example.com", secrets=secrets, username="ada")
    with pytest.raises(NotAuthorized, match=r"in the clear.*not even the password"):
        await send(provider)
    assert secrets.times_asked == 0


async def test_no_user_no_auth() -> None:
    """Without a user name nobody is asked for a password."""
    async with ScriptedServer() as server:
        secrets = FixedSecret()
        await send(make_provider(server.port, secrets=secrets))
        assert secrets.times_asked == 0
        assert not any(line.startswith("AUTH") for line in server.commands)


async def test_a_missing_secret_connects_to_nobody() -> None:
    """A locked keyring is told as such, before anything is connected."""

    class Locked(FixedSecret):
        async def get(self) -> str:
            raise CredentialUnavailable("The keyring is locked. Unlock it.")

    async with ScriptedServer() as server:
        with pytest.raises(CredentialUnavailable):
            await send(make_provider(server.port, secrets=Locked(), username="ada"))
        assert server.connections == 0


# connecting


async def test_nobody_listens() -> None:
    """A refused connection is "offline", with the address."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(Offline, match=rf"127\.0\.0\.1:{port} can't be reached.*Nothing was sent"):
            await send(make_provider(port))


async def test_an_unknown_host() -> None:
    """A name that doesn't exist is "offline" too: so is every name without a network."""
    with pytest.raises(Offline, match=r"no-such-host\.invalid:25 can't be reached"):
        await send(make_provider(25, host="no-such-host.invalid"))


async def test_an_international_host_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """ß stays ß: the host is looked up by its IDNA 2008 name, not by the one an old rule would make of it."""
    asked: list[object] = []

    async def look_up(_self: object, host: object, *_args: object, **_kwargs: object) -> list[object]:
        asked.append(host)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", look_up)
    with pytest.raises(Offline):
        await send(make_provider(25, host="straße.example"))
    assert asked == ["xn--strae-oqa.example"]


@pytest.mark.parametrize(
    "greeting",
    ["421 4.3.2 too busy", "450 4.7.1 not now", "554 5.7.1 go away", DROP, RESET, STALL, Garbage(b"SSH-2.0\r\n")],
)
async def test_an_unfriendly_greeting(greeting: Answer) -> None:
    """A server that doesn't greet is the account's trouble, tried later; the mail is not to blame."""
    async with ScriptedServer() as server:
        server.always("CONNECT", greeting)
        with pytest.raises((TryLater, Offline), match="Nothing was sent") as trouble:
            await send(make_provider(server.port, timeouts=HASTY))
        assert isinstance(trouble.value, Offline) or trouble.value.is_account_wide
        assert server.stored == []


@pytest.mark.parametrize("fault", ["421 4.3.2 closing", "550 no", DROP, STALL, Garbage(b"nonsense\r\n")])
async def test_ehlo_fails(fault: Answer) -> None:
    """A server that won't be greeted is tried later."""
    async with ScriptedServer(users=USERS) as server:
        server.always("EHLO", fault)
        with pytest.raises(TryLater, match="Nothing was sent"):
            await send(make_provider(server.port, username="ada", timeouts=HASTY))


async def test_an_ancient_server() -> None:
    """A server that knows HELO only gets plain SMTP."""
    async with ScriptedServer() as server:
        server.always("EHLO", "500 what?")
        await send(make_provider(server.port))
        assert server.stored[0].recipients == ("bob@example.net", "eve@example.net")


async def test_the_computers_name_is_not_told() -> None:
    """The greeting says localhost, or what the account says."""
    async with ScriptedServer() as server:
        await send(make_provider(server.port))
        await send(make_provider(server.port, ehlo="mx.example.org"))
        assert [line for line in server.commands if line.startswith("EHLO")] == [
            "EHLO localhost",
            "EHLO mx.example.org",
        ]


# check


async def test_check_proves_connection_and_password() -> None:
    """Testing an account signs in, says NOOP and goodbye, and names who one may send as."""
    async with ScriptedServer(users=USERS) as server:
        (identity,) = await make_provider(server.port, username="ada").check()
        assert (identity.address, identity.detail) == ("ada@example.org", "Ada Lovelace")
        assert [line.split()[0] for line in server.commands] == ["EHLO", "AUTH", "NOOP", "QUIT"]


async def test_check_with_a_wrong_password() -> None:
    """Testing an account with a wrong password says so."""
    async with ScriptedServer(users=USERS) as server:
        with pytest.raises(NotAuthorized, match="refused the user name or password"):
            await make_provider(server.port, secrets=FixedSecret("wrong"), username="ada").check()


async def test_check_survives_a_server_that_hangs_up() -> None:
    """Whoever lets us in and then hangs up has proved enough."""
    async with ScriptedServer() as server:
        server.on("NOOP", DROP)
        assert await make_provider(server.port).check()


# settings


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"host": "mail.example.org"}, "security"),
        ({"host": "mail.example.org", "security": "ssl"}, "security"),
        ({"host": "bad host", "security": "tls"}, "host"),
        ({"host": "mail.example.org", "security": "tls", "port": 0}, "port"),
        ({"host": "mail.example.org", "security": "tls", "verify": False}, "verify"),
        ({"host": "mail.example.org", "security": "tls", "fingerprint": "abc"}, "64 hex digits"),
        ({"host": "mail.example.org", "security": "none", "fingerprint": "0" * 64}, "fingerprint needs"),
        ({"host": "mail.example.org", "security": "tls", "ehlo": "x\r\nMAIL"}, "ehlo"),
    ],
)
def test_bad_settings_are_named(settings: dict[str, object], named: str) -> None:
    """A setting that can't be used is refused by name; verification can't be switched off."""
    with pytest.raises(ValidationError, match=named):
        SmtpSettings.model_validate(settings)


@pytest.mark.parametrize(("security", "port"), [("tls", 465), ("starttls", 587), ("none", 25)])
def test_each_security_has_its_port(security: str, port: int) -> None:
    """Without a port the usual one is taken."""
    assert SmtpSettings.model_validate({"host": "mail.example.org", "security": security}).effective_port == port


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]", "localhost", "LOCALHOST."])
def test_this_computer_is_known(host: str) -> None:
    """AUTH without TLS is allowed to this computer, however it is written."""
    assert SmtpSettings.model_validate({"host": host, "security": "none"}).is_loopback


def test_only_tls_1_2_and_later() -> None:
    """The TLS context verifies, and knows nothing older than TLS 1.2."""
    context = make_provider(1, security="tls")._connector._build_tls_context()
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
