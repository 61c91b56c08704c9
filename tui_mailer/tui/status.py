"""The one quiet line: what was last said, the undo window counting down, when the draft was saved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from math import ceil
from time import monotonic
from typing import TYPE_CHECKING

from tui_mailer.tui.app_words import in_the_app

if TYPE_CHECKING:
    from tui_mailer.tui.action import Keymap


class Tone(StrEnum):
    """How much attention a sentence wants."""

    QUIET = "quiet"
    GOOD = "good"
    BAD = "bad"


LASTING_SECONDS = 60.0
"""From which on a sentence is one to act on."""

READING_SECONDS = 6.0
"""In which a sentence is read."""

ANSWER_SECONDS = 3.0
"""In which the short answer to a key is read."""


class Status:
    """What the status line of every screen shows; widgets listen to it."""

    def __init__(self, keymap: Keymap | None = None) -> None:
        """``keymap``: of the keys that sentences from the layers below are told with."""
        self.text = ""
        self.tone = Tone.QUIET
        self.undo_text = ""
        """What F5 would take back."""
        self.undo_ids: tuple[str, ...] = ()
        """The submissions that were offered: what another process has sent since isn't meant."""
        self.undo_until: datetime | None = None
        self.saved_at: datetime | None = None
        self.open_count = 0
        """Submissions in the outbox."""
        self.open_drafts = ""
        """``2/3`` while several messages are open: which one is being written."""
        self.trouble = ""
        """What holds an account, in a few words for the first row."""
        self._keymap = keymap
        self._said_at = self._offered_at = self._lasts = 0.0
        self._listeners: list[Callable[[], None]] = []

    def say(self, text: str, *, tone: Tone = Tone.QUIET, seconds: float = 12.0) -> None:
        """Shows a sentence until another comes or its time is up; an empty one clears the line."""
        self.text, self.tone = in_the_app(text, self._keymap), tone
        self._said_at, self._lasts = monotonic(), seconds
        self.changed()

    def complain(self, text: str) -> None:
        """Shows what went wrong; it stays for a minute."""
        self.say(text, tone=Tone.BAD, seconds=LASTING_SECONDS)

    def retract(self, complaint: str) -> None:
        """Takes a complaint away that holds no longer, if it is what stands there."""
        if in_the_app(complaint, self._keymap) in self.text:
            self.say("")

    @property
    def wants_reading(self) -> bool:
        """Says whether the sentence stays so long because it says what to do: it is shown to its end."""
        return bool(self.text) and self._lasts >= LASTING_SECONDS

    @property
    def is_newer_than_undo(self) -> bool:
        """Says whether the sentence is to be shown while an undo window counts down: a complaint, or said since."""
        return self.tone is Tone.BAD or (self._said_at > self._offered_at and not self.is_read)

    @property
    def is_read(self) -> bool:
        """Says whether the sentence has been up long enough to be read."""
        return monotonic() - self._said_at > READING_SECONDS

    def seconds_to_read(self, *, is_news_good: bool) -> float:
        """How long news, which nobody has pressed a key for, leaves what stands there to be read; 0: not at all.

        An answer to a key has its moment; what went wrong isn't wiped away by good news. What is carried on (queued,
        then sent) needs no reading.
        """
        if not self.text or self.tone is Tone.GOOD or (self.tone is Tone.BAD and not is_news_good):
            return 0.0
        seconds = READING_SECONDS if self.tone is Tone.BAD else ANSWER_SECONDS
        return max(0.0, self._said_at + seconds - monotonic())

    def is_stale(self) -> bool:
        """Says whether the sentence has been up long enough."""
        return bool(self.text) and monotonic() - self._said_at > self._lasts

    def offer_undo(self, text: str, until: datetime | None, ids: tuple[str, ...] = ()) -> None:
        """Starts or (None) ends the countdown of an undo window, of these submissions."""
        self.undo_text, self.undo_until, self.undo_ids = text, until, ids
        self._offered_at = monotonic()
        self.changed()

    def undo_seconds_left(self, now: datetime) -> int:
        """Whole seconds in which F5 still works; 0 when it doesn't."""
        if self.undo_until is None:
            return 0
        return max(0, ceil((self.undo_until - now).total_seconds()))

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Has a callable called after each change; returns the one that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def changed(self) -> None:
        """Tells whoever listens."""
        for listener in tuple(self._listeners):
            listener()
