"""Looks at everything that could keep mail from leaving, and says of each what is wrong and what to do about it.

Reports only: nothing is created, changed or sent. Works with a configuration that can't be read.
"""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from tui_mailer import __version__
from tui_mailer.accounts.credential import Credentials
from tui_mailer.accounts.load import find_paths, load
from tui_mailer.accounts.zone import local_zone
from tui_mailer.domain.errors import (
    ConfigurationError,
    CredentialUnavailable,
    DamagedStore,
    MailerError,
    NotFound,
    StorageError,
)
from tui_mailer.domain.submission import State
from tui_mailer.services.account import ProviderDirectory

if TYPE_CHECKING:
    from tui_mailer.accounts.configuration import Account, Configuration, Paths
    from tui_mailer.storage.store import Store

LITTLE_SPACE = 200_000_000
NO_SPACE = 20_000_000
"""Bytes free on the data dir's disk: below the first a warning, below the second sealing may fail."""
SMALLEST_SCREEN = (80, 24)


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


class Area(StrEnum):
    """What it is about."""

    PROGRAM = "program"
    CONFIGURATION = "configuration"
    DATA = "data"
    DATABASE = "database"
    ACCOUNT = "account"
    CREDENTIAL = "credential"
    DELIVERY = "delivery"
    TIME = "time"
    TERMINAL = "terminal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One thing looked at."""

    area: Area
    level: Level
    text: str
    remedy: str = ""
    """What to do; empty where nothing is to be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the doctor is told of the process it runs in."""

    config: str | None = None
    data_dir: str | None = None
    is_terminal: bool = False
    encoding: str = "utf-8"
    screen: tuple[int, int] | None = None
    """Columns and rows; None where there is no terminal."""
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)


def examine(surroundings: Surroundings) -> Iterator[Diagnosis]:
    """Yields one diagnosis after the other, as each is known."""
    yield _ok(Area.PROGRAM, f"tui-mailer {__version__}, Python {platform.python_version()} on {platform.system()}.")
    paths = find_paths(surroundings.config, surroundings.data_dir, environ=surroundings.environ)
    configuration = None
    try:
        configuration = load(paths)
    except ConfigurationError as error:
        yield _bad(Area.CONFIGURATION, str(error), "Correct it; until then every command but this one exits 78.")
    else:
        yield from _of_configuration(configuration)
    yield from _of_directory(paths.data_dir)
    yield from _of_database(paths)
    if configuration is not None:
        yield from _of_accounts(configuration, paths)
        yield from _of_time(configuration)
    yield from _of_logs(paths.state_dir)
    yield from _of_terminal(surroundings)


def _of_configuration(configuration: Configuration) -> Iterator[Diagnosis]:
    if configuration.path is None:
        yield _warn(
            Area.CONFIGURATION,
            "There is no configuration: mail is kept on this computer, sent to nobody.",
            "Add an account: tui-mailer account add",
        )
        return
    names = ", ".join(configuration.accounts)
    yield _ok(Area.CONFIGURATION, f"{configuration.path}: accounts {names}; default {configuration.default_account}.")
    for notice in configuration.notices:
        yield _warn(Area.CONFIGURATION, f"{notice}.", "Leave it out, or keep it for a later version.")


def _of_directory(path: Path) -> Iterator[Diagnosis]:
    from tui_mailer.storage.file_system import free_bytes, is_on_network

    present = next(each for each in (path, *path.parents) if each.exists())
    if present != path:
        if os.access(present, os.W_OK | os.X_OK):
            yield _ok(Area.DATA, f"{path} doesn't exist yet; it is made when first needed.")
        else:
            yield _bad(
                Area.DATA, f"{path} can't be made: no right to write to {present}.", "Choose another --data-dir."
            )
    else:
        yield from _of_existing_directory(path)
    free = free_bytes(present)
    text = f"{free // 1_000_000:,} MB are free for {path}."
    if free < NO_SPACE:
        yield _bad(Area.DATA, text, "Free some space: sealing a message may fail.")
    elif free < LITTLE_SPACE:
        yield _warn(Area.DATA, text, "Free some space, or purge the history: tui-mailer history purge --before 365d")
    if is_on_network(present):
        yield _warn(
            Area.DATA,
            f"{path} is on a network file system, where locks and durability aren't certain.",
            "Use a local --data-dir; from here tui-mailer runs on one machine at a time, and more slowly.",
        )


def _of_existing_directory(path: Path) -> Iterator[Diagnosis]:
    from tui_mailer.storage.file_system import is_read_only

    status = path.stat()
    if not path.is_dir():
        yield _bad(Area.DATA, f"{path} isn't a directory.", "Choose another --data-dir.")
    elif status.st_uid != os.geteuid():
        yield _bad(Area.DATA, f"{path} belongs to another user (uid {status.st_uid}).", "chown it, or choose another.")
    elif is_read_only(path):
        yield _bad(
            Area.DATA,
            f"The disk of {path} is read-only: what is there can be looked at, nothing can be kept or sent.",
            "Mount it writable again (after an error the system may have made it read-only: see dmesg), or choose "
            "another --data-dir.",
        )
    elif not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        yield _bad(Area.DATA, f"{path} can't be written.", f"chmod u+rwx {path}")
    elif status.st_mode & 0o077:
        yield _warn(Area.DATA, f"{path} is open to other users (mode {status.st_mode & 0o777:o}).", f"chmod 700 {path}")
    else:
        yield _ok(Area.DATA, f"{path} is yours alone and can be written.")


def _of_database(paths: Paths) -> Iterator[Diagnosis]:
    if not (paths.data_dir / "outbox.db").exists():
        yield _ok(Area.DATABASE, "There is no outbox yet; it is made when first needed.")
        return
    from tui_mailer.storage.store import Store

    try:
        store = Store.open_to_read(paths.data_dir)
    except StorageError as error:
        yield _of_trouble(error)
        return
    try:
        yield from _of_store(store)
    except StorageError as error:
        yield _of_trouble(error)
    finally:
        store.close()


def _of_trouble(error: StorageError) -> Diagnosis:
    """What isn't damaged says itself what is to be done, and nothing is to be made anew."""
    remedy = "tui-mailer outbox rebuild" if isinstance(error, DamagedStore) else ""
    return _bad(Area.DATABASE, str(error), remedy)


def _of_store(store: Store) -> Iterator[Diagnosis]:
    counts = store.outbox.counts()
    waiting = ", ".join(f"{count} {state.value}" for state, count in counts.items() if count) or "nothing"
    yield _ok(Area.DATABASE, f"Outbox and history can be read; open: {waiting}.")
    lost = 0 if store.is_read_only else store.outbox.lost_count()
    if lost:
        yield _warn(
            Area.DATABASE,
            f"{lost} sealed copies have no message in the outbox: the outbox lost them, or their sealing was cut off.",
            "tui-mailer outbox rebuild brings them back, held.",
        )
    copies = store.backups.list()
    if copies:
        yield _ok(Area.DATABASE, f"The outbox was copied to {copies[0]} ({len(copies)} days are kept).")
    for hold in store.outbox.account_holds().values():
        remedy = (
            "It ends by itself." if hold.is_offline else f"Mend it, then: tui-mailer account release {hold.account}"
        )
        yield _warn(
            Area.DELIVERY,
            f"Account {hold.account} is {'off line' if hold.is_offline else 'held'}: {hold.reason}",
            remedy,
        )
    if counts.get(State.UNCERTAIN, 0):
        yield _warn(
            Area.DELIVERY,
            f"{counts[State.UNCERTAIN]} may or may not have been delivered.",
            "Find out, then: tui-mailer outbox resolve ID --sent, --failed or --resend",
        )
    deliverers = [each for each in store.outbox.deliverers(datetime.now(UTC)) if each.is_alive]
    if counts.get(State.SENDING, 0) and not deliverers:
        yield _warn(
            Area.DELIVERY,
            f"{counts[State.SENDING]} were being sent by a process that has ended.",
            "Whoever delivers next looks after that: tui-mailer outbox flush",
        )
    lasting = [each.owner for each in deliverers if each.role in {"deliver", "app"}]
    if lasting:
        yield _ok(Area.DELIVERY, f"Delivering: {', '.join(lasting)}.")
    elif any(counts.get(state, 0) for state in (State.QUEUED, State.DEFERRED, State.SENDING)):
        yield _warn(
            Area.DELIVERY,
            "Mail waits, and nobody delivers it.",
            "Install the service (tui-mailer service install), run 'tui-mailer deliver', or 'tui-mailer outbox flush'.",
        )
    else:
        yield _ok(Area.DELIVERY, "Nobody delivers now, and nothing waits for it.")


def _of_accounts(configuration: Configuration, paths: Paths) -> Iterator[Diagnosis]:
    credentials = Credentials()
    directory = ProviderDirectory(configuration=configuration, paths=paths, credentials=credentials)
    for account in configuration.accounts.values():
        try:
            directory.open(account)
        except (ConfigurationError, NotFound) as error:
            yield _bad(Area.ACCOUNT, str(error), "Correct it in the configuration.")
            continue
        yield _ok(Area.ACCOUNT, f"{account.name}: {account.provider}, sends as {account.identities[0]}.")
        if account.credential is not None:
            yield _of_credential(account, credentials)


def _of_credential(account: Account, credentials: Credentials) -> Diagnosis:
    """Asks where asking is harmless; a command isn't run, it may ask a person."""
    assert account.credential is not None
    described = credentials.describe(account)
    if account.credential.kind == "command":
        program = account.credential.value[0]
        if shutil.which(program) is None:
            return _bad(
                Area.CREDENTIAL,
                f"{account.name}: there is no program '{program}'.",
                "Install it, or correct credential.",
            )
        return _ok(Area.CREDENTIAL, f"{account.name}: {described} (not run now).")
    if account.credential.kind == "prompt":
        return _ok(Area.CREDENTIAL, f"{account.name}: {described}; only the app can ask.")
    try:
        asyncio.run(credentials.fetch(account))
    except CredentialUnavailable as error:
        return _bad(
            Area.CREDENTIAL, str(error), f"tui-mailer account set-secret {account.name}, or another credential."
        )
    return _ok(Area.CREDENTIAL, f"{account.name}: the secret is there ({described}).")


def _of_time(configuration: Configuration) -> Iterator[Diagnosis]:
    try:
        zone = local_zone(configuration.ui.timezone)
    except MailerError as error:
        yield _bad(Area.TIME, str(error), "Set ui.timezone to an IANA name such as Europe/Berlin, or correct TZ.")
        return
    yield _ok(Area.TIME, f"Times are read and shown in {zone.key}; there it is {datetime.now(zone):%Y-%m-%d %H:%M}.")


def _of_logs(path: Path) -> Iterator[Diagnosis]:
    present = next(each for each in (path, *path.parents) if each.exists())
    if os.access(present, os.W_OK | os.X_OK):
        yield _ok(Area.PROGRAM, f"Logs go to {path}.")
    else:
        yield _warn(Area.PROGRAM, f"No logs can be kept: no right to write to {present}.", "Set XDG_STATE_HOME.")


def _of_terminal(surroundings: Surroundings) -> Iterator[Diagnosis]:
    term = surroundings.environ.get("TERM", "")
    if not surroundings.is_terminal:
        yield _ok(Area.TERMINAL, "This isn't a terminal; the app needs one, the commands don't.")
        return
    if term in {"", "dumb"}:
        yield _warn(
            Area.TERMINAL, f"TERM is '{term}': the app can't draw its screen.", "Set TERM, e.g. xterm-256color."
        )
    if surroundings.encoding.lower().replace("-", "") != "utf8":
        yield _warn(Area.TERMINAL, f"The terminal's encoding is {surroundings.encoding}.", "Use a UTF-8 locale (LANG).")
    screen = surroundings.screen
    if screen is not None and (screen[0] < SMALLEST_SCREEN[0] or screen[1] < SMALLEST_SCREEN[1]):
        yield _warn(
            Area.TERMINAL, f"The screen has {screen[0]}x{screen[1]} cells.", "The app is laid out for 80x24 or more."
        )
    elif screen is not None:
        yield _ok(Area.TERMINAL, f"{term or 'unknown'}, {screen[0]}x{screen[1]} cells, {surroundings.encoding}.")


def _ok(area: Area, text: str) -> Diagnosis:
    return Diagnosis(area=area, level=Level.OK, text=text)


def _warn(area: Area, text: str, remedy: str) -> Diagnosis:
    return Diagnosis(area=area, level=Level.WARNING, text=text, remedy=remedy)


def _bad(area: Area, text: str, remedy: str) -> Diagnosis:
    return Diagnosis(area=area, level=Level.ERROR, text=text, remedy=remedy)
