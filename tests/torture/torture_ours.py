"""tui-mailer under torture: `deliver`, `outbox flush` and `send` as processes on one data directory."""

from __future__ import annotations

import random
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from torture_letter import Letter, Verdict
from torture_process import Errand

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import NotFound, TooLate
from tui_mailer.domain.submission import SETTLED_STATUSES, RecipientStatus, State
from tui_mailer.services.session import open_session
from tui_mailer.storage.database_error import DatabaseBusy
from tui_mailer.storage.record import Submission

STORED = (0, 69, 75, 76, 77)
"""Exit codes of `send` that say: don't call again."""
SUBJECT = "Torture"
_UNDECIDED = frozenset({State.QUEUED, State.SENDING, State.DEFERRED})

T = TypeVar("T")


class Ours:
    """Most messages are queued before the deliverers start; some are sent by `send --key`, which a script repeats."""

    def __init__(self, folder: Path, account: str, *, policy: str, dice: random.Random, by_send: int = 0) -> None:
        self.name = f"tui-mailer, uncertain: {policy}"
        config = folder / "config.yaml"
        config.write_text(
            f"default_account: work\naccounts:\n  work:\n    from: Ada <ada@torture.test>\n{account}"
            f"delivery: {{connections: 3, uncertain: {policy}}}\n"
        )
        config.chmod(0o600)
        self._place = ("--config", str(config), "--data-dir", str(folder / "data"))
        self._session = open_session(config=str(config), data_dir=str(folder / "data"))
        self._mailer = self._session.mailer
        self._dice = dice
        self._by_send = by_send
        self._to_send: deque[Letter] = deque()
        self._under_way = 0
        self._letters: list[Letter] = []

    def seed(self, many: Sequence[Letter]) -> None:
        """Queues the messages, but for those that `send` is to bring in."""
        self._letters = list(many)
        self._to_send.extend(many[: self._by_send])
        for one in many[self._by_send :]:
            self._mailer.seal(Draft(to=", ".join(one.recipients), subject=SUBJECT, body=f"{one.name}\n"))

    def next_errand(self) -> Errand:
        """Makes deliverers of each kind."""
        program = (sys.executable, "-m", "tui_mailer", *self._place)
        if self._to_send and self._dice.random() < 0.5:
            letter = self._to_send.popleft()
            self._under_way += 1
            words = ("--to", ", ".join(letter.recipients), "--subject", SUBJECT, "--body", letter.name)
            return Errand(
                (*program, "send", "--key", letter.name, "--wait", "30", *words),
                ended=lambda code: self._sent(letter, code),
            )
        kind = self._dice.choice((("deliver",), ("outbox", "flush"), ("outbox", "flush")))
        return Errand((*program, *kind), is_service=kind == ("deliver",))

    def tend(self) -> None:
        """Retries what was put off and puts accounts on line again."""
        outbox = self._mailer.store.outbox
        for account in self._patiently(outbox.account_holds):
            self._patiently(lambda account=account: outbox.release_account(account))
        for one in self._patiently(lambda: outbox.list(states={State.DEFERRED}, limit=500)):
            try:
                self._patiently(lambda one=one: self._mailer.retry(one.id))
            except (TooLate, NotFound):
                continue  # somebody has it in hand

    def left(self) -> int:
        """Counts what is queued, deferred or in hand."""
        counts = self._patiently(self._mailer.store.outbox.counts)
        return len(self._to_send) + self._under_way + sum(counts.get(state, 0) for state in _UNDECIDED)

    def verdicts(self) -> dict[str, Verdict]:
        """Reads outbox and history; a recipient that is in neither is gone."""
        found: dict[str, Verdict] = {address: "gone" for one in self._letters for address in one.recipients}
        for letter in self._to_send:
            found.update(dict.fromkeys(letter.recipients, "open"))  # `send` hasn't said yet that it is stored
        for submission in self._all():
            for recipient in submission.recipients:
                found[recipient.address] = _verdict(recipient.status)
        return found

    def close(self) -> None:
        """Closes the databases."""
        self._session.close()

    def _sent(self, letter: Letter, code: int) -> None:
        self._under_way -= 1
        if code not in STORED:
            self._to_send.append(letter)

    def _all(self) -> Iterable[Submission]:
        seen: set[str] = set()
        for page in (self._mailer.outbox, self._mailer.history):
            before = None
            while many := page(limit=500, before=before):
                yield from (one for one in many if one.id not in seen)
                seen.update(one.id for one in many)
                before = many[-1].id

    def _patiently(self, act: Callable[[], T]) -> T:
        """Waits for a process that was stopped inside a transaction, as every writer has to."""
        while True:
            try:
                return act()
            except DatabaseBusy:
                time.sleep(0.1)


def _verdict(status: RecipientStatus) -> Verdict:
    if status in SETTLED_STATUSES:
        return "sent"
    if status is RecipientStatus.REJECTED:
        return "refused"
    return "uncertain" if status is RecipientStatus.UNKNOWN else "open"


def smtp_account(port: int) -> str:
    """Settings of an account on a torture server."""
    return f"    provider: smtp\n    host: 127.0.0.1\n    port: {port}\n    security: none\n    timeout_seconds: 2\n"
