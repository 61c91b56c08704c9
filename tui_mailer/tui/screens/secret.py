"""Asks for an account's secret, and says where it will be kept."""

from __future__ import annotations

import re
from collections.abc import Iterable

from textual.widget import Widget
from textual.widgets import Input, Static

from tui_mailer.tui.action import Keymap
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.app_words import in_the_app
from tui_mailer.tui.screens.dialog import Dialog
from tui_mailer.tui.widgets.field import Field
from tui_mailer.tui.widgets.line_input import LineInput

_SENDS_HERE = re.compile(r"\s*\b(?:Type|Store) it in Accounts\.?$")
"""What a reason sends one to this dialog for."""


class SecretScreen(Dialog[str | None]):
    """Returns the secret; None when one went back."""

    place = "secret"
    BINDINGS = bindings("secret")
    AUTO_FOCUS = "#secret"

    def __init__(
        self, keymap: Keymap, account: str, reason: str, *, word: str = "password", is_for_keyring: bool = False
    ) -> None:
        """``word``: what this account's secret is called."""
        self._word = f"{word[:1].upper()}{word[1:]}"
        super().__init__(keymap, f"{self._word} of account {account}")
        reason = _SENDS_HERE.sub("", in_the_app(reason))
        self._reason = f"{reason[:1].upper()}{reason[1:]}"
        self._place = (
            "goes into the keyring, or into memory without one"
            if is_for_keyring
            else "kept in memory until the app ends"
        )

    def contents(self) -> Iterable[Widget]:
        yield Static(self._reason, markup=False)
        yield Field(self._word, LineInput(id="secret", password=True, placeholder=self._place))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value:
            self.dismiss(event.value)
