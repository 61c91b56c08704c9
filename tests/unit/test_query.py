"""Searching: what a QUERY means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_mailer.domain.errors import InvalidSchedule
from tui_mailer.domain.submission import State
from tui_mailer.services.query import parse_past, parse_query, parse_typed, say_wrong_date
from tui_mailer.storage.record import HistoryQuery

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def query(text: str) -> HistoryQuery:
    return parse_query(text, now=NOW, zone=BERLIN)


def test_words_and_phrases_are_all_asked_for():
    """Plain words and a quoted phrase are conditions of their own."""
    assert query('invoice "second reminder" bob').words == ("invoice", "second reminder", "bob")


def test_every_condition_has_its_place():
    """from: to: subject: account: state: before: after: are read."""
    found = query('from:ada to:bob@example.org subject:"the plan" account:work state:sent before:2026-11-01 after:30d')
    assert (found.sender, found.to, found.subject) == (("ada",), ("bob@example.org",), ("the plan",))
    assert (found.account, found.state) == ("work", State.SENT)
    assert found.before == datetime(2026, 11, 1, tzinfo=BERLIN)
    assert found.after == NOW - timedelta(days=30)
    assert found.words == ()


@pytest.mark.parametrize("text", ["http://example.org", "state:lovely", "before:soon", "re:plan", "a:b"])
def test_what_is_no_condition_is_literal(text: str):
    """Anything else is looked for as it stands."""
    assert query(text).words == (text,)


@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str):
    """Whatever a person types, reading it raises nothing."""
    assert isinstance(query(text), HistoryQuery)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=BERLIN)),
        ("yesterday", datetime(2026, 11, 21, tzinfo=BERLIN)),
        ("2026-11-01T10:00:00Z", datetime(2026, 11, 1, 10, tzinfo=UTC)),
        ("2w", NOW - timedelta(days=14)),
    ],
)
def test_the_past_can_be_named(text: str, moment: datetime):
    """purge --before takes dates and ages."""
    assert parse_past(text, now=NOW, zone=BERLIN) == moment


def test_a_date_that_is_none_is_refused():
    """A typo deletes nothing."""
    with pytest.raises(InvalidSchedule, match="'202-13-1' is no date"):
        parse_past("202-13-1", now=NOW, zone=BERLIN)


@pytest.mark.parametrize(
    ("text", "wrong"), [("plan after:foo x", "after:foo"), ("before:", "before:"), ("After:9", "After:9")]
)
def test_a_date_that_is_none_is_named_in_a_search(text: str, wrong: str):
    """It is said, with what it takes, where nothing or all would be found without a word."""
    assert say_wrong_date(text).startswith(f"{wrong} takes 2026-11-30, ")
    assert not say_wrong_date('after:2026-11 before:90d to:foo "after:foo x" after')


def typed(text: str) -> HistoryQuery:
    return parse_typed(text, now=NOW, zone=BERLIN)


@pytest.mark.parametrize(
    ("text", "unfinished"),
    [
        ("invo", "words"),
        ("invoice ", ""),
        ("invoice bo", "words"),
        ('"invoice of"', ""),
        ("to:bo", "to"),
        ("from:ad", "sender"),
        ("subject:pl", "subject"),
        ("account:wo", "account"),
        ("to:bob state:sent", ""),
        ("before:2026", ""),
    ],
)
def test_the_last_word_is_open_while_one_types(text: str, unfinished: str):
    """Without a blank or a closing quote after it, a word may go on."""
    assert typed(text).unfinished == unfinished


@pytest.mark.parametrize("text", ["to:", "state:", "before:20", "after:2026-1", "state:pa"])
def test_a_condition_half_typed_hides_nothing(text: str):
    """What can't be read yet is no condition yet; a state is known by its beginning."""
    found = typed(f"plan {text}")
    assert (found.words, found.before, found.after, found.to) == (("plan",), None, None, ())
    assert found.state == (State.PARTIAL if text == "state:pa" else None)


@given(st.text(max_size=60))
def test_no_text_breaks_it_while_it_is_typed(text: str):
    """Whatever has been typed so far, reading it raises nothing."""
    assert isinstance(typed(text), HistoryQuery)


def test_years_and_months_are_dates():
    """before:2026 and after:2026-03 mean their first day."""
    assert query("before:2026").before == datetime(2026, 1, 1, tzinfo=BERLIN)
    assert query("after:2026-03").after == datetime(2026, 3, 1, tzinfo=BERLIN)
