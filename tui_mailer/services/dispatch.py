"""Claims what is due and hands it to workers, account by account; renews leases, takes over what others left."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from tui_mailer.domain.errors import StorageError
from tui_mailer.domain.submission import State
from tui_mailer.services.crew import Crew
from tui_mailer.services.event import EngineStarted, EngineTroubled, StoreChanged
from tui_mailer.services.fallback import FallBack
from tui_mailer.services.polling import Poller
from tui_mailer.services.release import release_what_can_go
from tui_mailer.services.room import Room
from tui_mailer.services.series import keep_up
from tui_mailer.services.settling import settle_by_asking
from tui_mailer.services.standing import AccountStanding
from tui_mailer.services.tidying import archive_all, back_up, tidy_forever
from tui_mailer.services.turn import Turn
from tui_mailer.services.worker import Worker
from tui_mailer.services.workplace import Workplace
from tui_mailer.storage.database_error import DiskFull
from tui_mailer.storage.record import Submission
from tui_mailer.storage.row import displayed_owner

POLL_SECONDS = 1.0
"""How often the outbox is looked at without a nudge: for other processes' commits, recovery and what has become due."""
RENEW_SECONDS = 5.0
"""How often leases are renewed; they last three times as long (`storage.lease.LEASE_SECONDS`)."""
MOST_ASKED = 100
ASKING_SECONDS = 20.0
"""What a flush asks at most of what became of earlier messages, and for how long."""
WAIT_POLL_SECONDS = 0.1
"""How often `deliver_only` looks whether another process has finished with a submission."""


class Dispatcher:
    """Claims, hands out, watches; lives in one event loop."""

    def __init__(self, work: Workplace) -> None:
        self._work = work
        self._outbox = work.store.outbox
        self._standing = AccountStanding(work)
        self._fall_back = FallBack(work, self._standing)
        self._poller = Poller(work, self._standing)
        self._room = Room(work)
        self._owner = ""
        self._crew = Crew(self._worker_ended)
        self._attempted: dict[str, Submission | None] = {}
        """What was attempted here, in this order, as it stood right after; None while it is under way."""
        self._only: list[str] | None = None
        self._wake = asyncio.Event()
        self._is_stopping = False
        self.progressed_at = time.monotonic()
        """When the loop last came round with the outbox looked at: what a watchdog wants to know."""

    async def open(self, *, waits_for_room: bool = False) -> None:
        """Registers with the outbox; raises `DiskFull`, or waits until there is room."""
        while not self._owner:
            try:
                self._owner = await self._work.db(self._work.store.become_deliverer, self._work.role)
            except DiskFull as error:
                if not waits_for_room or self._is_stopping:
                    raise
                self._work.emit(EngineTroubled(text=str(error)))
                await self._sleep(POLL_SECONDS)
        self._turn = Turn(self._work, self._owner, self._standing.unknown)
        await self._standing.look()
        await release_what_can_go(self._work)

    async def close(self, grace_seconds: float) -> None:
        """Lets workers finish within the grace, gives the rest back, closes connections."""
        self.stop()
        await self._crew.settle(grace_seconds)
        await self._standing.close()
        await self._work.db(self._work.store.archive_ended)
        await back_up(self._work)
        await self._work.db(self._work.store.resign)

    def wake(self) -> None:
        """Looks for due mail now."""
        self._wake.set()

    def stop(self) -> None:
        """Makes `run` return; nothing more is claimed."""
        self._is_stopping = True
        self._crew.finish_up()
        self._wake.set()

    async def reread(self) -> None:
        """Reads the configuration file again, changed or not, and goes by it from the next claim on."""
        await self._standing.look_at_configuration(is_asked=True)
        self._wake.set()

    async def run(self) -> None:
        """Goes on until `stop`."""
        self._work.emit(EngineStarted(owner=displayed_owner(self._owner)))
        companions = [
            asyncio.create_task(self._renew_forever()),
            asyncio.create_task(tidy_forever(self._work)),
            asyncio.create_task(self._poller.run_forever()),
            asyncio.create_task(self._standing.follow_configuration_forever()),
        ]
        is_asked = True
        try:
            while not self._is_stopping:
                is_asked = await self._sleep(await self._round(is_asked=is_asked))
        finally:
            for companion in companions:
                companion.cancel()

    async def flush(self, timeout_seconds: float | None) -> list[Submission]:
        """Delivers all that is due; returns what was attempted."""
        await self._standing.probe_again()
        await self._until(self._are_tried, timeout_seconds)
        await self._poller.ask_due(limit=MOST_ASKED, within_seconds=ASKING_SECONDS)
        await archive_all(self._work)
        return [known or await self._work.db(self._work.store.find, one) for one, known in self._attempted.items()]

    async def deliver_only(self, submission_ids: list[str], timeout_seconds: float) -> list[Submission]:
        """Gives each of these one attempt, by us or by whoever holds it."""
        self._only, self._is_stopping = submission_ids, False
        for one in submission_ids:
            self._attempted.pop(one, None)
        submissions = [await self._work.db(self._work.store.find, one) for one in submission_ids]
        await self._standing.probe_again(one.account for one in submissions)
        await self._until(self._are_tried, timeout_seconds)
        await archive_all(self._work)
        return [await self._work.db(self._work.store.find, one) for one in submission_ids]

    async def _until(self, is_done: Callable[[], Awaitable[bool]], timeout_seconds: float | None) -> None:
        renewer = asyncio.create_task(self._renew_forever())
        try:
            async with asyncio.timeout(timeout_seconds):
                while True:
                    await self._look()
                    if await is_done():
                        return
                    await self._sleep(WAIT_POLL_SECONDS)
        except TimeoutError:
            # What is left stays in the outbox, or ends as uncertain; the caller sees where it stands.
            self.stop()
            await self._crew.settle(0)
        finally:
            renewer.cancel()

    async def _look(self) -> None:
        """Takes over what was left behind, claims what is due, puts away what has ended."""
        for left in await self._work.db(
            self._outbox.recover, policy=self._work.delivery.uncertain, now=self._work.now()
        ):
            self._work.tell(left)
            settled = await settle_by_asking(self._work, self._standing, left)
            if settled.state is State.UNCERTAIN:
                self._attempted[settled.id] = settled  # an outcome that `flush` must not hide
        if self._only is None:
            await self._work.db(keep_up, self._work.store, self._work.now(), self._work.delivery.late)
        await self._fall_back.pass_on()
        await self._claim_all()
        if not self._crew:
            await self._work.db(self._work.store.archive_ended)
        await self._tell_news()

    async def _tell_news(self) -> None:
        if await self._work.db(self._outbox.has_changed):
            if await self._standing.look():
                self._wake.set()
            self._work.emit(StoreChanged())

    async def _claim_all(self) -> None:
        while self._room.is_enough and not self._is_stopping:
            # With `deliver_only`, each gets one attempt here, even where its retry comes due meanwhile.
            ids = None if self._only is None else [one for one in self._only if one not in self._attempted]
            claims = await self._work.db(
                self._outbox.claim,
                self._owner,
                now=self._work.now(),
                limit=1,
                ids=ids,
                skip_accounts=self._busy_accounts() | self._turn.unserved(),
                closed_accounts=self._work.closed_accounts(),
            )
            if not claims:
                return
            for claim in claims:
                worker = Worker(self._work, self._standing, self._fall_back, claim, goes_on=self._only is None)
                self._attempted[claim.submission.id] = None
                self._crew.hire(worker)

    def _busy_accounts(self) -> frozenset[str]:
        busy = self._crew.count_by_account()
        return frozenset(account for account, count in busy.items() if count >= self._standing.limit(account))

    def _worker_ended(self, worker: Worker, error: BaseException | None) -> None:
        self._attempted.update((one.id, one) for one in worker.finished)
        for rerouted in worker.rerouted:
            # Not done with: another account tries it, perhaps here.
            self._attempted.pop(rerouted, None)
        self._wake.set()
        if error is not None:
            self._work.emit(EngineTroubled(text=f"Delivery stopped for a moment: {error}"))

    async def _are_tried(self) -> bool:
        """Nothing is under way and, with `deliver_only`, each has had its attempt somewhere."""
        if self._crew:
            return False
        holds = await self._work.db(self._outbox.account_holds)
        now = self._work.now()
        for one in self._only or ():
            submission = await self._work.db(self._work.store.find, one)
            is_due = (
                submission.state in (State.QUEUED, State.DEFERRED)
                and submission.account not in holds
                and (submission.is_any_time or submission.account not in self._work.closed_accounts())
                and one not in self._attempted
                and (submission.next_attempt_at or submission.not_before) <= now
            )
            if is_due or submission.state is State.SENDING:
                return False
        return True

    async def _round(self, *, is_asked: bool) -> float:
        """Looks once; returns how long the next look can wait.

        Unless asked to, or in the middle of sending, only the one whose turn it is looks for due mail.
        """
        try:
            await self._room.look()
            if not (await self._turn.is_ours() or is_asked or self._crew):
                await self._tell_news()
                self.progressed_at = time.monotonic()
                return POLL_SECONDS
            await self._look()
            self.progressed_at = time.monotonic()
            skipped = self._turn.unserved() | self._work.closed_accounts()
            due = await self._work.db(self._outbox.next_due, self._work.now(), skip_accounts=skipped)
        except StorageError as error:
            self._work.emit(EngineTroubled(text=str(error)))
            return POLL_SECONDS
        if due is None or not self._room.is_enough:
            return POLL_SECONDS
        return min(POLL_SECONDS, max(0.01, (due - self._work.now()).total_seconds()))

    async def _sleep(self, seconds: float) -> bool:
        """Waits; says whether it was woken."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return False
        self._wake.clear()
        return True

    async def _renew(self) -> None:
        """Extends the leases; a worker that has lost its own (this process was stopped) gives up what it has begun."""
        held = self._crew.claims()
        self._crew.let_go(held, await self._work.db(self._outbox.renew, held, self._crew.transfers()))

    async def _renew_forever(self) -> None:
        while True:
            try:
                await self._work.db(self._outbox.seen, self._owner, self._work.now())
                if self._crew:
                    await self._renew()
            except StorageError as error:
                self._work.emit(EngineTroubled(text=str(error)))
            await asyncio.sleep(RENEW_SECONDS)
