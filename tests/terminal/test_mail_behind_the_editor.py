"""Mail goes out while the app has lent its terminal to the person's editor."""

from __future__ import annotations

import time
from pathlib import Path

from scripted_mail import scripted_server
from terminal_emulator import PATIENCE_SECONDS, in_terminal
from test_app_in_terminal import cli, write


def test_a_queued_mail_leaves_while_the_editor_is_open(tmp_path: Path) -> None:
    """The app alone delivers: what another process queues meets the server, and then the editor's text comes back."""
    editor, signal = tmp_path / "editor.sh", tmp_path / "go-on"
    editor.write_text(
        f'echo editing now; while [ ! -e {signal} ]; do sleep 0.05; done; printf "%s, edited" "$(cat "$1")" > "$1"\n'
    )
    with (
        scripted_server(tmp_path) as server,
        in_terminal(tmp_path, EDITOR=f"sh {editor}") as terminal,
    ):
        write(terminal, "eve@example.org", "s", "draft")
        terminal.press("ctrl+r")
        terminal.shows("editing now")
        cli(tmp_path, "send", "--queue", "--to", "bob@example.org", "--subject", "Behind", "--body", "the editor")
        end = time.monotonic() + PATIENCE_SECONDS
        while not server.stored:
            assert time.monotonic() < end, "never delivered"
            terminal.read()
        assert "editing now" in terminal.text()
        signal.touch()
        terminal.shows("[Compose]", "eve@example.org", "draft, edited")
        terminal.press("ctrl+q")
        assert terminal.ended() == 0
        assert [one.recipients for one in server.stored] == [("bob@example.org",)]
    (draft,) = cli(tmp_path, "draft", "list")
    assert draft["body"] == "draft, edited"
