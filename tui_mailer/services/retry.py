"""When to try again, as a pure function: decision = f(error, phase, attempt, now).

Back-off follows delivery practice (postfix doubles 300 s to 4,000 s; greylisting wants a first retry after a minute)
with jitter, so that mail deferred together doesn't come back together. The server's own hint wins, up to an hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from tui_mailer.domain.errors import DeliveryError, OutcomeUncertain, Rejected, TryLater
from tui_mailer.domain.submission import Phase, State

BACKOFF_SECONDS = (30, 120, 300, 600, 1200, 2400, 4000)
"""Wait after the 1st, 2nd ... failed attempt; the last one repeats."""
GREYLIST_SECONDS = (60, 300, 900)
"""Greylisters (450/451 4.7.1) let the second try through once some minutes have passed."""
OFFLINE_SECONDS = (30, 60, 120, 300, 600, 900)
"""Probes of an account that can't be reached: one message, not all of them."""
LONGEST_HINT = timedelta(hours=1)
ADDRESS_CODES = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})
"""RFC 3463: no such mailbox, domain or address; no other account would fare better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """What bounds the attempts of one submission."""

    max_age: timedelta
    max_attempts: int | None = None
    """All attempts together, the first included; None: only ``max_age`` bounds them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known when an attempt has ended without success for some recipient."""

    attempt: int
    """Its number, from 1."""
    now: datetime
    due_since: datetime
    """When the submission first became due."""
    jitter: float = 0.0
    """In [-1, 1]; scaled to +-20 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of the submission."""

    state: State
    """DEFERRED, FAILED or UNCERTAIN."""
    next_attempt_at: datetime | None = None
    is_given_up: bool = False
    """Temporary trouble, but too old or tried too often."""


def decide(error: DeliveryError, phase: Phase, situation: Situation, policy: RetryPolicy) -> Decision:
    """Decides after an attempt that ended with an error instead of a receipt.

    An error that is neither definite nor harmless counts by the phase reached: from INTENT on it is uncertain.
    """
    if isinstance(error, Rejected):
        return Decision(state=State.FAILED)
    if isinstance(error, TryLater):
        return decide_deferral(situation, policy, hint=error.retry_at, is_greylisted=is_greylisting(error))
    if isinstance(error, OutcomeUncertain) or phase is Phase.INTENT:
        return Decision(state=State.UNCERTAIN)
    return decide_deferral(situation, policy)


def decide_deferral(
    situation: Situation,
    policy: RetryPolicy,
    *,
    hint: datetime | None = None,
    is_greylisted: bool = False,
) -> Decision:
    """Decides when recipients that were deferred are tried again, or that they have been tried for long enough."""
    tried_too_often = policy.max_attempts is not None and situation.attempt >= policy.max_attempts
    delay = backoff(situation.attempt, GREYLIST_SECONDS if is_greylisted else BACKOFF_SECONDS, situation.jitter)
    next_attempt_at = situation.now + delay
    if hint is not None and hint > situation.now:
        next_attempt_at = min(hint, situation.now + LONGEST_HINT)
    if tried_too_often or next_attempt_at - situation.due_since > policy.max_age:
        return Decision(state=State.FAILED, is_given_up=True)
    return Decision(state=State.DEFERRED, next_attempt_at=next_attempt_at)


def fall_back_after(error: DeliveryError, decision: Decision) -> Literal["for_good", "for_now"] | None:
    """Says whether another account may try: never while it is open whether this one has accepted it."""
    if decision.state is State.UNCERTAIN or error.enhanced_code in ADDRESS_CODES:
        return None
    return "for_good" if decision.state is State.FAILED else "for_now"


def backoff(attempt: int, steps_seconds: tuple[int, ...], jitter: float) -> timedelta:
    """Waits longer after each attempt (from 1); ``jitter`` in [-1, 1] moves it by up to 20 %."""
    base = steps_seconds[min(max(attempt, 1), len(steps_seconds)) - 1]
    return timedelta(seconds=base * (1 + 0.2 * max(-1.0, min(1.0, jitter))))


def is_greylisting(error: DeliveryError) -> bool:
    """Recognises greylisting by its codes: 450 or 451 with 4.7.1 or 4.2.0 style policy answers."""
    return error.code in (450, 451) and (error.enhanced_code or "").startswith("4.7.")
