"""One of a few words, chosen with Left and Right, or by its first letter."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.widget import Widget

from tui_mailer.domain.text import clean


class ChoiceField(Widget, can_focus=True):
    """Shows the word; an empty one stands for what is left out."""

    DEFAULT_CSS = """
    ChoiceField { height: 1; width: 1fr; }
    ChoiceField:focus { text-style: reverse; }
    """

    def __init__(self, choices: tuple[str, ...], *, value: str, default: str, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id)
        self._choices = ("", *choices)
        self._default = default
        self.value = value

    def render(self) -> Text:
        """The word, or what leaving it out means."""
        text = Text(no_wrap=True, overflow="ellipsis")
        if self.value:
            text.append(clean(self.value))
        else:
            text.append(f"left out: {self._default}" if self._default else "left out", "dim")
        if self.has_focus:
            text.append("   ←→ choose")
        return text

    def on_key(self, event: events.Key) -> None:
        """Left and Right go through the words, a letter to the next that begins with it, Backspace leaves it out."""
        at = self._choices.index(self.value) if self.value in self._choices else 0
        if event.key in {"left", "right", "space"}:
            chosen = self._choices[(at + (-1 if event.key == "left" else 1)) % len(self._choices)]
        elif event.key in {"backspace", "delete"}:
            chosen = ""
        elif event.character and event.is_printable:
            ahead = self._choices[at + 1 :] + self._choices[: at + 1]
            chosen = next((one for one in ahead if one.startswith(event.character)), self.value)
        else:
            return
        event.stop()
        self.value = chosen
        self.refresh()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()
