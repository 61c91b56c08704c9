"""Textual apps with nothing behind them: what ours is measured against.

python benchmarks/reference_app.py empty|widgets|body [FILE]
"""

from __future__ import annotations

import sys
from pathlib import Path

from textual.app import App, ComposeResult
from textual.widgets import Static

if sys.argv[1] != "empty":
    from textual.containers import Horizontal
    from textual.widgets import Input, TextArea


class Empty(App[None]):
    """One line of text."""

    def compose(self) -> ComposeResult:
        yield Static("ready")


class Widgets(App[None]):
    """The widgets of a compose form: labels, one-row fields, a body, a status line, a key line."""

    CSS = "Horizontal { height: 1; } .label { width: 9; } TextArea { height: 1fr; border: none; }"

    def compose(self) -> ComposeResult:
        yield Static("[Compose]  Outbox   History", markup=False)
        for label in ("From", "To", "Cc", "Bcc", "Reply-To", "Subject"):
            with Horizontal():
                yield Static(label, classes="label")
                yield Input(compact=True, id=label.lower())
        body = TextArea(soft_wrap=True)
        body.cursor_blink = False
        yield body
        for label in ("Attach", "When"):
            with Horizontal():
                yield Static(label, classes="label")
                yield Input(compact=True)
        yield Static("ready")
        yield Static(" ^S Send  ^Q Quit", markup=False)

    def on_mount(self) -> None:
        for field in self.query(Input):
            field.cursor_blink = False
        self.query_one("#to").focus()


class Body(App[None]):
    """A bare TextArea with a text in it, the cursor in its middle."""

    CSS = "TextArea { border: none; }"

    def compose(self) -> ComposeResult:
        area = TextArea(Path(sys.argv[2]).read_text(), soft_wrap=True)
        area.cursor_blink = False
        yield area

    def on_mount(self) -> None:
        area = self.query_one(TextArea)
        area.focus()
        area.move_cursor((area.document.line_count // 2, 0))
        self.call_after_refresh(area.scroll_cursor_visible)


APPS = {"empty": Empty, "widgets": Widgets, "body": Body}

if __name__ == "__main__":
    app = APPS[sys.argv[1]]()
    app.animation_level = "none"
    app.run()
