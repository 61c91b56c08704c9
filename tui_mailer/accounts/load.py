"""Finding and reading the configuration.

Starting is what this is written for: no YAML reader is imported while a fresh snapshot of the file exists.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from tui_mailer.accounts.configuration import LOCAL_ACCOUNT, Account, Configuration, Paths
from tui_mailer.accounts.document import Node, parse
from tui_mailer.accounts.schema import read_account, read_configuration
from tui_mailer.accounts.snapshot import file_identity, read_snapshot, version_of, write_snapshot
from tui_mailer.accounts.trouble import error_at
from tui_mailer.accounts.trusted_file import Distrusted, open_trusted, writable_by_others
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
    file = _open(path, may_be_missing=allow_missing or not paths.config_is_explicit)
    if file is None:
        return read_configuration(None, None, embedded_account)
    with file:
        status = os.fstat(file.fileno())
        document = read_snapshot(paths.cache_dir, path, status)
        if document is not None:
            return read_configuration(document, path, embedded_account)._replace(version=version_of(status))
        document = parse(_read(file, path), path)
        configuration = read_configuration(document, path, embedded_account)._replace(version=version_of(status))
        if file_identity(path, status) == file_identity(path, os.fstat(file.fileno())):
            write_snapshot(paths.cache_dir, path, status, document or Node(1, {}))
        return configuration


def read_file(path: Path) -> str | None:
    """Returns the text of a configuration file that may be trusted, None where there is none.

    Raises `ConfigurationError`.
    """
    file = _open(path, may_be_missing=True)
    if file is None:
        return None
    with file:
        return _read(file, path)


def _read(file: BinaryIO, path: Path) -> str:
    try:
        content = file.read(MAX_SIZE + 1)
    except OSError as error:
        raise error_at(path, None, "", f"can't be read: {error.strerror}") from None
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
    import getpass

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


def _open(path: Path, *, may_be_missing: bool) -> BinaryIO | None:
    """Opens the file, which names commands we run, unless somebody else could have written it."""
    try:
        return open_trusted(path, writable_by_others)
    except Distrusted as error:
        raise error_at(path, None, "", f"this file isn't trusted: it {error}") from None
    except FileNotFoundError:
        if path.is_symlink():
            said = f"this link points to nothing ({path.readlink()}); nothing was done"
            raise error_at(path, None, "", said) from None
        if may_be_missing:
            return None
        raise error_at(path, None, "", "there is no such file, though it was asked for; nothing was done") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise error_at(path, None, "", f"can't be read: {reason}") from None
