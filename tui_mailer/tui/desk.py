"""What every screen works with: the mailer behind the I/O thread, the engine, the status line, the clock's zone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from tui_mailer.accounts.configuration import Configuration, Paths
from tui_mailer.domain.errors import DamagedStore, MailerError, NewerDatabase, StorageError
from tui_mailer.tui.action import Keymap
from tui_mailer.tui.io import Io
from tui_mailer.tui.status import Status
from tui_mailer.tui.typed_ahead import TypedAhead

if TYPE_CHECKING:
    from concurrent.futures import Future
    from zoneinfo import ZoneInfo

    from tui_mailer.accounts.credential import Credentials
    from tui_mailer.services.engine import Engine, Listener
    from tui_mailer.services.mailer import Mailer
    from tui_mailer.services.recall import Recall
    from tui_mailer.services.session import Session

T = TypeVar("T")

SLOW_SECONDS = 1.5
"""Before it is said what the keys wait for."""
_SLOW = "the store is busy: one moment, nothing is lost"


class Desk:
    """One per app; built before the first frame, opened (store, engine) after it."""

    def __init__(
        self,
        *,
        configuration: Configuration,
        paths: Paths,
        keymap: Keymap,
        given_credentials: Credentials | None = None,
    ) -> None:
        self.configuration = configuration
        self.paths = paths
        self.keymap = keymap
        self.given_credentials = given_credentials
        """None: this process' own, made when they are first needed."""
        self.io = Io()
        self.status = Status(keymap)
        self.typed_ahead = TypedAhead()
        self.zone: ZoneInfo | None = None
        """The person's zone; None until the store is open."""
        self.engine: Engine | None = None
        self.listener: Listener | None = None
        """Hears the engine's events, in the engine's thread."""
        self._session: Session | None = None
        """Only ever used in the I/O thread."""
        self._opening: Future[None] | None = None
        self._opening_lock = threading.Lock()

    @property
    def credentials(self) -> Credentials:
        """The secrets of all accounts."""
        with self._opening_lock:
            if self.given_credentials is None:
                from tui_mailer.accounts.credential import Credentials

                self.given_credentials = Credentials()
            return self.given_credentials

    def open(self) -> Future[None]:
        """Opens the store and starts the engine, in the I/O thread, once; what is asked meanwhile waits its turn."""
        with self._opening_lock:
            if self._opening is None or _may_pass(self._opening):
                self._opening = self.io.submit(self._open)
            return self._opening

    def may_open_later(self) -> bool:
        """Says whether the store isn't open because of what may pass by itself."""
        return self._opening is not None and _may_pass(self._opening)

    def _open(self) -> None:
        from tui_mailer.accounts.zone import local_zone
        from tui_mailer.services.session import Session
        from tui_mailer.storage.store import Store

        self.zone = local_zone(self.configuration.ui.timezone)
        self._session = Session(
            configuration=self.configuration,
            paths=self.paths,
            credentials=self.credentials,
            store=Store.open(self.paths.data_dir),
        )
        self.engine = self._session.engine("app", self.listener)
        self.engine.start()

    async def ask(self, question: Callable[[Mailer], T]) -> T:
        """Puts a question to the mailer in the I/O thread; its `MailerError`s are raised here."""
        self.open()
        return await self.io.run(self.answer, question)

    def answer(self, question: Callable[[Mailer], T]) -> T:
        """Answers at once; only in the I/O thread."""
        if self._session is None:
            failure = self._opening.exception() if self._opening is not None and self._opening.done() else None
            why = str(failure) if isinstance(failure, MailerError) else "the outbox could not be opened."
            raise StorageError(f"Nothing can be sent or kept: {why}")
        return question(self._session.mailer)

    def keys_after(self, work: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
        """Has keys wait from now on until some work is done; says so where the store is slow."""
        return self.told_if_slow(self.typed_ahead.before(work))

    async def told_if_slow(self, work: Coroutine[Any, Any, None]) -> None:
        """Does some work that waits for the store, and says so where that takes long."""
        loop = asyncio.get_running_loop()
        saying = loop.call_later(SLOW_SECONDS, lambda: self.status.say(_SLOW, seconds=3600))
        try:
            await work
        finally:
            saying.cancel()
            self.status.retract(_SLOW)

    def recall(self) -> Recall:
        """What takes back mail that a provider keeps; its methods block for as long as the provider takes."""
        from tui_mailer.services.recall import Recall

        return Recall(configuration=self.configuration, paths=self.paths, credentials=self.credentials)

    def nudge(self) -> None:
        """Makes the engine look for due mail now."""
        if self.engine is not None:
            self.engine.nudge()

    async def reconfigure(self, configuration: Configuration) -> None:
        """Uses another configuration everywhere from now on; the engine follows the file by itself."""
        self.configuration = configuration
        await self.io.run(self._tell_session)

    def _tell_session(self) -> None:
        from tui_mailer.accounts.zone import local_zone

        if self._session is not None:
            self._session.mailer.reconfigure(self.configuration)
            self.zone = local_zone(self.configuration.ui.timezone)

    def now(self) -> datetime:
        """The present, in the person's zone once that is known."""
        return datetime.now(self.zone or UTC)

    def stop_engine(self, *, grace_seconds: float) -> None:
        """Lets the message under way finish within the grace, and ends the engine; blocks: not for the event loop."""
        if self.engine is not None:
            self.engine.stop(grace_seconds=grace_seconds)
            self.engine = None

    def close(self) -> None:
        """Closes the store; blocks: not for the event loop."""
        self.io.submit(self._close_session).result()
        self.io.close()

    def _close_session(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


def _may_pass(opening: Future[None]) -> bool:
    """Whether the store failed to open by what may have passed by now: a full, read-only or missing disk, a lock."""
    failure = opening.exception() if opening.done() else None
    return isinstance(failure, StorageError | OSError) and not isinstance(failure, DamagedStore | NewerDatabase)
