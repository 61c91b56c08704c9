"""What may be repeated though nobody knows whether it was taken: by a key that the provider remembers.

A key stays the same as long as a request under it was never answered; every definite answer makes it another one,
since some providers remember refusals too. It is trusted for the provider's lifetime, from its first use.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_mailer.providers.base import Capabilities
    from tui_mailer.storage.record import Submission

REPEAT_AFTER = timedelta(seconds=10)
"""The first request may still be under way there."""
MOST_USES = 2
"""A key's uses without a person: the request, and one repeat."""
EXPIRED = (
    "No answer came, and the provider has forgotten the key by which a repeat would have been harmless, or the account "
    "has been changed since: it may have been sent. Say what became of it."
)
_MARGIN = timedelta(minutes=1)


def key_of(submission: Submission) -> str:
    """Names the request to a provider that knows repeats by a key."""
    return submission.id if submission.key_number == 0 else f"{submission.id}-{submission.key_number}"


def is_in_doubt(submission: Submission) -> bool:
    """Says whether an earlier request may have been taken though no answer came."""
    return submission.key_used_at is not None


def is_key_alive(submission: Submission, capabilities: Capabilities, now: datetime) -> bool:
    """Says whether the provider still knows the key, so that a repeat can't make a second message."""
    if capabilities.idempotency == "client_id":
        return True
    if capabilities.idempotency != "key":
        return False
    lifetime, used_at = capabilities.idempotency_lifetime, submission.key_used_at
    if lifetime is None or used_at is None:
        return True
    # Used in the future: the clock has been set back since, and nobody knows how long ago that was.
    return used_at - _MARGIN < now < used_at + lifetime - _MARGIN


def may_repeat(submission: Submission, capabilities: Capabilities, now: datetime, *, uses: int) -> bool:
    """Says whether a request that was never answered is repeated without a person; ``uses`` counts this one."""
    return uses < MOST_USES and is_key_alive(submission, capabilities, now)


def said_with_repeat(text: str, submission: Submission, capabilities: Capabilities, again_at: datetime | None) -> str:
    """Says behind an error why what may have been taken is tried again all the same, and what that may lead to."""
    if again_at is not None and is_key_alive(submission, capabilities, again_at):
        why = "It is repeated with the same key, by which the provider knows it again: no second mail goes out."
    else:
        why = "It is sent again, as delivery.uncertain asks: it may arrive twice."
    return f"{text.rstrip('. ')}. {why}"
