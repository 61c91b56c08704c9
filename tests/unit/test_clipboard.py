"""Copying out of the terminal: OSC 52, also inside tmux and screen."""

from __future__ import annotations

import base64
import re

from tui_mailer.tui.clipboard import hand_to_tmux, passed_through

ID = "<01KDVT30J06140ZKJ27WDX6V4B@example.org>"


def test_outside_of_a_multiplexer_nothing_is_added():
    """The terminal itself understands the plain sequence."""
    assert passed_through(ID, {}) == ""


def test_tmux_gets_it_wrapped_with_doubled_escapes():
    """What tmux passes on is the plain sequence, whole."""
    wrapped = passed_through(ID, {"TMUX": "/tmp/tmux-0/default,1,0"})
    assert wrapped.startswith("\x1bPtmux;")
    inner = wrapped.removeprefix("\x1bPtmux;").removesuffix("\x1b\\").replace("\x1b\x1b", "\x1b")
    assert inner == f"\x1b]52;c;{base64.b64encode(ID.encode()).decode()}\x07"


def test_screen_gets_it_in_pieces_it_takes():
    """screen cuts long control strings: no piece is longer, and together they are the whole."""
    text = "x" * 5000
    pieces = re.findall("\x1bP(.*?)\x1b\\\\", passed_through(text, {"STY": "1.pts-0"}), re.DOTALL)
    assert max(map(len, pieces)) <= 700
    assert "".join(pieces) == f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\x07"


def test_a_tmux_that_is_not_there_does_no_harm():
    """Neither a missing program nor an odd text raises."""
    hand_to_tmux("\udcff", {"TMUX": "/nonexistent/socket,1,0", "PATH": "/nonexistent"})
