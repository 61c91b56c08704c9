"""A sheet of labelled lines for dialogs; long values wrap under themselves, and nothing in it is read as markup."""

from __future__ import annotations

from rich.console import Group
from rich.style import Style
from rich.table import Table
from rich.text import Text

from tui_mailer.domain.text import clean
from tui_mailer.tui.action import Keymap
from tui_mailer.tui.app_words import in_the_app


class Sheet:
    """Lines as they are added, then one renderable."""

    def __init__(self, *, label_width: int = 12, keymap: Keymap | None = None) -> None:
        """``keymap`` has a value that sends one to another place name the keys to it, that of going back first."""
        self._label_width = label_width
        self._keymap = keymap
        self._parts: list[Table | Text] = []

    def line(self, label: str, value: str, *, label_style: str | Style = "dim") -> None:
        """A label and its value, each cleaned; lines that follow each other are one block."""
        last = self._parts[-1] if self._parts else None
        if not isinstance(last, Table):
            last = Table.grid(padding=(0, 1, 0, 0), expand=True)
            last.add_column(width=self._label_width, no_wrap=True)
            last.add_column(ratio=1, overflow="fold")
            self._parts.append(last)
        back = self._keymap.display("dialog.back") if self._keymap is not None else ""
        said = in_the_app(value, self._keymap, first=back)
        last.add_row(Text(clean(label), style=label_style), Text(clean(said)))

    def heading(self, text: str) -> None:
        """A line on its own, a blank one above."""
        self._parts.append(Text(f"\n{clean(text)}", style="bold"))

    def text(self, text: str, *, style: str = "") -> None:
        """Free text; its line ends stay."""
        self._parts.append(Text(clean(text, keep_newlines=True), style=style))

    def as_renderable(self) -> Group:
        """Everything added so far."""
        return Group(*self._parts)
