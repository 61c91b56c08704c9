"""The net under every widget: nothing that could steer the terminal leaves the app, wherever the text came from.

Widgets are given cleaned text anyway (`domain.text.clean`); this filter is for what slips through, typed
and pasted text included.
"""

from __future__ import annotations

import re

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

# Compiled when first met: most lines are printable.
_STEERING = "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"


def _blank(match: re.Match[str]) -> str:
    """Keeps the cell count: what Textual measured as a cell stays one."""
    return "\ufffd" if "\ud800" <= match[0] <= "\udfff" else ""


class SteeringFilter(LineFilter):
    """Deletes control characters, C1, bidi controls and lone surrogates from every line that goes to the terminal."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Returns the segments, changed only where they held such a character."""
        del background
        return [
            segment
            if segment.control or segment.text.isprintable()
            else Segment(re.sub(_STEERING, _blank, segment.text), segment.style, segment.control)
            for segment in segments
        ]
