"""The command palette: Textual's, in the looks and the quiet of our dialogs."""

from __future__ import annotations

from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.message import Message
from textual.widgets import Input, OptionList


class Palette(CommandPalette):
    """No veil over what is behind, no blinking cursor, no wider than a dialog: all of these go over the line."""

    DEFAULT_CSS = """
    Palette, Palette:ansi { background: transparent; }
    Palette > Vertical { width: 78; max-width: 100%; }
    Palette Input > .input--cursor { color: $foreground; background: transparent; text-style: reverse; }
    """

    _is_left = False

    def on_mount(self) -> None:
        self.query_one(Input).cursor_blink = False

    def dismiss(self, result: object | None = None) -> AwaitComplete:
        """Leaves the palette, once, whatever was typed ahead."""
        if self._is_left:
            return AwaitComplete.nothing()
        self._is_left = True
        return super().dismiss(result)  # pyright: ignore[reportArgumentType]  # passed on as it came

    async def _on_message(self, message: Message) -> None:
        """A second Enter, typed before the first had its effect, doesn't run the command again."""
        if not (self._is_left and isinstance(message, OptionList.OptionSelected | Input.Submitted)):
            await super()._on_message(message)
