"""The history: what has ended, in the order it ended, found again by words."""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from tui_mailer.domain.errors import NotFound
from tui_mailer.domain.submission import Attempt
from tui_mailer.domain.timeline import StatusEvent, refine
from tui_mailer.storage.clock import to_microseconds
from tui_mailer.storage.codec import to_json
from tui_mailer.storage.contact import Contacts
from tui_mailer.storage.database import Row
from tui_mailer.storage.history_reading import POSITION_SLACK, HistoryReading
from tui_mailer.storage.record import Submission
from tui_mailer.storage.row import attempts_of_ended_row, ended_row, submission_of_ended_row

_BATCH = 200
"""Rows deleted or changed in one transaction: a writer waits no longer than that takes."""


class History(HistoryReading):
    """The ended submissions: bringing in, reading whole, forgetting for good."""

    @property
    def contacts(self) -> Contacts:
        """Who has been written to; forgotten with what is deleted here."""
        return Contacts(self._database)

    def insert_many(
        self,
        many: Iterable[tuple[Submission, Sequence[Attempt]]],
        is_still_there: Callable[[str], bool] = lambda _id: True,
    ) -> None:
        """Adds ended submissions with their attempts, durably; those that are there stay as they are.

        ``is_still_there`` asks the outbox once nobody else can write here: what it no longer has was added by another
        process meanwhile, and may have been deleted since.
        """
        with self._database.transaction():
            for submission, attempts in many:
                if not self.has(submission.id) and is_still_there(submission.id):
                    self._insert(submission, attempts)

    def has(self, submission_id: str) -> bool:
        """Says whether a submission is in the history."""
        return self._database.row(self._sql["find_position"], {"id": submission_id}) is not None

    def get(self, submission_id: str) -> Submission:
        """Returns a submission; raises `NotFound`."""
        return submission_of_ended_row(self._row(submission_id))

    def attempts(self, submission_id: str) -> tuple[Attempt, ...]:
        """Returns every attempt, oldest first; raises `NotFound`."""
        return attempts_of_ended_row(self._row(submission_id))

    def refine(self, submission_id: str, learnt: Sequence[StatusEvent]) -> Submission:
        """Keeps what a provider told later of the recipients; the state stays. Raises `NotFound`."""
        with self._database.transaction():
            row = self._row(submission_id)
            submission = submission_of_ended_row(row)
            recipients, timeline = refine(submission.recipients, submission.timeline, learnt)
            refined = replace(submission, recipients=recipients, timeline=timeline)
            if refined != submission:
                bare = replace(refined.message, text=None)
                kept = replace(refined, message=bare, draft=None, is_in_history=False)
                self._database.run(self._sql["refine"], {"position": row["position"], "submission": to_json(kept)})
            return refined

    def known(self, ids: Sequence[str]) -> builtins.list[str]:
        """Returns those of the ids that are here."""
        return [row["id"] for row in self._database.rows(self._sql["list_known"], {"ids": json.dumps(list(ids))})]

    def delete(self, submission_id: str) -> None:
        """Deletes a submission and overwrites what it was kept in; raises `NotFound`."""
        with self._database.transaction():
            if not self._database.run(self._sql["delete"], {"id": submission_id}):
                raise NotFound(f"There is no submission {submission_id} in the history.")
        self._database.forget_log()

    def purge(self, before: datetime) -> list[str]:
        """Deletes what ended before an instant as `delete` does; returns the ids."""
        purged: list[str] = []
        while some := self._purge_batch(before):
            purged.extend(some)
        if purged:
            self._database.forget_log()
        return purged

    def purge_some(self, before: datetime) -> list[str]:
        """Deletes a few hundred of what ended before an instant; returns the ids, none once there are none left."""
        purged = self._purge_batch(before)
        if len(purged) < _BATCH:
            self._database.forget_log()
        return purged

    def _purge_batch(self, before: datetime) -> list[str]:
        at = to_microseconds(before)
        with self._database.transaction():
            rows = self._database.rows(
                self._sql["list_ended_before"], {"below": at // 1000 + POSITION_SLACK, "before": at, "limit": _BATCH}
            )
            self._database.run_many(self._sql["delete"], [{"id": row["id"]} for row in rows])
        return [row["id"] for row in rows]

    def expire(self, *, text_before: datetime | None, attachments_before: datetime | None) -> int:
        """Removes the text, or the hold on attachments, of what ended before an instant; returns how many lost text.

        Who, when and the subject stay. A message that came through ``sendmail`` is one piece, and goes with the text.
        """
        if attachments_before is not None:
            with self._database.transaction():
                self._database.run(
                    self._sql["drop_attachment_references"], {"before": to_microseconds(attachments_before)}
                )
        expired = 0
        while text_before is not None:
            with self._database.transaction():
                bindings = {"before": to_microseconds(text_before), "limit": _BATCH}
                rows = self._database.rows(self._sql["list_with_text"], bindings)
                for row in rows:
                    self._drop_text(row)
            if not rows:
                break
            expired += len(rows)
        if expired:
            self._database.forget_log()
        return expired

    def ids_ending(self, suffix: str) -> builtins.list[str]:
        """Lists the IDs with a suffix, two at most."""
        rows = self._database.rows(self._sql["list_ids_ending"], {"prefix": suffix[::-1]})
        return [row["id"] for row in rows]

    def references(self) -> set[str]:
        """Returns the digests of all spool objects that are still needed."""
        return {row["sha256"] for row in self._database.rows(self._sql["list_references"])}

    # small things

    def _row(self, submission_id: str) -> Row:
        row = self._database.row(self._sql["find"], {"id": submission_id})
        if row is None:
            raise NotFound(f"There is no submission {submission_id}.")
        return row

    def _insert(self, submission: Submission, attempts: Sequence[Attempt]) -> None:
        row = ended_row(submission, attempts)
        wanted = {"wanted": row["ended_at"] // 1000}
        free = self._database.row(self._sql["free_position"], wanted) or {}
        position = free["position"]
        self._database.run(self._sql["insert"], {**row, "position": position})
        message = submission.message
        needed = {one.sha256: True for one in message.attachments if one.sha256}
        if message.raw_sha256:
            needed[message.raw_sha256] = False
        if submission.keep and needed:
            self._database.run_many(
                self._sql["insert_reference"],
                [
                    {"position": position, "sha256": one, "is_attachment": is_it, "ended_at": row["ended_at"]}
                    for one, is_it in needed.items()
                ],
            )

    def _drop_text(self, row: Row) -> None:
        submission = submission_of_ended_row(row)
        bare = replace(submission.message, text=None, html=None, raw_sha256=None, variables={})
        kept = replace(submission, message=bare, draft=None, is_in_history=False)
        self._database.run(self._sql["drop_text"], {"position": row["position"], "submission": to_json(kept)})
        self._database.run(self._sql["drop_text_references"], {"position": row["position"]})
