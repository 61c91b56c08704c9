"""The messages on the compose screen: which one stands in the form, which are open beside it, going among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import NotFound
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.draft_keeper import DraftKeeper
from tui_mailer.tui.open_drafts import OpenDrafts
from tui_mailer.tui.widgets.compose_form import ComposeForm

if TYPE_CHECKING:
    from tui_mailer.storage.record import StoredDraft


class DraftBoard:
    """Every move saves first what was being written; each raises `StorageError` before anything is changed."""

    def __init__(self, desk: Desk, form: ComposeForm, keeper: DraftKeeper) -> None:
        self._desk = desk
        self._form = form
        self._keeper = keeper
        self._open = OpenDrafts(desk.status)

    async def save(self) -> None:
        """Saves the draft as it stands, all keys read."""
        await self._form.read_all_keys()
        await self._keeper.save(self._form.read())
        self._open.stored(self._keeper.draft_id)

    def others(self) -> list[str]:
        """The stored drafts that are open beside the one being written, the next one first."""
        return self._open.others()

    async def open(self, stored: StoredDraft) -> None:
        """Goes on with a stored draft; what was being written stays open."""
        if stored.id == self._keeper.draft_id:
            return
        await self._leave()
        self._keeper.adopt(stored)
        self._form.show(stored.draft)
        self._desk.status.say("")
        place = self._open.go_to(stored.id)
        body = self._form.body
        body.move_cursor(place.at if place and place.at else body.document.end)
        usual = "body" if stored.draft.to and stored.draft.subject else "to"
        self._form.focus_field(place.field if place else usual)

    async def start_new(self) -> None:
        """An empty form; what was being written stays open."""
        await self._leave()
        self._show_empty()

    async def put_away(self) -> None:
        """An empty form; what was being written is kept as a draft and no longer open."""
        had_text = not self._form.read().is_empty()
        await self.save()
        self.empty()
        if had_text:
            self._desk.status.say(f"draft kept: {self._desk.keymap.display('app.drafts')} opens it")

    def empty(self) -> None:
        """An empty form; what was being written has been put away or sealed."""
        self._open.close(self._keeper.draft_id)
        self._show_empty()

    async def go_to_next(self) -> None:
        """Goes to the next open message."""
        await self.save()
        for draft_id in self._open.others():
            try:
                stored = await self._desk.ask(lambda mailer, draft_id=draft_id: mailer.draft(draft_id))
            except NotFound:
                self._open.close(draft_id)  # sent or deleted elsewhere
                continue
            await self.open(stored)
            return
        new, drafts = (self._desk.keymap.display(name) for name in ("app.new", "app.drafts"))
        self._desk.status.say(f"no other message is open: {new} starts one, {drafts} opens a draft")

    async def duplicate(self) -> None:
        """Starts a copy of what is being written, which stays open."""
        await self._leave()
        draft = self._form.read()
        self._show_empty()
        self._form.show(draft)
        await self.save()
        self._desk.status.say("this is a copy; the other one is kept as a draft")

    async def _leave(self) -> None:
        await self.save()
        self._open.leave(self._keeper.draft_id, self._form.place())

    def _show_empty(self) -> None:
        self._keeper.forget()
        self._form.show(Draft())
        self._form.focus_field("to")
        self._open.go_to(None)
