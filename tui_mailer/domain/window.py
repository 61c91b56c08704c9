"""Working and quiet hours: when an account may send, as wall time in a zone.

A window is a list of entries. ``mon-fri 08:00-18:00`` lets mail out then; ``not sat,sun`` and ``quiet 22:00-07:00``
keep it in. Days alone mean the whole day, hours alone every day, hours past midnight belong to the day they begin on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

ALLOWED = "`mon-fri 08:00-18:00`, `sat 9:00-12:00`, `not sat,sun`, `quiet 22:00-07:00`, with a zone after it if need be"
"""What a refusal offers."""
_DAY_WORDS = {"daily": range(7), "weekdays": range(5), "weekday": range(5), "weekend": (5, 6), "weekends": (5, 6)}
_ALL_DAY = (0, 24 * 60)
_LOOK_AHEAD_DAYS = 9
"""A week has every opening there is; two days more for hours past midnight and clock changes."""


@dataclass(frozen=True, slots=True)
class Hours:
    """One entry: some hours of some days of the week."""

    days: frozenset[int]
    """0 is Monday."""
    spans: tuple[tuple[int, int], ...]
    """Minutes since midnight; an end before its start lies on the next day."""
    is_quiet: bool
    zone: tzinfo | None = None
    """None: the person's own."""

    def covers(self, at: datetime, zone: tzinfo) -> bool:
        """Says whether an instant lies within these hours."""
        local = at.astimezone(self.zone or zone)
        minute = local.hour * 60 + local.minute
        today, yesterday = local.weekday(), (local.weekday() - 1) % 7
        for start, end in self.spans:
            is_today = today in self.days and start <= minute < (end if end > start else 24 * 60)
            if is_today or (end <= start and yesterday in self.days and minute < end):
                return True
        return False

    def edges(self, at: datetime, zone: tzinfo) -> Iterable[datetime]:
        """Lists the instants near and after ``at`` at which these hours begin or end."""
        zone = self.zone or zone
        first = at.astimezone(zone).date()
        for offset in range(-1, _LOOK_AHEAD_DAYS):
            day = datetime.combine(first + timedelta(days=offset), time())
            for minute in {0, *(edge for span in self.spans for edge in span)}:
                wall = day + timedelta(minutes=minute)
                for fold in (0, 1):  # a wall time that comes twice, or is skipped, has two instants
                    yield wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """When an account may send; without any entry, always."""

    hours: tuple[Hours, ...] = ()

    def is_open(self, at: datetime, zone: tzinfo) -> bool:
        """Says whether mail may leave at an instant."""
        working = [one for one in self.hours if not one.is_quiet]
        if working and not any(one.covers(at, zone) for one in working):
            return False
        return not any(one.covers(at, zone) for one in self.hours if one.is_quiet)

    def opens_at(self, at: datetime, zone: tzinfo) -> datetime:
        """Tells when mail may leave: ``at`` itself, or the next opening (UTC)."""
        if self.is_open(at, zone):
            return at
        edges = sorted({edge for one in self.hours for edge in one.edges(at, zone) if edge > at})
        return next((edge for edge in edges if self.is_open(edge, zone)), at + timedelta(days=_LOOK_AHEAD_DAYS))


@lru_cache(maxsize=64)
def read_window(entries: tuple[str, ...]) -> Window:
    """Reads a window; raises ValueError with a sentence for an entry that isn't one, or hours that never open."""
    window = Window(tuple(_hours(entry) for entry in entries))
    monday = datetime(2026, 1, 5, tzinfo=UTC)
    if not window.is_open(window.opens_at(monday, UTC), UTC):
        raise ValueError("these hours leave no time at all in which mail may go out")
    return window


def _hours(entry: str) -> Hours:
    words = entry.replace("\N{EN DASH}", "-").split()
    is_quiet = bool(words) and words[0].lower() in {"not", "quiet"}
    if is_quiet:
        words = words[1:]
    zone = None
    if len(words) > 1 and re.fullmatch(r"[A-Za-z_]+(/[A-Za-z0-9_+-]+)+|UTC", words[-1]):
        zone = _zone(words.pop())
    days, spans = frozenset(range(7)), (_ALL_DAY,)
    if words and words[0][:1].isalpha():
        days = _days(words.pop(0), entry)
    if words:
        spans = tuple(_span(part, entry) for part in "".join(words).split(","))
    elif days == frozenset(range(7)) and not is_quiet and entry.strip().lower() not in _DAY_WORDS:
        raise _wrong(entry)
    return Hours(days, spans, is_quiet, zone)


def _days(text: str, entry: str) -> frozenset[int]:
    days: set[int] = set()
    for part in text.lower().rstrip(",").split(","):
        if part in _DAY_WORDS:
            days.update(_DAY_WORDS[part])
            continue
        first, dash, last = part.partition("-")
        begin, end = _day(first, entry), _day(last if dash else first, entry)
        days.update((begin + offset) % 7 for offset in range((end - begin) % 7 + 1))
    return frozenset(days)


def _day(word: str, entry: str) -> int:
    for number, name in enumerate(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")):
        if len(word) >= 3 and name.startswith(word):
            return number
    raise _wrong(entry)


def _span(text: str, entry: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,2})(?::(\d\d))?-(\d{1,2})(?::(\d\d))?", text)
    if match is None:
        raise _wrong(entry)
    start, end = int(match[1]) * 60 + int(match[2] or 0), int(match[3]) * 60 + int(match[4] or 0)
    is_right = int(match[2] or 0) < 60 and int(match[4] or 0) < 60 and start < 24 * 60 and end <= 24 * 60
    if not is_right or start == end:
        raise _wrong(entry)
    return start, end


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name[:80]!r} is no time zone; a name such as Europe/Berlin is wanted") from None


def _wrong(entry: str) -> ValueError:
    return ValueError(f"{entry[:80]!r} is no time of the week; allowed: {ALLOWED}")
