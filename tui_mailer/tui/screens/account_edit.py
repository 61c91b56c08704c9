"""Changes an account: the form that adds one, filled with what stands in the file; only what was changed is written."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui_mailer.accounts.configuration import Account
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.passwords import keep_secret, take_secret
from tui_mailer.tui.screens.account_form import AccountFormScreen, AddedAccount, WrongFieldError
from tui_mailer.tui.screens.account_shape import AccountShape, typed_value

if TYPE_CHECKING:
    from tui_mailer.services.account import AccountService


class AccountEditScreen(AccountFormScreen):
    """Returns the account as saved; None when one went back."""

    def __init__(self, desk: Desk, shape: AccountShape, account: Account) -> None:
        super().__init__(desk, shape)
        self._account = account

    def sleeping_actions(self) -> frozenset[str]:
        return frozenset({"account-form.provider"})

    def action_provider(self) -> None:
        """Says that this one stays."""
        self.say("Its provider stays what it is: for another one add another account.", is_quiet=True)

    def _mapping(self) -> dict[str, object]:
        """What the rows say; what nobody has touched is as it stands in the file."""
        untouched = {key: value for key, value in self._account.settings.items() if not self._is_changed(key)}
        return super()._mapping() | untouched

    def _is_changed(self, key: str) -> bool:
        return key in self._inputs and self._inputs[key].value.strip() != self._given.get(key, "")

    def _needs_secret(self, mapping: dict[str, object]) -> bool:
        """An account that has one is tried with that."""
        return self._account.credential is None and super()._needs_secret(mapping)

    def _account_name(self) -> str:
        """Its own, which stays."""
        if "@" not in self._inputs["from"].value:
            raise WrongFieldError("from", "From needs the address you send from, such as ada@example.org.")
        return self._account.name

    def _draft_account(self, service: AccountService, name: str, mapping: dict[str, object]) -> Account:
        """The account as it would be, with what has no row here."""
        drafted, known = super()._draft_account(service, name, mapping), self._account
        return drafted._replace(
            identities=(*drafted.identities, *known.identities[1:]), credential=known.credential, ca_file=known.ca_file
        )

    async def _write(
        self, service: AccountService, account: Account, mapping: dict[str, object], secret: str
    ) -> AddedAccount | None:
        """Writes what was changed, and puts a new secret where the account looks for it."""
        changes, remark = self._changes(), ""
        if account.credential is None and secret:
            changes["credential"], remark = await keep_secret(self._desk, account, secret)
        elif self._needs_secret(mapping):
            changes["credential"] = "prompt"
        if not changes and not secret:
            self.say("Nothing is changed yet.", is_quiet=True)
            return None
        configuration = await asyncio.to_thread(service.change, account.name, changes)
        if account.credential is not None and secret:
            # Only now: it may be meant for the new server.
            remark = await take_secret(self._desk, configuration.accounts[account.name], secret)
        said = f"account {account.name} is changed"
        remark = f"{said}; {remark}" if remark else said
        return AddedAccount(name=account.name, configuration=configuration, remark=remark)

    def _changes(self) -> dict[str, object]:
        """What is to stand in the file, by key; None: nothing any more."""
        changes: dict[str, object] = {}
        if self._is_changed("from"):
            sender = self._inputs["from"].value.strip()
            others = [str(one) for one in self._account.identities[1:]]
            changes |= {"identities": [sender, *others]} if "identities" in self._account.lines else {"from": sender}
        for field in self._shape.fields:
            if self._is_changed(field.name):
                typed = self._inputs[field.name].value.strip()
                changes[field.name] = typed_value(field, typed) if typed else None
        return changes
