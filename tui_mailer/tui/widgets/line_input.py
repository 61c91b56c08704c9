"""One-row text fields that keep everything that is pasted into them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Input

from tui_mailer.domain.text import clean
from tui_mailer.tui.widgets.editing_keys import OF_INPUT, keep_cut, take_own_keys
from tui_mailer.tui.widgets.keys_in_order import act_at_once
from tui_mailer.tui.widgets.paste import Pasted

_QUOTED = r'"(?:\\.|[^"\\])*"'
"""Not compiled before it is needed: a start would wait for it."""


class LineInput(Input, inherit_css=False):
    """A one-row field without border or blink; line ends in a paste become ``joiner``."""

    joiner = " "

    BINDINGS: ClassVar[list[BindingType]] = [
        # Textual's deletes the word to the right, in a field only.
        Binding("ctrl+backspace,alt+backspace", "delete_left_word", show=False)
    ]
    # In place of Textual's own, which is read and applied before the first frame for looks that a row has none of.
    COMPONENT_CLASSES: ClassVar[set[str]] = {"input--cursor", "input--placeholder", "input--selection"}
    DEFAULT_CSS = """
    LineInput { width: 100%; height: 1; color: $foreground; overflow: auto; scrollbar-size: 0 0; }
    LineInput > .input--cursor { color: $foreground; text-style: reverse; }
    LineInput > .input--placeholder { color: $text-disabled; }
    LineInput > .input--selection { background: $input-selection-background; color: $input-selection-foreground; }
    LineInput:ansi, LineInput:ansi > .input--cursor { color: ansi_default; }
    LineInput:ansi > .input--placeholder { color: ansi_default; text-style: dim; }
    """

    def __init__(
        self,
        value: str = "",
        *,
        id: str | None = None,  # noqa: A002  # Textual's own name
        placeholder: str = "",
        password: bool = False,
    ) -> None:
        super().__init__(value, placeholder=placeholder, password=password, id=id, compact=True, select_on_focus=False)
        self.cursor_blink = False
        self.deleted = ""
        self.cut_mark: object = None

    def joined(self, pasted: str) -> str:
        """Makes one line of what was pasted, keeping all of it."""
        lines = [clean(line).strip() for line in pasted.splitlines()]
        return self.joiner.join(line for line in lines if line)

    def on_mount(self) -> None:
        take_own_keys(self, self._bindings, OF_INPUT)

    def cut_state(self) -> object:
        """Text and caret."""
        return self.value, self.selection

    def delete(self, start: int, end: int) -> None:
        """Deletes, and remembers what; a secret is nobody's to paste."""
        first, last = sorted((start, end))
        self.deleted = "" if self.password else self.value[first:last]
        super().delete(start, end)

    def action_delete_left_all(self) -> None:
        self._cut(super().action_delete_left_all, is_backward=True)

    def action_delete_left_word(self) -> None:
        self._cut(super().action_delete_left_word, is_backward=True)

    def action_delete_right_all(self) -> None:
        self._cut(super().action_delete_right_all)

    def action_delete_right_word(self) -> None:
        self._cut(super().action_delete_right_word)

    def _cut(self, delete: Callable[[], None], *, is_backward: bool = False) -> None:
        before, self.deleted = self.cut_state(), ""
        delete()
        keep_cut(self, before, is_backward=is_backward)

    def action_cut(self) -> None:
        """Cuts what is marked; with nothing marked the clipboards keep what they have."""
        if self.selected_text:
            super().action_cut()

    def action_paste(self) -> None:
        """Writes what was cut or copied in the app, as one line."""
        if text := self.joined(self.app.clipboard):  # pyright: ignore[reportUnknownMemberType]  # Textual leaves it App[Unknown]
            self.replace(text, *self.selection)

    def validate__cursor_visible(self, is_visible: bool) -> bool:
        """Paints no cursor where the terminal shows its own."""
        return is_visible and not getattr(self.app, "shows_terminal_cursor", False)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  # Textual leaves it App[Unknown]

    @property
    def cursor_screen_offset(self) -> Offset:
        """Where the caret is on the screen; Textual's own answer is a cell too far at the end of the text."""
        offset = super().cursor_screen_offset
        return offset - (1, 0) if self.cursor_at_end else offset

    def render_line(self, y: int) -> Strip:
        """Paints the row; blanks behind a placeholder by the same pen as behind text, which spares bytes."""
        return super().render_line(y).extend_cell_length(self.size.width, self.rich_style)

    async def _on_key(self, event: events.Key) -> None:
        await act_at_once(self, self._bindings, event)

    def _on_paste(self, event: events.Paste) -> None:
        # Input's own handler keeps the first line only, and has none to keep in a paste of one line end.
        event.stop()
        event.prevent_default()
        text = self.joined(event.text) if "\n" in event.text or "\r" in event.text else clean(event.text)
        if text:
            self.take_in(event.text, text)

    def take_in(self, pasted: str, text: str) -> None:
        """Writes ``text`` for a paste where the cursor is, and tells of it."""
        if self.selection.is_empty:
            self.insert_text_at_cursor(text)
        else:
            self.replace(text, *self.selection)
        self.post_message(Pasted(self, pasted, text))


class AddressInput(LineInput):
    """A field for an address list: pasted lines become a list, and people are proposed for the one being typed."""

    joiner = ", "

    class Proposed(Message):
        """What the field proposes has changed; empty: nothing."""

        def __init__(self, field: AddressInput, text: str) -> None:
            super().__init__()
            self.field = field
            self.text = text

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id)
        self._proposals: list[str] = []
        self._proposed_for = ""
        self._at = 0

    def joined(self, pasted: str) -> str:
        """Joins lines by commas, doubling none that is there already."""
        lines = [clean(line).strip().strip(",;").strip() for line in pasted.splitlines()]
        return self.joiner.join(line for line in lines if line)

    def count(self) -> int:
        """Entries, the one being typed included; what stands in quotes separates none."""
        return sum(1 for entry in re.split("[,;]", re.sub(_QUOTED, "", self.value)) if entry.strip())

    def entry(self) -> str:
        """The address being typed at the end of the field; empty when the cursor is elsewhere."""
        return self.value[self._entry_start() :] if self.cursor_at_end else ""

    def propose(self, typed: str, people: list[str]) -> None:
        """Proposes people for what was typed, unless something else is typed by now."""
        if typed and typed != self.entry():
            return
        if (typed, people) != (self._proposed_for, self._proposals):
            self._proposed_for, self._proposals, self._at = typed, people, 0
            self._tell()

    def action_cursor_right(self, select: bool = False) -> None:
        """At the end of the text takes the proposal."""
        if select or not self._proposals or self._proposed_for != self.entry():
            super().action_cursor_right(select)
            return
        start = self._entry_start()
        blank = " " if start and not self.value[:start].endswith(" ") else ""
        taken, self._proposals = self._proposals[self._at], []
        self.value = f"{self.value[:start]}{blank}{taken}"
        self.cursor_position = len(self.value)
        self._tell()

    async def _on_key(self, event: events.Key) -> None:
        if event.key in {"up", "down"} and self._proposals and self._proposed_for == self.entry():
            event.stop()
            event.prevent_default()
            self._at = (self._at + (1 if event.key == "down" else -1)) % len(self._proposals)
            self._tell()
            return
        await super()._on_key(event)

    def _entry_start(self) -> int:
        """Where the last address begins: after the last comma that no quotes hold."""
        start, is_quoted = 0, False
        for at, character in enumerate(self.value):
            if character == '"' and self.value[at - 1 : at] != "\\":
                is_quoted = not is_quoted
            elif character in ",;" and not is_quoted:
                start = at + 1
        return start

    def _tell(self) -> None:
        count = len(self._proposals)
        more = f"  ↓ {self._at + 1}/{count}" if count > 1 else ""
        self.post_message(self.Proposed(self, f"→ {self._proposals[self._at]}{more}" if count else ""))
