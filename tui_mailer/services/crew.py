"""The workers of one engine: who is busy, whose lease is lost, and how they are stopped without losing an answer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable

from tui_mailer.services.worker import Worker
from tui_mailer.storage.record import Claim, Transfer

INTENT_GRACE_SECONDS = 20.0
"""How much longer a stop waits for answers after the point of no return: it spares a person an uncertain outcome."""


class Crew:
    """Workers and the tasks they run in; a worker leaves when its task ends."""

    def __init__(self, ended: Callable[[Worker, BaseException | None], None]) -> None:
        self._workers: dict[asyncio.Task[None], Worker] = {}
        self._ended = ended

    def __bool__(self) -> bool:
        return bool(self._workers)

    def hire(self, worker: Worker) -> None:
        """Sets a worker to work."""
        task = asyncio.create_task(worker.run())
        self._workers[task] = worker
        task.add_done_callback(self._left)

    def count_by_account(self) -> Counter[str]:
        """Counts the submissions under way, by account."""
        return Counter(worker.account for worker in self._workers.values())

    def claims(self) -> list[Claim]:
        """What is being delivered."""
        return [worker.claim for worker in self._workers.values()]

    def transfers(self) -> dict[str, Transfer]:
        """How far each is, by its submission's id."""
        workers = self._workers.values()
        return {one.claim.submission.id: one.transfer for one in workers if one.transfer is not None}

    def finish_up(self) -> None:
        """Has each stop after the claim in hand."""
        for worker in self._workers.values():
            worker.goes_on = False

    def let_go(self, claims: Iterable[Claim], lost: set[str]) -> None:
        """Has those whose lease is lost give up what they have begun, short of the point of no return."""
        gone = {id(claim) for claim in claims if claim.submission.id in lost}
        for task, worker in list(self._workers.items()):
            if id(worker.claim) in gone and worker.can_be_stopped(worker.claim):
                task.cancel()

    async def settle(self, grace_seconds: float) -> None:
        """Waits, then cancels what hasn't passed the point of no return, then waits a little for the rest."""
        if self._workers:
            await asyncio.wait(self._workers, timeout=grace_seconds)
        for task, worker in list(self._workers.items()):
            if not worker.has_intent:
                task.cancel()
        if self._workers:
            await asyncio.wait(self._workers, timeout=INTENT_GRACE_SECONDS)
        for task, worker in list(self._workers.items()):
            if not worker.is_recording:
                task.cancel()
        if self._workers:
            await asyncio.wait(self._workers)

    def _left(self, task: asyncio.Task[None]) -> None:
        worker = self._workers.pop(task)
        self._ended(worker, None if task.cancelled() else task.exception())
