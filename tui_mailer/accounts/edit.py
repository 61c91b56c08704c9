"""Changing the configuration file as a careful person would: the lines of one account, and no other byte.

What comes out is read again before it replaces the file: it must say what the old one said plus the change, and be
valid. Where that can't be had, the file stays as it is and the error holds what to paste.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tui_mailer.accounts.configuration import Paths
from tui_mailer.accounts.document import parse
from tui_mailer.accounts.layout import Layout, OddShape, plain, yaml_lines
from tui_mailer.accounts.load import embedded_account, read_file
from tui_mailer.accounts.schema import read_account, read_configuration
from tui_mailer.accounts.trouble import error_at
from tui_mailer.domain.errors import ConfigurationError, NotFound

Values = dict[str, Any]
Change = Callable[[Layout, Values], Values]
"""Changes the layout and returns what the file should then say, given what it says."""


class UnchangedConfiguration(ConfigurationError):
    """The program can't change the file; the text says why and ends with what to paste."""

    def __init__(self, text: str, *, block: str) -> None:
        super().__init__(f"{text}\n\n{block}" if block else text)
        self.block = block
        """YAML to put in by hand; empty where something is to be taken out."""


def block_for(name: str, mapping: Mapping[str, object]) -> str:
    """Returns an account as YAML, indented to stand under ``accounts:``."""
    return "".join(f"{line}\n" for line in yaml_lines({name: mapping}, indent=2))


def add_account(paths: Paths, name: str, mapping: Mapping[str, object], *, make_default: bool = False) -> None:
    """Adds an account (its keys as they would stand in the file) after the others, creating the file if need be.

    Raises `ConfigurationError` for a mapping the file wouldn't be allowed to hold or a name that is taken, and
    `UnchangedConfiguration` where the file is read-only or written in a way that can't be added to.
    """
    path = paths.config_file
    read_account(name, mapping, path.parent)

    def change(layout: Layout, values: Values) -> Values:
        accounts: Values = values.get("accounts") or {}
        if name in accounts:
            raise error_at(path, None, f"accounts.{name}", "there is such an account already; nothing was changed")
        layout.put_account(name, mapping)
        wanted = values | {"accounts": accounts | {name: plain(mapping)}}
        if make_default:
            layout.put_default(name)
            wanted["default_account"] = name
        return wanted

    _rewrite(path, change, _Advice(name, mapping, make_default=make_default))


def remove_account(paths: Paths, name: str) -> None:
    """Removes an account; where it was the default one, the first that is left becomes it.

    Raises `NotFound`, `ConfigurationError` (another account falls back on it), `UnchangedConfiguration`.
    """
    path = paths.config_file

    def change(layout: Layout, values: Values) -> Values:
        accounts: Values = values.get("accounts") or {}
        _check_known(name, accounts, path)
        left = {key: value for key, value in accounts.items() if key != name}
        layout.take_account(name)
        wanted = values | {"accounts": left or None}
        if values.get("default_account") == name:
            successor = next(iter(left), None)
            layout.put_default(successor)
            wanted.pop("default_account")
            if successor is not None:
                wanted["default_account"] = successor
        return wanted

    _rewrite(path, change, _Advice(name))


def change_account(paths: Paths, name: str, changes: Mapping[str, object]) -> None:
    """Sets keys of an account, each in its own line; None takes a key out.

    Raises `NotFound`, `ConfigurationError` for what the file wouldn't be allowed to hold, `UnchangedConfiguration`.
    """
    path = paths.config_file

    def change(layout: Layout, values: Values) -> Values:
        accounts: Values = values.get("accounts") or {}
        _check_known(name, accounts, path)
        account: Values = dict(accounts[name])
        for key, value in changes.items():
            if value is not None:
                layout.put_key(name, key, value)
                account[key] = plain(value)
            elif key in account:
                layout.take_key(name, key)
                del account[key]
        return values | {"accounts": accounts | {name: account}}

    _rewrite(path, change, _Advice(name, changes=changes))


def set_default_account(paths: Paths, name: str) -> None:
    """Makes an account the default one; raises `NotFound`, `ConfigurationError`, `UnchangedConfiguration`."""
    path = paths.config_file

    def change(layout: Layout, values: Values) -> Values:
        _check_known(name, values.get("accounts") or {}, path)
        layout.put_default(name)
        return values | {"default_account": name}

    _rewrite(path, change, _Advice(name, make_default=True))


@dataclass(frozen=True, slots=True)
class _Advice:
    """How to make the change by hand."""

    name: str
    mapping: Mapping[str, object] | None = None
    make_default: bool = False
    changes: Mapping[str, object] | None = None

    def error(self, path: Path, why: str, *, has_accounts: bool) -> UnchangedConfiguration:
        if self.changes is not None:
            return self._change_error(path, why, self.changes)
        lines = yaml_lines({"default_account": self.name}) if self.make_default else []
        if self.mapping is not None:
            header = [] if has_accounts else ["accounts:"]
            lines += [*header, *yaml_lines({self.name: self.mapping}, indent=2)]
        if not lines:
            said = f"{path}: {why}; nothing was changed. Take account '{self.name}' out by hand."
            return UnchangedConfiguration(said, block="")
        where = "under `accounts:`" if self.mapping is not None and has_accounts else "to it"
        said = f"{path}: {why}; nothing was changed. To do it by hand, add {where}:"
        return UnchangedConfiguration(said, block="".join(f"{line}\n" for line in lines))

    def _change_error(self, path: Path, why: str, changes: Mapping[str, object]) -> UnchangedConfiguration:
        kept = {key: value for key, value in changes.items() if value is not None}
        gone = [key for key, value in changes.items() if value is None]
        take_out = f", take {', '.join(gone)} out of account '{self.name}'" if gone else ""
        put_in = f", write under account '{self.name}':" if kept else ""
        said = f"{path}: {why}; nothing was changed. To do it by hand{take_out}{put_in}"
        lines = yaml_lines(kept, indent=4) if kept else []
        return UnchangedConfiguration(said, block="".join(f"{line}\n" for line in lines))


def _check_known(name: str, accounts: Values, path: Path) -> None:
    if name not in accounts:
        raise NotFound(f"There is no account '{name}' in {path}; nothing was changed.")


def _rewrite(path: Path, change: Change, advice: _Advice) -> None:
    """Applies a change and, once the outcome has proved to say what it should, replaces the file (through links)."""
    has_accounts = bool(_values(read_file(path) or "", path).get("accounts"))
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _is_read_only(target):
            raise advice.error(path, "this file is read-only", has_accounts=has_accounts)
        with _locked(target.parent):
            after = _changed(read_file(path) or "", path, change)
            if after is None:
                raise advice.error(path, "it is written in a way only a person can add to", has_accounts=has_accounts)
            _replace(target, after)
    except OSError as error:
        why = f"this file can't be written ({error.strerror or error})"
        raise advice.error(path, why, has_accounts=has_accounts) from None


def _changed(before: str, path: Path, change: Change) -> str | None:
    """Returns the changed text, or None where it wouldn't say exactly what it should."""
    read_configuration(parse(before, path), path, embedded_account)
    layout = Layout(before, path)
    try:
        wanted = change(layout, _values(before, path))
    except OddShape:
        return None
    try:
        document = parse(layout.text, path)
    except ConfigurationError:
        return None  # an anchor went with its value, say
    if (document.plain() if document else {}) != wanted:
        return None
    read_configuration(document, path, embedded_account)
    return layout.text


def _values(text: str, path: Path) -> Values:
    document = parse(text, path)
    return cast("Values", document.plain()) if document and isinstance(document.value, dict) else {}


def _is_read_only(target: Path) -> bool:
    if not os.access(target.parent, os.W_OK):
        return True
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return False
    # Root may write anywhere; a file without any write bit is meant to stay as it is all the same.
    return not mode & 0o222 or not os.access(target, os.W_OK)


@contextlib.contextmanager
def _locked(folder: Path) -> Generator[None]:
    """Keeps other processes of ours from changing a file in the folder meanwhile."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # Some network file systems have no locks; the change is then as safe as any editor's.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(target: Path, text: str) -> None:
    """Puts the text in the file's place, durably, with the old file's mode (0600 for a new one)."""
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - it must be this descriptor
            if target.exists():
                os.fchmod(descriptor, target.stat().st_mode & 0o7777)
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(descriptor)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
