"""Which instants a recurring message goes out at: RFC 5545 rules, true to wall time in their zone.

The library works out the dates; wall times become instants here, by the rules of `domain.schedule`: one that a clock
change skips is moved forward, one that comes twice is taken the first time. Hours and shorter are real time.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from itertools import islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tui_mailer.domain.errors import InvalidSchedule
from tui_mailer.domain.recurrence_word import EXAMPLES, Repeat, is_repeat, read_repeat
from tui_mailer.domain.schedule import Schedule, describe_instant, parse_when
from tui_mailer.domain.schedule_word import MORNING
from tui_mailer.domain.text import clean, shorten

_YEARS = 50
"""No rule is followed further: one that never matches is found out by then."""
_SHORT = ("HOURLY", "MINUTELY", "SECONDLY")
_SHOWN = 3
"""How many occurrences are read back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """A rule with what it starts from: enough to find every occurrence, in any process, for ever the same."""

    rule: str
    """An RRULE's value (RFC 5545 section 3.3.10), COUNT and UNTIL (an instant) included."""
    words: str
    zone: str
    start: datetime
    """DTSTART, wall time in the zone, naive."""


def read_when(text: str, *, now: datetime, zone: ZoneInfo) -> Schedule:
    """Reads a WHEN, once or recurring: for a recurring one the first time, and the next ones as its remark.

    Raises `InvalidSchedule`.
    """
    if not is_repeat(text):
        return parse_when(text, now=now, zone=zone)
    return read_recurrence(text, now=now, zone=zone)[1]


def read_recurrence(text: str, *, now: datetime, zone: ZoneInfo) -> tuple[Recurrence, Schedule]:
    """Reads a recurring WHEN as said at ``now``; returns it with its first occurrence; raises `InvalidSchedule`."""
    words = clean(text).strip()
    said = read_repeat(words)
    own_zone = _zone(said.zone) if said.zone else zone
    frequency = _parts(said.rule).get("FREQ", "")
    recurrence = Recurrence(
        rule=_bounded(said, now, own_zone),
        words=words,
        zone=str(own_zone),
        start=_start(said, frequency, now, own_zone),
    )
    _refuse_flood(said, frequency)
    first = _first_of(recurrence, said, now, own_zone)
    coming = list(islice(occurrences(first.recurrence, after=first.at), _SHOWN))
    shown = [describe_instant(at, own_zone, now=now).removesuffix(f" {own_zone}") for at in coming]
    remark = f"then {', '.join(shown)}{' ...' if len(shown) == _SHOWN else ''}" if shown else "and then no more"
    return first.recurrence, Schedule(first.at, str(own_zone), words, remark)


def occurrences(recurrence: Recurrence, *, after: datetime | None = None) -> Iterator[datetime]:
    """Yields the instants (UTC) of a recurrence in their order, those after one if it is given."""
    zone = _zone(recurrence.zone)
    parts = _parts(recurrence.rule)
    count, until = parts.pop("COUNT", None), parts.pop("UNTIL", None)
    last = None if until is None else datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    is_real_time = parts.get("FREQ") in _SHORT
    start = recurrence.start
    if is_real_time:
        start = start.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
    dates = islice(_dates(parts, start), None if count is None else int(count))
    for wall in dates:
        at = wall.replace(tzinfo=UTC if is_real_time else zone).astimezone(UTC)
        if last is not None and at > last:
            return
        if after is None or at > after:
            yield at


def following(recurrence: Recurrence, after: datetime) -> datetime | None:
    """The next occurrence after an instant; None when there is none any more."""
    return next(occurrences(recurrence, after=after), None)


def latest(recurrence: Recurrence, after: datetime, until: datetime) -> datetime | None:
    """The last occurrence after one instant and up to another."""
    found = None
    for at in occurrences(recurrence, after=after):
        if at > until:
            break
        found = at
    return found


@dataclass(frozen=True, slots=True)
class _First:
    recurrence: Recurrence
    at: datetime


def _first_of(recurrence: Recurrence, said: Repeat, now: datetime, zone: tzinfo) -> _First:
    """Finds the first occurrence; words count every second week and so on from there."""
    is_short = _parts(recurrence.rule).get("FREQ") in _SHORT
    if said.is_raw:
        # A rule's DTSTART is its first occurrence if it matches, the present minute included.
        begin = recurrence.start.replace(tzinfo=zone).astimezone(UTC) - timedelta(seconds=1)
        at = following(recurrence, begin)
    else:
        parts = _parts(recurrence.rule)
        every = {key: value for key, value in parts.items() if key not in ("INTERVAL", "COUNT")}
        at = following(replace(recurrence, rule=_joined(parts if is_short else every)), now)
    if at is None:
        raise InvalidSchedule(f"'{shorten(recurrence.words, 60)}' names no time that is still to come", field="at")
    if not said.is_raw:
        start = at.astimezone(zone).replace(tzinfo=None)
        if not is_short:
            # The time of day as said, even where a clock change has moved this first one.
            start = datetime.combine(start.date(), recurrence.start.time())
        recurrence = replace(recurrence, start=start)
    return _First(recurrence, max(at, now) if said.is_raw else at)


def _dates(parts: dict[str, str], start: datetime) -> Iterator[datetime]:
    from dateutil.rrule import rrulestr

    end = start + timedelta(days=366 * (2 if parts.get("FREQ") in _SHORT else _YEARS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            rule = rrulestr(f"RRULE:{_joined(parts)};UNTIL={end:%Y%m%dT%H%M%S}", dtstart=start)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidSchedule(
                f"'{shorten(_joined(parts), 60)}' is no rule of RFC 5545 ({error}); write for example {EXAMPLES}",
                field="at",
            ) from None
    return iter(rule)


def _start(said: Repeat, frequency: str, now: datetime, zone: ZoneInfo) -> datetime:
    """DTSTART: what was said, else today at the time of day that was said, or now."""
    at = parse_when(said.starting, now=now, zone=zone).at if said.starting else now
    local = at.astimezone(zone).replace(tzinfo=None)
    if said.is_raw:
        return local if said.starting else local.replace(microsecond=0)
    if frequency in _SHORT:
        return local.replace(microsecond=0)
    clock = said.clock or (local.time() if said.starting else MORNING)
    start = datetime.combine(local.date(), clock)
    if start < local and _names_clock(said.starting):
        start += timedelta(days=1)
    return start


def _bounded(said: Repeat, now: datetime, zone: ZoneInfo) -> str:
    rule = said.rule
    if said.count is not None:
        rule += f";COUNT={said.count}"
    if said.until:
        rule += f";UNTIL={_until(said, now, zone).astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return rule


def _until(said: Repeat, now: datetime, zone: ZoneInfo) -> datetime:
    for form in ("%Y%m%dT%H%M%SZ", "%Y%m%dT%H%M%S", "%Y%m%d"):
        try:
            read = datetime.strptime(said.until, form)  # noqa: DTZ007 - the zone follows
        except ValueError:
            continue
        if form.endswith("Z"):
            return read.replace(tzinfo=UTC)
        if form == "%Y%m%d":
            read = datetime.combine(read.date(), time(23, 59, 59))
        return read.replace(tzinfo=zone)
    schedule = parse_when(said.until, now=now, zone=zone)
    local = schedule.at.astimezone(zone)
    return local if _names_clock(said.until) else datetime.combine(local.date(), time(23, 59, 59), tzinfo=zone)


def _names_clock(words: str) -> bool:
    return re.search(r":|\d\s*[ap]m\b|noon|midnight|\bat\b|\bin\b|\d[hms]\b", words, re.IGNORECASE) is not None


def _refuse_flood(said: Repeat, frequency: str) -> None:
    if frequency not in ("MINUTELY", "SECONDLY"):
        return
    if said.count is None and not said.until:
        raise InvalidSchedule(
            "Mail every few minutes or seconds needs an end: COUNT or UNTIL, 'until' or 'N times'", field="at"
        )
    if any(key.startswith("BY") for key in _parts(said.rule)):
        raise InvalidSchedule("A rule by the minute or second can't have BY... parts here; use INTERVAL", field="at")


def _parts(rule: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in rule.split(";") if "=" in part)


def _joined(parts: dict[str, str]) -> str:
    return ";".join(f"{key}={value}" for key, value in parts.items())


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidSchedule(f"'{shorten(name, 40)}' is no time zone known here", field="at") from None
