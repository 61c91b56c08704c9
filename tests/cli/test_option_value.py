"""Values that can't be meant are refused before anything is stored."""

from __future__ import annotations

from pathlib import Path

import pytest
from program_run import TuiMailer

SEND = ("send", "--to", "bob@example.org", "--body", "x")


@pytest.mark.parametrize("key", ["", " "])
def test_an_empty_key_is_refused(tui_mailer: TuiMailer, maildir: Path, key: str) -> None:
    """``--key "$UNSET"`` would swallow every message but the first."""
    refused = tui_mailer(*SEND, "--key", key)
    assert (refused.code, "key can't be empty" in refused.err) == (64, True)
    assert not maildir.exists()


@pytest.mark.parametrize("option", ["--retries", "--undo", "--wait"])
def test_a_number_beyond_all_sense_is_refused(tui_mailer: TuiMailer, maildir: Path, option: str) -> None:
    """No number is too large for the program: it says what it takes."""
    refused = tui_mailer(*SEND, option, "9" * 20)
    assert (refused.code, "at most 9 digits" in refused.err) == (64, True)
    assert not maildir.exists()
