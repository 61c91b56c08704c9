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

LONGEST_WAIT_SECONDS = 1.0
"""For a dialog that was asked for; whatever takes longer mustn't make the keys look dead."""
LONGEST_EFFECT_SECONDS = 0.2
"""For a key to find its way through the widgets."""


class TypedAhead:
    """Stands before an app's reading of keys and pastes; used only in the app's event loop."""

    def __init__(self) -> None:
        self._waiting: deque[events.Key | events.Paste] = deque()
        self._holds: dict[object, asyncio.TimerHandle] = {}
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

    def hold(self, seconds: float = LONGEST_WAIT_SECONDS) -> object:
        """Makes the keys wait from now on, for at most so long; returns what `let_go` takes."""
        token = object()
        self._holds[token] = asyncio.get_running_loop().call_later(seconds, self.let_go, token)
        return token

    def let_go(self, *tokens: object) -> None:
        """Ends a hold, or several, those that have ended among them."""
        for token in tokens:
            timer = self._holds.pop(token, None)
            if timer is not None:
                timer.cancel()
        if self._waiting and not self._holds and self._app is not None:
            self._app.call_next(self._hand_on)

    def let_all_go(self) -> None:
        """Ends every hold: what the keys were meant for is there."""
        self.let_go(*self._holds)

    def behind(self, work: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
        """Makes the keys wait from now on, until some work is done or has opened its dialog."""
        return self._until_done(work, self.hold())

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
        target = self._app.focused or self._app.screen
        token = self.hold(LONGEST_EFFECT_SECONDS)
        try:
            await self._read(event)
        except BaseException:
            self.let_go(token)
            raise
        # Twice at each: behind the key itself, then behind what the key made the widget tell its parents. A key that a
        # binding took may have done so, too: Enter submits a dialog's field.
        self._follow(token, [node for node in target.ancestors_with_self for _ in range(2)])

    def _follow(self, token: object, way: Sequence[DOMNode]) -> None:
        """Waits in the queue of each widget that the key may bubble up to."""
        for at, node in enumerate(way, 1):
            if token not in self._holds:
                return
            if node.call_later(self._follow, token, way[at:]):
                return
        self.let_go(token)
