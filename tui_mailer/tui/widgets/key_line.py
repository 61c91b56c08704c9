"""The last row: what the keys do here, from the action table."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text
from textual.widget import Widget

from tui_mailer.tui.action import Action, Keymap

_ALWAYS = ("app.help", "app.quit", "dialog.back")
"""Kept at the end of the line however narrow it is."""


class KeyLine(Widget, inherit_css=False):
    """As many keys as fit; the ways out, and to help, always among them."""

    DEFAULT_CSS = """
    KeyLine { height: 1; width: 100%; background: $panel; color: $foreground; }
    KeyLine:ansi { background: ansi_default; text-style: none; }
    """

    def __init__(
        self,
        keymap: Keymap,
        *places: str,
        asleep: frozenset[str] = frozenset(),
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """``labels`` says by the action's ID what it is called here, where not as in the table."""
        super().__init__()
        self._labels = labels or {}
        self._asleep = asleep
        self._keymap = keymap
        self._places = places
        self._needed = ("", "")

    def need(self, action_id: str, label: str = "") -> None:
        """Keeps an action in the line, others giving way where it is narrow; its place in it stays.

        ``label`` is what it is called meanwhile, where not as ever; no ID: every action is like another.
        """
        if (action_id, label) != self._needed:
            self._needed = action_id, label
            self.refresh()

    def render(self) -> Text:
        """``^S Send  ^L Later ...``, keys in bold."""
        shown = [
            action
            for action in self._keymap.actions_of(*self._places)
            if action.is_shown and action.id not in self._asleep and self._keymap.keys(action.id)
        ]
        last = [action for action in shown if action.id in _ALWAYS]
        needed = [action for action in shown if action.id == self._needed[0]]
        room = self.size.width - sum(self._width(action) for action in (*last, *needed))
        text = Text(no_wrap=True, overflow="crop")
        for action in shown:
            if action in last:
                continue
            if action in needed:
                self._append(text, action)
            elif self._width(action) <= room:
                room -= self._width(action)
                self._append(text, action)
        for action in last:
            self._append(text, action)
        return text

    def _width(self, action: Action) -> int:
        return len(self._keymap.display(action.id)) + len(self._label(action)) + 3

    def _label(self, action: Action) -> str:
        needed, label = self._needed
        return (label if action.id == needed else "") or self._labels.get(action.id, action.label)

    def _append(self, text: Text, action: Action) -> None:
        text.append(f" {self._keymap.display(action.id)}", "bold")
        text.append(f" {self._label(action)} ")
