"""F7: a message's options, a form made from the model of the account's provider."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from textual import events
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Input

from tui_mailer.accounts import patience
from tui_mailer.accounts.configuration import Account
from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import MailerError
from tui_mailer.providers.base import Capabilities, Template
from tui_mailer.services.model_form import FormField
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.option_row import OWN, own_rows, value_of, with_values
from tui_mailer.tui.screens.choice import ChoiceScreen, Offer
from tui_mailer.tui.screens.dialog import Dialog
from tui_mailer.tui.widgets.choice_field import ChoiceField
from tui_mailer.tui.widgets.field import Field
from tui_mailer.tui.widgets.line_input import LineInput

LABEL_WIDTH = 24
MOST_SECONDS_FOR_TEMPLATES = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionSheet:
    """What the form is made from."""

    account: Account
    capabilities: Capabilities
    fields: tuple[FormField, ...]
    """The provider's own."""


class OptionsScreen(Dialog[Draft | None]):
    """Returns the draft with its options; None when one went back."""

    place = "options"
    BINDINGS = bindings("options")
    AUTO_FOCUS = "LineInput, ChoiceField"
    DEFAULT_CSS = """
    OptionsScreen #rows { height: auto; max-height: 65vh; }
    """

    def __init__(self, desk: Desk, draft: Draft, sheet: OptionSheet) -> None:
        super().__init__(desk.keymap, f"Options of this message, with account {sheet.account.name}")
        self._desk = desk
        self._draft = draft
        self._sheet = sheet
        self._rows = (*sheet.fields, *own_rows(sheet.capabilities))
        self._controls = {row.name: _control(row, value_of(draft, row)) for row in self._rows}
        self._has_complaint = False
        self._help: dict[Widget, str] = {self._controls[row.name]: row.help for row in self._rows}

    def contents(self) -> Iterable[Widget]:
        with VerticalScroll(id="rows", can_focus=False):
            for row in self._rows:
                label = row.name.removeprefix(OWN).replace("_", " ")
                yield Field(label, self._controls[row.name], label_width=LABEL_WIDTH)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Says what the row is for, unless something wrong still waits to be mended."""
        if self._has_complaint:
            return
        sentence = self._help.get(event.widget, "")
        if event.widget is self._controls.get(f"{OWN}template"):
            sentence += f" {self.keymap.display('options.templates')} lists them."
        self.say(sentence, is_quiet=True)

    def say(self, text: str, *, is_quiet: bool = False) -> None:
        self._has_complaint = bool(text) and not is_quiet
        super().say(text, is_quiet=is_quiet)

    def on_input_changed(self) -> None:
        """What was wrong is being mended; the next row is explained again."""
        self._has_complaint = False

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.focus_next()

    def action_save(self) -> None:
        """Keeps the options, if the provider's model takes them."""
        self.attempt(self._save())

    async def _save(self) -> None:
        values = {name: control.value for name, control in self._controls.items()}
        changed = with_values(self._draft, values, self._rows)
        account = self._sheet.account
        await self._desk.ask(lambda mailer: mailer.directory.options(account, changed.options))
        self.dismiss(changed)

    def action_templates(self) -> None:
        """Lists the provider's templates, asked for over the network."""
        control = self._controls.get(f"{OWN}template")
        if isinstance(control, LineInput):
            self.attempt(self._choose_template(control))
        else:
            self.say("This account has no templates.", is_quiet=True)

    async def _choose_template(self, control: LineInput) -> None:
        self.say("asking for the templates …", is_quiet=True)
        asked = patience.start(self._ask_for_templates, name="templates")
        try:
            templates = await patience.wait_async(asked, MOST_SECONDS_FOR_TEMPLATES)
        except TimeoutError:
            self.say(f"The templates can't be listed: no answer in {MOST_SECONDS_FOR_TEMPLATES:.0f} s.")
            return
        except MailerError as error:
            self.say(f"The templates can't be listed. {error}")
            return
        self.say("" if templates else "There are no templates.", is_quiet=True)
        if not templates:
            return
        offers = [Offer(key=one.id, text=one.name or one.id, remark=one.id) for one in templates]
        chosen = await self.shell.push_screen_wait(ChoiceScreen(self.keymap, "Templates", offers))
        if chosen is not None:
            control.value = chosen
            self.set_focus(control)

    def _ask_for_templates(self) -> list[Template]:
        """In a thread that nobody waits for: a stalled server stops neither the screen nor the outbox nor leaving."""
        from tui_mailer.services.account import AccountService

        desk = self._desk
        service = AccountService(paths=desk.paths, credentials=desk.credentials, configuration=desk.configuration)
        return asyncio.run(service.templates(self._sheet.account))


def _control(row: FormField, value: str) -> LineInput | ChoiceField:
    if row.kind in {"choice", "switch"}:
        choices = row.choices or ("yes", "no")
        return ChoiceField(choices, value=value, default=row.default)
    hint = {"number": "a number", "json": "JSON"}.get(row.kind, "")
    return LineInput(value, placeholder=f"left out: {row.default}" if row.default else hint)
