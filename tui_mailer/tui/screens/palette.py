"""The command palette: Textual's, in the looks and the quiet of our dialogs."""

from __future__ import annotations

from contextlib import suppress

from textual.command import CommandPalette
from textual.widgets import Input

from tui_mailer.tui.screens.left_once import LeftOnce


class Palette(CommandPalette, LeftOnce[None]):  # pyright: ignore[reportIncompatibleMethodOverride]  # so are theirs
    """No veil over what is behind, no blinking cursor, no wider than a dialog: all of these go over the line."""

    DEFAULT_CSS = """
    Palette, Palette:ansi { background: transparent; }
    Palette > Vertical { width: 78; max-width: 100%; }
    Palette Input > .input--cursor { color: $foreground; background: transparent; text-style: reverse; }
    """

    def on_mount(self) -> None:
        self.query_one(Input).cursor_blink = False

    def _action_command_list(self, action: str) -> None:
        """Nothing where the list hasn't been laid out yet: Textual's looks for lines it doesn't have."""
        with suppress(LookupError):
            super()._action_command_list(action)
