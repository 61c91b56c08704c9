"""One message, every way in: TLS, STARTTLS, each mechanism, non-ASCII everywhere, on real servers."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab_dovecot import Dovecot
from lab_server import OAUTH_USER, TOKEN, USER, MailServer
from program import Program

RECIPIENTS = ("a@lab.test", "b@lab.test", "c@lab.test", "a@xn--bcher-kva.test")
ATTACHMENT = bytes(range(256)) * 64


@pytest.fixture(params=["postfix", "exim", "dovecot"])
def entrance(request: pytest.FixtureRequest) -> MailServer | Dovecot:
    """Where the program connects to."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def truth(request: pytest.FixtureRequest, entrance: MailServer | Dovecot) -> MailServer:
    """Where the mail must end: dovecot hands it to postfix."""
    return request.getfixturevalue("postfix") if isinstance(entrance, Dovecot) else entrance


def port_of(server: MailServer | Dovecot, security: str) -> int:
    return server.tls_port if security == "tls" else server.starttls_port


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_full_message_arrives_whole_at_everyone_once(
    program: Program, entrance: MailServer | Dovecot, truth: MailServer, security: str, tmp_path: Path
) -> None:
    """Two To, Cc, Bcc and an attachment with non-ASCII names reach all four recipients, once, and Bcc stays hidden."""
    program.configure(
        program.account_for(security=security, port=port_of(entrance, security), ca_file=entrance.ca_file)
    )
    source = tmp_path / "Übersicht 2026 🌻.bin"
    source.write_bytes(ATTACHMENT)
    sent = program.send(
        *("--to", "Jürgen Groß <a@lab.test>, b@lab.test", "--cc", '"Last, First" <c@lab.test>'),
        *("--bcc", "a@bücher.test", "--attach", source),
        expect=0,
    )
    assert sent["state"] == "sent"
    assert sent["response_code"] == 250
    assert {each["address"]: each["status"] for each in sent["recipients"]} == dict.fromkeys(RECIPIENTS, "accepted")

    copies = truth.wait_for(sent["message_id"], *RECIPIENTS)
    message = copies[0].message
    assert message["Subject"] == "Grüße"
    assert [address.display_name for address in message["To"].addresses] == ["Jürgen Groß", ""]
    assert message["Cc"].addresses[0].display_name == "Last, First"
    assert "Bis morgen!" in message.get_body(("plain",)).get_content()
    assert copies[0].attachments() == {source.name: ATTACHMENT}
    for copy in copies:
        assert copy.message["Bcc"] is None
        assert "bcher" not in "".join(f"{name}: {value}" for name, value in copy.headers_as_sent())
    assert truth.count_accepted(sent["message_id"]) == 1


@pytest.mark.parametrize(
    ("mechanism", "user", "secret"),
    [
        ("plain", USER, "pass"),
        ("login", USER, "pass"),
        ("xoauth2", OAUTH_USER, TOKEN),
        ("oauthbearer", OAUTH_USER, TOKEN),
    ],
)
def test_every_mechanism_opens_the_door(
    program: Program, dovecot: Dovecot, postfix: MailServer, mechanism: str, user: str, secret: str
) -> None:
    """A password by PLAIN or LOGIN and a token by XOAUTH2 or OAUTHBEARER are taken."""
    program.configure(
        program.account_for(
            security="tls",
            port=dovecot.tls_port,
            ca_file=dovecot.ca_file,
            user=user,
            secret=secret,
            auth=mechanism,
        )
    )
    sent = program.send("--to", "a@lab.test", expect=0)
    assert postfix.wait_for(sent["message_id"], "a@lab.test")


def test_a_non_ascii_mailbox_is_reached_where_the_server_can(program: Program, postfix: MailServer) -> None:
    """A local part with an umlaut travels by SMTPUTF8."""
    program.configure(program.account_for(security="tls", port=postfix.tls_port, ca_file=postfix.ca_file))
    sent = program.send("--to", "jürgen@lab.test", expect=0)
    assert postfix.wait_for(sent["message_id"], "jürgen@lab.test")


def test_a_non_ascii_mailbox_is_refused_where_the_server_cannot(
    program: Program, dovecot: Dovecot, postfix: MailServer
) -> None:
    """Without SMTPUTF8 the message is refused in plain words, and no mangled copy leaves."""
    program.configure(program.account_for(security="tls", port=dovecot.tls_port, ca_file=dovecot.ca_file))
    refused = program.send("--to", "jürgen@lab.test", expect=69)
    assert refused["state"] == "failed"
    assert "SMTPUTF8" in refused["error"]
    assert postfix.count_accepted(refused["message_id"]) == 0


def test_several_messages_are_sent_by_one_flush(program: Program, postfix: MailServer) -> None:
    """What was queued goes out together, each once."""
    program.configure(program.account_for(security="tls", port=postfix.tls_port, ca_file=postfix.ca_file))
    queued = [program.send("--to", "a@lab.test", "--queue", expect=0) for _ in range(5)]
    assert {each["state"] for each in queued} == {"queued"}
    assert program("outbox", "flush").code == 0
    for each in queued:
        assert postfix.wait_for(each["message_id"], "a@lab.test")
        assert postfix.count_accepted(each["message_id"]) == 1


def test_the_account_test_proves_connection_and_password_and_sends_nothing(
    program: Program, postfix: MailServer
) -> None:
    """`account test` logs in with the right password, and says so when it is wrong."""
    program.configure(program.account_for(security="starttls", port=postfix.starttls_port, ca_file=postfix.ca_file))
    assert program("account", "test", "work").code == 0
    program.secret_file.write_text("wrong\n")
    assert program("account", "test", "work").code == 77
