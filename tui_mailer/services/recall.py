"""Takes back what a provider keeps for later: asks it first, and moves on here only once it has let go.

The one thing a person does to a submission that needs the network; it works on a store of its own, so that it may run
in any thread. A message is never both at the provider and here: it is sealed anew only after the provider's yes. One at
a time takes a message back, and before the provider is asked it is written down to ask it soon what became of that: a
death, or a full disk, between its yes and the end here is found out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, TypeVar

from tui_mailer.domain.errors import MailerError, OutcomeUncertain, Rejected, TooLate, Unsupported
from tui_mailer.domain.submission import State
from tui_mailer.domain.text import clean
from tui_mailer.services.account import ProviderDirectory
from tui_mailer.services.mailer import Mailer
from tui_mailer.services.polling import receipt_of
from tui_mailer.storage.lock import locked_at_once

if TYPE_CHECKING:
    from tui_mailer.accounts.configuration import Configuration, Paths
    from tui_mailer.accounts.credential import Credentials
    from tui_mailer.storage.record import StoredDraft, Submission
    from tui_mailer.storage.store import Store

T = TypeVar("T")

ASK_AFTER = timedelta(minutes=1)
"""From asking the provider to let go to asking it whether it did, for whoever doesn't come to the end."""


class Recall:
    """Cancels, reschedules and edits handed-over submissions; every method blocks for as long as the provider takes.

    Each raises `NotFound`, `TooLate` (the provider has sent it, or never gives back), and what `Provider.cancel`
    raises: then it stays handed over.
    """

    def __init__(self, *, configuration: Configuration, paths: Paths, credentials: Credentials) -> None:
        self._configuration = configuration
        self._paths = paths
        self._credentials = credentials

    def cancel(self, submission_id: str) -> Submission:
        """Takes it back for good."""

        def end(mailer: Mailer) -> Submission:
            mailer.store.outbox.recall(submission_id, "canceled by you")
            return mailer.show(submission_id)

        return self._with_store(lambda mailer: self._take_back(mailer, submission_id, end))

    def reschedule(self, submission_id: str, when: str) -> Submission:
        """Takes it back and seals it anew for another time; returns the new submission."""

        def move(mailer: Mailer) -> Submission:
            schedule = mailer.parse_when(when)
            original = mailer.show(submission_id)
            reason = f"rescheduled to {schedule.at.isoformat()}"

            def seal(mailer: Mailer) -> Submission:
                return mailer.seal_again(original, schedule, lambda: mailer.store.outbox.let_go(submission_id, reason))

            return self._take_back(mailer, submission_id, seal)

        return self._with_store(move)

    def edit(self, submission_id: str) -> StoredDraft:
        """Takes it back into a draft."""

        def move(mailer: Mailer) -> StoredDraft:
            return mailer.edit_recalled(submission_id)

        return self._with_store(lambda mailer: self._take_back(mailer, submission_id, move))

    def _take_back(self, mailer: Mailer, submission_id: str, end: Callable[[Mailer], T]) -> T:
        """Asks the provider and, once it has let go, ends it here; raises `OutcomeUncertain` if that fails then."""
        with locked_at_once(self._paths.data_dir / "locks" / f"recall-{submission_id}") as is_alone:
            submission = mailer.show(submission_id)
            if submission.state is not State.HANDED_OVER:
                raise TooLate(f"Too late: {submission.id} is {submission.state}.", state=submission.state)
            if not is_alone:
                raise TooLate(
                    f"{submission.id} is just being taken back elsewhere: look what becomes of it.",
                    state=submission.state,
                )
            asyncio.run(self._let_go(mailer, submission))
            try:
                return end(mailer)
            except (MailerError, OSError) as error:
                reason = clean(str(error)).removesuffix(" Nothing was stored.")
                raise OutcomeUncertain(
                    f"{submission.id} was taken back and won't go out at its old time, but that couldn't be kept here: "
                    f"{reason} It counts as handed over until the provider is asked about it. Mend that, then do the "
                    "same again."
                ) from error

    async def _let_go(self, mailer: Mailer, submission: Submission) -> None:
        account = mailer.directory.account(submission.account)
        provider = mailer.directory.open(account)
        try:
            if not provider.capabilities.cancel_scheduled or submission.provider_id is None:
                raise TooLate(
                    f"{submission.id} can't be taken back: account '{account.name}' keeps what it has been given, and "
                    f"sends it at {submission.not_before.astimezone(UTC):%Y-%m-%d %H:%M} UTC.",
                    state=submission.state,
                )
            mailer.store.outbox.plan_poll(
                submission.id, account.name, mailer.store.clock.now() + ASK_AFTER, is_durable=True
            )
            await provider.cancel(receipt_of(submission))
        except (Rejected, Unsupported) as error:
            raise TooLate(
                f"{submission.id} can't be taken back any more: {clean(str(error))}", state=submission.state
            ) from error
        except OutcomeUncertain as error:
            raise OutcomeUncertain(
                f"{submission.id} may or may not have been taken back: {clean(str(error))} It counts as handed over "
                "until the provider says otherwise; try again."
            ) from error
        finally:
            await provider.close()

    def _with_store(self, act: Callable[[Mailer], T]) -> T:
        from tui_mailer.storage.store import Store

        store: Store = Store.open(self._paths.data_dir)
        try:
            directory = ProviderDirectory(
                configuration=self._configuration, paths=self._paths, credentials=self._credentials
            )
            return act(Mailer(directory=directory, paths=self._paths, store=store))
        finally:
            store.close()
