"""Asks for an account's password where only a person knows it: when wanted, or when an account is held for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from tui_mailer.domain.errors import CredentialUnavailable
from tui_mailer.tui.desk import Desk

if TYPE_CHECKING:
    from textual.app import App

    from tui_mailer.accounts.configuration import Account, Configuration
    from tui_mailer.services.event import Event
    from tui_mailer.tui.screens.compose import ComposeScreen
    from tui_mailer.tui.watch import Watch

AT_REST_SECONDS = 1.0
"""Without a key before a dialog that nobody has asked for opens by itself."""


class Passwords:
    """A part of the errands; ``run`` runs one in a worker of the app."""

    def __init__(
        self,
        app: App[int],
        desk: Desk,
        watch: Callable[[], Watch],
        compose: ComposeScreen,
        *,
        run: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._app = app
        self._desk = desk
        self._find_watch = watch
        self._compose = compose
        self._run = run

    @property
    def _watch(self) -> Watch:
        return self._find_watch()

    def heard(self, event: Event) -> None:
        """Asks for a secret at once where an account is held for it and nobody is in the middle of writing."""
        from tui_mailer.services.event import AccountChanged

        if not isinstance(event, AccountChanged) or event.held_reason is None or event.is_offline:
            return
        if credential_kind(self._desk.configuration, event.account) == "prompt":
            self._run(self._ask_when_at_rest(event.account))

    async def _ask_when_at_rest(self, name: str) -> None:
        """Keys under way to something else mustn't end up as a password."""
        while (seconds := AT_REST_SECONDS - self._desk.typed_ahead.seconds_at_rest()) > 0:  # noqa: ASYNC110  # exactly as long as is missing
            await asyncio.sleep(seconds)
        await self._watch.count()
        is_writing = self._app.screen is self._compose and not self._compose.form.read().is_empty()
        if not is_writing and not self._app.screen.is_modal and name in self._watch.holds:
            await self.ask(name)

    async def ask(self, name: str) -> None:
        """Asks for a secret and lets the account go on with it."""
        from tui_mailer.tui.screens.secret import SecretScreen

        hold, account = self._watch.holds.get(name), self._desk.configuration.accounts.get(name)
        if account is None:
            self._desk.status.say(f"there is no account {name}")
            return
        if hold is None and account.credential is None:
            self._desk.status.say(f"account {name} needs no {secret_word(account)}")
            return
        reason = "It is needed to send."
        if hold is not None:
            from tui_mailer.tui.watch import say_held
            from tui_mailer.tui.words import without_name

            reason = without_name(name, hold.reason)
            # The dialog says it from here on.
            self._desk.status.retract(say_held(name, hold.reason))
        is_for_keyring = credential_kind(self._desk.configuration, name) == "keyring"
        secret = await self._app.push_screen_wait(
            SecretScreen(self._desk.keymap, name, reason, word=secret_word(account), is_for_keyring=is_for_keyring)
        )
        if secret is None:
            return
        said = await take_secret(self._desk, account, secret)
        await self._desk.ask(lambda mailer: mailer.release_account(name))
        self._desk.nudge()
        await self._watch.count()
        self._desk.status.say(said, seconds=30)


async def take_secret(desk: Desk, account: Account, secret: str) -> str:
    """Puts a secret where the account looks for it: into the keyring, else into memory; says where."""
    from tui_mailer.accounts.reread import have_reread

    name, kind = account.name, account.credential.kind if account.credential is not None else ""
    if kind != "keyring":
        desk.credentials.provide(name, secret)
        return f"{name} is tried with it" if kind == "prompt" else f"{name} is tried with it until the app is closed"
    try:
        await asyncio.to_thread(desk.credentials.store, account, secret)
    except CredentialUnavailable as error:
        desk.credentials.provide(name, secret)
        return f"{name} is tried with it until the app is closed; it isn't in the keyring: {error.what}"
    await asyncio.to_thread(have_reread, desk.paths)
    return f"{name}: the new {secret_word(account)} is in the keyring, and is tried"


async def keep_secret(desk: Desk, account: Account, secret: str) -> tuple[str, str]:
    """Puts the secret of a new account into the keyring; where that can't be, it is asked for, and this once known.

    Returns the account's ``credential`` and what a person should know of it.
    """
    from tui_mailer.accounts.configuration import CredentialSource

    in_keyring = account._replace(credential=CredentialSource(kind="keyring", value=("tui-mailer", account.name)))
    try:
        await asyncio.to_thread(desk.credentials.store, in_keyring, secret)
    except CredentialUnavailable as error:
        desk.credentials.provide(account.name, secret)
        return "prompt", f"its password is asked for once per session: {error.what}"
    return "keyring", ""


def secret_word(account: Account) -> str:
    """What people know an account's secret by: mail servers want a password, the mail APIs a key."""
    return "password" if account.provider in {"smtp", "maildir"} else "API key"


def credential_kind(configuration: Configuration, account_name: str) -> str:
    """Where an account's secret is to be had; empty: it has none, or there is no such account."""
    account = configuration.accounts.get(account_name)
    return account.credential.kind if account is not None and account.credential is not None else ""
