"""Secrets of accounts: where each is to be had, fetched when needed, kept in memory until refused."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tui_mailer.accounts.configuration import Account
from tui_mailer.accounts.keychain import (
    DEADLINE_SECONDS,
    LOADING_SECONDS,
    Keychain,
    KeychainError,
    KeychainTimeoutError,
)
from tui_mailer.accounts.patience import start, wait_async
from tui_mailer.accounts.refusal import Refusals
from tui_mailer.accounts.schema import KEYRING_SERVICE
from tui_mailer.accounts.secret import MAX_BYTES, Secret, read_command, read_file, read_variable, unavailable
from tui_mailer.domain.errors import ConfigurationError, CredentialUnavailable
from tui_mailer.domain.text import clean

COMMAND_SECONDS = 30.0
FILE_SECONDS = 5.0
"""A file may lie on a mount whose server is gone."""


_ASKED_ONCE = ("keyring", "command")
"""Sources that may have to ask a person, to be unlocked for one; a file is simply read again."""


class _Kept(NamedTuple):
    """A secret in memory."""

    secret: Secret
    is_for: Account | None
    """The account as it stood; None: whatever stands there when it is first used."""

    def fits(self, account: Account) -> bool:
        """Whether it may be shown to the account's server as that is now."""
        known = self.is_for
        return known is not None and (known.provider, known.settings) == (account.provider, account.settings)

    def is_from_source_of(self, account: Account) -> bool:
        """Whether the account would have it from the same place now."""
        return self.is_for is not None and self.is_for.credential == account.credential


class Credentials:
    """The secrets of all accounts; one per process, safe to use from any thread."""

    def __init__(
        self,
        *,
        keychain: Keychain | None = None,
        environ: Mapping[str, str] = os.environ,
        command_seconds: float = COMMAND_SECONDS,
    ) -> None:
        self._keychain = keychain or Keychain()
        self._environ = environ
        self._command_seconds = command_seconds
        self.refusals = Refusals()
        self._provided: dict[str, _Kept] = {}
        self._fetched: dict[str, _Kept] = {}

    def source(self, account: Account) -> AccountSecret:
        """Returns what a provider asks for the account's secret."""
        return AccountSecret(self, account)

    async def fetch(self, account: Account) -> str:
        """Returns the account's secret: what a person typed in this session, else from its source.

        A keyring and a command are asked once, as long as the account's settings stay. Raises `CredentialUnavailable`.
        """
        provided, fetched = self._provided.get(account.name), self._fetched.get(account.name)
        if provided is not None and provided.is_for is None:
            provided = self._provided[account.name] = provided._replace(is_for=account)
        if provided is not None and provided.fits(account):
            return provided.secret.reveal()
        if fetched is not None and fetched.fits(account) and fetched.is_from_source_of(account):
            return fetched.secret.reveal()
        secret = await self._ask(account)
        if account.credential is not None and account.credential.kind in _ASKED_ONCE:
            self._fetched[account.name] = _Kept(secret, account)
        return secret.reveal()

    async def has_another(self, account: Account) -> bool:
        """Says whether the account's source gives another secret by now than the one that was just refused.

        It is asked once; where it has that one still, the next use asks it again.
        """
        if not self.refusals.may_try_another(account.name):
            return False
        try:
            secret = await self.fetch(account)
        except CredentialUnavailable:
            return False
        if self.refusals.has(account.name, secret):
            self.forget(account.name)
            return False
        return True

    def provide(self, account_name: str, secret: str) -> None:
        """Keeps a secret a person typed, in memory only; it serves before the account's source, until refused.

        It is for the server it is first used for: once the account has another, it is asked for anew.
        """
        self._provided[account_name] = _Kept(Secret(secret), None)

    def forget(self, account_name: str) -> None:
        """Drops what is kept in memory: the next use asks again."""
        self._provided.pop(account_name, None)
        self._fetched.pop(account_name, None)

    def forget_fetched(self) -> None:
        """Drops what keyrings and commands gave, of all accounts: it may have been stored anew elsewhere."""
        self._fetched.clear()

    def store(self, account: Account, secret: str) -> None:
        """Stores the secret in the account's keyring entry; blocks up to 5 s.

        Raises `ConfigurationError` where the account takes its secret from elsewhere, `CredentialUnavailable` where
        the keyring can't.
        """
        service, user = self._keyring_entry(account)
        _refuse_odd(account.name, secret)
        try:
            self._keychain.set(service, user, secret)
        except KeychainTimeoutError as error:
            raise _no_keyring(account.name, f"{error}; the secret isn't stored yet") from None
        except KeychainError as error:
            raise _no_keyring(account.name, f"{error}; nothing was stored") from None
        self.forget(account.name)

    async def store_async(self, account: Account, secret: str) -> None:
        """Does what `store` does without blocking the loop."""
        # The keyring's own deadline is to speak first.
        await wait_async(
            start(lambda: self.store(account, secret), name="store-secret"), 2 * DEADLINE_SECONDS + LOADING_SECONDS
        )

    def delete(self, account: Account) -> bool:
        """Removes the account's keyring entry; blocks up to 5 s; raises as `store`.

        False where there is none, and where the entry isn't ours: another program may live on it.
        """
        service, user = self._keyring_entry(account)
        self.forget(account.name)
        if service != KEYRING_SERVICE:
            return False
        try:
            return self._keychain.delete(service, user)
        except KeychainError as error:
            raise _no_keyring(account.name, f"{error}; nothing was removed") from None

    def describe(self, account: Account) -> str:
        """Says which source is in use; asks nobody."""
        if account.name in self._provided:
            return "typed in this session, kept in memory only"
        if account.credential is None:
            return "none"
        kind, value = account.credential.kind, account.credential.value
        said = {
            "keyring": f"{self._keychain.name}, service and user: {'/'.join(value)}",
            # Its arguments may be telling; the program is enough to recognise it.
            "command": f"command: {' '.join(value[:1])}{' ...' if len(value) > 1 else ''}",
            "env": f"environment variable {' '.join(value)}",
            "file": f"file {' '.join(value)}",
            "prompt": "asked for in each session, not asked yet",
        }
        return clean(said[kind])

    async def _ask(self, account: Account) -> Secret:
        name, credential = account.name, account.credential
        if credential is None:
            remedy = "Add `credential: keyring` to it and store the secret: " + _set_secret(name)
            raise unavailable(name, "it has no credential in the configuration", remedy)
        match credential.kind:
            case "keyring":
                return await self._ask_keychain(name, *credential.value)
            case "command":
                return await read_command(name, credential.value, timeout_seconds=self._command_seconds)
            case "env":
                return read_variable(name, credential.value[0], self._environ)
            case "file":
                return await self._ask_file(name, Path(credential.value[0]))
            case "prompt":
                remedy = f"Open tui-mailer to type it, or give the account another source and use: {_set_secret(name)}"
                raise unavailable(name, "it needs its password, which is asked for in each session", remedy)

    async def _ask_keychain(self, name: str, service: str, user: str) -> Secret:
        try:
            found = await self._keychain.get(service, user)
        except KeychainError as error:
            raise _no_keyring(name, str(error)) from None
        if not found:
            what = f"the keyring has no secret for it (service {service}, user {user})"
            raise unavailable(name, what, f"Store it: {_set_secret(name)}")
        return Secret(found)

    async def _ask_file(self, name: str, path: Path) -> Secret:
        try:
            return await wait_async(start(lambda: read_file(name, path), name="secret-file"), FILE_SECONDS)
        except TimeoutError:
            what = f"its secret file {path} couldn't be read within {FILE_SECONDS:g} s"
            raise unavailable(name, what, "Is the file system it lies on still there?") from None

    def _keyring_entry(self, account: Account) -> tuple[str, str]:
        credential = account.credential
        if credential is None or credential.kind != "keyring":
            raise ConfigurationError(
                f"Account '{account.name}' doesn't take its secret from the keyring but from: {self.describe(account)}."
                " Nothing was stored. Change it there, or write `credential: keyring` in the configuration."
            )
        service, user = credential.value
        return service, user


class AccountSecret:
    """One account's secret, as a provider is handed it (structurally a `SecretSource`)."""

    def __init__(self, credentials: Credentials, account: Account) -> None:
        self._credentials = credentials
        self._account = account
        self._given: Secret | None = None

    async def get(self) -> str:
        """Returns the secret; raises `CredentialUnavailable` with the reason and the remedy."""
        secret = await self._credentials.fetch(self._account)
        self._given = Secret(secret)
        return secret

    def invalidate(self) -> None:
        """Forgets a secret that the server has refused."""
        if self._given is not None:
            self._credentials.refusals.add(self._account.name, self._given.reveal())
        self._credentials.forget(self._account.name)


def _refuse_odd(name: str, secret: str) -> None:
    if not secret or len(secret) >= MAX_BYTES or any(character in secret for character in "\0\r\n"):
        raise CredentialUnavailable(f"Account '{name}': a secret is one line that isn't empty. Nothing was stored.")


def _no_keyring(name: str, what: str) -> CredentialUnavailable:
    remedy = (
        f"Unlock the keyring and then: tui-mailer account release {name}. Without a keyring, use another source in the"
        " configuration: credential: {command: ...}, {file: PATH} or prompt."
    )
    return unavailable(name, what, remedy)


def _set_secret(name: str) -> str:
    return f"tui-mailer account set-secret {name}"
