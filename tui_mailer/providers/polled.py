"""From a provider's events to the newest word on each recipient of a receipt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tui_mailer.domain.errors import Rejected
from tui_mailer.domain.submission import Receipt
from tui_mailer.providers.base import PolledStatus
from tui_mailer.providers.http_answer import Answer


def newest(events: Iterable[PolledStatus], receipt: Receipt) -> list[PolledStatus]:
    """Keeps the newest event of each recipient, in the receipt's order; who isn't named has no entry.

    Without instants the last one named counts as the newest. An event without an address is about everyone.
    """
    found: dict[str, PolledStatus] = {}
    for event in events:
        everybody = [one.address.lower() for one in receipt.recipients]
        for address in [event.address.lower()] if event.address else everybody:
            before = found.get(address)
            is_older = before is not None and before.at is not None and event.at is not None and event.at < before.at
            if not is_older:
                found[address] = event
    return [
        replace(found[one.address.lower()], address=one.address)
        for one in receipt.recipients
        if one.address.lower() in found
    ]


def id_to_cancel(receipt: Receipt, service: str) -> str:
    """Returns the message's id; raises `Rejected` where the provider never gave one."""
    if not receipt.provider_id:
        raise Rejected(f"{service} gave the message no id by which it could be taken back.")
    return receipt.provider_id


def first_word(answer: Answer, paths: Iterable[str]) -> str:
    """Returns the first word there is at any of the paths, else nothing."""
    return next((word for path in paths if (word := answer.word(path))), "")
