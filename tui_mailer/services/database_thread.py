"""The one thread that uses an engine's store: a wait for SQLite's lock never stops a transfer.

An executor does the same, but chains a second future to the first: an empty call took 100 us of CPU through one and 65
this way (busy machine; in the time for a whole message, some 4 ms, the difference drowns).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, ParamSpec, Self, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Job = tuple[asyncio.Future[Any], Callable[..., Any], tuple[Any, ...], dict[str, Any]]


class DatabaseThread:
    """Runs calls one after the other, in the order they were made; made and awaited in one event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="tui-mailer outbox", daemon=True)
        self._thread.start()

    def call(self, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Hands a call over; the future has what it returns or raises. Cancelled before its turn, it isn't run."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put((future, act, args, kwargs))
        return future

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the thread after the calls made so far."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, act, args, kwargs = job
            if future.cancelled():
                continue
            try:
                answer, error = act(*args, **kwargs), None
            except BaseException as raised:  # noqa: BLE001 - whatever it is, it belongs to who awaits the call
                answer, error = None, raised
            self._loop.call_soon_threadsafe(_tell, future, answer, error)
            # Nothing of a finished call is kept until the next one comes.
            del job, future, act, args, kwargs, answer, error


def _tell(future: asyncio.Future[Any], answer: object, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if error is None:
        future.set_result(answer)
    else:
        future.set_exception(error)
