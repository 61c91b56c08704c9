"""The frame of every dialog: a box over the screen, a title, and its own key line."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, ClassVar, TypeVar, cast

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.css.query import NoMatches
from textual.widget import Widget
from textual.widgets import Input, Static

from tui_mailer.domain.errors import MailerError
from tui_mailer.domain.text import clean
from tui_mailer.tui.action import Keymap, types_into
from tui_mailer.tui.app_words import in_the_app
from tui_mailer.tui.screens.left_once import LeftOnce
from tui_mailer.tui.widgets.key_line import KeyLine

R = TypeVar("R")


class Dialog(LeftOnce[R]):
    """A box with a title, something in it, a line for what is wrong, and its keys."""

    place: ClassVar[str] = ""
    KEY_LABELS: ClassVar[Mapping[str, str]] = {}
    """What an action that is also of other places is called in this one's key line, by its ID."""
    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority: focus moves before the next key is read, and type-ahead lands where it was meant.
        Binding("tab", "app.focus_next", show=False, priority=True),
        Binding("shift+tab", "app.focus_previous", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    Dialog { align: center middle; background: transparent; }
    Dialog > .box {
        width: 76; max-width: 100%; height: auto; max-height: 100%;
        background: $surface; border: round $primary; padding: 0 1;
    }
    Dialog:ansi > .box { background: ansi_default; border: round ansi_default; }
    Dialog .said { height: auto; color: $text-error; text-style: bold; display: none; }
    Dialog .said.-some { display: block; }
    Dialog .said.-quiet { color: $text-muted; text-style: none; }
    Dialog KeyLine { dock: none; background: transparent; color: $text-muted; }
    """

    def __init__(self, keymap: Keymap, title: str) -> None:
        super().__init__()
        self.keymap = keymap
        self._title = title
        self._said = Static(markup=False, classes="said")

    def compose(self) -> ComposeResult:
        with Vertical(classes="box"):
            yield Static(Text(clean(self._title), style="bold", no_wrap=True, overflow="ellipsis"), classes="title")
            yield from self.contents()
            yield self._said
            yield KeyLine(self.keymap, *self.key_places(), asleep=self.sleeping_actions(), labels=self.KEY_LABELS)

    @property
    def shell(self) -> App[int]:
        """The app, as typed as it is."""
        return cast("App[int]", self.app)  # pyright: ignore[reportUnknownMemberType]  # Textual leaves it App[Unknown]

    def key_places(self) -> tuple[str, ...]:
        """Places whose keys the key line names."""
        return (self.place,)

    def contents(self) -> Iterable[Widget]:
        """What is in the box."""
        raise NotImplementedError

    def sleeping_actions(self) -> frozenset[str]:
        """Ids of actions that can't do anything now, so that the key line doesn't promise them."""
        return frozenset()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Lets a text field have the keys that type characters."""
        del parameters
        return not types_into(self.focused, self.keymap.actions, self.place, action)

    def say(self, text: str, *, is_quiet: bool = False) -> None:
        """Shows a sentence under the contents; empty takes it away."""
        self._said.set_class(bool(text), "-some")
        self._said.set_class(is_quiet, "-quiet")
        self._said.update(Text(clean(in_the_app(text), keep_newlines=True)))

    def attempt(self, work: Coroutine[Any, Any, None]) -> None:
        """Does some work without holding up the keys; what goes wrong on purpose is told in the box."""
        self.run_worker(self._attempt(work))

    async def _attempt(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except MailerError as error:
            self.say(str(error))
        except NoMatches:
            # Left meanwhile: its widgets are gone, or have never been there.
            if not self.is_left:
                raise

    async def action_take(self) -> None:
        """Enter in a field."""
        if isinstance(self.focused, Input):
            await self.focused.action_submit()

    def action_back(self) -> None:
        """Leaves the dialog with nothing chosen."""
        self.dismiss(None)
