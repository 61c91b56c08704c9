"""A whole program short of its screens: configuration, data dir, mailer and engines, against a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from tui_mailer.domain.draft import Draft
from tui_mailer.services.event import Event
from tui_mailer.services.mailer import Mailer, SealRequest
from tui_mailer.services.session import Session, open_session
from tui_mailer.storage.record import Submission


class EngineBench:
    """Seals and delivers as the command line does, each engine on a store of its own."""

    def __init__(self, folder: Path, port: int, *, extra: str = "", delivery: str = "") -> None:
        self.folder = folder
        self.config = folder / "config.yaml"
        self.configure(port, extra=extra, delivery=delivery)
        self.session: Session = open_session(config=str(self.config), data_dir=str(folder / "data"))
        self.events: list[Event] = []

    @property
    def mailer(self) -> Mailer:
        return self.session.mailer

    def configure(self, port: int, *, extra: str = "", delivery: str = "") -> None:
        self.config.write_text(
            "accounts:\n  work:\n    provider: smtp\n    from: Ada Lovelace <ada@example.org>\n"
            f"    host: 127.0.0.1\n    port: {port}\n    security: none\n    timeout_seconds: 2\n{extra}"
            f"delivery: {{connections: 1{delivery}}}\n"
        )
        self.config.chmod(0o600)

    def reopen(self) -> None:
        """Starts over, as a new process does."""
        self.session.close()
        self.session = open_session(config=str(self.config), data_dir=str(self.folder / "data"))

    def seal(self, draft: Draft | None = None, request: SealRequest | None = None) -> Submission:
        return self.mailer.seal(draft or letter(), request)[0]

    async def deliver(self, *submissions: Submission, timeout_seconds: float = 20) -> list[Submission]:
        engine = self.session.engine("send", self.events.append)
        ids: Sequence[str] = [one.id for one in submissions]
        return await asyncio.to_thread(engine.deliver, ids, timeout_seconds=timeout_seconds)

    async def flush(self) -> list[Submission]:
        engine = self.session.engine("flush", self.events.append)
        return await asyncio.to_thread(engine.flush, timeout_seconds=30)


def letter(**fields: str) -> Draft:
    return Draft(**({"to": "bob@example.org", "subject": "Tea", "body": "At four?\n"} | fields))  # type: ignore[arg-type]
