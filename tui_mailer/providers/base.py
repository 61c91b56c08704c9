"""The contract between the engine and a provider: what it can carry, what it will send, and what came of it.

A provider reads no configuration, no keyring and (but for `maildir`) touches no disk: it is handed frozen settings, a
source of the secret, and sealed messages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from tui_mailer.domain.address import Address
from tui_mailer.domain.message import Content, Message
from tui_mailer.domain.submission import Phase, Receipt, Recipient, RecipientResult, RecipientStatus

if TYPE_CHECKING:
    from pydantic import BaseModel


class SecretSource(Protocol):
    """Where an account's secret comes from; asked only when it is needed."""

    async def get(self) -> str:
        """Returns the secret; raises `CredentialUnavailable` with the reason and the remedy."""
        ...

    def invalidate(self) -> None:
        """Forgets a cached secret that the server has refused."""
        ...


class Progress(Protocol):
    """Awaited before each network step."""

    async def __call__(
        self, phase: Phase, note: Mapping[str, str] | None = None, *, answers: Sequence[RecipientResult] = ()
    ) -> None:
        """Makes ``phase`` (and ``note``, ids got so far) durable; raises `Fenced` when the lease is lost.

        `Phase.INTENT` must be awaited right before the point of no return, whatever else is reported; with it,
        ``answers`` says whom the server has turned away already: what follows is no longer about them.
        """
        ...


class BytesSent(Protocol):
    """Called as bytes leave; may be ignored or dropped, never blocks."""

    def __call__(self, sent: int, total: int) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a provider can carry. None for a limit means: no limit known."""

    html: bool = True
    text: bool = True
    needs_both_bodies: bool = False
    one_body_only: bool = False
    max_to: int | None = None
    max_recipients: int | None = None
    cc: bool = True
    bcc: bool = True
    display_names: bool = True
    sender: Literal["free", "identities", "fixed"] = "free"
    reply_to: bool = True
    custom_headers: bool = True
    threading: Literal["header", "provider_id", "none"] = "header"
    attachments: Literal["bytes", "url", "both", "none"] = "bytes"
    attachment_references: bool = False
    max_attachments: int | None = None
    max_size: int | None = None
    """Bytes of the whole message on the wire."""
    inline_images: bool = True
    schedule_min: timedelta | None = None
    schedule_max: timedelta | None = None
    """None in both: no schedule of its own; the outbox keeps the message until it is due."""
    cancel_scheduled: bool = False
    tags: int | None = 0
    """How many; None: any number; 0: none."""
    metadata: bool = False
    templates: bool = False
    idempotency: Literal["key", "client_id", "findable", "none"] = "none"
    idempotency_lifetime: timedelta | None = None
    status_polling: bool = False
    raw: bool = False
    """Carries an RFC 5322 message byte for byte."""
    delivers: bool = True
    """False where mail is only kept on this computer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """What a provider instance is built from."""

    account: str
    settings: BaseModel
    """An instance of the provider's own `Settings`."""
    identities: tuple[Address, ...]
    trust_pem: str | None = None
    """Extra trusted certificates (the text of ``ca_file``), PEM."""
    data_dir: str = ""
    """Only `maildir` uses it."""
    max_connections: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One submission as a provider gets it: the message, and the recipients that still need it."""

    submission_id: str
    message: Message
    recipients: tuple[Recipient, ...]
    """Only those still pending or deferred: never one that has accepted."""
    date: datetime
    """The Date header, aware, frozen at the first attempt."""
    contents: Mapping[str, Content] = field(default_factory=dict[str, Content])
    """Sealed bytes by sha256."""
    envelope_from: str = ""
    """The reverse-path; empty for the null one."""
    attempt: int = 1
    not_before: datetime | None = None
    """Set when the provider is to keep it until then itself."""
    idempotency_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One network step of a prepared message, as ``--dry-run`` shows it."""

    title: str
    """``SMTP envelope``, ``POST https://...``."""
    lines: tuple[str, ...]
    """What goes on the wire, a line each; secrets redacted, attachments by name, size and digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What will go on the wire: shown by ``--dry-run``, sent by ``send``."""

    outgoing: Outgoing
    describe: Callable[[], tuple[Step, ...]]
    """Tells the steps in words, from the payload; called only where somebody looks."""
    size: int
    """Bytes on the wire."""
    payload: object = None
    """The provider's own form of it."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """The ordered network steps, as ``--dry-run`` shows them."""
        return self.describe()


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody the account may send as."""

    address: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolledStatus:
    """A recipient's status as the provider tells it later."""

    address: str
    status: RecipientStatus
    detail: str = ""
    at: datetime | None = None


class Provider(Protocol):
    """How an account's mail leaves; built once per account, used for many messages, closed at the end.

    The constructor does no I/O.
    """

    name: ClassVar[str]
    Settings: ClassVar[type[BaseModel]]
    """Per account; every field with a description; unknown keys refused."""
    Options: ClassVar[type[BaseModel]]
    """Per message; the compose form is made from it."""

    def __init__(self, account: AccountSettings, secrets: SecretSource, /) -> None: ...

    @property
    def capabilities(self) -> Capabilities:
        """Asked before sealing; may depend on the settings."""
        ...

    async def check(self) -> list[Identity]:
        """Proves connection and credential and returns who one may send as; sends nothing.

        Raises `NotAuthorized`, `Offline`, `TryLater`, `CredentialUnavailable`.
        """
        ...

    def prepare(self, outgoing: Outgoing) -> Prepared:
        """Pure: works out what will go on the wire; raises `Unsupported`."""
        ...

    async def send(self, prepared: Prepared, progress: Progress, bytes_sent: BytesSent | None = None) -> Receipt:
        """Sends; every recipient of the envelope has its result in the receipt.

        Raises `TryLater`, `Rejected`, `NotAuthorized`, `Offline`, `OutcomeUncertain`, `Fenced`, and
        `CredentialUnavailable`; anything else is a bug and is treated by the phase reached.
        """
        ...

    async def status(self, receipt: Receipt) -> list[PolledStatus]:
        """Asks what became of each recipient (only where `Capabilities.status_polling`)."""
        ...

    async def cancel(self, receipt: Receipt) -> None:
        """Takes back a handed-over message (only where `Capabilities.cancel_scheduled`)."""
        ...

    async def find(self, outgoing: Outgoing, note: Mapping[str, str]) -> Receipt | None:
        """Settles an uncertain outcome by asking (only where `idempotency` is ``findable``); None: not there."""
        ...

    async def close(self) -> None:
        """Lets go of connections; never raises for a peer's sake."""
        ...
