"""Hands due submissions to workers, account by account, and keeps leases, holds and events in step.

One worker holds one claim at a time and goes on to the account's next one in the transaction that records the last
(`finish_and_claim`), so that bulk mail costs two commits a message and keeps its connection busy.
"""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from tui_mailer.accounts.configuration import Account
from tui_mailer.accounts.zone import local_zone
from tui_mailer.domain.errors import ConfigurationError, CredentialUnavailable, DeliveryError, Fenced, StorageError
from tui_mailer.domain.submission import Phase, State
from tui_mailer.providers.base import Provider
from tui_mailer.services.account import ProviderDirectory, fingerprint
from tui_mailer.services.delivery import AccountTrouble, Attempt, Terms, contents_of, outgoing_of
from tui_mailer.services.event import (
    AccountChanged,
    BytesProgressed,
    EngineTroubled,
    Event,
    PhaseReached,
    StoreChanged,
    SubmissionChanged,
)
from tui_mailer.services.retry import OFFLINE_SECONDS, backoff
from tui_mailer.storage.record import Claim, Outcome, Submission

if TYPE_CHECKING:
    from tui_mailer.accounts.configuration import Configuration, Paths
    from tui_mailer.accounts.credential import Credentials
    from tui_mailer.storage.store import Store

Listener = Callable[[Event], None]
"""Called in the engine's thread; must return at once (the app posts a message)."""

P = ParamSpec("P")
T = TypeVar("T")

POLL_SECONDS = 1.0
"""How often the outbox is looked at without a nudge: for other processes' commits, recovery and what has become due."""
LEASE_SECONDS = 15.0
"""Renewed every `RENEW_SECONDS`; a stopped process is taken over within 20 s (DESIGN B2.3)."""
RENEW_SECONDS = 5.0
INTENT_GRACE_SECONDS = 20.0
WAIT_POLL_SECONDS = 0.1
"""How often `deliver_only` looks whether another process has finished with a submission."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What a dispatcher works with."""

    store: Store
    database: Executor
    configuration: Configuration
    paths: Paths
    credentials: Credentials
    role: str
    listener: Listener


class Dispatcher:
    """Claims, delivers, records, watches; lives in one event loop."""

    def __init__(self, workplace: Workplace) -> None:
        self._work = workplace
        self._store = workplace.store
        self._emit = workplace.listener
        self._directory = ProviderDirectory(
            configuration=workplace.configuration, paths=workplace.paths, credentials=workplace.credentials
        )
        self._owner = ""
        self._providers: dict[str, tuple[str, Provider]] = {}
        self._workers: dict[asyncio.Task[None], str] = {}
        self._attempts: dict[str, Attempt] = {}
        self._attempted: dict[str, Submission] = {}
        self._only: list[str] | None = None
        self._probing: set[str] = set()
        self._wake = asyncio.Event()
        self._is_stopping = False

    async def open(self) -> None:
        """Registers with the outbox."""
        self._owner = await self._db(self._store.become_deliverer, self._work.role)

    async def close(self, grace_seconds: float) -> None:
        """Lets workers finish within the grace, gives the rest back, closes connections."""
        self._is_stopping = True
        await self._settle_workers(grace_seconds)
        for _mark, provider in self._providers.values():
            await provider.close()
        await self._db(self._store.archive_ended)
        await self._db(self._store.resign)

    def wake(self) -> None:
        """Looks for due mail now."""
        self._wake.set()

    def stop(self) -> None:
        """Makes `run` return; claims nothing more."""
        self._is_stopping = True
        self._wake.set()

    def reconfigure(self, configuration: Configuration) -> None:
        """Uses another configuration from the next claim on."""
        self._directory.configuration = configuration
        self._wake.set()

    async def run(self) -> None:
        """Goes on until `stop`."""
        renewed_at = asyncio.get_running_loop().time()
        while not self._is_stopping:
            await self._look()
            now = asyncio.get_running_loop().time()
            if now - renewed_at >= RENEW_SECONDS:
                renewed_at = now
                await self._renew()
            await self._sleep(await self._pause())

    async def flush(self, timeout_seconds: float | None) -> list[Submission]:
        """Delivers all that is due; returns what was attempted."""
        await self._forget_offline(None)
        renewer = asyncio.create_task(self._renew_forever())
        try:
            async with asyncio.timeout(timeout_seconds):
                while True:
                    await self._look()
                    if not self._workers:
                        break
                    await asyncio.wait(self._workers, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            pass  # what is left stays in the outbox and the caller sees its state
        finally:
            renewer.cancel()
        return [await self._db(self._store.find, one) for one in self._attempted]

    async def deliver_only(self, submission_ids: list[str], timeout_seconds: float) -> list[Submission]:
        """Gives each of these one attempt, by us or by whoever holds it."""
        self._only = submission_ids
        await self._forget_offline(submission_ids)
        renewer = asyncio.create_task(self._renew_forever())
        try:
            async with asyncio.timeout(timeout_seconds):
                while not await self._are_tried(submission_ids):
                    await self._look()
                    await self._sleep(WAIT_POLL_SECONDS)
        except TimeoutError:
            pass  # the caller sees by the state that it isn't done yet
        finally:
            renewer.cancel()
        return [await self._db(self._store.find, one) for one in submission_ids]

    # claiming

    async def _look(self) -> None:
        """One round: take over what was left behind, claim what is due, put away what has ended."""
        try:
            for left in await self._db(
                self._store.outbox.recover, policy=self._directory.configuration.delivery.uncertain, now=self._now()
            ):
                self._tell(left)
                await self._settle_by_asking(left)
            await self._claim_all()
            if not self._workers:
                await self._db(self._store.archive_ended)
            if await self._db(self._store.outbox.has_changed):
                self._emit(StoreChanged())
        except StorageError as error:
            self._emit(EngineTroubled(text=str(error)))

    async def _claim_all(self) -> None:
        while not self._is_stopping:
            claims = await self._db(
                self._store.outbox.claim,
                self._owner,
                now=self._now(),
                limit=1,
                ids=self._only,
                skip_accounts=self._busy_accounts(),
                lease_seconds=LEASE_SECONDS,
            )
            if not claims:
                return
            for claim in claims:
                task = asyncio.create_task(self._run_worker(claim))
                self._workers[task] = claim.submission.account
                task.add_done_callback(self._worker_ended)

    def _busy_accounts(self) -> frozenset[str]:
        most = self._directory.configuration.delivery.connections
        return frozenset(
            account
            for account, busy in Counter(self._workers.values()).items()
            if busy >= (1 if account in self._probing else most)
        )

    def _worker_ended(self, task: asyncio.Task[None]) -> None:
        self._workers.pop(task, None)
        self._wake.set()
        if not task.cancelled() and task.exception() is not None:
            self._emit(EngineTroubled(text=f"A worker stopped: {type(task.exception()).__name__}. Its mail is kept."))

    # delivering

    async def _run_worker(self, claim: Claim) -> None:
        """Delivers one claim after the other of the same account."""
        following: Claim | None = claim
        while following is not None:
            following = await self._deliver(following)

    async def _deliver(self, claim: Claim) -> Claim | None:
        submission = claim.submission
        self._emit(SubmissionChanged(id=submission.id, state=State.SENDING, account=submission.account))
        try:
            outcome = await self._attempt(claim)
        except Fenced:
            return None
        except AccountTrouble as trouble:
            await self._db(self._store.outbox.give_back, claim, error=str(trouble))
            await self._hold(submission.account, trouble)
            self._tell(await self._db(self._store.find, submission.id))
            return None
        except asyncio.CancelledError:
            # Stopped before the point of no return: it is due again at once, for us or for another process.
            await asyncio.shield(self._db(self._store.outbox.give_back, claim))
            raise
        finally:
            self._attempts.pop(submission.id, None)
        return await self._record(claim, outcome)

    async def _attempt(self, claim: Claim) -> Outcome:
        submission = claim.submission
        late = self._lateness(submission)
        if late is not None:
            return Outcome(fallback_state=State.HELD, error=late, text=late)
        try:
            account = self._directory.account(submission.account)
            provider = await self._provider(account)
            contents = await self._db(contents_of, submission.message, self._store.spool)
        except (ConfigurationError, CredentialUnavailable) as error:
            raise AccountTrouble(str(error), is_offline=False) from None
        except StorageError as error:
            return Outcome(fallback_state=State.HELD, error=str(error), text=str(error))
        terms = Terms(
            account=account,
            is_account_changed=fingerprint(account) != submission.account_fingerprint,
            delivery=self._directory.configuration.delivery,
            localise=self._localise,
            now=self._now,
        )
        attempt = Attempt(claim, provider, terms, self)
        self._attempts[submission.id] = attempt

        def on_phase(phase: Phase) -> None:
            self._emit(PhaseReached(id=submission.id, phase=phase))

        def on_bytes(sent: int, total: int) -> None:
            self._emit(BytesProgressed(id=submission.id, sent=sent, total=total))

        try:
            return await attempt.deliver(contents, on_phase, on_bytes)
        except (Fenced, AccountTrouble, StorageError):
            raise
        except Exception as error:  # noqa: BLE001 - the worker boundary: a bug in a provider must not lose a message
            state = State.UNCERTAIN if attempt.phase is Phase.INTENT else State.HELD
            text = f"tui-mailer or its provider '{provider.name}' failed ({type(error).__name__}); this is a bug."
            return Outcome(fallback_state=state, error=text, text=text)

    async def set_phase(
        self, claim: Claim, phase: Phase, note: Mapping[str, str] | None, date: datetime | None
    ) -> None:
        """Makes a phase durable before the step that makes it true (the `Ledger` of an attempt)."""
        await self._db(self._store.outbox.set_phase, claim, phase, note, date=date)

    async def _record(self, claim: Claim, outcome: Outcome) -> Claim | None:
        account = claim.submission.account
        try:
            if self._is_stopping or self._only is not None or self._is_probing_failed(outcome, account):
                finished = await self._db(self._store.outbox.finish, claim, outcome)
                following = None
            else:
                finished, following = await self._db(
                    self._store.outbox.finish_and_claim, claim, outcome, now=self._now(), account=account
                )
        except Fenced:
            return None
        self._attempted[finished.id] = finished
        self._tell(finished)
        if outcome.receipt is not None and account in self._probing:
            await self._release(account)
        if finished.state is State.UNCERTAIN:
            await self._settle_by_asking(finished)
        return following

    @staticmethod
    def _is_probing_failed(outcome: Outcome, _account: str) -> bool:
        return outcome.receipt is None

    async def _settle_by_asking(self, submission: Submission) -> None:
        """Settles an uncertain outcome without a person, where the provider can be asked or takes the same key twice."""
        if submission.state is not State.UNCERTAIN:
            return
        try:
            provider = await self._provider(self._directory.account(submission.account))
            kind = provider.capabilities.idempotency
            if kind != "findable":
                return
            contents = await self._db(contents_of, submission.message, self._store.spool)
            date = self._localise(submission.date or submission.created_at)
            receipt = await provider.find(
                outgoing_of(submission, date=date, contents=contents, attempt=submission.attempts), {}
            )
        except (ConfigurationError, CredentialUnavailable, DeliveryError, StorageError):
            return  # it stays uncertain, as shown; a person or the next start settles it
        how = "resend" if receipt is None else "sent"
        self._tell(await self._db(self._store.outbox.settle, submission.id, how, self._now()))

    # accounts

    async def _provider(self, account: Account) -> Provider:
        mark = fingerprint(account)
        known = self._providers.get(account.name)
        if known is not None and known[0] == mark:
            return known[1]
        if known is not None:
            await known[1].close()
        provider = await asyncio.to_thread(self._directory.open, account)
        again = self._providers.get(account.name)
        if again is not None and again[0] == mark:
            return again[1]
        self._providers[account.name] = (mark, provider)
        return provider

    async def _hold(self, account: str, trouble: AccountTrouble) -> None:
        self._probing.add(account)
        failures = 0
        retry_at = None
        if trouble.is_offline:
            known = (await self._db(self._store.outbox.account_holds)).get(account)
            failures = (known.failures if known else 0) + 1
            retry_at = trouble.retry_at or self._now() + backoff(failures, OFFLINE_SECONDS, 0)
        await self._db(
            self._store.outbox.hold_account,
            account,
            trouble.reason,
            is_offline=trouble.is_offline,
            retry_at=retry_at,
            failures=failures,
        )
        self._emit(
            AccountChanged(
                account=account, held_reason=trouble.reason, is_offline=trouble.is_offline, retry_at=retry_at
            )
        )

    async def _release(self, account: str) -> None:
        self._probing.discard(account)
        await self._db(self._store.outbox.release_account, account)
        self._emit(AccountChanged(account=account, held_reason=None))

    async def _forget_offline(self, submission_ids: list[str] | None) -> None:
        """A person asks for a try now: an account that was off line is probed again at once."""
        wanted = None
        if submission_ids is not None:
            wanted = {(await self._db(self._store.find, one)).account for one in submission_ids}
        for hold in (await self._db(self._store.outbox.account_holds)).values():
            if hold.is_offline and (wanted is None or hold.account in wanted):
                self._probing.add(hold.account)
                await self._db(self._store.outbox.release_account, hold.account)

    # watching

    async def _are_tried(self, submission_ids: list[str]) -> bool:
        holds = await self._db(self._store.outbox.account_holds)
        now = self._now()
        for one in submission_ids:
            submission = await self._db(self._store.find, one)
            is_waiting = submission.state is State.SENDING or (
                submission.state in (State.QUEUED, State.DEFERRED)
                and submission.account not in holds
                and (submission.next_attempt_at or submission.not_before) <= now
            )
            if is_waiting:
                return False
        return not self._workers

    async def _pause(self) -> float:
        due = await self._db(self._store.outbox.next_due, self._now())
        if due is None:
            return POLL_SECONDS
        return min(POLL_SECONDS, max(0.01, (due - self._now()).total_seconds()))

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _renew(self) -> None:
        await self._db(self._store.outbox.seen, self._owner, self._now())
        claims = [attempt.claim for attempt in self._attempts.values()]
        if claims:
            await self._db(self._store.outbox.renew, claims)

    async def _renew_forever(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            await self._renew()

    async def _settle_workers(self, grace_seconds: float) -> None:
        if self._workers:
            await asyncio.wait(self._workers, timeout=grace_seconds)
        for task in list(self._workers):
            if not any(one.phase is Phase.INTENT for one in self._attempts.values()):
                task.cancel()
        if self._workers:
            await asyncio.wait(self._workers, timeout=INTENT_GRACE_SECONDS)
        for task in list(self._workers):
            task.cancel()
        if self._workers:
            await asyncio.wait(self._workers)

    # small things

    def _lateness(self, submission: Submission) -> str | None:
        """Says why a scheduled message that was missed isn't sent without asking (DESIGN A3 ``delivery.late``)."""
        late_by = self._now() - submission.not_before
        if submission.schedule_words is None or submission.attempts > 1 or submission.state is State.DEFERRED:
            return None
        if late_by <= self._directory.configuration.delivery.late:
            return None
        hours = int(late_by / timedelta(hours=1))
        return f"Its time passed {hours} h ago while no tui-mailer ran; release it to send it now."

    def _localise(self, moment: datetime) -> datetime:
        configuration = self._directory.configuration
        if configuration.compose.date_zone == "utc":
            return moment
        return moment.astimezone(local_zone(configuration.ui.timezone))

    def _now(self) -> datetime:
        return self._store.clock.now()

    def _tell(self, submission: Submission) -> None:
        self._emit(
            SubmissionChanged(
                id=submission.id,
                state=submission.state,
                account=submission.account,
                detail=submission.error or submission.response_text or "",
            )
        )

    async def _db(self, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._work.database, functools.partial(act, *args, **kwargs))
