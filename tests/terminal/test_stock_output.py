"""When what our output leans on turns out different, Textual's own output takes over, and nothing is lost."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from terminal_emulator import Terminal, environment_in

_BREAKS = """
import sys
from tui_mailer.tui.terminal import canvas
from tui_mailer.__main__ import main
kept, calls = getattr(canvas.Canvas, {method!r}), 0
def broken(self, *arguments):
    global calls
    calls += 1
    if calls > {good}:
        raise {error}("internals have changed")
    return kept(self, *arguments)
setattr(canvas.Canvas, {method!r}, broken)
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("method", "good", "error"), [("lay", 40, "AttributeError"), ("put", 0, "TypeError"), ("frame", 8, "LookupError")]
)
def test_an_internal_error_of_the_output_falls_back_to_textuals_own(
    tmp_path: Path, method: str, good: int, error: str
) -> None:
    """From the first frame or in the middle of a word: the screen is whole, and goes on taking keys."""
    code = _BREAKS.format(method=method, good=good, error=error)
    command = [sys.executable, "-c", code, "--data-dir", str(tmp_path / "data")]
    terminal = Terminal(command, environment_in(tmp_path), (80, 24))
    try:
        terminal.shows("[Compose]", "^S Send")
        terminal.type("bob@example.org\t\tA subject\tand a body")
        terminal.shows("bob@example.org", "A subject", "and a body", "^S Send")
        terminal.press("f3")
        terminal.shows("[Outbox]")
        terminal.press("f2")
        terminal.shows("[Compose]", "bob@example.org", "and a body")
        # A letter alone costs much more than it does by our own output: it is Textual's.
        assert terminal.cost("x") > 120
        terminal.press("ctrl+q")
        assert terminal.ended() == 0
    finally:
        terminal.close()
