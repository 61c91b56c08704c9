"""`e` on mail that another program wrote: what a draft can't keep is said first, and only a yes takes it back."""

from __future__ import annotations

import email
import email.policy
import os
from pathlib import Path

import pytest
from app_stage import LARGE, Stage, configuration_of, on_stage, paths_in, smtp_account
from smtp_server import ScriptedServer

from tui_mailer.cli.main import main
from tui_mailer.domain.submission import State

pytestmark = pytest.mark.usefixtures("nobody_delivers")

HEAD = b"From: Ada Lovelace <ada@example.org>\nTo: Bob <bob@example.org>\nBcc: eve@example.org\nSubject: Tea\n"
LETTER = (
    HEAD + b"X-Ticket: 7\nReceived: from a by b\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
    b"--b\n\nAt four?\n--b\nContent-Type: text/csv\nContent-Disposition: attachment; filename=plan.csv\n\na;b\n--b--\n"
)
SIGNED = HEAD + b"Content-Type: multipart/signed; boundary=b\n\n--b\n\nAt four?\n--b\n\nsignature\n--b--\n"


def hand_over(
    folder: Path, port: int, monkeypatch: pytest.MonkeyPatch, message: bytes, capfd: pytest.CaptureFixture[str]
) -> str:
    """Another program calls ``sendmail``, and the message is held before anybody delivers it."""
    paths = paths_in(folder)
    paths.config_file.parent.mkdir(parents=True)
    paths.config_file.write_text(
        "accounts:\n  work:\n    provider: smtp\n    from: Ada Lovelace <ada@example.org>\n"
        f"    host: 127.0.0.1\n    port: {port}\n    security: none\n"
    )
    paths.config_file.chmod(0o600)
    (folder / "stdin").write_bytes(message)
    told = ["--config", str(paths.config_file), "--data-dir", str(paths.data_dir)]
    with (folder / "stdin").open(encoding="utf-8") as opened, monkeypatch.context() as patch:
        patch.setattr("sys.stdin", opened)
        assert main([*told, "sendmail", "-t"]) == os.EX_OK
    capfd.readouterr()
    assert main([*told, "--json", "outbox", "list"]) == os.EX_OK
    submission_id = capfd.readouterr().out.split('"id": "')[1].split('"')[0]
    assert main([*told, "outbox", "hold", submission_id]) == os.EX_OK
    return submission_id


async def ask_to_edit(stage: Stage) -> None:
    await stage.press("f3")
    await stage.shows("held")
    await stage.press("e")
    await stage.shows(
        "Edit it? Not everything in it can be kept",
        "Not kept     its Message-ID and Date: an edited message gets new ones",
        "Not kept     header Received",
        "The history keeps it as it is.",
    )


async def test_a_no_leaves_it_waiting(
    tmp_path: Path, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Esc at the question: it is in the outbox as it was, no draft was made."""
    key = hand_over(tmp_path, server.port, monkeypatch, LETTER, capfd)
    async with on_stage(tmp_path, configuration_of(smtp_account(server.port)), size=LARGE) as stage:
        await ask_to_edit(stage)
        await stage.press("escape")
        await stage.until(lambda: not stage.app.screen.is_modal, "the list")
        assert (await stage.app.desk.ask(lambda mailer: mailer.show(key))).state is State.HELD
        assert await stage.app.desk.ask(lambda mailer: mailer.drafts()) == []


async def test_a_yes_brings_all_parts_and_the_blind_stay_blind(
    tmp_path: Path, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Enter: To, Bcc, text, file and header are in compose; edited and sent, they arrive, and nobody sees Bcc."""
    key = hand_over(tmp_path, server.port, monkeypatch, LETTER, capfd)
    async with on_stage(tmp_path, configuration_of(smtp_account(server.port)), size=LARGE) as stage:
        await ask_to_edit(stage)
        await stage.confirm()
        await stage.shows(
            "Bob <bob@example.org>", "Bcc      eve@example.org", "At four?", "plan.csv", "Also     X-Ticket"
        )
        await stage.type("No, five.")
        await stage.press("ctrl+s")
        await stage.shows("Bcc (hidden) eve@example.org", "Attached     plan.csv 3 B", "Header       X-Ticket: 7")
        await stage.confirm()
        await stage.until(lambda: bool(server.stored), "it at the server")
        assert (await stage.app.desk.ask(lambda mailer: mailer.show(key))).state is State.CANCELED
        await stage.press("f4")
        await stage.shows("canceled")
    (arrived,) = server.stored
    message = email.message_from_bytes(arrived.body.replace(b"\r\n", b"\n"), policy=email.policy.default)
    assert set(arrived.recipients) == {"bob@example.org", "eve@example.org"}
    assert b"eve@" not in arrived.body
    assert message["X-Ticket"] == "7"
    text = message.get_body(("plain",))
    assert text is not None
    assert "At four?" in text.get_content()
    assert "No, five." in text.get_content()
    (file,) = message.iter_attachments()
    assert (file.get_filename(), file.get_payload(decode=True)) == ("plan.csv", b"a;b")


async def test_what_is_signed_stays_where_it_is(
    tmp_path: Path, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A sentence says why it can't be edited and what can be done, in the outbox and in the history."""
    key = hand_over(tmp_path, server.port, monkeypatch, SIGNED, capfd)
    async with on_stage(tmp_path, configuration_of(smtp_account(server.port)), size=LARGE) as stage:
        await stage.press("f3")
        await stage.shows("held")
        await stage.press("e")
        await stage.shows("It can't be edited: it is signed, and any change breaks a signature. It can go as it is")
        assert (await stage.app.desk.ask(lambda mailer: mailer.show(key))).state is State.HELD
        await stage.press("x")
        await stage.until(lambda: "held" not in stage.text(), "it canceled")
        await stage.press("f4")
        await stage.shows("canceled")
        await stage.press("e")
        await stage.shows("It can't be edited: it is signed")
        assert await stage.app.desk.ask(lambda mailer: mailer.drafts()) == []


async def test_the_history_asks_as_well(
    tmp_path: Path, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """e on one that has ended: the same question, and a new draft with everything; the old one stays."""
    key = hand_over(tmp_path, server.port, monkeypatch, LETTER, capfd)
    async with on_stage(tmp_path, configuration_of(smtp_account(server.port)), size=LARGE) as stage:
        await stage.app.desk.ask(lambda mailer: mailer.cancel(key))
        await stage.press("f4")
        await stage.shows("canceled")
        await stage.press("e")
        await stage.shows("Not kept     header Received")
        await stage.confirm()
        await stage.shows("Bcc      eve@example.org", "plan.csv", "Also     X-Ticket")


async def test_undo_of_mail_sent_again_sends_nothing(
    tmp_path: Path, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """F5 in the undo window of a resent one: no draft could keep it, so it is taken back whole, and that is said."""
    key = hand_over(tmp_path, server.port, monkeypatch, SIGNED, capfd)
    async with on_stage(tmp_path, configuration_of(smtp_account(server.port)), size=LARGE) as stage:
        again = await stage.app.desk.ask(lambda mailer: mailer.resend(key, undo_seconds=60))
        stage.app.desk.status.offer_undo("queued again", again.not_before, (again.id,))
        await stage.press("f5")
        await stage.shows("taken back: nothing was sent; History (F4) has it as it was")
        assert (await stage.app.desk.ask(lambda mailer: mailer.show(again.id))).state is State.CANCELED
        assert server.stored == []
