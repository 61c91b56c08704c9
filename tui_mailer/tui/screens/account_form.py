"""Adds an account of any provider: fill in, try, save; the secret goes into the keyring, or stays with the person."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import events, on
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Static

from tui_mailer.accounts.configuration import Account, Configuration, CredentialSource
from tui_mailer.domain.errors import ConfigurationError, CredentialUnavailable, MailerError
from tui_mailer.providers import registry
from tui_mailer.providers.base import Identity
from tui_mailer.services.model_form import FormField, form_fields
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.screens.dialog import Dialog
from tui_mailer.tui.widgets.field import LABEL_WIDTH, Field
from tui_mailer.tui.widgets.line_input import LineInput

if TYPE_CHECKING:
    from tui_mailer.services.account import AccountService

_ADDRESS = re.compile(r"[^\s<>@]+@([^\s<>@]+)")
_PORTS = {"tls": "465", "starttls": "587", "none": "25"}
_ACRONYMS = frozenset({"dkim", "dsn", "ehlo", "id", "ip", "tls", "url"})
_SMTP_ROWS = (
    ("host", "Host", "smtp.example.org"),
    ("username", "User", "ada@example.org; empty: no password is sent"),
    ("password", "Password", ""),
    ("security", "Security", "tls, starttls or none"),
    ("port", "Port", ""),
)
"""What people know an SMTP account by, in the order in which they have it on paper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedAccount:
    """What was saved."""

    name: str
    configuration: Configuration
    remark: str = ""
    """Where the secret is, if not in the keyring."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherProvider:
    """Another provider is wanted; who it is from stays."""

    sender: str


class _WrongFieldError(MailerError):
    """Something is wrong with, or missing in, one field: the cursor goes there."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountShape:
    """What an account of a provider is made of."""

    provider: str
    fields: tuple[FormField, ...]

    @property
    def takes_secret(self) -> bool:
        """Whether there is anything to sign in with."""
        return self.provider != "maildir"

    @property
    def title(self) -> str:
        """What the form is called."""
        return "Add an SMTP account" if self.provider == "smtp" else f"Add an account: {self.provider}"

    def rows(self) -> tuple[tuple[str, str, str], ...]:
        """Key, label and hint of the rows that are always shown."""
        sender = ("from", "From", "Ada Lovelace <ada@example.org>")
        name = ("name", "Name", "what you call it: work, home ...")
        if self.provider == "smtp":
            return (sender, *_SMTP_ROWS, name)
        needed = tuple(_row_of(field) for field in self.fields if field.is_required)
        secret = (("password", "API key", ""),) if self.takes_secret else ()
        return (sender, *needed, *secret, name)

    def spare_rows(self) -> tuple[tuple[str, str, str], ...]:
        """The rows that F6 shows."""
        shown = {key for key, _, _ in self.rows()}
        return tuple(_row_of(field) for field in self.fields if field.name not in shown)


def shape_of(provider: str) -> AccountShape:
    """Reads the provider's model; imports the provider: not for the event loop."""
    return AccountShape(provider=provider, fields=form_fields(registry.load(provider).Settings))


def _row_of(field: FormField) -> tuple[str, str, str]:
    words = field.choices or (("yes", "no") if field.kind == "switch" else ())
    if field.default:
        others = ", ".join(word for word in words if word != field.default)
        hint = f"{field.default} if left out" + (f"; or: {others}" if others else "")
    else:
        hint = ", ".join(words)
    return field.name, _label_of(field.name), hint


def _label_of(name: str) -> str:
    """A setting's name as a person would write it."""
    first, *rest = (word.upper() if word in _ACRONYMS else word for word in name.split("_"))
    return " ".join((first[0].upper() + first[1:], *rest))


def _label_width(rows: Iterable[tuple[str, str, str]]) -> int:
    """Cells; the settings of some providers have longer names."""
    return max(LABEL_WIDTH, *(len(label) + 1 for _, label, _ in rows))


class AccountFormScreen(Dialog[AddedAccount | OtherProvider | None]):
    """Returns the account as saved; None when one went back."""

    place = "account-form"
    BINDINGS = bindings("account-form")
    AUTO_FOCUS = "#from"
    DEFAULT_CSS = """
    AccountFormScreen #rows { height: auto; max-height: 60vh; }
    AccountFormScreen .-spare { display: none; }
    AccountFormScreen.-more .-spare { display: block; }
    """

    def __init__(self, desk: Desk, shape: AccountShape, sender: str = "") -> None:
        super().__init__(desk.keymap, shape.title)
        self._desk = desk
        self._shape = shape
        rows, spare = shape.rows(), shape.spare_rows()
        self._guesses = {"security": "tls", "port": "465"} if shape.provider == "smtp" else {}
        """What is typed replaces it."""
        given = {"from": sender} | self._guesses
        self._inputs = {
            key: LineInput(given.get(key, ""), id=key, placeholder=hint, password=key == "password")
            for key, _, hint in (*rows, *spare)
        }
        for key in self._guesses:
            self._inputs[key].select_on_focus = True
        width = _label_width(rows)
        self._fields = {key: Field(label, self._inputs[key], label_width=width) for key, label, _ in rows}
        self._spare = {
            key: Field(label, self._inputs[key], classes="-spare", label_width=width) for key, label, _ in spare
        }
        self._help = {field.name: field.help for field in shape.fields}
        self._is_busy = False
        self._failed: tuple[object, ...] = ()
        """What was tried last, in vain."""
        self._wrong_field = ""
        """Where the cursor is being sent to, with a sentence of its own."""

    def contents(self) -> Iterable[Widget]:
        with VerticalScroll(id="rows", can_focus=False):
            yield from self._fields.values()
            yield from self._spare.values()
        test, save = self.keymap.display("account-form.test"), self.keymap.display("account-form.save")
        yield Static(f"{test} tries it and sends nothing; {save} saves it.", markup=False, classes="label")

    def on_mount(self) -> None:
        if self._shape.provider == "smtp":
            self._fields["security"].show_remark("tls, starttls or none")

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Says what a setting means, where its name doesn't."""
        key = event.widget.id or ""
        if key == self._wrong_field:
            self._wrong_field = ""
            return
        is_known = self._shape.provider == "smtp" and key in self._fields
        if not is_known and self._help.get(key):
            self.say(self._help[key], is_quiet=True)

    def action_provider(self) -> None:
        """Leaves for another provider."""
        self.dismiss(OtherProvider(sender=self._inputs["from"].value))

    def action_more(self) -> None:
        """Shows or hides the settings that can be left out."""
        self.toggle_class("-more")
        rows, spare = self._shape.rows(), self._shape.spare_rows()
        width = _label_width((*rows, *spare) if self.has_class("-more") else rows)
        for field in (*self._fields.values(), *self._spare.values()):
            field.set_label_width(width)
        self.set_class(self._shape.provider != "smtp" or self.has_class("-more"), "-wide")
        if self.focused is not None and not self.focused.display:
            self.set_focus(self._inputs["from"])

    @on(Input.Blurred, "#from")
    def guess_from_address(self, event: Input.Blurred) -> None:
        """As one leaves From."""
        found = _ADDRESS.search(event.value)
        if found is None:
            return
        domain = found[1]
        guesses = {"username": found[0], "host": f"smtp.{domain}", "domain": domain, "name": self._guess_name(domain)}
        for key, guess in guesses.items():
            control = self._inputs.get(key)
            if control is not None and not control.value and key not in self._guesses:
                # Once: what a person has emptied stays empty.
                self._guesses[key] = control.value = guess
                control.select_on_focus = True
                if control.has_focus:
                    control.select_all()

    def on_input_changed(self, event: Input.Changed) -> None:
        """What a person has typed is no guess: coming back to it selects nothing, as in compose."""
        event.input.select_on_focus = bool(event.value) and event.value == self._guesses.get(event.input.id or "")

    def _guess_name(self, domain: str) -> str:
        return domain.partition(".")[0] if self._shape.provider == "smtp" else self._shape.provider

    @on(Input.Blurred, "#security")
    def follow_security(self, event: Input.Blurred) -> None:
        """Moves the port along while it is one of the usual ones."""
        port = self._inputs.get("port")
        # A port that is just being typed is nobody's guess.
        is_guess = port is not None and (port.value in _PORTS.values() or not (port.value or port.has_focus))
        if port is not None and is_guess and event.value in _PORTS:
            self._guesses["port"] = port.value = _PORTS[event.value]

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.focus_next()

    def _mapping(self) -> dict[str, object]:
        mapping: dict[str, object] = {"provider": self._shape.provider, "from": self._inputs["from"].value.strip()}
        for field in self._shape.fields:
            typed = self._inputs[field.name].value.strip()
            if typed:
                mapping[field.name] = _typed_value(field, typed)
            elif field.is_required and self._shape.provider == "smtp":
                mapping[field.name] = ""
        return mapping

    def _needs_secret(self, mapping: dict[str, object]) -> bool:
        return "username" in mapping if self._shape.provider == "smtp" else self._shape.takes_secret

    def _secret(self) -> str:
        return self._inputs["password"].value if "password" in self._inputs else ""

    def _account_name(self) -> str:
        if "@" not in self._inputs["from"].value:
            raise _WrongFieldError("from", "From needs the address you send from, such as ada@example.org.")
        name = self._inputs["name"].value.strip()
        if not name and self.focused is not self._inputs["name"]:
            # The keys were faster than the guess, which comes as one leaves From.
            found = _ADDRESS.search(self._inputs["from"].value)
            name = self._guess_name(found[1]) if found else ""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
            raise _WrongFieldError("name", "The account needs a name of letters, digits, - and _.")
        if name in self._desk.configuration.accounts and self._desk.configuration.path is not None:
            raise _WrongFieldError("name", f"There is an account {name} already.")
        return name

    def action_test(self) -> None:
        """Proves connection and password, sending nothing."""
        self._begin(self._test)

    def action_save(self) -> None:
        """Writes the configuration and stores the secret."""
        self._begin(self._save)

    def _begin(self, work: Callable[[], Awaitable[None]]) -> None:
        if self._is_busy:
            self.say("still trying …", is_quiet=True)
            return
        self._is_busy = True
        self.attempt(self._only_once(work))

    async def _only_once(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except _WrongFieldError as error:
            if error.field in self._spare and not self.has_class("-more"):
                self.action_more()
            field = self._inputs.get(error.field)
            if field is not None and field is not self.focused:
                self._wrong_field = error.field
                self.set_focus(field)
            raise
        finally:
            self._is_busy = False

    async def _test(self) -> None:
        self.say("trying …", is_quiet=True)
        name = self._account_name()
        mapping, secret = self._mapping(), self._secret() or None
        if self._needs_secret(mapping) and secret is None:
            if self._shape.provider != "smtp":
                raise _WrongFieldError("password", "To try it, type the API key.")
            raise _WrongFieldError(
                "password", "To try it, type the password, or leave User empty for a server that asks for none."
            )
        self._failed = name, mapping, secret
        identities = await asyncio.to_thread(self._check, name, mapping, secret)
        self._failed = ()
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
            found = re.search(rf"(?:accounts\.{name}\.|account '{name}': key ')(\w+)'?(.*)", str(error), re.DOTALL)
            if found is None:
                raise
            raise _WrongFieldError(found[1], "".join(found.groups())) from error

    def _service(self) -> AccountService:
        from tui_mailer.services.account import AccountService

        return AccountService(
            paths=self._desk.paths, credentials=self._desk.credentials, configuration=self._desk.configuration
        )

    async def _save(self) -> None:
        name, mapping, secret = self._account_name(), self._mapping(), self._secret()
        service = self._service()
        account = self._draft_account(service, name, mapping)
        if (name, mapping, secret or None) == self._failed:
            self._failed = ()
            again = self.keymap.display("account-form.save")
            raise MailerError(f"It isn't saved: it was tried in vain. {again} again saves it all the same.")
        remark = ""
        if secret:
            self.say("storing the secret …", is_quiet=True)
            mapping["credential"], remark = await self._keep_secret(account, secret)
        elif self._needs_secret(mapping):
            mapping["credential"] = "prompt"
        is_first = self._desk.configuration.path is None
        configuration = await asyncio.to_thread(service.add, name, mapping, make_default=is_first)
        self.dismiss(AddedAccount(name=name, configuration=configuration, remark=remark))

    async def _keep_secret(self, account: Account, secret: str) -> tuple[str, str]:
        """Into the keyring; where that can't be, the account asks for it, and this once it is known."""
        in_keyring = account._replace(credential=CredentialSource(kind="keyring", value=("tui-mailer", account.name)))
        try:
            await asyncio.to_thread(self._desk.credentials.store, in_keyring, secret)
        except CredentialUnavailable as error:
            self._desk.credentials.provide(account.name, secret)
            said = f"account {account.name} added; its password is asked for once per session: {error.what}"
            return "prompt", said
        return "keyring", ""


def _typed_value(field: FormField, typed: str) -> object:
    """As it would stand in the file: YAML's own words where the model wants no text."""
    if field.kind == "switch":
        return {"yes": True, "true": True, "no": False, "false": False}.get(typed.lower(), typed)
    if field.kind in {"number", "json"}:
        try:
            return json.loads(typed)
        except ValueError:
            return typed
    return typed
