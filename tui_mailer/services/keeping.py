"""Who keeps a scheduled message until its time, and until when its provider would, in a few words for the form."""

from __future__ import annotations

from datetime import datetime, timedelta

from tui_mailer.domain.schedule import describe_instant
from tui_mailer.providers.base import Capabilities
from tui_mailer.providers.capability import SCHEDULE_MARGIN, keeps_schedule
from tui_mailer.services.carrying import Due

_OURS = "this outbox keeps it"


def say_keeper(
    can: Capabilities, title: str, due: Due, now: datetime, *, is_template: bool = False, is_repeat: bool = False
) -> str:
    """Says it for a message that is due later, ``title`` being the provider's; empty where nothing is to be said.

    ``now`` is aware, in the zone in which times are shown. Every text fits 80 columns behind a label.
    """
    if due.at <= now or not can.delivers:
        return ""
    if is_repeat:
        return f"{_OURS}, as everything that recurs"
    if can.schedule_min is None:
        return f"{_OURS} until then"
    if due.by == "outbox":
        return f"{_OURS}, as asked for"
    if keeps_schedule(can, due.at, now, is_template=is_template):
        until = f" up to {_instant(now + can.schedule_max, now)}; later, this outbox does" if can.schedule_max else ""
        return f"{title} keeps it itself{until}"
    return f"{_OURS}: {_why_not(can, title, due, now)}"


def _why_not(can: Capabilities, title: str, due: Due, now: datetime) -> str:
    assert can.schedule_min is not None
    if due.at < now + can.schedule_min + SCHEDULE_MARGIN:
        return f"{title} does only from {_span(can.schedule_min + SCHEDULE_MARGIN)} ahead on"
    if can.schedule_max is not None and due.at > now + can.schedule_max:
        return f"{title} does only up to {_instant(now + can.schedule_max, now)}"
    return f"{title} schedules no templates"


def _instant(at: datetime, now: datetime) -> str:
    """``26 Dec 09:00``: the weekday says nothing so far ahead, and the zone stands beside the time itself."""
    assert now.tzinfo is not None
    said = describe_instant(at.replace(second=0, microsecond=0), now.tzinfo, now=now)
    return said.removesuffix(f" {now.tzinfo}").partition(" ")[2]


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{-(-seconds // 60)} min"
