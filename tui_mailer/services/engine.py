"""The engine: a thread with its own event loop that claims what is due, delivers it, records and watches.

It runs apart from the app's loop because a terminal that stops reading stops that one; it reports to a listener and
waits for nobody. The outbox is used from one database thread of its own, so that a wait for SQLite's lock never stops a
transfer. Any number of engines, in any number of processes, share one outbox: leases and epochs keep them apart.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
import time
from collections.abc import Callable, Coroutine, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol, TypeVar

from tui_mailer.domain.errors import MailerError
from tui_mailer.services.account import ProviderDirectory
from tui_mailer.services.dispatch import Dispatcher
from tui_mailer.services.event import EngineFailed
from tui_mailer.services.workplace import Listener, Workplace

if TYPE_CHECKING:
    from tui_mailer.accounts.configuration import Configuration, Paths
    from tui_mailer.accounts.credential import Credentials
    from tui_mailer.storage.record import Submission
    from tui_mailer.storage.store import Store

__all__ = ["Deliver", "Engine", "Listener"]

T = TypeVar("T")


class Deliver(Protocol):
    """Gives submissions one attempt each."""

    def __call__(self, submission_ids: Sequence[str], *, timeout_seconds: float) -> list[Submission]:
        """Blocks until each has had it (by us or whoever holds it), or the time is up; returns where they stand."""
        ...


class Engine:
    """Delivers until it is stopped.

    Either ``start`` it (a thread that goes on until ``stop``), or call ``deliver`` or ``flush``, which block.
    """

    def __init__(
        self,
        *,
        configuration: Configuration,
        paths: Paths,
        credentials: Credentials,
        role: str,
        listener: Listener | None = None,
        open_store: Callable[[], Store] | None = None,
    ) -> None:
        self._configuration = configuration
        self._paths = paths
        self._credentials = credentials
        self._role = role
        self._listener = listener or _ignore
        self._open_store = open_store
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._dispatcher: Dispatcher | None = None
        self._is_ready = threading.Event()
        self._grace_seconds = 5.0

    def start(self) -> None:
        """Starts the thread; returns at once."""
        self._thread = threading.Thread(target=self._run_thread, name="tui-mailer engine", daemon=True)
        self._thread.start()

    def nudge(self) -> None:
        """Looks for due mail now rather than at the next poll; safe from any thread."""
        self._call_soon(lambda dispatcher: dispatcher.wake())

    def seconds_without_progress(self) -> float:
        """How long ago the engine's loop last came round; inf before it has started or once it has ended."""
        dispatcher = self._dispatcher
        if dispatcher is None or self._loop is None:
            return math.inf
        return time.monotonic() - dispatcher.progressed_at

    def reread(self) -> Future[None]:
        """Reads the configuration file again, changed or not; safe from any thread.

        The listener has heard what came of it once the future is done. A file that changes is noticed anyway.
        """
        done: Future[None] = Future()
        loop, dispatcher = self._loop, self._dispatcher
        if loop is not None and dispatcher is not None:
            reading = dispatcher.reread()
            try:
                return asyncio.run_coroutine_threadsafe(reading, loop)
            except RuntimeError:
                reading.close()  # the loop ended between the look and the call
        done.set_result(None)
        return done

    def deliver(self, submission_ids: Sequence[str], *, timeout_seconds: float) -> list[Submission]:
        """Blocks until each of these has had one attempt (by us or whoever holds it), or the time is up."""
        return asyncio.run(self._with_dispatcher(lambda one: one.deliver_only(list(submission_ids), timeout_seconds)))

    @contextlib.contextmanager
    def on_call(self) -> Generator[Deliver]:
        """Stays ready between deliveries, connections open; yields a call that blocks as ``deliver`` does.

        For bulk mail that a person wants to see answered message by message.
        """
        ready: Future[tuple[asyncio.AbstractEventLoop, Dispatcher, asyncio.Event]] = Future()

        async def stand_by(dispatcher: Dispatcher) -> None:
            is_over = asyncio.Event()
            ready.set_result((asyncio.get_running_loop(), dispatcher, is_over))
            await is_over.wait()

        def run() -> None:
            try:
                asyncio.run(self._with_dispatcher(stand_by))
            except BaseException as error:
                if ready.done():
                    raise
                ready.set_exception(error)

        thread = threading.Thread(target=run, name="tui-mailer engine", daemon=True)
        thread.start()
        loop, dispatcher, is_over = ready.result()

        def deliver(submission_ids: Sequence[str], *, timeout_seconds: float) -> list[Submission]:
            work = dispatcher.deliver_only(list(submission_ids), timeout_seconds)
            return asyncio.run_coroutine_threadsafe(work, loop).result()

        try:
            yield deliver
        finally:
            loop.call_soon_threadsafe(is_over.set)
            thread.join()

    def flush(self, *, timeout_seconds: float | None = None) -> list[Submission]:
        """Blocks until nothing is due; returns what was attempted, as it then stands."""
        return asyncio.run(self._with_dispatcher(lambda one: one.flush(timeout_seconds)))

    def stop(self, *, grace_seconds: float = 5.0) -> None:
        """Finishes the submission in flight within the grace, leases the rest back, ends the thread.

        What has passed the point of no return is waited for a little longer (`crew.INTENT_GRACE_SECONDS`): a few
        seconds there spare a person an uncertain outcome.
        """
        if self._thread is None:
            return
        self._grace_seconds = grace_seconds
        self._is_ready.wait(10)
        self._call_soon(lambda dispatcher: dispatcher.stop())
        self._thread.join()
        self._thread = None

    def _run_thread(self) -> None:
        try:
            asyncio.run(self._with_dispatcher(lambda one: one.run(), is_service=True))
        except MailerError as error:
            self._listener(EngineFailed(text=str(error)))
        except Exception as error:  # noqa: BLE001 - the thread's boundary: a person is told, the outbox keeps the mail
            self._listener(EngineFailed(text=f"Delivery stopped by a bug ({type(error).__name__}); the mail is kept."))
        finally:
            self._is_ready.set()

    async def _with_dispatcher(
        self, work: Callable[[Dispatcher], Coroutine[None, None, T]], *, is_service: bool = False
    ) -> T:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, thread_name_prefix="tui-mailer outbox") as database:
            store = await loop.run_in_executor(database, self._open)
            workplace = Workplace(
                store=store,
                database=database,
                directory=ProviderDirectory(
                    configuration=self._configuration, paths=self._paths, credentials=self._credentials
                ),
                role=self._role,
                emit=self._listener,
            )
            dispatcher = Dispatcher(workplace)
            self._loop, self._dispatcher = loop, dispatcher
            try:
                await dispatcher.open(waits_for_room=is_service)
                self._is_ready.set()
                return await work(dispatcher)
            finally:
                self._is_ready.set()
                self._loop = None
                await dispatcher.close(self._grace_seconds if is_service else 0.0)
                await loop.run_in_executor(database, store.close)

    def _open(self) -> Store:
        if self._open_store is not None:
            return self._open_store()
        from tui_mailer.storage.store import Store

        return Store.open(self._paths.data_dir)

    def _call_soon(self, act: Callable[[Dispatcher], None]) -> None:
        loop, dispatcher = self._loop, self._dispatcher
        if loop is None or dispatcher is None:
            return
        try:
            loop.call_soon_threadsafe(act, dispatcher)
        except RuntimeError:
            return  # the loop ended between the look and the call: nothing is left to tell


def _ignore(_event: object) -> None:
    """Stands in where nobody listens."""
