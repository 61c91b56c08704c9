"""Slow lines, other character sets, and text that would like to steer the terminal, in a pseudo-terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from terminal_emulator import ROOT, Terminal, environment_in, in_terminal

NASTY = "x\x1b]0;PWNED\x07y\x1b[2Jz\x9b31m\u202eevil [/b][@click=app.quit]"
SLY = "\u202eevil [/b][@click=app.quit]"
STEERING = (b"\x1b]0;PWNED", b"\x1b[2J", "\x9b".encode(), "\u202e".encode(), b"\x07")


def cli(folder: Path, *arguments: str) -> None:
    """Runs a command on the same data."""
    command = [sys.executable, "-m", "tui_mailer", "--data-dir", str(folder / "data"), *arguments]
    done = subprocess.run(
        command, env=environment_in(folder), cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_nothing_from_outside_steers_the_terminal_in_any_screen(tmp_path: Path) -> None:
    """Names, subjects, bodies, file names and drafts full of escapes: every screen shows them, none obeys."""
    file = tmp_path / "a\x1b[2Jb\u202egnp.txt"
    file.write_text("content")
    # What is sealed has no control characters in its header; the rest may be anything.
    rest = ("--body", NASTY, "--attach", str(file), "--note", NASTY)
    cli(tmp_path, "send", "--to", '"evil [/b]" <bob@example.org>', "--subject", SLY, *rest)
    cli(tmp_path, "send", "--hold", "--to", "cy@example.org", "--subject", SLY, *rest)
    cli(tmp_path, "draft", "new", "--to", NASTY, "--subject", NASTY, *rest)
    with in_terminal(tmp_path) as terminal:
        terminal.shows("^S Send")
        walk(terminal)
        for sequence in STEERING:
            assert sequence not in terminal.raw, sequence
        terminal.press("ctrl+q")
        assert terminal.ended() == 0
        for sequence in STEERING:
            assert sequence not in terminal.raw, sequence


def walk(terminal: Terminal) -> None:
    """Opens everything there is."""
    terminal.press("f8")
    terminal.shows("Drafts:", "evil")
    terminal.press("enter")
    terminal.until_gone("Drafts:")
    terminal.shows("evil")
    for key in ("ctrl+s", "escape", "ctrl+l", "escape", "f1", "escape", "ctrl+p", "escape", "f9", "escape"):
        terminal.press(key)
        terminal.until_quiet(0.2)
    for room in ("f3", "f4"):
        terminal.press(room)
        terminal.shows("evil")
        terminal.press("enter")
        terminal.shows("Message-ID")
        terminal.press("escape")
        terminal.until_gone("Message-ID")


def test_arrow_keys_survive_bytes_that_come_one_by_one(tmp_path: Path) -> None:
    """ESC, a third of a second, [, a third of a second, D: the cursor goes left, and nothing is typed or closed."""
    with in_terminal(tmp_path) as terminal:
        terminal.shows("^S Send")
        terminal.answers_status = False
        terminal.type("ac")
        terminal.shows("ac")
        for byte in "\x1b[D":
            terminal.read_for(0.3)
            terminal.type(byte)
        terminal.read_for(0.3)
        terminal.type("b")
        terminal.shows("abc")


def test_the_terminals_own_cursor_stands_at_the_caret(tmp_path: Path) -> None:
    """With ui.terminal_cursor the cursor is shown where the next letter goes, for input methods and braille."""
    config = tmp_path / "config.yaml"
    config.write_text("ui: {terminal_cursor: true}\n")
    config.chmod(0o600)
    with in_terminal(tmp_path, "--config", str(config)) as terminal:
        terminal.shows("^S Send")
        terminal.type("abc")
        terminal.shows("abc")
        terminal.until_quiet()
        assert b"\x1b[?25h" in terminal.raw
        assert b"\x1b[?25l" not in terminal.raw
        x, y = terminal.cursor()
        assert terminal.text().splitlines()[y][:x].endswith("abc")
        assert not any(cell[7] for row in terminal.cells() for cell in row)


def test_a_terminal_without_unicode_is_sent_its_own_letters(tmp_path: Path) -> None:
    """In a Latin-1 locale rules are dashes and every byte sent or typed is Latin-1."""
    with in_terminal(tmp_path, PYTHONIOENCODING="latin-1") as terminal:
        terminal.shows("^S Send", "-----")
        terminal.press("tab", "tab")
        os.write(terminal.master, "Gr\xfc\xdfe".encode("latin-1"))
        terminal.until_quiet(0.3)
        for letter in "Gr\xfc\xdfe":
            assert letter.encode("latin-1") in terminal.raw
        assert "Gr\xfc\xdfe".encode() not in terminal.raw
        assert "─".encode() not in terminal.raw
