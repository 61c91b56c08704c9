"""Reads how often a message is to be sent: words such as ``every weekday 9:00``, or an RFC 5545 rule as it is.

What is read is a rule's parts (RFC 5545 section 3.3.10) and a wall time; `services.repeat` makes instants of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from typing import Never

from tui_mailer.domain.errors import InvalidSchedule
from tui_mailer.domain.text import shorten

EXAMPLES = (
    "every day 9:00, every weekday at 9am, every 2 weeks on fri 17:00, every month on the 1st, FREQ=DAILY;COUNT=5"
)
"""What a refusal offers."""

_BEGINS = re.compile(r"\s*(?:every\b|each\b|daily\b|weekly\b|monthly\b|yearly\b|rrule:|freq=)", re.IGNORECASE)
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY = r"(?:mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)s?"
_DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}
_NUMBERS = {"other": 2, "two": 2, "three": 3, "four": 4, "six": 6}
_UNITS = {
    "minute": "MINUTELY",
    "hour": "HOURLY",
    "day": "DAILY",
    "week": "WEEKLY",
    "month": "MONTHLY",
    "quarter": "MONTHLY",
    "year": "YEARLY",
}
_WORKDAYS = r"(?:weekdays?|work(?:ing )?days?|business days?)"
_LIST = r"\s*(?:,|\band\b|&)\s*"
_CLOCK = re.compile(
    r"(?:^|\s+)(?:at\s+(?P<bare>\d{1,2})|(?:at\s+)?(?:(?P<hour>\d{1,2}):(?P<minute>\d\d)(?P<half>\s*[ap]m)?"
    r"|(?P<hour12>\d{1,2})\s*(?P<half12>[ap]m)|(?P<word>noon|midnight)))$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """What was said."""

    rule: str
    """``FREQ=WEEKLY;BYDAY=MO``: the value of an RRULE, COUNT and UNTIL apart."""
    clock: time | None = None
    """None: the usual one, or what the rule itself says."""
    count: int | None = None
    until: str = ""
    """As typed: words of a day, or an RFC 5545 UNTIL."""
    starting: str = ""
    """As typed: the WHEN from which on; empty: now."""
    zone: str = ""
    is_raw: bool = False
    """A rule as RFC 5545 writes it, not words."""


def is_repeat(text: str) -> bool:
    """Says whether a WHEN speaks of more than one time."""
    return _BEGINS.match(text) is not None


def read_repeat(text: str) -> Repeat:
    """Reads a rule or words; raises `InvalidSchedule` with what can be said."""
    said = " ".join(text.split())
    body, starting = _split(said, r"\s+(?:from|starting(?: on| from)?|beginning)\s+")
    if re.match(r"(?:rrule:|freq=)", body, re.IGNORECASE):
        return _raw(body, starting)
    body, until = _split(body.lower(), r"\s+(?:until|till)\s+")
    count = None
    if match := re.search(r",?\s+(?:for\s+)?(\d{1,4})\s+times$", body):
        count, body = int(match[1]), body[: match.start()]
    zone = ""
    if match := re.search(r"\s+([a-z_]+/[a-z0-9_/+-]+|utc)$", body):
        zone, body = said[match.start(1) : match.end(1)], body[: match.start()]
    clock, body = _clock(body)
    rule = _rule(body, said)
    return Repeat(rule=rule, clock=clock, count=count, until=until, starting=starting, zone=zone)


def _split(text: str, pattern: str) -> tuple[str, str]:
    match = re.search(pattern, text, re.IGNORECASE)
    return (text, "") if match is None else (text[: match.start()], text[match.end() :])


def _raw(body: str, starting: str) -> Repeat:
    parts: dict[str, str] = {}
    for part in re.sub(r"^rrule:", "", body, flags=re.IGNORECASE).upper().rstrip(";").split(";"):
        key, equals, value = part.partition("=")
        if not equals or not value or key in parts:
            raise InvalidSchedule(
                f"'{shorten(body, 80)}' is no rule: '{shorten(part, 40)}' isn't NAME=VALUE", field="at"
            )
        parts[key] = value
    count = parts.pop("COUNT", None)
    until = parts.pop("UNTIL", "")
    if count is not None and (not count.isdigit() or int(count) < 1 or until):
        raise InvalidSchedule("COUNT is a whole number of 1 or more, and UNTIL doesn't go with it", field="at")
    rule = ";".join(f"{key}={value}" for key, value in parts.items())
    return Repeat(rule=rule, count=int(count) if count else None, until=until, starting=starting, is_raw=True)


def _clock(text: str) -> tuple[time | None, str]:
    match = _CLOCK.search(text)
    if match is None:
        return None, text
    if match["word"]:
        return time(12 if match["word"] == "noon" else 0), text[: match.start()]
    hour, minute = int(match["bare"] or match["hour"] or match["hour12"]), int(match["minute"] or 0)
    half = (match["half"] or match["half12"] or "").strip()
    if (half and not 1 <= hour <= 12) or hour > 23 or minute > 59:
        raise InvalidSchedule(f"'{match[0].strip()}' is no time of day", field="at")
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return time(hour, minute), text[: match.start()]


def _rule(body: str, said: str) -> str:
    words = body.strip(" ,")
    single = {"daily": "every day", "weekly": "every week", "monthly": "every month", "yearly": "every year"}
    first, _, rest = words.partition(" ")
    if first in single:
        words = f"{single[first]} {rest}".strip()
    words = re.sub(r"^(?:every|each)\s+(?:single\s+)?", "", words)
    for pattern, make in _FORMS:
        if match := re.fullmatch(pattern, words):
            return make(match)
    raise InvalidSchedule(f"'{shorten(said, 60)}' isn't understood; write for example {EXAMPLES}", field="at")


def _interval(word: str | None) -> str:
    number = 1 if not word else _NUMBERS[word] if word in _NUMBERS else int(word.rstrip("ndrth"))
    if number < 1:
        _refuse_interval()
    return f";INTERVAL={number}" if number > 1 else ""


def _refuse_interval() -> Never:
    raise InvalidSchedule("The number after 'every' is 1 or more", field="at")


def _by_days(text: str) -> str:
    found = [_DAYS[_DAY_NAMES.index(name[:3])] for name in re.split(_LIST, text) if name]
    return ",".join(dict.fromkeys(found))


def _plain(match: re.Match[str]) -> str:
    unit = match["unit"].rstrip("s")
    if unit == "quarter":
        return f"FREQ=MONTHLY;INTERVAL={3 * int(_interval(match['n']).rpartition('=')[2] or 1)}"
    return f"FREQ={_UNITS[unit]}{_interval(match['n'])}"


def _workdays(_match: re.Match[str]) -> str:
    return "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"


def _weekend(_match: re.Match[str]) -> str:
    return "FREQ=WEEKLY;BYDAY=SA,SU"


def _weekly(match: re.Match[str]) -> str:
    return f"FREQ=WEEKLY{_interval(match['n'])};BYDAY={_by_days(match['days'])}"


def _month_prefix(match: re.Match[str]) -> str:
    number = int(_interval(match["n"]).rpartition("=")[2] or 1) * (3 if match["unit"].startswith("quarter") else 1)
    return "FREQ=MONTHLY" + (f";INTERVAL={number}" if number > 1 else "")


def _month_days(match: re.Match[str]) -> str:
    numbers = [int(one) for one in re.findall(r"\d+", match["days"])]
    if re.search(r"\blast\b", match["days"]):
        numbers.append(-1)
    if any(not (1 <= one <= 31 or one == -1) for one in numbers):
        raise InvalidSchedule("A day of the month is 1 to 31, or the last", field="at")
    return f"{_month_prefix(match)};BYMONTHDAY={','.join(map(str, numbers))}"


def _month_weekday(match: re.Match[str]) -> str:
    number = _ordinal(match["ordinal"])
    if match["day"] is None:
        return f"{_month_prefix(match)};BYDAY=MO,TU,WE,TH,FR;BYSETPOS={number}"
    return f"{_month_prefix(match)};BYDAY={number}{_by_days(match['day'])}"


def _ordinal(word: str) -> int:
    return _ORDINALS[word] if word in _ORDINALS else int(word[:-2])


def _yearly(match: re.Match[str]) -> str:
    month = _MONTHS.index((match["month"] or match["month2"])[:3]) + 1
    day = int(match["day"] or match["day2"])
    return f"FREQ=YEARLY{_interval(match['n'])};BYMONTH={month};BYMONTHDAY={day}"


_N = r"(?:(?P<n>\d{1,3}|other|two|three|four|six)\s+)?"
_ON = r"\s+(?:on\s+)?(?:the\s+)?"
_ORDINAL = r"(?P<ordinal>first|second|third|fourth|fifth|last|[1-5](?:st|nd|rd|th))"
_MONTHLY = rf"{_N}(?P<unit>months?|quarters?){_ON}"
_MONTH_DAY = r"(?:\d{1,2}(?:st|nd|rd|th|\.)?|last(?:\s+day)?)"
_DAY_MONTH = rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?\s+(?:of\s+)?(?P<month>{_MONTH})"
_MONTH_FIRST = rf"(?P<month2>{_MONTH})\s+(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?"
_FORMS = (
    (_WORKDAYS, _workdays),
    (r"weekends?", _weekend),
    (rf"{_N}(?P<unit>minutes?|hours?|days?|weeks?|months?|quarters?|years?)", _plain),
    (rf"{_N}(?:weeks?\s+on\s+)?(?P<days>{_DAY}(?:{_LIST}{_DAY})*)", _weekly),
    (rf"{_N}(?P<unit>weeks?)\s+on\s+{_WORKDAYS}", _workdays),
    (rf"{_MONTHLY}{_ORDINAL}\s+(?:(?P<day>{_DAY})|{_WORKDAYS})", _month_weekday),
    (
        rf"{_MONTHLY}(?P<days>{_MONTH_DAY}(?:{_LIST}(?:the\s+)?{_MONTH_DAY})*)",
        _month_days,
    ),
    (
        rf"{_N}(?:years?{_ON})?(?:{_DAY_MONTH}|{_MONTH_FIRST})",
        _yearly,
    ),
)
"""Tried in this order; each must take all the words."""
