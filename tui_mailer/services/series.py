"""Keeps series of recurring mail going: makes the next occurrence when the last one's time has come.

What was missed while nothing ran isn't caught up: at most the latest occurrence goes out, and only if it is less than
``delivery.late`` late; the one that waits is moved on to its time, so nothing floods.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ulid import ULID

from tui_mailer.domain.errors import InvalidSchedule
from tui_mailer.storage.record import NewSubmission, SeriesRule
from tui_mailer.storage.series import SeriesStep, StaleSeries

if TYPE_CHECKING:
    from tui_mailer.services.repeat import Recurrence
    from tui_mailer.storage.store import Store

_NOT_MISSED = timedelta(seconds=10)
"""A deliverer looks every second: what came no longer ago was met, however short the rule's steps are."""
_MISSED = "Moved on: its time passed while no tui-mailer ran."


def keep_up(store: Store, now: datetime, late: timedelta) -> int:
    """Makes and moves occurrences until no series is behind; returns how many steps were taken by this process."""
    steps = 0
    while True:
        taken = sum(store.outbox.advance_series(seen, _step(store, seen, now, late)) for seen in _behind(store, now))
        if not taken:
            return steps
        steps += taken


def _behind(store: Store, now: datetime) -> list[StaleSeries]:
    return store.outbox.stale_series(now)


def _step(store: Store, seen: StaleSeries, now: datetime, late: timedelta) -> SeriesStep:
    from tui_mailer.services.repeat import following, latest

    recurrence = recurrence_of(seen.rule)
    try:
        following_one = following(recurrence, seen.last_at)
    except InvalidSchedule:
        return SeriesStep()  # no rule any more by the library at hand: better no mail than wrong mail

    def reach(at: datetime | None) -> SeriesStep:
        if at is None:
            return SeriesStep()
        if seen.is_waiting and seen.last_at <= now:
            return SeriesStep(moved_to=at, remark=_MISSED)
        return SeriesStep(made=_occurrence(store.outbox.series_template, seen.rule, at, now))

    is_last_too_late = seen.is_waiting and now - seen.last_at > late
    if following_one is None:
        return SeriesStep()
    if following_one > now or now - seen.last_at <= _NOT_MISSED:
        if is_last_too_late:
            return reach(following_one)
        return SeriesStep(made=_occurrence(store.outbox.series_template, seen.rule, following_one, now))
    newest = latest(recurrence, seen.last_at, now) or following_one
    return reach(newest if now - newest <= late else following(recurrence, newest))


def recurrence_of(rule: SeriesRule) -> Recurrence:
    """Makes the rule's occurrences computable."""
    from tui_mailer.services.repeat import Recurrence

    return Recurrence(rule=rule.rule, words=rule.words, zone=rule.zone, start=rule.start)


def _occurrence(
    template_of: Callable[[str], NewSubmission], rule: SeriesRule, at: datetime, now: datetime
) -> NewSubmission:
    template = template_of(rule.id)
    new_id = str(ULID())
    message = template.message
    return replace(
        template,
        message=replace(
            message,
            id=new_id,
            message_id=message.message_id if message.raw_sha256 else f"<{new_id}@{message.sender.domain}>",
        ),
        key=None,
        not_before=at,
        created_at=now,
        draft=None if template.draft is None else template.draft._replace(schedule=at.isoformat()),
    )
