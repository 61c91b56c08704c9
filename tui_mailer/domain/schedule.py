"""When a message is to go out: words or RFC 3339 into an instant, and an instant back into words with its zone.

A wall time that a clock change skips is moved forward, one that happens twice is taken the first time; both are spelt
out in `Schedule.remark`. Hours, minutes and seconds are real time; days and weeks keep the wall time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Never
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tui_mailer.domain.errors import InvalidSchedule
from tui_mailer.domain.schedule_word import EVENING, MONTHS, MORNING, WEEKDAYS, Reading, read_words
from tui_mailer.domain.text import clean, shorten

YEARS_AHEAD = 5
"""No schedule lies further ahead."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """An instant, and what a person said to get it."""

    at: datetime
    """Aware, UTC."""
    zone: str
    """The zone the words were read in and the instant is shown in."""
    words: str
    """As typed, on one line."""
    remark: str = ""
    """What a clock change did to the words; empty in nearly every case."""


def parse_when(text: str, *, now: datetime, zone: ZoneInfo) -> Schedule:
    """Reads a WHEN as said at ``now`` (aware) in ``zone``.

    A day alone means 09:00, a time alone the next such time, a weekday the next one (today if still ahead), ``next
    friday`` the one of the next calendar week, ``next week`` its Monday, ``this evening`` 18:00, ``tonight`` 20:00.
    Raises `InvalidSchedule` for what isn't understood, has passed (read back), or is more than five years ahead.
    """
    words = clean(text).strip()
    reading = read_words(words)
    said_zone = reading.zone or zone
    shown_zone = said_zone if isinstance(said_zone, ZoneInfo) else zone
    try:
        at, remark = _Clock(now, said_zone).find(reading)
    except OverflowError:
        _refuse(f"'{shorten(words, 60)}' is outside the years a message can be scheduled for")
    schedule = Schedule(at, str(shown_zone), words, remark)
    if at < now:
        _refuse(
            f"{describe_instant(at, shown_zone, now=now)} has passed ({describe_distance(at, now)}); name a later time"
        )
    if at > now + timedelta(days=366 * YEARS_AHEAD):
        _refuse(f"{describe_instant(at, shown_zone, now=now)} is more than {YEARS_AHEAD} years ahead")
    return schedule


def describe(schedule: Schedule, *, now: datetime) -> str:
    """Says it back: ``Mon 30 Nov 09:00 Europe/Berlin, in 3 days``; the year if it isn't this one, the remark."""
    said = (
        f"{describe_instant(schedule.at, _zone_named(schedule.zone), now=now)}, {describe_distance(schedule.at, now)}"
    )
    return f"{said}; {schedule.remark}" if schedule.remark else said


def describe_instant(at: datetime, zone: tzinfo, *, now: datetime) -> str:
    """Says an instant in a zone: ``Mon 30 Nov 09:00 Europe/Berlin``; seconds only within two minutes of now."""
    local = at.astimezone(zone)
    year = f" {local.year}" if local.year != now.astimezone(zone).year else ""
    seconds = f":{local.second:02d}" if local.second and abs(at - now) < timedelta(minutes=2) else ""
    day = f"{WEEKDAYS[local.weekday()][:3]} {local.day} {MONTHS[local.month - 1]}{year}"
    return f"{day} {local.hour:02d}:{local.minute:02d}{seconds} {zone}"


def describe_distance(at: datetime, now: datetime) -> str:
    """Says how far off an instant is, rounded to one unit: ``in 20 s``, ``in 3 days``, ``5 min ago``, ``now``."""
    seconds = (at - now).total_seconds()
    amount = abs(seconds)
    _, unit_seconds, unit = next(row for row in _DISTANCES if amount < row[0])
    count = int(amount / unit_seconds + 0.5)
    if count == 0:
        return "now"
    return f"in {count} {unit}" if seconds > 0 else f"{count} {unit} ago"


def suggestions(now: datetime, zone: ZoneInfo) -> list[str]:
    """Offers a few good times as words that `parse_when` reads: an hour, this evening, tomorrow, Monday."""
    local = now.astimezone(zone)
    offers = ["in 1h"]
    if local.time() < time(EVENING.hour - 1):
        offers.append("this evening")
    offers.append("tomorrow 9:00")
    if local.weekday() == 0:
        offers.append("next Monday 9:00")
    elif local.weekday() != 6:
        offers.append("Monday 9:00")
    return offers


_DISTANCES = (
    (90, 1, "s"),
    (119.5 * 60, 60, "min"),
    (36 * 3600, 3600, "h"),
    (60 * 86400, 86400, "days"),
    (730 * 86400, 30.44 * 86400, "months"),
    (math.inf, 365.25 * 86400, "years"),
)
"""Below so many seconds, count in units of so many seconds."""


def _refuse(text: str) -> Never:
    raise InvalidSchedule(text, field="at")


def _zone_named(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


class _Clock:
    """Turns what was said into an instant, as seen at one moment in one zone."""

    def __init__(self, now: datetime, zone: tzinfo) -> None:
        self._now = now.astimezone(UTC)
        self._zone = zone
        self._local = now.astimezone(zone).replace(tzinfo=None)
        self._today = self._local.date()

    def find(self, reading: Reading) -> tuple[datetime, str]:
        """Finds the instant (UTC) and the remark about a clock change."""
        if reading.is_now or reading.elapsed is not None or reading.is_from_now:
            return self._find_from_now(reading)
        if reading.is_midnight and reading.has_day():
            return self._find_midnight(reading)
        clock = reading.clock or reading.usual_clock or MORNING
        if reading.day is not None:
            return self._find_date(reading, clock)
        if reading.weekday is not None:
            return self._find_weekday(reading.weekday, clock, is_next_week=reading.is_next_week)
        if reading.days is not None:
            return self._resolve(self._today + timedelta(days=reading.days), clock)
        return self._first_ahead(self._today, clock, step_days=1)

    def _find_from_now(self, reading: Reading) -> tuple[datetime, str]:
        if (
            reading.day is not None
            or reading.weekday is not None
            or (reading.days is not None and not reading.is_from_now)
        ):
            _refuse("Say either a day or how long from now, not both")
        if reading.is_now:
            if reading.has_day() or reading.elapsed is not None or reading.clock:
                _refuse("Say either now or another time, not both")
            return self._now, ""
        clock = reading.clock or reading.usual_clock
        if clock and reading.elapsed is not None:
            _refuse("Say either a time of day or how long from now, not both")
        at, remark = self._now, ""
        if reading.days:
            at, remark = self._resolve(self._today + timedelta(days=reading.days), clock or self._local.time())
        elif clock:
            at, remark = self._resolve(self._today, clock)
        return at + (reading.elapsed or timedelta()), remark

    def _find_midnight(self, reading: Reading) -> tuple[datetime, str]:
        if reading.days == 0:
            return self._resolve(self._today + timedelta(days=1), time(0))
        _refuse("Midnight before or after that day? Write 00:00 or 23:59 with the day")

    def _find_date(self, reading: Reading, clock: time) -> tuple[datetime, str]:
        month, day = reading.month or 1, reading.day or 1
        years = range(self._today.year, self._today.year + 9) if reading.year is None else (reading.year,)
        for year in years:
            try:
                named = date(year, month, day)
            except ValueError:
                continue
            at, remark = self._resolve(named, clock)
            if at < self._now and reading.year is None:
                continue
            if reading.weekday not in {None, named.weekday()}:
                told, is_day = WEEKDAYS[reading.weekday or 0], WEEKDAYS[named.weekday()]
                _refuse(f"{day} {MONTHS[month - 1]} {year} is a {is_day}, not a {told}")
            return at, remark
        _refuse(f"There is no {day} {MONTHS[month - 1]}{f' {reading.year}' if reading.year else ''}")

    def _find_weekday(self, weekday: int, clock: time, *, is_next_week: bool) -> tuple[datetime, str]:
        if is_next_week:
            monday = self._today + timedelta(days=7 - self._today.weekday())
            return self._resolve(monday + timedelta(days=weekday), clock)
        first = self._today + timedelta(days=(weekday - self._today.weekday()) % 7)
        return self._first_ahead(first, clock, step_days=7)

    def _first_ahead(self, first: date, clock: time, *, step_days: int) -> tuple[datetime, str]:
        at, remark = self._resolve(first, clock)
        if at > self._now:
            return at, remark
        return self._resolve(first + timedelta(days=step_days), clock)

    def _resolve(self, day: date, clock: time) -> tuple[datetime, str]:
        """Finds the instant of a wall time (Python's PEP 495 rules), and says so where it isn't exactly one."""
        wall = datetime.combine(day, clock)
        first = wall.replace(tzinfo=self._zone, fold=0)
        second = wall.replace(tzinfo=self._zone, fold=1)
        if first.utcoffset() == second.utcoffset():
            return first.astimezone(UTC), ""
        if first.astimezone(UTC) > second.astimezone(UTC):
            moved = first.astimezone(UTC).astimezone(self._zone)
            return first.astimezone(UTC), (
                f"{clock:%H:%M} does not exist that day in {self._zone} (clocks go forward): {moved:%H:%M}"
            )
        taken, which = (first, "first") if first.astimezone(UTC) > self._now else (second, "second")
        return taken.astimezone(UTC), (
            f"{clock:%H:%M} happens twice that day in {self._zone} (clocks go back): the {which}, {taken.tzname()}"
        )
