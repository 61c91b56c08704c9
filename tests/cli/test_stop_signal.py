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


CLASSES = """
import os, signal, sys
from pathlib import Path
from tui_mailer.cli import main

class Marked:
    def __set_name__(self, owner, name):
        os.kill(os.getpid(), signal.SIGTERM)
        signal.sigtimedwait([signal.SIGUSR1], 0.05)

def make_class(*_):
    type("Made", (), {"marked": Marked()})

main._dispatch = make_class
sys.exit(main.main(["doctor"]))
"""


def test_a_signal_while_a_class_is_being_made_is_no_error_of_ours(tmp_path: Path) -> None:
    """Python before 3.12 wraps whatever is raised there into another error."""
    command = [sys.executable, "-c", CLASSES]
    done = subprocess.run(command, env={"HOME": str(tmp_path)}, check=False, capture_output=True, text=True)
    assert done.returncode == 128 + signal.SIGTERM
    assert done.stderr == "tui-mailer: Stopped by a signal.\n"
