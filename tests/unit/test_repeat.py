"""Recurring mail: words and RFC 5545 rules mean the times a person expects, also where clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_mailer.domain.errors import InvalidSchedule
from tui_mailer.domain.recurrence_word import is_repeat
from tui_mailer.domain.schedule import describe
from tui_mailer.services.repeat import following, latest, occurrences, read_recurrence, read_when

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 27, 16, 10, 30, tzinfo=BERLIN)
"""A Friday afternoon."""


def times(words: str, count: int = 4, now: datetime = NOW) -> list[str]:
    """The first local times, from the first occurrence on."""
    recurrence, first = read_recurrence(words, now=now, zone=BERLIN)
    rest = islice(occurrences(recurrence, after=first.at), count - 1)
    return [f"{at.astimezone(BERLIN):%a %d %b %H:%M}" for at in [first.at, *rest]]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("every day 9:00", ["Sat 28 Nov 09:00", "Sun 29 Nov 09:00", "Mon 30 Nov 09:00"]),
        ("daily at 17", ["Fri 27 Nov 17:00", "Sat 28 Nov 17:00"]),
        ("every weekday 9am", ["Mon 30 Nov 09:00", "Tue 01 Dec 09:00"]),
        ("Every Monday", ["Mon 30 Nov 09:00", "Mon 07 Dec 09:00"]),
        ("every mon, wed and fri at 17:30", ["Fri 27 Nov 17:30", "Mon 30 Nov 17:30", "Wed 02 Dec 17:30"]),
        ("every 2 weeks on friday 9:00", ["Fri 04 Dec 09:00", "Fri 18 Dec 09:00", "Fri 01 Jan 09:00"]),
        ("every other friday 17:00", ["Fri 27 Nov 17:00", "Fri 11 Dec 17:00"]),
        ("every weekend 10:00", ["Sat 28 Nov 10:00", "Sun 29 Nov 10:00", "Sat 05 Dec 10:00"]),
        ("every month on the 1st", ["Tue 01 Dec 09:00", "Fri 01 Jan 09:00"]),
        ("every month on the 1st and 15th 8:00", ["Tue 01 Dec 08:00", "Tue 15 Dec 08:00", "Fri 01 Jan 08:00"]),
        ("every month on the last day 18:00", ["Mon 30 Nov 18:00", "Thu 31 Dec 18:00"]),
        ("every month on the first monday", ["Mon 07 Dec 09:00", "Mon 04 Jan 09:00"]),
        ("every month on the last working day", ["Mon 30 Nov 09:00", "Thu 31 Dec 09:00", "Fri 29 Jan 09:00"]),
        ("every 3 months on the 1st", ["Tue 01 Dec 09:00", "Mon 01 Mar 09:00"]),
        ("every quarter on the 1st", ["Tue 01 Dec 09:00", "Mon 01 Mar 09:00"]),
        ("every year on 24 Dec 10:00", ["Thu 24 Dec 10:00", "Fri 24 Dec 10:00"]),
        ("every dec 24th", ["Thu 24 Dec 09:00", "Fri 24 Dec 09:00"]),
        ("every 2 hours", ["Fri 27 Nov 18:10", "Fri 27 Nov 20:10"]),
        ("every monday 9:00 from 2027-01-01", ["Mon 04 Jan 09:00", "Mon 11 Jan 09:00"]),
        ("every day 9:00 Asia/Tokyo", ["Sat 28 Nov 01:00", "Sun 29 Nov 01:00"]),
        ("FREQ=DAILY;BYHOUR=9;BYMINUTE=0", ["Sat 28 Nov 09:00", "Sun 29 Nov 09:00"]),
        ("RRULE:FREQ=WEEKLY;BYDAY=MO from 2026-12-01 9:00", ["Mon 07 Dec 09:00", "Mon 14 Dec 09:00"]),
        ("FREQ=DAILY", ["Fri 27 Nov 16:10", "Sat 28 Nov 16:10"]),
    ],
)
def test_words_and_rules_mean_these_times(words: str, expected: list[str]):
    """The next times, in the zone they were said in."""
    assert is_repeat(words)
    assert times(words, len(expected)) == expected


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("every monday 9:00, 2 times", 2),
        ("every day 9:00 for 3 times", 3),
        ("every day 9:00 until 2026-11-29", 2),
        ("every day at 9 until dec 1", 4),
        ("FREQ=DAILY;COUNT=5", 5),
        ("FREQ=SECONDLY;INTERVAL=5;COUNT=3", 3),
        ("FREQ=WEEKLY;BYDAY=MO;UNTIL=20261214T080000Z from 2026-11-30 9:00", 3),
        ("FREQ=DAILY;UNTIL=20261130 from 2026-11-28 9:00", 3),
    ],
)
def test_an_end_that_was_said_is_kept(words: str, count: int):
    """COUNT and UNTIL end it, the last day included."""
    recurrence, first = read_recurrence(words, now=NOW, zone=BERLIN)
    assert 1 + sum(1 for _ in occurrences(recurrence, after=first.at)) == count


def test_wall_time_stays_over_a_clock_change_and_a_time_that_is_skipped_moves_forward():
    """Two thirty at night: 3:30 on the day it doesn't exist, 2:30 again the day after; once where it comes twice."""
    assert times("every day 02:30 from 2027-03-27") == [
        "Sat 27 Mar 02:30",
        "Sun 28 Mar 03:30",
        "Mon 29 Mar 02:30",
        "Tue 30 Mar 02:30",
    ]
    assert times("every day 02:30 from 2027-03-28", 2) == ["Sun 28 Mar 03:30", "Mon 29 Mar 02:30"]
    recurrence, first = read_recurrence("every day 02:30 from 2027-10-30", now=NOW, zone=BERLIN)
    second, third = islice(occurrences(recurrence, after=first.at), 2)
    assert (second - first.at, third - second) == (timedelta(hours=24), timedelta(hours=25))


def test_hours_are_real_time():
    """Every six hours stays six hours apart when the clocks change."""
    recurrence, first = read_recurrence("every 6 hours", now=datetime(2027, 3, 27, 20, tzinfo=BERLIN), zone=BERLIN)
    found = [first.at, *islice(occurrences(recurrence, after=first.at), 6)]
    assert {later - earlier for earlier, later in pairwise(found)} == {timedelta(hours=6)}


@pytest.mark.parametrize(
    "words",
    [
        "every",
        "every foo",
        "every 0 days",
        "every third friday",
        "every month on the 32nd",
        "every monday 25:00",
        "every day until yesterday",
        "FREQ=FOO",
        "FREQ=DAILY;X",
        "FREQ=DAILY;FOO=3",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=2;UNTIL=20270101",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31",
        "FREQ=MINUTELY",
        "every minute",
        "FREQ=SECONDLY;COUNT=9;BYSECOND=0",
        "every day from yesterday noon somewhere",
    ],
)
def test_what_means_no_time_is_refused_with_a_sentence(words: str):
    """Nothing is guessed, and nothing without an end floods a mailbox."""
    with pytest.raises(InvalidSchedule) as caught:
        read_when(words, now=NOW, zone=BERLIN)
    assert len(str(caught.value)) > 20


def test_it_is_read_back_with_what_follows():
    """One sees the first time and the next three before it is sent."""
    said = describe(read_when("every weekday 9:00", now=NOW, zone=BERLIN), now=NOW)
    assert said == (
        "Mon 30 Nov 09:00 Europe/Berlin, in 3 days; then Tue 1 Dec 09:00, Wed 2 Dec 09:00, Thu 3 Dec 09:00 ..."
    )


@settings(max_examples=60)
@given(
    words=st.sampled_from(
        ["every day 02:30", "every 2 weeks on sun 02:15", "every month on the last day", "every 5 hours"]
    ),
    days=st.integers(0, 700),
    ahead=st.integers(1, 400),
)
def test_next_and_latest_agree_with_the_list(words: str, days: int, ahead: int):
    """Whoever asks, in whatever process, finds the same occurrences."""
    now = NOW + timedelta(days=days)
    recurrence, first = read_recurrence(words, now=now, zone=BERLIN)
    until = first.at + timedelta(hours=ahead)
    listed = []
    for at in occurrences(recurrence):
        if at > until:
            break
        listed.append(at)
    assert listed == sorted(set(listed))
    assert first.at in listed
    assert latest(recurrence, first.at - timedelta(seconds=1), until) == listed[-1]
    assert following(recurrence, listed[-1]) is not None
    assert all(at.tzinfo is UTC for at in listed)
