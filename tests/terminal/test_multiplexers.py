"""The app inside tmux and GNU screen, as most who work over SSH run it."""

from __future__ import annotations

import base64
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest
from terminal_emulator import PATIENCE_SECONDS, Terminal, environment_in

from tui_mailer.tui.run import keeps_escape_back

Seen = TypeVar("Seen")

SETTINGS = {
    "screen": "startup_message off\n",
    "tmux": "set -g set-clipboard on\nset -g status off\nset -sg escape-time 20\n",
}


@pytest.fixture(params=list(SETTINGS))
def inside(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminal]:
    """The app in a multiplexer in a terminal."""
    name = request.param
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed: apt-get install {name} (.ci/run does it)")
    settings, place = tmp_path / "settings", tmp_path / "sockets"
    settings.write_text(SETTINGS[name])
    place.mkdir(mode=0o700)
    starts = {
        "screen": ["screen", "-c", str(settings), "-S", "mailer", "-U"],
        "tmux": ["tmux", "-f", str(settings), "-S", str(place / "socket"), "new-session"],
    }
    configuration = tmp_path / "config.yaml"
    configuration.write_text("compose: {undo_seconds: 0}\n")
    app = [sys.executable, "-m", "tui_mailer", "--data-dir", str(tmp_path / "data"), "--config", str(configuration)]
    environment = environment_in(tmp_path, LC_ALL="C.UTF-8", SCREENDIR=str(place), TERM="xterm-256color")
    with closing(Terminal([*starts[name], *app], environment, (80, 24))) as terminal:
        yield terminal
        terminal.press("ctrl+q")
        assert terminal.ended() == 0


def test_a_mail_is_written_sent_and_its_id_copied(inside: Terminal) -> None:
    """Arrows, a paste, Esc and OSC 52 get through, however the multiplexer reads and rewrites them."""
    inside.shows("^S Send")
    inside.type("bob@example.org\t\tHëllo\tBody text")
    inside.shows("Body text")
    inside.type("\x1b[D\x1b[D!")
    inside.shows("Body te!xt")
    inside.paste("pasted\nlines ")
    inside.shows("lines xt")
    inside.press("f1")
    inside.shows("Keys: compose")
    inside.press("escape")
    inside.until_gone("Keys: compose")
    inside.press("ctrl+s")
    inside.shows("Review:")
    inside.until_quiet(0.8)
    inside.press("enter")
    inside.until_gone("Review:")
    inside.press("f4")
    inside.shows("[History]", "Hëllo", "kept")
    inside.type("y")
    inside.shows("copied <")
    copied = _wait_for(inside, lambda: re.search(r"copied (<\S+>)", inside.text()))
    told = base64.b64encode(copied[1].encode())
    _wait_for(inside, lambda: told in inside.raw)


def _wait_for(terminal: Terminal, look: Callable[[], Seen | None]) -> Seen:
    """Reads until there is something to be seen: the clipboard is told before or after the screen."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (seen := look()):
        assert time.monotonic() < end, terminal.text()
        assert terminal.read(), terminal.text()
    return seen


@pytest.mark.parametrize(
    ("environment", "keeps"),
    [
        ({"TERM": "screen.xterm-256color", "STY": "1.x"}, True),
        ({"TERM": "xterm-256color", "STY": "1.x"}, True),
        ({"TERM": "screen-256color"}, True),
        ({"TERM": "screen-256color", "TMUX": "/tmp/x,1,0"}, False),
        ({"TERM": "tmux-256color"}, False),
        ({"TERM": "xterm-256color"}, False),
        ({}, False),
    ],
)
def test_where_the_mouse_would_cost_escape(environment: dict[str, str], keeps: bool) -> None:
    """GNU screen, here or where one came from; not tmux, which says that it is itself."""
    assert keeps_escape_back(environment) is keeps
