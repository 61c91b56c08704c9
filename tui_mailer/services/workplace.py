"""What the parts of an engine share: the outbox and its one thread, the configuration, the clock, the listener."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from tui_mailer.accounts.configuration import DeliverySettings
from tui_mailer.domain.submission import Recipient
from tui_mailer.services.account import ProviderDirectory
from tui_mailer.services.event import Event, SubmissionChanged
from tui_mailer.services.opening_hours import closed_accounts
from tui_mailer.storage.record import Submission

if TYPE_CHECKING:
    from tui_mailer.storage.store import Store

Listener = Callable[[Event], None]
"""Called in the engine's thread; must return at once (the app posts a message)."""

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """Lives as long as its engine's event loop."""

    store: Store
    database: Executor
    """One thread: a wait for SQLite's lock never stops a transfer."""
    directory: ProviderDirectory
    role: str
    emit: Listener

    @property
    def delivery(self) -> DeliverySettings:
        """The delivery settings in force."""
        return self.directory.configuration.delivery

    def now(self) -> datetime:
        """The wall clock, UTC."""
        return self.store.clock.now()

    def closed_accounts(self) -> frozenset[str]:
        """Names the accounts that may not send now by their hours."""
        return closed_accounts(self.directory.configuration, self.now(), self.directory.zone)

    def tell(self, submission: Submission) -> None:
        """Tells the listener where a submission stands now."""
        self.emit(
            SubmissionChanged(
                id=submission.id,
                state=submission.state,
                account=submission.account,
                detail=submission.error or submission.response_text or "",
            )
        )

    def tell_learnt(self, submission: Submission, learnt: Recipient) -> None:
        """Tells the listener what has become of a recipient; where the submission stands is known."""
        self.emit(
            SubmissionChanged(
                id=submission.id,
                state=submission.state,
                account=submission.account,
                detail=learnt.detail or "",
                learnt=learnt.status,
            )
        )

    def db(self, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Runs a storage call in the database thread."""
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self.database, functools.partial(act, *args, **kwargs))
