"""What is asked before an edit, the lists of templates and senders, and drafts on disk quote without obeying."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from harmless import SLY, assert_harmless
from scripted_mail import scripted_server
from terminal_emulator import ROOT, environment_in, in_terminal
from test_hostile_places import HEADER, SENDER, WORST, go, run

sys.path.insert(0, str(Path(__file__).parents[1] / "contract"))

from http_lab import HttpLab, Reply
from rules_brevo import CASE

from tui_mailer.domain.draft import Draft, DraftAttachment
from tui_mailer.storage.store import Store

ENCODED = "=?utf-8?q?evil=1B]0;PWNED=07=C2=9B31m=E2=80=AE_[/b][=40click=3Dapp.quit]?="
RAW = (
    f"From: {ENCODED} <ada@example.org>\nTo: {ENCODED} <bob@example.org>\nSubject: {ENCODED}\n"
    f"X-Evil: {WORST}\nReceived: {WORST}\nX-Evil\x1b[2Jgone: 1\nIn-Reply-To: {WORST}\nReferences: <a@b> {WORST}\n"
    "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
    f'--b\nContent-Type: text/plain; charset=utf-8; evil="{WORST}"\nX-Part: {WORST}\n\n{WORST}\n'
    f'--b\nContent-Type: text/csv; name="{WORST}"\nContent-Description: {WORST}\n'
    f"Content-Disposition: attachment; filename*=utf-8''evil%1B%5B2Jgone%C2%9B31m%E2%80%AE[b].csv\n\na;b\n--b--\n"
)  # fmt: skip


@contextmanager
def templates_at(folder: Path, reply: Reply) -> Iterator[None]:
    """An API in a thread that lists these templates, and an account for it."""
    loop, started, ended = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    lab = HttpLab(CASE.rules())
    lab.always("GET /v3/smtp/templates", reply)

    async def serve() -> None:
        async with lab:
            started.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert started.wait(10)
        config = folder / "config" / "tui-mailer" / "config.yaml"
        config.parent.mkdir(parents=True)
        config.write_text(
            f"accounts:\n  post: {{provider: brevo, from: Ada <ada@example.org>, credential: {{env: KEY}}, "
            f"base_url: '{lab.url}{CASE.base_path}'}}\n"
        )
        config.chmod(0o600)
        yield
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


def hand_over(folder: Path, message: str) -> None:
    """Another program's mail, waiting."""
    command = [sys.executable, "-m", "tui_mailer", "--data-dir", str(folder / "data"), "sendmail", "bob@example.org"]
    done = subprocess.run(
        command, input=message.encode(), env=environment_in(folder), cwd=ROOT, check=False, timeout=60
    )
    assert done.returncode == 0


def test_the_question_before_raw_mail_is_edited(tmp_path: Path) -> None:
    """Names of headers and files, and all that a draft can't keep; then the draft made of it."""
    with scripted_server(tmp_path, MAIL="451 4.3.0 later"):
        hand_over(tmp_path, RAW)
        with in_terminal(tmp_path, size=(100, 40)) as terminal:
            terminal.shows("^S Send")
            go(terminal, ("f3",))
            terminal.shows("[Outbox 1]", "evil")
            assert_harmless(terminal.raw)
            go(terminal, ("e",))
            terminal.shows("Edit it? Not everything in it can be kept", "header Received", "evil")
            assert_harmless(terminal.raw)
            terminal.read_for(0.7)
            go(terminal, ("enter",))
            terminal.shows("[Compose]", "Subject  evil", "gone", ".csv")
            for _ in range(8):
                go(terminal, ("tab",))
            go(terminal, ("ctrl+s",))
            terminal.until_quiet(0.3)
            assert_harmless(terminal.raw)


def test_the_questions_about_several(tmp_path: Path) -> None:
    """A fan-out is to be sent ahead of its time, and canceled."""
    several = ("--to", '"evil [/b]" <a@example.org>', "--to", '"[@click=app.quit]" <b@example.org>')
    rest = ("--each", "--at", "tomorrow 9am", "--subject", HEADER, "--body", WORST, "--note", WORST)
    with scripted_server(tmp_path):
        assert run(tmp_path, "send", *several, *rest).returncode == 0
        with in_terminal(tmp_path) as terminal:
            terminal.shows("^S Send")
            go(terminal, ("f3", " ", " ", "r"))
            terminal.shows("Send these 2 now, not at their time?", "evil", "[/b]", "[@click=app.quit]")
            assert_harmless(terminal.raw)
            go(terminal, ("escape", "x"))
            terminal.shows("Cancel these 2 mails?", "evil", "[/b]")
            go(terminal, ("escape", "ctrl+q"))
            assert terminal.ended() == 0
            assert_harmless(terminal.raw)


def test_the_question_about_a_series(tmp_path: Path) -> None:
    """One that repeats is canceled, and edited: the draft made of it."""
    rest = ("--subject", HEADER, "--body", WORST, "--note", WORST, "--at", "every day 9:00")
    with scripted_server(tmp_path):
        assert run(tmp_path, "send", "--to", '"evil [/b]" <a@example.org>', *rest).returncode == 0
        with in_terminal(tmp_path) as terminal:
            terminal.shows("^S Send")
            go(terminal, ("f3", "x"))
            terminal.shows("It repeats", "All that follow", "evil")
            assert_harmless(terminal.raw)
            go(terminal, ("escape", "e"))
            terminal.shows("It repeats", "All that follow", "evil")
            go(terminal, ("down", "enter"))
            terminal.shows("[Compose]", "Subject  evil", "every day 9:00")
            assert_harmless(terminal.raw)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, {"count": 1, "templates": [{"id": f"12{WORST}", "name": WORST, "isActive": True}]}),
        Reply(400, {"code": "bad", "message": f"{WORST}\nevil"}),
    ],
    ids=["listed", "refused"],
)
def test_the_list_of_templates(tmp_path: Path, reply: Reply) -> None:
    """What an API calls its templates, and how it refuses to list them; the one chosen stays in the form."""
    with templates_at(tmp_path, reply), in_terminal(tmp_path, KEY="k" * 20) as terminal:
        terminal.shows("^S Send")
        go(terminal, ("f7",))
        terminal.shows("Options of this message")
        go(terminal, ("ctrl+t",))
        terminal.shows("Templates" if reply.status == 200 else "can't be listed", "evil")
        assert_harmless(terminal.raw)
        go(terminal, ("enter", "ctrl+s"))
        go(terminal, ("escape", "escape"))
        terminal.shows("[Compose]")
        assert_harmless(terminal.raw)


def test_the_list_of_senders(tmp_path: Path) -> None:
    """Names as far as the configuration lets them in: markup; it takes no control character and no bidi control."""
    with scripted_server(tmp_path):
        config = tmp_path / "config" / "tui-mailer" / "config.yaml"
        config.write_text(config.read_text().replace("from: Ada Lovelace <ada@example.org>", f"from: {SENDER}"))
        other = "  b.o@-_+: {provider: maildir, from: OTHER}\ncompose:"
        text = config.read_text().replace("compose:", other)
        config.write_text(text.replace("OTHER", """'"[bold red]evil[/]" <eve@example.org>'"""))
        with in_terminal(tmp_path) as terminal:
            terminal.shows("^S Send", "evil [/b][@click=app.quit]")
            terminal.type("\x1b[Z")
            terminal.shows("←→")
            go(terminal, ("right",))
            terminal.shows("[bold red]evil[/]")
            go(terminal, ("enter",))
            terminal.shows("[/b][@click=app.quit]", "[bold red]evil[/]")
            assert_harmless(terminal.raw)
            go(terminal, ("escape", "ctrl+q"))
            assert terminal.ended() == 0
    for sign in ("\\e[2J", "\\x9b31m", "\\u202e", "\\n"):
        config.write_text(text.replace("OTHER", f'"evil{sign} <eve@example.org>"'))
        with in_terminal(tmp_path) as terminal:
            assert terminal.ended() == 78
            assert_harmless(terminal.raw)


def test_drafts_on_disk_at_the_next_start(tmp_path: Path) -> None:
    """Every field of a stored draft as bad as can be: told of at the start, listed, filtered, opened, reviewed."""
    worst = f"{WORST}\r\n{SLY}"
    store = Store.open(tmp_path / "data")
    for account in ("", WORST):
        store.drafts.save(
            Draft(
                account=account,
                sender=WORST if account else "",
                to=f"{worst} <bob@example.org>",
                cc=worst,
                bcc=worst,
                reply_to=worst,
                subject=worst,
                body=worst,
                html=worst,
                attachments=(
                    DraftAttachment(source=f"/nowhere/{WORST}", name=WORST, media_type=WORST),
                    DraftAttachment(source=f"https://example.org/{WORST}"),
                    DraftAttachment(source="/nowhere/bad\udcff\udc9b31m"),
                ),
                typed_attachment=f"/nowhere/{worst}",
                schedule=WORST,
                in_reply_to=WORST,
                references=WORST,
                headers=((f"X-{WORST}", WORST),),
                tags=((WORST, WORST),),
                metadata={WORST: WORST},
                template=WORST,
                variables={WORST: WORST},
                options={WORST: WORST},
                note=WORST,
                schedule_by=WORST,
            )
        )
    store.close()
    with in_terminal(tmp_path, size=(100, 40)) as terminal:
        terminal.shows("^S Send", "F8")
        terminal.until_quiet(0.3)
        assert_harmless(terminal.raw)
        for at in range(2):
            go(terminal, ("f8",))
            terminal.shows("Drafts:", "evil")
            assert_harmless(terminal.raw)
            go(terminal, ("home", *["down"] * at, "enter"))
            terminal.until_gone("Drafts:")
            terminal.shows("Subject  evil")
            for _ in range(10):
                go(terminal, ("tab",))
            assert_harmless(terminal.raw)
            for key in ("f7", "ctrl+s", "ctrl+l"):
                go(terminal, (key,))
                terminal.until_quiet(0.2)
                assert_harmless(terminal.raw)
                go(terminal, ("escape", "escape"))
        go(terminal, ("f8", "/", "evil"))
        terminal.shows("Drafts:", "evil")
        go(terminal, ("escape", "ctrl+q"))
        assert terminal.ended() == 0
        assert_harmless(terminal.raw)
