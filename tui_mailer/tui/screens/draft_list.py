"""F8: what is unsent, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual.widget import Widget
from textual.widgets import Input

from tui_mailer.domain.errors import DraftGone, DraftOutdated
from tui_mailer.domain.text import clean
from tui_mailer.storage.draft import holds_all
from tui_mailer.storage.record import StoredDraft
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.screens.dialog import Dialog
from tui_mailer.tui.widgets.line_input import LineInput
from tui_mailer.tui.widgets.row_list import Column, Row, RowList
from tui_mailer.tui.words import say_day, say_subject

MOST_DRAFTS = 500


class DraftRows(RowList):
    """Stored drafts."""

    DEFAULT_CSS = """
    DraftRows { height: auto; min-height: 3; max-height: 15; }
    """

    def __init__(self, desk: Desk, remarks: Mapping[str, str]) -> None:
        columns = (Column(title="", width=11), Column(title="To", share=2), Column(title="Subject", share=3))
        super().__init__(columns, empty_text="no drafts", id="drafts")
        self._desk = desk
        self._remarks = remarks
        self.drafts: list[StoredDraft] = []

    def show(self, drafts: list[StoredDraft]) -> None:
        """Shows these."""
        self.drafts = drafts
        self.rows_changed()

    def draft(self, key: str) -> StoredDraft:
        """The one that is shown under a key."""
        return next(stored for stored in self.drafts if stored.id == key)

    def row_count(self) -> int:
        return len(self.drafts)

    def row(self, index: int) -> Row | None:
        stored = self.drafts[index]
        subject = say_subject(stored.draft.subject or stored.draft.body[:60])
        remark = self._remarks.get(stored.id) or ("copy" if stored.is_copy_of else "")
        return Row(
            key=stored.id,
            cells=(
                say_day(stored.updated_at, self._desk.now()),
                clean(stored.draft.to) or "(nobody yet)",
                f"{subject} ({remark})" if remark else subject,
            ),
        )


class DraftListScreen(Dialog[StoredDraft | None]):
    """Returns the draft to go on with; None when one went back."""

    place = "drafts"
    BINDINGS = bindings("drafts")
    AUTO_FOCUS = "#drafts"
    DEFAULT_CSS = """
    DraftListScreen LineInput { display: none; }
    DraftListScreen.-filtering LineInput { display: block; }
    """

    def __init__(self, desk: Desk, drafts: list[StoredDraft], *, open_ids: list[str], current: str | None) -> None:
        """``drafts``: the newest, `MOST_DRAFTS` of them where there may be more, which only the filter finds.

        ``open_ids``: the other open ones; they come first, so that Enter alone goes to the next of them.
        """
        super().__init__(desk.keymap, "Drafts: nothing of this has been sent")
        self._desk = desk
        remarks = dict.fromkeys(open_ids, "open") | ({current: "this one"} if current else {})
        rank = {draft_id: at for at, draft_id in enumerate(open_ids)}
        self._newest = sorted(drafts, key=lambda stored: rank.get(stored.id, len(rank)))
        self._words: list[str] = []
        self._rows = DraftRows(desk, remarks)
        self._asked_about: str | None = None
        self._cursor_at: str | None = None
        self.deleted: list[str] = []
        """Those that the person has deleted here."""

    def contents(self) -> Iterable[Widget]:
        yield LineInput(id="filter", placeholder="words in To, Subject or body")
        yield self._rows

    def on_mount(self) -> None:
        self._rows.show(self._newest)
        self._say_more()

    def _say_more(self) -> None:
        key = self._desk.keymap.display("drafts.filter")
        has_more = len(self._newest) >= MOST_DRAFTS and not self._words
        self.say(f"These are the newest {MOST_DRAFTS}; {key} looks through all." if has_more else "", is_quiet=True)

    def key_places(self) -> tuple[str, ...]:
        """Those of the list, too."""
        return (self.place, "list")

    def on_row_list_opened(self, event: RowList.Opened) -> None:
        self.dismiss(self._rows.draft(event.key))

    def on_row_list_cursor_moved(self) -> None:
        """What was said or asked was about another row."""
        if self._cursor_at != self._rows.cursor_key():
            self._cursor_at = self._rows.cursor_key()
            self._asked_about = None
            self._say_more()

    def action_filter(self) -> None:
        self.add_class("-filtering")
        self.set_focus(self.query_one("#filter"))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Keeps the drafts that hold every word: at once of the newest, soon of all."""
        self._words = event.value.split()
        self._rows.empty_text = "Nothing matches." if self._words else "no drafts"
        self._rows.show([stored for stored in self._newest if holds_all(stored.draft, self._words)])
        self._say_more()
        if self._words and len(self._newest) >= MOST_DRAFTS:
            self.run_worker(self._attempt(self._look_through_all(self._words)), group="filter", exclusive=True)

    async def _look_through_all(self, words: list[str]) -> None:
        found = await self._desk.ask(lambda mailer: mailer.find_drafts(words, limit=MOST_DRAFTS))
        if words == self._words:
            shown = {stored.id for stored in self._rows.drafts}
            self._rows.show([*self._rows.drafts, *(stored for stored in found if stored.id not in shown)])

    def on_input_submitted(self) -> None:
        self.set_focus(self._rows)

    def action_duplicate(self) -> None:
        """Opens a copy of the draft under the cursor."""
        key = self._rows.cursor_key()
        if key is not None:
            self.attempt(self._duplicate(key))

    async def _duplicate(self, key: str) -> None:
        original = self._rows.draft(key)
        self.dismiss(await self._desk.ask(lambda mailer: mailer.save_draft(original.draft)))

    def action_delete(self) -> None:
        """Deletes the draft under the cursor at the second press."""
        key = self._rows.cursor_key()
        if key is None:
            return
        if self._asked_about != key:
            self._asked_about = key
            self.say("Press the same key again to delete this draft for good.")
            return
        self._asked_about = None
        self.attempt(self._delete(key))

    async def _delete(self, key: str) -> None:
        seen = self._rows.draft(key)
        try:
            await self._desk.ask(lambda mailer: mailer.delete_draft(seen.ref))
        except DraftOutdated:
            fresh = await self._desk.ask(lambda mailer: mailer.draft(key))
            self._newest = [fresh if stored.id == key else stored for stored in self._newest]
            self._rows.show([fresh if stored.id == key else stored for stored in self._rows.drafts])
            self.say("It was changed elsewhere since you opened this list, so it was left: this is how it is now.")
            return
        except DraftGone:
            pass  # as good
        self.deleted.append(key)
        self._newest = [stored for stored in self._newest if stored.id != key]
        self._rows.show([stored for stored in self._rows.drafts if stored.id != key])
        self._say_more()
