"""Keys wait, in order, while the one before them is still having its effect.

Over a slow line a whole burst arrives at once: the key that opens a dialog, what was meant for the dialog, Enter, and
what was meant for the field behind it. Textual reads them all before the first has done anything.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

from textual import events

if TYPE_CHECKING:
    from textual.app import App
    from textual.dom import DOMNode

LONGEST_WAIT_SECONDS = 3.0
"""For a dialog that was asked for, on a busy machine too; whatever takes longer mustn't make the keys look dead."""
LONGEST_MOVE_SECONDS = 60.0
"""For going to another message, which saves the one that is left."""
LONGEST_EFFECT_SECONDS = 0.2
"""For a key to find its way through the widgets."""


class TypedAhead:
    """Stands before an app's reading of keys and pastes; used only in the app's event loop."""

    def __init__(self) -> None:
        self._waiting: deque[events.Key | events.Paste] = deque()
        self._holds: dict[object, asyncio.TimerHandle] = {}
        self._firm: set[object] = set()
        self._read_count = 0
        self._app: App[int] | None = None
        self._last_at = float("-inf")
        self._read: Callable[[events.Event], Awaitable[None]] | None = None

    def stand_before(self, app: App[int], read: Callable[[events.Event], Awaitable[None]]) -> None:
        """Keeps keys from an app's ``read`` until it is their turn."""
        self._app, self._read = app, read

    def stand_down(self) -> None:
        """The app ends: keys that wait are meant for nothing that will be there."""
        self._app = self._read = None
        self._waiting.clear()

    async def take(self, event: events.Key | events.Paste) -> None:
        """Has the app read a key now, or once those before it have had their effect."""
        self._last_at = monotonic()
        if self._holds or self._waiting:
            self._waiting.append(event)
        else:
            await self._read_now(event)

    def seconds_at_rest(self) -> float:
        """How long nothing has been typed or pasted."""
        return monotonic() - self._last_at

    def mark(self) -> int:
        """This moment among the keys: see `has_read_since`."""
        return self._read_count

    def has_read_since(self, mark: int) -> bool:
        """Says whether a key or a paste was read since a mark: whoever typed it has gone on to something else."""
        return self._read_count != mark

    def hold(self, seconds: float = LONGEST_WAIT_SECONDS, *, is_firm: bool = False) -> object:
        """Makes the keys wait from now on, for at most so long; returns what `let_go` takes.

        ``is_firm``: also while dialogs come and go.
        """
        token = object()
        self._holds[token] = asyncio.get_running_loop().call_later(seconds, self.let_go, token)
        if is_firm:
            self._firm.add(token)
        return token

    def let_go(self, *tokens: object) -> None:
        """Ends a hold, or several, those that have ended among them."""
        for token in tokens:
            self._firm.discard(token)
            timer = self._holds.pop(token, None)
            if timer is not None:
                timer.cancel()
        if self._waiting and not self._holds and self._app is not None:
            self._app.call_next(self._hand_on)

    def let_all_go(self) -> None:
        """Ends every hold that isn't firm: what the keys were meant for is there."""
        self.let_go(*(token for token in self._holds if token not in self._firm))

    def behind(self, work: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
        """Makes the keys wait from now on, until some work is done or has opened its dialog."""
        return self._until_done(work, self.hold())

    def before(self, work: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
        """Makes the keys wait from now on, until some work is done, also where that takes long: they are meant for what
        it leads to.
        """
        return self._until_done(work, self.hold(LONGEST_MOVE_SECONDS, is_firm=True))

    def waiting_text(self) -> str:
        """What has been typed or pasted and not been read yet; takes no lock."""
        return "".join(map(_text_of, tuple(self._waiting)))

    async def _until_done(self, work: Coroutine[Any, Any, None], token: object) -> None:
        try:
            await work
        finally:
            self.let_go(token)

    async def _hand_on(self) -> None:
        while self._waiting and not self._holds:
            await self._read_now(self._waiting.popleft())

    async def _read_now(self, event: events.Key | events.Paste) -> None:
        if self._app is None or self._read is None:
            return
        self._read_count += 1
        target = self._app.focused or self._app.screen
        token = self.hold(LONGEST_EFFECT_SECONDS)
        try:
            await self._read(event)
        except BaseException:
            self.let_go(token)
            raise
        # Twice at each: behind the key itself, then behind what the key made the widget tell its parents. A key that a
        # binding took may have done so, too: Enter submits a dialog's field.
        nodes = target.ancestors_with_self
        self._follow(token, [node for node in nodes for _ in range(2)], nodes)

    def _follow(self, token: object, way: Sequence[DOMNode], again: Sequence[DOMNode]) -> None:
        """Waits in the queue of each widget that the key may bubble up to.

        ``again``: the way of what a binding, found only at its top, had the widget tell its parents; taken only where
        another key waits already.
        """
        for at, node in enumerate(way, 1):
            if token not in self._holds:
                return
            if node.call_later(self._follow, token, way[at:], again):
                return
        if again and self._waiting:
            self._follow(token, again, ())
        else:
            self.let_go(token)


def _text_of(event: events.Key | events.Paste) -> str:
    if isinstance(event, events.Paste):
        return event.text
    if event.is_printable:
        return event.character or ""
    return "\n" if event.key in ("enter", "tab") else ""
