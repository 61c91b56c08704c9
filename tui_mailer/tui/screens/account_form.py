"""Adds an account of any provider: fill in, try, save; the secret goes into the keyring, or stays with the person."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import events, on
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Static

from tui_mailer.accounts import patience
from tui_mailer.accounts.configuration import Account, Configuration
from tui_mailer.domain.errors import ConfigurationError, MailerError
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.passwords import keep_secret
from tui_mailer.tui.screens.account_shape import AccountShape, label_width, typed_value
from tui_mailer.tui.screens.dialog import Dialog
from tui_mailer.tui.widgets.field import Field
from tui_mailer.tui.widgets.line_input import LineInput

if TYPE_CHECKING:
    from textual.worker import Worker

    from tui_mailer.services.account import AccountService

_ADDRESS = re.compile(r"[^\s<>@]+@([^\s<>@]+)")
_PORTS = {"tls": "465", "starttls": "587", "none": "25"}


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


class WrongFieldError(MailerError):
    """Something is wrong with, or missing in, one field: the cursor goes there."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


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
        is_new_smtp = shape.provider == "smtp" and shape.account is None
        self._guesses = {"security": "tls", "port": "465"} if is_new_smtp else {}
        """What is typed replaces it."""
        self._given = {"from": sender} | self._guesses | shape.values()
        self._inputs = {
            key: LineInput(self._given.get(key, ""), id=key, placeholder=hint, password=key == "password")
            for key, _, hint in (*rows, *spare)
        }
        for key in self._guesses:
            self._inputs[key].select_on_focus = True
        width = label_width(rows)
        self._fields = {key: Field(label, self._inputs[key], label_width=width) for key, label, _ in rows}
        self._spare = {
            key: Field(label, self._inputs[key], classes="-spare", label_width=width) for key, label, _ in spare
        }
        self._help = {field.name: field.help for field in shape.fields}
        self._at_work: Worker[None] | None = None
        self._stops_by_leaving = False
        """Whether what is at work only asks a server, which nothing is lost by not waiting for."""
        self._is_warned = False
        """Whether it has just been said that leaving loses what was typed."""
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
        self._is_warned = False
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
        width = label_width((*rows, *spare) if self.has_class("-more") else rows)
        for field in (*self._fields.values(), *self._spare.values()):
            field.set_label_width(width)
        self.set_class(self._shape.provider != "smtp" or self.has_class("-more"), "-wide")
        if self.focused is not None and not self.focused.display:
            self.set_focus(self._inputs["from"])

    @on(Input.Blurred, "#from")
    def guess_from_address(self, event: Input.Blurred) -> None:
        """As one leaves From."""
        found = _ADDRESS.search(event.value)
        if found is None or self._shape.account is not None:
            return
        domain = found[1]
        guesses = {
            "username": found[0],
            "host": f"smtp.{domain}",
            "domain": domain,
            "name": self._shape.guess_name(domain),
        }
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
        self._is_warned = False
        event.input.select_on_focus = bool(event.value) and event.value == self._guesses.get(event.input.id or "")

    @on(Input.Blurred, "#security")
    def follow_security(self, event: Input.Blurred) -> None:
        """Moves the port along while it is one of the usual ones."""
        port = self._inputs.get("port")
        if self._shape.account is not None and event.value == self._given.get("security", ""):
            return
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
                mapping[field.name] = typed_value(field, typed)
            elif field.is_required and self._shape.provider == "smtp":
                mapping[field.name] = ""
        return mapping

    def _needs_secret(self, mapping: dict[str, object]) -> bool:
        return "username" in mapping if self._shape.provider == "smtp" else self._shape.takes_secret

    def _secret(self) -> str:
        return self._inputs["password"].value if "password" in self._inputs else ""

    def _account_name(self) -> str:
        if "@" not in self._inputs["from"].value:
            raise WrongFieldError("from", "From needs the address you send from, such as ada@example.org.")
        name = self._inputs["name"].value.strip()
        if not name and self.focused is not self._inputs["name"]:
            # The keys were faster than the guess, which comes as one leaves From.
            found = _ADDRESS.search(self._inputs["from"].value)
            name = self._shape.guess_name(found[1]) if found else ""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
            raise WrongFieldError("name", "The account needs a name of letters, digits, - and _.")
        if name in self._desk.configuration.accounts and self._desk.configuration.path is not None:
            raise WrongFieldError("name", f"There is an account {name} already.")
        return name

    def action_test(self) -> None:
        """Proves connection and password, sending nothing."""
        self._begin(self._test, stops_by_leaving=True)

    def action_save(self) -> None:
        """Writes the configuration and stores the secret."""
        self._begin(self._save)

    def _begin(self, work: Callable[[], Awaitable[None]], *, stops_by_leaving: bool = False) -> None:
        if self._at_work is not None:
            self.say("still trying …", is_quiet=True)
            return
        self._is_warned, self._stops_by_leaving = False, stops_by_leaving
        self._at_work = self.run_worker(self._attempt(self._only_once(work)))

    def action_back(self) -> None:
        """Stops waiting for a server first; leaves by a second press where something is lost by it."""
        back, save = self.keymap.display("dialog.back"), self.keymap.display("account-form.save")
        if self._at_work is not None:
            if not self._stops_by_leaving:
                self.say("It is being saved: one moment …", is_quiet=True)
                return
            self._at_work.cancel()
            self._at_work, self._failed, self._is_warned = None, (), True
            self.say(f"Stopped; nothing was sent. {back} again leaves without saving.", is_quiet=True)
        elif self._has_changes() and not self._is_warned:
            self._is_warned = True
            self.say(f"It isn't saved: {back} again leaves all the same, {save} saves it.")
        else:
            self.dismiss(None)

    def _has_changes(self) -> bool:
        """Whether a person has typed anything; what was guessed is no loss."""
        shown = {key: control.value.strip() for key, control in self._inputs.items()}
        return any(
            value not in (self._given.get(key, "").strip(), self._guesses.get(key)) for key, value in shown.items()
        )

    async def _only_once(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except WrongFieldError as error:
            if error.field in self._spare and not self.has_class("-more"):
                self.action_more()
            field = self._inputs.get(error.field)
            if field is not None and field is not self.focused:
                self._wrong_field = error.field
                self.set_focus(field)
            raise
        finally:
            self._at_work = None

    async def _test(self) -> None:
        self.say("trying …", is_quiet=True)
        name = self._account_name()
        mapping, secret = self._mapping(), self._secret() or None
        if self._needs_secret(mapping) and secret is None:
            if self._shape.provider != "smtp":
                raise WrongFieldError("password", "To try it, type the API key.")
            raise WrongFieldError(
                "password", "To try it, type the password, or leave User empty for a server that asks for none."
            )
        self._failed = name, mapping, secret
        service = self._service()
        account = self._draft_account(service, name, mapping)
        # In a thread that nobody waits for: a stalled server stops neither the screen nor the outbox nor leaving.
        asked = patience.start(lambda: asyncio.run(service.test(account, secret)), name="account-test")
        identities = await asyncio.wrap_future(asked)
        self._failed = ()
        self.say(
            f"It works: {', '.join(one.address for one in identities) or 'connected'}. Nothing was sent.", is_quiet=True
        )

    def _draft_account(self, service: AccountService, name: str, mapping: dict[str, object]) -> Account:
        try:
            return service.draft_account(name, mapping)
        except ConfigurationError as error:
            # Nothing stands in the file yet, so its name and the place in it would only puzzle.
            found = re.search(rf"(?:accounts\.{name}\.|account '{name}': key ')(\w+)'?(.*)", str(error), re.DOTALL)
            if found is None:
                raise
            raise WrongFieldError(found[1], "".join(found.groups())) from error

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
        answer = await self._write(service, account, mapping, secret)
        if answer is not None:
            self.dismiss(answer)

    async def _write(
        self, service: AccountService, account: Account, mapping: dict[str, object], secret: str
    ) -> AddedAccount | None:
        """Puts it into the file, and the secret where it belongs; None where nothing was to do, which is told."""
        remark = ""
        if secret:
            self.say("storing the secret …", is_quiet=True)
            mapping["credential"], remark = await keep_secret(self._desk, account, secret)
        elif self._needs_secret(mapping):
            mapping["credential"] = "prompt"
        is_first = self._desk.configuration.path is None
        configuration = await asyncio.to_thread(service.add, account.name, mapping, make_default=is_first)
        said = f"account {account.name} added; {remark}" if remark else ""
        return AddedAccount(name=account.name, configuration=configuration, remark=said)
