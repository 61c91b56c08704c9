"""Finding and reading the configuration.

Starting is what this is written for: no YAML reader is imported while a fresh snapshot of the file exists.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from tui_mailer.accounts.configuration import LOCAL_ACCOUNT, Account, Configuration, Paths
from tui_mailer.accounts.document import Node, parse
from tui_mailer.accounts.schema import read_account, read_configuration
from tui_mailer.accounts.snapshot import file_identity, read_snapshot, write_snapshot
from tui_mailer.accounts.trouble import error_at
from tui_mailer.domain.address import Address, parse_address
from tui_mailer.domain.errors import InvalidAddress

__all__ = ["error_at", "find_paths", "load", "read_account", "read_file"]

MAX_SIZE = 1 << 20
"""Bytes of a configuration file; more is some other file."""


def find_paths(
    config: str | None = None, data_dir: str | None = None, *, environ: Mapping[str, str] = os.environ
) -> Paths:
    """Says where things are: what was asked for, else TUI_MAILER_CONFIG and TUI_MAILER_DATA_DIR, else the platform's.

    Touches no disk.
    """
    import platformdirs

    folders = platformdirs.PlatformDirs("tui-mailer", appauthor=False)
    asked = config or environ.get("TUI_MAILER_CONFIG") or None
    data = data_dir or environ.get("TUI_MAILER_DATA_DIR") or None
    return Paths(
        config_file=_absolute(asked) if asked else folders.user_config_path / "config.yaml",
        data_dir=_absolute(data) if data else folders.user_data_path,
        state_dir=folders.user_state_path,
        cache_dir=folders.user_cache_path,
        config_is_explicit=asked is not None,
    )


def load(paths: Paths, *, allow_missing: bool = False) -> Configuration:
    """Reads and judges the configuration; the embedded account stands in where there is none.

    Raises `ConfigurationError` with a line (``FILE:LINE: KEY: what is allowed``) for everything that is wrong. A file
    asked for by name must exist, unless ``allow_missing`` (for the command that creates it).
    """
    path = paths.config_file
    descriptor = _open(path, may_be_missing=allow_missing or not paths.config_is_explicit)
    if descriptor is None:
        return read_configuration(None, None, embedded_account)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - it must be this descriptor
        status = os.fstat(descriptor)
        _check_owner(path, status)
        document = read_snapshot(paths.cache_dir, path, status)
        if document is not None:
            return read_configuration(document, path, embedded_account)
        document = parse(decode(file.read(MAX_SIZE + 1), path), path)
        configuration = read_configuration(document, path, embedded_account)
        if file_identity(path, status) == file_identity(path, os.fstat(descriptor)):
            write_snapshot(paths.cache_dir, path, status, document or Node(1, {}))
        return configuration


def read_file(path: Path) -> str | None:
    """Returns the text of a configuration file that may be read (owner, size, UTF-8), None where there is none.

    Raises `ConfigurationError`.
    """
    descriptor = _open(path, may_be_missing=True)
    if descriptor is None:
        return None
    with open(descriptor, "rb") as file:  # noqa: PTH123 - it must be this descriptor
        _check_owner(path, os.fstat(descriptor))
        return decode(file.read(MAX_SIZE + 1), path)


def decode(content: bytes, path: Path) -> str:
    """Decodes a configuration file's bytes; raises `ConfigurationError`."""
    if len(content) > MAX_SIZE:
        raise error_at(path, None, "", f"this file is larger than {MAX_SIZE >> 20} MiB: no configuration")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise error_at(path, line, "", "this line is not UTF-8; save the file as UTF-8") from None


def embedded_account() -> Account:
    """Makes the account that keeps mail on this computer: it sends as $EMAIL, else as the login at localhost."""
    return Account(name=LOCAL_ACCOUNT, provider="maildir", identities=(_own_address(),))


def _own_address() -> Address:
    candidates = [os.environ.get("EMAIL", "")]
    # Some containers have no name for the user id.
    with contextlib.suppress(OSError, KeyError):
        candidates.append(f"{getpass.getuser()}@localhost")
    for candidate in candidates:
        try:
            return parse_address(candidate)
        except InvalidAddress:
            continue
    return Address("user", "localhost")


def _absolute(text: str) -> Path:
    # absolute, not resolved: what a person named is what errors name.
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        return Path(text).absolute()


def _open(path: Path, *, may_be_missing: bool) -> int | None:
    try:
        # Not blocking: a FIFO in this place would stop the program before its first word.
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        if path.is_symlink():
            raise error_at(
                path, None, "", f"this link points to nothing ({path.readlink()}); nothing was done"
            ) from None
        if may_be_missing:
            return None
        raise error_at(path, None, "", "there is no such file, though it was asked for; nothing was done") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise error_at(path, None, "", f"can't be read: {reason}") from None


def _check_owner(path: Path, status: os.stat_result) -> None:
    """Refuses a file that somebody else could have written: it names commands we run."""
    if stat.S_ISCHR(status.st_mode) and path == Path(os.devnull):
        return
    if not stat.S_ISREG(status.st_mode):
        raise error_at(path, None, "", "this is no regular file")
    if status.st_uid not in {os.geteuid(), 0}:
        raise error_at(
            path,
            None,
            "",
            f"this file belongs to user {status.st_uid}, neither to you nor to root, so it isn't trusted",
        )
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise error_at(path, None, "", f"others may write to this file, so it isn't trusted; remedy: chmod go-w {path}")
