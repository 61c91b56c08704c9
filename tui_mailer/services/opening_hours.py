"""Which accounts may send now, and when the others may again (their ``window``)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo

from tui_mailer.accounts.configuration import Configuration
from tui_mailer.domain.submission import State
from tui_mailer.domain.window import Window, read_window
from tui_mailer.storage.record import Submission


def windows_of(configuration: Configuration) -> Mapping[str, Window]:
    """Returns the windows of the accounts that have one."""
    return {one.name: read_window(one.window) for one in configuration.accounts.values() if one.window}


def closed_accounts(configuration: Configuration, now: datetime, zone: tzinfo) -> frozenset[str]:
    """Names the accounts that may not send now: their mail waits untouched, but for what a person wants out anyway."""
    return frozenset(name for name, window in windows_of(configuration).items() if not window.is_open(now, zone))


def opens_at(submission: Submission, window: Window | None, now: datetime, zone: tzinfo) -> datetime | None:
    """Tells when what waits may leave by its account's hours; None where they don't delay it."""
    if window is None or submission.is_any_time or submission.state not in (State.QUEUED, State.DEFERRED):
        return None
    due = max(submission.next_attempt_at or submission.not_before, now)
    opening = window.opens_at(due, zone)
    return opening if opening > due else None
