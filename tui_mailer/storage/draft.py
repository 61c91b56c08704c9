"""Drafts: what a person is still writing, kept whole; the loser of a race is kept as a copy."""

from __future__ import annotations

from collections.abc import Sequence

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import DraftGone, DraftOutdated, NotFound
from tui_mailer.storage.clock import Clock, to_microseconds
from tui_mailer.storage.codec import to_json
from tui_mailer.storage.database import Database
from tui_mailer.storage.identifier import new_id
from tui_mailer.storage.record import DraftRef, StoredDraft
from tui_mailer.storage.row import draft_of_row
from tui_mailer.storage.statement import statements

_PAGE = 500
"""Drafts looked through at a time."""


class Drafts:
    """The drafts, in the outbox' database: sealing and taking back are one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._sql = statements("draft")

    def save(self, draft: Draft, ref: DraftRef | None = None) -> StoredDraft:
        """Keeps every field, durably; without ``ref`` as a new draft.

        ``ref`` is the draft this one was made from, as it was read: if another process has saved, sealed or deleted it
        since, this one is kept as a copy under a new ID. Without an epoch in it the last save wins.
        """
        draft_id, epoch = ref or (None, None)
        self._database.require_in_place()
        with self._database.transaction():
            row = self._database.row(self._sql["find"], {"id": draft_id}) if draft_id else None
            if row is None:
                is_lost = draft_id is not None and epoch is not None
                return self.insert(draft, None if is_lost else draft_id, is_copy_of=draft_id if is_lost else None)
            if epoch is not None and epoch != row["epoch"]:
                return self.insert(draft, is_copy_of=row["id"])
            stored = StoredDraft(
                id=row["id"],
                draft=draft,
                epoch=row["epoch"] + 1,
                updated_at=self._clock.now(),
                is_copy_of=row["is_copy_of"],
            )
            self._write("update", stored)
            return stored

    def get(self, draft_id: str) -> StoredDraft:
        """Returns a draft; raises `NotFound`."""
        row = self._database.row(self._sql["find"], {"id": draft_id})
        if row is None:
            raise NotFound(f"There is no draft {draft_id}.")
        return draft_of_row(row)

    def list(self, limit: int = 50, before: str | None = None) -> list[StoredDraft]:
        """Returns a page of drafts, last saved first; ``before`` is the last ID of the page before.

        Raises `NotFound` when that has been deleted.
        """
        after = to_microseconds(self.get(before).updated_at) if before else None
        bindings = {"limit": limit, "before": before, "before_at": after}
        return [draft_of_row(row) for row in self._database.rows(self._sql["list_newest"], bindings)]

    def search(self, words: Sequence[str], limit: int = 50) -> list[StoredDraft]:
        """Returns the drafts that hold every word, in whatever case, last saved first: see `holds_all`."""
        found: list[StoredDraft] = []
        before: str | None = None
        with self._database.snapshot():
            while len(found) < limit and (page := self.list(_PAGE, before)):
                found += [one for one in page if holds_all(one.draft, words)]
                before = page[-1].id
        return found[:limit]

    def delete(self, ref: DraftRef) -> None:
        """Deletes a draft; raises `DraftGone`."""
        with self._database.transaction():
            self.remove(ref)

    def ids_ending(self, suffix: str) -> list[str]:
        """Lists the IDs with a suffix."""
        return [row["id"] for row in self._database.rows(self._sql["list_ids_ending"], {"suffix": suffix})]

    def texts(self) -> list[str]:
        """Returns every draft as stored: what may name spool objects."""
        return [row["draft"] for row in self._database.rows(self._sql["list_texts"])]

    # inside somebody else's transaction

    def insert(self, draft: Draft, draft_id: str | None = None, *, is_copy_of: str | None = None) -> StoredDraft:
        """Adds a draft within the transaction that is open."""
        now = self._clock.now()
        stored = StoredDraft(id=draft_id or new_id(now), draft=draft, epoch=1, updated_at=now, is_copy_of=is_copy_of)
        self._write("insert", stored)
        return stored

    def remove(self, ref: DraftRef) -> None:
        """Removes a draft within the transaction that is open; raises `DraftGone`."""
        if self._database.run(self._sql["delete"], {"id": ref.id, "epoch": ref.epoch}) > 0:
            return
        if self._database.row(self._sql["find"], {"id": ref.id}) is not None:
            raise DraftOutdated("The draft was changed elsewhere meanwhile.")
        raise DraftGone("The draft was sent or deleted meanwhile.")

    def _write(self, statement: str, stored: StoredDraft) -> None:
        bindings = {
            "id": stored.id,
            "draft": to_json(stored.draft),
            "epoch": stored.epoch,
            "updated_at": to_microseconds(stored.updated_at),
        }
        if statement == "insert":
            bindings["is_copy_of"] = stored.is_copy_of  # pyright: ignore[reportArgumentType]
        self._database.run(self._sql[statement], bindings)


def holds_all(draft: Draft, words: Sequence[str]) -> bool:
    """Says whether each word is a part of recipients, subject or body; Bcc is looked at too: nobody else sees it."""
    text = f"{draft.to}\n{draft.cc}\n{draft.bcc}\n{draft.subject}\n{draft.body}".casefold()
    return all(word.casefold() in text for word in words)
