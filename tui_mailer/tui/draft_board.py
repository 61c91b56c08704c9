"""The messages on the compose screen: which one stands in the form, which are open beside it, going among them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import NotFound
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.draft_keeper import DraftKeeper, Kept
from tui_mailer.tui.open_drafts import OpenDrafts
from tui_mailer.tui.widgets.compose_form import ComposeForm


class DraftBoard:
    """Every move saves first what was being written; each raises `StorageError` before anything is changed."""

    def __init__(self, desk: Desk, form: ComposeForm, keeper: DraftKeeper) -> None:
        self._desk = desk
        self._form = form
        self._keeper = keeper
        self._open = OpenDrafts(desk.status)

    async def save(self, *, is_put_away: bool = False) -> None:
        """Saves the draft as it stands, all keys read; ``is_put_away`` as of `DraftKeeper.save`."""
        await self._form.read_all_keys()
        await self._keeper.save(self._form.read(), is_put_away=is_put_away)
        self._open.stored(self._keeper.draft_id)

    def others(self) -> list[str]:
        """The stored drafts that are open beside the one being written, the next one first."""
        return self._open.others()

    async def open(self, draft_id: str, *, is_wanted: Callable[[], bool] = lambda: True) -> bool:
        """Goes on with a stored draft; what was being written stays open.

        Says whether it is in the form now: not if it isn't wanted any more once the other is saved. Raises `NotFound`.
        """
        if draft_id == self._keeper.draft_id:
            return True
        stored = await self._desk.ask(lambda mailer: mailer.draft(draft_id))
        await self._leave()
        if not is_wanted():
            return False
        self._keeper.go_to(stored, lambda: self._form.show(stored.draft))
        self._desk.status.say("")
        place = self._open.go_to(stored.id)
        body = self._form.body
        body.move_cursor(place.at if place and place.at else body.document.end)
        usual = "body" if stored.draft.to and stored.draft.subject else "to"
        self._form.focus_field(place.field if place else usual)
        return True

    async def start_new(self) -> None:
        """An empty form; what was being written stays open."""
        await self._leave()
        self._show_empty()

    async def put_away(self) -> None:
        """An empty form; what was being written is kept as a draft and no longer open."""
        had_text = not self._form.read().is_empty()
        await self._leave()
        self._close(self._keeper.draft_id)
        if had_text:
            self._desk.status.say(f"draft kept: {self._desk.keymap.display('app.drafts')} opens it")

    def sealed(self, one: Kept) -> None:
        """An empty form, if a message that has just been sealed still stands there."""
        if one is self._keeper.writing:
            self._close(one.draft_id)

    def deleted(self, draft_ids: Iterable[str]) -> None:
        """Drafts were deleted by the person: none of them is open any more, nor in the form."""
        for draft_id in draft_ids:
            if draft_id == self._keeper.draft_id:
                self._close(draft_id)
            else:
                self._open.close(draft_id)

    def _close(self, draft_id: str | None) -> None:
        self._open.close(draft_id)
        self._show_empty()

    async def go_to_next(self) -> None:
        """Goes to the next open message."""
        await self.save()
        for draft_id in self._open.others():
            try:
                await self.open(draft_id)
            except NotFound:
                self._open.close(draft_id)  # sent or deleted elsewhere
                continue
            return
        new, drafts = (self._desk.keymap.display(name) for name in ("app.new", "app.drafts"))
        self._desk.status.say(f"no other message is open: {new} starts one, {drafts} opens a draft")

    async def duplicate(self) -> None:
        """Starts a copy of what is being written, which stays open."""
        await self._leave()
        draft = self._form.read()
        self._show_empty(draft)
        await self.save()
        self._desk.status.say("this is a copy; the other one is kept as a draft")

    async def _leave(self) -> None:
        """Saves until nothing has been typed meanwhile; what comes next must change the form before the next await."""
        await self.save(is_put_away=True)
        while not self._keeper.has(self._form.read()):
            await self.save()
        self._open.leave(self._keeper.draft_id, self._form.place())

    def _show_empty(self, draft: Draft | None = None) -> None:
        self._keeper.go_to(None, lambda: self._form.show(draft or Draft()))
        self._form.focus_field("to")
        self._open.go_to(None)
