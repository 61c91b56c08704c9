"""F9: the accounts, what holds them, and the way to another one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from textual.widget import Widget

from tui_mailer.accounts.configuration import LOCAL_ACCOUNT, Account
from tui_mailer.storage.record import AccountHold
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.app_words import in_the_app
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.screens.dialog import Dialog
from tui_mailer.tui.widgets.row_list import Column, Row, RowList


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountWish:
    """What is wanted of the accounts."""

    what: Literal["add", "edit", "release", "password", "default", "remove"]
    account: str = ""


class AccountRows(RowList):
    """Accounts, the default first."""

    DEFAULT_CSS = """
    AccountRows { height: auto; max-height: 14; }
    """

    def __init__(self, accounts: list[Account], holds: Mapping[str, AccountHold]) -> None:
        columns = (
            Column(title="", width=12),
            Column(title="", width=8),
            Column(title="", share=2),
            Column(title="", share=3),
        )
        super().__init__(columns, empty_text="no accounts", id="accounts")
        self._accounts = accounts
        self._holds = holds

    def row_count(self) -> int:
        return len(self._accounts)

    def row(self, index: int) -> Row | None:
        account = self._accounts[index]
        hold = self._holds.get(account.name)
        if hold is None:
            standing = "kept on this computer, sent to nobody" if account.provider == "maildir" else "ready"
        else:
            standing = in_the_app(f"can't send now: {hold.reason}" if hold.is_offline else f"held: {hold.reason}")
        sender = account.identities[0].addr_spec if account.identities else ""
        return Row(
            key=account.name,
            cells=(account.name, account.provider, sender, standing),
            tone="bad" if hold is not None and not hold.is_offline else "",
        )


class AccountListScreen(Dialog[AccountWish | None]):
    """Returns what is wanted; None when one went back."""

    place = "accounts"
    BINDINGS = bindings("accounts")
    AUTO_FOCUS = "#accounts"

    def __init__(self, desk: Desk, holds: Mapping[str, AccountHold]) -> None:
        super().__init__(desk.keymap, "Accounts")
        configuration = desk.configuration
        accounts = sorted(
            configuration.accounts.values(), key=lambda one: (one.name != configuration.default_account, one.name)
        )
        # Mail may wait in one that isn't there any more, and is held for that.
        unknown = [
            Account(name=name, provider="", identities=())
            for name in sorted(holds)
            if name not in configuration.accounts and name != LOCAL_ACCOUNT
        ]
        self._unwritten = {one.name for one in (*accounts, *unknown) if not one.lines}
        """Those that stand in no file."""
        self._rows = AccountRows([*accounts, *unknown], holds)

    def contents(self) -> Iterable[Widget]:
        yield self._rows

    def action_add(self) -> None:
        self.dismiss(AccountWish(what="add"))

    def action_edit(self) -> None:
        self._wish_if_written("edit")

    def action_release(self) -> None:
        self._wish("release")

    def action_password(self) -> None:
        self._wish("password")

    def action_default(self) -> None:
        self._wish("default")

    def action_remove(self) -> None:
        self._wish_if_written("remove")

    def _wish_if_written(self, what: Literal["edit", "remove"]) -> None:
        """Says here, where the key that helps is one of the list's, that there is nothing to change."""
        name = self._rows.cursor_key()
        if name not in self._unwritten:
            self._wish(what)
            return
        why = "is built in: there is nothing to change" if name == LOCAL_ACCOUNT else "isn't in the configuration"
        self.say(f"{name} {why}. {self.keymap.display('accounts.add')} adds an account.", is_quiet=True)

    def _wish(self, what: Literal["edit", "release", "password", "default", "remove"]) -> None:
        key = self._rows.cursor_key()
        if key:
            self.dismiss(AccountWish(what=what, account=key))

    def on_row_list_opened(self, event: RowList.Opened) -> None:
        event.stop()
        self.action_release()
