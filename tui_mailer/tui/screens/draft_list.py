"""F8: what is unsent, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual.widget import Widget
from textual.widgets import Input

from tui_mailer.domain.text import clean
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
        """``open_ids``: the other open ones; they come first, so that Enter alone goes to the next of them."""
        super().__init__(desk.keymap, "Drafts: nothing of this has been sent")
        self._desk = desk
        remarks = dict.fromkeys(open_ids, "open") | ({current: "this one"} if current else {})
        rank = {draft_id: at for at, draft_id in enumerate(open_ids)}
        self._all = sorted(drafts, key=lambda stored: rank.get(stored.id, len(rank)))
        self._rows = DraftRows(desk, remarks)
        self._asked_about: str | None = None

    def contents(self) -> Iterable[Widget]:
        yield LineInput(id="filter", placeholder="words in To, Subject or body")
        yield self._rows

    def on_mount(self) -> None:
        self._rows.show(self._all)

    def key_places(self) -> tuple[str, ...]:
        """Those of the list, too."""
        return (self.place, "list")

    def on_row_list_opened(self, event: RowList.Opened) -> None:
        self.dismiss(next(stored for stored in self._all if stored.id == event.key))

    def on_row_list_cursor_moved(self) -> None:
        self._asked_about = None
        self.say("")

    def action_filter(self) -> None:
        self.add_class("-filtering")
        self.set_focus(self.query_one("#filter"))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Keeps the drafts that hold every word."""
        words = event.value.casefold().split()
        self._rows.show(
            [
                stored
                for stored in self._all
                if all(
                    word in f"{stored.draft.to} {stored.draft.cc} {stored.draft.subject} {stored.draft.body}".casefold()
                    for word in words
                )
            ]
        )

    def on_input_submitted(self) -> None:
        self.set_focus(self._rows)

    def action_duplicate(self) -> None:
        """Opens a copy of the draft under the cursor."""
        key = self._rows.cursor_key()
        if key is not None:
            self.attempt(self._duplicate(key))

    async def _duplicate(self, key: str) -> None:
        original = next(stored for stored in self._all if stored.id == key)
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
        await self._desk.ask(lambda mailer: mailer.delete_draft(key))
        self._all = [stored for stored in self._all if stored.id != key]
        self._rows.show([stored for stored in self._rows.drafts if stored.id != key])
        self.say("")
