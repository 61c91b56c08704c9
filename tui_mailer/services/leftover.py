"""What a flush leaves in the outbox though it did all it could: what needs a person, and what is due next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tui_mailer.domain.submission import State
from tui_mailer.services.opening_hours import closed_accounts
from tui_mailer.storage.record import HELD_AS_ASKED, HELD_BY_PERSON

if TYPE_CHECKING:
    from tui_mailer.services.mailer import Mailer
    from tui_mailer.storage.record import AccountHold, Submission

_MOST = 1000
"""No more are looked at: who has so many that wait for a person is told so by the first few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """What waits, apart from what its account's hours keep."""

    account_holds: Sequence[AccountHold]
    """Accounts with mail that is due and can't go until a person has mended them."""
    needs_person: Sequence[Submission]
    """Uncertain, or held by the program for a reason; newest first."""
    held_as_asked: int
    """How many wait because a person wants it so."""
    next_due: datetime | None
    """When anything else goes out next."""


def leftover(mailer: Mailer) -> Leftover:
    """Looks what waits and for what; with ``delivery.uncertain: give_up`` nobody is asked about the uncertain."""
    outbox, now = mailer.store.outbox, mailer.store.clock.now()
    asked = {State.HELD} if mailer.configuration.delivery.uncertain == "give_up" else {State.HELD, State.UNCERTAIN}
    waiting = outbox.list(states=asked, limit=_MOST)
    needs_person = [one for one in waiting if not is_held_as_asked(one)]
    return Leftover(
        account_holds=[
            hold
            for name, hold in outbox.account_holds().items()
            if not hold.is_offline and outbox.list_due(name, now, limit=1)
        ],
        needs_person=needs_person,
        held_as_asked=len(waiting) - len(needs_person),
        next_due=outbox.next_due(now, skip_accounts=closed_accounts(mailer.configuration, now, mailer.directory.zone)),
    )


def is_held_as_asked(submission: Submission) -> bool:
    """Says whether it waits because a person wants it so."""
    return submission.state is State.HELD and submission.held_reason in (HELD_AS_ASKED, HELD_BY_PERSON)
