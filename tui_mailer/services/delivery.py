"""One attempt: from a claim to an outcome. Owns the order of steps; knows neither threads nor polling.

The protocol (tried under kill -9, SIGSTOP and injected faults): claimed -> ... -> INTENT durable -> point of no return
-> answer -> outcome durable. Whatever breaks is judged by the phase reached, and by nothing else.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from tui_mailer.accounts.configuration import Account, DeliverySettings
from tui_mailer.domain.errors import (
    ConfigurationError,
    CredentialUnavailable,
    DeliveryError,
    Fenced,
    InvalidMessage,
    MailerError,
    NotAuthorized,
    Offline,
    OutcomeUncertain,
    Rejected,
    StorageError,
    TryLater,
)
from tui_mailer.domain.message import Content, Message
from tui_mailer.domain.submission import (
    DUE_STATUSES,
    SETTLED_STATUSES,
    Phase,
    Receipt,
    RecipientResult,
    RecipientStatus,
    State,
)
from tui_mailer.domain.text import clean
from tui_mailer.providers.base import BytesSent, Outgoing, Prepared, Progress, Provider
from tui_mailer.providers.capability import keeps_schedule, require
from tui_mailer.services.carrying import may_send_as, not_carried
from tui_mailer.services.doubt import (
    EXPIRED,
    REPEAT_AFTER,
    is_in_doubt,
    is_key_alive,
    key_of,
    may_repeat,
    said_with_repeat,
)
from tui_mailer.services.retry import Decision, RetryPolicy, Situation, decide, decide_deferral, fall_back_after
from tui_mailer.services.sealing import frozen_date
from tui_mailer.storage.record import Claim, Outcome, Submission

if TYPE_CHECKING:
    from tui_mailer.storage.spool import Spool

PHASE_ORDER = tuple(Phase)
GREYLIST_CODES = (450, 451)
EARLY = timedelta(seconds=2)
"""A message may go out so much before its time: clocks differ."""
POLL_AFTER = timedelta(seconds=5)
"""From a message's acceptance, or its time at the provider, to the first question what became of it."""
FIND_AFTER = timedelta(seconds=30)
_SECOND = "Refused when it was sent again, though an earlier attempt may have delivered it"


class AccountTrouble(Exception):
    """The account, not the message, is in the way: the claim is given back untouched and no attempt is counted."""

    def __init__(self, reason: str, *, is_offline: bool, retry_at: datetime | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_offline = is_offline
        self.retry_at = retry_at


class NotYet(Exception):
    """Its time hasn't come, and the provider can't keep it until then any more: it goes back into the outbox."""


class Ledger(Protocol):
    """Where an attempt's phases are made durable."""

    async def set_phase(
        self,
        claim: Claim,
        phase: Phase,
        note: Mapping[str, str] | None,
        date: datetime | None,
        answers: Sequence[RecipientResult],
    ) -> None:
        """Commits; raises `Fenced` when the lease is lost."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What, besides the claim, decides how it is delivered."""

    account: Account
    is_account_changed: bool
    """The settings differ from those at sealing: ask again what can be carried."""
    delivery: DeliverySettings
    localise: Callable[[datetime], datetime]
    now: Callable[[], datetime]


class Attempt:
    """One attempt under one claim."""

    def __init__(self, claim: Claim, provider: Provider, terms: Terms, ledger: Ledger) -> None:
        self.claim = claim
        self.note: Mapping[str, str] = {}
        """What earlier attempts have noted."""
        self.provider = provider
        self.terms = terms
        self.phase = Phase.CLAIMED
        self._ledger = ledger

    async def deliver(
        self,
        contents: Mapping[str, Content],
        on_phase: Callable[[Phase], None],
        bytes_sent: BytesSent,
    ) -> Outcome:
        """Tries once and says what became of it.

        Raises `AccountTrouble` and `NotYet` when the message is to go back untouched, `Fenced` when it is no longer
        ours, and `asyncio.CancelledError` (before INTENT only) when the engine is stopped.
        """
        if self._has_key_expired():
            return Outcome(fallback_state=State.UNCERTAIN, text=EXPIRED, error=EXPIRED, is_in_doubt=True)
        try:
            prepared = self.prepare(contents)
        except InvalidMessage as error:
            reason = f"{not_carried(self.terms.account.name)}{error}"
            return Outcome(fallback_state=State.HELD, error=reason, text=str(error))
        try:
            return self._judged(await self.provider.send(prepared, self._progress(on_phase), bytes_sent))
        except (DeliveryError, CredentialUnavailable, ConfigurationError) as error:
            return self._broken(error)
        except StorageError as error:
            return self._unreadable(error)
        except asyncio.CancelledError:
            if self.phase is not Phase.INTENT:
                raise
            return self._failed(OutcomeUncertain("tui-mailer was stopped while it waited for the last answer."))

    def _broken(self, error: MailerError) -> Outcome:
        """Tells the account's trouble from the message's.

        `Offline`, `NotAuthorized` and the like are a provider's word that nothing was accepted, whatever the phase (an
        HTTP provider passes INTENT before it connects); what has no such word is judged by the phase.
        """
        if isinstance(error, Fenced):
            raise error
        if isinstance(error, Offline):
            raise AccountTrouble(clean(str(error)), is_offline=True) from None
        if isinstance(error, DeliveryError) and not isinstance(error, NotAuthorized):
            return self._failed(error)
        raise AccountTrouble(clean(str(error)), is_offline=False) from None

    def prepare(self, contents: Mapping[str, Content]) -> Prepared:
        """Works out what goes on the wire, for the recipients that still need it."""
        submission, capabilities = self.claim.submission, self.provider.capabilities
        is_scheduled = submission.hands_over and keeps_schedule(
            capabilities, submission.not_before, self.terms.now(), is_template=bool(submission.message.template)
        )
        # Only a time that a person chose is waited for: the others are the clock's, which may have been set back since.
        has_chosen = submission.schedule_words is not None and not is_scheduled
        if has_chosen and submission.not_before - self.terms.now() > EARLY:
            raise NotYet
        if self.terms.is_account_changed:
            require(submission.message, capabilities, account=self.terms.account.name, size=submission.size)
            if not may_send_as(self.terms.account, submission.message):
                address = submission.message.sender.addr_spec
                raise InvalidMessage(f"It may no longer send as {address}.", field="from")
        return self.provider.prepare(
            outgoing_of(
                submission,
                date=self.terms.localise(self._date()),
                contents=contents,
                attempt=self.claim.attempt,
                is_scheduled=is_scheduled,
                note=self.note,
            )
        )

    def _date(self) -> datetime:
        submission = self.claim.submission
        return submission.date or frozen_date(submission.created_at, submission.not_before)

    def _progress(self, on_phase: Callable[[Phase], None]) -> Progress:
        async def progress(
            phase: Phase, note: Mapping[str, str] | None = None, *, answers: Sequence[RecipientResult] = ()
        ) -> None:
            """Commits what recovery must know: INTENT and notes. Phases before INTENT are recovered like CLAIMED."""
            if phase is Phase.INTENT and self._has_key_expired():
                # It was alive when the attempt began: a computer that slept since is a day later without knowing.
                raise OutcomeUncertain(EXPIRED)
            if self._is_in_doubt():  # a refusal of the second copy says nothing of the first: see `_judged`
                answers = [one for one in answers if one.status is not RecipientStatus.REJECTED]
            if phase is Phase.INTENT or note:
                await self._keep(phase, note, answers)
            if PHASE_ORDER.index(phase) > PHASE_ORDER.index(self.phase):
                self.phase = phase
            on_phase(phase)

        return progress

    async def _keep(self, phase: Phase, note: Mapping[str, str] | None, answers: Sequence[RecipientResult]) -> None:
        try:
            await self._ledger.set_phase(self.claim, phase, note, self._date(), answers)
        except StorageError as error:
            # A locked outbox or a full disk is no fault of the message.
            raise error if self.phase is Phase.INTENT else TryLater(clean(str(error))) from None

    def _situation(self) -> Situation:
        submission = self.claim.submission
        return Situation(
            attempt=self.claim.attempt,
            now=self.terms.now(),
            due_since=max(submission.created_at, submission.not_before),
            jitter=random.uniform(-1, 1),  # noqa: S311 - spreads retries, guards nothing
        )

    def _policy(self) -> RetryPolicy:
        retries = self.claim.submission.retries
        most = self.terms.delivery.max_attempts if retries is None else retries + 1
        return RetryPolicy(max_age=self.terms.delivery.max_age, max_attempts=most)

    def _failed(self, error: DeliveryError) -> Outcome:
        decision = self._decide(error)
        text = clean(str(error))
        was_in_doubt = is_in_doubt(self.claim.submission) and not isinstance(error, Rejected)
        is_unknown = self._is_unknown(error)
        if isinstance(error, TryLater) and error.is_account_wide and decision.state is State.DEFERRED:
            raise AccountTrouble(text, is_offline=True, retry_at=error.retry_at or decision.next_attempt_at)
        said = f"Given up after {self.claim.attempt} attempts: {text}" if decision.is_given_up else text
        if (was_in_doubt or is_unknown) and decision.state is State.DEFERRED:
            again_at = decision.next_attempt_at
            said = said_with_repeat(said, self.claim.submission, self.provider.capabilities, again_at)
        return Outcome(
            fallback_state=decision.state,
            code=error.code,
            enhanced_code=error.enhanced_code,
            text=text,
            error=said,
            next_attempt_at=decision.next_attempt_at,
            transcript=error.transcript,
            fall_back=None if was_in_doubt or is_unknown else fall_back_after(error, decision),
            is_in_doubt=was_in_doubt or is_unknown,
            poll_at=self._find_at() if decision.state is State.UNCERTAIN else None,
            pause_until=decision.next_attempt_at if isinstance(error, TryLater) and error.code == 429 else None,
        )

    def _decide(self, error: DeliveryError) -> Decision:
        """Decides as `retry.decide` does, but repeats what was never answered where a key makes that harmless."""
        decision = decide(error, self.phase, self._situation(), self._policy())
        submission, now = self.claim.submission, self.terms.now()
        uses = submission.key_uses + (self.phase is Phase.INTENT)
        if decision.state is State.UNCERTAIN:
            if may_repeat(submission, self.provider.capabilities, now, uses=uses):
                return Decision(state=State.DEFERRED, next_attempt_at=now + REPEAT_AFTER)
            if self.terms.delivery.uncertain == "resend":
                return decide_deferral(self._situation(), self._policy())
        if decision.state is State.FAILED and is_in_doubt(submission) and (decision.is_given_up or self._is_in_doubt()):
            return replace(decision, state=State.UNCERTAIN)
        return decision

    def _is_in_doubt(self) -> bool:
        """Says whether an earlier attempt may have delivered it, and this one's answer says nothing about that."""
        submission = self.claim.submission
        return is_in_doubt(submission) and not is_key_alive(submission, self.provider.capabilities, self.terms.now())

    def _is_unknown(self, error: DeliveryError) -> bool:
        """Says whether this very request may have been taken."""
        return isinstance(error, OutcomeUncertain) or (
            self.phase is Phase.INTENT and not isinstance(error, TryLater | Rejected)
        )

    def _has_key_expired(self) -> bool:
        """Says whether an unanswered request can no longer be repeated by its key; a person has said no word yet.

        Settings that have changed may lead to where the key was never heard of.
        """
        submission, capabilities = self.claim.submission, self.provider.capabilities
        is_elsewhere = self.terms.is_account_changed and submission.home_account is None
        return (
            is_in_doubt(submission)
            and capabilities.idempotency == "key"
            and self.terms.delivery.uncertain != "resend"
            and (is_elsewhere or not is_key_alive(submission, capabilities, self.terms.now()))
        )

    def _find_at(self) -> datetime | None:
        return self.terms.now() + FIND_AFTER if self.provider.capabilities.idempotency == "findable" else None

    def _poll_at(self, receipt: Receipt) -> datetime | None:
        """When to ask the provider what became of it."""
        if not any(one.status in SETTLED_STATUSES for one in receipt.recipients):
            return None
        if receipt.is_handed_over:
            return self.claim.submission.not_before + POLL_AFTER
        can_ask = self.provider.capabilities.status_polling and receipt.provider_id is not None
        return self.terms.now() + POLL_AFTER if can_ask else None

    def _unreadable(self, error: StorageError) -> Outcome:
        """A sealed file is missing or altered: a person must look; nothing (or no end) was sent."""
        state, text = State.UNCERTAIN if self.phase is Phase.INTENT else State.HELD, str(error)
        return Outcome(fallback_state=state, text=text, error=text)

    def _judged(self, receipt: Receipt) -> Outcome:
        """Turns an answer into an outcome; a refusal of the second copy says nothing of the first."""
        outcome = self._answered(receipt)
        if outcome.receipt is None or not self._is_in_doubt():
            return outcome
        recipients = tuple(
            replace(one, status=RecipientStatus.UNKNOWN, text=f"{_SECOND}: {one.text}")
            if one.status is RecipientStatus.REJECTED
            else one
            for one in outcome.receipt.recipients
        )
        is_refused = recipients != outcome.receipt.recipients
        return replace(
            outcome,
            receipt=replace(outcome.receipt, recipients=recipients),
            error=f"{_SECOND}: {outcome.error}" if is_refused else outcome.error,
            fall_back=None,
            is_in_doubt=any(one.status not in SETTLED_STATUSES for one in recipients),
        )

    def _answered(self, receipt: Receipt) -> Outcome:
        outcome = Outcome(
            receipt=receipt,
            code=receipt.response_code,
            enhanced_code=receipt.enhanced_code,
            text=clean(receipt.response_text),
            transcript=receipt.transcript,
            poll_at=self._poll_at(receipt),
        )
        deferred = [one for one in receipt.recipients if one.status in DUE_STATUSES]
        refused = [one for one in receipt.recipients if one.status is RecipientStatus.REJECTED]
        if not deferred:
            fall_back = "for_good" if refused else None
            return replace(outcome, error=clean(refused[0].text) if refused else None, fall_back=fall_back)
        is_greylisted = all(
            one.code in GREYLIST_CODES and (one.enhanced_code or "").startswith("4.7.") for one in deferred
        )
        decision = decide_deferral(
            self._situation(), self._policy(), hint=receipt.retry_at, is_greylisted=is_greylisted
        )
        error = clean(deferred[0].text)
        if decision.is_given_up:
            refused_now = tuple(
                replace(one, status=RecipientStatus.REJECTED) if one in deferred else one for one in receipt.recipients
            )
            return replace(
                outcome,
                receipt=replace(receipt, recipients=refused_now),
                error=f"Given up after {self.claim.attempt} attempts: {error}",
                fall_back="for_good",
            )
        return replace(outcome, error=error, next_attempt_at=decision.next_attempt_at, fall_back="for_now")


def outgoing_of(
    submission: Submission,
    *,
    date: datetime,
    contents: Mapping[str, Content],
    attempt: int,
    is_scheduled: bool = False,
    note: Mapping[str, str] | None = None,
) -> Outgoing:
    """Makes what a provider is handed: only the recipients that still need it."""
    return Outgoing(
        submission_id=submission.id,
        message=submission.message,
        recipients=tuple(one for one in submission.recipients if one.status in DUE_STATUSES),
        date=date,
        contents=contents,
        envelope_from=submission.envelope_from,
        attempt=attempt,
        not_before=submission.not_before if is_scheduled else None,
        idempotency_key=key_of(submission),
        note=note or {},
    )


def contents_of(message: Message, spool: Spool) -> dict[str, Content]:
    """Looks up the sealed bytes a message refers to; raises `DamagedStore` when they are gone."""
    return {one: spool.content(one) for one in (message.raw_sha256, *(a.sha256 for a in message.attachments)) if one}
