"""Trouble that is the account's, not the message's: the account is held, the mail waits untouched, nothing leaks."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping

import pytest
from lab_certificate import TlsFiles
from lab_server import PASSWORD, USER, MailServer
from program import SENDER, Program
from smtp_server import ScriptedServer


def test_a_wrong_password_holds_the_account_until_it_is_mended(
    program: Program, postfix: MailServer, gnome_keyring: Mapping[str, str]
) -> None:
    """77, the message queued and untouched; with the right secret in the keyring it goes out once."""
    program.environment.update(gnome_keyring)
    settings = program.account_for(security="tls", port=postfix.tls_port, ca_file=postfix.ca_file)
    program.configure({**settings, "credential": "keyring"})
    assert program("account", "set-secret", "work", stdin="wrong\n").code == 0

    waiting = program.send("--to", "a@lab.test", expect=77)
    assert waiting["state"] == "queued"
    assert waiting["attempts"] == 0
    assert "535" in waiting["held_reason"] or "password" in waiting["held_reason"]
    assert "wrong" not in str(waiting)
    second = program.send("--to", "b@lab.test", expect=77)
    assert postfix.count_accepted(waiting["message_id"]) == 0

    assert program("account", "set-secret", "work", stdin=f"{PASSWORD}\n").code == 0
    program("account", "release", "work")
    assert program("outbox", "flush").code == 0
    for submission, recipient in ((waiting, "a@lab.test"), (second, "b@lab.test")):
        assert program.show(submission["id"])["state"] == "sent"
        assert postfix.wait_for(submission["message_id"], recipient)
        assert postfix.count_accepted(submission["message_id"]) == 1


def test_mail_is_sent_with_a_secret_from_a_real_keyring(
    program: Program, exim: MailServer, gnome_keyring: Mapping[str, str]
) -> None:
    """What `account set-secret` stores in the Secret Service opens the door."""
    program.environment.update(gnome_keyring)
    settings = program.account_for(security="starttls", port=exim.starttls_port, ca_file=exim.ca_file)
    program.configure({**settings, "credential": "keyring"})
    assert program("account", "set-secret", "work", stdin=f"{PASSWORD}\n").code == 0
    assert PASSWORD not in program.configuration.read_text().replace(str(program.secret_file), "")
    sent = program.send("--to", "a@lab.test", expect=0)
    assert exim.wait_for(sent["message_id"], "a@lab.test")


def test_without_any_keyring_the_account_waits_and_says_why(program: Program, postfix: MailServer) -> None:
    """No session bus, no keyring: 77 with a sentence, no attempt, nothing sent."""
    settings = program.account_for(security="tls", port=postfix.tls_port, ca_file=postfix.ca_file)
    program.configure({**settings, "credential": "keyring"})
    waiting = program.send("--to", "a@lab.test", expect=77)
    assert waiting["state"] == "queued"
    assert waiting["attempts"] == 0
    assert "keyring" in waiting["held_reason"]
    assert postfix.count_accepted(waiting["message_id"]) == 0


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("fault", ["wrong_host", "expired", "rogue"])
async def test_nothing_is_sent_under_a_bad_certificate(
    program: Program, tls_files: TlsFiles, security: str, fault: str
) -> None:
    """Neither password nor mail reaches a server whose certificate is wrong; the account is held with the reason."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(getattr(tls_files, fault)))
    async with ScriptedServer(tls=context, is_implicit_tls=security == "tls", users={USER: PASSWORD}) as server:
        program.configure(program.account_for(security=security, port=server.port, ca_file=tls_files.ca_file))
        waiting = await asyncio.to_thread(program.send, "--to", "a@lab.test", expect=77)
        assert server.stored == []
        assert not any(command.startswith(("AUTH", "MAIL")) for command in server.commands)
    assert waiting["state"] == "queued"
    assert waiting["attempts"] == 0
    assert "certificate" in waiting["held_reason"]


async def test_a_server_without_starttls_gets_no_password(program: Program, tls_files: TlsFiles) -> None:
    """When STARTTLS is missing (or was stripped on the way), nothing goes out in clear."""
    async with ScriptedServer(users={USER: PASSWORD}) as server:
        program.configure(program.account_for(security="starttls", port=server.port, ca_file=tls_files.ca_file))
        waiting = await asyncio.to_thread(program.send, "--to", "a@lab.test", expect=77)
        assert server.stored == []
        assert not any(command.startswith(("AUTH", "MAIL")) for command in server.commands)
    assert waiting["state"] == "queued"


def test_without_a_server_the_mail_waits_and_no_attempt_is_counted(program: Program, postfix: MailServer) -> None:
    """Nobody listening is no network: 75, and it goes out when somebody does."""
    from lab_process import free_ports

    settings = program.account_for(security="tls", port=free_ports(1)[0], ca_file=postfix.ca_file)
    program.configure(settings)
    waiting = program.send("--to", "a@lab.test", expect=75)
    assert waiting["state"] == "queued"
    assert waiting["attempts"] == 0

    program.configure({**settings, "port": postfix.tls_port})
    program("outbox", "retry", waiting["id"])
    assert program("outbox", "flush").code == 0
    assert postfix.wait_for(waiting["message_id"], "a@lab.test")


async def test_a_running_service_has_the_password_that_was_stored_meanwhile(
    program: Program, gnome_keyring: Mapping[str, str]
) -> None:
    """Changed at the server, then by `account set-secret`: the service doesn't try the old one first."""
    program.environment.update(gnome_keyring)
    async with ScriptedServer(users={USER: "old"}) as server:
        address = {"host": "127.0.0.1", "port": server.port, "security": "none", "username": USER}
        program.configure({"provider": "smtp", "from": SENDER, **address, "credential": "keyring"})
        await asyncio.to_thread(program, "account", "set-secret", "work", stdin="old\n")
        service = program.start("deliver")
        try:
            for count, password in enumerate(("old", "new"), 1):
                if password == "new":
                    server.users[USER] = password
                    await server.hang_up_on_everyone()
                    await asyncio.to_thread(program, "account", "set-secret", "work", stdin="new\n")
                await asyncio.to_thread(program, "send", "--queue", "--to", "a@lab.test", "--body", "b")
                async with asyncio.timeout(30):
                    while len(server.stored) < count:
                        await asyncio.sleep(0.02)
            signed_in = [one for one in server.commands if one.startswith("AUTH")]
            assert len(signed_in) == 2
            assert (await asyncio.to_thread(program, "account", "show", "work", "--json")).json["held"] is None
        finally:
            service.terminate()
            await asyncio.to_thread(service.wait)
