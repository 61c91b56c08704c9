"""What fields tell of a paste, so that a path among text can be offered as an attachment."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message
from textual.widget import Widget


@dataclass(eq=False, repr=False)
class Pasted(Message):
    """Text was pasted, and stands in the field."""

    field: Widget
    text: str
    """As it came from the terminal."""
    inserted: str
    """As it stands in the field."""
