"""A store in memory and one on disk obey the same suite; time is turned by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tui_mailer.domain.address import parse_address
from tui_mailer.domain.message import Message
from tui_mailer.domain.submission import Kind, Phase, Receipt, Recipient, RecipientResult, RecipientStatus, State
from tui_mailer.storage.record import Claim, NewSubmission, Outcome, Submission
from tui_mailer.storage.store import Store

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_SERIAL = count(1)
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = START
        self.since_boot = 1000.0
        self.boot = "boot-1"

    def now(self) -> datetime:
        return self.time

    def boottime(self) -> float:
        return self.since_boot

    def boot_id(self) -> str:
        return self.boot

    def advance(self, **amount: float) -> datetime:
        step = timedelta(**amount)
        self.time += step
        self.since_boot += step.total_seconds()
        return self.time


def ulid_like(serial: int) -> str:
    """Names the nth submission of a test run: sorts by n and differs in its last characters."""
    digits = ""
    while serial:
        serial, digit = divmod(serial, 32)
        digits = _ALPHABET[digit] + digits
    return digits.rjust(26, "0")


def make_new(*recipients: str, **changes: Any) -> NewSubmission:
    """Makes a message to seal; ``subject`` and ``text`` go into it, everything else beside it."""
    addresses = recipients or ("bob@example.org",)
    submission_id = changes.pop("id", None) or ulid_like(next(_SERIAL))
    content = {
        name: changes.pop(name) for name in ("subject", "text", "html", "attachments", "raw_sha256") if name in changes
    }
    message = Message(
        id=submission_id,
        message_id=f"<{submission_id}@example.org>",
        sender=parse_address(changes.pop("sender", "Ada Lovelace <ada@example.org>")),
        to=tuple(parse_address(one) for one in addresses),
        **{"subject": "Engine notes", "text": "The analytical engine weaves patterns.", **content},
    )
    values: dict[str, Any] = {
        "message": message,
        "account": "work",
        "provider": "smtp",
        "account_fingerprint": "f00d",
        "state": State.QUEUED,
        "not_before": START,
        "created_at": START,
        "size": 1234,
        "envelope_from": "ada@example.org",
        "recipients": tuple(Recipient(address=one.addr_spec, kind=Kind.TO) for one in message.to),
    }
    return NewSubmission(**{**values, **changes})


def answer(claim: Claim, *statuses: RecipientStatus, **changes: Any) -> Outcome:
    """Makes the outcome of a server that answered; one status for all, or one for each."""
    due = claim.submission.recipients
    given = statuses or (RecipientStatus.ACCEPTED,)
    each = given * len(due) if len(given) == 1 else given
    results = tuple(
        RecipientResult(address=one.address, status=status, text=f"{status} by the server")
        for one, status in zip(due, each, strict=True)
    )
    receipt = Receipt(
        recipients=results, response_code=250, response_text="2.0.0 Ok: queued as 4711", provider_id="4711"
    )
    return Outcome(receipt=receipt, **changes)


class Post:
    """A store with a deliverer, and the steps of a delivery in one call each."""

    def __init__(self, store: Store, clock: HandClock) -> None:
        self.store = store
        self.outbox = store.outbox
        self.clock = clock
        self.owner = store.become_deliverer("app")

    def seal(self, *recipients: str, **changes: Any) -> Submission:
        return self.outbox.seal([make_new(*recipients, **changes)])[0]

    def claim(self, **changes: Any) -> Claim:
        (claim,) = self.outbox.claim(self.owner, now=self.clock.now(), **changes)
        return claim

    def deliver(self, *statuses: RecipientStatus, **changes: Any) -> Submission:
        claim = self.claim()
        self.outbox.set_phase(claim, Phase.INTENT)
        return self.outbox.finish(claim, answer(claim, *statuses, **changes))

    def end(self, *recipients: str, **changes: Any) -> Submission:
        """Seals and delivers one, a second after the one before."""
        self.clock.advance(seconds=1)
        self.seal(*recipients, **changes)
        return self.deliver()

    def die(self) -> None:
        """Lets the deliverer's lock go, as the kernel does when a process is killed."""
        self.store._locks.release(self.owner)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture(params=["disk", "memory"])
def store(request: pytest.FixtureRequest, data_dir: Path, clock: HandClock) -> Iterator[Store]:
    opened = Store.open(data_dir, clock=clock) if request.param == "disk" else Store.in_memory(clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def post(store: Store, clock: HandClock) -> Post:
    return Post(store, clock)


@pytest.fixture
def open_store(data_dir: Path, clock: HandClock) -> Iterator[Callable[[], Store]]:
    """Opens the store on disk, as often as wanted: each is what another process would have."""
    opened: list[Store] = []

    def open_one() -> Store:
        opened.append(Store.open(data_dir, clock=clock))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()
