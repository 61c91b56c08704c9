"""The command palette: Textual's, in the looks and the quiet of our dialogs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.command import Command, CommandList, CommandPalette
from textual.containers import Vertical
from textual.widgets import Input
from textual.worker import Worker, WorkerCancelled, WorkerFailed

from tui_mailer.tui.screens.left_once import LeftOnce

ROOMY_ROWS = 24


class Palette(CommandPalette, LeftOnce[None]):  # pyright: ignore[reportIncompatibleMethodOverride]  # so are theirs
    """No veil over what is behind, no blinking cursor, no wider than a dialog: all of these go over the line."""

    DEFAULT_CSS = """
    Palette, Palette:ansi { background: transparent; }
    Palette > Vertical { width: 78; max-width: 100%; }
    Palette #--input { border: hkey $panel-lighten-2; }
    Palette CommandList { border-bottom: hkey $panel-lighten-2; }
    Palette SearchIcon { color: $text-muted; }
    Palette > .command-palette--help-text { text-style: not bold; }
    Palette Input > .input--cursor { color: $foreground; background: transparent; text-style: reverse; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority: the line one types into is short, and would keep them to itself.
        Binding("end", "command_list('last')", show=False, priority=True),
        Binding("home", "command_list('first')", show=False, priority=True),
    ]

    def __init__(self, do_before_keys: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        """``do_before_keys``: does some work of ours, for which keys wait, also when this is left meanwhile."""
        super().__init__(id="--command-palette")
        self._do_before_keys = do_before_keys

    def on_mount(self) -> None:
        self.query_one(Input).cursor_blink = False

    def on_resize(self, event: events.Resize) -> None:
        """The list ends above the key line; where there is little room, nothing is left free above."""
        margin = 3 if event.size.height >= ROOMY_ROWS else 0
        self.query_one(Vertical).styles.margin = (margin, 0, 0, 0)
        self.query_one(CommandList).styles.max_height = max(3, event.size.height - margin - 5)

    @on(Input.Submitted)
    def take_what_was_meant(self, event: Input.Submitted) -> None:
        """Enter takes what was found for the whole of what was typed, not what stands there still."""
        event.stop()
        event.prevent_default()
        self._do_before_keys(self._take_when_found())

    async def _take_when_found(self) -> None:
        while searching := self._searching():
            # One that is cancelled has given way to another.
            with suppress(WorkerCancelled, WorkerFailed):
                await searching[0].wait()
        if self.is_left or not self.is_attached:
            return
        commands = self.query_one(CommandList)
        at = commands.highlighted or 0
        command = commands.get_option_at_index(at) if commands.option_count else None
        if isinstance(command, Command):
            self._select_command(CommandList.OptionSelected(commands, command, at))
            # The app does it when it comes to it; the next key is for what it leads to.
            done = asyncio.Event()
            self.app.call_later(done.set)  # pyright: ignore[reportUnknownMemberType]  # Textual leaves it App[Unknown]
            await done.wait()

    def _searching(self) -> list[Worker[Any]]:
        group = self._GATHER_COMMANDS_GROUP
        return [worker for worker in self.workers if worker.group == group and not worker.is_finished]

    def _action_command_list(self, action: str) -> None:
        """Nothing where the list hasn't been laid out yet: Textual's looks for lines it doesn't have."""
        with suppress(LookupError):
            super()._action_command_list(action)
