"""Whether an account's provider can carry a message, asked before anything is stored: capabilities, then `prepare`.

A refusal names an account of the configuration that could carry it, where there is one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from tui_mailer.domain import mime
from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import ConfigurationError, InvalidMessage, InvalidSchedule, Unsupported
from tui_mailer.domain.message import Message
from tui_mailer.domain.recurrence_word import is_repeat
from tui_mailer.domain.schedule import Schedule
from tui_mailer.domain.submission import Recipient
from tui_mailer.providers.base import Capabilities, Outgoing, Prepared
from tui_mailer.providers.capability import keeps_schedule, refusals, require
from tui_mailer.services.sealing import frozen_date, recipients_of

if TYPE_CHECKING:
    from tui_mailer.accounts.configuration import Account
    from tui_mailer.services.account import ProviderDirectory

_ELSEWHERE = re.compile(r",? or use another account|^Use another account")


@dataclass(frozen=True, slots=True)
class Due:
    """When a message is to go out, and who keeps it until then."""

    at: datetime
    by: str = ""
    """``provider``, ``outbox``; empty: the provider where it can, else the outbox."""


def due_of(draft: Draft, schedule: Schedule | None, now: datetime) -> Due:
    """Tells when a draft is due by its schedule, and who is to keep it until then."""
    if schedule is None:
        return Due(now)
    # What recurs is ours: the next one is made when this one leaves.
    return Due(schedule.at, "outbox" if is_repeat(draft.schedule) else draft.schedule_by)


def may_send_as(account: Account, message: Message) -> bool:
    """Says whether the message's From is one of the account's identities; the embedded account has none."""
    allowed = {identity.addr_spec.lower() for identity in account.identities}
    return message.sender.addr_spec.lower() in allowed or not account.lines


def not_carried(account: str) -> str:
    """How the reason begins for which mail is held that its account, changed since it was sealed, can't carry."""
    return f"Account '{account}' can't carry it any more: "


class Carrying:
    """Asks the accounts' providers; stores nothing and connects to nobody."""

    def __init__(self, directory: ProviderDirectory) -> None:
        self._directory = directory

    def hands_over(self, message: Message, account: Account, now: datetime, due: Due) -> bool:
        """Says whether the provider is to keep the message until its time.

        It does within its limits, since it sends also while nothing runs here, unless the outbox was asked for. Raises
        `InvalidSchedule` where the provider was asked for and can't.
        """
        if due.by == "outbox" or due.at <= now:
            return False
        capabilities = self._directory.capabilities(account.name)
        can_keep = keeps_schedule(capabilities, due.at, now, is_template=bool(message.template))
        if due.by == "provider" and not can_keep:
            raise InvalidSchedule(
                f"Account '{account.name}' can't keep it until then: {_limits(capabilities)}. Choose another time, or "
                "let the outbox keep it (--schedule-by outbox).",
                field="at",
            )
        return can_keep

    def prepare(
        self, message: Message, account: Account, recipients: tuple[Recipient, ...], now: datetime, due: Due
    ) -> Prepared:
        """Works out what would go on the wire when it is due; raises `Unsupported` with the way out."""
        capabilities = self._directory.capabilities(account.name)
        at = max(due.at, now)
        is_kept = self.hands_over(message, account, now, due)
        outgoing = Outgoing(
            submission_id=message.id,
            message=message,
            recipients=recipients,
            date=self._directory.localise(frozen_date(now, at)),
            envelope_from=message.sender.addr_spec,
            not_before=at if is_kept else None,
            idempotency_key=message.id,
        )
        try:
            require(message, capabilities, account=account.name, size=0)
            return self._directory.asked(account).prepare(outgoing)
        except Unsupported as error:
            raise self._with_way_out(error, message, account) from None

    def refusals(self, message: Message, account: Account, now: datetime, due: Due) -> tuple[InvalidMessage, ...]:
        """Lists everything that stands in the way, in the order of the form; empty: it can be carried."""
        capabilities = self._directory.capabilities(account.name)
        size = self.size(message, now)
        found = refusals(message, capabilities, account=account.name, size=size if capabilities.raw else 0)
        if not found:
            try:
                self.prepare(message, account, recipients_of(message, capabilities.recipient_option), now, due)
            except (Unsupported, InvalidSchedule) as error:
                return (error,)
        return tuple(self._with_way_out(error, message, account) for error in found)

    def size(self, message: Message, now: datetime) -> int:
        """Bytes of the message in the form of RFC 5322."""
        if message.raw_size is not None:
            return message.raw_size
        sealed_only = replace(message, attachments=tuple(one for one in message.attachments if one.sha256 is not None))
        return mime.build(sealed_only, date=self._directory.localise(now), contents={}).size

    def _with_way_out(self, error: Unsupported, message: Message, account: Account) -> Unsupported:
        name = self._other_account(message, account)
        if name is None:
            return error
        what_to_do = _ELSEWHERE.sub("", error.what_to_do).strip().rstrip(".")
        rest = f"{what_to_do}, or send" if what_to_do else "Send"
        return Unsupported(error.field or "", error.why, f"{rest} with account '{name}'.")

    def _other_account(self, message: Message, account: Account) -> str | None:
        for other in self._directory.configuration.accounts.values():
            if other.name == account.name:
                continue
            try:
                capabilities = self._directory.capabilities(other.name)
            except ConfigurationError:
                continue  # its own trouble is told when it is used
            bare = replace(message, options={})
            if capabilities.delivers and not refusals(
                bare, capabilities, account=other.name, size=message.raw_size or 0
            ):
                return other.name
        return None


def _limits(capabilities: Capabilities) -> str:
    """Says how far ahead a provider keeps mail."""
    if capabilities.schedule_min is None:
        return "its provider has no schedule of its own"
    least = f"from {int(capabilities.schedule_min.total_seconds() // 60)} min"
    most = "" if capabilities.schedule_max is None else f" to {capabilities.schedule_max.days} days"
    return f"it keeps mail {least}{most} ahead"
