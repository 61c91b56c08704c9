"""Whether an account's provider can carry a message, asked before anything is stored: capabilities, then `prepare`.

A refusal names an account of the configuration that could carry it, where there is one.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from tui_mailer.domain import mime
from tui_mailer.domain.errors import ConfigurationError, Unsupported
from tui_mailer.domain.message import Message
from tui_mailer.domain.submission import Recipient
from tui_mailer.providers.base import Outgoing, Prepared
from tui_mailer.providers.capability import keeps_schedule, refusals, require
from tui_mailer.services.sealing import frozen_date, recipients_of

if TYPE_CHECKING:
    from tui_mailer.accounts.configuration import Account
    from tui_mailer.services.account import ProviderDirectory

_ELSEWHERE = re.compile(r",? or use another account|^Use another account")


class Carrying:
    """Asks the accounts' providers; stores nothing and connects to nobody."""

    def __init__(self, directory: ProviderDirectory) -> None:
        self._directory = directory

    def prepare(
        self, message: Message, account: Account, recipients: tuple[Recipient, ...], now: datetime, at: datetime
    ) -> Prepared:
        """Works out what would go on the wire at an instant; raises `Unsupported` with the way out."""
        capabilities = self._directory.capabilities(account.name)
        is_kept = keeps_schedule(capabilities, at, now, is_template=bool(message.template))
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

    def refusals(self, message: Message, account: Account, now: datetime, at: datetime) -> tuple[Unsupported, ...]:
        """Lists everything that stands in the way, in the order of the form; empty: it can be carried."""
        capabilities = self._directory.capabilities(account.name)
        size = self.size(message, now)
        found = refusals(message, capabilities, account=account.name, size=size if capabilities.raw else 0)
        if not found:
            try:
                self.prepare(message, account, recipients_of(message, capabilities.recipient_option), now, at)
            except Unsupported as error:
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
