"""Keeps what a bug left behind: the traceback without local variables, secrets blotted out, for its owner only."""

from __future__ import annotations

import os
import re
import traceback
from datetime import UTC, datetime
from pathlib import Path

_LOG_NAME = "crash.log"
_LARGEST_LOG = 1_000_000
_SECRETS = re.compile(
    r"(?i)((?:password|passwd|secret|token|api[_-]?key|authorization|credential)\w*['\"]?\s*[:=]\s*|bearer\s+|basic\s+)"
    r"('[^']*'|\"[^\"]*\"|\S+)"
)
_LONG_CODE = re.compile(r"\b[A-Za-z0-9+]{32,}={0,2}")


def write_crash(error: BaseException) -> str:
    """Appends to the log and says where it is."""
    path = _log_path()
    entry = f"{datetime.now(UTC).isoformat(timespec='seconds')} pid {os.getpid()}\n{redact(_trace(error))}\n"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = "w" if path.exists() and path.stat().st_size > _LARGEST_LOG else "a"
        with path.open(mode, encoding="utf-8", errors="backslashreplace") as log:
            log.write(entry)
    except OSError as trouble:
        return f"{type(error).__name__}; the details couldn't be kept: {trouble.strerror} ({path})."
    return f"The details, without secrets, are in {path}."


def redact(text: str) -> str:
    """Blots out what looks like a secret."""
    return _LONG_CODE.sub("[...]", _SECRETS.sub(r"\1[...]", text))


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def _log_path() -> Path:
    from tui_mailer.accounts.load import find_paths

    return find_paths().state_dir / _LOG_NAME
