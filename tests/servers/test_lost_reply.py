"""The answer to the whole message never comes: uncertain, shown as such, never repeated by itself."""

from __future__ import annotations

import asyncio
import ssl

import pytest
from lab_certificate import TlsFiles
from lab_server import PASSWORD, USER
from program import Program
from smtp_server import DROP, RESET, ScriptedServer


@pytest.fixture
def good_certificate(tls_files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(tls_files.good))
    return context


def configure(program: Program, server: ScriptedServer, tls_files: TlsFiles) -> None:
    program.configure(program.account_for(security="tls", port=server.port, ca_file=tls_files.ca_file))


@pytest.mark.parametrize("fault", [DROP, RESET])
async def test_a_reply_lost_after_the_dot_is_uncertain_and_never_repeated(
    program: Program, tls_files: TlsFiles, good_certificate: ssl.SSLContext, fault: str
) -> None:
    """76; flush, retry and another start leave it alone; a person's word settles it."""
    async with ScriptedServer(tls=good_certificate, is_implicit_tls=True, users={USER: PASSWORD}) as server:
        configure(program, server, tls_files)
        server.on("DOT", fault)
        uncertain = await asyncio.to_thread(program.send, "--to", "a@lab.test", expect=76)
        assert uncertain["state"] == "uncertain"
        assert len(server.stored) == 1
        for _ in range(2):
            await asyncio.to_thread(program, "outbox", "flush")
        assert len(server.stored) == 1

        listed = await asyncio.to_thread(program, "outbox", "list", "--json")
        assert [each["state"] for each in listed.json] == ["uncertain"]
        assert (await asyncio.to_thread(program, "outbox", "resolve", uncertain["id"], "--sent")).code == 0
        assert (await asyncio.to_thread(program.show, uncertain["id"]))["state"] == "sent"
        assert len(server.stored) == 1


async def test_a_person_may_have_the_same_bytes_sent_again(
    program: Program, tls_files: TlsFiles, good_certificate: ssl.SSLContext
) -> None:
    """`resolve --resend` sends exactly what went out before, so that a receiver can tell it is the same."""
    async with ScriptedServer(tls=good_certificate, is_implicit_tls=True, users={USER: PASSWORD}) as server:
        configure(program, server, tls_files)
        server.on("DOT", DROP)
        uncertain = await asyncio.to_thread(program.send, "--to", "a@lab.test", expect=76)
        assert (await asyncio.to_thread(program, "outbox", "resolve", uncertain["id"], "--resend")).code == 0
        assert (await asyncio.to_thread(program, "outbox", "flush")).code == 0
        first, second = server.stored
        assert first.body == second.body
        assert uncertain["message_id"].encode() in first.body


async def test_a_break_before_the_dot_is_no_doubt_at_all(
    program: Program, tls_files: TlsFiles, good_certificate: ssl.SSLContext
) -> None:
    """Cut off in the envelope, the message is deferred and later sent once."""
    async with ScriptedServer(tls=good_certificate, is_implicit_tls=True, users={USER: PASSWORD}) as server:
        configure(program, server, tls_files)
        server.on("RCPT", DROP)
        deferred = await asyncio.to_thread(program.send, "--to", "a@lab.test", expect=75)
        assert deferred["state"] == "deferred"
        await asyncio.to_thread(program, "outbox", "retry", deferred["id"])
        assert (await asyncio.to_thread(program, "outbox", "flush")).code == 0
        assert len(server.stored) == 1
