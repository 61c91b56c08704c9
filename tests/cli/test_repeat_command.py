"""``send --repeat``: recurring mail from the command line, listed, skipped and ended there."""

from __future__ import annotations

from program_run import TuiMailer

MESSAGE = ("send", "--to", "a@example.org", "--subject", "Standup", "--body", "x")


def test_recurring_mail_is_listed_skipped_and_ended(tui_mailer: TuiMailer) -> None:
    """The next one always stands in the outbox; canceling it skips it, --series ends them all."""
    sealed = tui_mailer(*MESSAGE, "--repeat", "every weekday 8:50", "--json")
    assert sealed.code == 0
    first = sealed.json
    assert first["series"]
    assert first["schedule"] == {"words": "every weekday 8:50", "zone": "Europe/Berlin"}
    assert "and then again (every weekday 8:50)" in sealed.err
    assert "recurs" in tui_mailer("outbox", "list").out
    skipped = tui_mailer("outbox", "cancel", first["id"])
    assert "which goes on" in skipped.err
    (second,) = tui_mailer("outbox", "list", "--json").json
    assert second["series"] == first["series"]
    assert second["not_before"] > first["not_before"]
    ended = tui_mailer("outbox", "cancel", "--series", second["id"], "--json")
    assert (ended.code, ended.json["state"]) == (0, "canceled")
    assert tui_mailer("outbox", "list", "--json").json == []
    assert tui_mailer("outbox", "cancel", "--series", second["id"]).code == 66


def test_a_series_is_shown_and_ended_by_its_own_id(tui_mailer: TuiMailer) -> None:
    """`outbox show` tells the series' ID, and that ID, or its end, is taken wherever the series is meant."""
    first = tui_mailer(*MESSAGE, "--repeat", "every weekday 8:50", "--json").json
    series = first["series"]
    assert series in tui_mailer("outbox", "show", first["id"]).out
    assert tui_mailer("outbox", "show", series[-8:], "--json").json["id"] == first["id"]
    held = tui_mailer("outbox", "hold", first["id"])
    assert held.code == 0
    assert "held, recurs" in tui_mailer("outbox", "list").out
    assert tui_mailer("outbox", "cancel", series).code == 66  # a mail's own, without --series
    ended = tui_mailer("outbox", "cancel", "--series", series[-8:], "--json")
    assert (ended.code, ended.json["id"], ended.json["state"]) == (0, first["id"], "canceled")
    assert tui_mailer("outbox", "list", "--json").json == []
    assert tui_mailer("outbox", "cancel", "--series", series).code == 66


def test_from_when_and_until_are_said_with_at_and_in_the_rule(tui_mailer: TuiMailer) -> None:
    """--at is from when on; RFC 5545 rules are taken as they are."""
    rule = ("--repeat", "FREQ=WEEKLY;BYDAY=MO;COUNT=2", "--at", "2027-01-01 9:00")
    assert tui_mailer(*MESSAGE, *rule, "--json").json["not_before"] == "2027-01-04T08:00:00.000Z"


def test_a_rule_that_is_none_stores_nothing(tui_mailer: TuiMailer) -> None:
    """65, with what can be written, also with --each; --check reads it back."""
    for rule in ("tomorrow", "every blue moon", "FREQ=MINUTELY"):
        refused = tui_mailer(*MESSAGE, "--repeat", rule)
        assert refused.code == 65, rule
    assert tui_mailer(*MESSAGE, "--repeat", "every day", "--each").code == 65
    assert tui_mailer("outbox", "list", "--json").json == []
    checked = tui_mailer(*MESSAGE, "--repeat", "every day 9:00", "--check", "--json")
    assert checked.json["schedule"]["words"] == "every day 9:00"
