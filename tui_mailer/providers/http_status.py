"""What became of a message later: a provider's words and times read into ours, by the one table each provider has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from tui_mailer.domain.submission import Receipt, RecipientStatus
from tui_mailer.domain.text import clean
from tui_mailer.providers.base import PolledStatus

_OLDEST_MILLISECONDS = 100_000_000_000
"""A number from here on counts milliseconds: as seconds it would be the year 5138."""


def polled(
    address: str,
    word: str,
    table: Mapping[str, RecipientStatus],
    *,
    detail: str = "",
    at: datetime | None = None,
) -> PolledStatus:
    """Reads one recipient's status; the provider's own word stays in the detail, all there is of an unknown one."""
    status = table.get(word.lower(), RecipientStatus.UNKNOWN)
    said = f"{word}: {detail}" if detail and detail != word else word
    return PolledStatus(address=address, status=status, detail=clean(said), at=at)


def polled_alike(
    receipt: Receipt,
    word: str,
    table: Mapping[str, RecipientStatus],
    *,
    detail: str = "",
    at: datetime | None = None,
) -> list[PolledStatus]:
    """Gives every recipient the status of the message, where that is all a provider tells; nothing for no word."""
    if not word:
        return []
    return [polled(one.address, word, table, detail=detail, at=at) for one in receipt.recipients]


def instant_of(told: str) -> datetime | None:
    """Reads an RFC 3339 time or a Unix time in seconds or milliseconds; None for anything else."""
    try:
        number = float(told)
        return datetime.fromtimestamp(number / 1000 if number >= _OLDEST_MILLISECONDS else number, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
