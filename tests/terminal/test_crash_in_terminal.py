"""The app ends by an error of its own, or is killed while a mail can still be taken back: in a pseudo-terminal."""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import closing
from pathlib import Path

import pytest
from scripted_mail import scripted_server
from terminal_emulator import Terminal, environment_in, in_terminal
from test_app_in_terminal import cli, configure, review_and_send, write

SECRET = "hunter2-Zq8Jx1Lk5Vw3Ty7Nb0Mc9Pd4"
MODES = ("1000", "1002", "1003", "1006", "1015", "1004", "2004", "1049")
"""Mouse, reports of focus, bracketed paste, the alternate screen."""
PROBE = f"""\
import sys
from tui_mailer.cli.main import main
from tui_mailer.tui.app import MailerApp

def explode(self):
    local_variable = "{SECRET}"
    raise RuntimeError("password={SECRET}")

MailerApp.action_undo = explode
sys.exit(main())
"""
"""The program with a bug in what F5 does."""


def test_undo_survives_a_crash(tmp_path: Path) -> None:
    """kill -9 while the mail can be taken back: the next start counts on, F5 makes it a draft, and nothing leaves."""
    with scripted_server(tmp_path, undo_seconds=120) as server:
        with in_terminal(tmp_path) as terminal:
            write(terminal, "bob@example.org", "Too early", "not yet")
            review_and_send(terminal)
            terminal.shows("F5 takes it back")
            os.kill(terminal.process.pid, signal.SIGKILL)
            terminal.ended()
        with in_terminal(tmp_path) as terminal:
            terminal.shows("[Compose]", "F5 takes it back")
            terminal.press("f5")
            terminal.shows("bob@example.org", "Too early", "not yet")
            terminal.press("ctrl+q")
            assert terminal.ended() == 0
        assert cli(tmp_path, "outbox", "list") == []
        assert [one["state"] for one in cli(tmp_path, "history", "list")] == ["canceled"]
        (draft,) = cli(tmp_path, "draft", "list")
        assert (draft["subject"], draft["body"]) == ("Too early", "not yet")
        assert (server.connections, server.stored) == (0, [])


def is_on(raw: bytes, mode: str) -> bool:
    """Whether the last word about a mode was to turn it on."""
    return raw.rfind(f"\x1b[?{mode}h".encode()) > raw.rfind(f"\x1b[?{mode}l".encode())


@pytest.mark.parametrize("is_at_once", [True, False])
def test_a_bug_gives_the_terminal_back_and_keeps_the_draft(tmp_path: Path, is_at_once: bool) -> None:
    """All modes as they were, 70, one sentence, no secret on screen or in the log; the last letter is in the draft."""
    configure(tmp_path)
    command = [sys.executable, "-c", PROBE, "--data-dir", str(tmp_path / "data")]
    environment = environment_in(tmp_path, TEXTUAL_DISABLE_KITTY_KEY="")
    with closing(Terminal(command, environment, (80, 24))) as terminal:
        write(terminal, "bob@example.org", "Half", "a thought")
        if not is_at_once:
            terminal.shows("draft saved")
        assert is_on(terminal.raw, "1049")
        assert is_on(terminal.raw, "1000")
        terminal.type("!\x1b[15~")
        assert terminal.ended() == 70
        assert not [mode for mode in MODES if is_on(terminal.raw, mode)]
        assert is_on(terminal.raw, "25")
        assert terminal.raw.count(b"\x1b[<u") >= terminal.raw.count(b"\x1b[>1u") == 1
        assert terminal.attributes_now() == terminal.attributes_before
        after = terminal.raw[terminal.raw.rfind(b"\x1b[?1049l") :].decode()
    assert after.count("met an error of its own") == 1
    for telling in ("Traceback", "local_variable", "RuntimeError", SECRET):
        assert telling not in after
    assert SECRET not in "".join(path.read_text() for path in (tmp_path / "state").rglob("*.log"))
    (draft,) = cli(tmp_path, "draft", "list")
    assert json.dumps(draft["body"]) == '"a thought!"'
