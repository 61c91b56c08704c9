"""What is typed faster than it is read, as over a slow line, still lands where and as it was meant."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from terminal_emulator import KEYS, ROOT, environment_in, in_terminal

BACK = "\x7f"


def test_corrections_typed_ahead_are_made_where_they_were_typed(tmp_path: Path) -> None:
    """A burst of letters, Backspaces, Tabs and Enters reads the same as one typed slowly."""
    with in_terminal(tmp_path) as terminal:
        terminal.shows("[Compose]", "^S Send")
        terminal.type(
            f"bob@exx{BACK}ample.org\t\tTeh{BACK}{BACK}he news\rHalo{BACK}lo,\r\rold\x15new{BACK}{BACK}ow then"
        )
        terminal.shows("To       bob@example.org", "Subject  The news", "\nHallo,\n\nnow then")


def test_the_review_has_the_last_letter_typed_before_it(tmp_path: Path) -> None:
    """Ctrl+S at the end of a burst reviews all of the burst."""
    with in_terminal(tmp_path) as terminal:
        terminal.shows("[Compose]", "^S Send")
        terminal.type("bob@example.org\t\tThe news\tAll is well." + " Truly." * 40 + "\x13")
        terminal.shows("Review: nothing has been sent yet", "568 B")


def test_a_path_completes_in_the_same_burst(tmp_path: Path) -> None:
    """Ctrl+T, the start of a path, Tab and Enter attach the file without a pause between them."""
    (tmp_path / "report.pdf").write_bytes(b"%PDF")
    with in_terminal(tmp_path) as terminal:
        terminal.shows("[Compose]", "^S Send")
        terminal.type(f"\x14{tmp_path}/rep\t\r")
        terminal.shows("report.pdf  4 B")


def test_f6_leads_into_bcc(tmp_path: Path) -> None:
    """The key line calls F6 Bcc, so what is typed next stands there."""
    with in_terminal(tmp_path) as terminal:
        terminal.shows("[Compose]", "^S Send")
        terminal.press("f6")
        terminal.type("eve@example.org")
        terminal.shows("Bcc      eve@example.org")


def test_what_is_typed_after_putting_a_draft_away_starts_the_next(tmp_path: Path) -> None:
    """Ctrl+O and Ctrl+N within a burst part three messages, each whole and none twice."""
    with in_terminal(tmp_path) as terminal:
        terminal.shows("[Compose]", "^S Send")
        terminal.type(
            "bob@example.org\t\tOne\tfirst\x0fcy@example.org\t\tTwo\tsecond\x0edee@example.org\t\tThree\tthird"
        )
        terminal.shows("To       dee@example.org", "Subject  Three", "\nthird")
        terminal.press("f8")
        terminal.shows("Drafts:", "cy@example.org          Two", "bob@example.org         One")
        assert terminal.text().count("example.org   ") == 3


def test_enter_pressed_twice_in_the_palette_runs_the_command_once(tmp_path: Path) -> None:
    """A double Enter over a slow line neither runs the command twice nor takes the screen behind it away."""
    with in_terminal(tmp_path) as terminal:
        terminal.shows("[Compose]", "^S Send")
        for _ in range(3):
            terminal.type("\x10")
            terminal.shows("Search for commands")
            terminal.type("Outbox")
            terminal.shows("See what waits, and why")
            terminal.type("\r\r\r\x1b\r")
            terminal.shows("[Outbox]")
            terminal.press("f2")
            terminal.shows("[Compose]")
        terminal.press("ctrl+q")
        assert terminal.ended() == 0


def test_a_dialog_left_twice_takes_nothing_else_with_it(tmp_path: Path) -> None:
    """Keys typed ahead of a dialog's going land in the screen behind it."""
    with in_terminal(tmp_path) as terminal:
        terminal.shows("[Compose]", "^S Send")
        for opening in ("f1", "ctrl+l", "f8", "ctrl+s"):
            terminal.press(opening, "escape", "escape", "escape")
            terminal.until_quiet(0.3)
        terminal.type("bob")
        terminal.shows("bob")


def test_a_key_typed_ahead_into_a_list_finds_its_rows(tmp_path: Path) -> None:
    """F3 and Enter in one burst open the first row's details, though the list was never shown before."""
    message = ("--hold", "--to", "bob@example.org", "--subject", "Tea", "--body", "At four?")
    command = [sys.executable, "-m", "tui_mailer", "--data-dir", str(tmp_path / "data"), "send", *message]
    subprocess.run(command, env=environment_in(tmp_path), cwd=ROOT, stdin=subprocess.DEVNULL, check=True)
    with in_terminal(tmp_path) as terminal:
        terminal.shows("^S Send")
        terminal.type("\x1bOR\r")
        terminal.shows("Message-ID")


def test_what_is_typed_ahead_into_a_dialog_lands_there(tmp_path: Path) -> None:
    """The key that opens a dialog, its answer, Enter and what goes on behind it may come in one burst."""
    with in_terminal(tmp_path) as terminal:
        terminal.shows("[Compose]", "^S Send")
        terminal.type("\x0ctomorrow 9am\rbob@example.org\t\tOne")
        terminal.shows("To       bob@example.org", "Subject  One", "When     tomorrow 9am")
        terminal.type("\x0f\x0ccy\x1bdee@example.org\t\tTwo\x0f\x1b[19~bob\r")
        terminal.shows("To       bob@example.org", "Subject  One")
        terminal.type("\x10Outbox\r\x10History\r\x10Compose\r")
        terminal.until_quiet(0.5)
        terminal.type(" again")
        terminal.shows("[Compose]")


def test_a_letter_meant_for_the_dialog_is_no_key_of_the_list(tmp_path: Path) -> None:
    """`t` and a time in one burst reschedule: none of the letters holds, cancels or deletes."""
    message = ("--hold", "--to", "bob@example.org", "--subject", "Tea", "--body", "At four?")
    command = [sys.executable, "-m", "tui_mailer", "--data-dir", str(tmp_path / "data"), "send", *message]
    subprocess.run(command, env=environment_in(tmp_path), cwd=ROOT, stdin=subprocess.DEVNULL, check=True)
    with in_terminal(tmp_path) as terminal:
        terminal.shows("^S Send")
        terminal.type("\x1bORt2099-12-24 xxx\x15next friday 10:30\r")
        terminal.shows("10:30")
        terminal.type("\x1bOSj\x1bOR\r")
        terminal.shows("Message-ID", "held")


def test_a_dialog_left_before_it_came_up_is_gone_quietly(tmp_path: Path) -> None:
    """Escape as quick as the key that opens a dialog, at every distance between the two, leaves the form as it was."""
    with in_terminal(tmp_path) as terminal:
        terminal.shows("[Compose]", "^S Send")
        for pause in (0.0, 0.005, 0.01, 0.02, 0.04, 0.08) * 3:
            for opening in ("ctrl+l", "f8", "f1", "ctrl+p"):
                terminal.press(opening)
                terminal.read_for(pause)
                terminal.press("escape", "escape")
            terminal.until_quiet(0.2)
        terminal.press("escape")
        terminal.until_quiet(0.3)
        terminal.type("bob@example.org")
        terminal.shows("bob@example.org")


@pytest.mark.parametrize(
    ("after", "shown"),
    [("zebra@example.org", "To       zebra@example.org"), (KEYS["f3"], "[Outbox 1]")],
    ids=["the next mail", "another screen"],
)
def test_what_is_typed_after_the_enter_that_sends_is_for_what_comes_then(
    tmp_path: Path, after: str, shown: str
) -> None:
    """While the message is sealed, which a large file makes long, the keys wait; they aren't the sheet's."""
    (tmp_path / "large.bin").write_bytes(os.urandom(8_000_000))
    with in_terminal(tmp_path) as terminal:
        terminal.type(f"bob@example.org\t\tTea\tCome over.\t{tmp_path}/large.bin\r")
        terminal.shows("large.bin  8.0 MB")
        terminal.press("ctrl+s")
        terminal.shows("Review: nothing has been sent yet")
        terminal.until_quiet(0.8)
        terminal.type(f"\r{after}")
        terminal.shows(shown)


def test_an_enter_pressed_before_the_start_is_one(tmp_path: Path) -> None:
    """The terminal turns it into a line feed while no app has it: it leads on, and attaches, all the same."""
    (tmp_path / "report.pdf").write_bytes(b"%PDF")
    with in_terminal(tmp_path) as terminal:
        terminal.type(f"bob@example.org\r\rTea\rCome\rover.\t{tmp_path}/report.pdf\r")
        terminal.shows("Subject  Tea", "\nCome\nover.", "report.pdf  4 B")
