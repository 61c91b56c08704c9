"""The body editor: Textual's TextArea, quiet, with Tab moving on."""

from __future__ import annotations

from textual import events
from textual.widgets import TextArea

from tui_mailer.tui.widgets.editing_keys import OF_TEXT_AREA, take_own_keys
from tui_mailer.tui.widgets.keys_in_order import act_at_once
from tui_mailer.tui.widgets.paste import Pasted


class BodyArea(TextArea):
    """Prose: soft wrap, no line numbers, no blink, no bracket hunting (it costs up to 200 ms in a megabyte)."""

    DEFAULT_CSS = """
    BodyArea, BodyArea:focus { border: none; padding: 0; height: 1fr; background: transparent; }
    BodyArea { scrollbar-size-vertical: 1; }
    BodyArea:dark .text-area--cursor, BodyArea:light .text-area--cursor, BodyArea:ansi .text-area--cursor {
        color: $foreground; background: transparent; text-style: reverse;
    }
    BodyArea:ansi .text-area--cursor { color: ansi_default; }
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
        self.cursor_blink = False
        self.match_cursor_bracket = False

    def on_mount(self) -> None:
        take_own_keys(self, self._bindings, OF_TEXT_AREA)

    async def _on_key(self, event: events.Key) -> None:
        await act_at_once(self, self._bindings, event)

    def on_paste(self, event: events.Paste) -> None:
        """The text goes in as ever; who listens may offer something better to do with it."""
        event.stop()
        self.post_message(Pasted(self, event.text, "\n".join(event.text.splitlines())))
