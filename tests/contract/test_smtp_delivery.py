"""What each answer of an SMTP server, or its absence, means for the mail: delivery told exactly as it is.

The server stores before it answers, so that "nothing was sent" and "it may have been delivered" are held against what
it really has.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from smtp_account import HASTY, PATIENT, make_provider
from smtp_server import DROP, PAUSE, RESET, STALL, Answer, Dribble, Garbage, ScriptedServer, Then

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import (
    DamagedStore,
    Fenced,
    NotAuthorized,
    OutcomeUncertain,
    Rejected,
    TryLater,
    Unsupported,
)
from tui_mailer.domain.message import Attachment
from tui_mailer.domain.submission import Phase, Receipt, RecipientStatus
from tui_mailer.providers.base import Outgoing
from tui_mailer.providers.smtp import SmtpProvider
from tui_mailer.providers.testing import MemoryContent, Recorder, make_message, make_outgoing

ACCEPTED, DEFERRED, REJECTED = RecipientStatus.ACCEPTED, RecipientStatus.DEFERRED, RecipientStatus.REJECTED


async def deliver(
    provider: SmtpProvider, outgoing: Outgoing | None = None, recorder: Recorder | None = None
) -> Receipt:
    """Sends one message and lets go of the connection."""
    try:
        return await provider.send(provider.prepare(outgoing or make_outgoing()), recorder or Recorder())
    finally:
        await provider.close()


def statuses(receipt: Receipt) -> list[RecipientStatus]:
    return [result.status for result in receipt.recipients]


def with_attachment(octets: bytes) -> Outgoing:
    content = MemoryContent(octets)
    attachment = Attachment(
        name="noise.bin", media_type="application/octet-stream", size=content.size, sha256=content.sha256
    )
    return make_outgoing(replace(make_message(), attachments=(attachment,)), (content,))


def raw(octets: bytes) -> Outgoing:
    content = MemoryContent(octets)
    message = replace(make_message(), text=None, raw_sha256=content.sha256, raw_size=content.size)
    return make_outgoing(message, (content,))


# accepted


async def test_an_accepted_message_is_told_with_its_queue_id(server: ScriptedServer) -> None:
    """A sent message shows code, words and queue ID of the server, and the server has exactly it."""
    recorder = Recorder()
    receipt = await deliver(make_provider(server.port), recorder=recorder)
    assert statuses(receipt) == [ACCEPTED, ACCEPTED]
    assert (receipt.response_code, receipt.enhanced_code, receipt.provider_id) == (250, "2.0.0", "Q1")
    assert receipt.response_text == "Ok: queued as Q1"
    (stored,) = server.stored
    assert stored.sender == "ada@example.org"
    assert stored.recipients == ("bob@example.net", "eve@example.net")
    assert b"Subject: Notes\r\n" in stored.body
    assert recorder.phases == [Phase.CONNECTING, Phase.ENVELOPE, Phase.BODY, Phase.INTENT]


async def test_the_transcript_tells_the_whole_conversation(server: ScriptedServer) -> None:
    """A person can read afterwards what was said by whom; the body is a number of bytes."""
    outgoing = make_outgoing()
    provider = make_provider(server.port)
    size = provider.prepare(outgoing).size
    receipt = await deliver(provider, outgoing)
    lines = receipt.transcript
    assert lines[0] == "S: 220 scripted ESMTP"
    assert f"C: MAIL FROM:<ada@example.org> SIZE={size}" in lines
    assert "C: RCPT TO:<eve@example.net>" in lines
    assert lines[-3:] == (f"C: <{size} bytes>", "C: .", "S: 250 2.0.0 Ok: queued as Q1")


async def test_a_long_transcript_is_shortened() -> None:
    """Five hundred recipients don't make a transcript of a thousand lines."""
    async with ScriptedServer() as server:
        to = tuple(Address(f"r{number}", "example.net") for number in range(500))
        receipt = await deliver(make_provider(server.port), make_outgoing(replace(make_message(), to=to)))
    assert len(receipt.recipients) == 500
    assert len(receipt.transcript) == 201
    assert any("lines left out" in line for line in receipt.transcript)
    assert receipt.transcript[-1].startswith("S: 250")


async def test_two_round_trips_with_pipelining() -> None:
    """Envelope and DATA go out together: one wait for the envelope, one for the dot, whatever the recipients."""
    async with ScriptedServer() as server:
        provider = make_provider(server.port)
        writes: list[bytes] = []
        await provider.send(provider.prepare(make_outgoing()), Recorder())
        kept = provider._pool._idle[0].wire
        really_write = kept._transport.write
        kept._transport.write = lambda block: (writes.append(bytes(block)), really_write(block))[1]
        await provider.send(provider.prepare(make_outgoing()), Recorder())
        await provider.close()
    assert writes[0].startswith(b"MAIL FROM")
    assert writes[0].endswith(b"DATA\r\n")
    assert [block for block in writes[2:] if block != b"QUIT\r\n"] == [b".\r\n"]


async def test_a_null_sender(server: ScriptedServer) -> None:
    """Mail without a return path goes out as MAIL FROM:<>."""
    await deliver(make_provider(server.port), replace(make_outgoing(), envelope_from=""))
    assert any(line.startswith("MAIL FROM:<>") for line in server.commands)


async def test_answers_in_pieces_are_read(server: ScriptedServer) -> None:
    """An answer that arrives byte by byte, or over several lines, is understood."""
    server.on("MAIL", Dribble("250-2.1.0 one\r\n250 2.1.0 two"))
    server.on("DOT", Dribble("250-2.0.0 thank\r\n250 2.0.0 you"))
    receipt = await deliver(make_provider(server.port))
    assert receipt.response_text == "thank you"
    assert statuses(receipt) == [ACCEPTED, ACCEPTED]


async def test_a_hostile_answer_is_harmless(server: ScriptedServer) -> None:
    """Escape sequences in an answer reach neither screen nor log."""
    server.on("DOT", "250 2.0.0 \x1b]52;c;aGk=\x07ok\x9b2J")
    receipt = await deliver(make_provider(server.port))
    assert receipt.response_text.isprintable()
    assert all(line.isprintable() for line in receipt.transcript)


# refused or deferred before the body


@pytest.mark.parametrize(
    ("answer", "error", "is_account_wide"),
    [
        ("451 4.3.0 try again", TryLater, False),
        ("452 4.3.1 out of disk", TryLater, True),
        ("454 4.7.0 authentication server down", TryLater, True),
        ("421 4.3.2 closing", TryLater, True),
        ("550 5.1.8 bad sender", Rejected, None),
        ("552 5.3.4 too big", Rejected, None),
        ("530 5.7.0 Authentication required", NotAuthorized, None),
        ("550 5.7.0 please authenticate first", NotAuthorized, None),
        ("535 5.7.8 who are you", NotAuthorized, None),
    ],
)
async def test_a_refused_sender(
    server: ScriptedServer, answer: str, error: type[Exception], is_account_wide: bool | None
) -> None:
    """A refusal of MAIL defers, fails or holds the account, by its code, and says that nothing was sent."""
    server.always("MAIL", answer)
    with pytest.raises(error, match="Nothing was sent") as trouble:
        await deliver(make_provider(server.port))
    assert trouble.value.code == int(answer[:3])
    assert trouble.value.enhanced_code == answer[4:9]
    assert trouble.value.transcript
    if is_account_wide is not None:
        assert trouble.value.is_account_wide is is_account_wide
    assert server.stored == []


async def test_one_refused_recipient_of_two(server: ScriptedServer) -> None:
    """Whoever is accepted gets the mail; whoever is refused is listed with the server's reason."""
    server.on("RCPT TO:<bob", "550 5.1.1 no such user")
    receipt = await deliver(make_provider(server.port))
    refused, accepted = receipt.recipients
    assert (refused.status, refused.code, refused.enhanced_code) == (REJECTED, 550, "5.1.1")
    assert refused.text == "no such user"
    assert (accepted.status, accepted.code) == (ACCEPTED, 250)
    assert server.stored[0].recipients == ("eve@example.net",)


async def test_greylisting_defers_one_recipient(server: ScriptedServer) -> None:
    """A greylisted recipient is tried again; the other has the mail already."""
    server.on("RCPT TO:<eve", "450 4.2.0 greylisted")
    receipt = await deliver(make_provider(server.port))
    assert statuses(receipt) == [ACCEPTED, DEFERRED]
    assert receipt.retry_at is None


@pytest.mark.parametrize("answer", ["452 4.5.3 too many recipients", "552 too many recipients", "552 5.5.3 too many"])
async def test_one_recipient_too_many_goes_into_the_next_envelope(server: ScriptedServer, answer: str) -> None:
    """A server's limit on recipients splits the envelope at once; it is no refusal."""
    server.on("RCPT TO:<eve", answer)
    receipt = await deliver(make_provider(server.port))
    assert statuses(receipt) == [ACCEPTED, DEFERRED]
    assert receipt.retry_at is not None


@pytest.mark.parametrize(
    "answer", ["552 5.2.2 mailbox full", "552 5.3.4 too big for this mailbox", "553 5.1.3 bad name"]
)
async def test_a_recipient_refused_for_good(server: ScriptedServer, answer: str) -> None:
    """A full mailbox is a refusal, though old servers use its code for their limits."""
    server.on("RCPT TO:<eve", answer)
    assert statuses(await deliver(make_provider(server.port))) == [ACCEPTED, REJECTED]


@pytest.mark.parametrize("data_answer", ["503 5.5.1 no valid recipients", "554 5.5.1 no valid recipients", "354 go on"])
async def test_all_recipients_refused(server: ScriptedServer, data_answer: str) -> None:
    """When nobody was accepted the recipients' own codes count, whatever the server says to DATA; no body leaves."""
    server.on("RCPT TO:<bob", "451 4.7.1 greylisted")
    server.on("RCPT TO:<eve", "550 5.1.1 no such user")
    server.on("DATA", data_answer)
    receipt = await deliver(make_provider(server.port))
    assert statuses(receipt) == [DEFERRED, REJECTED]
    assert [result.code for result in receipt.recipients] == [451, 550]
    assert server.stored == []
    assert server.body_bytes == 0


async def test_all_recipients_refused_for_want_of_a_password(server: ScriptedServer) -> None:
    """A server that asks for AUTH only at RCPT holds the account rather than failing the mail."""
    server.always("RCPT", "530 5.7.0 Authentication required")
    with pytest.raises(NotAuthorized, match="Authentication required"):
        await deliver(make_provider(server.port))


async def test_421_to_a_recipient_defers_who_is_left(server: ScriptedServer) -> None:
    """A server that closes at the second recipient keeps its definite answer to the first; nobody has the mail."""
    server.on("RCPT TO:<bob", "550 5.1.1 no such user")
    server.on("RCPT TO:<eve", Then("421 4.7.0 enough", DROP))
    receipt = await deliver(make_provider(server.port))
    assert statuses(receipt) == [REJECTED, DEFERRED]
    assert receipt.recipients[1].code == 421
    assert server.stored == []


async def test_421_to_the_first_recipient_defers_all(server: ScriptedServer) -> None:
    """A recipient accepted before the server closed hasn't got the mail: it is tried again."""
    server.on("RCPT TO:<eve", Then("421 4.7.0 enough", DROP))
    assert statuses(await deliver(make_provider(server.port))) == [DEFERRED, DEFERRED]
    assert server.stored == []


@pytest.mark.parametrize(
    ("answer", "status"),
    [("451 4.3.0 later", DEFERRED), ("421 4.3.2 closing", DEFERRED), ("554 5.7.1 no", REJECTED), ("552 big", REJECTED)],
)
async def test_data_refused(server: ScriptedServer, answer: str, status: RecipientStatus) -> None:
    """A refusal of DATA counts for everybody who had been accepted; no body leaves."""
    server.on("RCPT TO:<bob", "550 5.1.1 no such user")
    server.on("DATA", answer)
    receipt = await deliver(make_provider(server.port))
    assert statuses(receipt) == [REJECTED, status]
    assert receipt.response_code == int(answer[:3])
    assert server.stored == []
    assert server.body_bytes == 0


# refused or deferred at the dot: definite


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ("451 4.3.0 later", DEFERRED),
        ("421 4.3.2 closing", DEFERRED),
        ("452 4.2.2 quota", DEFERRED),
        ("554 5.7.1 spam", REJECTED),
        ("552 5.2.2 mailbox full", REJECTED),
        ("250 2.0.0 ok", ACCEPTED),
        ("252 2.0.0 will do", ACCEPTED),
    ],
)
async def test_any_answer_to_the_dot_is_definite(server: ScriptedServer, answer: str, status: RecipientStatus) -> None:
    """What the server says to the whole message counts for everybody who had been accepted."""
    server.on("RCPT TO:<bob", "550 5.1.1 no such user")
    server.on("DOT", answer)
    receipt = await deliver(make_provider(server.port))
    assert statuses(receipt) == [REJECTED, status]
    assert receipt.recipients[1].code == int(answer[:3])


async def test_an_answer_before_the_connection_breaks_is_definite(server: ScriptedServer) -> None:
    """451 at the dot, then a closed connection: deferred, not uncertain."""
    server.on("DOT", Then("451 4.3.0 later", DROP))
    assert statuses(await deliver(make_provider(server.port))) == [DEFERRED, DEFERRED]


@pytest.mark.parametrize("fault", [DROP, RESET, STALL, Garbage(b"\x16\x03\x01 what\r\n"), "354 go on and on", "999 hm"])
async def test_silence_after_the_dot_is_uncertain(server: ScriptedServer, fault: Answer) -> None:
    """The server has it and doesn't say so: told as uncertain, never as sent or failed."""
    server.on("DOT", fault)
    with pytest.raises(OutcomeUncertain, match="may or may not"):
        await deliver(make_provider(server.port, timeouts=replace(PATIENT, final=0.3)))
    assert len(server.stored) == 1


# breaks before the dot: nothing was sent


@pytest.mark.parametrize("verb", ["MAIL", "RCPT TO:<eve", "DATA"])
@pytest.mark.parametrize("fault", [DROP, RESET, STALL, Garbage(b"nonsense\r\n"), "354 out of step", "199 hm"])
async def test_a_break_before_the_body(server: ScriptedServer, verb: str, fault: Answer) -> None:
    """A connection that breaks anywhere in the envelope defers the mail, which nobody has."""
    if verb == "DATA" and fault == "354 out of step":
        fault = "250 out of step"
    server.always(verb, fault)
    with pytest.raises(TryLater, match="Nothing was sent"):
        await deliver(make_provider(server.port, timeouts=replace(PATIENT, command=0.3, data=0.3)))
    assert server.stored == []


@pytest.mark.parametrize("fault", [DROP, RESET, Garbage(b"nonsense\r\n"), "250 already?"])
async def test_a_break_during_the_body(fault: Answer) -> None:
    """A connection that breaks in the body defers the mail: without its dot the server can't have it."""
    async with ScriptedServer(early_answer_after=50_000) as server:
        server.always("BODY", fault)
        with pytest.raises(TryLater, match="Nothing was sent"):
            await deliver(make_provider(server.port), with_attachment(bytes(6_000_000)))
        assert server.stored == []


async def test_a_server_that_takes_no_more_bytes() -> None:
    """A stalled upload is given up by lack of progress; what is buffered never reaches the server."""
    async with ScriptedServer() as server:
        server.always("BODY", STALL)
        with pytest.raises(TryLater, match="took no bytes"):
            await deliver(
                make_provider(server.port, timeouts=replace(HASTY, connect=5)), with_attachment(bytes(7_000_000))
            )
        assert server.stored == []


@pytest.mark.parametrize(("answer", "status"), [("552 5.3.4 too big", REJECTED), ("451 4.3.0 no space", DEFERRED)])
async def test_an_early_answer_is_definite(answer: str, status: RecipientStatus) -> None:
    """A server that refuses in the middle of the body and hangs up is believed: no uncertainty, no retry for 552."""
    async with ScriptedServer(early_answer_after=100_000) as server:
        server.always("BODY", Then(answer, DROP))
        receipt = await deliver(make_provider(server.port), with_attachment(bytes(6_000_000)))
        assert statuses(receipt) == [status, status]
        assert receipt.response_code == int(answer[:3])
        assert server.stored == []


async def test_an_early_answer_with_the_354_is_definite() -> None:
    """552 right behind 354 is the verdict, and no dot follows."""
    async with ScriptedServer() as server:
        server.on("DATA", "354 go on\r\n552 5.3.4 changed my mind")
        recorder = Recorder()
        receipt = await deliver(make_provider(server.port), recorder=recorder)
        assert statuses(receipt) == [REJECTED, REJECTED]
        assert server.stored == []


# leaving half-way: the server never gets a dot


@pytest.mark.parametrize("lost_at", [Phase.ENVELOPE, Phase.BODY, Phase.INTENT])
async def test_a_lost_lease_gives_no_dot(server: ScriptedServer, lost_at: Phase) -> None:
    """When another process has taken over, this one ends the connection without a further byte."""

    def lose(phase: Phase) -> None:
        if phase is lost_at:
            raise Fenced("taken over")

    with pytest.raises(Fenced):
        await deliver(make_provider(server.port), recorder=Recorder(lose))
    while server.open_connections:
        await asyncio.sleep(0)
    assert server.stored == []
    assert "QUIT" not in server.commands


async def test_a_cancel_in_the_body_never_delivers() -> None:
    """Canceled in the middle of a long upload: what was buffered is thrown away, and the server never has the mail."""
    async with ScriptedServer() as server:
        provider = make_provider(server.port)
        prepared = provider.prepare(with_attachment(bytes(20_000_000)))
        reached = asyncio.Event()

        def stop_soon(sent: int, _total: int) -> None:
            if sent > 1_000_000:
                reached.set()

        sending = asyncio.ensure_future(provider.send(prepared, Recorder(), stop_soon))
        async with asyncio.timeout(20):
            await reached.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        await provider.close()
        while server.open_connections:
            await asyncio.sleep(0.01)
        assert server.stored == []
        assert server.body_bytes < prepared.size


@pytest.mark.parametrize("way", ["stalled", "canceled"])
async def test_what_is_buffered_is_thrown_away(way: str) -> None:
    """After giving up on a server that had stopped reading, it gets nothing more of the mail when it reads again."""
    async with ScriptedServer() as server:
        server.on("BODY", PAUSE)
        provider = make_provider(server.port, timeouts=replace(PATIENT, block=0.3))
        prepared = provider.prepare(with_attachment(bytes(20_000_000)))
        told = [0]
        sending = asyncio.ensure_future(provider.send(prepared, Recorder(), lambda sent, _: told.append(sent)))
        if way == "canceled":
            before = -1
            while before != told[-1] or len(told) < 3:
                before = told[-1]
                await asyncio.sleep(0.05)
            sending.cancel()
        with pytest.raises((TryLater, asyncio.CancelledError)):
            await sending
        block = told[-1] - told[-2]
        server.resumed.set()
        async with asyncio.timeout(20):
            while server.open_connections:
                await asyncio.sleep(0.01)
        await provider.close()
        assert server.stored == []
        assert server.body_bytes + 200 < told[-1] + block


async def test_damaged_content_never_delivers_half_a_message(server: ScriptedServer) -> None:
    """An attachment that turns out damaged while it is sent ends the connection, not the message."""

    class Damaged(MemoryContent):
        async def open(self):
            yield b"half"
            raise DamagedStore("The sealed content isn't what was written.")

    content = Damaged(b"half of it")
    attachment = Attachment(name="a.txt", media_type="text/plain", size=content.size, sha256=content.sha256)
    outgoing = make_outgoing(replace(make_message(), attachments=(attachment,)), (content,))
    with pytest.raises(DamagedStore):
        await deliver(make_provider(server.port), outgoing)
    while server.open_connections:
        await asyncio.sleep(0)
    assert server.stored == []


# what the server can carry


async def test_too_large_is_refused_before_the_upload() -> None:
    """With SIZE offered the mail fails at once with both numbers; not a byte of it leaves."""
    async with ScriptedServer(extensions=["SIZE 5000"]) as server:
        recorder = Recorder()
        with pytest.raises(Rejected, match=r"too large.*at most 5000") as trouble:
            await deliver(make_provider(server.port), with_attachment(bytes(5_000)), recorder)
        assert "Nothing was sent" in str(trouble.value)
        assert not any(line.startswith("MAIL") for line in server.commands)
        assert Phase.INTENT not in recorder.phases


@pytest.mark.parametrize("size", ["SIZE", "SIZE 0", "SIZE lots"])
async def test_a_size_without_a_limit(size: str) -> None:
    """SIZE without a number, or 0, sets no limit."""
    async with ScriptedServer(extensions=[size]) as server:
        assert statuses(await deliver(make_provider(server.port))) == [ACCEPTED, ACCEPTED]


async def test_smtputf8_missing() -> None:
    """A local part beyond ASCII is refused with its address when the server can't carry it."""
    outgoing = make_outgoing(replace(make_message(), to=(Address("jürgen", "example.net"),)))
    async with ScriptedServer(extensions=["8BITMIME"]) as server:
        with pytest.raises(Rejected, match=r"jürgen@example\.net.*SMTPUTF8"):
            await deliver(make_provider(server.port), outgoing)
        assert server.stored == []


async def test_smtputf8_offered(server: ScriptedServer) -> None:
    """A local part beyond ASCII goes out where the server can carry it; an IDN goes out as A-label, always."""
    to = (Address("jürgen", "straße.example"),)
    await deliver(make_provider(server.port), make_outgoing(replace(make_message(), to=to)))
    assert any(line.startswith("MAIL") and " SMTPUTF8" in line for line in server.commands)
    assert server.stored[0].recipients == ("jürgen@xn--strae-oqa.example",)


async def test_8bit_raw_mail(server: ScriptedServer) -> None:
    """Raw mail with 8-bit bytes is announced as such and arrives byte for byte."""
    octets = b"From: ada@example.org\r\nSubject: x\r\n\r\ncaf\xe9\r\n.\r\n..dots\r\n"
    await deliver(make_provider(server.port), raw(octets))
    assert any(line.startswith("MAIL") and " BODY=8BITMIME" in line for line in server.commands)
    assert server.stored[0].body == octets


async def test_8bit_raw_mail_is_refused_where_it_would_be_mangled() -> None:
    """Without 8BITMIME raw 8-bit mail fails with a sentence; 7-bit raw mail needs nothing."""
    async with ScriptedServer(extensions=[]) as server:
        with pytest.raises(Rejected, match="8BITMIME"):
            await deliver(make_provider(server.port), raw(b"Subject: x\r\n\r\ncaf\xe9\r\n"))
        assert server.stored == []
        await deliver(make_provider(server.port), raw(b"Subject: x\r\n\r\ncafe"))
        assert server.stored[0].body == b"Subject: x\r\n\r\ncafe\r\n"


async def test_bare_line_ends_smuggle_nothing(server: ScriptedServer) -> None:
    """No spelling of "dot alone on a line" in a raw message ends it early: the server has one message."""
    tricks = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n\n.\r\n"]
    octets = b"Subject: x\r\n\r\n" + b"".join(trick + b"MAIL FROM:<evil@x.test>" for trick in tricks) + b"\r\n"
    await deliver(make_provider(server.port), raw(octets))
    (stored,) = server.stored
    assert stored.body.count(b"MAIL FROM:<evil@x.test>") == len(tricks)
    assert b"\n" not in stored.body.replace(b"\r\n", b"")
    assert b"\r" not in stored.body.replace(b"\r\n", b"")
    assert not any("evil" in line for line in server.commands)


async def test_an_attachment_arrives_whole(server: ScriptedServer) -> None:
    """A file of some megabytes arrives as it is, and its progress is told in bytes, up to the exact size."""
    octets = bytes(range(256)) * 8_000
    provider = make_provider(server.port)
    prepared = provider.prepare(with_attachment(octets))
    told: list[tuple[int, int]] = []
    await provider.send(prepared, Recorder(), lambda sent, total: told.append((sent, total)))
    await provider.close()
    assert len(server.stored[0].body) == prepared.size
    assert told == sorted(told)
    assert told[-1] == (prepared.size, prepared.size)
    import email

    parts = list(email.message_from_bytes(server.stored[0].body).walk())
    assert parts[-1].get_payload(decode=True) == octets


async def test_delivery_notices_are_asked_for(server: ScriptedServer) -> None:
    """With dsn set, notices are asked for with our ID and the address as written; a message can say otherwise."""
    message = replace(make_message(), to=(Address("bob+tag=x", "example.net"),))
    await deliver(make_provider(server.port, dsn="success"), make_outgoing(message))
    assert any(line.endswith("RET=HDRS ENVID=01JZZZZZZZZZZZZZZZZZZZZZZ1") for line in server.commands)
    notify = "NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;bob+2Btag+3Dx@example.net"
    assert f"RCPT TO:<bob+tag=x@example.net> {notify}" in server.commands
    server.commands.clear()
    await deliver(make_provider(server.port, dsn="success"), make_outgoing(replace(message, options={"dsn": "never"})))
    assert any(line.startswith("RCPT") and " NOTIFY=NEVER " in line for line in server.commands)


async def test_delivery_notices_are_left_out_where_not_offered() -> None:
    """A server without DSN gets plain commands."""
    async with ScriptedServer(extensions=[]) as server:
        await deliver(make_provider(server.port, dsn="failure"))
        assert "RCPT TO:<bob@example.net>" in server.commands


@pytest.mark.parametrize(
    "address",
    [
        'a"\r\nRCPT TO:<evil@x.test>"@example.net',
        "bob@example.net>\r\nRCPT TO:<evil@x.test",
        "bob@example.net, evil@x.test",
        "bob@exa mple.net",
        "bob@straße.example",
        "<bob@example.net>",
        "bob",
        "",
    ],
)
def test_no_address_can_carry_a_command(address: str) -> None:
    """What isn't one plain address is refused before anything is connected."""
    outgoing = make_outgoing()
    evil = replace(outgoing.recipients[0], address=address)
    with pytest.raises(Unsupported):
        make_provider(1).prepare(replace(outgoing, recipients=(evil,)))
    if address:
        with pytest.raises(Unsupported):
            make_provider(1).prepare(replace(outgoing, envelope_from=address))


def test_an_unknown_option_is_refused() -> None:
    """A misspelt option is told by name."""
    with pytest.raises(Unsupported, match="dns"):
        make_provider(1).prepare(make_outgoing(replace(make_message(), options={"dns": "never"})))
