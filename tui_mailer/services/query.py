"""Reading a search QUERY: words ANDed, "a phrase", and ``from: to: subject: account: state: before: after:``."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tui_mailer.domain.errors import InvalidSchedule
from tui_mailer.domain.submission import ENDED_STATES, State
from tui_mailer.storage.record import HistoryQuery

TERM = re.compile(
    r'(?:(?P<key>from|to|subject|account|state|before|after):)?(?:"(?P<phrase>[^"]*)"|(?P<word>\S+))', re.IGNORECASE
)


_DATES = "2026-11-30, 2026-11, 2026, 2026-11-30T09:00, today, yesterday, or an age such as 90d"
_STATES = frozenset(state.value for state in State)
_UNFINISHED = {"": "words", "from": "sender", "to": "to", "subject": "subject", "account": "account"}
"""A condition's name in a QUERY, and its field in `HistoryQuery`."""


def parse_query(text: str, *, now: datetime, zone: ZoneInfo) -> HistoryQuery:
    """Reads a QUERY as DESIGN A1 defines it; what isn't a known condition is looked for literally."""
    words: list[str] = []
    columns: dict[str, list[str]] = {"from": [], "to": [], "subject": []}
    account: str | None = None
    state: State | None = None
    limits: dict[str, datetime] = {}
    for match in TERM.finditer(text):
        key = (match["key"] or "").lower()
        term = match["phrase"] if match["phrase"] is not None else match["word"]
        moment = _moment_or_none(term, now, zone) if key in ("before", "after") else None
        if not term.strip('"'):
            continue
        if key in columns:
            columns[key].append(term)
        elif key == "account":
            account = term
        elif key == "state" and term.lower() in _STATES:
            state = State(term.lower())
        elif moment is not None:
            limits[key] = moment
        else:
            words.append(match[0] if key else term)
    return HistoryQuery(
        words=tuple(words),
        sender=tuple(columns["from"]),
        to=tuple(columns["to"]),
        subject=tuple(columns["subject"]),
        account=account,
        state=state,
        before=limits.get("before"),
        after=limits.get("after"),
    )


def parse_typed(text: str, *, now: datetime, zone: ZoneInfo) -> HistoryQuery:
    """Reads a QUERY that is still being typed: its last word also stands for longer ones.

    A last condition that can't be read yet (``before:202``, ``state:``) is no condition yet, and hides nothing.
    """
    terms = list(TERM.finditer(text))
    if not terms or text[-1:].isspace() or text.rstrip()[-1:] == '"':
        return parse_query(text, now=now, zone=zone)
    last = terms[-1]
    key, word = (last["key"] or "").lower(), last["word"] or last["phrase"] or ""
    unnamed = re.fullmatch(r"(from|to|subject|account|state|before|after):", last[0], re.IGNORECASE)
    if unnamed or (key in ("before", "after") and _moment_or_none(word, now, zone) is None):
        return parse_query(text[: last.start()], now=now, zone=zone)
    if key == "state" and word.lower() not in _STATES:
        meant = [state for state in sorted(ENDED_STATES) if state.value.startswith(word.lower())]
        if not meant:
            return parse_query(text, now=now, zone=zone)
        rest = parse_query(text[: last.start()], now=now, zone=zone)
        return replace(rest, state=meant[0]) if len(meant) == 1 else rest
    query = parse_query(text, now=now, zone=zone)
    return replace(query, unfinished=_UNFINISHED.get(key, ""))


def say_wrong_date(text: str) -> str:
    """Names a condition of a QUERY whose date can't be read, and what it takes; empty: all can be."""
    now, zone = datetime.now(UTC), ZoneInfo("UTC")
    for match in TERM.finditer(text):
        key, term = (match["key"] or "").lower(), match["phrase"] or match["word"] or ""
        is_unnamed = match[0].lower() in ("before:", "after:")
        if is_unnamed or (key in ("before", "after") and _moment_or_none(term, now, zone) is None):
            return f"{match[0]} takes {_DATES}."
    return ""


def parse_past(text: str, *, now: datetime, zone: ZoneInfo) -> datetime:
    """Reads a point in the past: RFC 3339, a date, ``today``, ``yesterday``, or an age (``90d``, ``12h``, ``2w``).

    Raises `InvalidSchedule` with what is allowed.
    """
    moment = _moment_or_none(text, now, zone)
    if moment is None:
        raise InvalidSchedule(
            f"'{text}' is no date: write {_DATES}.",
            field="before",
        )
    return moment


def _moment_or_none(text: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    here = now.astimezone(zone)
    word = text.strip().lower()
    days_ago = {"today": 0, "yesterday": 1}.get(word)
    if days_ago is not None:
        return _midnight(here.date() - timedelta(days=days_ago), zone)
    age = re.fullmatch(r"(\d{1,5})\s*([hdw])", word)
    if age:
        return now - timedelta(hours=int(age[1]) * {"h": 1, "d": 24, "w": 168}[age[2]])
    try:
        if re.fullmatch(r"\d{4}(-\d{2}){0,2}", word):
            return _midnight(date.fromisoformat(word + "-01" * (2 - word.count("-"))), zone)
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)
