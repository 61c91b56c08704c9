"""How far the app may write ahead of what the terminal has read.

What lies between the two (SSH's windows, TCP's buffers, a serial server) takes in much more than a slow line carries,
so writing never blocks there: ten screens skimmed through would queue for as many seconds, and the key typed last would
be echoed behind them. So the terminal is asked (`CSI 5n`, answered when it has read as far as that): where it answers,
only so much is written as is under way on the line; whatever is painted meanwhile is skipped for the newest.
"""

from __future__ import annotations

from collections.abc import Callable

from tui_mailer.tui.terminal.escape_gate import QUESTION

LEAST_AHEAD = 1024
"""Characters that may always be under way: half a second of the slowest line this is built for (2 kB/s)."""
MOST_AHEAD = 65536
FEWEST_ASKED = 512
"""Characters after which it is worth asking again: typing asks once in forty letters."""
PATIENCE_SECONDS, PATIENCE_SECONDS_EACH = 5.0, 0.001
"""For an answer, and what each character before it adds; then the terminal counts as one that doesn't answer."""
KEEPS_UP_SECONDS, FALLS_BEHIND_SECONDS = 0.1, 0.3
"""By how much an answer is later than the quickest one when a line that was held back gets more, or one gets less."""


class Pace:
    """Counts what was written and what was read; used only in the app's event loop. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._written = self._read = 0
        self._asked: tuple[int, float] | None = None
        """Where in what was written the open question stands, and since when."""
        self._quickest_seconds = float("inf")
        self._most_ahead = LEAST_AHEAD
        self._has_held_back = False
        self._waiting: list[tuple[int, Callable[[], None]]] = []
        self.is_answered = False
        """Whether this terminal answers; until it has, nothing is held back."""

    @property
    def asked_since(self) -> float | None:
        """Since when a question has been open."""
        return None if self._asked is None else self._asked[1]

    @property
    def patience_seconds(self) -> float:
        """How long an answer may take, with all that is under way before it."""
        return PATIENCE_SECONDS + self._ahead * PATIENCE_SECONDS_EACH

    @property
    def _ahead(self) -> int:
        return self._written - self._read

    def is_open(self) -> bool:
        """Whether more may be written; if not, an answer or patience's end opens it."""
        is_open = not self.is_answered or self._ahead <= self._most_ahead
        self._has_held_back |= not is_open
        return is_open

    def wants_question(self) -> bool:
        """Whether a question has to be written by itself, since somebody waits and none is open."""
        return self._asked is None and self.is_answered and (not self.is_open() or bool(self._waiting))

    def ask(self, now: float) -> str:
        """The first question, or one by itself."""
        self._written += len(QUESTION)
        self._asked = self._written, now
        return QUESTION

    def take(self, frame: str, now: float) -> str:
        """Counts a frame; returns it with a question: at its end, or, in a very long one, where the next may follow."""
        begins = self._written
        self._written += len(frame)
        if self._asked is not None or not self.is_answered or self._ahead < FEWEST_ASKED:
            return frame
        cut = len(frame)
        if cut > 2 * self._most_ahead:
            # Between two sequences: ESC stands nowhere else in a frame.
            cut = max(frame.find("\x1b", cut - self._most_ahead), 0) or cut
        self._written += len(QUESTION)
        self._asked = begins + cut + len(QUESTION), now
        return frame[:cut] + QUESTION + frame[cut:]

    def answer(self, now: float) -> None:
        """The terminal has read as far as the open question."""
        self.is_answered = True
        if self._asked is None:
            return
        (self._read, since), self._asked = self._asked, None
        seconds = now - since
        self._quickest_seconds = min(self._quickest_seconds, seconds)
        late_seconds = seconds - self._quickest_seconds
        if late_seconds < KEEPS_UP_SECONDS and self._has_held_back:
            self._most_ahead = min(MOST_AHEAD, self._most_ahead * 2)
        elif late_seconds > FALLS_BEHIND_SECONDS:
            self._most_ahead = max(LEAST_AHEAD, self._most_ahead // 2)
        self._has_held_back = False
        self._tell()

    def give_up(self) -> None:
        """No answer has come: nothing is held back any more."""
        self.is_answered = False
        self._asked = None
        self._tell()

    def when_read(self, callback: Callable[[], None]) -> None:
        """Calls back once the terminal has read all that was written so far; at once where that can't be known."""
        self._waiting.append((self._written, callback))
        self._tell()

    def _tell(self) -> None:
        reached = self._read if self.is_answered else self._written
        due = [callback for position, callback in self._waiting if position <= reached]
        self._waiting = [each for each in self._waiting if each[0] > reached]
        for callback in due:
            callback()
