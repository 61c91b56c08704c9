"""``send`` against a scripted SMTP server: the exit code says what became of the mail, the JSON the details."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
from program_run import Run, TuiMailer
from smtp_server import DROP, STALL, ScriptedServer


@pytest.fixture
def send(tui_mailer: TuiMailer, server: ScriptedServer, tmp_path: Path):
    """Calls the program with an account on that server, while the server runs beside it."""
    config = tmp_path / "config.yaml"
    account = {
        "provider": "smtp",
        "from": "ada@example.org",
        "host": "127.0.0.1",
        "port": server.port,
        "security": "none",
    }
    config.write_text(json.dumps({"accounts": {"work": account}}))
    config.chmod(0o600)

    async def call(*words: str) -> Run:
        message = ("--to", "bob@example.org", "--subject", "x", "--body", "x") if words[0] == "send" else ()
        return await asyncio.to_thread(tui_mailer, "--config", config, "--json", *words, *message)

    return call


async def test_accepted_is_0_with_the_servers_answer(send, server: ScriptedServer) -> None:
    """What the server has accepted is sent; its answer and code are kept."""
    run = await send("send")
    assert (run.code, run.json["state"], run.json["response_code"]) == (0, "sent", 250)
    assert len(server.stored) == 1


async def test_refused_is_69_and_kept(send, server: ScriptedServer) -> None:
    """A permanent refusal ends the attempt with the server's reason, and the text is kept."""
    server.always("RCPT", "550 5.1.1 no such user")
    run = await send("send")
    assert (run.code, run.json["state"], run.json["recipients"][0]["status"]) == (69, "failed", "rejected")
    assert "no such user" in run.err
    assert (await send("history", "show", run.json["id"])).json["state"] == "failed"


async def test_partly_put_off_names_who_waits(send, server: ScriptedServer) -> None:
    """The answer to those who have it is no reason for the one who waits."""
    server.on("RCPT TO:<eve", "451 4.7.1 greylisted")
    run = await send("send", "--to", "eve@example.org")
    assert (run.code, run.json["state"]) == (75, "deferred")
    assert "Sent to 1 of 2, not yet to eve@example.org: greylisted. It stays in the outbox" in run.err


async def test_partly_refused_is_69_and_the_refused_can_be_served_alone(send, server: ScriptedServer) -> None:
    """Who was accepted is done; the refused are named, and get the mail alone when it is sent again."""
    server.on("RCPT TO:<cy@", "550 5.1.1 no such user")
    run = await send("send", "--cc", "cy@example.org")
    assert (run.code, run.json["state"]) == (69, "partial")
    assert "cy@example.org" in run.err
    assert f"history resend {run.json['id']} --refused" in run.err
    again = await send("history", "resend", run.json["id"], "--refused")
    assert (again.code, [each["address"] for each in again.json["recipients"]]) == (0, ["cy@example.org"])
    assert [stored.recipients for stored in server.stored] == [("bob@example.org",), ("cy@example.org",)]
    repeated = await send("history", "resend", run.json["id"], "--refused")
    assert (repeated.code, len(server.stored)) == (69, 2)
    assert again.json["id"] in repeated.err
    assert "--again" in repeated.err
    assert (await send("history", "resend", run.json["id"], "--refused", "--again")).code == 0
    assert len(server.stored) == 3


async def test_not_yet_is_75_and_flush_delivers_it_later(send, server: ScriptedServer) -> None:
    """A temporary refusal stays in the outbox; once made due it is delivered, once."""
    server.on("RCPT", "451 4.7.1 greylisted")
    run = await send("send")
    assert (run.code, run.json["state"], run.json["attempts"]) == (75, "deferred", 1)
    assert run.json["next_attempt_at"]
    assert "next try" in run.err
    assert (await send("outbox", "flush")).json == []
    assert (await send("outbox", "retry", run.json["id"])).code == 0
    flushed = await send("outbox", "flush")
    assert (flushed.code, [each["state"] for each in flushed.json]) == (0, ["sent"])
    assert len(server.stored) == 1


async def test_no_answer_after_the_dot_is_76_until_a_person_settles_it(
    send, server: ScriptedServer, tui_mailer: TuiMailer, tmp_path: Path
) -> None:
    """When the last answer is lost, nothing is sent again by itself, how far it got is said; a person settles it."""
    server.on("DOT", DROP)
    run = await send("send")
    assert (run.code, run.json["state"]) == (76, "uncertain")
    assert f"outbox resolve {run.json['id']}" in run.err
    flushed = await send("outbox", "flush")
    assert (flushed.code, flushed.json) == (76, []), "nothing is tried, and what is uncertain isn't called done"
    assert "Nothing was due." in flushed.err
    assert f"outbox resolve {run.json['id']}" in flushed.err
    assert len(server.stored) == 1
    shown = await asyncio.to_thread(tui_mailer, "--config", tmp_path / "config.yaml", "outbox", "show", run.json["id"])
    assert ": all sent, waiting for the answer; " in shown.out
    assert (await send("outbox", "resolve", run.json["id"], "--sent")).json["state"] == "sent"
    assert (await send("outbox", "flush")).code == 0


async def test_what_a_killed_process_was_sending_is_told_and_can_be_settled(
    send, server: ScriptedServer, tui_mailer: TuiMailer, tmp_path: Path
) -> None:
    """Nobody else delivers: it isn't said for ever that it is being sent, and a person's word isn't refused."""
    server.always("DOT", STALL)
    words = ["send", "--to", "bob@example.org", "--subject", "x", "--body", "x"]
    config = tmp_path / "config.yaml"
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tui_mailer", "--config", str(config), *words)
    async with asyncio.timeout(20):
        while not server.stored:
            await asyncio.sleep(0.01)
    process.kill()
    await process.wait()
    (one,) = (await send("outbox", "list")).json
    assert one["state"] == "sending"
    shown = await asyncio.to_thread(tui_mailer, "--config", config, "outbox", "show", one["id"])
    assert "has ended. It may have been delivered: no answer was read." in shown.out
    doctor = await asyncio.to_thread(tui_mailer, "--config", config, "doctor")
    assert "1 were being sent by a process that has ended." in doctor.out + doctor.err
    assert (await send("outbox", "cancel", one["id"])).code == 69, "what may have been delivered isn't canceled"
    assert (await send("outbox", "resolve", one["id"], "--sent")).json["state"] == "sent"


async def test_a_flush_says_what_it_leaves(send, server: ScriptedServer) -> None:
    """Due mail behind a held account is 77 with the reason; what waits because a person wants it so is no trouble."""
    await send("send", "--queue")
    await send("account", "hold", "work")
    stuck = await send("outbox", "flush")
    assert (stuck.code, stuck.json) == (77, [])
    assert "Mail that is due waits: account work is held: held by you. Once mended: tui-mailer account" in stuck.err
    assert "Nothing was due" not in stuck.err
    await send("account", "release", "work")
    assert (await send("outbox", "flush")).code == 0
    await send("send", "--hold")
    await send("send", "--at", "in 2h")
    idle = await send("outbox", "flush")
    assert (idle.code, idle.json) == (0, [])
    assert idle.err.startswith("Nothing was due.\n1 held as asked: tui-mailer outbox list\nThe next is due ")


async def test_a_flush_tells_what_the_program_has_held(send, server: ScriptedServer, tmp_path: Path) -> None:
    """Mail that its account can't carry any more waits for a person: each flush says so, and it isn't 0."""
    held = await send("send", "--queue")
    config = tmp_path / "config.yaml"
    known = config.read_text()
    config.write_text(known.replace("ada@", "eve@"))
    assert (await send("outbox", "flush")).code == 75
    again = await send("outbox", "flush")
    assert (again.code, again.json) == (75, [])
    assert "may no longer send as ada@example.org" in again.err
    assert f"outbox release {held.json['id']}" in again.err


async def test_nobody_listening_is_75_and_costs_no_attempt(send, server: ScriptedServer) -> None:
    """Without a network the mail waits, no attempt is counted."""
    await server.__aexit__(None)
    run = await send("send")
    assert (run.code, run.json["state"], run.json["attempts"]) == (75, "queued", 0)


async def test_a_call_that_may_not_wait_is_75(send, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --wait 0 the message is stored and left to a process of its own."""
    started: list[object] = []
    monkeypatch.setattr("tui_mailer.services.detached_flush.start_detached_flush", lambda *them: started.append(them))
    run = await send("send", "--wait", "0")
    assert (run.code, run.json["state"], len(started)) == (75, "queued", 1)
    assert server.stored == []


async def test_merge_stops_at_the_first_refused_row(send, server: ScriptedServer, tmp_path: Path) -> None:
    """With the default, rows behind a refused one are not even queued."""
    (tmp_path / "t.txt").write_text("To: ${email}\nSubject: x\n\nx\n")
    (tmp_path / "rows.csv").write_text("email\na@example.org\nb@example.org\nc@example.org\n")
    server.always("RCPT TO:<b@", "550 5.1.1 no such user")
    words = ("merge", str(tmp_path / "t.txt"), "--data", str(tmp_path / "rows.csv"))
    run = await send(*words)
    assert (run.code, run.json["states"]) == (69, {"sent": 1, "failed": 1})
    assert run.json["failures"][0]["code"] == 550
    rest = await send(*words, "--on-error", "continue")
    assert (rest.code, rest.json["new"], rest.json["states"]) == (69, 1, {"sent": 2, "failed": 1})
    assert len(server.stored) == 2


async def test_without_room_on_the_disk_it_is_said_what_the_mail_waits_for(
    send, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A nearly full disk: 75, nothing is sent, and not only the first call tells why."""
    monkeypatch.setattr("tui_mailer.storage.ballast.free_bytes", lambda _path: 1 << 20)
    run = await send("send")
    assert (run.code, run.json["state"], server.commands) == (75, "queued", [])
    retried = await send("outbox", "retry", run.json["id"])
    assert "Not sent yet: Less than 8 MB are free on the disk of" in retried.err
    monkeypatch.setattr("tui_mailer.storage.ballast.free_bytes", lambda _path: 1 << 30)
    assert (await send("outbox", "flush")).code == 0
    assert len(server.stored) == 1
