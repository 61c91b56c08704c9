"""Sealing: submissions become durable, once per key, each with a copy from which it can be brought back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from tui_mailer.domain.errors import DamagedStore, MailerError, NotFound
from tui_mailer.domain.submission import State
from tui_mailer.storage.codec import to_json
from tui_mailer.storage.record import DraftRef, NewSubmission, Submission
from tui_mailer.storage.row import new_row, recipient_rows, submission_of_new
from tui_mailer.storage.submission_table import SubmissionTable

REBUILT = "rebuilt from its sealed copy: it may have been sent already; release it to send it, or cancel it"


class Sealing(SubmissionTable):
    """What comes into the outbox."""

    def seal(
        self, new: Sequence[NewSubmission], *, draft: DraftRef | None = None, note: Callable[[], None] | None = None
    ) -> list[Submission]:
        """Makes submissions durable, all or none, and deletes the draft they come from.

        One with a key that is known isn't stored again: the first one stands in its place. Raises `DraftGone` when
        another has sent, deleted or changed the draft, so that one isn't sent by two, and `StorageError`. ``note``
        writes what else belongs into the transaction.
        """
        firsts = {one.key: self.find_key(one.key) for one in new if one.key is not None}
        fresh = [one for one in new if one.key is None or firsts[one.key] is None]
        if fresh and len(self._seal(fresh, draft, note)) == len(new):
            return [submission_of_new(one) for one in new]
        return [submission_of_new(one) if one.key is None else self._first(one.key) for one in new]

    def with_key(self, key: str) -> list[Submission]:
        """Returns the submission a key was given to, with those sealed together with it under keys; or nothing.

        Raises `NotFound` when it was deleted from the history: it isn't sent again all the same.
        """
        found = self._database.row(self._sql["find_key"], {"digest": _digest(key)})
        if found is None:
            return []
        if found["group_id"] is None:
            return [self._first(key)]
        rows = self._database.rows(self._sql["list_key_group"], {"group_id": found["group_id"]})
        return [self._anywhere(row["submission_id"]) for row in rows]

    def find_key(self, key: str) -> str | None:
        """Names the submission that has a key or a mark; it may be in the history, or deleted."""
        row = self._database.row(self._sql["find_key"], {"digest": _digest(key)})
        return row["submission_id"] if row else None

    def rebuild(self) -> int:
        """Makes submissions anew, held, from sealed copies that neither database knows; returns how many.

        What is open here and has ended in the history (this outbox is an older copy put back) is forgotten.
        """
        # Alone: what another process is sealing this moment has its copy already and not yet its row.
        with self._parts.sidecars.locked(is_alone=True), self._database.transaction():
            known = {row["id"] for row in self._database.rows(self._sql["list_ids"])}
            outdated = [{"id": one} for one in known if self._has_ended(one)]
            self._database.run_many(self._sql["delete_outdated"], outdated)
            lost = [one for one in self._parts.sidecars.read() if one.message.id not in known]
            ended = {one.message.id for one in lost if self._has_ended(one.message.id)}
            held = [one for one in lost if one.message.id not in ended]
            for one in held:
                self._insert_key(one)
                self._insert(replace(one, state=State.HELD, held_reason=REBUILT), is_key_known=True)
        self._parts.sidecars.remove(ended)
        return len(held)

    def lost_count(self) -> int:
        """Counts the sealed copies that the outbox knows nothing of: what `rebuild` would bring back, or clear away."""
        with self._parts.sidecars.locked(is_alone=True):
            return len(self._parts.sidecars.ids() - {row["id"] for row in self._database.rows(self._sql["list_ids"])})

    # small things

    def _seal(
        self, fresh: Sequence[NewSubmission], draft: DraftRef | None, note: Callable[[], None] | None = None
    ) -> set[str]:
        """Stores them, sealed copies first; returns the ids of those whose keys weren't taken meanwhile."""
        sidecars = self._parts.sidecars
        with sidecars.locked(is_alone=False):
            self._database.require_in_place()
            sidecars.write(fresh)
            try:
                with self._database.transaction():
                    if draft is not None:
                        self._parts.drafts.remove(draft)
                    stored = {one.message.id for one in fresh if self._insert(one)}
                    if note is not None and stored:
                        note()
            except MailerError:
                sidecars.remove(one.message.id for one in fresh)
                raise
            sidecars.remove(one.message.id for one in fresh if one.message.id not in stored)
        return stored

    def _insert(self, new: NewSubmission, *, is_key_known: bool = False) -> bool:
        """Adds a submission; says no, and does nothing, when its key has been taken meanwhile."""
        if new.key is not None and not is_key_known and not self._insert_key(new):
            return False
        row = new_row(new)
        self._database.run(self._sql["insert"], row)
        self._database.run(
            self._sql["insert_sealed"],
            {
                "id": row["id"],
                "message": to_json(new.message),
                "draft": to_json(new.draft) if new.draft else None,
            },
        )
        self._database.run_many(self._sql["insert_recipient"], recipient_rows(row["id"], new.recipients))
        for mark in new.marks:
            self._database.run(self._sql["mark"], {"digest": _digest(mark), "submission_id": row["id"]})
        return True

    def _insert_key(self, new: NewSubmission) -> bool:
        if new.key is None:
            return False
        bindings = {"digest": _digest(new.key), "submission_id": new.message.id, "group_id": new.group}
        return self._database.run(self._sql["insert_key"], bindings) > 0

    def _first(self, key: str) -> Submission:
        submission_id = self.find_key(key)
        if submission_id is None:
            raise NotFound("Nothing was stored under that key.")
        return self._anywhere(submission_id)

    def _anywhere(self, submission_id: str) -> Submission:
        with suppress(NotFound):
            return self.get(submission_id)
        try:
            return self._parts.find_ended(submission_id)
        except NotFound:
            raise NotFound(
                f"The message with this key ({submission_id}) was sent and has been deleted from the history; it isn't "
                "sent again. Use another key for another message."
            ) from None

    def _has_ended(self, submission_id: str) -> bool:
        try:
            self._parts.find_ended(submission_id)
        except (NotFound, DamagedStore):
            return False
        return True


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
