"""What is done to an account that is there: made the default one, or taken out of the configuration."""

from __future__ import annotations

import asyncio
from typing import Any

from textual.app import App

from tui_mailer.accounts.configuration import Configuration
from tui_mailer.domain.errors import MailerError
from tui_mailer.services.account import AccountService
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.screens.confirm import ConfirmScreen
from tui_mailer.tui.sheet import Sheet


class AccountChange:
    """Each returns the configuration as it then is; None where nothing was changed, which has been told."""

    def __init__(self, app: App[Any], desk: Desk) -> None:
        self._app = app
        self._desk = desk

    async def edit(self, name: str) -> Configuration | None:
        """Lets a person change the settings of an account that stands in the file; must run in a worker."""
        from tui_mailer.tui.screens.account_edit import AccountEditScreen
        from tui_mailer.tui.screens.account_form import AddedAccount
        from tui_mailer.tui.screens.account_shape import shape_of

        account = self._desk.configuration.accounts.get(name)
        if account is None:
            raise MailerError(f"There is no account {name} any more. Nothing was changed.")
        shape = await asyncio.to_thread(shape_of, account.provider, account)
        answer = await self._app.push_screen_wait(AccountEditScreen(self._desk, shape, account))
        if not isinstance(answer, AddedAccount):
            return None
        await self._desk.ask(lambda mailer: mailer.store.outbox.mend_account(name))
        self._desk.nudge()
        self._desk.status.say(answer.remark, seconds=30)
        return answer.configuration

    async def make_default(self, name: str) -> Configuration | None:
        """New messages go from it."""
        if name == self._desk.configuration.default_account:
            self._desk.status.say(f"new messages go from {name} already")
            return None
        configuration = await asyncio.to_thread(self._service().make_default, name)
        self._desk.status.say(f"new messages go from {name}")
        return configuration

    async def remove(self, name: str) -> Configuration | None:
        """Takes it out, once the person has said yes; must run in a worker. Raises `MailerError` for open mail."""
        count = await self._desk.ask(lambda mailer: mailer.open_count(name))
        if count:
            outbox = self._desk.keymap.display("app.outbox")
            raise MailerError(
                f"{name} has {count} open in the outbox ({outbox}): send or cancel them first. Nothing was removed."
            )
        question = ConfirmScreen(self._desk.keymap, f"Remove account {name}?", self._sheet())
        if not await self._app.push_screen_wait(question):
            return None
        configuration = await asyncio.to_thread(self._service().remove, name)
        await self._desk.ask(lambda mailer: mailer.release_account(name))
        self._desk.status.say(f"account {name} is removed")
        return configuration

    def _sheet(self) -> Sheet:
        sheet = Sheet()
        file = self._desk.configuration.path or self._desk.paths.config_file
        sheet.text(
            f"It is taken out of {file}, its password out of the keyring. What it has sent stays in the history."
        )
        return sheet

    def _service(self) -> AccountService:
        return AccountService(
            paths=self._desk.paths, credentials=self._desk.credentials, configuration=self._desk.configuration
        )
