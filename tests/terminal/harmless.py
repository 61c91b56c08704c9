"""What may go to a terminal, whatever others have made up: our own sequences and text."""

from __future__ import annotations

import re

SLY = "evil\u202e [/b][@click=app.quit]\x9b31m"
REPLY = f"550 5.1.1 {SLY} \x1b]0;PWNED\x07\x1b[2Jgone"
OWN = re.compile(rb"\x1b\[[0-9;:?<>=$]*[@-~]|\x1b[()][0AB]|\x1b[78=>M]|\x1b\]52;[^\x07\x1b]*\x07")
"""CSI, character sets, cursor; OSC 52 alone of all OSC."""
TORN = re.compile(rb"\x1b(?:\[[0-9;:?<>=$]*)?$")
"""The beginning of one, where not all has come yet."""


def assert_harmless(raw: bytes) -> None:
    """Nothing but our own kinds of sequences: no OSC but 52, no C1, no bidi control, no other control character."""
    rest = TORN.sub(b"", OWN.sub(b"", raw)).decode("utf-8", "replace")
    strange = re.findall("[\x00-\x07\x0b\x0c\x0e\x10-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069].{0,20}", rest)
    assert not strange, strange
    assert b"\x1b[2Jgone" not in raw
