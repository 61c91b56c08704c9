"""What an attempt's outcome makes of the recipients and of the state: pure functions, no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from tui_mailer.domain.submission import (
    DUE_STATUSES,
    SETTLED_STATUSES,
    Recipient,
    RecipientResult,
    RecipientStatus,
    State,
    derive_state,
)
from tui_mailer.storage.record import Outcome

_FALLBACK_STATUSES = {
    State.DEFERRED: RecipientStatus.DEFERRED,
    State.FAILED: RecipientStatus.REJECTED,
    State.UNCERTAIN: RecipientStatus.UNKNOWN,
}

AT_STAKE = frozenset({RecipientStatus.PENDING})
"""Once the intent is recorded: whom the message is being handed over for; see `put_at_stake`."""


def put_at_stake(
    recipients: Sequence[Recipient], answers: Sequence[RecipientResult], now: datetime
) -> tuple[Recipient, ...]:
    """Returns the recipients as they stand at the intent: pending, but for whom the server has turned away by now."""
    turned_away = {one.address: one for one in answers if one.status not in SETTLED_STATUSES}
    return tuple(
        _put_at_stake(one, turned_away.get(one.address), now) if one.status in DUE_STATUSES else one
        for one in recipients
    )


def apply_outcome(
    recipients: Sequence[Recipient],
    outcome: Outcome,
    now: datetime,
    *,
    answered: frozenset[RecipientStatus] = DUE_STATUSES,
) -> tuple[Recipient, ...]:
    """Returns the recipients after an attempt; those whose status isn't in ``answered`` weren't in it and stay.

    Whom the receipt doesn't name, or defers, shares the fallback: rejected, unknown, or for another try.
    """
    results = {one.address: one for one in outcome.receipt.recipients} if outcome.receipt else {}
    return tuple(
        _after(one, results.get(one.address), outcome, now) if one.status in answered else one for one in recipients
    )


def derive_outcome_state(recipients: Sequence[Recipient], outcome: Outcome) -> State:
    """Derives a submission's state from its recipients' after an attempt."""
    state = derive_state(one.status for one in recipients)
    if state is State.DEFERRED and outcome.fallback_state is State.HELD:
        return State.HELD
    if outcome.receipt is not None and outcome.receipt.is_handed_over and state in (State.SENT, State.PARTIAL):
        return State.HANDED_OVER
    return state


def has_accepted(outcome: Outcome) -> bool:
    """Says whether the provider has taken responsibility for any recipient."""
    return outcome.receipt is not None and any(one.status in SETTLED_STATUSES for one in outcome.receipt.recipients)


def has_left(outcome: Outcome) -> bool:
    """Says whether that is so and the provider doesn't keep the message for later."""
    return has_accepted(outcome) and outcome.receipt is not None and not outcome.receipt.is_handed_over


def reopen(recipients: Sequence[Recipient], addresses: frozenset[str]) -> tuple[Recipient, ...]:
    """Makes those of the addresses that were refused due again, keeping the words of the refusal."""
    return tuple(
        replace(one, status=RecipientStatus.DEFERRED)
        if one.status is RecipientStatus.REJECTED and one.address in addresses
        else one
        for one in recipients
    )


def restate(
    recipients: Sequence[Recipient],
    old: frozenset[RecipientStatus],
    new: RecipientStatus,
    detail: str | None,
    now: datetime,
) -> tuple[Recipient, ...]:
    """Gives every recipient of some statuses another one."""
    return tuple(replace(one, status=new, detail=detail, at=now) if one.status in old else one for one in recipients)


def _put_at_stake(recipient: Recipient, answer: RecipientResult | None, now: datetime) -> Recipient:
    if answer is not None:
        return replace(recipient, status=answer.status, detail=answer.text or None, at=now)
    return recipient if recipient.status in AT_STAKE else replace(recipient, status=RecipientStatus.PENDING, at=now)


def _after(recipient: Recipient, answer: RecipientResult | None, outcome: Outcome, now: datetime) -> Recipient:
    if answer is not None:
        recipient = replace(recipient, status=answer.status, detail=answer.text or None, at=now)
        if answer.status not in DUE_STATUSES:
            return recipient
    status = _FALLBACK_STATUSES.get(outcome.fallback_state)
    is_settled_otherwise = outcome.fallback_state in (State.FAILED, State.UNCERTAIN)
    if status is None or (outcome.receipt is not None and not is_settled_otherwise):
        return recipient
    detail = outcome.text or outcome.error
    if answer is not None:
        detail = recipient.detail or detail
    return replace(recipient, status=status, detail=detail, at=now)


def answer_of(outcome: Outcome) -> dict[str, Any]:
    """Names what a server answered, as the columns keep it."""
    receipt = outcome.receipt
    return {
        "response_code": outcome.code if outcome.code is not None or receipt is None else receipt.response_code,
        "enhanced_code": outcome.enhanced_code or (receipt.enhanced_code if receipt else None),
        "response_text": outcome.text or (receipt.response_text if receipt else "") or None,
    }
