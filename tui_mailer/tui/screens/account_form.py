"""Adds an SMTP account: fill in, try, save; the secret goes into the keyring, or stays with the person."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual import on
from textual.widget import Widget
from textual.widgets import Input, Static

from tui_mailer.accounts.configuration import Account, Configuration, CredentialSource
from tui_mailer.domain.errors import ConfigurationError, CredentialUnavailable, MailerError
from tui_mailer.providers.base import Identity
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.screens.dialog import Dialog
from tui_mailer.tui.widgets.field import Field
from tui_mailer.tui.widgets.line_input import LineInput

if TYPE_CHECKING:
    from tui_mailer.services.account import AccountService

_FIELDS = (
    ("from", "From", "Ada Lovelace <ada@example.org>"),
    ("host", "Host", "smtp.example.org"),
    ("username", "User", "ada@example.org; empty: no password is sent"),
    ("password", "Password", ""),
    ("security", "Security", "tls, starttls or none"),
    ("port", "Port", ""),
    ("name", "Name", "what you call it: work, home ..."),
)
_PORTS = {"tls": "465", "starttls": "587", "none": "25"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedAccount:
    """What was saved."""

    name: str
    configuration: Configuration
    remark: str = ""
    """Where the secret is, if not in the keyring."""


class AccountFormScreen(Dialog[AddedAccount | None]):
    """Returns the account as saved; None when one went back."""

    place = "account-form"
    BINDINGS = bindings("account-form")
    AUTO_FOCUS = "#from"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.keymap, "Add an SMTP account")
        self._desk = desk
        self._inputs = {
            key: LineInput(
                {"security": "tls", "port": "465"}.get(key, ""), id=key, placeholder=hint, password=key == "password"
            )
            for key, _, hint in _FIELDS
        }
        for control in self._inputs.values():
            control.select_on_focus = True  # what is typed replaces a guess
        self._fields = {key: Field(label, self._inputs[key]) for key, label, _ in _FIELDS}
        self._is_busy = False

    def contents(self) -> Iterable[Widget]:
        yield from self._fields.values()
        test, save = self.keymap.display("account-form.test"), self.keymap.display("account-form.save")
        yield Static(f"{test} tries it and sends nothing; {save} saves it.", markup=False, classes="label")

    def on_mount(self) -> None:
        self._fields["security"].show_remark("tls, starttls or none")

    @on(Input.Blurred, "#from")
    def guess_from_address(self, event: Input.Blurred) -> None:
        """Fills what is still empty from the address: user, host, name."""
        found = re.search(r"[^\s<>@]+@([^\s<>@]+)", event.value)
        if found is None:
            return
        domain = found[1]
        for key, guess in (("username", found[0]), ("host", f"smtp.{domain}"), ("name", domain.partition(".")[0])):
            control = self._inputs[key]
            if not control.value:
                control.value = guess
                if control.has_focus:
                    control.select_all()

    @on(Input.Blurred, "#security")
    def follow_security(self, event: Input.Blurred) -> None:
        """Moves the port along while it is one of the usual ones."""
        port = self._inputs["port"]
        if event.value in _PORTS and port.value in {"", *_PORTS.values()}:
            port.value = _PORTS[event.value]

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.focus_next()

    def _mapping(self) -> dict[str, object]:
        value = {key: control.value.strip() for key, control in self._inputs.items()}
        mapping: dict[str, object] = {"provider": "smtp", "from": value["from"], "host": value["host"]}
        mapping["port"] = int(value["port"]) if value["port"].isdigit() else value["port"]
        mapping["security"] = value["security"]
        if value["username"]:
            mapping["username"] = value["username"]
        return mapping

    def _account_name(self) -> str:
        name = self._inputs["name"].value.strip()
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
            raise MailerError("The account needs a name of letters, digits, - and _.")
        if name in self._desk.configuration.accounts and self._desk.configuration.path is not None:
            raise MailerError(f"There is an account {name} already.")
        return name

    def action_test(self) -> None:
        """Proves connection and password, sending nothing."""
        self._begin(self._test)

    def action_save(self) -> None:
        """Writes the configuration and stores the secret."""
        self._begin(self._save)

    def _begin(self, work: Callable[[], Awaitable[None]]) -> None:
        if not self._is_busy:
            self._is_busy = True
            self.attempt(self._only_once(work))

    async def _only_once(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        finally:
            self._is_busy = False

    async def _test(self) -> None:
        self.say("trying …", is_quiet=True)
        name = self._account_name()
        mapping, secret = self._mapping(), self._inputs["password"].value or None
        if "username" in mapping and secret is None:
            raise MailerError("To try it, type the password, or leave User empty for a server that asks for none.")
        identities = await asyncio.to_thread(self._check, name, mapping, secret)
        self.say(
            f"It works: {', '.join(one.address for one in identities) or 'connected'}. Nothing was sent.", is_quiet=True
        )

    def _check(self, name: str, mapping: dict[str, object], secret: str | None) -> list[Identity]:
        """In a thread of its own: a stalled server must not stop the screen nor the outbox."""
        service = self._service()
        return asyncio.run(service.test(self._draft_account(service, name, mapping), secret))

    def _draft_account(self, service: AccountService, name: str, mapping: dict[str, object]) -> Account:
        try:
            return service.draft_account(name, mapping)
        except ConfigurationError as error:
            # Nothing stands in the file yet, so its name and the place in it would only puzzle.
            text = str(error)
            raise ConfigurationError(text.partition(f"accounts.{name}.")[2] or text) from error

    def _service(self) -> AccountService:
        from tui_mailer.services.account import AccountService

        return AccountService(
            paths=self._desk.paths, credentials=self._desk.credentials, configuration=self._desk.configuration
        )

    async def _save(self) -> None:
        name, mapping, secret = self._account_name(), self._mapping(), self._inputs["password"].value
        service = self._service()
        account = self._draft_account(service, name, mapping)
        remark = ""
        if secret:
            self.say("storing the password …", is_quiet=True)
            mapping["credential"], remark = await self._keep_secret(account, secret)
        elif "username" in mapping:
            mapping["credential"] = "prompt"
        is_first = self._desk.configuration.path is None
        configuration = await asyncio.to_thread(service.add, name, mapping, make_default=is_first)
        self.dismiss(AddedAccount(name=name, configuration=configuration, remark=remark))

    async def _keep_secret(self, account: Account, secret: str) -> tuple[str, str]:
        """Into the keyring; where that can't be, the account asks for it, and this once it is known."""
        in_keyring = replace(account, credential=CredentialSource(kind="keyring", value=("tui-mailer", account.name)))
        try:
            await asyncio.to_thread(self._desk.credentials.store, in_keyring, secret)
        except CredentialUnavailable as error:
            self._desk.credentials.provide(account.name, secret)
            return "prompt", f"the password is asked for once per session, since it could not be stored: {error}"
        return "keyring", ""
