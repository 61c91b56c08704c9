"""SIGTERM and SIGHUP end a command with their own exit codes, whatever it was just doing."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from tui_mailer.cli.main import StopSignals
signals = StopSignals()
try:
    with signals:
        exec("import os, signal; os.kill(os.getpid(), int(sys.argv[1])); signal.sigtimedwait([signal.SIGUSR1], 0.05)")
except KeyboardInterrupt:
    sys.exit(128 + signals.number)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_midst_of_an_import_has_its_own_code(tmp_path: Path, number: signal.Signals) -> None:
    """Who stops a process that is just starting sees that it was stopped, not that somebody pressed Ctrl+C."""
    assert _end_by(tmp_path, number) == 128 + number


def test_nohup_keeps_a_command_going(tmp_path: Path) -> None:
    """A command started with nohup outlives its terminal."""
    assert _end_by(tmp_path, signal.SIGHUP, "nohup") == 0


def _end_by(folder: Path, number: signal.Signals, *wrapper: str) -> int:
    (folder / "starting.py").write_text(PROGRAM)
    words = [*wrapper, sys.executable, "-m", "starting", str(int(number))]
    return subprocess.run(words, cwd=folder, check=False, stdin=subprocess.DEVNULL, capture_output=True).returncode
