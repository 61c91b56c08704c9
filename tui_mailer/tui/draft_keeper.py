"""Keeps the draft being written safe on disk: one second after the last change, and whenever it is asked to."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime
from typing import TYPE_CHECKING

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import MailerError, NotFound
from tui_mailer.tui.desk import Desk

if TYPE_CHECKING:
    from tui_mailer.services.review import Review
    from tui_mailer.storage.record import StoredDraft, Submission

PAUSE_SECONDS = 1.0
"""After the last change."""


class DraftKeeper:
    """Knows which stored draft is being written, at which epoch, and what of it is on disk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = asyncio.Lock()
        self._stored_id: str | None = None
        self._epoch: int | None = None
        self._kept = Draft()

    @property
    def draft_id(self) -> str | None:
        """The stored draft's ID; None while nothing is stored."""
        return self._stored_id

    @property
    def kept_draft(self) -> Draft:
        """What is on disk."""
        return self._kept

    def adopt(self, stored: StoredDraft) -> None:
        """Goes on with a draft that is stored already."""
        self._stored_id, self._epoch, self._kept = stored.id, stored.epoch, stored.draft
        self._desk.status.saved_at = stored.updated_at.astimezone(self._desk.now().tzinfo)
        self._desk.status.changed()

    def forget(self) -> None:
        """Starts on a draft that isn't stored yet."""
        self._stored_id = self._epoch = None
        self._kept = Draft()
        self._desk.status.saved_at = None
        self._desk.status.changed()

    async def save(self, draft: Draft) -> None:
        """Saves every field if anything differs from what is on disk; an emptied draft is deleted.

        Raises `StorageError`; a draft changed elsewhere meanwhile is kept as a copy, and goes on as that.
        """
        async with self._lock:
            await self._save(draft)

    async def _save(self, draft: Draft) -> None:
        if draft == self._kept:
            return
        draft_id = self._stored_id
        if draft.is_empty():
            if draft_id is not None:
                # Deleted elsewhere meanwhile is as good.
                with contextlib.suppress(NotFound):
                    await self._desk.ask(lambda mailer: mailer.delete_draft(draft_id))
            self.forget()
            return
        self._desk.open()
        stored = await self._desk.io.run(self._write, draft)
        self.adopt(stored)
        if stored.is_copy_of is not None and stored.is_copy_of == draft_id:
            self._desk.status.say("this draft was changed elsewhere too: yours goes on as a copy")

    def save_at_once(self, draft: Draft) -> bool:
        """Saves without an event loop, waits for it, and says whether the draft is safe; not in the loop's thread."""
        if draft == self._kept or draft.is_empty():
            return True
        self._desk.open()
        try:
            self._kept = self._desk.io.submit(self._write, draft).result(timeout=5.0).draft
        except (MailerError, TimeoutError):
            return False
        return True

    def _write(self, draft: Draft) -> StoredDraft:
        """In the I/O thread, where ID and epoch are always those of the last save: two saves in a row never race."""
        draft_id, epoch = self._stored_id, self._epoch
        stored = self._desk.answer(lambda mailer: mailer.save_draft(draft, draft_id=draft_id, epoch=epoch))
        self._stored_id, self._epoch = stored.id, stored.epoch
        return stored

    async def seal(self, draft: Draft, reviewed: Review, *, undo_seconds: int, each: bool = False) -> list[Submission]:
        """Seals the draft, and counts it as kept so that no late save revives it; `forget` comes next.

        ``reviewed``: what the person has seen. ``each``: one submission per To.

        Raises `InvalidMessage` and `StorageError`: nothing was stored.
        """
        from tui_mailer.services.review import SealRequest

        async with self._lock:
            request = SealRequest(undo_seconds=undo_seconds, each=each, draft_id=self._stored_id, reviewed=reviewed)
            submissions = await self._desk.ask(lambda mailer: mailer.seal(draft, request))
            self._kept = draft
            return submissions


def is_recent(stored: StoredDraft, now: datetime) -> bool:
    """Says whether a draft is young enough to be mentioned at the start (30 days)."""
    return (now - stored.updated_at).days < 30
