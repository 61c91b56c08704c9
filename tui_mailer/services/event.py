"""What the engine tells whoever listens: frozen values, safe to hand to another thread."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tui_mailer.accounts.configuration import Configuration
from tui_mailer.domain.submission import Phase, RecipientStatus, State


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionChanged:
    """A submission's state was committed, by this process; or more is known of its recipients (``learnt``)."""

    id: str
    state: State
    account: str
    detail: str = ""
    """The server's or our own sentence, if there is one."""
    learnt: RecipientStatus | None = None
    """The state is no news: this is what its provider has told meanwhile, the worst of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseReached:
    """An attempt reached a phase."""

    id: str
    phase: Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class BytesProgressed:
    """Bytes of the attempt in flight have left; only the newest matters."""

    id: str
    sent: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanged:
    """An account was held (with its reason), released (None), or went off line until ``retry_at``."""

    account: str
    held_reason: str | None
    is_offline: bool = False
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStarted:
    """The engine has opened the outbox and delivers from now on."""

    owner: str
    """This process, as others see it (``deliver pid 812``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleChanged:
    """Another process, or this one, now looks for due mail on behalf of all on this data dir."""

    leader: str
    is_leading: bool
    """It is this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreChanged:
    """Another process committed something: read again what is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationChanged:
    """The configuration file was read again and is used from now on."""

    configuration: Configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationRefused:
    """The configuration file was changed and can't be used: what was read before stays in force."""

    detail: str
    """What is wrong, a line each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomChanged:
    """The disk has become too full to send anything, or has room again and sending goes on."""

    trouble: str | None
    """One sentence; None: there is room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineTroubled:
    """The engine itself met something unexpected (a full disk, a bug); it goes on."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFailed:
    """The engine has stopped and can't go on in this process; what is in the outbox stays there."""

    text: str


Event = (
    SubmissionChanged
    | PhaseReached
    | BytesProgressed
    | AccountChanged
    | EngineStarted
    | RoleChanged
    | StoreChanged
    | ConfigurationChanged
    | ConfigurationRefused
    | RoomChanged
    | EngineTroubled
    | EngineFailed
)
