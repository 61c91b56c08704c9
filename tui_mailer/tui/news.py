"""What the engine tells, carried into Textual's message queue; the only bridge between the two threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from tui_mailer.accounts.configuration import Configuration

if TYPE_CHECKING:
    from tui_mailer.services.event import Event
    from tui_mailer.storage.record import StoredDraft


@dataclass(eq=False, repr=False)
class EngineReported(Message):
    """The engine's thread said something; posted with `post_message`, which never blocks it."""

    event: Event

    def can_replace(self, message: Message) -> bool:
        """Lets the newest byte count of a submission stand for all before it."""
        from tui_mailer.services.event import BytesProgressed

        return (
            isinstance(message, EngineReported)
            and isinstance(message.event, BytesProgressed)
            and isinstance(self.event, BytesProgressed)
            and message.event.id == self.event.id
        )


@dataclass(eq=False, repr=False)
class DraftTaken(Message):
    """A draft was chosen, or a submission was taken back into one: compose goes on with it."""

    stored: StoredDraft
    asked_at: int
    """`TypedAhead.mark` of when it was wished for."""


class AccountFormAsked(Message):
    """Another account is wanted."""


@dataclass(eq=False, repr=False)
class AccountAdded(Message):
    """An account was added to the configuration."""

    name: str
    configuration: Configuration


@dataclass(eq=False, repr=False)
class SecretAsked(Message):
    """An account waits for a secret that only a person knows."""

    account: str
