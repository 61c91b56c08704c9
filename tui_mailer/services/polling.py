"""Asks providers what became of messages, backing off, until there is nothing more to learn.

The questions are kept in the outbox: they survive restarts, and of all processes one asks at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from tui_mailer.domain.errors import (
    MailerError,
    NotFound,
    StorageError,
    TryLater,
)
from tui_mailer.domain.submission import (
    Receipt,
    Recipient,
    RecipientResult,
    RecipientStatus,
    State,
    worst_status,
)
from tui_mailer.domain.text import clean
from tui_mailer.domain.timeline import StatusEvent, is_final
from tui_mailer.providers.base import PolledStatus
from tui_mailer.services.settling import settle_by_asking
from tui_mailer.services.standing import AccountStanding
from tui_mailer.services.workplace import Workplace
from tui_mailer.storage.poll import Poll
from tui_mailer.storage.record import Submission

FIRST_QUESTION = timedelta(seconds=5)
"""After a message was taken, or after the time a provider keeps it until."""
DELAYS_SECONDS = (15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, 43_200)
"""Until the next question, after the 1st, 2nd ...; the last repeats."""
ASK_FOR = timedelta(days=3)
"""From then on a status that isn't final is left as it is."""
PATIENCE = timedelta(minutes=15)
"""How long after its time a handed-over message may be one that its provider can't be asked about."""
PAUSE_SECONDS = 0.5
"""Between two questions: some APIs allow two a second."""
LOOK_SECONDS = 2.0
_QUESTION_SECONDS = 90.0
_ASKED_ABOUT = frozenset({State.HANDED_OVER, State.SENT, State.PARTIAL, State.UNCERTAIN})


class Poller:
    """Asks for one engine."""

    def __init__(self, work: Workplace, standing: AccountStanding) -> None:
        self._work = work
        self._standing = standing
        self._resting: dict[str, datetime] = {}
        """Accounts whose provider wants to be left alone until then."""

    async def run_forever(self) -> None:
        """Asks whatever is due, for as long as the engine runs."""
        while True:
            try:
                is_busy = await self.ask_next()
            except StorageError:
                is_busy = False  # told by the dispatcher, which meets it too
            await asyncio.sleep(PAUSE_SECONDS if is_busy else LOOK_SECONDS)

    async def ask_due(self, *, limit: int, within_seconds: float) -> None:
        """Asks what is due now, for a process that ends soon."""
        try:
            async with asyncio.timeout(within_seconds):
                for _ in range(limit):
                    if not await self.ask_next():
                        return
        except TimeoutError:
            return  # what was taken and not answered is asked again by whoever comes next

    async def ask_next(self) -> bool:
        """Asks about one message; False: nothing is due."""
        now = self._work.now()
        self._resting = {account: until for account, until in self._resting.items() if until > now}
        outbox = self._work.store.outbox
        poll = await self._work.db(outbox.take_poll, now, skip_accounts=self._resting)
        if poll is None:
            return False
        try:
            submission = await self._work.db(self._work.store.find, poll.submission_id)
        except NotFound:
            await self._work.db(outbox.end_poll, poll.submission_id, next_at=None)
            return True
        await self._work.db(outbox.end_poll, poll.submission_id, next_at=await self._ask(poll, submission))
        return True

    async def _ask(self, poll: Poll, submission: Submission) -> datetime | None:
        """Asks, keeps what it learns and says when to ask again."""
        if submission.state is State.UNCERTAIN:
            submission = await settle_by_asking(self._work, self._standing, submission)
        elif submission.state in _ASKED_ABOUT:
            try:
                learnt = await self._status(submission)
            except MailerError as error:
                self._rest(submission.account, error)
                learnt = None
            submission = await self._keep(submission, learnt)
        return self._next_at(poll, submission)

    async def _status(self, submission: Submission) -> Sequence[PolledStatus] | None:
        """What the provider says; None where it can't be asked."""
        account = await self._standing.account(submission.account)
        provider = await self._standing.provider(account)
        if not provider.capabilities.status_polling or submission.provider_id is None:
            return None
        try:
            async with asyncio.timeout(_QUESTION_SECONDS):
                return await provider.status(receipt_of(submission))
        except TimeoutError:
            return None

    def _rest(self, account: str, error: MailerError) -> None:
        if isinstance(error, TryLater) and error.retry_at is not None:
            self._resting[account] = error.retry_at

    async def _keep(self, submission: Submission, learnt: Sequence[PolledStatus] | None) -> Submission:
        now = self._work.now()
        is_waiting = any(one.status is RecipientStatus.PENDING for one in learnt or ())
        is_due = now >= submission.not_before
        can_tell = any(one.status is not RecipientStatus.UNKNOWN for one in learnt or ())
        is_unknown = bool(learnt) and not can_tell
        has_left = is_due and not is_waiting and (can_tell or await self._is_beyond_asking(submission, now))
        events = [
            StatusEvent(at=one.at or now, address=one.address, status=one.status, detail=clean(one.detail))
            for one in learnt or ()
        ]
        kept = await self._work.db(
            self._work.store.refine, submission.id, events, has_left=has_left, is_unknown=is_unknown
        )
        if kept.state is not submission.state:
            self._work.tell(kept)
        if kept.timeline != submission.timeline:
            self._work.tell_learnt(kept, _worst_learnt(submission, kept))
        return kept

    async def _is_beyond_asking(self, submission: Submission, now: datetime) -> bool:
        """Says whether a handed-over message counts as gone though its provider doesn't say so.

        One that was handed over to a provider without a schedule waits for a person there (a draft), not for a time.
        """
        try:
            capabilities = (
                await self._standing.provider(self._work.directory.account(submission.account))
            ).capabilities
        except MailerError:
            return False
        if capabilities.schedule_min is None:
            return False
        is_mute = not capabilities.status_polling or submission.provider_id is None
        return is_mute or now >= submission.not_before + PATIENCE

    def _next_at(self, poll: Poll, submission: Submission) -> datetime | None:
        now = self._work.now()
        if submission.state not in _ASKED_ABOUT or is_final(submission.recipients):
            return None
        if submission.state is State.HANDED_OVER and now < submission.not_before:
            return submission.not_before + FIRST_QUESTION
        if now - max(poll.since, submission.not_before) > ASK_FOR:
            return None
        delay = DELAYS_SECONDS[min(poll.asked, len(DELAYS_SECONDS)) - 1]
        return max(now + timedelta(seconds=delay), self._resting.get(submission.account, now))


def _worst_learnt(before: Submission, after: Submission) -> Recipient:
    """The recipient of whom most needs to be known that wasn't."""
    known = {one.address: one for one in before.recipients}
    learnt = [one for one in after.recipients if known.get(one.address) != one] or list(after.recipients)
    worst = worst_status(one.status for one in learnt)
    return next((one for one in learnt if one.status is worst), learnt[0])


def receipt_of(submission: Submission) -> Receipt:
    """Makes the receipt a provider is handed again when it is asked, or told to let go."""
    return Receipt(
        recipients=tuple(
            RecipientResult(address=one.address, status=one.status, text=one.detail or "")
            for one in submission.recipients
        ),
        provider_id=submission.provider_id,
        response_code=submission.response_code,
        response_text=submission.response_text or "",
        is_handed_over=submission.state is State.HANDED_OVER,
        note=submission.receipt_note,
    )
