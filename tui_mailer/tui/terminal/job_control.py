"""Whether a shell is there that could bring a stopped program back."""

from __future__ import annotations

import os
from pathlib import Path


def has_shell_above() -> bool:
    """Whether a process above this one stands in its session and in another process group: a shell with job control.

    Without one (``ssh -t HOST tui-mailer``, a window of its own) a program that stops itself stays stopped for good;
    POSIX calls that an orphaned process group. Where it can't be looked up, a shell is believed to be there.
    """
    session, group, process = os.getsid(0), os.getpgrp(), os.getppid()
    try:
        while process > 0 and os.getsid(process) == session:
            if os.getpgid(process) != group:
                return True
            process = _parent_of(process)
    except (OSError, ValueError, IndexError):
        return True
    return False


def _parent_of(process: int) -> int:
    """Linux; raises `OSError` elsewhere."""
    # The name before it, in parentheses, may hold anything.
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
