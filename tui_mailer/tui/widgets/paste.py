"""What fields tell of a paste, so that a path among text can be offered as an attachment."""

from __future__ import annotations

from textual.message import Message
from textual.widget import Widget


class Pasted(Message):
    """Text was pasted, and stands in the field."""

    def __init__(self, field: Widget, text: str, inserted: str) -> None:
        super().__init__()
        self.field = field
        self.text = text
        """As it came from the terminal."""
        self.inserted = inserted
        """As it stands in the field."""
