"""Recovery: taking over what deliverers that died, hang or belong to an earlier boot have left."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from tui_mailer.domain.submission import Phase, Recipient, RecipientStatus, State, derive_state
from tui_mailer.storage.clock import to_microseconds
from tui_mailer.storage.database import Row
from tui_mailer.storage.lease import UNHINTED_RETRY, Leases
from tui_mailer.storage.outcome import AT_STAKE, restate
from tui_mailer.storage.record import Outcome, Submission
from tui_mailer.storage.row import submission_of_row

_INTERRUPTED = "Interrupted before it was handed over: the process that was sending it ended."
_UNKNOWN = "The process that was sending it ended before the answer was read."


class Recovery(Leases):
    """What any deliverer does for those that can't any more."""

    def recover(self, *, policy: Literal["ask", "resend", "give_up"] = "ask", now: datetime) -> list[Submission]:
        """Takes over what deliverers that died, hang or belong to an earlier boot have left; returns it as it then is.

        Short of the point of no return it is due again at once. Past it, it is uncertain: with ``resend`` it is due
        again, the same bytes; else it waits to be settled.
        """
        self._parts.host.require()
        self.notice_clock(now)
        self._forget_dead_deliverers()
        left = [row["id"] for row in self._database.rows(self._lease_sql["list_sending"]) if self._is_left(row)]
        if not left:
            return []
        with self._database.transaction():
            return [one for submission_id in left if (one := self._take_over(submission_id, policy, now)) is not None]

    def _is_left(self, row: Row) -> bool:
        return (
            row["lease_boot"] != self._clock.boot_id()
            or row["lease_until"] < self._clock.boottime() * 1_000_000
            or not self._parts.locks.is_alive(row["owner"])
        )

    def _take_over(self, submission_id: str, policy: str, now: datetime) -> Submission | None:
        row = self._database.row(self._sql["find_state"], {"id": submission_id})
        if row is None or row["state"] != State.SENDING or not self._is_left(row):
            return None
        recipients = self._recipients(submission_id)
        if row["phase"] not in (Phase.INTENT, Phase.DONE):
            self._close_attempt(row, row["epoch"], Outcome(text=_INTERRUPTED), is_counted=False)
            moved = self._return(row, _INTERRUPTED)
        else:
            moved, recipients = self._give_up(row, recipients, policy, now)
        return submission_of_row(
            moved, recipients, message=self._message(submission_id), draft=self._draft(submission_id)
        )

    def _give_up(
        self, row: Row, recipients: tuple[Recipient, ...], policy: str, now: datetime
    ) -> tuple[Row, tuple[Recipient, ...]]:
        """Takes over what had passed the point of no return: nobody knows whether it was delivered."""
        self._close_attempt(row, row["epoch"], Outcome(text=_UNKNOWN), is_counted=True)
        changes = {"epoch": row["epoch"] + 1, "error": _UNKNOWN, "response_text": None, "response_code": None}
        if policy == "resend":
            return self._move(row, State.DEFERRED, due_at=to_microseconds(now), **changes), recipients
        after = restate(recipients, AT_STAKE, RecipientStatus.UNKNOWN, _UNKNOWN, now)
        self._update_recipients(row["id"], recipients, after)
        state = derive_state(one.status for one in after)
        due_at = to_microseconds(now + UNHINTED_RETRY)
        return self._move(row, state, uncertain_epoch=row["epoch"], due_at=due_at, **changes), after
