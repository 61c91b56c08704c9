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
    """The provider makes the missing one from the other."""
    one_body_only: bool = False
    """HTML where there is any, without its text."""
    needs_body: bool = False
    """An empty text is refused, unless `is_body_optional_with_files`."""
    is_body_optional_with_files: bool = False
    max_body: int | None = None
    """Characters of each body."""
    needs_subject: bool = False
    max_subject: int | None = None
    """Characters."""
    needs_to: bool = False
    """Cc and Bcc alone aren't enough."""
    recipient_option: str | None = None
    """A message option that names the recipient in place of To: a text (``id:123``), or a list of objects with an
    ``id`` and perhaps a ``type`` (to, cc, bcc)."""
    recipient_option_adds: bool = False
    """Whom the option names comes besides To, not in its place."""
    max_to: int | None = None
    max_cc: int | None = None
    max_bcc: int | None = None
    max_recipients: int | None = None
    cc: bool = True
    bcc: bool = True
    display_names: bool = True
    """Of recipients; where False they are left out, the addresses stay."""
    sender: Literal["free", "identities", "local_part", "fixed"] = "free"
    """free: any address the account has as identity; identities: only those verified at the provider; local_part:
    the domain is the channel's; fixed: the channel decides."""
    sender_name: bool = True
    """Whether the From's display name is carried."""
    reply_to: bool = True
    max_reply_to: int | None = None
    custom_headers: bool = True
    max_headers: int | None = None
    max_header_value: int | None = None
    """Characters."""
    reserved_headers: frozenset[str] = frozenset()
    """Header names (lower case) that the provider refuses, besides those the program writes itself."""
    header_prefixes: tuple[str, ...] = ()
    """Only headers whose names (lower case) begin with one of these; empty: any."""
    threading: Literal["header", "provider_id", "none"] = "header"
    attachments: Literal["bytes", "url", "both", "none"] = "bytes"
    attachment_references: bool = False
    max_attachments: int | None = None
    max_attachment_size: int | None = None
    """Bytes of one file."""
    max_attachments_size: int | None = None
    """Bytes of all files."""
    attachment_types: tuple[str, ...] = ()
    """Media types that are taken (``image/*`` for all of a kind); empty: any."""
    refused_extensions: frozenset[str] = frozenset()
    """File name endings (lower case, without the dot) that are refused."""
    max_size: int | None = None
    """Bytes of the whole message on the wire."""
    inline_images: bool = True
    schedule_min: timedelta | None = None
    """None: no schedule of its own; the outbox keeps the message until it is due."""
    schedule_max: timedelta | None = None
    schedule_accuracy: timedelta | None = None
    """How far from the time asked for it may go out."""
    cancel_scheduled: bool = False
    tags: int | None = 0
    """How many; None: any number; 0: none."""
    tag_values: bool = False
    """Whether ``NAME=VALUE`` is carried, or names alone."""
    needs_tag_values: bool = False
    """Whether a name alone isn't enough."""
    max_tag: int | None = None
    """Characters of a tag's name, and of its value."""
    tag_pattern: str | None = None
    """A regular expression that names (and values) match as a whole."""
    metadata: bool = False
    """False: kept with the submission here, not handed to the provider."""
    max_metadata: int | None = None
    """Entries."""
    max_metadata_size: int | None = None
    """Bytes of all keys and values."""
    templates: bool = False
    template_variables: bool = True
    template_with_body: bool = False
    template_with_schedule: bool = True
    template_with_attachments: bool = True
    idempotency: Literal["key", "client_id", "findable", "none"] = "none"
    idempotency_lifetime: timedelta | None = None
    """How long a key is remembered from its first use."""
    status_polling: bool = False
    raw: bool = False
    """Carries an RFC 5322 message byte for byte."""
    delivers: bool = True
    """False where mail is only kept on this computer."""
    effects: tuple[str, ...] = ()
    """Sentences a person should read before sending: what else happens there."""
    sandbox: str = ""
    """A sentence while the account only tries out: nothing is delivered."""


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
    """The same for repeats of a request that was never answered, another one after every definite answer."""
    note: Mapping[str, str] = field(default_factory=dict[str, str])
    """What earlier attempts have noted (ids of a draft, of uploads), the newest of each name."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template that the provider keeps."""

    id: str
    """What ``--template`` takes."""
    name: str


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
        """Takes back a handed-over message (only where `Capabilities.cancel_scheduled`).

        Returns when it certainly won't go out any more; raises `Rejected` when it is too late for that, and
        `OutcomeUncertain` where the provider gives no guarantee.
        """
        ...

    async def find(self, outgoing: Outgoing, note: Mapping[str, str]) -> Receipt | None:
        """Settles an uncertain outcome by asking (only where `idempotency` is ``findable``); None: not there.

        ``note`` is what was noted on the way. Raises `OutcomeUncertain` where the answer doesn't settle it yet.
        """
        ...

    # A provider that can list its templates also has `async list_templates(self) -> list[Template]`.

    async def close(self) -> None:
        """Lets go of connections; never raises for a peer's sake."""
        ...
