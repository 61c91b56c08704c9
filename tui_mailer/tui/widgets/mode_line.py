"""The first row: the three modes, the current one in brackets, and an account's trouble at the right."""

from __future__ import annotations

from rich.text import Text
from textual.widget import Widget

from tui_mailer.domain.text import cell_width, shorten
from tui_mailer.tui.status import Status


class ModeLine(Widget, inherit_css=False):
    """Where one is, how much waits, and what holds it."""

    DEFAULT_CSS = """
    ModeLine { height: 1; width: 100%; background: $panel; color: $foreground; }
    ModeLine:ansi { background: ansi_default; text-style: none; }
    """

    def __init__(self, status: Status, current: str) -> None:
        super().__init__()
        self._status = status
        self._current = current
        self._shown = ""

    def on_mount(self) -> None:
        self._stop_listening = self._status.listen(self._look)

    def on_unmount(self) -> None:
        self._stop_listening()

    def _look(self) -> None:
        # A repaint costs bytes: only when the words differ.
        if self._words() != self._shown:
            self.refresh()

    def _words(self) -> str:
        return f"{self._status.open_drafts} {self._status.open_count} {self._status.trouble}"

    def render(self) -> Text:
        """The modes at the left, trouble at the right."""
        self._shown = self._words()
        width = self.size.width
        text = Text(no_wrap=True, overflow="crop")
        for mode in ("Compose", "Outbox", "History"):
            name = mode
            if mode == "Outbox" and self._status.open_count:
                name = f"Outbox {self._status.open_count}"
            if mode == "Compose" and self._status.open_drafts:
                name = f"Compose {self._status.open_drafts}"
            is_current = mode.lower() == self._current
            text.append(f"[{name}]" if is_current else f" {name} ", "bold" if is_current else "")
            text.append(" ")
        trouble = shorten(self._status.trouble, max(0, width - text.cell_len - 1))
        if trouble:
            text.append(" " * (width - text.cell_len - cell_width(trouble)))
            text.append(trouble, "bold")
        return text
