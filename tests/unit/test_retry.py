"""When a submission is tried again: every rule of the retry decision."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_mailer.domain.errors import DeliveryError, OutcomeUncertain, Rejected, TryLater
from tui_mailer.domain.submission import Phase, State
from tui_mailer.services.retry import BACKOFF_SECONDS, RetryPolicy, Situation, backoff, decide

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
POLICY = RetryPolicy(max_age=timedelta(days=5))


def situation(attempt: int = 1, *, age: timedelta = timedelta(), jitter: float = 0.0) -> Situation:
    return Situation(attempt=attempt, now=NOW, due_since=NOW - age, jitter=jitter)


def test_a_refusal_is_final():
    """What the server refused for good isn't tried again."""
    assert decide(Rejected("no", code=550), Phase.ENVELOPE, situation(), POLICY).state is State.FAILED


def test_a_first_temporary_refusal_waits_thirty_seconds():
    """A 4yz answer is tried again after half a minute."""
    decision = decide(TryLater("busy", code=451), Phase.ENVELOPE, situation(), POLICY)
    assert (decision.state, decision.next_attempt_at) == (State.DEFERRED, NOW + timedelta(seconds=30))


def test_greylisting_waits_a_minute():
    """A greylisting server isn't asked again before it can say yes."""
    error = TryLater("greylisted", code=451, enhanced_code="4.7.1")
    assert decide(error, Phase.ENVELOPE, situation(), POLICY).next_attempt_at == NOW + timedelta(seconds=60)


def test_the_servers_hint_wins_up_to_an_hour():
    """A server's own hint is honoured, but not for longer than an hour."""
    soon = decide(TryLater("x", retry_at=NOW + timedelta(minutes=7)), Phase.ENVELOPE, situation(), POLICY)
    far = decide(TryLater("x", retry_at=NOW + timedelta(days=2)), Phase.ENVELOPE, situation(), POLICY)
    assert soon.next_attempt_at == NOW + timedelta(minutes=7)
    assert far.next_attempt_at == NOW + timedelta(hours=1)


@pytest.mark.parametrize("phase", [Phase.CLAIMED, Phase.CONNECTING, Phase.ENVELOPE, Phase.BODY])
def test_a_break_before_the_point_of_no_return_is_harmless(phase: Phase):
    """A broken connection before the final dot is tried again."""
    assert decide(DeliveryError("reset"), phase, situation(), POLICY).state is State.DEFERRED


def test_a_break_after_it_is_uncertain():
    """A broken connection after the final dot is never guessed."""
    assert decide(DeliveryError("reset"), Phase.INTENT, situation(), POLICY).state is State.UNCERTAIN
    assert decide(OutcomeUncertain("silence"), Phase.BODY, situation(), POLICY).state is State.UNCERTAIN


def test_a_definite_answer_after_it_stays_definite():
    """A 4yz or 5yz at the final dot is an answer, not an uncertainty."""
    assert decide(TryLater("busy", code=451), Phase.INTENT, situation(), POLICY).state is State.DEFERRED
    assert decide(Rejected("spam", code=554), Phase.INTENT, situation(), POLICY).state is State.FAILED


def test_too_old_is_given_up():
    """After the final age it fails, and says that it was given up."""
    decision = decide(TryLater("busy"), Phase.ENVELOPE, situation(9, age=timedelta(days=5)), POLICY)
    assert (decision.state, decision.is_given_up) == (State.FAILED, True)


def test_retries_bound_the_attempts():
    """`--retries 2` means three attempts in all."""
    policy = RetryPolicy(max_age=timedelta(days=5), max_attempts=3)
    assert decide(TryLater("busy"), Phase.ENVELOPE, situation(2), policy).state is State.DEFERRED
    assert decide(TryLater("busy"), Phase.ENVELOPE, situation(3), policy).state is State.FAILED


@given(st.integers(1, 1000), st.floats(-5, 5))
def test_the_wait_stays_within_its_bounds(attempt: int, jitter: float):
    """No wait is ever shorter than 24 s or longer than 80 min."""
    wait = backoff(attempt, BACKOFF_SECONDS, jitter).total_seconds()
    assert 0.8 * BACKOFF_SECONDS[0] <= wait <= 1.2 * BACKOFF_SECONDS[-1]
