"""What became of each recipient, as a provider tells it bit by bit after it has taken a message: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from tui_mailer.domain.submission import SETTLED_STATUSES, Recipient, RecipientStatus, State

Source = Literal["attempt", "provider"]
"""Where a status comes from: the answer to an attempt, or the provider when asked later."""

FINAL_STATUSES = frozenset(
    {RecipientStatus.DELIVERED, RecipientStatus.BOUNCED, RecipientStatus.COMPLAINED, RecipientStatus.REJECTED}
)
"""Nothing more is to be learnt of these."""

_KNOWS_MORE = frozenset({RecipientStatus.DELIVERED, RecipientStatus.BOUNCED, RecipientStatus.COMPLAINED})
_LESS = frozenset(
    {RecipientStatus.PENDING, RecipientStatus.ACCEPTED, RecipientStatus.DEFERRED, RecipientStatus.UNKNOWN}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusEvent:
    """One thing learnt of one recipient."""

    at: datetime
    """When it happened, as far as the provider says; else when it was learnt."""
    address: str
    status: RecipientStatus
    detail: str = ""
    """The provider's own word."""
    source: Source = "provider"


def timeline_of(recipients: Iterable[Recipient], events: Sequence[StatusEvent]) -> tuple[StatusEvent, ...]:
    """Returns everything known of the recipients in the order it happened, oldest first."""
    told = {one.address for one in events}
    first = [one for recipient in recipients if recipient.address not in told for one in _as_event(recipient)]
    return tuple(sorted((*first, *events), key=lambda one: one.at))


def refine(
    recipients: Sequence[Recipient], events: Sequence[StatusEvent], learnt: Sequence[StatusEvent]
) -> tuple[tuple[Recipient, ...], tuple[StatusEvent, ...]]:
    """Returns recipients and timeline after a provider was asked; unchanged where it told nothing new.

    What is still waiting (``pending``) tells nothing. A word that nobody knows is kept in the timeline and the detail,
    and a late ``accepted`` doesn't undo a ``delivered``.
    """
    after = list(recipients)
    timeline = list(events)
    for event in sorted(learnt, key=lambda one: one.at):
        for index, recipient in enumerate(after):
            if recipient.address.lower() != event.address.lower() or event.status is RecipientStatus.PENDING:
                continue
            if (event.status, event.detail or None) == (recipient.status, recipient.detail):
                continue
            if any(
                (one.address, one.status, one.detail) == (recipient.address, event.status, event.detail)
                for one in timeline
            ):
                continue
            if not any(one.address == recipient.address for one in timeline):
                timeline.extend(_as_event(recipient))
            timeline.append(replace(event, address=recipient.address))
            after[index] = _after(recipient, event)
    return tuple(after), tuple(timeline)


def state_when_left(recipients: Sequence[Recipient]) -> State:
    """Derives the state of a message that its provider no longer keeps."""
    refused = sum(one.status is RecipientStatus.REJECTED for one in recipients)
    if refused == len(recipients):
        return State.FAILED
    return State.PARTIAL if refused else State.SENT


def is_final(recipients: Iterable[Recipient]) -> bool:
    """Says whether there is nothing more to ask."""
    return all(one.status in FINAL_STATUSES for one in recipients)


def _as_event(recipient: Recipient) -> list[StatusEvent]:
    if recipient.at is None:
        return []
    return [
        StatusEvent(
            at=recipient.at,
            address=recipient.address,
            status=recipient.status,
            detail=recipient.detail or "",
            source="attempt",
        )
    ]


def _after(recipient: Recipient, event: StatusEvent) -> Recipient:
    if event.status is RecipientStatus.UNKNOWN and recipient.status in SETTLED_STATUSES:
        return replace(recipient, detail=event.detail or recipient.detail)
    if recipient.status in _KNOWS_MORE and event.status in _LESS:
        return recipient
    return replace(recipient, status=event.status, detail=event.detail or None, at=event.at)
