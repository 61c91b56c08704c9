"""The command palette: Textual's, in the looks and the quiet of our dialogs."""

from __future__ import annotations

from contextlib import suppress
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.command import CommandList, CommandPalette
from textual.containers import Vertical
from textual.widgets import Input

from tui_mailer.tui.screens.left_once import LeftOnce

ROOMY_ROWS = 24


class Palette(CommandPalette, LeftOnce[None]):  # pyright: ignore[reportIncompatibleMethodOverride]  # so are theirs
    """No veil over what is behind, no blinking cursor, no wider than a dialog: all of these go over the line."""

    DEFAULT_CSS = """
    Palette, Palette:ansi { background: transparent; }
    Palette > Vertical { width: 78; max-width: 100%; }
    Palette Input > .input--cursor { color: $foreground; background: transparent; text-style: reverse; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority: the line one types into is short, and would keep them to itself.
        Binding("end", "command_list('last')", show=False, priority=True),
        Binding("home", "command_list('first')", show=False, priority=True),
    ]

    def on_mount(self) -> None:
        self.query_one(Input).cursor_blink = False

    def on_resize(self, event: events.Resize) -> None:
        """The list ends above the key line; where there is little room, nothing is left free above."""
        margin = 3 if event.size.height >= ROOMY_ROWS else 0
        self.query_one(Vertical).styles.margin = (margin, 0, 0, 0)
        self.query_one(CommandList).styles.max_height = max(3, event.size.height - margin - 5)

    def _action_command_list(self, action: str) -> None:
        """Nothing where the list hasn't been laid out yet: Textual's looks for lines it doesn't have."""
        with suppress(LookupError):
            super()._action_command_list(action)
