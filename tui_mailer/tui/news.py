"""What the engine tells, carried into Textual's message queue; the only bridge between the two threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from tui_mailer.services.event import Event
    from tui_mailer.storage.record import StoredDraft


class EngineReported(Message):
    """The engine's thread said something; posted with `post_message`, which never blocks it."""

    def __init__(self, event: Event) -> None:
        super().__init__()
        self.event = event

    def can_replace(self, message: Message) -> bool:
        """Lets the newest byte count of a submission stand for all before it."""
        from tui_mailer.services.event import BytesProgressed

        return (
            isinstance(message, EngineReported)
            and isinstance(message.event, BytesProgressed)
            and isinstance(self.event, BytesProgressed)
            and message.event.id == self.event.id
        )


class DraftTaken(Message):
    """A draft was chosen, or a submission was taken back into one: compose goes on with it."""

    def __init__(self, stored: StoredDraft, asked_at: int) -> None:
        super().__init__()
        self.stored = stored
        self.asked_at = asked_at
        """`TypedAhead.mark` of when it was wished for."""


class AccountFormAsked(Message):
    """Another account is wanted."""


class SecretAsked(Message):
    """An account waits for a secret that only a person knows."""

    def __init__(self, account: str) -> None:
        super().__init__()
        self.account = account
