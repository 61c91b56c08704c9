"""Who will send what is due or scheduled: the one answer that dialogs, commands and JSON give.

A process that delivers holds a lock for its life and shows itself every few seconds (`storage.lock`); one that is
alive and hasn't shown itself for long is stopped or stuck, and isn't counted on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tui_mailer.domain.text import clean
from tui_mailer.providers.base import Capabilities
from tui_mailer.providers.capability import keeps_schedule
from tui_mailer.storage.record import AccountHold, Deliverer

_NAME = {"deliver": "the delivery service", "app": "an app"}
RANK = tuple(_NAME)
"""Roles of processes that go on delivering, the first to be counted on first; a ``send`` or ``flush`` ends."""
UNSEEN_AFTER = timedelta(seconds=30)
"""A deliverer shows itself every 5 s (`dispatch.RENEW_SECONDS`)."""


class Sender(StrEnum):
    """Who sends it."""

    PROVIDER = "provider"
    """The provider keeps it until its time."""
    SERVICE = "service"
    APP = "app"
    """An open app: as long as it stays open."""
    NOBODY = "nobody"


class Remedy(StrEnum):
    """What a person can do where nobody sends it while the app is closed."""

    INSTALL_SERVICE = "install_service"
    KEEP_OPEN = "keep_open"
    LET_PROVIDER = "let_provider"


_QUESTIONS = {
    Remedy.INSTALL_SERVICE: "Install the delivery service (tui-mailer service install)?",
    Remedy.KEEP_OPEN: "Keep the app open?",
    Remedy.LET_PROVIDER: "Let the provider keep it?",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoSends:
    """The answer."""

    sender: Sender
    text: str
    """One or two sentences for a person."""
    owner: str | None = None
    """The process (``deliver pid 812``), if it is one."""
    seen_at: datetime | None = None
    remedies: tuple[Remedy, ...] = ()
    """What would make it leave on time also while the app is closed; empty where that is so."""

    @property
    def question(self) -> str:
        """What can be done about it, as a question; empty where nothing need be."""
        return " ".join(_QUESTIONS[remedy] for remedy in self.remedies)


def who_sends(
    deliverers: Iterable[Deliverer],
    now: datetime,
    *,
    at: datetime | None = None,
    capabilities: Capabilities | None = None,
    hold: AccountHold | None = None,
) -> WhoSends:
    """Says who sends a message that is due ``at`` (None: now, or whenever its time comes).

    With the account's ``capabilities`` it is known whether the provider could keep it until then; with its ``hold``
    that a person comes first.
    """
    if hold is not None and not hold.is_offline:
        return WhoSends(sender=Sender.NOBODY, text=f"Nobody for now: {say_hold(hold)}")
    if at is not None and capabilities is not None and keeps_schedule(capabilities, at, now):
        return WhoSends(
            sender=Sender.PROVIDER,
            text="The provider keeps it until then and sends it, also while this computer is off.",
        )
    alive = sorted((one for one in deliverers if one.is_alive and one.role in RANK), key=_counted_on)
    awake = [one for one in alive if _is_awake(one, now)]
    remedies = [Remedy.INSTALL_SERVICE, Remedy.KEEP_OPEN]
    if capabilities is not None and capabilities.schedule_min is not None:
        remedies.append(Remedy.LET_PROVIDER)
    if not awake:
        return WhoSends(sender=Sender.NOBODY, text=_nobody(alive, now), remedies=tuple(remedies))
    first = awake[0]
    if first.role == "deliver":
        return WhoSends(
            sender=Sender.SERVICE,
            text="The delivery service sends it.",
            owner=first.owner,
            seen_at=first.seen_at,
        )
    return WhoSends(
        sender=Sender.APP,
        text="The app sends it while it is open; while it is closed nobody does, and it goes out at the next start.",
        owner=first.owner,
        seen_at=first.seen_at,
        remedies=tuple(remedies),
    )


def say_hold(hold: AccountHold) -> str:
    """Says that an account is held, what for, and what becomes of its mail, in two sentences."""
    reason = hold.reason.rstrip(".")
    return (
        f"account {hold.account} is held ({reason}). Its mail is kept in the outbox until you release it: "
        f"tui-mailer account release {hold.account}."
    )


def leader(deliverers: Iterable[Deliverer], now: datetime) -> Deliverer | None:
    """Names the process that looks for due mail on behalf of all: a service before an app, the elder first.

    One that has just registered counts as seen.
    """
    lasting = (one for one in deliverers if one.role in RANK and one.is_alive and _is_awake(one, now))
    return min(lasting, key=_counted_on, default=None)


def _is_awake(one: Deliverer, now: datetime) -> bool:
    """One seen in the future was seen before the clock was set back: it has to show itself again."""
    return abs(now - one.seen_at) <= UNSEEN_AFTER


def _counted_on(one: Deliverer) -> tuple[int, datetime, str]:
    return RANK.index(one.role), one.since or one.seen_at, one.owner


def _nobody(alive: list[Deliverer], now: datetime) -> str:
    stuck = ""
    if alive:
        name, pid = _NAME[alive[0].role], clean(alive[0].owner).rpartition(" ")[2]
        stuck = f" ({name}, process {pid}, is there and hasn't moved for {_age(alive[0], now)})"
    return (
        f"Nobody delivers while tui-mailer isn't running{stuck}: it goes out at the next start "
        "(the app, 'tui-mailer deliver' or 'tui-mailer outbox flush')."
    )


def _age(one: Deliverer, now: datetime) -> str:
    seconds = max(0, round((now - one.seen_at).total_seconds()))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
