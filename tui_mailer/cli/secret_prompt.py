"""Secrets come from a person who isn't shown what they type, or from stdin; never from the command line."""

from __future__ import annotations

import sys

from tui_mailer.cli.context import is_interactive
from tui_mailer.domain.errors import InvalidMessage


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

    secret = getpass.getpass(f"Password or token of account {name} (not shown): ", stream=sys.stderr)
    if not secret:
        raise InvalidMessage("Nothing was typed; nothing was stored.", field="secret")
    return secret
