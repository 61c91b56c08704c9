"""WHEN: what people say is the instant they mean, read back with its zone, or refused with a sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_mailer.domain.errors import InvalidSchedule
from tui_mailer.domain.schedule import (
    Schedule,
    describe,
    describe_distance,
    describe_instant,
    parse_when,
    suggestions,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 27, 16, 10, tzinfo=BERLIN)
"""A Friday afternoon."""


def when(words: str, now: datetime = NOW, zone: ZoneInfo = BERLIN) -> str:
    """The local time the words mean, in the zone they were said in."""
    schedule = parse_when(words, now=now, zone=zone)
    assert schedule.at.tzinfo is UTC
    return f"{schedule.at.astimezone(zone):%Y-%m-%d %H:%M}"


def test_a_schedule_is_read_back_with_zone_and_distance():
    """The words, the zone and the distance are all said."""
    schedule = parse_when(" Monday  9:00 ", now=NOW, zone=BERLIN)
    assert schedule == Schedule(datetime(2026, 11, 30, 8, tzinfo=UTC), "Europe/Berlin", "Monday  9:00")
    assert describe(schedule, now=NOW) == "Mon 30 Nov 09:00 Europe/Berlin, in 3 days"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("2026-11-30T09:00:00Z", "2026-11-30 10:00"),
        ("2026-11-30t09:00:00.25z", "2026-11-30 10:00"),
        ("2026-11-30T09:00:00+05:30", "2026-11-30 04:30"),
        ("2026-11-30T09:00:00-08:00", "2026-11-30 18:00"),
        ("2026-11-30 09:00:00+01:00", "2026-11-30 09:00"),
        ("2026-11-30T09:00", "2026-11-30 09:00"),
        ("2026-11-30 09:00", "2026-11-30 09:00"),
        ("2026-11-30 9am", "2026-11-30 09:00"),
        ("2026-11-30", "2026-11-30 09:00"),
        ("2028-02-29", "2028-02-29 09:00"),
    ],
)
def test_rfc_3339_and_its_short_forms(words: str, expected: str):
    """With an offset it is that instant, without one it is local time, a date alone is nine o'clock."""
    assert when(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("tomorrow", "2026-11-28 09:00"),
        ("Tomorrow 9am", "2026-11-28 09:00"),
        ("tomorrow at 9", "2026-11-28 09:00"),
        ("tomorrow 9:30 pm", "2026-11-28 21:30"),
        ("9 p.m. tomorrow", "2026-11-28 21:00"),
        ("tomorrow evening", "2026-11-28 18:00"),
        ("tomorrow noon", "2026-11-28 12:00"),
        ("day after tomorrow", "2026-11-29 09:00"),
        ("today 17:30", "2026-11-27 17:30"),
        ("17:30 today", "2026-11-27 17:30"),
        ("this evening", "2026-11-27 18:00"),
        ("this evening 19:15", "2026-11-27 19:15"),
        ("tonight", "2026-11-27 20:00"),
        ("tonight at 10pm", "2026-11-27 22:00"),
        ("midnight", "2026-11-28 00:00"),
        ("tonight midnight", "2026-11-28 00:00"),
        ("noon", "2026-11-28 12:00"),
        ("5pm", "2026-11-27 17:00"),
        ("9:00", "2026-11-28 09:00"),
        ("12am", "2026-11-28 00:00"),
        ("12pm", "2026-11-28 12:00"),
        ("9.30am", "2026-11-28 09:30"),
        ("now", "2026-11-27 16:10"),
    ],
)
def test_days_and_times_of_day(words: str, expected: str):
    """A time alone is the next such time, a day alone its morning."""
    assert when(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("mon 17:00", "2026-11-30 17:00"),
        ("Monday", "2026-11-30 09:00"),
        ("on monday at 8am", "2026-11-30 08:00"),
        ("fri 17:00", "2026-11-27 17:00"),
        ("fri 16:00", "2026-12-04 16:00"),
        ("friday", "2026-12-04 09:00"),
        ("thurs 9:00", "2026-12-03 09:00"),
        ("next monday", "2026-11-30 09:00"),
        ("next friday 10:00", "2026-12-04 10:00"),
        ("next week", "2026-11-30 09:00"),
        ("monday morning", "2026-11-30 09:00"),
        ("9am sat", "2026-11-28 09:00"),
    ],
)
def test_weekdays(words: str, expected: str):
    """A weekday is the next one, today if its time is still ahead; next: the one of the next calendar week."""
    assert when(words) == expected


def test_next_weekday_early_in_the_week_is_not_this_weeks():
    """Said on a Tuesday, friday is in three days and next friday in ten."""
    tuesday = datetime(2026, 11, 24, 12, tzinfo=BERLIN)
    assert when("friday", tuesday) == "2026-11-27 09:00"
    assert when("next friday", tuesday) == "2026-12-04 09:00"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("in 2h", "2026-11-27 18:10"),
        ("in 1h30m", "2026-11-27 17:40"),
        ("in 1h 30m", "2026-11-27 17:40"),
        ("in 1 hour and 30 minutes", "2026-11-27 17:40"),
        ("in 1.5 hours", "2026-11-27 17:40"),
        ("in 120s", "2026-11-27 16:12"),
        ("+45min", "2026-11-27 16:55"),
        ("in an hour", "2026-11-27 17:10"),
        ("in half an hour", "2026-11-27 16:40"),
        ("in 3 days", "2026-11-30 16:10"),
        ("in 2 weeks", "2026-12-11 16:10"),
        ("in a week", "2026-12-04 16:10"),
        ("in 3 days 9:00", "2026-11-30 09:00"),
        ("in 1d2h", "2026-11-28 18:10"),
        ("in 0s", "2026-11-27 16:10"),
    ],
)
def test_distances(words: str, expected: str):
    """From now, in any of the usual units."""
    assert when(words) == expected


def test_ninety_seconds_are_ninety_seconds():
    """A short distance keeps its seconds and shows them."""
    schedule = parse_when("in 90s", now=NOW, zone=BERLIN)
    assert schedule.at - NOW == timedelta(seconds=90)
    assert describe_instant(schedule.at, BERLIN, now=NOW) == "Fri 27 Nov 16:11:30 Europe/Berlin"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("30 nov 9:00", "2026-11-30 09:00"),
        ("30 November", "2026-11-30 09:00"),
        ("nov 30", "2026-11-30 09:00"),
        ("Nov 30, 2027 17:00", "2027-11-30 17:00"),
        ("the 30th of november", "2026-11-30 09:00"),
        ("30. nov 2026", "2026-11-30 09:00"),
        ("sept 5", "2027-09-05 09:00"),
        ("20 nov", "2027-11-20 09:00"),
        ("29 feb", "2028-02-29 09:00"),
        ("30.11. 08:00", "2026-11-30 08:00"),
        ("30.11.2027", "2027-11-30 09:00"),
        ("11/30", "2026-11-30 09:00"),
        ("5.5.", "2027-05-05 09:00"),
        ("Mon, 30 Nov 2026 09:00", "2026-11-30 09:00"),
    ],
)
def test_dates(words: str, expected: str):
    """A date without a year is the next such date."""
    assert when(words) == expected


def test_a_zone_may_be_said():
    """Another zone's wall time is kept in that zone, and read back in it."""
    schedule = parse_when("mon 9:00 America/New_York", now=NOW, zone=BERLIN)
    assert schedule.at == datetime(2026, 11, 30, 14, tzinfo=UTC)
    assert describe(schedule, now=NOW) == "Mon 30 Nov 09:00 America/New_York, in 3 days"
    assert when("tomorrow 9:00 UTC") == "2026-11-28 10:00"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", "names no time"),
        ("at", "names no time"),
        ("soon", "'soon' is no time I know; write for example tomorrow 9am"),
        ("tomorrow after lunch", "'after lunch' in 'tomorrow after lunch' is no time I know"),
        ("yesterday", "'yesterday' is no time I know"),
        ("in 5", "'in 5' is no time I know"),
        ("25:00", "'25:00' is no time of day"),
        ("9:60", "'9:60' is no time of day"),
        ("13pm", "'13pm' is no time of day"),
        ("0am", "'0am' is no time of day"),
        ("tomorrow at 24", "'24' is no hour"),
        ("mon 17", "Is '17' an hour or a day?"),
        ("9.30", "Is '9.30' a time or a date?"),
        ("1.2.", "'1.2.' can be read in two ways; write 1 Feb or 2 Jan"),
        ("3/4/2027", "'3/4/2027' can be read in two ways; write 3 Apr or 4 Mar"),
        ("0.5.", "'0.5.' is no date in any year"),
        ("31/31", "'31/31' is no date in any year"),
        ("31 nov", "There is no 31 Nov"),
        ("2027-02-29", "There is no 29 Feb 2027"),
        ("2026-13-01", "'2026-13-01' is no date in any year"),
        ("tue 30 nov", "30 Nov 2026 is a Monday, not a Tuesday"),
        ("tomorrow monday", "Two days were named, the second is 'monday'"),
        ("monday tomorrow", "Two days were named, the second is 'tomorrow'"),
        ("nov 30 dec 1", "Two days were named, the second is 'dec 1'"),
        ("9:00 10:00", "Two times of day were named, the second is '10:00'"),
        ("in 2h tomorrow", "Two days were named|either a day or how long from now"),
        ("monday in 2h", "either a day or how long from now"),
        ("in 2h 5pm", "either a time of day or how long from now"),
        ("now 5pm", "either now or another time"),
        ("tomorrow midnight", "Midnight before or after that day?"),
        ("in 1.5 days", "days and weeks are whole"),
        ("9:00 Europe/Atlantis", "'Europe/Atlantis' is no time zone known here"),
        ("9:00 ../../etc/passwd", "is no time I know"),
        ("9:00 Etc/../../passwd", "is no time"),
        ("2026-11-30T09:00+25:00", "is no offset from UTC"),
        ("9:00 utc z", "Two time zones were named"),
        ("in 99999999999 days", "too far ahead"),
        ("in 999999 days", "outside the years|more than 5 years ahead"),
        ("in 999999 weeks", "outside the years|more than 5 years ahead"),
        ("9999-12-31 23:59", "more than 5 years ahead|outside the years"),
        ("0001-01-01", "outside the years|has passed"),
    ],
)
def test_a_refusal_says_what_was_not_understood(words: str, sentence: str):
    """What names no time, or two, is refused with a sentence that says which words, and belongs to the field."""
    with pytest.raises(InvalidSchedule, match=sentence.replace("?", r"\?")) as caught:
        parse_when(words, now=NOW, zone=BERLIN)
    assert caught.value.field == "at"


@pytest.mark.parametrize(
    ("words", "read_back"),
    [
        ("today", r"Fri 27 Nov 09:00 Europe/Berlin has passed \(7 h ago\)"),
        ("today 16:00", r"Fri 27 Nov 16:00 Europe/Berlin has passed \(10 min ago\)"),
        ("2026-11-20", r"Fri 20 Nov 09:00 Europe/Berlin has passed \(7 days ago\)"),
        ("2025-11-20", r"Thu 20 Nov 2025 09:00 Europe/Berlin has passed \(12 months ago\)"),
        ("this morning", r"Fri 27 Nov 09:00 Europe/Berlin has passed"),
    ],
)
def test_the_past_is_read_back(words: str, read_back: str):
    """A time that has passed is refused, saying what was understood."""
    with pytest.raises(InvalidSchedule, match=read_back):
        parse_when(words, now=NOW, zone=BERLIN)


def test_no_more_than_five_years_ahead():
    """A slip in the year doesn't park a message for a century."""
    assert when("2031-11-27 16:10") == "2031-11-27 16:10"
    with pytest.raises(InvalidSchedule, match=r"Thu 26 Nov 2099 09:00 Europe/Berlin is more than 5 years ahead"):
        parse_when("2099-11-26", now=NOW, zone=BERLIN)


def test_an_hour_that_does_not_exist_is_moved_forward_and_said():
    """On the night the clocks go forward 02:30 becomes 03:30, spelt out."""
    now = datetime(2027, 3, 27, 12, tzinfo=UTC)
    schedule = parse_when("tomorrow 2:30", now=now, zone=BERLIN)
    assert schedule.at == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert schedule.remark == "02:30 does not exist that day in Europe/Berlin (clocks go forward): 03:30"
    assert describe(schedule, now=now) == f"Sun 28 Mar 03:30 Europe/Berlin, in 14 h; {schedule.remark}"


def test_an_hour_that_happens_twice_is_the_first_and_said():
    """On the night the clocks go back 02:30 is the first one, spelt out with its abbreviation."""
    schedule = parse_when("2027-10-31 02:30", now=NOW, zone=BERLIN)
    assert schedule.at == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert schedule.remark == "02:30 happens twice that day in Europe/Berlin (clocks go back): the first, CEST"


def test_the_second_of_two_equal_hours_counts_once_the_first_has_passed():
    """At 02:45 summer time, 2:30 is still to come, in winter time."""
    between = datetime(2027, 10, 31, 0, 45, tzinfo=UTC)
    schedule = parse_when("2:30", now=between, zone=BERLIN)
    assert schedule.at == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)
    assert "the second, CET" in schedule.remark


def test_hours_are_real_time_and_days_keep_the_wall_time():
    """Across a clock change a day isn't 24 hours."""
    now = datetime(2027, 3, 27, 12, tzinfo=BERLIN)
    assert when("in 24h", now) == "2027-03-28 13:00"
    assert when("in 1 day", now) == "2027-03-28 12:00"


def test_an_instant_with_an_offset_never_meets_a_clock_change():
    """RFC 3339 with an offset is exact: no remark, no move."""
    schedule = parse_when("2027-03-28T02:30:00+01:00", now=NOW, zone=BERLIN)
    assert schedule.at == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert schedule.remark == ""


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "now"),
        (20, "in 20 s"),
        (89, "in 89 s"),
        (90, "in 2 min"),
        (300, "in 5 min"),
        (5400, "in 90 min"),
        (3 * 3600, "in 3 h"),
        (35 * 3600, "in 35 h"),
        (36 * 3600, "in 2 days"),
        (65 * 3600, "in 3 days"),
        (30 * 86400, "in 30 days"),
        (90 * 86400, "in 3 months"),
        (1461 * 86400, "in 4 years"),
        (-300, "5 min ago"),
        (-7 * 3600, "7 h ago"),
    ],
)
def test_distances_are_said_in_one_unit(seconds: int, expected: str):
    """A person reads one rounded number."""
    assert describe_distance(NOW + timedelta(seconds=seconds), NOW) == expected


def test_the_year_is_said_only_when_it_is_another_one():
    """This year's dates stay short."""
    assert describe_instant(datetime(2027, 1, 1, 8, tzinfo=UTC), BERLIN, now=NOW) == (
        "Fri 1 Jan 2027 09:00 Europe/Berlin"
    )


def test_a_zone_that_is_gone_is_shown_in_utc():
    """A schedule stored in a zone this machine doesn't know is still readable."""
    schedule = Schedule(datetime(2026, 11, 30, 8, tzinfo=UTC), "Mars/Olympus", "x")
    assert describe(schedule, now=NOW).startswith("Mon 30 Nov 08:00 UTC")


@pytest.mark.parametrize("day", range(23, 30))
@pytest.mark.parametrize("hour", [0, 7, 12, 17, 18, 23])
def test_every_suggestion_can_be_taken(day: int, hour: int):
    """Whatever the day and hour, the offers are in the future, in order, and no two are the same."""
    now = datetime(2026, 11, day, hour, 30, tzinfo=BERLIN)
    times = [parse_when(words, now=now, zone=BERLIN).at for words in suggestions(now, BERLIN)]
    assert len(set(times)) == len(times) >= 2
    assert all(at > now for at in times)


def test_suggestions_on_a_friday():
    """An hour, this evening, tomorrow, Monday."""
    assert suggestions(NOW, BERLIN) == ["in 1h", "this evening", "tomorrow 9:00", "Monday 9:00"]


ZONES = st.sampled_from(
    ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia", "UTC"]
)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the strategy adds it


@settings(deadline=None)
@given(MOMENTS, st.timedeltas(timedelta(minutes=1), timedelta(days=1800)), ZONES)
def test_what_is_read_back_can_be_typed_again(now: datetime, ahead: timedelta, name: str):
    """The description of any schedule, typed as words, is the same minute again, but for an hour that happens twice."""
    zone = ZoneInfo(name)
    at = (now + ahead).replace(second=0, microsecond=0)
    if at <= now:
        return
    schedule = parse_when(describe_instant(at, zone, now=now), now=now, zone=zone)
    assert schedule.at == at or "happens twice" in schedule.remark


@settings(deadline=None)
@given(
    MOMENTS,
    ZONES,
    st.text(max_size=30) | st.from_regex(r"(in |mon |tomorrow |nov )?[0-9]{1,4}[ :.\-/hmsd]{0,2}[0-9]{0,3}"),
)
def test_any_words_give_a_future_or_a_sentence(now: datetime, name: str, words: str):
    """Whatever is typed, the answer is a time not before now, or a refusal."""
    try:
        schedule = parse_when(words, now=now, zone=ZoneInfo(name))
    except InvalidSchedule:
        return
    assert schedule.at >= now
