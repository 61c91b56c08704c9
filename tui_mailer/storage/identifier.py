"""IDs: making the ones storage needs itself, and reading the short forms people type."""

from __future__ import annotations

from datetime import datetime

from tui_mailer.domain.errors import NotFound

ID_LENGTH = 26
SHORTEST_SUFFIX = 4


def new_id(now: datetime) -> str:
    """Makes a ULID of this instant."""
    from ulid import ULID  # it costs a first import 10 ms

    return str(ULID.from_datetime(now))


def normalise(text: str) -> str:
    """Turns a typed ID or suffix into its stored form; raises `NotFound` for what can't be one."""
    typed = text.strip().upper()
    if not typed.isascii() or not typed.isalnum() or not SHORTEST_SUFFIX <= len(typed) <= ID_LENGTH:
        raise NotFound(f"'{text[:40]}' is no ID: give its last {SHORTEST_SUFFIX} characters or more.")
    return typed
