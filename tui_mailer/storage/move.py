"""What a person does to a submission: hold, release, retry, cancel, reschedule, settle, take back to a draft."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Literal

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import InvalidMessage, TooLate
from tui_mailer.domain.submission import (
    BY_HAND,
    DUE_STATUSES,
    SETTLED_STATUSES,
    Receipt,
    Recipient,
    RecipientStatus,
    State,
    derive_state,
)
from tui_mailer.storage.clock import to_microseconds
from tui_mailer.storage.database import Row
from tui_mailer.storage.outcome import apply_outcome, derive_outcome_state, restate
from tui_mailer.storage.record import Outcome, StoredDraft, Submission
from tui_mailer.storage.row import submission_of_row
from tui_mailer.storage.statement import statements
from tui_mailer.storage.submission_table import SubmissionTable

_WAITING = frozenset({State.HELD, State.QUEUED, State.DEFERRED})
_NOBODY_HAD_IT = frozenset({State.CANCELED, State.FAILED})
_UNKNOWN = frozenset({RecipientStatus.UNKNOWN})

_IN_DOUBT = "It may have been taken: no answer came, and it was canceled before it could be repeated with its key."

_MAY_HAVE_GONE = "it may have been taken already, no answer came; it is only repeated, in a way that can't double it"

WHY_TOO_LATE = {
    State.SENDING: "it is being sent right now",
    State.UNCERTAIN: "it may have been delivered; say what became of it (resolve)",
    State.HANDED_OVER: "the provider has it",
}
"""What keeps a submission from being held, canceled or moved."""


class Moves(SubmissionTable):
    """Each move is one transaction; it returns the submission as it then stands.

    Raises `NotFound`, and `TooLate` naming the state that doesn't allow the move.
    """

    def hold(self, submission_id: str, reason: str) -> Submission:
        """Keeps it until it is released."""
        with self._database.transaction():
            row = self._allowed(submission_id, frozenset({State.QUEUED, State.DEFERRED}), "held")
            return self._moved(self._move(row, State.HELD, held_reason=reason))

    def release(self, submission_id: str) -> Submission:
        """Queues what was held, for the time a person chose if that is still ahead."""
        with self._database.transaction():
            row = self._allowed(submission_id, frozenset({State.HELD}), "released")
            now = to_microseconds(self._clock.now())
            is_due = row["hands_over"] or row["schedule_words"] is None
            due_at = now if is_due else max(now, row["not_before"])
            return self._moved(self._move(row, State.QUEUED, due_at=due_at, error=None))

    def retry(self, submission_id: str, now: datetime) -> Submission:
        """Makes it due now, whatever its account's hours; one that was scheduled for later isn't any more."""
        with self._database.transaction():
            row = self._allowed(submission_id, frozenset({State.QUEUED, State.DEFERRED}), "retried")
            changes = {"due_at": to_microseconds(now), "any_time": 1}
            if row["not_before"] > changes["due_at"]:
                return self._moved(
                    self._move(
                        row,
                        State(row["state"]),
                        not_before=changes["due_at"],
                        schedule_words=None,
                        schedule_zone=None,
                        hands_over=0,
                        **changes,
                    )
                )
            return self._moved(self._move(row, State(row["state"]), **changes))

    def cancel(self, submission_id: str, reason: str) -> Submission:
        """Ends it for every recipient that hasn't accepted; if some have, it becomes partial.

        What may have been taken though no answer came becomes uncertain.
        """
        with self._database.transaction():
            return self._cancel(self._allowed(submission_id, _WAITING, "canceled"), reason)

    def recall(self, submission_id: str, reason: str) -> None:
        """Ends what was handed over, now that the provider has let go of it."""
        with self._database.transaction():
            self.let_go(submission_id, reason)

    def recall_to_draft(self, submission_id: str, make: Callable[[Submission], Draft]) -> StoredDraft:
        """As `recall`, and keeps the draft that ``make`` makes of it."""
        with self._database.transaction():
            self.let_go(submission_id, "taken back to a draft")
            ended = self.get(submission_id) if self.has(submission_id) else self._parts.find_ended(submission_id)
            return self._parts.drafts.insert(make(ended))

    def let_go(self, submission_id: str, reason: str) -> None:
        """As `recall`, within the transaction that is open.

        Until it commits the provider is still asked what became of it: a death in between is found out. An answer to
        that may have ended it already.
        """
        self._database.run(statements("poll")["end"], {"id": submission_id})
        if self.has(submission_id) and State(self._row(submission_id)["state"]) not in _NOBODY_HAD_IT:
            self._cancel(self._allowed(submission_id, frozenset({State.HANDED_OVER}), "canceled"), reason)

    def reschedule(
        self,
        submission_id: str,
        not_before: datetime,
        words: str | None,
        zone: str | None,
        *,
        hands_over: bool = False,
    ) -> Submission:
        """Gives it another time; a held one stays held. With ``hands_over`` the provider keeps it until then.

        Not what may have been taken though no answer came: it may have gone, and no time is the time it goes.
        """
        with self._database.transaction():
            row = self._waiting_for_sure(submission_id, "rescheduled")
            state = State.HELD if row["state"] == State.HELD else State.QUEUED
            at = to_microseconds(not_before)
            moved = self._move(
                row,
                state,
                not_before=at,
                due_at=to_microseconds(self._clock.now()) if hands_over else at,
                schedule_words=words,
                schedule_zone=zone,
                any_time=0,
                hands_over=hands_over,
            )
            return self._moved(moved)

    def settle(
        self,
        submission_id: str,
        how: Literal["sent", "failed", "resend"],
        now: datetime,
        *,
        keeps_key: bool = False,
    ) -> Submission:
        """Settles an uncertain one by a person's word, or by what the provider says when asked.

        ``keeps_key``: to be sent again under the idempotency key that the provider may know.
        """
        with self._database.transaction():
            row = self._allowed(submission_id, frozenset({State.UNCERTAIN}), "settled")
            before = self._recipients(submission_id)
            if how == "resend":
                after = restate(before, _UNKNOWN, RecipientStatus.PENDING, None, now)
                self._update_recipients(submission_id, before, after)
                key = {} if keeps_key else {"key_number": row["key_number"] + 1, "key_used_at": None, "key_uses": 0}
                moved = self._move(
                    row, State.QUEUED, due_at=to_microseconds(now), uncertain_epoch=None, epoch=row["epoch"] + 1, **key
                )
                return self._moved(moved, after)
            is_sent = how == "sent"
            status = RecipientStatus.ACCEPTED if is_sent else RecipientStatus.REJECTED
            after = restate(before, _UNKNOWN, status, f"{BY_HAND} {how}", now)
            self._update_recipients(submission_id, before, after)
            moved = self._move(
                row,
                derive_state(one.status for one in after),
                uncertain_epoch=None,
                epoch=row["epoch"] + 1,
                sent_at=self._attempted_at(row, now) if is_sent else row["sent_at"],
                error=None if is_sent else row["error"],
            )
            return self._moved(moved, after)

    def settle_found(self, submission_id: str, receipt: Receipt) -> Submission:
        """Settles an uncertain one by what the provider knows of it."""
        with self._database.transaction():
            row = self._allowed(submission_id, frozenset({State.UNCERTAIN}), "settled")
            before = self._recipients(submission_id)
            now = self._clock.now()
            outcome = Outcome(receipt=receipt)
            after = apply_outcome(before, outcome, now, answered=_UNKNOWN)
            self._update_recipients(submission_id, before, after)
            state = derive_outcome_state(after, outcome)
            moved = self._move(
                row,
                State.QUEUED if state is State.DEFERRED else state,
                due_at=to_microseconds(now),
                uncertain_epoch=None,
                epoch=row["epoch"] + 1,
                sent_at=self._attempted_at(row, now),
                error=None,
                provider_id=receipt.provider_id or row["provider_id"],
                response_code=receipt.response_code,
                response_text=receipt.response_text or None,
                receipt_note=json.dumps(dict(receipt.note)),
                key_number=row["key_number"] + 1,
                key_used_at=None,
                key_uses=0,
            )
            return self._moved(moved, after)

    def edit(
        self,
        submission_id: str,
        make: Callable[[Submission], Draft] | None = None,
        *,
        ends_series: bool = False,
    ) -> StoredDraft:
        """Cancels it and keeps it as a draft, in one transaction: what it was sealed from, or what ``make`` makes.

        ``make`` is given the submission as it stands then: another process may have sent it to some meanwhile.
        ``ends_series``: the series it is an occurrence of ends with it. Not what may have been taken though no answer
        came: the draft would be a second mail.
        """
        with self._database.transaction():
            row = self._waiting_for_sure(submission_id, "edited")
            wanted = make(self._moved(row)) if make is not None else self._draft(submission_id)
            if wanted is None:
                raise InvalidMessage(f"{submission_id} was made by no draft; cancel it and write it anew.")
            if ends_series and row["series_id"] is not None:
                self._database.run(statements("series")["delete"], {"id": row["series_id"]})
            self._cancel(row, "taken back to a draft")
            return self._parts.drafts.insert(wanted)

    # small things

    def _allowed(self, submission_id: str, states: frozenset[State], done: str) -> Row:
        row = self._row(submission_id)
        state = State(row["state"])
        if state not in states:
            why = WHY_TOO_LATE.get(state, f"it is {state.replace('_', ' ')}")
            raise TooLate(f"{submission_id} can't be {done}: {why}.", state=state, why=why)
        return row

    def _waiting_for_sure(self, submission_id: str, done: str) -> Row:
        row = self._allowed(submission_id, _WAITING, done)
        if row["key_used_at"] is not None:
            said = f"{submission_id} can't be {done}: {_MAY_HAVE_GONE}."
            raise TooLate(said, state=State(row["state"]), why=_MAY_HAVE_GONE)
        return row

    def _cancel(self, row: Row, reason: str) -> Submission:
        before = self._recipients(row["id"])
        touched = DUE_STATUSES | SETTLED_STATUSES if row["state"] == State.HANDED_OVER else DUE_STATUSES
        is_in_doubt = row["key_used_at"] is not None and row["state"] in _WAITING
        status = RecipientStatus.UNKNOWN if is_in_doubt else RecipientStatus.REJECTED
        after = restate(before, touched, status, _IN_DOUBT if is_in_doubt else reason, self._clock.now())
        self._update_recipients(row["id"], before, after)
        state = derive_state(one.status for one in after)
        if state is State.FAILED:
            state = State.CANCELED  # nobody had it: taken back before it left
        return self._moved(self._move(row, state, error=reason, epoch=row["epoch"] + 1), after)

    def _moved(self, row: Row, recipients: tuple[Recipient, ...] | None = None) -> Submission:
        found = self._recipients(row["id"]) if recipients is None else recipients
        return submission_of_row(row, found, message=self._message(row["id"]), draft=self._draft(row["id"]))

    def _attempted_at(self, row: Row, now: datetime) -> int:
        """When the attempt ended that turned out to have delivered it."""
        last = self._database.row(self._sql["last_attempt_end"], {"id": row["id"]})
        return last["ended_at"] if last and last["ended_at"] else to_microseconds(now)
