"""What may stand in ``config.yaml``: every key with its rule, declared once, and the frozen values made from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from tui_mailer.accounts import account_rule, rule
from tui_mailer.accounts.configuration import (
    LOCAL_ACCOUNT,
    Account,
    ComposeSettings,
    Configuration,
    CredentialSource,
    DeliverySettings,
    HistorySettings,
    SendmailSettings,
    UiSettings,
)
from tui_mailer.accounts.document import Node
from tui_mailer.accounts.rule import Rule, Wrong
from tui_mailer.accounts.trouble import Trouble, error_from, place
from tui_mailer.domain.draft import BodyFormat

KEYRING_SERVICE = "tui-mailer"
"""The service name of our own keyring entries; the user name is the account's."""

NOT_YET = ("sent_copy",)
"""Keys of an account that are valid and change nothing in this version."""

_SECRET_KEYS = frozenset(
    {"password", "passwd", "pass", "passphrase", "secret", "token", "access_token", "api_key", "apikey"}
)
_PUBLIC_KEYS = frozenset({("mailjet", "api_key")})
"""What only sounds like a secret, by provider: the public half of a pair."""
_ACCOUNT_NAME = re.compile(r"\w[\w.@+-]{0,63}")
_Rules = Mapping[str, Rule[Any]]


def _timezone(node: Node) -> str:
    name = rule.word(node)
    try:
        from tui_mailer.accounts.zone import find_zone

        find_zone(name)
    except ValueError as error:
        raise Wrong(str(error)) from None
    return name


def _seconds(node: Node) -> int:
    return int(rule.duration(most=timedelta(days=1))(node).total_seconds())


ACCOUNT: _Rules = {
    "provider": rule.word,
    "from": rule.address,
    "identities": rule.list_of(rule.address),
    "credential": account_rule.credential,
    "ca_file": rule.word,
    "retries": rule.null_or(rule.whole_number(0, 1000)),
    "signature": rule.text,
    "reply_to": rule.addresses,
    "bcc_self": rule.flag,
    "keep": rule.flag,
    "fallback": rule.list_of(rule.word),
    "window": account_rule.window,
    "sent_copy": account_rule.sent_copy,
}
"""Keys of an account that are ours; all others belong to its provider, whose model judges them."""

COMPOSE: _Rules = {
    "format": lambda node: BodyFormat(rule.choice("plain", "markdown")(node)),
    "fields": rule.list_of(rule.choice("cc", "bcc", "reply_to")),
    "undo_seconds": _seconds,
    "signature": rule.text,
    "date_zone": rule.choice("local", "utc"),
}
DELIVERY: _Rules = {
    "max_age": rule.duration(least=timedelta(minutes=1)),
    "max_attempts": rule.null_or(rule.whole_number(1, 10_000)),
    "uncertain": rule.choice("ask", "resend", "give_up"),
    "late": rule.duration(),
    "connections": rule.whole_number(1, 64),
}
KEEP: _Rules = {
    "text": rule.forever_or(rule.duration()),
    "attachments": rule.forever_or(rule.duration()),
}
SENDMAIL: _Rules = {"domain": rule.domain, "aliases": rule.mapping_of(rule.address_text)}
UI: _Rules = {
    "theme": rule.word,
    "keymap": rule.choice("default", "mutt", "pine", "emacs"),
    "keys": rule.mapping_of(rule.word),
    "timezone": _timezone,
    "mouse": rule.flag,
    "terminal_cursor": rule.flag,
}
SECTIONS = ("default_account", "accounts", "compose", "delivery", "history", "sendmail", "ui")


def read_configuration(document: Node | None, path: Path | None, embedded: Callable[[], Account]) -> Configuration:
    """Judges a whole file; raises one `ConfigurationError` with a line for everything that is wrong.

    ``embedded`` makes the account that stands in where the file has none.
    """
    return _Reader(path).configuration(document or Node(1, {}), embedded)


def read_account(name: str, mapping: Mapping[str, object], folder: Path) -> Account:
    """Judges one account that isn't in the file yet, exactly as it would be judged there.

    Relative paths are taken from ``folder``; raises `ConfigurationError`.
    """
    reader = _Reader(folder / "config.yaml")
    account = reader.account(name, _node_of(mapping))
    reader.raise_if_any()
    assert account is not None
    return account


def _node_of(value: object) -> Node:
    if isinstance(value, Mapping):
        members = cast("Mapping[str, object]", value)
        return Node(0, {str(key): _node_of(child) for key, child in members.items()})
    if isinstance(value, list | tuple):
        items = cast("list[object]", value)
        return Node(0, tuple(_node_of(item) for item in items))
    return Node(0, value if isinstance(value, str | int | float | bool | None) else str(value))


class _Reader:
    """Reads tables, collecting what is wrong rather than stopping at the first."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._troubles: list[Trouble] = []

    def configuration(self, document: Node, embedded: Callable[[], Account]) -> Configuration:
        sections = self._sections(document)
        accounts = self._accounts(sections.get("accounts"))
        self._check_fallbacks(accounts)
        history = self._history(sections.get("history"))
        compose = self._table(sections.get("compose"), COMPOSE, "compose.")
        delivery = self._table(sections.get("delivery"), DELIVERY, "delivery.")
        sendmail = self._table(sections.get("sendmail"), SENDMAIL, "sendmail.")
        ui = self._table(sections.get("ui"), UI, "ui.")
        if not accounts and not self._troubles:
            accounts = {LOCAL_ACCOUNT: embedded()}
        default_account = self._default_account(sections, accounts)
        self.raise_if_any()
        return Configuration(
            path=self._path,
            default_account=default_account,
            accounts=accounts,
            compose=ComposeSettings(**compose),
            delivery=DeliverySettings(**delivery),
            history=HistorySettings(**history),
            sendmail=SendmailSettings(**sendmail),
            ui=UiSettings(**ui),
            notices=tuple(self._notices(accounts)),
        )

    def account(self, name: str, node: Node) -> Account | None:
        """Reads one account; None (and a trouble) where it can't be one."""
        where = f"accounts.{rule.shown(name)}"
        if not _ACCOUNT_NAME.fullmatch(name):
            self._add(
                node.line, where, "a name is letters, digits and . _ @ + -, at most 64, not beginning with a sign"
            )
            return None
        if not isinstance(node.value, dict):
            self._add(
                node.line, where, f"the account's keys are wanted here (provider, from ...), not {rule.kind_of(node)}"
            )
            return None
        members = node.value
        ours = Node(node.line, {key: child for key, child in members.items() if key in ACCOUNT})
        values = self._table(ours, ACCOUNT, where + ".")
        self._refuse_secrets(members, where, provider=str(values.get("provider", "")))
        if "provider" not in members:
            self._add(node.line, where, "`provider` is missing: how its mail leaves (smtp, maildir ...)")
        if ("from" in members) == ("identities" in members):
            said = (
                "`from` and `identities` mean the same; keep one"
                if "from" in members
                else "`from` is missing: who it sends as"
            )
            self._add(node.line, where, said)
        if "provider" not in values or not ("from" in values or values.get("identities")):
            if values.get("identities") == ():
                self._add(members["identities"].line, where + ".identities", "at least one address is wanted here")
            return None
        return self._build_account(name, node.line, members, values)

    def raise_if_any(self) -> None:
        """Raises `ConfigurationError` when anything was wrong."""
        if self._troubles:
            raise error_from(self._path, self._troubles)

    def _build_account(self, name: str, line: int, members: Mapping[str, Node], values: dict[str, Any]) -> Account:
        sender = values.pop("from", None)
        credential: CredentialSource | None = values.pop("credential", None)
        ca_file: str | None = values.pop("ca_file", None)
        if sender is not None:
            values["identities"] = (sender,)
        if credential is not None:
            credential = self._completed(credential, name)
        return Account(
            name=name,
            settings={key: child.plain() for key, child in members.items() if key not in ACCOUNT},
            credential=credential,
            ca_file=self._file(ca_file) if ca_file is not None else None,
            lines={"": line} | {key: child.line for key, child in members.items()},
            **values,
        )

    def _completed(self, credential: CredentialSource, name: str) -> CredentialSource:
        if credential.kind == "keyring" and not credential.value:
            return CredentialSource(kind="keyring", value=(KEYRING_SERVICE, name))
        if credential.kind == "file":
            return CredentialSource(kind="file", value=(str(self._file(credential.value[0])),))
        return credential

    def _file(self, text: str) -> Path:
        """Resolves ``~`` and, for a relative path, the folder of the configuration file."""
        try:
            path = Path(text).expanduser()
        except RuntimeError:
            path = Path(text)
        return path if path.is_absolute() or self._path is None else self._path.parent / path

    def _sections(self, document: Node) -> dict[str, Node]:
        if not isinstance(document.value, dict):
            self._add(document.line, "", f"the file is sections ({', '.join(SECTIONS)}), not {rule.kind_of(document)}")
            return {}
        for key, child in document.value.items():
            if key not in SECTIONS:
                self._add(child.line, rule.shown(key), _unknown(key, SECTIONS))
        return document.value

    def _accounts(self, node: Node | None) -> dict[str, Account]:
        if node is None or node.value is None:
            return {}
        if not isinstance(node.value, dict):
            self._add(node.line, "accounts", f"accounts by name are wanted here, not {rule.kind_of(node)}")
            return {}
        read = {name: self.account(name, child) for name, child in node.value.items()}
        return {name: account for name, account in read.items() if account is not None}

    def _default_account(self, sections: Mapping[str, Node], accounts: Mapping[str, Account]) -> str:
        node, section = sections.get("default_account"), sections.get("accounts")
        # The names as written: an account with another mistake in it is still there.
        names = list(section.value) if section and isinstance(section.value, dict) and section.value else list(accounts)
        first = next(iter(accounts), "")
        if node is None:
            return first
        try:
            name = rule.word(node)
        except Wrong as wrong:
            self._add(node.line, "default_account", wrong.text)
            return first
        # Without any there is something wrong with that section, which is told already.
        if names and name not in names:
            guess = rule.did_you_mean(name, names)
            self._add(
                node.line,
                "default_account",
                f"there is no account of that name; there is {', '.join(map(rule.shown, names))}{guess}",
            )
        return name

    def _history(self, node: Node | None) -> dict[str, Any]:
        table = self._table(node, {"keep": lambda child: child}, "history.")
        keep = self._table(table.get("keep"), KEEP, "history.keep.")
        return {f"keep_{key}": value for key, value in keep.items()}

    def _table(self, node: Node | None, rules: _Rules, where: str) -> dict[str, Any]:
        """Reads a mapping with known keys; an empty section is an empty mapping."""
        if node is None or node.value is None:
            return {}
        if not isinstance(node.value, dict):
            allowed = ", ".join(rules)
            self._add(node.line, where.rstrip("."), f"a mapping is wanted here ({allowed}), not {rule.kind_of(node)}")
            return {}
        values: dict[str, Any] = {}
        for key, child in node.value.items():
            if key not in rules:
                self._add(child.line, where + rule.shown(key), _unknown(key, rules))
                continue
            try:
                values[key] = rules[key](child)
            except Wrong as wrong:
                self._add(wrong.line or child.line, where + key, wrong.text)
        return values

    def _refuse_secrets(self, members: Mapping[str, Node], where: str, *, provider: str) -> None:
        for key, child in members.items():
            if key.casefold() in _SECRET_KEYS and (provider, key) not in _PUBLIC_KEYS:
                self._add(
                    child.line,
                    f"{where}.{key}",
                    "unknown key: a secret doesn't belong in this file; write `credential: keyring` and store it there"
                    f" (tui-mailer account set-secret), or use {account_rule.CREDENTIALS}",
                )

    def _check_fallbacks(self, accounts: Mapping[str, Account]) -> None:
        for account in accounts.values():
            for name in account.fallback:
                if name == account.name or name not in accounts:
                    said = "an account can't fall back on itself" if name == account.name else "there is no account"
                    self._add(
                        account.lines["fallback"], f"accounts.{account.name}.fallback", f"{said}: {rule.shown(name)}"
                    )
            circle = account_rule.circle(account.name, accounts)
            if circle:
                self._add(
                    account.lines["fallback"],
                    f"accounts.{account.name}.fallback",
                    f"accounts that fall back on each other in a circle: {' -> '.join(circle)}",
                )

    def _notices(self, accounts: Mapping[str, Account]) -> list[str]:
        return [
            place(
                self._path,
                Trouble(account.lines[key], f"accounts.{account.name}.{key}", "has no effect in this version yet"),
            )
            for account in accounts.values()
            for key in NOT_YET
            if getattr(account, key)
        ]

    def _add(self, line: int, key: str, text: str) -> None:
        self._troubles.append(Trouble(line, key, text))


def _unknown(key: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    return f"unknown key; allowed here: {', '.join(known)}{rule.did_you_mean(key, known)}"
