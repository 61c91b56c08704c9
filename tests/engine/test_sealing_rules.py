"""What sealing fixes for good, what it refuses, and what happens when the world changes under a queued message."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from engine_bench import EngineBench, letter
from smtp_server import ScriptedServer

from tui_mailer.domain.draft import Draft, DraftAttachment
from tui_mailer.domain.errors import InvalidAttachment, InvalidMessage, Unsupported
from tui_mailer.domain.submission import Kind, State
from tui_mailer.services.engine import Engine
from tui_mailer.services.mailer import SealRequest
from tui_mailer.storage.clock import SystemClock
from tui_mailer.storage.store import Store


class LaterClock(SystemClock):
    """A clock that runs ahead of the machine's."""

    def __init__(self, ahead: timedelta) -> None:
        super().__init__()
        self._ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead


async def test_one_submission_for_each_to(bench: EngineBench, server: ScriptedServer):
    """--each: every To gets a message of its own, grouped, and sees nobody else."""
    sealed = bench.mailer.seal(letter(to="bob@example.org, eve@example.org"), SealRequest(each=True))
    assert len({one.group for one in sealed}) == 1
    await bench.flush()
    assert sorted(one.recipients for one in server.stored) == [("bob@example.org",), ("eve@example.org",)]
    assert all(b"To: bob@example.org, eve" not in one.body for one in server.stored)


def test_an_address_the_account_may_not_use_is_refused(bench: EngineBench):
    """A From that isn't an identity stores nothing and names those that are."""
    with pytest.raises(InvalidMessage, match=r"may not send as mallory@example\.org.*ada@example\.org"):
        bench.seal(letter(sender="mallory@example.org"))
    assert bench.mailer.outbox() == []


def test_an_identity_keeps_its_name_unless_another_is_typed(bench: EngineBench):
    """The display name comes from the configuration, or from what was typed."""
    assert str(bench.seal(letter(sender="ADA@example.org")).message.sender) == "Ada Lovelace <ada@example.org>"
    assert bench.seal(letter(sender="Countess <ada@example.org>")).message.sender.display_name == "Countess"


def test_what_the_provider_cannot_carry_is_refused_before_storing(bench: EngineBench):
    """SMTP has no tags and fetches no links: said in words, nothing is stored."""
    with pytest.raises(Unsupported, match="no tags"):
        bench.seal(letter()._replace(tags=(("spring", None),)))
    with pytest.raises(Unsupported, match="can't attach a link"):
        bench.seal(letter()._replace(attachments=(DraftAttachment(source="https://example.org/a.pdf"),)))
    assert bench.mailer.outbox() == []


def test_a_missing_attachment_is_refused(bench: EngineBench):
    """Nothing is ever sent without its attachment."""
    with pytest.raises(InvalidAttachment, match=r"report\.pdf"):
        bench.seal(letter()._replace(attachments=(DraftAttachment(source="/nowhere/report.pdf"),)))


def test_a_path_still_being_typed_counts_as_an_attachment(bench: EngineBench, tmp_path: Path):
    """A draft sent with a path not yet confirmed carries the file, or is refused if there is none."""
    report = tmp_path / "report.txt"
    report.write_bytes(b"text\n")
    sealed = bench.seal(letter(typed_attachment=str(report)))
    assert [one.name for one in sealed.message.attachments] == ["report.txt"]
    with pytest.raises(InvalidAttachment, match=r"missing\.txt"):
        bench.seal(letter(typed_attachment=str(tmp_path / "missing.txt")))


async def test_what_was_sealed_is_sent_whatever_becomes_of_the_file(
    bench: EngineBench, server: ScriptedServer, tmp_path: Path
):
    """The file is changed and deleted after Send: what was reviewed goes out."""
    report = tmp_path / "Ürgent report.txt"
    report.write_bytes(b"the first version\n")
    sealed = bench.seal(letter()._replace(attachments=(DraftAttachment(source=str(report)),)))
    report.write_bytes(b"something else\n")
    report.unlink()
    await bench.deliver(sealed)
    assert b"dGhlIGZpcnN0IHZlcnNpb24K" in server.stored[0].body


async def test_undo_brings_back_the_attachments_though_the_file_is_gone(
    bench: EngineBench, server: ScriptedServer, tmp_path: Path
):
    """Taken back, edited and sent again: the attachment is still the one that was reviewed."""
    report = tmp_path / "report.txt"
    report.write_bytes(b"the first version\n")
    sealed = bench.seal(
        letter()._replace(attachments=(DraftAttachment(source=str(report)),)), SealRequest(undo_seconds=60)
    )
    report.unlink()
    stored = bench.mailer.edit(sealed.id)
    (again,) = bench.mailer.seal(stored.draft, SealRequest(draft=stored.ref))
    await bench.deliver(again)
    assert b"dGhlIGZpcnN0IHZlcnNpb24K" in server.stored[0].body
    assert b"report.txt" in server.stored[0].body


async def test_a_forwarded_message_loses_its_bcc(bench: EngineBench, server: ScriptedServer, tmp_path: Path):
    """An attached .eml travels as a message, without the blind copies it names."""
    original = tmp_path / "original.eml"
    original.write_bytes(b"From: x@example.org\nBcc: secret@example.org\nSubject: Old\n\nBody\n")
    draft = letter()._replace(attachments=(DraftAttachment(source=str(original)),))
    previewed = bench.mailer.review(draft).message.attachments
    sealed = bench.seal(draft)
    assert previewed == sealed.message.attachments
    await bench.deliver(sealed)
    body = server.stored[0].body
    assert b"message/rfc822" in body
    assert b"secret@example.org" not in body


async def test_bcc_is_in_the_envelope_only(bench: EngineBench, server: ScriptedServer):
    """A blind copy is delivered and named nowhere on the wire."""
    sealed = bench.seal(letter(bcc="Secret <secret@example.org>"))
    assert [(one.address, one.kind) for one in sealed.recipients][-1] == ("secret@example.org", Kind.BCC)
    await bench.deliver(sealed)
    assert server.stored[0].recipients == ("bob@example.org", "secret@example.org")
    assert b"ecret" not in server.stored[0].body
    exported = await asyncio.to_thread(lambda: b"".join(bench.mailer.export(sealed.id)))
    assert b"ecret" not in exported


async def test_an_account_changed_under_a_queued_message_is_asked_again(bench: EngineBench, server: ScriptedServer):
    """The identity is gone from the configuration: the message is held with the reason, not sent as somebody else."""
    sealed = bench.seal()
    text = bench.config.read_text().replace("ada@example.org", "grace@example.org")
    bench.config.write_text(text)
    bench.reopen()
    (held,) = await bench.deliver(sealed)
    assert (held.state, server.stored) == (State.HELD, [])
    assert "may no longer send as ada@example.org" in (held.error or held.held_reason or "")
    await bench.flush()
    assert bench.mailer.show(held.id).state is State.HELD


async def test_a_schedule_missed_by_far_is_asked_about(bench: EngineBench, server: ScriptedServer):
    """The machine was off for two days: it is held, and says so, instead of going out out of time."""
    sealed = bench.seal(letter(schedule="in 1h"))
    assert (sealed.schedule_words, sealed.schedule_zone) == ("in 1h", "Europe/Berlin")
    session = bench.session
    engine = Engine(
        configuration=session.configuration,
        paths=session.paths,
        credentials=session.credentials,
        role="flush",
        open_store=lambda: Store.open(session.paths.data_dir, clock=LaterClock(timedelta(days=2))),
    )
    await asyncio.to_thread(engine.flush, timeout_seconds=10)
    held = bench.mailer.show(sealed.id)
    assert (held.state, server.stored) == (State.HELD, [])
    assert "Its time passed" in (held.error or "")


async def test_a_schedule_missed_by_little_is_kept(bench: EngineBench, server: ScriptedServer):
    """Two hours late is better than not at all."""
    bench.seal(letter(schedule="in 1h"))
    session = bench.session
    engine = Engine(
        configuration=session.configuration,
        paths=session.paths,
        credentials=session.credentials,
        role="flush",
        open_store=lambda: Store.open(session.paths.data_dir, clock=LaterClock(timedelta(hours=3))),
    )
    (sent,) = await asyncio.to_thread(engine.flush, timeout_seconds=10)
    assert (sent.state, len(server.stored)) == (State.SENT, 1)


def test_a_review_stores_nothing_and_says_what_would_happen(bench: EngineBench):
    """The sheet before sending: everybody who gets it, the size, and what looks wrong."""
    review = bench.mailer.review(letter(subject="", body="See the attached file.", bcc="eve@example.org"))
    assert [one.address for one in review.recipients] == ["bob@example.org", "eve@example.org"]
    assert review.is_sendable
    assert {one.field for one in review.findings} >= {"subject", "attachments"}
    assert bench.mailer.outbox() == []


def test_a_reply_names_what_it_answers(bench: EngineBench):
    """In-Reply-To is written with its brackets and closes the References."""
    sealed = bench.seal(letter(in_reply_to="a1@example.org", references="<r0@example.org>"))
    assert sealed.message.in_reply_to == "<a1@example.org>"
    assert sealed.message.references == ("<r0@example.org>", "<a1@example.org>")


def test_nobody_to_send_to_is_refused(bench: EngineBench):
    """A message without a recipient isn't queued."""
    with pytest.raises(InvalidMessage, match="no recipient"):
        bench.mailer.seal(Draft(subject="x"))


async def test_a_dry_run_shows_what_send_makes(bench: EngineBench, server: ScriptedServer):
    """--dry-run prints the commands and the header that then go out, and stores nothing."""
    prepared = bench.mailer.dry_run(letter(bcc="eve@example.org"))
    shown = "\n".join(line for step in prepared.steps for line in step.lines)
    assert "RCPT TO:<eve@example.org>" in shown
    assert "Subject: Tea" in shown
    assert bench.mailer.outbox() == []
    assert server.connections == 0


@pytest.mark.parametrize("again", ["sealed", "resent"])
def test_a_file_sealed_again_is_young_again(bench: EngineBench, tmp_path: Path, again: str):
    """What is taken back, or sent once more, keeps its file though everything that named it goes meanwhile."""
    (tmp_path / "a.txt").write_bytes(b"old")
    first = bench.seal(letter()._replace(attachments=(DraftAttachment(source=str(tmp_path / "a.txt")),)))
    sha256 = first.message.attachments[0].sha256
    assert sha256 is not None
    (kept,) = (bench.folder / "data" / "spool" / "objects").rglob(sha256)
    os.utime(kept, (1, 1))
    if again == "sealed":
        bench.seal(first.draft)
    else:
        bench.mailer.resend(first.id)
    assert kept.stat().st_mtime > 1
