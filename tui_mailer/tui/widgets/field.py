"""A row of the form: label, control, a quiet remark beside it; in rows of their own what is wrong, and a note."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from tui_mailer.domain.text import clean
from tui_mailer.tui.app_words import in_the_app
from tui_mailer.tui.widgets.line_input import AddressInput


class Field(Vertical):
    """One labelled control."""

    DEFAULT_CSS = """
    Field { height: auto; }
    Field > Horizontal { height: 1; }
    Field .label { width: 9; color: $text-muted; }
    Field.-closed .label { text-style: strike; }
    Field LineInput { width: 1fr; }
    Field .remark { width: auto; max-width: 60%; color: $text-muted; padding: 0 0 0 1; }
    Field .note { color: $text-muted; padding: 0 0 0 9; height: auto; }
    Field .wrong { color: $text-error; text-style: bold; padding: 0 0 0 9; height: auto; }
    """

    def __init__(self, label: str, control: Widget, *, id: str | None = None, classes: str = "") -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id, classes=classes)
        self._label = label
        self._control = control
        self._remark = Static(markup=False, classes="remark")
        self._rows: dict[str, Static] = {}
        self._said = ""

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static(Text(self._label), classes="label")
            yield self._control
            yield self._remark

    @property
    def is_wrong(self) -> bool:
        """Whether an error is shown."""
        return "wrong" in self._rows

    def show_wrong(self, text: str) -> None:
        """Says under the control what is wrong; empty: nothing is."""
        self._show_under("wrong", text)

    def show_note(self, text: str) -> None:
        """Says something quiet under the control; empty takes it away."""
        self._show_under("note", text)

    def _show_under(self, kind: str, text: str) -> None:
        row = self._rows.get(kind)
        if not text:
            if row is not None:
                self._rows.pop(kind).remove()
            return
        if row is None:
            row = self._rows[kind] = Static(markup=False, classes=kind)
            self.mount(row)
        row.update(Text(clean(in_the_app(text))))

    def show_remark(self, text: str) -> None:
        """Says something quiet at the control's right."""
        if text == self._said:
            return
        self._said = text
        self._remark.update(Text(clean(text), no_wrap=True, overflow="ellipsis"))

    def on_address_input_proposed(self, event: AddressInput.Proposed) -> None:
        """Shows whom Right would write here."""
        event.stop()
        self.show_remark(event.text)
