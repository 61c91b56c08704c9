"""What a person waits for between Enter in the shell and the echo of the first key: nothing but the form."""

from __future__ import annotations

import json
import os
import select
import sys
from pathlib import Path

from terminal_emulator import Terminal, environment_in

PROBE = """
import json, sys
from pathlib import Path
from tui_mailer.cli.main import main
from tui_mailer.tui.terminal.quiet_app import QuietApp

frames, write = [], QuietApp._write_frame

def write_and_tell(app, driver, frame):
    write(app, driver, frame)
    frames.append(frame)
    if "zq" in frame:
        Path(sys.argv[-1] + ".new").write_text(json.dumps([frames, sorted(sys.modules)]))
        Path(sys.argv[-1] + ".new").rename(sys.argv[-1])
        QuietApp._write_frame = write

QuietApp._write_frame = write_and_tell
told = sys.argv[-1]
sys.exit(main(["--data-dir", told + ".data"]))
"""
LATER = (
    *("tui_mailer.storage", "tui_mailer.providers", "tui_mailer.domain.submission", "tui_mailer.domain.window"),
    *("tui_mailer.services.session", "tui_mailer.services.mailer", "tui_mailer.services.engine"),
    *("tui_mailer.services.event", "tui_mailer.services.account", "tui_mailer.accounts.yaml"),
    *("tui_mailer.tui.words", "tui_mailer.tui.watch", "tui_mailer.tui.farewell", "tui_mailer.tui.folder"),
    *(f"tui_mailer.tui.screens.{name}" for name in ("outbox", "history", "review", "schedule", "help", "dialog")),
    *("aiosmtplib", "apsw", "botocore", "email.message", "http.client", "httpx", "idna", "keyring", "markdown_it"),
    *("pydantic", "pygments", "ruamel", "sqlite3", "urllib.request", "zoneinfo"),
)
"""Loaded after the first echo, with all below them."""


def test_the_first_frame_is_the_whole_form_and_typed_keys_wait_for_nothing_else(tmp_path: Path) -> None:
    """Keys typed before the start are on the screen before store, engine, other screens or any library of theirs."""
    told = tmp_path / "told"
    command = [sys.executable, "-c", PROBE, str(told)]
    terminal = Terminal(command, environment_in(tmp_path), (80, 24))
    try:
        os.write(terminal.master, b"zq")
        while not told.exists():
            assert select.select([terminal.master], [], [], 30)[0], "no echo"
            os.read(terminal.master, 65536)
    finally:
        terminal.close()
    frames, modules = json.loads(told.read_text())
    for words in ("[Compose]", "From", "To", "Subject", "now, or: tomorrow 9am", "^S"):
        assert words in frames[0], f"{words} is missing in the first frame"
    early = [name for name in modules for later in LATER if name == later or name.startswith(f"{later}.")]
    assert early == []
