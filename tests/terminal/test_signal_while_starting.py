"""Told to go before it has come up, the app ends as soon and as cleanly as later."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import pytest
from terminal_emulator import Terminal, environment_in

PROBE = """
import importlib, os, sys
from tui_mailer.cli.main import main

module, name, number, *words = sys.argv[1:]
holder = importlib.import_module(module)
*path, last = name.split(".")
for part in path:
    holder = getattr(holder, part)
of_old = getattr(holder, last)

def and_told_to_go(*arguments, **more):
    setattr(holder, last, of_old)
    os.kill(os.getpid(), int(number))
    return of_old(*arguments, **more)

setattr(holder, last, and_told_to_go)
sys.exit(main(words))
"""
MOMENTS = (
    "tui_mailer.tui.app make_app",
    "asyncio Runner.get_loop",
    "textual.app App._build_driver",
    "tui_mailer.tui.terminal.driver PatientDriver.start_application_mode",
    "tui_mailer.tui.widgets.compose_form ComposeForm.compose",
    "tui_mailer.tui.widgets.attachment_field AttachmentField.show",
    "tui_mailer.tui.app MailerApp._started",
    "tui_mailer.tui.terminal.quiet_app QuietApp._write_frame",
)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_signal_in_the_midst_of_the_start(tmp_path: Path, moment: str, number: signal.Signals) -> None:
    """Its own exit code within seconds, the terminal as it was, and no error of our own in the log."""
    words = [*moment.split(), str(int(number)), "--data-dir", str(tmp_path / "data")]
    terminal = Terminal([sys.executable, "-c", PROBE, *words], environment_in(tmp_path), (80, 24))
    began = time.monotonic()
    try:
        assert terminal.ended() == 128 + number
        assert terminal.attributes_now() == terminal.attributes_before
        assert terminal.raw.count(b"\x1b[?1049h") == terminal.raw.count(b"\x1b[?1049l")
    finally:
        terminal.close()
    assert time.monotonic() - began < 7, "it was given up on, not ended"
    assert not list(tmp_path.rglob("crash.log"))
