"""Starts ``outbox flush`` as a process of its own that outlives the one that started it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import tui_mailer

if TYPE_CHECKING:
    from tui_mailer.accounts.configuration import Configuration, Paths


def flush_command(paths: Paths, configuration: Configuration) -> list[str]:
    """Builds the command line: the same configuration and data, wherever it is run from."""
    command = [sys.executable, "-m", "tui_mailer", "outbox", "flush", "--data-dir", str(paths.data_dir.absolute())]
    if configuration.path is not None:
        command += ["--config", str(configuration.path.absolute())]
    return command


def start_detached_flush(paths: Paths, configuration: Configuration) -> None:
    """Leaves what is due to a new session without a terminal; raises `OSError` when no process can be started."""
    subprocess.Popen(  # noqa: S603 - our own interpreter and our own arguments
        flush_command(paths, configuration),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd=Path(tui_mailer.__file__).parent.parent,
    )
