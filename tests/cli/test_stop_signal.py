"""SIGTERM ends a command with its own exit code, whatever it was just doing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from tui_mailer.cli.main import StopSignals
signals = StopSignals()
try:
    with signals:
        exec("import os, signal; os.kill(os.getpid(), signal.SIGTERM); signal.pause()")
except KeyboardInterrupt:
    sys.exit(143 if signals.is_terminated else 1)
"""


def test_sigterm_in_the_midst_of_an_import_is_143(tmp_path: Path) -> None:
    """Who stops a process that is just starting sees that it was stopped, not that somebody pressed Ctrl+C."""
    (tmp_path / "starting.py").write_text(PROGRAM)
    assert subprocess.run([sys.executable, "-m", "starting"], cwd=tmp_path, check=False).returncode == 143
