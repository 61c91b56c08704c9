"""Gives a text field the keys that the keymap has for moving and deleting in it, and keeps what they delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, cast

from textual.binding import Binding, BindingsMap
from textual.widget import Widget

from tui_mailer.tui.action import Keymap

OF_INPUT: Mapping[str, str] = {
    "left": "cursor_left",
    "right": "cursor_right",
    "word-left": "cursor_left_word",
    "word-right": "cursor_right_word",
    "line-start": "home",
    "line-end": "end",
    "delete": "delete_right",
    "delete-word": "delete_right_word",
    "delete-to-start": "delete_left_all",
    "delete-to-end": "delete_right_all",
    "paste": "paste",
}
OF_TEXT_AREA: Mapping[str, str] = {
    "left": "cursor_left",
    "right": "cursor_right",
    "up": "cursor_up",
    "down": "cursor_down",
    "word-left": "cursor_word_left",
    "word-right": "cursor_word_right",
    "line-start": "cursor_line_start",
    "line-end": "cursor_line_end",
    "page-up": "cursor_page_up",
    "page-down": "cursor_page_down",
    "delete": "delete_right",
    "delete-word": "delete_word_right",
    "delete-to-start": "delete_to_start_of_line",
    "delete-to-end": "delete_to_end_of_line_or_delete_line",
    "paste": "paste",
    "undo": "undo",
    "redo": "redo",
}
"""``text.NAME`` -> the action Textual's widget has for it."""


class _Desk(Protocol):
    keymap: Keymap


class _Shell(Protocol):
    desk: _Desk
    clipboard: str

    def keep_cut(self, text: str) -> None: ...


class Cutting(Protocol):
    """A text field whose keys that delete a word or a line keep it for the key that pastes."""

    deleted: str
    """What was deleted last."""
    cut_mark: object
    """How things stood after the last cut: one that follows it at once belongs to it."""

    def cut_state(self) -> object:
        """What differs once anything was typed or the cursor moved since."""
        ...


def keep_cut(field: Cutting, before: object, *, is_backward: bool) -> None:
    """Keeps what was deleted since ``before`` (`Cutting.cut_state`); cuts that follow each other add up."""
    shell, taken = cast("_Shell", cast("Widget", field).app), field.deleted  # pyright: ignore[reportUnknownMemberType]  # Textual leaves it App[Unknown]
    field.deleted = ""
    if not taken:
        return
    if field.cut_mark == (before, shell.clipboard):
        taken = f"{taken}{shell.clipboard}" if is_backward else f"{shell.clipboard}{taken}"
    shell.keep_cut(taken)
    field.cut_mark = (field.cut_state(), taken)


def take_own_keys(field: Widget, own: BindingsMap, verbs: Mapping[str, str]) -> None:
    """Puts the keymap's keys in the place of the widget's own, where they differ."""
    keymap = cast("_Shell", field.app).desk.keymap  # pyright: ignore[reportUnknownMemberType]  # Textual leaves it App[Unknown]
    changed = [action for action in keymap.changed_in("text") if action.id.partition(".")[2] in verbs]
    for action in changed:
        for key in action.keys:
            own.key_to_bindings.pop(key, None)
    for action in changed:
        verb = verbs[action.id.partition(".")[2]]
        for key in keymap.keys(action.id):
            own.key_to_bindings[key] = [Binding(key, verb, show=False)]
