"""The app in a real pseudo-terminal, driven by keys alone."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from terminal_emulator import ROOT, Terminal, environment_in, in_terminal

QUICK = """\
default_account: local
accounts:
  local: {provider: maildir, from: Ada Lovelace <ada@example.org>}
compose: {undo_seconds: %d}
"""


def configure(folder: Path, *, undo_seconds: int = 0) -> None:
    """Writes a configuration for the embedded kind of account."""
    path = folder / "config" / "tui-mailer" / "config.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(QUICK % undo_seconds)


def cli(folder: Path, *arguments: str) -> list[dict[str, object]]:
    """Asks the command line about the same data."""
    done = subprocess.run(
        [sys.executable, "-m", "tui_mailer", *arguments, "--json", "--data-dir", str(folder / "data")],
        env=environment_in(folder),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)


def write(terminal: Terminal, to: str, subject: str, body: str) -> None:
    """Fills in a mail by keys."""
    terminal.shows("[Compose]", "^S Send")
    terminal.type(to)
    terminal.press("tab", "tab")
    terminal.type(subject)
    terminal.press("tab")
    terminal.type(body)
    terminal.shows(body)


def review_and_send(terminal: Terminal) -> None:
    """Two keys: the review, and Enter once the sheet has been up for half a second."""
    terminal.press("ctrl+s")
    terminal.shows("nothing has been sent yet", "To           bob@example.org")
    terminal.read_for(0.8)
    terminal.press("enter")
    terminal.until_gone("nothing has been sent yet")


def test_write_review_send_and_find_it_again(tmp_path: Path) -> None:
    """The main job by keys, five of them beyond the text; then history finds the mail by a word of its body."""
    configure(tmp_path)
    with in_terminal(tmp_path) as terminal:
        write(terminal, "bob@example.org", "Minutes", "the harbour master agreed")
        review_and_send(terminal)
        terminal.shows("kept on this computer, sent to nobody")
        terminal.press("f4")
        terminal.shows("[History]", "Minutes")
        terminal.type("/harbour")
        terminal.shows("1 found", "Minutes")
        terminal.press("ctrl+q")
        assert terminal.ended() == 0
    (one,) = cli(tmp_path, "history", "list")
    assert (one["state"], one["subject"], one["to"]) == ("sent", "Minutes", ["bob@example.org"])


def test_keys_typed_before_the_first_frame_are_not_lost(tmp_path: Path) -> None:
    """What is typed while the program starts stands in To."""
    with in_terminal(tmp_path) as terminal:
        terminal.type("early@example.org")
        terminal.shows("early@example.org")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_saves_the_draft_and_restores_the_screen(tmp_path: Path, number: signal.Signals) -> None:
    """Told to go, the app has the last letter on disk, the screen, cursor, mouse and keyboard as they were."""
    configure(tmp_path)
    with in_terminal(tmp_path, TEXTUAL_DISABLE_KITTY_KEY="") as terminal:
        terminal.shows("^S Send")
        terminal.type("bob@example.org")
        terminal.shows("bob@example.org")
        os.kill(terminal.process.pid, number)
        assert terminal.ended() == 128 + number
        tail = terminal.raw[-400:]
        for restoring in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[<u", b"\x1b[?1003l", b"\x1b[?2004l"):
            assert restoring in tail
        assert terminal.attributes_now() == terminal.attributes_before
    (draft,) = cli(tmp_path, "draft", "list")
    assert "bob@example.org" in json.dumps(draft)


def test_a_vanished_terminal_saves_the_draft(tmp_path: Path) -> None:
    """A closed window ends the program by itself, and nothing typed is lost."""
    configure(tmp_path)
    with in_terminal(tmp_path) as terminal:
        terminal.shows("^S Send")
        terminal.type("bob@example.org")
        terminal.shows("bob@example.org")
        terminal.hang_up()
        assert terminal.process.wait(timeout=20) == 128 + signal.SIGHUP
    (draft,) = cli(tmp_path, "draft", "list")
    assert "bob@example.org" in json.dumps(draft)


def test_a_killed_app_leaves_the_draft_and_the_next_start_mentions_it(tmp_path: Path) -> None:
    """kill -9 a moment after the last pause: F8 and Enter bring everything back."""
    configure(tmp_path)
    with in_terminal(tmp_path) as terminal:
        write(terminal, "bob@example.org", "Half a thought", "not finis")
        terminal.shows("draft saved")
        os.kill(terminal.process.pid, signal.SIGKILL)
        terminal.ended()
    with in_terminal(tmp_path) as terminal:
        terminal.shows("F8 opens the draft of", ": Half a thought")
        terminal.press("f8")
        terminal.shows("Drafts:")
        terminal.press("enter")
        terminal.shows("bob@example.org", "not finis")


def test_a_paste_full_of_escapes_does_not_steer_the_terminal(tmp_path: Path) -> None:
    """Titles, clears, C1 and bidi from a clipboard never reach the terminal, in no field."""
    nasty = "x\x1b]0;PWNED\x07y\x1b[2Jz\x9b31m\u202eevil"
    with in_terminal(tmp_path) as terminal:
        terminal.shows("^S Send")
        for _ in range(6):
            terminal.paste(nasty)
            terminal.press("tab")
        terminal.press("f1")
        terminal.shows("Keys: compose")
        terminal.press("escape")
        terminal.until_gone("Keys: compose")
        terminal.press("f3")
        terminal.shows("[Outbox]")
        terminal.press("f8")
        terminal.shows("Drafts:")
        assert b"\x1b]0;PWNED" not in terminal.raw
        assert b"\x1b[2Jz" not in terminal.raw
        assert "\x9b".encode() not in terminal.raw
        assert "\u202e".encode() not in terminal.raw


def test_quitting_in_the_undo_window_sends_first(tmp_path: Path) -> None:
    """Ctrl+Q with mail due shows it going out, waits, and then ends."""
    configure(tmp_path, undo_seconds=3)
    with in_terminal(tmp_path) as terminal:
        write(terminal, "bob@example.org", "Due", "text")
        review_and_send(terminal)
        terminal.press("ctrl+q")
        terminal.shows("Sending what is due, then leaving")
        assert terminal.ended() == 0
    (one,) = cli(tmp_path, "history", "list")
    assert one["state"] == "sent"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_ending_in_the_undo_window_loses_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """Killed or hung up while the mail can still be undone: it is in the outbox, and leaves at the next delivery."""
    configure(tmp_path, undo_seconds=3)
    with in_terminal(tmp_path) as terminal:
        write(terminal, "bob@example.org", "Due", "text")
        review_and_send(terminal)
        terminal.shows("F5 takes it back")
        os.kill(terminal.process.pid, number)
        terminal.ended()
    waiting = cli(tmp_path, "outbox", "list") + cli(tmp_path, "history", "list")
    assert [one["state"] for one in waiting] in (["queued"], ["sent"])
    deadline = time.monotonic() + 60
    while not cli(tmp_path, "history", "list"):
        assert time.monotonic() < deadline
        cli(tmp_path, "outbox", "flush")
    (one,) = cli(tmp_path, "history", "list")
    assert one["state"] == "sent"
    assert cli(tmp_path, "outbox", "list") == []


def test_a_second_ctrl_q_leaves_the_mail_and_says_who_delivers(tmp_path: Path) -> None:
    """The mail stays in the outbox, and the last line tells that nobody delivers until the next run."""
    configure(tmp_path, undo_seconds=60)
    with in_terminal(tmp_path) as terminal:
        write(terminal, "bob@example.org", "Due", "text")
        review_and_send(terminal)
        terminal.press("ctrl+q")
        terminal.shows("Sending what is due, then leaving")
        terminal.press("ctrl+q")
        assert terminal.ended() == 0
        assert "1 message in the outbox" in terminal.text()
    (one,) = cli(tmp_path, "outbox", "list")
    assert one["state"] == "queued"


def test_the_body_goes_through_the_persons_editor(tmp_path: Path) -> None:
    """Ctrl+R hands the text over, and what the editor saved comes back."""
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf "before: %s, edited" "$(cat "$1")" > "$1.new" && mv "$1.new" "$1"\n')
    editor.chmod(0o700)
    configure(tmp_path)
    with in_terminal(tmp_path, EDITOR=str(editor)) as terminal:
        write(terminal, "bob@example.org", "s", "draft")
        terminal.press("ctrl+r")
        terminal.shows("before: draft, edited")
    assert not list((tmp_path / "data").glob("body-*"))


def test_delivery_goes_on_while_the_terminal_does_not_read(tmp_path: Path) -> None:
    """With a frozen line the mail still leaves; a SIGTERM then ends the program though its screen is stuck."""
    configure(tmp_path, undo_seconds=2)
    with in_terminal(tmp_path, size=(200, 50)) as terminal:
        write(terminal, "bob@example.org", "Frozen", "text")
        review_and_send(terminal)
        for _ in range(60):
            terminal.press("f3", "f4", "f2")
        new = tmp_path / "data" / "Maildir" / "new"
        for _ in range(300):
            if new.is_dir() and list(new.iterdir()):
                break
            terminal.process.poll()
            subprocess.run(["sleep", "0.1"], check=True)
        assert list(new.iterdir())
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert terminal.process.wait(timeout=25) == 128 + signal.SIGTERM


COLOUR = re.compile(rb"\x1b\[(?:[\d;]*;)?(?:[349][0-7]|10[0-7]|[34]8;[25];[\d;]+)(?:;[\d;]*)?m")


@pytest.mark.parametrize(
    ("environment", "has_colours"),
    [
        ({"TERM": "dumb"}, False),
        ({"TERM": "vt100", "COLORTERM": "truecolor"}, False),
        ({"TERM": "vt220", "COLORTERM": ""}, False),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, True),
        ({"TERM": "linux", "COLORTERM": ""}, True),
    ],
)
def test_a_terminal_without_colours_is_sent_none(
    tmp_path: Path, environment: dict[str, str], *, has_colours: bool
) -> None:
    """By its name, whatever COLORTERM says; bold and reverse stay. An empty NO_COLOR wishes for nothing."""
    configure(tmp_path)
    with in_terminal(tmp_path, **environment) as terminal:
        terminal.shows("[Compose]", "^Q Quit")
        terminal.press("f3")
        terminal.shows("[Outbox]", "The outbox is empty")
        assert bool(COLOUR.search(terminal.raw)) == has_colours, COLOUR.findall(terminal.raw)[:5]
        assert re.search(rb"\x1b\[(?:[\d;]*;)?1(?:;[\d;]*)?m", terminal.raw)


def test_without_colour_every_state_is_a_word(tmp_path: Path) -> None:
    """NO_COLOR: the same words are on the screen."""
    configure(tmp_path)
    with in_terminal(tmp_path, NO_COLOR="1") as terminal:
        write(terminal, "bob@example.org", "Plain", "text")
        review_and_send(terminal)
        terminal.press("f4")
        terminal.shows("sent ", "Plain")


def test_y_hands_the_message_id_to_the_terminals_clipboard(tmp_path: Path) -> None:
    """In a terminal with no multiplexer around it: OSC 52, once, and nothing but that."""
    configure(tmp_path)
    cli(tmp_path, "send", "--to", "bob@example.org", "--subject", "Minutes", "--body", "text")
    (one,) = cli(tmp_path, "history", "list")
    message_id = str(one["message_id"])
    with in_terminal(tmp_path) as terminal:
        terminal.shows("^S Send")
        terminal.press("f4")
        terminal.shows("[History]", "Minutes")
        assert b"\x1b]" not in terminal.raw
        terminal.type("y")
        terminal.shows("copied <")
        terminal.until_quiet()
        assert re.findall(rb"\x1b[\]P][^\x07\x1b]*\x07?", terminal.raw) == [
            b"\x1b]52;c;" + base64.b64encode(message_id.encode()) + b"\x07"
        ]


def test_a_click_leads_where_it_lands(tmp_path: Path) -> None:
    """Into a field of the form; and where `ui.mouse` is off the terminal isn't asked for clicks."""
    with in_terminal(tmp_path) as terminal:
        terminal.shows("[Compose]", "^S Send")
        terminal.type("\x1b[<0;15;5M\x1b[<0;15;5m")
        terminal.until_quiet(0.3)
        terminal.type("Tea")
        terminal.shows("Subject  Tea")
        assert b"\x1b[?1000h" in terminal.raw
    quiet = tmp_path / "config.yaml"
    quiet.write_text("ui: {mouse: false}\n")
    quiet.chmod(0o600)
    with in_terminal(tmp_path, "--config", str(quiet)) as terminal:
        terminal.shows("[Compose]", "^S Send")
        terminal.until_quiet(0.3)
        assert not any(b"\x1b[?%dh" % mode in terminal.raw for mode in (1000, 1002, 1003, 1006, 1015))
