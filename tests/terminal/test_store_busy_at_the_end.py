"""The terminal goes while another process keeps the store busy: what was typed is there at the next start."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from terminal_emulator import in_terminal
from test_app_in_terminal import cli, configure


def texts(folder: Path) -> list[str]:
    """What the drafts say."""
    drafts = cli(folder, "draft", "list")
    return sorted(json.dumps(cli(folder, "draft", "show", str(one["id"]))) for one in drafts)


def test_keys_that_waited_for_the_next_message_are_kept(tmp_path: Path) -> None:
    """^N waits for the store, and says so; the mail typed behind it is a draft of its own when the line drops."""
    configure(tmp_path)
    with in_terminal(tmp_path) as terminal:
        terminal.type("first@example.org")
        terminal.shows("draft saved")
        with closing(apsw.Connection(str(tmp_path / "data" / "outbox.db"))) as other:
            other.execute("BEGIN IMMEDIATE")
            terminal.type(", second@example.org")
            terminal.press("ctrl+n")
            time.sleep(0.3)
            terminal.type("third@example.org\r\rSubject\rwhole paragraph")
            terminal.shows("the store is busy: one moment, nothing is lost")
            os.kill(terminal.process.pid, signal.SIGHUP)
            time.sleep(1.0)
            other.execute("ROLLBACK")
        assert terminal.ended() == 128 + signal.SIGHUP
    told = texts(tmp_path)
    assert any("first@example.org, second@example.org" in one for one in told)
    assert any("third@example.org" in one and "whole paragraph" in one for one in told)


def test_what_the_store_does_not_take_in_time_lies_beside_it(tmp_path: Path) -> None:
    """Busy until after the app has gone: the next start makes a draft of the last words, every field of them."""
    configure(tmp_path)
    with in_terminal(tmp_path) as terminal:
        terminal.type("bob@example.org")
        terminal.shows("draft saved")
        with closing(apsw.Connection(str(tmp_path / "data" / "outbox.db"))) as other:
            other.execute("BEGIN IMMEDIATE")
            terminal.type(", and the last words")
            terminal.shows("last words")
            os.kill(terminal.process.pid, signal.SIGHUP)
            terminal.ended()
            other.execute("ROLLBACK")
    (left,) = (tmp_path / "data").glob("draft-*.json")
    assert left.stat().st_mode & 0o077 == 0
    with in_terminal(tmp_path) as terminal:
        terminal.shows("A text that was left is a draft of its own now: F8 opens it.")
        terminal.press("f8")
        terminal.shows("Drafts:")
        terminal.press("enter")
        terminal.shows("bob@example.org, and the last words")
    assert not left.exists()


@pytest.mark.parametrize("way", ["SIGTERM", "SIGHUP", "^Q ^Q"])
def test_what_the_data_dir_does_not_take_lies_beside_the_logs(tmp_path: Path, way: str) -> None:
    """The data dir has gone under the app: the last words are in a file that is named, and a draft once it is back."""
    configure(tmp_path)
    data = tmp_path / "data"
    with in_terminal(tmp_path) as terminal:
        terminal.type("bob@example.org")
        terminal.shows("draft saved")
        data.rename(tmp_path / "away")
        terminal.type(", and the last words")
        terminal.shows("last words", "Close every tui-mailer")
        if way == "^Q ^Q":
            terminal.press("ctrl+q")
            terminal.shows("^Q again leaves")
            time.sleep(1.0)
            terminal.press("ctrl+q")
        else:
            os.kill(terminal.process.pid, getattr(signal, way))
        assert terminal.ended() == {"SIGTERM": 143, "SIGHUP": 129}.get(way, 0)
        (left,) = (tmp_path / "state" / "tui-mailer").glob("draft-*.json")
        assert left.stat().st_mode & 0o077 == 0
        if way != "SIGHUP":
            assert left.name.encode() in terminal.raw.replace(b"\r\n", b"")
    if data.exists():
        shutil.rmtree(data)
    (tmp_path / "away").rename(data)
    with in_terminal(tmp_path) as terminal:
        terminal.shows("A text that was left is a draft of its own now: F8 opens it.")
    assert not left.exists()
    assert any("bob@example.org, and the last words" in one for one in texts(tmp_path))
