"""Noticing that the configuration file has changed, and reading it again once whoever changes it is done."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from tui_mailer.accounts.configuration import Configuration, FileVersion, Paths
from tui_mailer.accounts.load import load
from tui_mailer.accounts.snapshot import version_of
from tui_mailer.accounts.trouble import error_at

REST_SECONDS = 0.2
"""Some editors empty the file and then write it, or move it away and write another: half of it may be valid, too."""
_MOST_LOOKS = 10


def version_now(path: Path) -> FileVersion | None:
    """Names the version of the file that is there now; None where none can be seen."""
    try:
        return version_of(path.stat())
    except OSError:
        return None


def have_reread(paths: Paths) -> None:
    """Has every process that follows the file read it again, and fetch secrets anew: one has just been stored."""
    # Where the file is somebody else's they notice when a server refuses the old one.
    with suppress(OSError):
        os.utime(paths.config_file)


def reread(paths: Paths, known: Configuration) -> Configuration:
    """Reads the file again once it has rested for `REST_SECONDS`; blocks for that long, at most ten times.

    Raises `ConfigurationError`, also where a file that was there is gone: nobody's mail is to leave by the embedded
    account because of that.
    """
    _wait_for_rest(paths.config_file)
    if known.version is not None and version_now(paths.config_file) is None:
        raise error_at(paths.config_file, None, "", "this file is gone")
    return load(paths)


def _wait_for_rest(path: Path) -> None:
    seen = version_now(path)
    for _ in range(_MOST_LOOKS):
        time.sleep(REST_SECONDS)
        now = version_now(path)
        if now == seen:
            return
        seen = now
