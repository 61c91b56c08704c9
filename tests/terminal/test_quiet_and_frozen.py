"""What goes on without a key: seconds counting down for few bytes, and mail leaving while the terminal is frozen."""

from __future__ import annotations

import time
from pathlib import Path

from scripted_mail import scripted_server
from terminal_emulator import PATIENCE_SECONDS, Terminal, in_terminal
from test_app_in_terminal import cli, configure, review_and_send, write

MOST_PER_SECOND = 40
WINDOW_SECONDS = 10.5
"""Two ticks that tell every row, and eight that tell what is followed."""


def bytes_in(terminal: Terminal, seconds: float) -> bytes:
    """What comes within a time, without a key."""
    before = len(terminal.raw)
    terminal.read_for(seconds)
    return terminal.raw[before:]


def test_seconds_counting_down_cost_little(tmp_path: Path) -> None:
    """An undo window in compose; deferred, scheduled and undoable mail in the outbox: at most 40 bytes a second."""
    with scripted_server(tmp_path, undo_seconds=90, MAIL="451 4.7.1 come back later"):
        for number in range(8):
            cli(tmp_path, "send", "--queue", "--to", f"p{number}@example.org", "--subject", "s", "--body", "b")
        for words in ("in 100s", "in 110s", "in 2h"):
            cli(
                tmp_path, "send", "--queue", "--to", "later@example.org", "--subject", "s", "--body", "b", "--at", words
            )
        with in_terminal(tmp_path, size=(200, 50)) as terminal:
            write(terminal, "bob@example.org", "Due", "text")
            review_and_send(terminal)
            terminal.shows("F5 takes it back")
            terminal.until_quiet(0.3)
            counted = bytes_in(terminal, 3.2)
            assert 0 < len(counted) <= MOST_PER_SECOND * 3.2, counted
            terminal.press("f3")
            terminal.shows("leaves in", "next try in", "goes ")
            terminal.until_quiet(0.3)
            counted = bytes_in(terminal, WINDOW_SECONDS)
            assert 0 < len(counted) <= MOST_PER_SECOND * WINDOW_SECONDS, counted
            terminal.press("f4")
            terminal.shows("[History]")
            terminal.until_quiet(0.3)
            counted = bytes_in(terminal, 2.1)
            assert 0 < len(counted) <= MOST_PER_SECOND * 2.1, counted


def test_every_mode_rests_when_nothing_happens(tmp_path: Path) -> None:
    """Mail that is held and mail that has left: not a byte goes to the terminal in outbox, history and compose."""
    configure(tmp_path)
    for switches in ((), ("--hold",)):
        cli(tmp_path, "send", "--to", "bob@example.org", "--subject", "s", "--body", "b", *switches)
    with in_terminal(tmp_path) as terminal:
        terminal.shows("^S Send", "Outbox 1")
        for key, shown in (("f3", "held"), ("f4", "sent"), ("f2", "[Compose]")):
            terminal.press(key)
            terminal.shows(shown)
            terminal.until_quiet(0.4)
            assert bytes_in(terminal, 1.1) == b""


def test_a_frozen_terminal_holds_no_mail_back_and_thaws_to_the_truth(tmp_path: Path) -> None:
    """Ctrl-S: the server gets the mail all the same, and what is shown when reading goes on is what became of it."""
    refusal = {"RCPT TO:<cy": "451 4.7.1 cy is away"}
    with scripted_server(tmp_path, **refusal) as server, in_terminal(tmp_path) as terminal:
        write(terminal, "bob@example.org, cy@example.org", "Frozen", "text")
        terminal.press("ctrl+s")
        terminal.shows("nothing has been sent yet", "To           bob@example.org")
        terminal.read_for(0.8)
        terminal.freeze()
        terminal.press("enter")
        end = time.monotonic() + PATIENCE_SECONDS
        while not server.stored:
            assert time.monotonic() < end, "the mail never left"
            time.sleep(0.05)
        terminal.press("f3")
        (stored,) = server.stored
        assert stored.recipients == ("bob@example.org",)
        terminal.read_for(0.3)
        assert "nothing has been sent yet" in terminal.text()
        terminal.thaw()
        terminal.shows("[Outbox 1]", "deferred", "next try in")
        terminal.press("enter")
        terminal.shows("cy is away")
    (one,) = cli(tmp_path, "outbox", "list")
    assert [each["status"] for each in one["recipients"]] == ["accepted", "deferred"]
