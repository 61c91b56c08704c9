"""From a submission back to a draft: for whom it is still to go, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tui_mailer.domain.address import Address, format_address_list
from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import InvalidSchedule
from tui_mailer.domain.message import Message
from tui_mailer.domain.schedule import parse_when
from tui_mailer.domain.submission import ENDED_STATES, SETTLED_STATUSES
from tui_mailer.services.intake import sealed_source
from tui_mailer.storage.record import Submission


def draft_of(submission: Submission, when: str = "") -> Draft:
    """The draft a submission was sealed from, for those who haven't accepted it yet, to go out at ``when``.

    Where there is none (raw mail), or where some have accepted, it is made anew from the message.
    """
    message = submission.message if submission.state in ENDED_STATES else _for_the_rest(submission)
    if submission.draft is not None:
        if message is submission.message:
            return replace(submission.draft, schedule=when)
        lists = {kind: format_address_list(getattr(message, kind)) for kind in ("to", "cc", "bcc")}
        return replace(submission.draft, schedule=when, **lists)
    draft = Draft(
        account=submission.account,
        sender=str(message.sender),
        to=format_address_list(message.to),
        cc=format_address_list(message.cc),
        bcc=format_address_list(message.bcc),
        reply_to=format_address_list(message.reply_to),
        subject=message.subject,
        body=message.text or "",
        html=message.html,
        attachments=tuple(map(sealed_source, message.attachments)),
        in_reply_to=message.in_reply_to or "",
        references=" ".join(message.references),
        headers=message.headers,
        tags=message.tags,
        metadata=dict(message.metadata),
    )
    return replace(draft, schedule=when, note=submission.note or "", retries=submission.retries)


def _for_the_rest(submission: Submission) -> Message:
    """Leaves out who has the message already, and who was never to get this one (a resend to the refused)."""
    message = submission.message
    waiting = {one.address.casefold() for one in submission.recipients if one.status not in SETTLED_STATUSES}
    if all(one.addr_spec.casefold() in waiting for one in message.recipients()):
        return message

    def left(addresses: tuple[Address, ...]) -> tuple[Address, ...]:
        return tuple(one for one in addresses if one.addr_spec.casefold() in waiting)

    return replace(message, to=left(message.to), cc=left(message.cc), bcc=left(message.bcc))


def when_of(submission: Submission, *, now: datetime, zone: ZoneInfo, recurs: bool = False) -> str:
    """When a submission was to go, as a person would write it (``2026-11-30 10:00``); empty: now, or that has passed.

    ``recurs``: the words of its whole series. The zone is named where it isn't ``zone``.
    """
    if submission.schedule_words is None or (recurs and submission.series_id is not None):
        return submission.schedule_words or ""
    if submission.not_before <= now:
        return ""
    own = _zone_named(submission.schedule_zone) or zone
    at = submission.not_before.replace(microsecond=0)
    local = at.astimezone(own)
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    words = f"{local:%Y-%m-%d} {clock}" if own.key == zone.key else f"{local:%Y-%m-%d} {clock} {own.key}"
    try:
        is_understood = parse_when(words, now=now, zone=zone).at == at
    except InvalidSchedule:
        is_understood = False
    # An hour that a clock change brings twice needs its offset.
    return words if is_understood else local.isoformat(timespec="seconds")


def _zone_named(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
