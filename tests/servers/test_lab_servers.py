"""The servers themselves, asked by the standard library: what the end-to-end tests stand on."""

from __future__ import annotations

import base64
import imaplib
import smtplib
import ssl
import subprocess
from collections.abc import Mapping

import pytest
from lab_certificate import TlsFiles
from lab_dovecot import Dovecot
from lab_postfix import Greylist
from lab_server import HOST, OAUTH_USER, PASSWORD, SIZE_LIMIT, TOKEN, USER, MailServer


def trusting(tls_files: TlsFiles) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(tls_files.ca_file))


def text_with(message_id: str, subject: str = "probe") -> str:
    return f"From: me@lab.test\r\nTo: a@lab.test\r\nMessage-ID: {message_id}\r\nSubject: {subject}\r\n\r\nHello\r\n"


@pytest.fixture(params=["postfix", "exim"])
def server(request: pytest.FixtureRequest) -> MailServer:
    return request.getfixturevalue(request.param)


def test_a_message_by_implicit_tls_is_stored_and_counted_once(server: MailServer, tls_files: TlsFiles) -> None:
    """What the server accepts over TLS with AUTH lies in its Maildir, and its log says so once."""
    message_id = f"<tls-{server.tls_port}@lab.test>"
    with smtplib.SMTP_SSL(HOST, server.tls_port, context=trusting(tls_files)) as client:
        client.login(USER, PASSWORD)
        client.sendmail("me@lab.test", ["a@lab.test", "b@lab.test"], text_with(message_id))
    copies = server.wait_for(message_id, "a@lab.test", "b@lab.test")
    assert copies[0].message["Subject"] == "probe"
    assert server.count_accepted(message_id) == 1


def test_a_message_by_starttls_is_stored(server: MailServer, tls_files: TlsFiles) -> None:
    """The same by STARTTLS."""
    message_id = f"<starttls-{server.starttls_port}@lab.test>"
    with smtplib.SMTP(HOST, server.starttls_port) as client:
        client.starttls(context=trusting(tls_files))
        client.login(USER, PASSWORD)
        client.sendmail("me@lab.test", ["a@lab.test"], text_with(message_id))
    assert server.wait_for(message_id, "a@lab.test")


def test_what_was_never_sent_counts_as_never_accepted(server: MailServer) -> None:
    """The count can be nought: it is no rubber stamp."""
    assert server.count_accepted("<never@lab.test>") == 0


def test_a_wrong_password_is_535(server: MailServer, tls_files: TlsFiles) -> None:
    """The servers know their user's password and refuse another."""
    with (
        smtplib.SMTP_SSL(HOST, server.tls_port, context=trusting(tls_files)) as client,
        pytest.raises(smtplib.SMTPAuthenticationError) as refusal,
    ):
        client.login(USER, "wrong")
    assert refusal.value.smtp_code == 535


def test_the_size_limit_is_announced_and_kept(server: MailServer) -> None:
    """A message announced as too large is refused at MAIL."""
    with smtplib.SMTP("127.0.0.1", server.plain_port) as client:
        client.ehlo()
        assert client.esmtp_features["size"] == str(SIZE_LIMIT)
        assert client.mail("me@lab.test", [f"SIZE={SIZE_LIMIT + 1}"])[0] == 552


def test_postfix_greylists_until_the_list_is_lifted(postfix: MailServer, greylist: Greylist) -> None:
    """Greylisted mail passes once the list is lifted, as on a later try."""
    with smtplib.SMTP("127.0.0.1", postfix.plain_port) as client:
        client.ehlo()
        client.mail("me@lab.test")
        assert client.rcpt("grey@lab.test")[0] == 451
        assert greylist.deferred == 1
        greylist.lift()
        assert client.rcpt("grey@lab.test")[0] == 250


@pytest.mark.parametrize(
    ("recipient", "code"), [("stranger@lab.test", 550), ("quota@lab.test", 552), ("drop@lab.test", 421)]
)
def test_postfix_refuses_in_every_way(postfix: MailServer, recipient: str, code: int) -> None:
    """Each troublesome recipient gets its own answer."""
    with smtplib.SMTP("127.0.0.1", postfix.plain_port) as client:
        client.ehlo()
        client.mail("me@lab.test")
        assert client.rcpt(recipient)[0] == code


@pytest.mark.parametrize(
    ("recipient", "code"), [("nobody@lab.test", 550), ("quota@lab.test", 550), ("grey@lab.test", 451)]
)
def test_exim_refuses_in_every_way(exim: MailServer, recipient: str, code: int) -> None:
    """Each troublesome recipient gets its own answer."""
    with smtplib.SMTP("127.0.0.1", exim.plain_port) as client:
        client.ehlo()
        client.mail("me@lab.test")
        assert client.rcpt(recipient)[0] == code


@pytest.mark.usefixtures("postfix")  # whoever is let in is connected to the relay at once
@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
@pytest.mark.parametrize(("token", "code"), [(TOKEN, 235), ("stale", 535)])
def test_dovecot_judges_tokens(dovecot: Dovecot, tls_files: TlsFiles, mechanism: str, token: str, code: int) -> None:
    """A live token opens the door by either mechanism, a stale one doesn't."""
    bearer = {
        "XOAUTH2": f"user={OAUTH_USER}\1auth=Bearer {token}\1\1",
        "OAUTHBEARER": f"n,a={OAUTH_USER},\1host={HOST}\1port={dovecot.tls_port}\1auth=Bearer {token}\1\1",
    }[mechanism]
    with smtplib.SMTP_SSL(HOST, dovecot.tls_port, context=trusting(tls_files)) as client:
        client.ehlo()
        answer, _ = client.docmd("AUTH", f"{mechanism} {base64.b64encode(bearer.encode()).decode()}")
        if answer == 334:  # the reason for the refusal; the client answers with nothing
            answer, _ = client.docmd("AQ==")
        assert answer == code


def test_dovecot_hands_what_it_takes_to_postfix(dovecot: Dovecot, postfix: MailServer, tls_files: TlsFiles) -> None:
    """Mail submitted to dovecot ends in postfix' mailbox."""
    message_id = f"<dovecot-{dovecot.tls_port}@lab.test>"
    with smtplib.SMTP(HOST, dovecot.starttls_port) as client:
        client.starttls(context=trusting(tls_files))
        client.login(USER, PASSWORD)
        client.sendmail("me@lab.test", ["a@lab.test"], text_with(message_id))
    assert postfix.wait_for(message_id, "a@lab.test")


def test_dovecot_has_a_sent_folder(dovecot: Dovecot, tls_files: TlsFiles) -> None:
    """The same user finds a Sent folder by IMAP."""
    with imaplib.IMAP4_SSL(HOST, dovecot.imaps_port, ssl_context=trusting(tls_files)) as client:
        client.login(USER, PASSWORD)
        assert client.select("Sent")[0] == "OK"


def test_the_keyring_keeps_a_secret(gnome_keyring: Mapping[str, str]) -> None:
    """What one program stores in the Secret Service another one finds."""
    environment = {"PATH": "/usr/bin:/bin", **gnome_keyring}
    attributes = ["service", "fixture", "username", "someone"]
    store = ["secret-tool", "store", "--label=x", *attributes]
    subprocess.run(store, input=b"hush", env=environment, check=True, timeout=20)
    found = subprocess.run(
        ["secret-tool", "lookup", *attributes], env=environment, check=True, timeout=20, capture_output=True
    )
    assert found.stdout == b"hush"


def test_the_certificates_are_wrong_in_the_ways_they_should_be(tls_files: TlsFiles) -> None:
    """A client that verifies refuses each bad certificate for its own reason, and takes the good one."""
    reasons = {
        tls_files.good: None,
        tls_files.wrong_host: "Hostname mismatch",
        tls_files.expired: "expired",
        tls_files.rogue: "unable to get (local )?issuer|self.signed",
    }
    for certificate, reason in reasons.items():
        if reason is None:
            shake_hands(trusting(tls_files), certificate)
        else:
            with pytest.raises(ssl.SSLCertVerificationError, match=reason):
                shake_hands(trusting(tls_files), certificate)


def shake_hands(client_context: ssl.SSLContext, certificate: object) -> None:
    """Performs a TLS handshake in memory."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(str(certificate))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server, server_hostname="localhost")
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
