"""Tells the Esc key from the beginning of an arrow key whose bytes arrive late, as on a slow line.

Textual gives the rest of a sequence a tenth of a second; after that an arrow key would be Esc and two letters. Here a
lone ESC waits longer, and a sequence that has begun longer still. Where the terminal answers questions it is asked
one: its answer comes behind all that was typed before it, so a lone ESC before the answer was the key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

LONE_SECONDS = 0.5
"""How long an ESC may stand alone before it is the key."""
BEGUN_SECONDS = 2.0
"""How long a sequence that has begun is waited for."""
QUESTION = "\x1b[5n"
"""Device status, which every terminal since the VT100 answers."""
_ANSWER = "\x1b[0n"

ESCAPE: Final = "escape"
"""Stands for the key among the pieces of text."""
_PASTE_BEGINS, _PASTE_ENDS = "\x1b[200~", "\x1b[201~"
_marks = re.compile(r"(\x1b\[20[01]~)").split
_controls_in_paste = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]").sub
"""Textual would read an ESC within a paste, and what follows it, as keys pressed."""
_unfinished = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|O)?$").search


class EscapeGate:
    """Lets through whole sequences only; what it yields is text for the parser, or `ESCAPE`."""

    def __init__(self) -> None:
        self._held = ""
        self._deadline = 0.0
        self._is_pasting = False
        self.is_answered = False
        """Whether the terminal has answered a question; only then is it worth asking one."""
        self.answers = 0
        """How often it has said how it is."""

    @property
    def wants_answer(self) -> bool:
        """Whether the terminal should be asked, to learn what a lone ESC was."""
        return self.is_answered and self._held == "\x1b" and not self._is_pasting

    def seconds_left(self, now: float) -> float | None:
        """How long to wait for more before calling `expire`; None: nothing is held."""
        return max(0.0, self._deadline - now) if self._held else None

    def take(self, text: str, now: float) -> Iterator[str]:
        """Takes what has arrived; yields what can be read now."""
        held, self._held = self._held, ""
        if held == "\x1b" and text and text[0] not in "[O" and not self._is_pasting:
            yield ESCAPE
            held = ""
        text = held + text
        if _ANSWER in text:
            self.answers += text.count(_ANSWER)
            text = text.replace(_ANSWER, "")
        if self.answers or "\x1b[?" in text:
            self.is_answered = True
        if unfinished := _unfinished(text):
            self._held = unfinished[0]
            text = text[: unfinished.start()]
            self._deadline = now + (LONE_SECONDS if self._held == "\x1b" else BEGUN_SECONDS)
        if text := "".join(map(self._read_piece, _marks(text))):
            yield text

    def _read_piece(self, piece: str) -> str:
        """What is pasted is text: of its control characters only tabs and line ends are let through."""
        if piece in {_PASTE_BEGINS, _PASTE_ENDS}:
            self._is_pasting = piece == _PASTE_BEGINS
            return piece
        return _controls_in_paste("", piece) if self._is_pasting else piece

    def expire(self, now: float) -> Iterator[str]:
        """Nothing more has come in time: what is held is a key, or the remains of a sequence that nobody can read."""
        if not self._held or now < self._deadline:
            return
        held, self._held = self._held, ""
        if self._is_pasting:
            yield self._read_piece(held)
        elif len(held) <= 2:
            yield ESCAPE
            if held[1:]:
                yield held[1:]
