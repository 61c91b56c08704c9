"""The engine: a thread with its own event loop that claims what is due, delivers it, records and watches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tui_mailer.services.event import Event
from tui_mailer.storage.record import Submission

if TYPE_CHECKING:
    from tui_mailer.accounts.configuration import Configuration, Paths
    from tui_mailer.accounts.credential import Credentials

Listener = Callable[[Event], None]
"""Called in the engine's thread; must return at once (the app posts a message)."""


class Engine:
    """Delivers until it is stopped; any number of engines, in any number of processes, share one outbox."""

    def __init__(
        self,
        *,
        configuration: Configuration,
        paths: Paths,
        credentials: Credentials,
        role: str,
        listener: Listener | None = None,
    ) -> None:
        raise NotImplementedError

    def start(self) -> None:
        """Starts the thread; returns at once."""
        raise NotImplementedError

    def nudge(self) -> None:
        """Looks for due mail now rather than at the next poll; safe from any thread."""
        raise NotImplementedError

    def reconfigure(self, configuration: Configuration) -> None:
        """Uses another configuration from the next claim on; safe from any thread."""
        raise NotImplementedError

    def deliver(self, submission_ids: Sequence[str], *, timeout_seconds: float) -> list[Submission]:
        """Blocks until each of these has had one attempt (by us or whoever holds it), or the time is up."""
        raise NotImplementedError

    def flush(self, *, timeout_seconds: float | None = None) -> list[Submission]:
        """Blocks until nothing is due; returns what was attempted, as it then stands."""
        raise NotImplementedError

    def stop(self, *, grace_seconds: float = 5.0) -> None:
        """Finishes the submission in flight within the grace, leases the rest back, ends the thread."""
        raise NotImplementedError
