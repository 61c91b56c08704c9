"""Where stdout or stderr can't be written, the exit code still says what became of the mail."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

SEND = ("send", "--to", "bob@example.org", "--subject", "x", "--body", "x")
FULL = Path("/dev/full")
pytestmark = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")

Stream = IO[str] | int


def run(*words: str, out: Stream = subprocess.DEVNULL, err: Stream = subprocess.DEVNULL, stdin: bytes = b"") -> int:
    """Calls the program in a process of its own, whose last flush counts too."""
    command = [sys.executable, "-m", "tui_mailer", *words]
    return subprocess.run(command, input=stdin, stdout=out, stderr=err, check=False).returncode


@pytest.fixture
def full() -> Iterator[IO[str]]:
    """A stream that takes nothing: the disk behind it is full."""
    with FULL.open("w") as opened:
        yield opened


def test_a_sent_message_is_0_though_the_document_is_lost(full: IO[str], maildir: Path) -> None:
    """A script that took the failed write for a failed send would send it again."""
    assert run("--json", *SEND, out=full) == 0
    assert len(list(maildir.iterdir())) == 1


def test_a_sent_message_is_0_though_nobody_reads_stderr(full: IO[str], maildir: Path) -> None:
    """A sentence that nobody can read is no failure."""
    assert run(*SEND, err=full) == 0
    assert run("--json", *SEND, out=full, err=full) == 0
    assert len(list(maildir.iterdir())) == 2


def test_a_reader_who_left_changes_nothing(maildir: Path) -> None:
    """``send --json | head -0`` has sent the message, and says so."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert run("--json", *SEND, out=writer, err=writer) == 0
    finally:
        os.close(writer)
    assert len(list(maildir.iterdir())) == 1


def test_sendmail_is_0_once_it_is_stored(full: IO[str]) -> None:
    """What is durable isn't handed over a second time because of a log on a full disk."""
    assert run("--json", "sendmail", "-t", out=full, err=full, stdin=b"To: bob@example.org\n\nx\n") == 0


def test_a_flush_says_what_was_delivered(full: IO[str], maildir: Path) -> None:
    """Delivering what was due is 0, whoever can't be told."""
    assert run(*SEND, "--queue") == 0
    assert run("--json", "outbox", "flush", out=full) == 0
    assert len(list(maildir.iterdir())) == 1


def test_what_was_asked_for_and_not_written_is_74(full: IO[str]) -> None:
    """A list that didn't arrive is an input/output failure."""
    assert run(*SEND, "--hold") == 0
    assert run("outbox", "list", out=full) == 74
    assert run("--json", "outbox", "list", out=full) == 74


def test_a_refusal_keeps_its_code(full: IO[str]) -> None:
    """Bad message data is 65, wherever the sentence about it went."""
    assert run("--json", "send", "--to", "nobody", "--body", "x", out=full, err=full) == 65
