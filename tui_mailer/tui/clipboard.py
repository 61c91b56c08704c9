"""The terminal's clipboard: OSC 52, also from inside tmux and screen, which keep it to themselves unless asked."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Mapping

_ESCAPE = "\x1b"
_TMUX_SECONDS = 2.0
_SCREEN_CHUNK = 700
"""Bytes: screen cuts a device control string that is longer than 768."""


def passed_through(text: str, environment: Mapping[str, str]) -> str:
    """Writes OSC 52 wrapped for the multiplexer one is in, to be sent beside the plain one; empty outside of any."""
    plain = f"\x1b]52;c;{base64.b64encode(text.encode('utf-8', 'replace')).decode('ascii')}\x07"
    if environment.get("TMUX"):
        return f"\x1bPtmux;{plain.replace(_ESCAPE, _ESCAPE * 2)}\x1b\\"
    if environment.get("STY"):
        pieces = [plain[at : at + _SCREEN_CHUNK] for at in range(0, len(plain), _SCREEN_CHUNK)]
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return ""


def hand_to_tmux(text: str, environment: Mapping[str, str]) -> None:
    """Gives the text to tmux itself, whose own paste works whatever it lets through; blocks: not for the event loop.

    ``-w`` (tmux 3.2) passes it on to the terminal as well. What goes wrong is no loss: the sequence was sent, too.
    """
    if not environment.get("TMUX"):
        return
    try:
        subprocess.run(
            ["tmux", "load-buffer", "-w", "-"],  # noqa: S607 - the tmux one is in, found as one's shell finds it
            input=text.encode("utf-8", "replace"),
            capture_output=True,
            timeout=_TMUX_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return
