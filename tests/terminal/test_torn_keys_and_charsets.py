"""Keys torn apart by the line, the terminal's own cursor, other character sets: in a pseudo-terminal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from terminal_emulator import in_terminal
from test_app_in_terminal import cli


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


@pytest.mark.parametrize(
    "words",
    [
        ("\U0001f469\u200d\U0001f467", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u2764\ufe0f"),
        ("\u65e5\u3000\u672c", "oui\u00a0!", "1\u202f000", "\u2009x"),
        ("\u05d0\u200f1\u200e", "\u0627\u061c2"),
    ],
)
def test_what_python_calls_unprintable_is_kept_in_field_and_body(tmp_path: Path, words: tuple[str, ...]) -> None:
    """An emoji family, Persian, Hebrew, Japanese and French spaces: a code point at a time, as keyboards send them."""
    with in_terminal(tmp_path) as terminal:
        terminal.shows("^S Send")
        terminal.press("tab", "tab")
        for where in range(2):
            for word in words:
                for character in word:
                    terminal.type(character)
                    terminal.read_for(0.02)
                terminal.type("; ")
            if not where:
                terminal.press("tab")
        terminal.until_quiet(0.3)
        terminal.press("ctrl+o")
        terminal.shows("draft kept")
    (draft,) = cli(tmp_path, "draft", "list")
    assert draft["subject"] == draft["body"] == "; ".join((*words, ""))
