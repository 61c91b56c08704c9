"""What happens to mail that still waits when the app ends, and the sentence that says so."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tui_mailer.domain.submission import State
from tui_mailer.services.who_sends import Sender, say_hold

if TYPE_CHECKING:
    from tui_mailer.services.mailer import Mailer

MOST_ROWS = 500
_WAITING = (State.QUEUED, State.DEFERRED, State.SENDING)


def has_other_deliverer(mailer: Mailer) -> bool:
    """Says whether another process delivers (a delivery service, another app) and is awake."""
    return mailer.who_sends().sender is not Sender.NOBODY


def has_due_mail(mailer: Mailer) -> bool:
    """Says whether something would leave now if anybody delivered it."""
    holds, now = mailer.account_holds(), datetime.now(UTC)
    return any(
        one.state in {State.QUEUED, State.DEFERRED}
        and one.account not in holds
        and (one.next_attempt_at or one.not_before) <= now
        and mailer.opens_at(one) is None
        for one in mailer.outbox(limit=MOST_ROWS)
    )


def needs_flush(mailer: Mailer) -> bool:
    """Says whether due mail would wait for nobody."""
    return has_due_mail(mailer) and not has_other_deliverer(mailer)


def say_farewell(mailer: Mailer) -> str:
    """Who will deliver what waits, and what has to be settled; empty when there is neither."""
    return "\n".join(filter(None, (_say_uncertain(mailer), _say_waiting(mailer))))


def _say_uncertain(mailer: Mailer) -> str:
    count = mailer.counts().get(State.UNCERTAIN, 0)
    if not count:
        return ""
    return (
        f"{count} message{'s' if count != 1 else ''} may or may not have gone out: no answer came. "
        "Look there before sending again; the app's outbox settles it (or: tui-mailer outbox resolve ID)."
    )


def _say_waiting(mailer: Mailer) -> str:
    counts = mailer.counts()
    waiting = sum(counts.get(state, 0) for state in _WAITING)
    if not waiting:
        return ""
    said = f"{waiting} message{'s' if waiting != 1 else ''} in the outbox"
    held = {name: hold for name, hold in mailer.account_holds().items() if not hold.is_offline}
    accounts = {one.account for one in mailer.outbox(limit=MOST_ROWS, states=_WAITING)}
    for name in sorted(accounts & held.keys()):
        said = f"{said}; {say_hold(held[name])}"
    if accounts <= held.keys():
        return said
    who = mailer.who_sends()
    if who.sender is Sender.NOBODY:
        return (
            f"{said}: nobody delivers until tui-mailer runs again (the app, tui-mailer deliver or outbox flush). "
            "So that it leaves on time: tui-mailer service install"
        )
    return f"{said}. {who.text}"
