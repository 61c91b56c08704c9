"""How each account stands: its provider, whether it is held or off line, and how much of it may be tried at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import datetime

from tui_mailer.accounts.configuration import Account, Configuration
from tui_mailer.domain.errors import StorageError, UnknownAccount
from tui_mailer.providers.base import Provider
from tui_mailer.services.account import fingerprint
from tui_mailer.services.configuration_watch import ConfigurationWatch
from tui_mailer.services.delivery import AccountTrouble
from tui_mailer.services.event import AccountChanged
from tui_mailer.services.release import release_what_can_go
from tui_mailer.services.retry import OFFLINE_SECONDS, backoff
from tui_mailer.services.workplace import Workplace
from tui_mailer.storage.record import HELD_BY_PERSON, NOT_CONFIGURED

LOOK_SECONDS = 1.0
LEFT_TO_OTHERS_SECONDS = 30.0
"""A process that knows the account lets it go within a second or so; the one that doesn't mustn't hold it again."""


class AccountStanding:
    """Keeps one provider an account, and the account's holds in step with what happened."""

    def __init__(self, work: Workplace) -> None:
        self._work = work
        self._providers: dict[str, tuple[str, Provider]] = {}
        self._marks: dict[str, tuple[Account, str]] = {}
        self._probing: set[str] = set()
        """Accounts that were in trouble: one message tries first, not all of them."""
        self._answered_at: dict[str, datetime] = {}
        self._configuration = ConfigurationWatch(work.directory, work.emit)
        self._unknown: dict[str, float] = {}
        """Accounts this process doesn't know, and until when (monotonic) it leaves their mail to others."""

    def limit(self, account: str) -> int:
        """How many submissions of the account may be under way at once."""
        return 1 if account in self._probing else self._work.delivery.connections

    def mark(self, account: Account) -> str:
        """The account's fingerprint, worked out once for each configuration."""
        known = self._marks.get(account.name)
        if known is None or known[0] is not account:
            known = (account, fingerprint(account))
            self._marks[account.name] = known
        return known[1]

    def unknown(self) -> frozenset[str]:
        """Names accounts whose mail another process may know how to send."""
        now = time.monotonic()
        return frozenset(name for name, until in self._unknown.items() if now < until)

    async def account(self, name: str) -> Account:
        """The account as the configuration file has it now; raises `UnknownAccount`."""
        await self.look_at_configuration()
        return self._work.directory.account(name)

    async def is_outdated(self, account: Account) -> bool:
        """Says whether the configuration file has other settings for an account by now, or none."""
        try:
            return fingerprint(await self.account(account.name)) != fingerprint(account)
        except UnknownAccount:
            return True

    async def look_at_configuration(self, *, is_asked: bool = False) -> None:
        """Goes by what the configuration file says now; what it mends is tried again."""
        before = await self._configuration.look(is_asked=is_asked)
        if before is None:
            return
        self._unknown.clear()
        accounts = self._work.directory.configuration.accounts
        mended = {
            name for name, account in accounts.items() if name in before.accounts and self._is_other(before, account)
        }
        await self._release_known(mended)
        await release_what_can_go(self._work, mended)

    async def follow_configuration_forever(self) -> None:
        """Notices a changed file within a second or two, for as long as the engine runs."""
        while True:
            # What goes wrong with the outbox is told by the dispatcher, which meets it too.
            with suppress(StorageError):
                await self.look_at_configuration()
            await asyncio.sleep(LOOK_SECONDS)

    def _is_other(self, before: Configuration, account: Account) -> bool:
        return fingerprint(before.accounts[account.name]) != self.mark(account)

    async def _release_known(self, mended: Collection[str] = ()) -> bool:
        """Lets go accounts that were held because a process didn't know them, or that have been mended."""
        is_any = False
        for name, hold in (await self._work.db(self._work.store.outbox.account_holds)).items():
            is_found = hold.reason == NOT_CONFIGURED and self._work.directory.knows(name)
            if is_found or (name in mended and hold.reason != HELD_BY_PERSON):
                await self._work.db(self._work.store.outbox.release_account, name)
                self._work.emit(AccountChanged(account=name, held_reason=None))
                is_any = True
        return is_any

    async def provider(self, account: Account) -> Provider:
        """The account's provider, built anew when its settings have changed; raises `ConfigurationError`."""
        mark = self.mark(account)
        known = self._providers.get(account.name)
        if known is not None and known[0] == mark:
            return known[1]
        fresh = await asyncio.to_thread(self._work.directory.open, account)
        known = self._providers.get(account.name)
        if known is not None and known[0] == mark:
            return known[1]
        self._providers[account.name] = (mark, fresh)
        if known is not None:
            await known[1].close()
        return fresh

    async def has_another_secret(self, account: str, refusals_before: int) -> bool:
        """Says whether the server has refused a secret since, and the account's source gives another by now."""
        credentials = self._work.directory.credentials
        if credentials.refusals.count(account) == refusals_before:
            return False
        try:
            return await credentials.has_another(await self.account(account))
        except UnknownAccount:
            return False

    async def hold(self, account: str, trouble: AccountTrouble) -> None:
        """Keeps the account's mail back: until a person mends it, or (off line) until the next probe."""
        self._work.directory.credentials.refusals.clear(account)
        if trouble.reason == NOT_CONFIGURED:
            self._unknown[account] = time.monotonic() + LEFT_TO_OTHERS_SECONDS
        self._probing.add(account)
        failures = 0
        retry_at = None
        outbox = self._work.store.outbox
        if trouble.is_offline:
            known = (await self._work.db(outbox.account_holds)).get(account)
            failures = (known.failures if known else 0) + 1
            retry_at = trouble.retry_at or self._work.now() + backoff(failures, OFFLINE_SECONDS, 0)
        await self._work.db(
            outbox.hold_account,
            account,
            trouble.reason,
            is_offline=trouble.is_offline,
            retry_at=retry_at,
            failures=failures,
        )
        self._work.emit(
            AccountChanged(
                account=account, held_reason=trouble.reason, is_offline=trouble.is_offline, retry_at=retry_at
            )
        )

    async def answered(self, account: str) -> None:
        """The account's server has given a definite answer: it isn't off line, whoever has noted that.

        A hold that waits for a person is left to the person.
        """
        self._answered_at[account] = self._work.now()
        self._work.directory.credentials.refusals.clear(account)
        if account not in self._probing:
            return
        self._probing.discard(account)
        hold = (await self._work.db(self._work.store.outbox.account_holds)).get(account)
        if hold is not None:
            if not hold.is_offline:
                return
            await self._work.db(self._work.store.outbox.release_account, account)
        self._work.emit(AccountChanged(account=account, held_reason=None))

    async def look(self) -> bool:
        """Learns which accounts other processes have found off line: their next message is a probe.

        Where the server has answered here since, before this was known, there may be no next message: it was the probe.
        Those that others don't know and this one does go on; says whether there were any.
        """
        is_any = await self._release_known()
        holds = await self._work.db(self._work.store.outbox.account_holds)
        for name, hold in holds.items():
            if hold.is_offline:
                self._probing.add(name)
                answered_at = self._answered_at.get(name)
                if answered_at is not None and answered_at > hold.since:
                    await self.answered(name)
        return is_any

    async def probe_again(self, accounts: Iterable[str] | None = None) -> None:
        """A person asks for a try now: accounts that are off line (all, or these) are probed at once."""
        wanted = None if accounts is None else set(accounts)
        for hold in (await self._work.db(self._work.store.outbox.account_holds)).values():
            if hold.is_offline and (wanted is None or hold.account in wanted):
                self._probing.add(hold.account)
                await self._work.db(self._work.store.outbox.release_account, hold.account)

    async def close(self) -> None:
        """Closes every provider."""
        for _mark, provider in self._providers.values():
            await provider.close()
        self._providers.clear()
