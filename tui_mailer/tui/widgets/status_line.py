"""The quiet line above the keys: what was said last, the undo countdown, when the draft was saved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from rich.text import Text
from textual.timer import Timer
from textual.widget import Widget

from tui_mailer.domain.text import cell_width, clean, shorten
from tui_mailer.tui.status import Status, Tone

MOST_ROWS = 4


class StatusLine(Widget, inherit_css=False):
    """Repaints only when its words differ; ticks once a second only while something counts down."""

    DEFAULT_CSS = """
    StatusLine { height: 1; width: 100%; color: $text-muted; }
    StatusLine.-bad { color: $text-error; text-style: bold; }
    StatusLine.-good { color: $text-success; }
    """

    def __init__(
        self, status: Status, *, undo_key: str, is_coarse: bool = False, say_otherwise: Callable[[], str] = str
    ) -> None:
        """``is_coarse``: counts in tens of seconds until the last ten: a list tells the seconds already.

        ``say_otherwise`` gives what stands here while nothing else does; `look_again` when that may have changed.
        """
        super().__init__()
        self._is_coarse = is_coarse
        self._say_otherwise = say_otherwise
        self._status = status
        self._undo_key = undo_key
        self._shown = ("", "")
        self._is_behind = False
        self._timer: Timer | None = None

    def on_mount(self) -> None:
        self._stop_listening = self._status.listen(self._look)
        self._timer = self.set_interval(1.0, self._tick, pause=True)
        self._look()

    def on_unmount(self) -> None:
        self._stop_listening()

    def _look(self) -> None:
        if self._timer is not None and (self._status.undo_until is not None or self._status.text):
            self._timer.resume()
        self._repaint()

    def rest(self, *, is_behind: bool) -> None:
        """Counts nothing down, and names no key, while a dialog is before it: it couldn't keep either promise."""
        self._is_behind = is_behind
        self.look_again()

    def look_again(self) -> None:
        """Shows what is to be said by now, if it differs."""
        if self._timer is not None:
            self._repaint()

    def _repaint(self) -> None:
        if self._words() == self._shown:
            return
        is_said = bool(self._status.text)
        self.set_class(is_said and self._status.tone is Tone.BAD, "-bad")
        self.set_class(is_said and self._status.tone is Tone.GOOD, "-good")
        self._make_room()
        self.refresh()

    def on_resize(self) -> None:
        self._make_room()

    def _make_room(self) -> None:
        """A sentence to be read whole, of which the end would be cut off, gets more rows as long as it stands."""
        rows = len(self._wrapped())
        if self.styles.height is None or self.styles.height.value != rows:
            self.styles.height = rows

    def _wrapped(self) -> list[str]:
        """The sentence in the rows it needs; one, cut off by `render`, where it needn't be read to its end."""
        left, _ = self._words()
        width = self.size.width
        if not width or not self._is_told_whole(left) or cell_width(left) <= width:
            return [left]
        lines = Text(clean(left)).wrap(self.app.console, width)  # pyright: ignore[reportUnknownMemberType]  # Textual leaves it App[Unknown]
        rows = [line.plain.rstrip() for line in lines]
        if len(rows) <= MOST_ROWS:
            return rows
        return [*rows[: MOST_ROWS - 1], shorten(" ".join(rows[MOST_ROWS - 1 :]), width)]

    def _is_told_whole(self, left: str) -> bool:
        """Says whether it is one to act on, or tells of the row under the cursor what the row has no room for."""
        if self._status.text:
            return self._status.wants_reading and left == self._status.text
        return self._status.undo_until is None

    def _tick(self) -> None:
        now = datetime.now(UTC)
        if self._status.undo_until is not None and self._status.undo_seconds_left(now) == 0:
            self._status.offer_undo("", None)
        if self._status.is_stale():
            self._status.say("")
        if self._timer is not None and self._status.undo_until is None and not self._status.text:
            self._timer.pause()
        # A screen in the background keeps quiet; it catches up when it is shown.
        if self.screen.is_active:
            self._repaint()

    def _words(self) -> tuple[str, str]:
        seconds = self._status.undo_seconds_left(datetime.now(UTC))
        if self._is_coarse:
            seconds = -(-seconds // 10) * 10 if seconds > 10 else seconds
        if self._status.text and self._status.is_newer_than_undo:
            left = self._status.text
        elif seconds and self._is_behind:
            left = self._status.undo_text
        elif seconds:
            left = f"{self._status.undo_text}, leaves in {seconds} s: {self._undo_key} takes it back"
        else:
            left = self._status.text or self._say_otherwise()
        saved = self._status.saved_at
        return left, f"draft saved {saved:%H:%M}" if saved else ""

    def render(self) -> Text:
        """The sentence at the left, the draft's time at the right."""
        self._shown = left, right = self._words()
        rows = self._wrapped()
        if len(rows) > 1:
            return Text("\n".join(rows), no_wrap=True, end="")
        width = self.size.width
        if not self._status.text and self._is_told_whole(left) and cell_width(left) + cell_width(right) + 2 > width:
            right = ""  # what is told of the row under the cursor fits the line alone
        room = width - cell_width(right) - (2 if right else 0)
        said = shorten(left, room)
        return Text(said + " " * (width - cell_width(said) - cell_width(right)) + right, no_wrap=True, end="")
