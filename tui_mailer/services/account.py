"""Accounts put to work: their settings judged by the provider's model, providers built from them, accounts added.

This is where raw mappings with line marks (`accounts`) meet the models that judge them (`providers`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Literal, Union, get_args, get_origin
from zoneinfo import ZoneInfo

from tui_mailer.accounts.configuration import LOCAL_ACCOUNT, Account, Configuration, CredentialSource, Paths
from tui_mailer.accounts.load import embedded_account
from tui_mailer.accounts.zone import local_zone
from tui_mailer.domain.errors import ConfigurationError, CredentialUnavailable, InvalidMessage, NotFound, UnknownAccount
from tui_mailer.providers import registry
from tui_mailer.providers.base import AccountSettings, Capabilities, Identity, Provider, Template

_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PREFIX = re.compile(r"^[a-z]:")
_SEPARATOR = re.compile(r"[-.]")

if TYPE_CHECKING:
    from pydantic import BaseModel

    from tui_mailer.accounts.credential import Credentials


class ProviderDirectory:
    """Builds providers from accounts; what it hands out is the caller's to close."""

    def __init__(self, *, configuration: Configuration, paths: Paths, credentials: Credentials) -> None:
        self.configuration = configuration
        self.paths = paths
        self.credentials = credentials
        self._embedded = embedded_account()
        self._zone: tuple[str | None, ZoneInfo] | None = None
        self._asked: dict[str, tuple[str, Provider, Capabilities]] = {}

    @property
    def zone(self) -> ZoneInfo:
        """The person's time zone, looked up once for each configuration (the look-up reads files)."""
        wanted = self.configuration.ui.timezone
        if self._zone is None or self._zone[0] != wanted:
            self._zone = (wanted, local_zone(wanted))
        return self._zone[1]

    def localise(self, moment: datetime) -> datetime:
        """Puts an instant into the zone the Date header is written in (``compose.date_zone``)."""
        return moment if self.configuration.compose.date_zone == "utc" else moment.astimezone(self.zone)

    def account(self, name: str) -> Account:
        """Returns the account of that name; raises `UnknownAccount` naming those that exist.

        The embedded account stays, though no sender is offered for it once there are others: mail may wait in it.
        """
        account = self.configuration.accounts.get(name)
        if account is None and name == LOCAL_ACCOUNT:
            account = self._embedded
        if account is None:
            known = ", ".join(sorted(self.configuration.accounts))
            raise UnknownAccount(f"There is no account '{name}' in the configuration. Accounts: {known}.")
        return account

    def forget_fetched(self) -> None:
        """Has every secret fetched anew that wasn't typed."""
        self.credentials.forget_fetched()

    def knows(self, name: str) -> bool:
        """Whether `account` would find it."""
        return name == LOCAL_ACCOUNT or name in self.configuration.accounts

    def with_configuration(self, configuration: Configuration) -> ProviderDirectory:
        """Makes one for another configuration."""
        return ProviderDirectory(configuration=configuration, paths=self.paths, credentials=self.credentials)

    def open(self, account: Account) -> Provider:
        """Builds the account's provider; no I/O but reading ``ca_file``; raises `ConfigurationError`."""
        kind = self._kind(account)
        settings = AccountSettings(
            account=account.name,
            settings=self.settings(account),
            identities=account.identities,
            trust_pem=_read_trust(account),
            data_dir=str(self.paths.data_dir),
            max_connections=self.configuration.delivery.connections,
        )
        return kind(settings, self.credentials.source(account))

    def settings(self, account: Account) -> BaseModel:
        """Validates an account's own keys by its provider's model; raises `ConfigurationError` with file and line."""
        from pydantic import ValidationError

        model = self._kind(account).Settings
        try:
            return model.model_validate(dict(account.settings))
        except ValidationError as error:
            raise ConfigurationError(_explain(error, account, self.configuration, model)) from None

    def _kind(self, account: Account) -> type[Provider]:
        try:
            return registry.load(account.provider)
        except NotFound as error:
            where = _place(self.configuration, account, "provider")
            raise ConfigurationError(f"{where}account '{account.name}': {error}") from None

    def capabilities(self, name: str) -> Capabilities:
        """Tells what an account can carry."""
        return self._known(self.account(name))[1]

    def asked(self, account: Account) -> Provider:
        """The account's provider to be asked what needs no network (`prepare`); never connected, so never closed."""
        return self._known(account)[0]

    def _known(self, account: Account) -> tuple[Provider, Capabilities]:
        mark = fingerprint(account)
        known = self._asked.get(account.name)
        if known is None or known[0] != mark:
            provider = self.open(account)
            known = (mark, provider, provider.capabilities)
            self._asked[account.name] = known
        return known[1], known[2]

    def has_options(self, account: Account) -> bool:
        """Says whether the account's provider takes more of a message than mail itself has: options, tags and such."""
        can = self.capabilities(account.name)
        takes_more = can.templates or can.metadata or can.tags != 0
        return takes_more or bool(registry.load(account.provider).Options.model_fields)

    def options(self, account: Account, typed: Mapping[str, str]) -> dict[str, object]:
        """Validates message options by the provider's model; raises `InvalidMessage` naming the option."""
        if not typed:
            return {}
        from pydantic import ValidationError

        model = registry.load(account.provider).Options
        typed = {_option_name(name, model): text for name, text in typed.items()}
        unknown = sorted(set(typed) - set(model.model_fields))
        if unknown:
            known = ", ".join(model.model_fields) or "none"
            raise InvalidMessage(
                f"Provider '{account.provider}' has no option '{unknown[0]}'. Its options: {known}.", field="options"
            )
        try:
            options = model.model_validate({key: _typed_value(model, key, text) for key, text in typed.items()})
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            key = ".".join(str(part) for part in first["loc"])
            said = first["msg"].removeprefix("Value error, ")
            raise InvalidMessage(f"Option '{key}': {said}.", field="options") from None
        return options.model_dump(mode="json", exclude_unset=True)


class AccountService:
    """Adding, testing and removing accounts: what the ``account`` commands and the app's form do."""

    def __init__(self, *, paths: Paths, credentials: Credentials, configuration: Configuration) -> None:
        self.paths = paths
        self.credentials = credentials
        self.configuration = configuration

    def draft_account(self, name: str, mapping: Mapping[str, object]) -> Account:
        """Makes an account from a mapping as it would stand in the file, judged like the file.

        Raises `ConfigurationError` with what is wrong.
        """
        from tui_mailer.accounts.load import read_account

        account = read_account(name, mapping, self.paths.config_file.parent)
        self._directory(account).settings(account)
        return account

    async def test(self, account: Account, secret: str | None = None) -> list[Identity]:
        """Proves connection and credential without sending; ``secret`` stands in for the account's own source.

        Raises what `Provider.check` raises, and `ConfigurationError`.
        """
        directory = self._directory(account)
        if secret is not None:
            from tui_mailer.accounts.credential import Credentials

            # Not among those that mail is sent with: it is tried, no more.
            account = account._replace(credential=CredentialSource(kind="prompt"))
            credentials = Credentials()
            credentials.provide(account.name, secret)
            directory = ProviderDirectory(
                configuration=directory.configuration, paths=self.paths, credentials=credentials
            )
        provider = directory.open(account)
        try:
            return await provider.check()
        finally:
            await provider.close()

    async def templates(self, account: Account) -> list[Template]:
        """Asks the provider for its templates; an empty list where it can't tell.

        Raises `ConfigurationError` and what `Provider.check` raises.
        """
        provider = self._directory(account).open(account)
        ask = getattr(provider, "list_templates", None)
        try:
            return await ask() if ask is not None else []
        finally:
            await provider.close()

    def add(self, name: str, mapping: Mapping[str, object], *, make_default: bool = False) -> Configuration:
        """Writes the account into the configuration file and returns the configuration as it then is.

        Raises `ConfigurationError` (with the block to paste where the file is read-only).
        """
        from tui_mailer.accounts.edit import add_account
        from tui_mailer.accounts.load import load

        self.draft_account(name, mapping)
        add_account(self.paths, name, mapping, make_default=make_default)
        self.configuration = load(self.paths)
        return self.configuration

    def change(self, name: str, changes: Mapping[str, object]) -> Configuration:
        """Sets keys of an account in the configuration file; None takes one out.

        Raises `NotFound`, `ConfigurationError` (with what to write where the file is read-only).
        """
        from tui_mailer.accounts.edit import change_account
        from tui_mailer.accounts.load import load

        if changes:
            change_account(self.paths, name, changes)
        self.configuration = load(self.paths)
        return self.configuration

    def make_default(self, name: str) -> Configuration:
        """Makes it the account new messages go from; raises `NotFound`, `ConfigurationError`."""
        from tui_mailer.accounts.edit import set_default_account
        from tui_mailer.accounts.load import load

        set_default_account(self.paths, name)
        self.configuration = load(self.paths)
        return self.configuration

    def remove(self, name: str) -> Configuration:
        """Takes it out of the configuration file, and its secret out of the keyring if that can be had.

        Raises `NotFound`, `ConfigurationError`. Whether it has open mail is the caller's to look at first.
        """
        from tui_mailer.accounts.edit import remove_account
        from tui_mailer.accounts.load import load

        account = self.configuration.accounts.get(name)
        remove_account(self.paths, name)
        if account is not None and account.credential is not None and account.credential.kind == "keyring":
            with suppress(CredentialUnavailable):
                self.credentials.delete(account)
        self.configuration = load(self.paths)
        return self.configuration

    def _directory(self, account: Account) -> ProviderDirectory:
        accounts = {**self.configuration.accounts, account.name: account}
        return ProviderDirectory(
            configuration=self.configuration._replace(accounts=accounts), paths=self.paths, credentials=self.credentials
        )


def fingerprint(account: Account) -> str:
    """Digests what decides how an account's mail leaves, so that a change under a queued message is noticed."""
    parts = {
        "provider": account.provider,
        "identities": [str(identity) for identity in account.identities],
        "settings": {key: repr(value) for key, value in sorted(account.settings.items())},
        "credential": repr(account.credential),
        "ca_file": str(account.ca_file),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _read_trust(account: Account) -> str | None:
    if account.ca_file is None:
        return None
    try:
        return account.ca_file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no PEM text"
        raise ConfigurationError(
            f"Account '{account.name}': can't read ca_file {account.ca_file}: {reason}. Nothing was sent."
        ) from None


def _explain(error: Exception, account: Account, configuration: Configuration, model: type[BaseModel]) -> str:
    from pydantic import ValidationError

    assert isinstance(error, ValidationError)
    sentences: list[str] = []
    for problem in error.errors(include_url=False, include_input=False):
        key = str(problem["loc"][0]) if problem["loc"] else ""
        place = _place(configuration, account, key)
        if problem["type"] == "extra_forbidden":
            said = (
                f"provider '{account.provider}' has no key '{key}'; its keys: {', '.join(sorted(model.model_fields))}"
            )
        elif problem["type"] == "missing":
            said = f"key '{key}' is missing ({_description(model, key)})"
        else:
            words = problem["msg"].removeprefix("Value error, ")
            said = f"key '{key}': {words}" if key else words
        sentences.append(f"{place}account '{account.name}': {said}.")
    return "\n".join(sentences)


def _place(configuration: Configuration, account: Account, key: str) -> str:
    line = account.lines.get(key) or account.lines.get("")
    return f"{configuration.path}:{line}: " if configuration.path and line else ""


def _description(model: type[BaseModel], key: str) -> str:
    known = model.model_fields.get(key)
    return (known.description if known else None) or "required"


def _option_name(name: str, model: type[BaseModel]) -> str:
    """Finds an option by our name or by the provider's own spelling (``useCase``, ``o:tracking-clicks``)."""
    ours = _SEPARATOR.sub("_", _CAPITAL.sub("_", _PREFIX.sub("", name))).lower()
    return name if name in model.model_fields or ours not in model.model_fields else ours


def _typed_value(model: type[BaseModel], key: str, text: str) -> object:
    if _is_text(model.model_fields[key].annotation):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _is_text(annotation: object) -> bool:
    """Says whether an option's type is text (or left out, or one of some words), which isn't read as JSON."""
    parts = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return all(
        part in (str, NoneType)
        or (get_origin(part) is Literal and all(isinstance(word, str) for word in get_args(part)))
        or (get_origin(part) is Annotated and _is_text(get_args(part)[0]))
        for part in parts
    )
