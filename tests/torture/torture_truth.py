"""What really happened to each recipient, kept by the server and by nobody else."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path


class Truth:
    """Who has how many copies, and whom the server has refused for good; written down before anything is answered."""

    def __init__(self, path: Path) -> None:
        self.copies: Counter[str] = Counter()
        """By recipient: every message of the torture has recipients of its own."""
        self.refused: set[str] = set()
        self.lied_about: set[str] = set()
        """Kept, though the answer was a refusal: a server that does this makes copies no client can avoid."""
        self.transactions = 0
        self.broken = 0
        self.faults: Counter[str] = Counter()
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def keep(self, recipients: list[str], message: str) -> None:
        """Takes responsibility for a message."""
        self._write({"kept": recipients, "message": message})
        self.copies.update(recipients)

    def refuse(self, recipients: list[str]) -> None:
        """Refuses recipients for good."""
        self._write({"refused": recipients})
        self.refused.update(recipients)

    def has_refused(self, recipient: str) -> bool:
        """Says whether this recipient, or the sender of its message (``+m000001``), was refused for good."""
        return recipient in self.refused or recipient.split("-", 1)[0] in self.refused

    def break_off(self, fault: str) -> None:
        """Notes that a transaction is being broken, and how."""
        self._write({"fault": fault})
        self.broken += 1
        self.faults[fault] += 1

    def close(self) -> None:
        """Ends the record."""
        self._file.close()

    def _write(self, event: dict[str, object]) -> None:
        self._file.write(json.dumps(event) + "\n")
