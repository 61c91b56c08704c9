"""What is left of an unexpected error: one sentence for the person, and a log without local variables or secrets."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

LOG_NAME = "crash.log"
LARGEST_LOG = 1_000_000
"""Bytes; a longer log is begun anew."""
EXIT_CODE = 70
"""A bug (sysexits.h)."""
_SECRETS = (
    r"(?i)\b(authorization|x-api-key|api[-_ ]?key|password|passwd|secret|token|cookie)\b(['\"]?\s*[:=]\s*)\S.*",
    r"(?i)\b(auth(?:\s+(?:plain|login|xoauth2|oauthbearer|cram-md5))?\s+)[A-Za-z0-9+/=_-]{8,}",
    r"(?i)\b(basic|bearer)\s+[A-Za-z0-9+/=._~-]{8,}",
    r"://[^/\s:@]+:[^/\s@]+@",
    r"[A-Za-z0-9+/_-]{32,}={0,2}",
)
"""Not compiled before one is needed: a start would wait for it."""


def redact(text: str) -> str:
    """Replaces what could be a secret: values after telling names, credentials in addresses, long opaque words."""
    for pattern in _SECRETS:
        text = re.sub(pattern, "[removed]", text)
    return text


def write_crash_log(state_dir: Path, error: BaseException) -> Path | None:
    """Appends where it happened (file, line, function; never a local); returns the log, None if it can't be written."""
    lines = [f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n"]
    cause: BaseException | None = error
    while cause is not None:
        lines.extend(
            f"  {frame.filename}:{frame.lineno} {frame.name}\n" for frame in traceback.extract_tb(cause.__traceback__)
        )
        lines.append(f"{type(cause).__module__}.{type(cause).__qualname__}: {redact(str(cause))[:2000]}\n")
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    path = state_dir / LOG_NAME
    return path if append_private(path, lines) else None


def append_private(path: Path, lines: Iterable[str]) -> bool:
    """Appends lines to a log that only its owner can read; says whether it could be written."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_long = path.exists() and path.stat().st_size > LARGEST_LOG
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_TRUNC if is_long else os.O_APPEND)
        handle = os.open(path, flags, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(lines)
    except OSError:
        return False
    return True


def crash_sentence(log: Path | None) -> str:
    """What a person is told."""
    where = f"The details are in {log}." if log else "No log could be written."
    return f"tui-mailer met an error of its own and had to stop; drafts and the outbox are kept. {where}"
