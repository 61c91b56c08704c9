"""F5 in one app takes back what another has just sent: once, and nobody sends it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from scripted_mail import scripted_server
from terminal_emulator import PATIENCE_SECONDS, in_terminal
from test_app_in_terminal import cli, review_and_send, write

UNDO_SECONDS = 12


@pytest.mark.parametrize("is_race", [False, True], ids=["second app", "both at once"])
def test_it_comes_back_once_and_stays_unsent(tmp_path: Path, *, is_race: bool) -> None:
    """One draft and one canceled mail are left; the first app knows; past its time the server has seen nothing."""
    with (
        scripted_server(tmp_path, undo_seconds=UNDO_SECONDS) as server,
        in_terminal(tmp_path) as first,
        in_terminal(tmp_path) as second,
    ):
        second.shows("^S Send")
        write(first, "bob@example.org", "Regretted", "not like this")
        review_and_send(first)
        first.shows("F5 takes it back")
        second.press("f5")
        second.shows("queued for bob@example.org", "F5 takes it back")
        if is_race:
            first.press("f5")
        second.press("f5")
        takers = (first, second) if is_race else (second,)
        for terminal in (first, second):
            terminal.until_gone("F5 takes it back")
        end = time.monotonic() + PATIENCE_SECONDS
        while not any("taken back: nothing was sent" in one.text() for one in takers):
            assert time.monotonic() < end, [one.text() for one in takers]
            first.read()
            second.read()
        if not is_race:
            second.shows("Subject  Regretted", "not like this")
            first.shows("taken back or canceled elsewhere: it isn't sent")
            first.press("f5")
            first.shows("there is nothing to take back")
        for _ in range(UNDO_SECONDS + 2):
            first.read_for(0.5)
            second.read_for(0.5)
        cli(tmp_path, "outbox", "flush")
        assert cli(tmp_path, "outbox", "list") == []
        (one,) = cli(tmp_path, "history", "list")
        assert (one["state"], one["attempts"]) == ("canceled", 0)
        (draft,) = cli(tmp_path, "draft", "list")
        assert (draft["to"], draft["subject"], draft["body"]) == ("bob@example.org", "Regretted", "not like this")
        assert server.stored == []
        assert not [line for line in server.commands if line.upper().startswith("MAIL")]
        for terminal in (first, second):
            terminal.press("ctrl+q")
            assert terminal.ended() == 0
    assert len(cli(tmp_path, "draft", "list")) == 1
