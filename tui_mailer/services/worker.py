"""Delivers claims of one account, one after the other, and records what came of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from tui_mailer.domain.errors import (
    ConfigurationError,
    CredentialUnavailable,
    Fenced,
    StorageError,
    UnknownAccount,
)
from tui_mailer.domain.message import Content
from tui_mailer.domain.submission import Phase, RecipientResult, State
from tui_mailer.services.announced import note_announced
from tui_mailer.services.delivery import AccountTrouble, Attempt, NotYet, Terms, contents_of
from tui_mailer.services.event import BytesProgressed, PhaseReached, SubmissionChanged
from tui_mailer.services.fallback import FallBack
from tui_mailer.services.settling import settle_by_asking
from tui_mailer.services.standing import AccountStanding
from tui_mailer.services.workplace import Workplace
from tui_mailer.storage.record import NOT_CONFIGURED, Claim, Outcome, Reroute, Submission, Transfer

FRESH_SECONDS = 0.5
"""In which an account that was looked at needn't be looked at again."""


class AccountOutdated(Fenced):
    """The account was changed while its old server was talked to: nothing was sent, and the attempt begins anew."""


class Worker:
    """Holds one claim at a time and goes on to the account's next one in the transaction that records the last.

    So bulk mail costs two commits a message and keeps its connection busy.
    """

    def __init__(
        self, work: Workplace, standing: AccountStanding, fall_back: FallBack, claim: Claim, *, goes_on: bool
    ) -> None:
        self.account = claim.submission.account
        self.claim = claim
        """The claim in hand."""
        self.attempt: Attempt | None = None
        self.is_recording = False
        """Whether an outcome is known and not yet in the outbox: whatever stops now has to wait for that."""
        self.goes_on = goes_on
        """False: stop after this claim."""
        self.finished: list[Submission] = []
        """What was attempted, as it stood right after."""
        self._work = work
        self._standing = standing
        self._fall_back = fall_back
        self._looked_at = 0.0
        self._bytes_gone: tuple[int, int] | None = None
        self.rerouted: set[str] = set()
        """What is to be tried anew at once: by another account, or by this one as it is now."""

    @property
    def has_intent(self) -> bool:
        """Says whether the point of no return has been passed: stopping now would make the outcome uncertain."""
        return self.is_recording or (self.attempt is not None and self.attempt.phase in {Phase.INTENT, Phase.DONE})

    @property
    def transfer(self) -> Transfer | None:
        """How far the claim in hand is; None: its attempt hasn't begun, or has ended."""
        return Transfer(phase=self.attempt.phase, bytes_gone=self._bytes_gone) if self.attempt is not None else None

    def can_be_stopped(self, claim: Claim) -> bool:
        """Says whether this claim's attempt is under way and short of the point of no return.

        Past it the answer is still worth waiting for: it settles what recovery had to call uncertain.
        """
        return self.attempt is not None and self.attempt.claim is claim and not self.has_intent

    async def run(self) -> None:
        """Works until there is nothing more of this account, or `goes_on` is taken back."""
        following: Claim | None = self.claim
        while following is not None:
            self.claim = following
            following = await self._deliver(following)

    async def set_phase(
        self,
        claim: Claim,
        phase: Phase,
        note: Mapping[str, str] | None,
        date: datetime | None,
        answers: Sequence[RecipientResult],
    ) -> None:
        """Makes a phase durable before the step that makes it true (the `Ledger` of an attempt).

        Raises `AccountOutdated` before the point of no return if the account is another by now: connecting may have
        taken minutes, and nothing goes to a server that isn't the account's any more.
        """
        attempt = self.attempt
        if phase is Phase.INTENT and attempt is not None and attempt.phase is not Phase.INTENT:
            is_fresh = time.monotonic() - self._looked_at < FRESH_SECONDS
            if not is_fresh and await self._standing.is_outdated(attempt.terms.account):
                raise AccountOutdated("The account was changed while this was under way.")
        await self._work.db(self._work.store.outbox.set_phase, claim, phase, note, date=date, answers=answers)

    async def _deliver(self, claim: Claim) -> Claim | None:
        submission = claim.submission
        outbox = self._work.store.outbox
        refusals = self._work.directory.credentials.refusals.count(self.account)
        self._work.emit(SubmissionChanged(id=submission.id, state=State.SENDING, account=submission.account))
        try:
            outcome = await self._attempt(claim)
            # In the same step in which the attempt ends: nobody may cancel between an answer and its record.
            self.is_recording = True
        except AccountOutdated:
            await self._begin_anew(claim)
            return None
        except Fenced:
            return None
        except AccountTrouble as trouble:
            await self._meet(trouble, claim, refusals)
            return None
        except NotYet:
            await self._work.db(outbox.give_back, claim, due_at=submission.not_before)
            return None
        except asyncio.CancelledError:
            # Stopped before the point of no return: it is due again at once, for us or for another process.
            await asyncio.shield(self._work.db(outbox.give_back, claim))
            raise
        finally:
            self.attempt = None
        try:
            recorded = await self._record(claim, outcome)
        finally:
            self.is_recording = False
        if recorded is None:
            return None
        finished, following = recorded
        self.finished.append(await settle_by_asking(self._work, self._standing, finished))
        return following

    async def _meet(self, trouble: AccountTrouble, claim: Claim, refusals_before: int) -> None:
        if not trouble.is_offline and await self._standing.has_another_secret(self.account, refusals_before):
            # Stored anew by somebody who told nobody: a refusal is before any mail, so it is tried with that at once.
            await self._begin_anew(claim)
            return
        submission = claim.submission
        await self._standing.hold(submission.account, trouble)
        reroute = await self._fall_back.around(submission, str(trouble))
        self._note(submission, reroute)
        await self._work.db(self._work.store.outbox.give_back, claim, error=str(trouble), reroute=reroute)
        self._work.tell(await self._work.db(self._work.store.find, submission.id))

    async def _begin_anew(self, claim: Claim) -> None:
        """Gives it back as if it hadn't been claimed."""
        await self._work.db(self._work.store.outbox.give_back, claim)
        self.rerouted.add(claim.submission.id)

    async def _attempt(self, claim: Claim) -> Outcome:
        submission = claim.submission
        late = self._lateness(submission)
        if late is not None:
            return Outcome(fallback_state=State.HELD, error=late, text=late)
        self._looked_at = time.monotonic()
        try:
            account = await self._standing.account(submission.account)
            provider = await self._standing.provider(account)
            contents = await self._contents(submission)
        except UnknownAccount:
            raise AccountTrouble(NOT_CONFIGURED, is_offline=False) from None
        except (ConfigurationError, CredentialUnavailable) as error:
            raise AccountTrouble(str(error), is_offline=False) from None
        except StorageError as error:
            return Outcome(fallback_state=State.HELD, error=str(error), text=str(error))
        terms = Terms(
            account=account,
            is_account_changed=self._standing.mark(account) != submission.account_fingerprint,
            delivery=self._work.delivery,
            localise=self._work.directory.localise,
            now=self._work.now,
        )
        self._bytes_gone = None
        attempt = self.attempt = Attempt(claim, provider, terms, self)
        if claim.attempt > 1:
            attempt.note = await self._work.db(self._work.store.outbox.notes, submission.id)
        try:
            return await attempt.deliver(contents, self._on_phase, self._on_bytes)
        except (Fenced, AccountTrouble, NotYet, StorageError):
            raise
        except Exception as error:  # noqa: BLE001 - the worker boundary: a bug in a provider must not lose a message
            state = State.UNCERTAIN if attempt.phase is Phase.INTENT else State.HELD
            text = f"Provider '{provider.name}' failed ({type(error).__name__}): this is a bug in tui-mailer or it."
            return Outcome(fallback_state=state, error=text, text=text)
        finally:
            with suppress(StorageError):  # of no weight beside what became of the message
                await self._work.db(note_announced, self._work.store, provider)

    async def _contents(self, submission: Submission) -> dict[str, Content]:
        if not submission.message.attachments and submission.message.raw_sha256 is None:
            return {}
        return await self._work.db(contents_of, submission.message, self._work.store.spool)

    async def _record(self, claim: Claim, outcome: Outcome) -> tuple[Submission, Claim | None] | None:
        """Writes an outcome down; returns what became of the message, and the next one; None when it was taken over."""
        outbox = self._work.store.outbox
        following = None
        outcome, reroute = await self._fall_back.after(claim, outcome)
        self._note(claim.submission, reroute)
        try:
            if reroute is not None:
                finished = await self._work.db(outbox.finish, claim, outcome, reroute)
            elif self.goes_on and outcome.receipt is not None and self.account not in self._work.closed_accounts():
                finished, following = await self._work.db(
                    outbox.finish_and_claim, claim, outcome, now=self._work.now(), account=self.account
                )
            else:
                finished = await self._work.db(outbox.finish, claim, outcome)
        except Fenced:
            return None
        self._work.tell(finished)
        if outcome.pause_until is not None:
            trouble = AccountTrouble(outcome.text, is_offline=True, retry_at=outcome.pause_until)
            await self._standing.hold(self.account, trouble)
        if outcome.receipt is not None:
            await self._standing.answered(self.account)
        return finished, following

    def _note(self, submission: Submission, reroute: Reroute | None) -> None:
        if reroute is not None and reroute.due_at is None:
            self.rerouted.add(submission.id)

    def _on_phase(self, phase: Phase) -> None:
        self._work.emit(PhaseReached(id=self.claim.submission.id, phase=phase))

    def _on_bytes(self, sent: int, total: int) -> None:
        self._bytes_gone = (sent, total)
        self._work.emit(BytesProgressed(id=self.claim.submission.id, sent=sent, total=total))

    def _lateness(self, submission: Submission) -> str | None:
        """Says why a scheduled message that was missed isn't sent without asking (DESIGN A3 ``delivery.late``)."""
        late_by = self._work.now() - submission.not_before
        if submission.schedule_words is None or self.claim.attempt > 1 or late_by <= self._work.delivery.late:
            return None
        hours = int(late_by / timedelta(hours=1))
        return f"Its time passed {hours} h ago by this clock, and it wasn't sent: release it to send it now."
