"""What waits in the outbox and for what: due times, held accounts, and who is there to deliver."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tui_mailer.storage.clock import EPOCH, from_microseconds, to_microseconds
from tui_mailer.storage.database import Row
from tui_mailer.storage.record import HELD_BY_PERSON, AccountHold, Deliverer, Reroute, Submission
from tui_mailer.storage.row import account_hold_of_row, displayed_owner, microseconds, submission_of_row
from tui_mailer.storage.statement import statements
from tui_mailer.storage.submission_table import OutboxParts, SubmissionTable

CLOCK_SLACK = timedelta(seconds=30)
"""By how much the wall clock may drift against the boot clock between two looks; more is a jump."""
CLOCK_CHECK_SECONDS = 15.0
"""How often what waits is held against the clock though it hasn't jumped: a time that was read before a jump may have
been written after everybody had made up for it."""
LONGEST_WAIT = timedelta(minutes=90)
"""No retry is put off for longer (`services.retry`), unless the clock was ahead."""

_NEVER_TOO_LONG = timedelta(days=36_500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a deliverer looks for among what is due."""

    limit: int = 1
    ids: Sequence[str] | None = None
    """None: any."""
    skip_accounts: Collection[str] = frozenset()
    closed_accounts: Collection[str] = frozenset()
    """Out of hours: only what a person wants out all the same."""


class Waiting(SubmissionTable):
    """Accounts, deliverers, and the order in which what is due goes out."""

    def __init__(self, parts: OutboxParts) -> None:
        super().__init__(parts)
        self._waiting_sql = statements("waiting")
        self._clock_offset: timedelta | None = None
        self._clock_checked_at = 0.0

    # the clock

    def notice_clock(self, now: datetime) -> bool:
        """Makes up for a wall clock that has been set back; says whether it has jumped since the last look.

        What waits for a retry, for the end of its undo window or for a probe would wait for as long again. Mail that
        was scheduled keeps its time: that is what a person asked for.
        """
        boottime = self._clock.boottime()
        offset = now - EPOCH - timedelta(seconds=boottime)
        known = self._clock_offset
        has_jumped = known is not None and abs(offset - known) > CLOCK_SLACK
        if known is not None and not has_jumped and boottime - self._clock_checked_at < CLOCK_CHECK_SECONDS:
            return False
        self._clock_offset, self._clock_checked_at = offset, boottime
        # A long wait proves nothing while the clock goes on as it did: a provider may have asked for a day's pause.
        longest_wait = LONGEST_WAIT if known is None or has_jumped else _NEVER_TOO_LONG
        bindings = {
            "now": to_microseconds(now),
            "slack": CLOCK_SLACK // timedelta(microseconds=1),
            "longest_wait": longest_wait // timedelta(microseconds=1),
        }
        with self._database.transaction(is_durable=False):
            for things in ("times", "mail", "probes", "questions"):
                self._database.run(self._waiting_sql[f"bring_{things}_back_from_the_future"], bindings)
        return has_jumped

    # accounts

    def hold_account(
        self,
        name: str,
        reason: str,
        *,
        is_offline: bool = False,
        retry_at: datetime | None = None,
        failures: int = 0,
    ) -> None:
        """Lets an account's mail wait: for a person, or off line until ``retry_at``."""
        with self._database.transaction():
            self._database.run(
                self._waiting_sql["hold_account"],
                {
                    "account": name,
                    "reason": reason,
                    "now": to_microseconds(self._clock.now()),
                    "is_offline": is_offline,
                    "retry_at": microseconds(retry_at) if is_offline else None,
                    "failures": failures,
                },
            )

    def release_account(self, name: str) -> None:
        """Lets an account's mail go again."""
        with self._database.transaction():
            self._database.run(self._waiting_sql["release_account"], {"account": name})

    def mend_account(self, name: str) -> bool:
        """Lets an account go that was held for what has been mended now; says whether it was.

        A person's own hold stays.
        """
        with self._database.transaction():
            hold = self.account_holds().get(name)
            if hold is None or hold.reason == HELD_BY_PERSON:
                return False
            self._database.run(self._waiting_sql["release_account"], {"account": name})
            return True

    def account_holds(self) -> dict[str, AccountHold]:
        """Returns the accounts whose mail waits, by name."""
        rows = self._database.rows(self._waiting_sql["list_account_holds"])
        return {row["account"]: account_hold_of_row(row) for row in rows}

    def next_due(self, now: datetime, *, skip_accounts: Collection[str] = frozenset()) -> datetime | None:
        """Tells when anything can be claimed next, which may be past; None: nothing waits, or only for a person.

        Accounts to skip are those that this process doesn't serve now, or whose hours are closed.
        """
        holds = self.account_holds()
        times: list[datetime] = []
        for row in self._database.rows(self._waiting_sql["list_waiting_accounts"]):
            if row["account"] in skip_accounts:
                continue
            due, hold = from_microseconds(row["due_at"]), holds.get(row["account"])
            if hold is None:
                times.append(due)
            elif hold.retry_at is not None and (hold.retry_at > now or not self._is_sending(row["account"])):
                # While a probe is on its way the others wait for it, not for the clock.
                times.append(max(due, hold.retry_at))
        return min(times, default=None)

    # going by another account

    def list_due(self, account: str, now: datetime, limit: int) -> list[Submission]:
        """Lists what of an account is due, earliest first, whether or not it can be claimed now."""
        bindings = {"account": account, "now": to_microseconds(now), "limit": limit, "is_closed": False}
        rows = self._database.rows(self._waiting_sql["list_due_of_account"], bindings)
        return [self.get(row["id"]) for row in rows]

    def reroute(self, submission: Submission, reroute: Reroute) -> Submission | None:
        """Moves what waits to another account; None when it is no longer as it was seen."""
        with self._database.transaction():
            row = self._database.row(self._sql["find_state"], {"id": submission.id})
            if row is None or row["state"] != submission.state or row["account"] != submission.account:
                return None
            moved = self._move(row, submission.state, **self._rerouted(reroute, self._clock.now()))
            return submission_of_row(moved, self._recipients(submission.id), message=submission.message)

    def _rerouted(self, reroute: Reroute, now: datetime) -> dict[str, Any]:
        return {
            "account": reroute.account,
            "provider": reroute.provider,
            "home_account": reroute.home_account,
            "ruled_out": json.dumps(reroute.ruled_out),
            "due_at": to_microseconds(reroute.due_at or now),
            "error": reroute.remark,
            # Nothing is open with the account it leaves.
            "key_used_at": None,
            "key_uses": 0,
        }

    # deliverers

    def register(self, owner: str, role: str) -> None:
        """Makes a deliverer known; its lock is held already."""
        with self._database.transaction(is_durable=False):
            self._database.run(
                self._waiting_sql["insert_deliverer"],
                {"owner": owner, "role": role, "now": to_microseconds(self._clock.now())},
            )

    def unregister(self, owner: str) -> None:
        """Forgets a deliverer."""
        with self._database.transaction(is_durable=False):
            self._database.run(self._waiting_sql["delete_deliverer"], {"owner": owner})

    def seen(self, owner: str, now: datetime) -> None:
        """Notes that a deliverer is about."""
        self._parts.locks.touch(owner, now)

    def deliverers(self, _now: datetime | None = None) -> list[Deliverer]:
        """Lists the processes that deliver; those that died are listed as such until the next `recover`."""
        return [
            Deliverer(
                owner=displayed_owner(row["owner"]),
                role=row["role"],
                seen_at=self._parts.locks.seen_at(row["owner"]) or from_microseconds(row["seen_at"]),
                is_alive=self._parts.locks.is_alive(row["owner"]),
                since=from_microseconds(row["seen_at"]),
            )
            for row in self._database.rows(self._waiting_sql["list_deliverers"])
        ]

    def _forget_dead_deliverers(self) -> None:
        rows = self._database.rows(self._waiting_sql["list_deliverers"])
        dead = [row["owner"] for row in rows if not self._parts.locks.is_alive(row["owner"])]
        for owner in dead:
            self.unregister(owner)
            self._parts.locks.forget(owner)

    # what is due

    def _due(self, now: datetime, wanted: Wanted) -> list[str]:
        """Lists what can be claimed, earliest first."""
        holds = self.account_holds()
        found: list[Row] = []
        for account, rows in self._due_by_account(now, wanted):
            hold = holds.get(account)
            if account in wanted.skip_accounts:
                continue
            if hold is None:
                found.extend(rows)
            elif hold.retry_at is not None and hold.retry_at <= now and not self._is_sending(account):
                found.extend(rows[:1])  # off line: one probe tells, five hundred would tell no more
        found.sort(key=lambda row: (row["due_at"], row["id"]))
        return [row["id"] for row in found[: wanted.limit]]

    def _due_by_account(self, now: datetime, wanted: Wanted) -> Iterable[tuple[str, list[Row]]]:
        bindings = {"now": to_microseconds(now)}
        if wanted.ids is not None:
            by_account: dict[str, list[Row]] = {}
            for row in self._database.rows(
                self._waiting_sql["list_due_of_ids"], {**bindings, "ids": json.dumps(list(wanted.ids))}
            ):
                if row["account"] in wanted.closed_accounts and not row["any_time"]:
                    continue
                by_account.setdefault(row["account"], []).append(row)
            yield from by_account.items()
            return
        for row in self._database.rows(self._waiting_sql["list_waiting_accounts"]):
            if row["due_at"] <= bindings["now"]:
                yield (
                    row["account"],
                    self._database.rows(
                        self._waiting_sql["list_due_of_account"],
                        {
                            **bindings,
                            "account": row["account"],
                            "limit": wanted.limit,
                            "is_closed": row["account"] in wanted.closed_accounts,
                        },
                    ),
                )

    def _due_of_account(self, account: str, now: datetime) -> str | None:
        """Names what can be claimed next of one account."""
        if account in self.account_holds():
            return None
        row = self._database.row(
            self._waiting_sql["list_due_of_account"],
            {"account": account, "now": to_microseconds(now), "limit": 1, "is_closed": False},
        )
        return row["id"] if row else None

    def _is_sending(self, account: str) -> bool:
        return self._database.row(self._waiting_sql["find_sending"], {"account": account}) is not None
