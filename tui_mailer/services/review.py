"""What a person sees before a message is sealed, and how they want it sealed then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from tui_mailer.accounts.configuration import Account
from tui_mailer.domain.checks import Finding, Severity
from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import InvalidMessage
from tui_mailer.domain.message import Message
from tui_mailer.domain.schedule import Schedule
from tui_mailer.domain.submission import Recipient
from tui_mailer.providers.base import Capabilities
from tui_mailer.storage.record import DraftRef

HTML_OUTDATED = "The HTML version still says the old text, and most readers would be shown that one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What a person should see before sending."""

    account: Account
    capabilities: Capabilities
    message: Message
    recipients: tuple[Recipient, ...]
    size: int
    """Bytes on the wire."""
    schedule: Schedule | None
    findings: tuple[Finding, ...]
    """Errors first; any error means that sealing would be refused."""
    who_sends: str
    """One sentence: who will deliver it."""
    at: datetime
    """When it was made: "tomorrow" is the day after."""

    @property
    def is_sendable(self) -> bool:
        """Says whether sealing would be accepted."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRequest:
    """How a draft is to be sealed."""

    hold: bool = False
    undo_seconds: int = 0
    """Seconds in which it can still be taken back: ``not_before`` = now + this."""
    key: str | None = None
    """A second call with the same key returns the first submission."""
    marks: tuple[str, ...] = ()
    """By what it can be found later besides its key (`Outbox.find_key`)."""
    each: bool = False
    """One submission per To."""
    draft: DraftRef | None = None
    """The stored draft it comes from, as it was read; deleted in the sealing transaction."""
    reviewed: Review | None = None
    """What a person was shown and agreed to: the words of its schedule are read as they were then, and what would
    differ from it isn't sealed."""


def refuse_outdated_html(draft: Draft) -> None:
    """Raises `InvalidMessage` if the text was changed and the HTML wasn't: one message would say two things."""
    if draft.is_html_outdated():
        raise InvalidMessage(
            f"{HTML_OUTDATED}. Open the draft in the app: its review can leave the HTML out.", field="body"
        )


def refuse_unseen(message: Message, account: Account, reviewed: Review) -> None:
    """Raises `InvalidMessage` if a message isn't the one that was reviewed, or one of its To alone.

    A file may have been written to since, or a setting changed: nobody has agreed to send that.
    """
    seen = reviewed.message
    for now, before in zip(message.attachments, seen.attachments, strict=False):
        if now != before:
            raise InvalidMessage(f"{now.name} has changed since this review: review it again.", field="attachments")
    same = replace(seen, id=message.id, message_id=message.message_id, to=message.to)
    same_account = reviewed.account._replace(lines=account.lines)
    if message != same or not set(message.to) <= set(seen.to) or account != same_account:
        raise InvalidMessage(f"The settings of account '{account.name}' have changed: review it again.")
