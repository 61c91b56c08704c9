"""The body editor: Textual's TextArea, quiet, with Tab moving on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual import events
from textual._text_area_theme import TextAreaTheme
from textual.cache import LRUCache
from textual.document._wrapped_document import WrappedDocument
from textual.strip import Strip
from textual.widgets import TextArea

from tui_mailer.tui.widgets.editing_keys import OF_TEXT_AREA, keep_cut, take_own_keys
from tui_mailer.tui.widgets.keys_in_order import act_at_once
from tui_mailer.tui.widgets.paste import Pasted

if TYPE_CHECKING:
    from textual.widgets.text_area import EditResult, Location

MOST_ROWS_KEPT = 1024
_NOTHING_SPECIAL = Style()
_PROSE = TextAreaTheme(
    name="prose",
    gutter_style=_NOTHING_SPECIAL,
    cursor_line_style=_NOTHING_SPECIAL,
    cursor_line_gutter_style=_NOTHING_SPECIAL,
    bracket_matching_style=_NOTHING_SPECIAL,
)
"""What only code has is looked for in no style sheet."""


class _SwiftDocument(WrappedDocument):
    """Knows its height without adding up its lines, which Textual does for every row it paints."""

    @property
    def height(self) -> int:
        """Rows when wrapped."""
        return len(self._offset_to_line_info)


class BodyArea(TextArea, inherit_css=False):
    """Prose: soft wrap, no line numbers, no blink, no bracket hunting (it costs up to 200 ms in a megabyte)."""

    # In place of Textual's own, which is read and applied before the first frame for looks that prose has none of.
    COMPONENT_CLASSES: ClassVar[set[str]] = {"text-area--cursor", "text-area--selection"}
    DEFAULT_CSS = """
    BodyArea {
        width: 1fr; height: 1fr; color: $foreground; overflow: auto; scrollbar-size: 1 1;
        scrollbar-color: $scrollbar; scrollbar-color-active: $scrollbar-active; scrollbar-color-hover: $scrollbar-hover;
        scrollbar-background: $scrollbar-background; scrollbar-background-hover: $scrollbar-background-hover;
        scrollbar-background-active: $scrollbar-background-active; scrollbar-corner-color: $scrollbar-corner-color;
    }
    BodyArea > .text-area--cursor { color: $foreground; text-style: reverse; }
    BodyArea > .text-area--selection { background: $input-selection-background; color: $input-selection-foreground; }
    BodyArea:ansi > .text-area--cursor { color: ansi_default; }
    BodyArea:ansi > .text-area--selection { background: transparent; text-style: reverse; }
    """

    def __init__(self, text: str = "", *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(
            text,
            id=id,
            soft_wrap=True,
            tab_behavior="focus",
            show_line_numbers=False,
            compact=True,
            highlight_cursor_line=False,
        )
        self.register_theme(_PROSE)
        self.theme = _PROSE.name
        self.cursor_blink = False
        self.match_cursor_bracket = False
        self.deleted = ""
        self.cut_mark: object = None
        self._rows: LRUCache[tuple[object, ...], Strip] = LRUCache(MOST_ROWS_KEPT)

    def _set_document(self, text: str, language: str | None) -> None:
        super()._set_document(text, language)
        self.wrapped_document.__class__ = _SwiftDocument

    @property
    def _draw_cursor(self) -> bool:
        shows_own = getattr(self.app, "shows_terminal_cursor", False)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  # Textual leaves it App[Unknown]
        return super()._draw_cursor and not shows_own

    def render_line(self, y: int) -> Strip:
        """Paints a row; one with the same text, cursor and selection as before is the strip it was.

        Textual's own memory is keyed by the whole selection: every row would be made anew for every key.
        """
        rows = self.wrapped_document._offset_to_line_info  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001  # the rows as they are
        at = y + self.scroll_offset.y
        if at >= len(rows) or self.suggestion or self.placeholder:
            return super()._render_line(y)
        index, section = rows[at]
        start, end = self.selection
        first, last = sorted((start[0], end[0]))
        theme = self._theme
        key = (
            self.document.get_line(index),
            section,
            *self.wrapped_document.get_offsets(index),
            None,
            self.scrollable_content_region.width,
            (end[1], self._draw_cursor) if end[0] == index else None,
            (start[0] - index, start[1], end[0] - index, end[1]) if start != end and first <= index <= last else None,
            (theme.base_style, theme.cursor_style, theme.selection_style) if theme else None,
        )
        strip = self._rows.get(key)
        if strip is None:
            strip = self._rows[key] = super()._render_line(y)
        return strip

    def on_mount(self) -> None:
        take_own_keys(self, self._bindings, OF_TEXT_AREA)

    def cut_state(self) -> object:
        """Caret, its line, and how many there are: enough to tell, without the whole text."""
        return self.selection, self.document.get_line(self.cursor_location[0]), self.document.line_count

    def delete(self, start: Location, end: Location, *, maintain_selection_offset: bool = True) -> EditResult:
        """Deletes, and remembers what."""
        edit = super().delete(start, end, maintain_selection_offset=maintain_selection_offset)
        self.deleted = edit.replaced_text
        return edit

    def action_delete_to_start_of_line(self) -> None:
        self._cut(super().action_delete_to_start_of_line, is_backward=True)

    def action_delete_word_left(self) -> None:
        self._cut(super().action_delete_word_left, is_backward=True)

    def action_delete_word_right(self) -> None:
        self._cut(super().action_delete_word_right)

    async def action_delete_to_end_of_line_or_delete_line(self) -> None:
        before, self.deleted = self.cut_state(), ""
        await super().action_delete_to_end_of_line_or_delete_line()
        keep_cut(self, before, is_backward=False)

    def _cut(self, delete: Callable[[], None], *, is_backward: bool = False) -> None:
        before, self.deleted = self.cut_state(), ""
        delete()
        keep_cut(self, before, is_backward=is_backward)

    async def _on_key(self, event: events.Key) -> None:
        await act_at_once(self, self._bindings, event)

    def on_paste(self, event: events.Paste) -> None:
        """The text goes in as ever; who listens may offer something better to do with it."""
        event.stop()
        self.post_message(Pasted(self, event.text, "\n".join(event.text.splitlines())))
