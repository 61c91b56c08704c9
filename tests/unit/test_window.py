"""Working and quiet hours: open when a person would say so, also where clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_mailer.domain.window import read_window

BERLIN = ZoneInfo("Europe/Berlin")
FRIDAY_NIGHT = datetime(2026, 11, 27, 23, 30, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("entries", "opening"),
    [
        (("mon-fri 08:00-18:00",), "2026-11-30 08:00"),
        (("08:00-18:00",), "2026-11-28 08:00"),
        (("not sat,sun",), "2026-11-27 23:30"),
        (("quiet 22:00-07:00",), "2026-11-28 07:00"),
        (("Fri 22:00-02:00",), "2026-11-27 23:30"),
        (("weekdays 9-12,13-17", "sat 9:00 - 12:00"), "2026-11-28 09:00"),
        (("sat",), "2026-11-28 00:00"),
        (("sun-tue 01:00-02:00",), "2026-11-29 01:00"),
        (("mon-fri 09:00-17:00 America/New_York",), "2026-11-30 15:00"),
        (("mon-fri 08:00-18:00", "not mon 08:00-12:00"), "2026-11-30 12:00"),
        ((), "2026-11-27 23:30"),
    ],
)
def test_mail_leaves_at_the_next_opening(entries: tuple[str, ...], opening: str):
    """What is due outside waits until the hours begin; inside, it goes at once."""
    found = read_window(entries).opens_at(FRIDAY_NIGHT, BERLIN).astimezone(BERLIN)
    assert f"{found:%Y-%m-%d %H:%M}" == opening


def test_hours_past_midnight_belong_to_the_day_they_begin_on():
    """fri 22:00-02:00 lets mail out early on Saturday, not early on Friday."""
    window = read_window(("fri 22:00-02:00",))
    assert window.is_open(datetime(2026, 11, 28, 1, 59, tzinfo=BERLIN), BERLIN)
    assert not window.is_open(datetime(2026, 11, 28, 2, 0, tzinfo=BERLIN), BERLIN)
    assert not window.is_open(datetime(2026, 11, 27, 1, 0, tzinfo=BERLIN), BERLIN)


@pytest.mark.parametrize("night", [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)])
def test_wall_time_counts_over_a_clock_change(night: datetime):
    """Eight o'clock is eight o'clock on the days the clocks change."""
    opening = read_window(("08:00-18:00",)).opens_at(night, BERLIN)
    assert f"{opening.astimezone(BERLIN):%H:%M}" == "08:00"


@pytest.mark.parametrize(
    "entry", ["", "not", "25-26", "8-8", "08:00", "mo 8-9", "mon-fri 8-18 Europe/Nowhere", "mon 08:70-09:00", "mon;tue"]
)
def test_what_is_no_time_of_the_week_is_refused(entry: str):
    """The sentence says what is allowed."""
    with pytest.raises(ValueError, match=r"allowed: |no time|time zone"):
        read_window((entry,))


def test_hours_that_never_open_are_refused():
    """Mail that could never leave would be lost without a word."""
    with pytest.raises(ValueError, match="no time at all"):
        read_window(("sat 08:00-09:00", "not sat"))


@given(
    minutes=st.integers(0, 366 * 24 * 60),
    start=st.integers(0, 23),
    length=st.integers(1, 23),
    day=st.sampled_from(["", "mon ", "sat-mon ", "weekdays "]),
)
def test_an_opening_is_open_and_nothing_before_it_is(minutes: int, start: int, length: int, day: str):
    """The next opening is the first moment, to the minute, at which mail may leave."""
    window = read_window((f"{day}{start}:00-{(start + length) % 24}:00",))
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    opening = window.opens_at(at, BERLIN)
    assert window.is_open(opening, BERLIN)
    if opening > at:
        assert not window.is_open(opening - timedelta(minutes=1), BERLIN)
        assert not window.is_open(at, BERLIN)
