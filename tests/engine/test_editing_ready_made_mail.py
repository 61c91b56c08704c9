"""What came through ``sendmail``, taken back, and sent as a person's own: nothing vanishes that wasn't named before."""

from __future__ import annotations

import email
import email.policy
import os
import re
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from email.utils import getaddresses
from pathlib import Path

import pytest
from engine_bench import EngineBench, letter
from smtp_server import ScriptedServer, StoredMessage

from tui_mailer.cli.main import main
from tui_mailer.domain.draft import DraftAttachment
from tui_mailer.domain.errors import InvalidMessage, TooLate
from tui_mailer.domain.submission import Kind, State
from tui_mailer.services.review import SealRequest
from tui_mailer.storage.record import Submission

pytestmark = pytest.mark.usefixtures("nobody_delivers")

HEAD = "From: Ada Lovelace <ada@example.org>\nTo: Bob <bob@example.org>\nSubject: Tea\n"
LONG = "".join(f"Line {n} of a long report.\n" for n in range(8000))
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def multipart(subtype: str, *parts: str, boundary: str = "b") -> str:
    """A multipart, its header fields first."""
    joined = "".join(f"--{boundary}\n{part}\n" for part in parts)
    return f'MIME-Version: 1.0\nContent-Type: multipart/{subtype}; boundary="{boundary}"\n\n{joined}--{boundary}--\n'


def text(content: str, *, kind: str = "plain") -> str:
    return f"Content-Type: text/{kind}; charset=utf-8\n\n{content}"


REPORT = 'Content-Type: text/csv; charset=iso-8859-1\nContent-Disposition: attachment; filename="caf=.csv"\n\na;b\n'
PDF = (
    "Content-Type: application/pdf; name*=utf-8''Gr%C3%BC%C3%9Fe.pdf\nContent-Transfer-Encoding: base64\n"
    "Content-Description: The plan\n\nJVBERi0xLjQK\n"
)
INLINE = f"Content-Type: image/png\nContent-ID: <dot@x>\nContent-Transfer-Encoding: base64\n\n{PICTURE}\n"
FORWARDED = "Content-Type: message/rfc822\n\nFrom: eve@example.org\nSubject: Old\n\nThe old text.\n"

SHAPES = {
    "plain": f"{HEAD}\nAt four?\n",
    "no charset, 8 bit": f"{HEAD}\nGrüße\n",
    "long": f"{HEAD}\n{LONG}",
    "headers": f"{HEAD}Cc: =?utf-8?q?C=C3=BD?= <cy@example.org>\nReply-To: desk@example.org\n"
    "X-One: =?utf-8?q?=C3=A9?=\nX-Two: a,\n\tb\nX-Two: again\nX-Empty:\nList-Id: <l.example.org>\n"
    "Received: from a by b\nReceived: from b by c\nIn-Reply-To: <1@x>\nReferences: <0@x> <1@x> (older)\n"
    "Priority: normal\nSender: root@example.org\n\nAt four?\n",
    "patch": f"{HEAD}\n---\n a line of context \n+new \n \n-- \n2.39\n",
    "flowed": f"{HEAD}Content-Type: text/plain; format=flowed\n\nOne \nline.\n> quoted \n> on.\n-- \nAda\n",
    "html": f"{HEAD}Content-Type: text/html\n\n<p>At <b>four</b>?</p>\n",
    "alternative": HEAD + multipart("alternative", text("At four?\n"), text("<p>At <b>four</b>?</p>\n", kind="html")),
    "calendar": HEAD
    + multipart(
        "alternative",
        text("At four?\n"),
        text("<p>At <b>four</b>?</p>\n", kind="html"),
        "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nEND:VCALENDAR\n",
    ),
    "mixed": HEAD + multipart("mixed", text("At four?\n"), REPORT, PDF, FORWARDED),
    "related": HEAD
    + multipart(
        "mixed",
        multipart(
            "alternative",
            text("At four?\n"),
            multipart("related", text('<img src="cid:dot@x">\n', kind="html"), INLINE, boundary="d"),
            boundary="c",
        ),
        REPORT,
    ),
    "footer": HEAD + multipart("mixed", text("At four?\n"), PDF, text("-- \nThe list's footer\n")),
    "html beside text": HEAD + multipart("mixed", text("At four?\n"), text("<p>Another text</p>\n", kind="html")),
    "two texts": HEAD
    + multipart(
        "mixed",
        multipart("alternative", text("One\n"), text("<p>One</p>", kind="html"), boundary="c"),
        multipart("alternative", text("Two\n"), text("<p>Two</p>", kind="html"), boundary="d"),
    ),
    "only a file": f"{HEAD}{PDF}",
    "cron": "From: root (Cron Daemon)\nTo: root, bob@example.org\nSubject: Cron\nX-Cron-Env: <A=b>\n\ndone\n",
    "named, not served": f"{HEAD}Cc: list@example.org\n\nAt four?\n",
    "broken charset": f"{HEAD}Content-Type: text/plain; charset=no-such\n\nAt four?\n",
    "twice": f"{HEAD}Subject: Second\nIn-Reply-To: <1@x> <2@x>\nList-Id: <a.x>\nList-Id: <b.x>\n\nAt four?\n",
}
REFUSED = {
    "signed": HEAD + multipart("signed", text("At four?\n"), "Content-Type: application/pgp-signature\n\nx\n"),
    "a signed part": HEAD
    + multipart(
        "mixed",
        multipart("signed", text("x\n"), "Content-Type: application/pgp-signature\n\nx\n", boundary="c"),
        text("footer\n"),
    ),
    "encrypted": HEAD + multipart("encrypted", "Content-Type: application/pgp-encrypted\n\nVersion: 1\n", text("x\n")),
    "S/MIME": f"{HEAD}Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\nAAAA\n",
    "inline PGP": f"{HEAD}\n-----BEGIN PGP SIGNED MESSAGE-----\n\nx\n",
    "report": HEAD + multipart("report", text("x\n"), "Content-Type: message/delivery-status\n\nAction: failed\n"),
    "passed on": f"{HEAD}Resent-To: eve@example.org\n\nx\n",
    "never closed": f'{HEAD}Content-Type: multipart/mixed; boundary="b"\n\n--b\n\nx\n',
    "odd encoding": f"{HEAD}Content-Transfer-Encoding: x-odd\n\nx\n",
}


@pytest.fixture
def bench(tmp_path: Path, server: ScriptedServer) -> Iterator[EngineBench]:
    made = EngineBench(tmp_path, server.port, extra="sendmail: {domain: example.org}\n")
    yield made
    made.session.close()


def hand_over(bench: EngineBench, monkeypatch: pytest.MonkeyPatch, message: str, *words: str) -> Submission:
    """Another program calls ``sendmail``."""
    source = bench.folder / "stdin"
    source.write_bytes(message.encode())
    with source.open(encoding="utf-8") as opened, monkeypatch.context() as patch:
        patch.setattr("sys.stdin", opened)
        told = ["--config", str(bench.config), "--data-dir", str(bench.folder / "data")]
        assert main([*told, "sendmail", "-i", *words]) == os.EX_OK
    return bench.mailer.outbox(limit=1)[0]


def kept(bench: EngineBench, submission: Submission) -> bytes:
    assert submission.message.raw_sha256 is not None
    return bench.mailer.store.spool.read(submission.message.raw_sha256)


def read(octets: bytes) -> EmailMessage:
    return email.message_from_bytes(octets.replace(b"\r\n", b"\n"), policy=email.policy.default)


def pieces(message: EmailMessage) -> set[tuple[str, str]]:
    """All that a message is made of: header fields, people, texts and files by their content, whatever holds them."""
    found: set[tuple[str, str]] = set()
    for name, value in message.items():
        match name.lower():
            case "to" | "cc" | "reply-to" | "from" as lowered:
                found |= {(address, f"{who} in {lowered}") for who, address in getaddresses([str(value)])}
            case "in-reply-to" | "references" as lowered:
                found |= {(lowered, one) for one in str(value).split()}
            case "mime-version" | "content-type" | "content-transfer-encoding":
                pass
            case lowered:
                found.add((lowered, " ".join(str(value).split())))
    for part in message.walk():
        if part["Content-Description"]:
            found.add(("content-description", part["Content-Description"]))
        if name := part.get_filename():
            found.add((name, "its name"))
        if not part.is_multipart():
            found.add(content_of(part))
    return found


def content_of(part: EmailMessage) -> tuple[str, str]:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    if part.get_content_maintype() != "text":
        return part.get_content_type(), payload.hex()
    charset = part.get_content_charset("utf-8").replace("no-such", "utf-8")
    return part.get_content_type(), re.sub(r"[>\s]+", " ", payload.decode(charset)).strip()


def shown_in(message: EmailMessage) -> set[str]:
    fields = [str(value) for name in ("To", "Cc") for value in message.get_all(name, [])]
    return {address for _who, address in getaddresses(fields) if "@" in address}


async def edit_and_send(bench: EngineBench, server: ScriptedServer, sealed: Submission) -> StoredMessage:
    """As `e`, and then the review's Enter; cron's author, whom no account has, is changed in between."""
    stored = bench.mailer.edit(sealed.id, may_lose=True)
    draft = stored.draft._replace(sender="") if "root@" in stored.draft.sender else stored.draft
    review = bench.mailer.review(draft)
    assert review.is_sendable, review.findings
    (again,) = bench.mailer.seal(draft, SealRequest(draft=stored.ref, reviewed=review))
    await bench.deliver(again)
    return server.stored[-1]


@pytest.mark.parametrize("shape", SHAPES)
async def test_what_vanishes_was_named(
    shape: str, bench: EngineBench, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever another program wrote: what isn't there after e and sending was said before; nobody is added."""
    sealed = hand_over(bench, monkeypatch, SHAPES[shape], "bob@example.org", "secret@example.org")
    original = read(kept(bench, sealed))
    named = "; ".join(bench.mailer.unkept(sealed.id)).lower()
    with pytest.raises(InvalidMessage, match="can't be edited without a loss"):
        bench.mailer.edit(sealed.id)
    arrived = await edit_and_send(bench, server, sealed)
    message = read(arrived.body)
    vanished = {piece for piece in pieces(original) - pieces(message) if piece[0].lower() not in named}
    assert vanished == set(), named
    assert set(arrived.recipients) == {"bob@example.org", "secret@example.org"}
    assert shown_in(message) == {"bob@example.org"}
    assert b"secret" not in arrived.body
    assert bench.mailer.show(sealed.id).state is State.CANCELED
    assert read(kept(bench, bench.mailer.show(sealed.id))).as_bytes() == original.as_bytes()


@pytest.mark.parametrize(
    ("shape", "phrases"),
    [
        ("plain", ()),
        ("patch", ("the exact form of its lines (as a patch needs it)",)),
        ("footer", ("the place of its part text/plain in the text", "Content-Description of Grüße.pdf")),
        ("html beside text", ("the place of its part text/html in the text",)),
        ("calendar", ("the place of its part text/calendar in the text",)),
        ("named, not served", ("list@example.org in Cc, whom this message doesn't go to",)),
        ("cron", ("root in From: a name without a domain", "root in To: a name without a domain")),
        ("twice", ("another Subject: Second", "In-Reply-To: <2@x>", "header List-Id")),
        ("headers", ("References: (older)", "header Received (2 times)", "header X-Empty", "header Sender")),
    ],
)
def test_what_cannot_be_kept_is_said_in_words(
    shape: str, phrases: tuple[str, ...], bench: EngineBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each by itself; Message-ID and Date are new in whatever is edited."""
    sealed = hand_over(bench, monkeypatch, SHAPES[shape], "bob@example.org")
    unkept = bench.mailer.unkept(sealed.id)
    assert "its Message-ID and Date: an edited message gets new ones" in unkept
    assert all(any(one.startswith(phrase) for one in unkept) for phrase in phrases), unkept
    assert phrases or len(unkept) == 1, unkept


@pytest.mark.parametrize("shape", REFUSED)
def test_what_would_break_is_not_taken_apart(shape: str, bench: EngineBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signed, encrypted, damaged: a sentence says why, the message waits as it was."""
    sealed = hand_over(bench, monkeypatch, REFUSED[shape], "bob@example.org")
    for ask in (bench.mailer.unkept, lambda key: bench.mailer.edit(key, may_lose=True), bench.mailer.edit_as_new):
        with pytest.raises(InvalidMessage, match=r"It can't be edited: .* It can go as it is"):
            ask(sealed.id)
    assert bench.mailer.show(sealed.id).state is State.QUEUED
    assert bench.mailer.drafts() == []
    assert bench.mailer.undo(sealed.id) is None
    assert bench.mailer.show(sealed.id).state is State.CANCELED


async def test_the_whole_text_and_every_part_come_into_the_draft(
    bench: EngineBench, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text of any length, HTML, files with type and name, inline pictures, headers: as themselves."""
    long = hand_over(bench, monkeypatch, SHAPES["long"], "-t")
    assert bench.mailer.edit(long.id, may_lose=True).draft.body == LONG
    related = bench.mailer.edit(hand_over(bench, monkeypatch, SHAPES["related"], "-t").id, may_lose=True).draft
    assert (related.body, related.html) == ("At four?\n", '<img src="cid:dot@x">\n')
    assert [(one.name, one.media_type, one.content_id) for one in related.attachments] == [
        ("part-1.png", "image/png", "dot@x"),
        ("caf=.csv", 'text/csv; charset="iso-8859-1"', None),
    ]
    draft = bench.mailer.edit(hand_over(bench, monkeypatch, SHAPES["headers"], "-t").id, may_lose=True).draft
    assert draft.cc == "Cý <cy@example.org>"
    assert draft.headers == (
        ("X-One", "é"),
        ("X-Two", "a, b"),
        ("X-Two", "again"),
        ("List-Id", "<l.example.org>"),
        ("Priority", "normal"),
    )
    flowed = bench.mailer.edit(hand_over(bench, monkeypatch, SHAPES["flowed"], "-t").id, may_lose=True).draft
    assert flowed.body == "One line.\n> quoted on.\n-- \nAda\n"


def test_who_is_blind_stays_blind(bench: EngineBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bcc fields, envelope recipients that no field names, and aliases' people: each kind is as the header has it."""
    message = "From: ada@example.org\nTo: bob@example.org, root\nCc: CY@example.org\nBcc: eve@example.org\n\nx\n"
    sealed = hand_over(bench, monkeypatch, message, "-t", "dan@example.org")
    assert {(one.address, one.kind) for one in sealed.recipients} == {
        ("bob@example.org", Kind.TO),
        ("root@example.org", Kind.TO),
        ("CY@example.org", Kind.CC),
        ("eve@example.org", Kind.BCC),
        ("dan@example.org", Kind.BCC),
    }
    draft = bench.mailer.edit(sealed.id, may_lose=True).draft
    assert (draft.to, draft.cc) == ("bob@example.org", "CY@example.org")
    assert set(draft.bcc.split(", ")) == {"root@example.org", "eve@example.org", "dan@example.org"}


async def test_whom_it_has_reached_does_not_get_it_again(
    bench: EngineBench, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One has accepted, one is deferred: the draft is for that one, the other's absence from To is named."""
    server.on("RCPT TO:<eve", "451 4.7.1 later")
    message = "From: ada@example.org\nTo: bob@example.org\nBcc: eve@example.org\n\nx\n"
    sealed = hand_over(bench, monkeypatch, message, "-t")
    await bench.deliver(sealed)
    assert "bob@example.org in To, whom this message doesn't go to" in bench.mailer.unkept(sealed.id)
    draft = bench.mailer.edit(sealed.id, may_lose=True).draft
    assert (draft.to, draft.bcc) == ("", "eve@example.org")
    with pytest.raises(TooLate):
        bench.mailer.edit(sealed.id, may_lose=True)


async def test_from_the_history_it_is_as_whole(
    bench: EngineBench, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent, then written on from: the same parts and kinds, to all of its own; resent ones likewise."""
    sealed = hand_over(bench, monkeypatch, SHAPES["mixed"], "bob@example.org", "secret@example.org")
    await bench.deliver(sealed)
    with pytest.raises(InvalidMessage, match="without a loss"):
        bench.mailer.edit_as_new(sealed.id)
    draft = bench.mailer.edit_as_new(sealed.id, may_lose=True).draft
    assert (draft.to, draft.bcc) == ("Bob <bob@example.org>", "secret@example.org")
    assert [one.name for one in draft.attachments] == ["caf=.csv", "Grüße.pdf", "message-3.eml"]
    again = bench.mailer.resend(sealed.id, undo_seconds=60)
    assert {(one.address, one.kind) for one in again.recipients} == {
        ("bob@example.org", Kind.TO),
        ("secret@example.org", Kind.BCC),
    }
    assert bench.mailer.undo(again.id) is None
    assert bench.mailer.show(again.id).state is State.CANCELED


@pytest.mark.parametrize("keep", ["true", "false"])
async def test_what_the_history_has_let_go_is_named(
    keep: str, bench: EngineBench, server: ScriptedServer, tmp_path: Path
) -> None:
    """An account that keeps nothing, or files whose time is over: said before a new message is written from it."""
    bench.configure(server.port, extra=f"    keep: {keep}\n")
    bench.reopen()
    (tmp_path / "plan.txt").write_text("The plan")
    sealed = bench.seal(letter()._replace(attachments=(DraftAttachment(source=str(tmp_path / "plan.txt")),)))
    await bench.deliver(sealed)
    assert bench.mailer.unkept(sealed.id) == (() if keep == "true" else ("its text: the history no longer has it",))
    store = bench.mailer.store
    store.history.expire(text_before=None, attachments_before=store.clock.now())
    store.spool.collect(set(), store.clock.now() + timedelta(days=1))
    if keep == "true":
        assert bench.mailer.unkept(sealed.id) == ("plan.txt: the history no longer has it",)
    with pytest.raises(InvalidMessage, match="no longer has it"):
        bench.mailer.edit_as_new(sealed.id)
    draft = bench.mailer.edit_as_new(sealed.id, may_lose=True).draft
    assert (draft.subject, draft.attachments) == ("Tea", ())
    assert draft.body == ("At four?\n" if keep == "true" else "")
