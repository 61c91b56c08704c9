"""Leases: the transaction protocol between the outbox and those who deliver from it.

A claim raises the row's epoch; every later write of the claimant names that epoch and changes nothing once somebody
else has raised it. Recovery raises it too: for a lease of another boot, of an owner whose lock is free, or that ran
out.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import Any

from tui_mailer.domain.errors import DamagedStore, Fenced, NewerDatabase, StorageError
from tui_mailer.domain.submission import (
    DUE_STATUSES,
    ENDED_STATES,
    Phase,
    Recipient,
    RecipientResult,
    RecipientStatus,
    State,
)
from tui_mailer.storage.clock import to_microseconds
from tui_mailer.storage.database import Row
from tui_mailer.storage.database_error import DatabaseBusy, DiskFull
from tui_mailer.storage.outcome import (
    AT_STAKE,
    answer_of,
    apply_outcome,
    derive_outcome_state,
    has_accepted,
    has_left,
    put_at_stake,
    reopen,
)
from tui_mailer.storage.poll import Polls
from tui_mailer.storage.record import Claim, Outcome, Reroute, Submission, Transfer
from tui_mailer.storage.row import date_bindings, next_key, submission_of_row, transfer_bindings
from tui_mailer.storage.statement import statements
from tui_mailer.storage.submission_table import OutboxParts
from tui_mailer.storage.waiting import Waiting, Wanted

LEASE_SECONDS = 15.0
"""Renewed every few seconds while an attempt lasts; a stopped process is taken over within 20 s."""
RECORD_PATIENCE_SECONDS, RECORD_RETRY_SECONDS = 10.0, 0.2
"""For writing down what a server has said while the disk refuses it."""
UNHINTED_RETRY = timedelta(minutes=5)
"""Until the next attempt when neither the engine nor the provider named a time."""

_UNKNOWN_ONLY = frozenset({RecipientStatus.UNKNOWN})


class Leases(Waiting, Polls):
    """Claiming, keeping, finishing and taking over submissions."""

    def __init__(self, parts: OutboxParts) -> None:
        super().__init__(parts)
        self._lease_sql = statements("lease")

    def claim(
        self,
        owner: str,
        *,
        now: datetime,
        limit: int = 1,
        ids: Sequence[str] | None = None,
        skip_accounts: Collection[str] = frozenset(),
        closed_accounts: Collection[str] = frozenset(),
    ) -> list[Claim]:
        """Leases what is due, earliest first, of accounts that aren't held; raises `StorageError` on a full disk.

        Of closed accounts (out of hours) only what a person wants out all the same.
        """
        wanted = Wanted(limit=limit, ids=ids, skip_accounts=skip_accounts, closed_accounts=closed_accounts)
        # Looked for without the write lock first: most polls find nothing.
        if not self._due(now, wanted):
            return []
        self._parts.ballast.require_room()
        self._parts.host.require()
        self._database.require_in_place()
        # A power cut may take a claim back: that is what recovery would do with it.
        with self._database.transaction(is_durable=False):
            due = self._due(now, wanted)
            return [self._lease(one, owner, now) for one in due]

    def set_phase(
        self,
        claim: Claim,
        phase: Phase,
        note: Mapping[str, str] | None = None,
        *,
        date: datetime | None = None,
        answers: Sequence[RecipientResult] = (),
    ) -> None:
        """Commits how far an attempt got, with ids learnt on the way, and extends its lease; raises `Fenced`.

        ``date`` freezes the Date header if it isn't. Phases before `Phase.INTENT` may be lost in a power cut, after
        which they make no difference; the intent, and any note, may not. With the intent goes whom the server has
        turned away already (``answers``): an outcome that is never learnt is not about them.
        """
        with self._database.transaction(is_durable=bool(note) or phase in (Phase.INTENT, Phase.DONE)):
            changed = self._database.run(
                self._lease_sql["reach_phase"],
                {
                    "id": claim.submission.id,
                    "epoch": claim.epoch,
                    "owner": claim.owner,
                    "phase": str(phase),
                    "now": to_microseconds(self._clock.now()),
                    "lease_until": self._lease_until(LEASE_SECONDS),
                    **date_bindings(date),
                },
            )
            if not changed:
                raise _fenced(claim)
            if note:
                self._database.run(
                    self._lease_sql["note"],
                    {"id": claim.submission.id, "epoch": claim.epoch, "note": json.dumps(dict(note))},
                )
            if phase is Phase.INTENT:
                self._database.require_in_place()
                now = to_microseconds(self._clock.now())
                self._database.run(
                    self._lease_sql["intend"], {"id": claim.submission.id, "epoch": claim.epoch, "now": now}
                )
                before = claim.submission.recipients
                self._update_recipients(claim.submission.id, before, put_at_stake(before, answers, self._clock.now()))

    def renew(self, claims: Iterable[Claim], transfers: Mapping[str, Transfer] | None = None) -> set[str]:
        """Extends leases; returns the ids of those that are lost.

        ``transfers`` says by id how far each is, for other processes to tell.
        """
        known = transfers or {}
        until = self._lease_until(LEASE_SECONDS)
        with self._database.transaction(is_durable=False):
            return {
                one.submission.id
                for one in claims
                if not self._database.run(
                    self._lease_sql["renew"],
                    {
                        "id": one.submission.id,
                        "epoch": one.epoch,
                        "owner": one.owner,
                        "lease_until": until,
                        **transfer_bindings(known.get(one.submission.id)),
                    },
                )
            }

    def finish(self, claim: Claim, outcome: Outcome, reroute: Reroute | None = None) -> Submission:
        """Records how an attempt ended and derives the state, in one transaction.

        Raises `Fenced` when the lease is lost, unless the outcome shows an acceptance and all that has happened since
        is that this very attempt was taken for uncertain: then it settles that. Waits for a locked database as long as
        it takes; gives the ballast up on a full disk and raises `StorageError` only if that isn't enough. With
        ``reroute``, whom it wasn't accepted for is due again by another account, in the same transaction.
        """
        return self._finish(claim, outcome, None, reroute)[0]

    def finish_and_claim(
        self, claim: Claim, outcome: Outcome, *, now: datetime, account: str
    ) -> tuple[Submission, Claim | None]:
        """Finishes as `finish` does and, in the same transaction, leases what is due next of an account."""
        return self._finish(claim, outcome, (account, now))

    def give_back(
        self,
        claim: Claim,
        *,
        error: str | None = None,
        reroute: Reroute | None = None,
        due_at: datetime | None = None,
    ) -> None:
        """Puts a submission back as if it hadn't been claimed; with an error, the attempt is kept but not counted.

        It is due at once, or at ``due_at``; with ``reroute``, another account is to try it.

        Does nothing when the lease is lost.
        """
        with self._database.transaction(is_durable=False):
            row = self._database.row(self._sql["find_state"], {"id": claim.submission.id})
            if row is None or not _is_leased(row, claim):
                return
            if error is None:
                self._database.run(self._lease_sql["drop_attempt"], {"id": claim.submission.id, "epoch": claim.epoch})
            else:
                self._close_attempt(row, claim.epoch, Outcome(error=error, text=error), is_counted=False)
            self._return(row, error or row["error"], reroute, due_at)

    # claiming

    def _lease(self, submission_id: str, owner: str, now: datetime) -> Claim:
        row = self._row(submission_id)
        moved = self._move(
            row,
            State.SENDING,
            epoch=row["epoch"] + 1,
            owner=owner,
            lease_boot=self._clock.boot_id(),
            lease_until=self._lease_until(LEASE_SECONDS),
            claimed_from=row["state"],
            claimed_at=to_microseconds(now),
            attempts=row["attempts"] + 1,
            phase=str(Phase.CLAIMED),
        )
        self._database.run(
            self._lease_sql["insert_attempt"],
            {
                "id": submission_id,
                "epoch": moved["epoch"],
                "now": to_microseconds(now),
                "provider": row["provider"],
                "account": row["account"],
            },
        )
        recipients = self._recipients(submission_id)
        submission = submission_of_row(moved, recipients, message=self._message(submission_id))
        return Claim(submission=submission, epoch=moved["epoch"], attempt=moved["attempts"], owner=owner)

    def _lease_until(self, lease_seconds: float) -> int:
        return int((self._clock.boottime() + lease_seconds) * 1_000_000)

    # finishing

    def _finish(
        self,
        claim: Claim,
        outcome: Outcome,
        following: tuple[str, datetime] | None,
        reroute: Reroute | None = None,
    ) -> tuple[Submission, Claim | None]:
        patience_ends = monotonic() + RECORD_PATIENCE_SECONDS
        while True:
            try:
                with self._database.transaction():
                    return self._record(claim, outcome, reroute), self._claim_next(claim, following)
            except DatabaseBusy:
                continue  # what is known of a delivery isn't dropped because somebody else is slow
            except DiskFull:
                if not self._parts.ballast.drop():
                    raise
            except (DamagedStore, NewerDatabase):
                raise
            except StorageError:
                if monotonic() > patience_ends:
                    raise
                sleep(RECORD_RETRY_SECONDS)  # a quota, a limit, a disk that hangs: what passes costs no outcome

    def _record(self, claim: Claim, outcome: Outcome, reroute: Reroute | None) -> Submission:
        row = self._database.row(self._sql["find_state"], {"id": claim.submission.id})
        if row is None:
            raise _fenced(claim)
        recipients = self._recipients(claim.submission.id)
        if _is_leased(row, claim):
            is_uncertain = outcome.receipt is None and outcome.fallback_state is State.UNCERTAIN
            at_stake = AT_STAKE if is_uncertain and row["phase"] == Phase.INTENT else DUE_STATUSES
            return self._settle(row, claim, (outcome, reroute), recipients, at_stake)
        if row["uncertain_epoch"] == claim.epoch and has_accepted(outcome):
            # Recovery gave this attempt up, but it lived and has its answer: a definite one beats a guess.
            if row["state"] == State.UNCERTAIN:
                return self._settle(row, claim, (outcome, None), recipients, _UNKNOWN_ONLY)
            if row["state"] not in ENDED_STATES:
                return self._amend(row, claim, outcome, recipients)
        raise _fenced(claim)

    def _amend(self, row: Row, claim: Claim, outcome: Outcome, before: tuple[Recipient, ...]) -> Submission:
        """Records a late answer for those it is about; whom the server had put off goes on as he was."""
        now = self._clock.now()
        after = apply_outcome(before, outcome, now, answered=_UNKNOWN_ONLY)
        self._update_recipients(claim.submission.id, before, after)
        self._close_attempt(row, claim.epoch, outcome, is_counted=True)
        moved = self._move(row, State(row["state"]), sent_at=to_microseconds(now), uncertain_epoch=None)
        return submission_of_row(moved, after, message=claim.submission.message)

    def _settle(
        self,
        row: Row,
        claim: Claim,
        what: tuple[Outcome, Reroute | None],
        before: tuple[Recipient, ...],
        answered: frozenset[RecipientStatus],
    ) -> Submission:
        now = self._clock.now()
        outcome, reroute = what
        after = apply_outcome(before, outcome, now, answered=answered)
        if reroute is not None:
            after = reopen(after, reroute.reopened)
        state = derive_outcome_state(after, outcome)
        if row["state"] == State.UNCERTAIN and state is State.DEFERRED:
            state = State.QUEUED  # the table's way from uncertain to another try
        self._update_recipients(claim.submission.id, before, after)
        self._close_attempt(row, claim.epoch, outcome, is_counted=True)
        changes = self._changes(row, outcome, state, now)
        if row["uncertain_epoch"] != claim.epoch and any(one.status is RecipientStatus.UNKNOWN for one in after):
            changes["uncertain_epoch"] = row["uncertain_epoch"]  # an earlier attempt may still get its answer
        if reroute is not None:
            changes |= self._rerouted(reroute, now)
        moved = self._move(row, state, **changes)
        if outcome.poll_at is not None:
            self._plan_poll(row["id"], row["account"], outcome.poll_at)
        return submission_of_row(moved, after, message=claim.submission.message)

    def _changes(self, row: Row, outcome: Outcome, state: State, now: datetime) -> dict[str, Any]:
        receipt = outcome.receipt
        retry_at = outcome.next_attempt_at or (receipt.retry_at if receipt else None) or now + UNHINTED_RETRY
        error = outcome.error
        if error is None and state in (State.DEFERRED, State.FAILED, State.UNCERTAIN):
            error = outcome.text or (receipt.response_text if receipt else "") or None
        return {
            "phase": str(Phase.DONE) if receipt else row["phase"],
            "due_at": to_microseconds(retry_at),
            "sent_at": to_microseconds(now) if has_left(outcome) else row["sent_at"],
            "uncertain_epoch": None,
            "held_reason": outcome.error or outcome.text or None,
            "error": error,
            **answer_of(outcome),
            "provider_id": (receipt.provider_id if receipt else None) or row["provider_id"],
            **({"receipt_note": json.dumps(dict(receipt.note))} if receipt and receipt.note else {}),
            **({} if outcome.is_in_doubt else next_key(row)),
        }

    def _claim_next(self, claim: Claim, following: tuple[str, datetime] | None) -> Claim | None:
        if following is None:
            return None
        account, now = following
        due = self._due_of_account(account, now)
        return self._lease(due, claim.owner, now) if due else None

    def _close_attempt(self, row: Row, epoch: int, outcome: Outcome, *, is_counted: bool) -> None:
        receipt = outcome.receipt
        answer = answer_of(outcome)
        transcript = outcome.transcript or (receipt.transcript if receipt else ())
        self._database.run(
            self._lease_sql["close_attempt"],
            {
                "id": row["id"],
                "epoch": epoch,
                "ended_at": to_microseconds(self._clock.now()),
                "phase": str(Phase.DONE) if receipt else row["phase"],
                "code": answer["response_code"],
                "enhanced_code": answer["enhanced_code"],
                "text": answer["response_text"] or outcome.error,
                "provider_id": receipt.provider_id if receipt else None,
                "transcript": json.dumps(transcript),
                "is_counted": is_counted,
            },
        )
        if not is_counted:
            self._database.run(
                self._lease_sql["drop_same_attempts"], {"id": row["id"], "epoch": epoch, "text": outcome.text}
            )

    def _return(
        self, row: Row, error: str | None, reroute: Reroute | None = None, due_at: datetime | None = None
    ) -> Row:
        """Puts a leased row back to where it was claimed from, due at once, the attempt not counted.

        Past the intent that is a provider's definite no.
        """
        now = self._clock.now()
        changes = {
            "epoch": row["epoch"] + 1,
            "due_at": to_microseconds(due_at or now),
            "attempts": row["attempts"] - 1,
            "phase": None,
            "error": error,
            **(next_key(row) if row["phase"] == Phase.INTENT and row["key_uses"] == 1 else {}),
        }
        if reroute is not None:
            changes |= self._rerouted(reroute, now)
        return self._move(row, State(row["claimed_from"]), **changes)


def _is_leased(row: Row, claim: Claim) -> bool:
    return row["state"] == State.SENDING and row["epoch"] == claim.epoch and row["owner"] == claim.owner


def _fenced(claim: Claim) -> Fenced:
    return Fenced(f"Another process has taken {claim.submission.id} over.")
