"""Keeps the draft being written safe on disk: one second after the last change, and whenever it is asked to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import DraftGone, DraftOutdated, MailerError, NotFound
from tui_mailer.tui.desk import Desk

if TYPE_CHECKING:
    from tui_mailer.services.review import Review
    from tui_mailer.storage.record import DraftRef, StoredDraft, Submission


class Kept:
    """One message being written: where it is stored, and what of it.

    It goes with its text through every save and review, so that one that ends late, when another message stands in
    the form, still ends at its own.
    """

    def __init__(self) -> None:
        self.draft_id: str | None = None
        """None while nothing is stored."""
        self.epoch: int | None = None
        self.draft = Draft()
        """What is on disk."""
        self.is_copy_of: str | None = None
        """The draft that another process has changed, sent or deleted while this was written."""

    @property
    def ref(self) -> DraftRef | None:
        """Names it in the store as it was last saved; None while nothing is stored."""
        from tui_mailer.storage.record import DraftRef  # not for the first frame

        return DraftRef(self.draft_id, self.epoch) if self.draft_id is not None else None

    def is_at(self, stored: StoredDraft) -> None:
        """It is stored like this now."""
        self.draft_id, self.epoch, self.draft = stored.id, stored.epoch, stored.draft
        self.is_copy_of = stored.is_copy_of

    def is_gone(self) -> None:
        """It isn't stored any more."""
        self.draft_id = self.epoch = None
        self.draft = Draft()


class DraftKeeper:
    """Knows which message is being written; each of its own is saved into its own place."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = asyncio.Lock()
        self._complaint = ""
        self.is_moving = False
        """Whether another message is just being put into the form: what stands there is neither's."""
        self.writing = Kept()
        """The message in the form."""

    @property
    def draft_id(self) -> str | None:
        """The stored draft's ID; None while nothing is stored."""
        return self.writing.draft_id

    def has(self, draft: Draft) -> bool:
        """Says whether a draft, read from the form just now, is on disk, or there is nothing of it to keep."""
        return draft == self.writing.draft or (draft.is_empty() and self.writing.draft_id is None)

    def go_to(self, stored: StoredDraft | None, show: Callable[[], None]) -> None:
        """Goes on with a stored draft, or one that isn't stored yet; ``show`` puts it into the form."""
        self.is_moving = True
        try:
            self.writing = Kept()
            if stored is not None:
                self.writing.is_at(stored)
            show()
        finally:
            self.is_moving = False
        self._tell_saved(stored.updated_at if stored else None)

    def _tell_saved(self, at: datetime | None) -> None:
        self._desk.status.saved_at = at.astimezone(self._desk.now().tzinfo) if at else None
        self._desk.status.changed()

    async def save(self, draft: Draft, *, of: Kept | None = None, is_put_away: bool = False) -> None:
        """Saves every field if anything differs from what is on disk; an emptied draft is deleted.

        ``of``: the message it belongs to, if that isn't in the form. ``is_put_away``: it is looked whether it is still
        there, too. Raises `StorageError`; a draft changed or deleted elsewhere meanwhile is kept as a copy, and goes on
        as that.
        """
        one = of or self.writing
        try:
            async with self._lock:
                if is_put_away and not draft.is_empty():
                    await self._look_after(one)
                await self._save(one, draft)
        except MailerError as error:
            self._complaint = str(error)
            raise
        if self._complaint:
            self._desk.status.retract(self._complaint)
            self._complaint = ""

    async def _look_after(self, one: Kept) -> None:
        """Has it stored again, whatever it was changed into, if it isn't there any more."""
        if one.draft_id is not None and not await self._has(one.draft_id):
            one.draft = Draft()

    async def _save(self, one: Kept, draft: Draft) -> None:
        if draft == one.draft:
            return
        if draft.is_empty():
            await self._delete(one)
        else:
            draft_id = one.draft_id
            self._desk.open()
            stored = await self._desk.io.run(self._write, one, draft)
            if one is self.writing:
                self._tell_saved(stored.updated_at)
            if draft_id is not None and stored.is_copy_of == draft_id:
                what = "changed" if await self._has(draft_id) else "sent or deleted"
                self._desk.status.say(f"{what} elsewhere: what you write goes on as a copy", seconds=60)

    async def _delete(self, one: Kept) -> None:
        ref = one.ref
        if ref is not None:
            try:
                await self._desk.ask(lambda mailer: mailer.delete_draft(ref))
            except DraftOutdated:
                key = self._desk.keymap.display("app.drafts")
                self._desk.status.say(f"this draft was changed elsewhere too: what it says there is kept ({key})")
            except DraftGone:
                pass  # as good
        one.is_gone()
        if one is self.writing:
            self._tell_saved(None)

    def save_at_once(self, draft: Draft, one: Kept) -> bool:
        """Saves without an event loop, waits for it, and says whether the draft is safe; not in the loop's thread."""
        if draft == one.draft or draft.is_empty():
            return True
        self._desk.open()
        try:
            self._desk.io.submit(self._write, one, draft).result(timeout=5.0)
        except (MailerError, TimeoutError):
            return False
        return True

    def _write(self, one: Kept, draft: Draft) -> StoredDraft:
        """In the I/O thread, where ID and epoch are always those of the last save: two saves in a row never race."""
        stored = self._desk.answer(lambda mailer: mailer.save_draft(draft, one.ref))
        one.is_at(stored)
        return stored

    async def seal(
        self, one: Kept, draft: Draft, reviewed: Review, *, undo_seconds: int, each: bool = False
    ) -> list[Submission]:
        """Seals a draft, and counts it as kept so that no late save revives it; `go_to` comes next.

        ``one``: the message that was reviewed. ``reviewed``: what the person has seen. ``each``: one submission per To.

        Raises `InvalidMessage` and `StorageError`: nothing was stored; and `DraftGone`, so that nothing goes out that
        another has just sent: the text goes on as a copy.
        """
        from tui_mailer.services.review import SealRequest

        async with self._lock:
            request = SealRequest(undo_seconds=undo_seconds, each=each, draft=one.ref, reviewed=reviewed)
            try:
                submissions = await self._desk.ask(lambda mailer: mailer.seal(draft, request))
            except DraftGone as error:
                one.draft = Draft()
                await self._save(one, draft)
                raise DraftGone(f"{error} Your text goes on as a copy: review that to send it.") from None
            one.draft = draft
            return submissions

    async def doubt(self, one: Kept) -> str:
        """What should be known before a copy is sent whose original may have been sent; empty for any other."""
        if one.is_copy_of is None or await self._has(one.is_copy_of):
            return ""
        key = self._desk.keymap.display("app.history")
        return f"The draft this is a copy of was sent or deleted elsewhere: see History ({key}), or it may go out twice"

    async def _has(self, draft_id: str) -> bool:
        try:
            await self._desk.ask(lambda mailer: mailer.draft(draft_id))
        except NotFound:
            return False
        return True


def is_recent(stored: StoredDraft, now: datetime) -> bool:
    """Says whether a draft is young enough to be mentioned at the start (30 days)."""
    return (now - stored.updated_at).days < 30
