"""Secrets come from a person who isn't shown what they type, or from stdin; never from the command line."""

from __future__ import annotations

import os
import signal
import sys
import termios
from collections.abc import Generator
from contextlib import contextmanager, suppress
from types import FrameType

from tui_mailer.cli.context import is_interactive
from tui_mailer.domain.errors import InvalidMessage

_LEAVING = (signal.SIGTSTP, signal.SIGQUIT)
"""Of Ctrl+Z and Ctrl+backslash, which leave a prompt without Python ever hearing of it."""


def read_secret(name: str) -> str:
    """Asks a person, else reads the first line of stdin."""
    if is_interactive():
        return ask_secret(name)
    secret = sys.stdin.readline().rstrip("\r\n") if sys.stdin is not None else ""
    if not secret:
        raise InvalidMessage(f"There was no secret for account '{name}' on stdin. Nothing was stored.", field="secret")
    return secret


def ask_secret(name: str) -> str:
    """Asks for a secret without showing it."""
    import getpass

    with _settings_kept():
        secret = getpass.getpass(f"Password or token of account {name} (not shown): ", stream=sys.stderr)
    if not secret:
        raise InvalidMessage("Nothing was typed; nothing was stored.", field="secret")
    return secret


@contextmanager
def _settings_kept() -> Generator[None]:
    """Gives the terminal back as it was, showing what is typed, to whoever has it after one of those keys."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        yield
        return

    def leave(number: int, _frame: FrameType | None) -> None:
        asking = termios.tcgetattr(terminal)
        termios.tcsetattr(terminal, termios.TCSADRAIN, shown)
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
        # Here again: somebody has brought it back to the foreground.
        signal.signal(number, leave)
        with suppress(termios.error):
            termios.tcsetattr(terminal, termios.TCSADRAIN, asking)

    before = {number: signal.getsignal(number) for number in _LEAVING}
    try:
        shown = termios.tcgetattr(terminal)
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, leave)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(terminal)
