"""Reads the words of a WHEN into a `Reading`: what was said, before any clock or zone turns it into an instant."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, time, timedelta, timezone, tzinfo
from typing import Never
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tui_mailer.domain.errors import InvalidSchedule
from tui_mailer.domain.text import shorten

EXAMPLES = "tomorrow 9am, mon 17:00, in 2h, 30 Nov 9:00 or 2026-11-30 09:00"
"""What a refusal offers instead."""

MORNING, NOON, AFTERNOON, EVENING, TONIGHT = time(9), time(12), time(14), time(18), time(20)
"""What the words mean; a date alone means the morning."""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_WEEKDAY = "mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?"
_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    "|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_UNIT = "s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?"
_AMOUNT = rf"(?:\d+(?:\.\d+)? ?|(?:half )?an? )(?:{_UNIT})"
_AMOUNT_PARTS = re.compile(rf"(?:(\d+(?:\.\d+)?) ?|((?:half )?an?) )({_UNIT})(?![a-z])", re.IGNORECASE)
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600}
_END = r"(?=$|[ ,])"


@dataclass(slots=True, kw_only=True)
class Reading:
    """What was said; a day by distance, weekday or date, and a time of day, each None unless it was said."""

    days: int | None = None
    """Days from today."""
    weekday: int | None = None
    """0 is Monday."""
    is_next_week: bool = False
    """The weekday of the next calendar week (weeks start on Monday)."""
    month: int | None = None
    day: int | None = None
    year: int | None = None
    clock: time | None = None
    usual_clock: time | None = None
    """What a word such as ``evening`` means where no clock time is said."""
    is_midnight: bool = False
    elapsed: timedelta | None = None
    """Real time from now, after any days."""
    zone: tzinfo | None = None
    is_from_now: bool = False
    """``in N days``: the time of day is today's, unless said."""
    is_now: bool = False

    def has_day(self) -> bool:
        """Says whether a day was named in any way."""
        return self.days is not None or self.weekday is not None or self.day is not None


def read_words(text: str) -> Reading:
    """Reads a WHEN; raises `InvalidSchedule` with the words that aren't understood."""
    said = " ".join(text.replace("a.m.", "am").replace("p.m.", "pm").split())
    reading = Reading()
    position = 0
    while position < len(said):
        for pattern, take in _PATTERNS:
            if match := pattern.match(said, position):
                take(reading, match)
                position = match.end()
                break
        else:
            _refuse_rest(said, position)
        while position < len(said) and said[position] in " ,":
            position += 1
    if not (reading.has_day() or reading.clock or reading.usual_clock or reading.is_now or reading.elapsed is not None):
        raise InvalidSchedule(f"'{shorten(said, 60)}' names no time; write for example {EXAMPLES}", field="at")
    return reading


def _refuse_rest(said: str, position: int) -> Never:
    rest = said[position:]
    if re.match(r"\d{1,2}$", rest):
        raise InvalidSchedule(
            f"Is '{rest}' an hour or a day? Write {rest}:00, or a date such as {rest} Nov", field="at"
        )
    whole = f" in '{shorten(said, 60)}'" if position else ""
    raise InvalidSchedule(f"'{shorten(rest, 40)}'{whole} is no time I know; write for example {EXAMPLES}", field="at")


def _refuse(text: str) -> Never:
    raise InvalidSchedule(text, field="at")


def _take_nothing(_reading: Reading, _match: re.Match[str]) -> None:
    """A filler word."""


def _take_now(reading: Reading, _match: re.Match[str]) -> None:
    reading.is_now = True


def _take_amounts(reading: Reading, match: re.Match[str]) -> None:
    for digits, article, unit in _AMOUNT_PARTS.findall(match[0]):
        number = float(digits) if digits else 0.5 if article.lower().startswith("half") else 1.0
        if number > 1e6:
            _refuse(f"'{shorten(match[0], 40)}' is too far ahead")
        letter = unit[0].lower()
        if letter in _UNIT_SECONDS:
            seconds = timedelta(seconds=number * _UNIT_SECONDS[letter])
            reading.elapsed = (reading.elapsed or timedelta()) + seconds
        elif number != int(number):
            _refuse(f"'{shorten(match[0], 40)}': days and weeks are whole; hours can be split")
        else:
            reading.days = (reading.days or 0) + int(number) * (7 if letter == "w" else 1)
            reading.is_from_now = True


def _take_day_word(reading: Reading, match: re.Match[str]) -> None:
    word = match[1].lower()
    _refuse_second_day(reading, match)
    if word == "next week":
        reading.weekday, reading.is_next_week = 0, True
        return
    reading.days = {"tomorrow": 1, "day after tomorrow": 2}.get(word, 0)
    if word == "tonight":
        reading.usual_clock = TONIGHT
    if match[2]:
        _set_clock(reading, time(_hour_of(match[2])), match)


def _take_part_of_day(reading: Reading, match: re.Match[str]) -> None:
    if match[1]:
        _refuse_second_day(reading, match)
        reading.days = 0
    reading.usual_clock = {"morning": MORNING, "afternoon": AFTERNOON, "evening": EVENING}[match[2].lower()]


def _take_weekday(reading: Reading, match: re.Match[str]) -> None:
    if reading.weekday is not None or reading.days is not None:
        _refuse(f"Two days were named, the second is '{match[2]}'")
    reading.weekday = [name[:3].lower() for name in WEEKDAYS].index(match[2][:3].lower())
    reading.is_next_week = (match[1] or "").lower() == "next"


def _take_iso_date(reading: Reading, match: re.Match[str]) -> None:
    _set_date(reading, match, day=int(match[3]), month=int(match[2]), year=int(match[1]))


def _take_day_month(reading: Reading, match: re.Match[str]) -> None:
    _set_date(reading, match, day=int(match[1]), month=_month_of(match[2]), year=_year_of(match[3]))


def _take_month_day(reading: Reading, match: re.Match[str]) -> None:
    _set_date(reading, match, day=int(match[2]), month=_month_of(match[1]), year=_year_of(match[3]))


def _take_number_pair(reading: Reading, match: re.Match[str]) -> None:
    """Takes ``30.11.`` or ``11/30`` where only one reading is a date, and none a time of day."""
    first, second, year = int(match[1]), int(match[3]), _year_of(match[4])
    said = match[0]
    if match[2] == "." and not said.endswith(".") and year is None and first < 24 and second < 60:
        _refuse(f"Is '{said}' a time or a date? Write {first}:{second:02d} for a time; for a date name the month")
    if first <= 12 and second <= 12 and first != second:
        if not (first and second):
            _refuse(f"'{said}' is no date in any year")
        ways = f"{first} {MONTHS[second - 1]} or {second} {MONTHS[first - 1]}"
        _refuse(f"'{said}' can be read in two ways; write {ways}")
    day, month = (first, second) if second <= 12 else (second, first)
    _set_date(reading, match, day=day, month=month, year=year)


def _take_clock(reading: Reading, match: re.Match[str]) -> None:
    hour, minute, second = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    half = (match[4] or "").lower()
    if (half and not 1 <= hour <= 12) or hour > 23 or minute > 59 or second > 59:
        _refuse(f"'{match[0].strip()}' is no time of day; hours go from 0:00 to 23:59, or from 1am to 12pm")
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    _set_clock(reading, time(hour, minute, second), match)


def _take_hour_after_at(reading: Reading, match: re.Match[str]) -> None:
    _set_clock(reading, time(_hour_of(match[1])), match)


def _take_noon(reading: Reading, match: re.Match[str]) -> None:
    _set_clock(reading, NOON, match)


def _take_midnight(reading: Reading, match: re.Match[str]) -> None:
    _set_clock(reading, time(0), match)
    reading.is_midnight = True


def _take_offset(reading: Reading, match: re.Match[str]) -> None:
    if match[1] is None:
        _set_zone(reading, UTC, match)
        return
    hours, minutes = int(match[2]), int(match[3])
    if hours > 23 or minutes > 59:
        _refuse(f"'{match[0].strip()}' is no offset from UTC; write for example +01:00 or Z")
    ahead = timedelta(hours=hours, minutes=minutes)
    _set_zone(reading, timezone(ahead if match[1] == "+" else -ahead), match)


def _take_zone(reading: Reading, match: re.Match[str]) -> None:
    try:
        _set_zone(reading, ZoneInfo(match[0]), match)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        _refuse(f"'{shorten(match[0], 40)}' is no time zone known here; write for example Europe/Berlin")


def _set_date(reading: Reading, match: re.Match[str], *, day: int, month: int, year: int | None) -> None:
    if reading.days is not None or reading.day is not None:
        _refuse(f"Two days were named, the second is '{match[0].strip()}'")
    if not (1 <= month <= 12 and 1 <= day <= 31):
        _refuse(f"'{match[0].strip()}' is no date in any year")
    reading.day, reading.month, reading.year = day, month, year


def _set_clock(reading: Reading, clock: time, match: re.Match[str]) -> None:
    if reading.clock is not None:
        _refuse(f"Two times of day were named, the second is '{match[0].strip()}'")
    reading.clock = clock


def _set_zone(reading: Reading, zone: tzinfo, match: re.Match[str]) -> None:
    if reading.zone is not None:
        _refuse(f"Two time zones were named, the second is '{match[0].strip()}'")
    reading.zone = zone


def _refuse_second_day(reading: Reading, match: re.Match[str]) -> None:
    if reading.has_day():
        _refuse(f"Two days were named, the second is '{match[0].strip()}'")


def _hour_of(text: str) -> int:
    if int(text) > 23:
        _refuse(f"'{text}' is no hour; hours go from 0 to 23")
    return int(text)


def _month_of(name: str) -> int:
    return MONTHS.index(name[:3].capitalize()) + 1


def _year_of(text: str | None) -> int | None:
    return int(text) if text else None


def _pattern(regex: str) -> re.Pattern[str]:
    return re.compile(regex, re.IGNORECASE | re.ASCII)


_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[Reading, re.Match[str]], None]], ...] = (
    (_pattern(rf"now{_END}"), _take_now),
    (_pattern(rf"(?:in |\+ ?){_AMOUNT}(?:(?: ?, ?| and | )?{_AMOUNT})*{_END}"), _take_amounts),
    (
        _pattern(rf"(?:the )?(today|tomorrow|tonight|day after tomorrow|next week)(?: (\d{{1,2}})(?=$))?{_END}"),
        _take_day_word,
    ),
    (_pattern(rf"(this )?(?:in the )?(morning|afternoon|evening){_END}"), _take_part_of_day),
    (_pattern(rf"(?:(next|this|on) )?({_WEEKDAY})\.?{_END}"), _take_weekday),
    (_pattern(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:t(?=\d)|(?=$|[ ,]))"), _take_iso_date),
    (
        _pattern(rf"(?:the )?(\d{{1,2}})(?:st|nd|rd|th|\.)? (?:of )?({_MONTH})\.?(?:,? (\d{{4}}))?{_END}"),
        _take_day_month,
    ),
    (_pattern(rf"({_MONTH})\.? (\d{{1,2}})(?:st|nd|rd|th|\.)?(?:,? (\d{{4}}))?{_END}"), _take_month_day),
    (_pattern(r"(\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)? ?(am|pm)?(?=$|[ ,z+-])"), _take_clock),
    (_pattern(rf"(\d{{1,2}})(?:\.(\d\d))?() ?(am|pm){_END}"), _take_clock),
    (_pattern(rf"(\d{{1,2}})([./])(\d{{1,2}})(?:\2(\d{{4}})|\.)?{_END}"), _take_number_pair),
    (_pattern(rf"(?:noon|midday){_END}"), _take_noon),
    (_pattern(rf"midnight{_END}"), _take_midnight),
    (_pattern(rf"(?:z|utc|gmt|([+-])(\d\d):?(\d\d)){_END}"), _take_offset),
    (_pattern(rf"at (\d{{1,2}}){_END}"), _take_hour_after_at),
    (_pattern(rf"(?:at|on){_END}"), _take_nothing),
    (_pattern(rf"[a-z_]+(?:/[a-z0-9_+-]+)+{_END}"), _take_zone),
)
"""Tried in this order at each place; the first that matches takes its words."""
