"""The frame that the three modes share: modes above, status and keys below, troubles told in the status line."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from typing import Any, ClassVar, cast

from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget

from tui_mailer.domain.errors import MailerError
from tui_mailer.tui.action import ANYWHERE, types_into
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.widgets.key_line import KeyLine
from tui_mailer.tui.widgets.mode_line import ModeLine
from tui_mailer.tui.widgets.status_line import StatusLine


class Room(Screen[None], inherit_css=False):
    """A mode's screen."""

    DEFAULT_CSS = """
    Room { layout: vertical; overflow-y: auto; background: $background; }
    Room > .screen--selection { background: $screen-selection-background; color: $screen-selection-foreground; }
    Room:ansi { background: ansi_default; color: ansi_default; }
    Room:ansi.-screen-suspended { text-style: dim; }
    """

    place: ClassVar[str] = ""
    """Its name in the action table."""
    help_places: ClassVar[tuple[str, ...]] = ()
    """Places F1 tells about."""
    counts_in_rows: ClassVar[bool] = False
    """Its list counts seconds down, so the status line needn't."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        # Styled by the theme the app begins with, or anew as it is mounted after another was chosen; not twice.
        self._css_update_count = 0
        self.desk = desk
        self._has_been_shown = False

    def _on_screen_resume(self, event: events.ScreenResume) -> None:
        """Styles what has just been styled as it was mounted only when it is shown again."""
        event.refresh_styles = self._has_been_shown
        self._has_been_shown = True
        self._rest(is_behind=False)

    def _on_screen_suspend(self) -> None:
        self._rest(is_behind=True)

    def _screen_resized(self, size: Size) -> None:
        """Lays out for another size; the one it has is told twice more at the start."""
        if size != self._size:
            super()._screen_resized(size)

    def _rest(self, *, is_behind: bool) -> None:
        for line in self.query(StatusLine):
            line.rest(is_behind=is_behind)

    def compose(self) -> ComposeResult:
        yield ModeLine(self.desk.status, self.place)
        yield from self.furniture()
        undo_key = self.desk.keymap.display("app.undo")
        yield StatusLine(
            self.desk.status, undo_key=undo_key, is_coarse=self.counts_in_rows, say_otherwise=self.say_otherwise
        )
        yield KeyLine(self.desk.keymap, self.place, ANYWHERE)

    @property
    def shell(self) -> App[int]:
        """The app, as typed as it is."""
        return cast("App[int]", self.app)  # pyright: ignore[reportUnknownMemberType]  # Textual leaves it App[Unknown]

    def furniture(self) -> Iterable[Widget]:
        """What stands between the frame's lines."""
        raise NotImplementedError

    def say_otherwise(self) -> str:
        """What the status line says while there is nothing else to say."""
        return ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Lets a text field have the keys that type characters."""
        del parameters
        return not types_into(self.focused, self.desk.keymap.actions, self.place, action)

    def attempt(self, work: Coroutine[Any, Any, object], *, keys_wait: bool = False) -> None:
        """Does some work without holding up the keys; what goes wrong on purpose is told in the status line.

        ``keys_wait`` where the next keys may be meant for what it opens or does.
        """
        attempt = self._attempt(work)
        self.run_worker(self.desk.typed_ahead.behind(attempt) if keys_wait else attempt)

    def attempt_first(self, work: Coroutine[Any, Any, object]) -> None:
        """Does some work before the next key is read, however long that takes."""
        self.run_worker(self.desk.keys_after(self._attempt(work)))

    async def _attempt(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except MailerError as error:
            self.desk.status.complain(str(error))
