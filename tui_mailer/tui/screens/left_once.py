"""A screen that is left once, whenever that is: keys typed ahead can leave it before it has come up."""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.events import Event, Mount
from textual.message import Message
from textual.screen import ModalScreen

R = TypeVar("R")


class LeftOnce(ModalScreen[R]):
    """Goes back to the screen behind it once, and does nothing more after that."""

    is_left = False
    _result_due: tuple[R | None] | None = None
    """What it is to be left with once nothing lies over it any more."""

    class Came(Message):
        """It is up, with the focus where it belongs: what is typed from now on is meant for it."""

    class Went(Message):
        """It is left: what is typed from now on is meant for the screen behind it, or for what that opens."""

    def on_screen_resume(self) -> None:
        if self._result_due is not None:
            self.call_next(self._leave, *self._result_due)
        else:
            self.call_next(self.post_message, self.Came())

    def _leave(self, result: R | None) -> None:
        self.dismiss(result)

    def dismiss(self, result: R | None = None) -> AwaitComplete:
        """Leaves, once: keys that were typed ahead of its going mustn't take the next screen with it."""
        if self.is_left:
            return AwaitComplete.nothing()
        if not self.is_active:
            # Textual would take away what lies over it, and leave this one there for ever.
            self._result_due = (result,)
            return AwaitComplete.nothing()
        self.is_left = True
        self.app.post_message(self.Went())  # pyright: ignore[reportUnknownMemberType]  # Textual leaves it App[Unknown]
        return super().dismiss(result)

    async def _on_message(self, message: Message) -> None:
        """Hears no more of its widgets once it is left: they may be gone, or never have been there.

        What Textual itself needs to take the screen away still arrives.
        """
        if self.is_left and (isinstance(message, Mount) or (not isinstance(message, Event) and message.bubble)):
            return
        await super()._on_message(message)
