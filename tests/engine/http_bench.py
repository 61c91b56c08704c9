"""A whole program with accounts of HTTP providers, each at a lab that enforces its rules."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from engine_bench import EngineBench

sys.path.insert(0, str(Path(__file__).parents[1] / "contract"))

from http_lab import HttpLab

from tui_mailer.services.engine import Engine
from tui_mailer.storage.clock import SystemClock
from tui_mailer.storage.record import Submission
from tui_mailer.storage.store import Store


class LaterClock(SystemClock):
    """A clock that runs ahead of the machine's."""

    def __init__(self, ahead: timedelta) -> None:
        super().__init__()
        self.ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class HttpBench(EngineBench):
    """One account ``work`` at the lab."""

    def __init__(
        self, folder: Path, provider: str, lab: HttpLab, *, secret: str, base_path: str = "", **settings: object
    ) -> None:
        self.lab = lab
        self._account = {
            "provider": provider,
            "from": "Ada Lovelace <ada@example.org>",
            "credential": {"file": str(folder / "key")},
            "base_url": lab.url + base_path,
            "timeout_seconds": 0.5,
            **settings,
        }
        (folder / "key").write_text(secret + "\n")
        (folder / "key").chmod(0o600)
        super().__init__(folder, 0)

    def configure(self, port: int, *, extra: str = "", delivery: str = "") -> None:
        document = {"accounts": {"work": self._account}, "delivery": {"connections": 1}}
        self.config.write_text(yaml.safe_dump(document))
        self.config.chmod(0o600)

    def fall_back_on(self, lab: HttpLab) -> None:
        """Adds a second account, the same at another lab, that ``work`` falls back on."""
        spare = {**self._account, "base_url": lab.url}
        accounts = {"work": {**self._account, "fallback": ["spare"]}, "spare": spare}
        document = {"default_account": "work", "accounts": accounts, "delivery": {"connections": 1}}
        self.config.write_text(yaml.safe_dump(document))
        self.reopen()

    def point_to(self, lab: HttpLab) -> None:
        """Changes where the account's API is."""
        self._account["base_url"] = lab.url
        self.configure(0)
        self.reopen()

    async def flush_later(self, ahead: timedelta) -> list[Submission]:
        """Flushes as if that much time had passed."""
        session = self.session
        engine = Engine(
            configuration=session.configuration,
            paths=session.paths,
            credentials=session.credentials,
            role="flush",
            listener=self.events.append,
            open_store=lambda: Store.open(session.paths.data_dir, clock=LaterClock(ahead)),
        )
        return await asyncio.to_thread(engine.flush, timeout_seconds=20)
