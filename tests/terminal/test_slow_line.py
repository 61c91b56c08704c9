"""The app through a line of 300 ms and 2 kB/s: nothing is misread, and nothing waits behind screens nobody looks at."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from scripted_mail import scripted_server
from slow_terminal import BUFFER, ROUND_TRIP_SECONDS
from terminal_emulator import Terminal, environment_in, in_terminal

from tui_mailer.tui.terminal.courier import KNOWN_STATE

RELAY = Path(__file__).with_name("slow_terminal.py")
ANSWER = "\x1b[0n"


@contextmanager
def slow(folder: Path, *, buffer: int = BUFFER) -> Iterator[Terminal]:
    """The app at the other end of a slow line."""
    line = [sys.executable, str(RELAY), "--buffer", str(buffer), "--"]
    command = [*line, sys.executable, "-m", "tui_mailer", "--data-dir", str(folder / "data")]
    terminal = Terminal(command, environment_in(folder), (80, 24))
    try:
        yield terminal
    finally:
        terminal.close()


def until_within(seconds: float, *attempts: str) -> Iterator[str]:
    """Yields attempts until one takes less than so long; a busy machine may hold one up, but what is slow is each."""
    took: list[float] = []
    for attempt in attempts:
        began = time.monotonic()
        yield attempt
        took.append(time.monotonic() - began)
        if took[-1] < seconds:
            return
    raise AssertionError(f"never within {seconds} s: {took}")


def test_a_mail_typed_ahead_of_the_screen_goes_out_once_as_it_was_typed(tmp_path: Path) -> None:
    """All fields in one burst before the first frame; then review, Enter, quit; the echo is one round trip late."""
    with scripted_server(tmp_path) as server, slow(tmp_path) as terminal:
        terminal.type("bob@example.org, cy@example.org\t\tSlow boat\tNothing is lost.")
        terminal.shows("^S Send", "bob@example.org, cy@example.org", "Slow boat", "Nothing is lost.")
        terminal.until_quiet(0.5)
        for word in until_within(ROUND_TRIP_SECONDS + 0.5, " Truly", ",", " friend", "."):
            terminal.type(word)
            terminal.shows(f"lost.{word}")
        terminal.press("ctrl+s")
        terminal.shows("Review: nothing has been sent yet", "Enter")
        terminal.until_quiet(0.8)
        terminal.press("enter")
        terminal.until_gone("Review:")
        terminal.press("ctrl+q")
        assert terminal.ended() == 0
        (stored,) = server.stored
    assert stored.recipients == ("bob@example.org", "cy@example.org")
    assert b"Subject: Slow boat\r\n" in stored.body
    assert b"Nothing is lost. Truly" in stored.body


def test_a_torn_arrow_key_a_repaint_and_a_countdown(tmp_path: Path) -> None:
    """The arrow still goes left, the screen is what painting it anew shows, the undo window takes 40 B/s at most."""
    with slow(tmp_path) as terminal:
        terminal.shows("^S Send")
        terminal.type("bob@example.org\t\tTea\tsee yu")
        terminal.shows("see yu")
        terminal.answers_status = False
        terminal.type("\x1b")
        terminal.read_for(0.3)
        # The line has kept the rest back, and what was answered meanwhile comes behind it.
        terminal.type("[D\x1b[0no")
        terminal.shows("see you", "draft saved")
        terminal.answers_status = True
        terminal.until_quiet(0.8)
        shown, before = terminal.text(), len(terminal.raw)
        terminal.press("ctrl+p")
        terminal.shows("Search for commands")
        terminal.type("Redraw")
        terminal.shows("Paint the screen anew")
        terminal.press("enter")
        terminal.until_gone("Search for commands")
        terminal.until_quiet(1.2)
        assert KNOWN_STATE.encode() in terminal.raw[before:]
        assert terminal.text() == shown
        terminal.press("ctrl+s")
        terminal.shows("Review: nothing has been sent yet")
        terminal.until_quiet(0.8)
        terminal.press("enter")
        terminal.shows("leaves in")
        terminal.read_for(1.0)
        before = len(terminal.raw)
        terminal.read_for(3.0)
        assert 0 < len(terminal.raw) - before <= 3 * 40


@pytest.mark.parametrize("buffer", [BUFFER, 1024], ids=["ssh", "serial"])
def test_screens_skimmed_through_do_not_queue(tmp_path: Path, buffer: int) -> None:
    """Ten modes a second for three seconds: the last is there soon after, not when all have been sent (7 s)."""
    with slow(tmp_path, buffer=buffer) as terminal:
        terminal.shows("^S Send")
        terminal.until_quiet(0.6)
        for typed in until_within(3.0 + 4.0, "xxx", "yyy", "zzz"):
            for key in ("f3", "f4", "f2") * 10:
                terminal.press(key)
                terminal.read_for(0.1)
            terminal.type(typed)
            terminal.shows("[Compose]", typed)


def test_an_answer_that_comes_late_is_not_typed_into_the_shell(tmp_path: Path) -> None:
    """Quitting gives the terminal back once the open question is answered, or after a second."""
    with in_terminal(tmp_path) as terminal:
        terminal.answers_status = False
        terminal.shows("^S Send")
        assert terminal.raw.count(b"\x1b[5n") == 1
        terminal.type(ANSWER)
        terminal.press("f1")
        terminal.shows("Help")
        terminal.until_quiet(0.2)
        terminal.press("escape")
        terminal.until_quiet(0.2)
        assert terminal.raw.count(b"\x1b[5n") > 1
        terminal.press("ctrl+q")
        terminal.read_for(0.4)
        assert terminal.process.poll() is None
        os.write(terminal.master, ANSWER.encode() * 2)
        assert terminal.ended() == 0
        terminal.read_for(0.3)
        assert b"^[" not in terminal.raw


def test_a_terminal_that_stops_answering_is_written_to_all_the_same(tmp_path: Path) -> None:
    """It is waited for a few seconds, once; no key is lost meanwhile."""
    with in_terminal(tmp_path) as terminal:
        terminal.shows("^S Send")
        terminal.until_quiet(0.2)
        terminal.answers_status = False
        for key in ("f1", "escape", "f3", "f4", "f2"):
            terminal.press(key)
            terminal.read_for(0.3)
        terminal.type("still here")
        terminal.shows("still here")
        terminal.press("f3")
        terminal.shows("[Outbox")
