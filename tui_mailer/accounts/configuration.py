"""The configuration as frozen values: what the rest of the program sees of ``config.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from tui_mailer.domain.address import Address
from tui_mailer.domain.draft import BodyFormat

LOCAL_ACCOUNT = "local"
"""Name of the embedded account that keeps mail on this computer."""


_NOTHING: Mapping[str, Any] = MappingProxyType({})
FileVersion = tuple[int, ...]
"""Names one version of a file: another one has another."""


class CredentialSource(NamedTuple):
    """Where an account's secret is to be had; names no secret itself."""

    kind: Literal["keyring", "command", "env", "file", "prompt"]
    value: tuple[str, ...] = ()
    """keyring: (service, user); command: argv; env: (NAME,); file: (PATH,); prompt: ()."""


class Account(NamedTuple):
    """One way to send."""

    name: str
    provider: str
    identities: tuple[Address, ...]
    """Who one may send as; the first is the default."""
    settings: Mapping[str, object] = _NOTHING
    """The provider's own keys, as given; its `Settings` model judges them."""
    credential: CredentialSource | None = None
    ca_file: Path | None = None
    retries: int | None = None
    """Attempts after the first; None: until `DeliverySettings.max_age`."""
    signature: str | None = None
    reply_to: tuple[Address, ...] = ()
    bcc_self: bool = False
    keep: bool = True
    """Whether history keeps text and attachments of what this account sent."""
    fallback: tuple[str, ...] = ()
    window: tuple[str, ...] = ()
    """Quiet and working hours, as written; `domain.window.read_window` reads them."""
    sent_copy: bool | str = False
    """Whether (or into which mailbox) a copy is filed on the server; no effect yet."""
    lines: Mapping[str, int] = _NOTHING
    """The line of each key in the file, for errors found later; ``""`` is the account's own line."""


class ComposeSettings(NamedTuple):
    """``compose:``."""

    format: BodyFormat = BodyFormat.PLAIN
    fields: tuple[str, ...] = ("cc",)
    """Which of cc, bcc, reply_to are shown at first."""
    undo_seconds: int = 10
    signature: str = ""
    date_zone: Literal["local", "utc"] = "local"


class DeliverySettings(NamedTuple):
    """``delivery:``."""

    max_age: timedelta = timedelta(days=5)
    max_attempts: int | None = None
    uncertain: Literal["ask", "resend", "give_up"] = "ask"
    late: timedelta = timedelta(hours=24)
    connections: int = 4
    """Per account, 1 to 64."""


class HistorySettings(NamedTuple):
    """``history:``; None means for ever."""

    keep_text: timedelta | None = None
    keep_attachments: timedelta | None = timedelta(days=90)


class SendmailSettings(NamedTuple):
    """``sendmail:``."""

    domain: str | None = None
    aliases: Mapping[str, str] = _NOTHING


class UiSettings(NamedTuple):
    """``ui:``."""

    theme: str = "default"
    keymap: str = "default"
    keys: Mapping[str, str] = _NOTHING
    timezone: str | None = None
    mouse: bool = True
    terminal_cursor: bool = False


class Configuration(NamedTuple):
    """The whole configuration, valid."""

    path: Path | None
    """The file it came from; None: there is none, and the embedded account stands in."""
    default_account: str
    accounts: Mapping[str, Account]
    compose: ComposeSettings = ComposeSettings()
    delivery: DeliverySettings = DeliverySettings()
    history: HistorySettings = HistorySettings()
    sendmail: SendmailSettings = SendmailSettings()
    ui: UiSettings = UiSettings()
    notices: tuple[str, ...] = ()
    """Sentences about settings that are valid and yet change nothing in this version."""
    version: FileVersion | None = None
    """Which version of the file; None without one."""

    def says_what(self, other: Configuration) -> bool:
        """Whether both say the same, whichever version of the file they come from."""
        return self._replace(version=None) == other._replace(version=None)


class Paths(NamedTuple):
    """Where things are on this machine."""

    config_file: Path
    data_dir: Path
    state_dir: Path
    """Logs."""
    cache_dir: Path
    config_is_explicit: bool = False
    """The file was asked for by name, so it must exist."""
