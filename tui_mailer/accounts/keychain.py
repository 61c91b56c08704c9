"""The one door to the keyring: named backends only, in a thread, with a deadline.

``keyring.get_keyring()`` is never asked: it guesses, and its guesses have been a store that forgets silently and one
that asks for a password on the terminal.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol, TypeVar, cast

from tui_mailer.accounts import patience
from tui_mailer.domain.text import shorten

T = TypeVar("T")

DEADLINE_SECONDS = 5.0
LOADING_SECONDS = 30.0
_MOST_SHADOWS = 10


class Backend(Protocol):
    """The part of ``keyring.backend.KeyringBackend`` that is used here."""

    def get_password(self, service: str, username: str) -> str | None:
        """Returns the first entry's secret, None if there is none."""
        ...

    def set_password(self, service: str, username: str, password: str) -> None:
        """Makes an entry or replaces one made by the same library."""
        ...

    def delete_password(self, service: str, username: str) -> None:
        """Removes the first entry."""
        ...


class KeychainError(Exception):
    """The keyring didn't do it; ``str`` is what happened, a clause. Never leaves this package."""


class KeychainTimeoutError(KeychainError):
    """The keyring hasn't answered yet; it may still do what it was asked."""


class Keychain:
    """The desktop's keyring (Secret Service, or the macOS Keychain); safe to use from any thread."""

    def __init__(self, *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._deadline_seconds = deadline_seconds
        self._asked: dict[tuple[str, str], Future[str | None]] = {}
        self._loading: Future[Callable[[], Backend]] | None = None

    @property
    def name(self) -> str:
        """What a person calls it."""
        return "the macOS Keychain" if sys.platform == "darwin" else "the keyring (Secret Service)"

    async def get(self, service: str, user: str) -> str | None:
        """Returns the secret, None if there is none; raises `KeychainError`.

        Where the keyring asks a person to unlock it, that question stays open after the deadline: its answer serves
        the next call.
        """
        future = self._asked.pop((service, user), None)
        if future is not None and future.done() and (future.exception() or not future.result()):
            future = None
        try:
            if future is None:
                make = await patience.wait_async(self._backend(), LOADING_SECONDS)
                future = _call(make, lambda backend: backend.get_password(service, user))
            return await patience.wait_async(future, self._deadline_seconds)
        except TimeoutError:
            if future is not None:
                self._asked[service, user] = future
            raise self._too_slow() from None

    def set(self, service: str, user: str, secret: str) -> None:
        """Stores a secret and reads it back; blocks up to the deadline; raises `KeychainError`."""
        self._asked.pop((service, user), None)
        self._wait(lambda backend: _store(backend, service, user, secret), hide=secret)

    def delete(self, service: str, user: str) -> bool:
        """Removes a secret, False if there was none; blocks up to the deadline; raises `KeychainError`."""
        self._asked.pop((service, user), None)
        return self._wait(lambda backend: _remove(backend, service, user))

    def _wait(self, function: Callable[[Backend], T], *, hide: str = "") -> T:
        try:
            make = patience.wait(self._backend(), LOADING_SECONDS)
            return patience.wait(_call(make, function, hide=hide), self._deadline_seconds)
        except TimeoutError:
            raise self._too_slow() from None

    def _backend(self) -> Future[Callable[[], Backend]]:
        """Loads the library in a thread, once: a slow disk isn't a keyring that doesn't answer."""
        if sys.platform != "darwin" and not _has_session_bus():
            raise KeychainError(
                "this session has no keyring: there is no D-Bus session bus (usual over SSH, in cron and in containers)"
            )
        if self._loading is None:
            self._loading = patience.start(_load, name="keyring-library")
        return self._loading

    def _too_slow(self) -> KeychainTimeoutError:
        return KeychainTimeoutError(
            f"the keyring didn't answer within {self._deadline_seconds:g} s (perhaps it asks for its password on"
            " another screen)"
        )


def _has_session_bus() -> bool:
    """Says whether there is a bus to ask, and makes it known to libraries that only look at the variable."""
    if os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return True
    folders = [os.environ.get("XDG_RUNTIME_DIR", ""), f"/run/user/{os.getuid()}"]
    for bus in (Path(folder) / "bus" for folder in folders if folder):
        if bus.is_socket():
            os.environ["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={bus}"
            return True
    return False


def _load() -> Callable[[], Backend]:
    try:
        if sys.platform == "darwin":
            from keyring.backends.macOS import Keyring
        elif importlib.util.find_spec("secretstorage"):
            from tui_mailer.accounts.secret_service import SecretService as Keyring
        else:
            from keyring.backends.libsecret import Keyring
    except ImportError:
        raise KeychainError("the library that talks to the keyring isn't installed") from None
    return cast("Callable[[], Backend]", Keyring)


def _call(make: Callable[[], Backend], function: Callable[[Backend], T], *, hide: str = "") -> Future[T]:
    def call() -> T:
        try:
            return function(make())
        except KeychainError:
            raise
        except Exception as error:  # noqa: BLE001 - a plug-in's boundary: backends raise what their libraries raise
            raise KeychainError(_describe(error, hide)) from None

    return patience.start(call, name="keyring")


def _store(backend: Backend, service: str, user: str, secret: str) -> None:
    backend.set_password(service, user, secret)
    if backend.get_password(service, user) == secret:
        return
    # An entry of the same name that another program made (secret-tool) is found first.
    for _ in range(_MOST_SHADOWS):
        if backend.get_password(service, user) is None:
            break
        backend.delete_password(service, user)
    backend.set_password(service, user, secret)
    if backend.get_password(service, user) != secret:
        raise KeychainError("the keyring took the secret but doesn't give it back")


def _remove(backend: Backend, service: str, user: str) -> bool:
    if backend.get_password(service, user) is None:
        return False
    backend.delete_password(service, user)
    return True


def _describe(error: Exception, hide: str) -> str:
    from keyring.errors import InitError, KeyringLocked

    if isinstance(error, KeyringLocked | InitError) or "dismissed" in str(error):
        return "the keyring is locked and nobody unlocked it"
    said = shorten(str(error) or type(error).__name__, 160)
    return f"the keyring failed: {said.replace(hide, '***') if hide else said}"
