"""When to try again, as a server says it: every dialect of providers' rate limits, read into one instant.

Seconds or an HTTP date (RFC 9110 section 10.2.3), an absolute Unix time, milliseconds, or words in the answer's text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST_HINT = timedelta(days=1)
"""A later instant is taken for a misread number: the engine's own back-off is better than that."""

_SECONDS = ("retry-after", "ratelimit-reset", "x-sib-ratelimit-reset", "x-ratelimit-reset-after")
_MILLISECONDS = ("retry-after-ms", "x-ratelimit-remaining-interval-milliseconds", "x-ms-retry-after-ms")
_EPOCH = ("x-ratelimit-retry-after", "x-ratelimit-reset")
_OLDEST_EPOCH = 1_000_000_000
"""A reset below this counts seconds from now, whatever the header's name promises."""
_WORDS = re.compile(
    r"(?:try again|retry|wait)\D{0,30}?(\d{1,6}(?:\.\d+)?)\s*(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?)\b",
    re.IGNORECASE,
)


def retry_at(headers: Mapping[str, str], text: str, now: datetime) -> datetime | None:
    """Reads the first hint there is, None where there is none that makes sense; header names in lower case."""
    readers = (
        (_SECONDS, _from_seconds_or_date),
        (_MILLISECONDS, _from_milliseconds),
        (_EPOCH, _from_seconds_or_date),
    )
    for names, read in readers:
        for name in names:
            if name in headers and (moment := _sensible(read(headers[name].strip(), now), now)) is not None:
                return moment
    return _sensible(_from_words(text, now), now)


def has_retry_after(headers: Mapping[str, str], now: datetime) -> bool:
    """Says whether a 503 comes with a Retry-After that can be read: then it was certainly not processed."""
    return _from_seconds_or_date(headers.get("retry-after", "").strip(), now) is not None


def _sensible(moment: datetime | None, now: datetime) -> datetime | None:
    if moment is None or moment - now > LONGEST_HINT:
        return None
    return max(moment, now)


def _from_seconds_or_date(value: str, now: datetime) -> datetime | None:
    number = _number(value)
    if number is None:
        return _from_date(value)
    if number >= _OLDEST_EPOCH:
        return _from_epoch(number)
    return now + timedelta(seconds=number)


def _from_epoch(number: float) -> datetime | None:
    seconds = number / 1000 if number >= _OLDEST_EPOCH * 100 else number
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _from_milliseconds(value: str, now: datetime) -> datetime | None:
    number = _number(value)
    return None if number is None or number >= _OLDEST_EPOCH else now + timedelta(milliseconds=number)


def _from_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _from_words(text: str, now: datetime) -> datetime | None:
    found = _WORDS.search(text[:2000])
    if found is None:
        return None
    unit = found[2].lower()
    scale = 0.001 if unit.startswith(("ms", "milli")) else 60 if unit.startswith("m") else 1
    return now + timedelta(seconds=float(found[1]) * scale)


def _number(value: str) -> float | None:
    """Reads ``120``, ``1.5``, or the first of a list (``1;w=60, 30``)."""
    found = re.match(r"\d{1,16}(?:\.\d{1,6})?(?=$|[;,\s])", value)
    return float(found[0]) if found else None
