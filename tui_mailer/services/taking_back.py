"""From a submission back to a draft: for whom it is still to go, and when."""

from __future__ import annotations

import json
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
    """The draft a submission was sealed from, for those it still goes to, to go out at ``when``.

    Where there is none, or where some have accepted, it is made anew from the message. What came through ``sendmail``
    is `rewriting`'s.
    """
    message = _for_those_left(submission)
    if submission.draft is not None:
        if message is submission.message:
            return submission.draft._replace(schedule=when)
        lists = {kind: format_address_list(getattr(message, kind)) for kind in ("to", "cc", "bcc")}
        return submission.draft._replace(schedule=when, **lists)
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
        template=message.template or "",
        variables=dict(message.variables),
        options={key: one if isinstance(one, str) else json.dumps(one) for key, one in message.options.items()},
    )
    return draft._replace(schedule=when, note=submission.note or "", retries=submission.retries)


def those_left(submission: Submission) -> frozenset[str]:
    """Whom a draft made of a submission goes to, as `str.casefold` of their addresses.

    Not to whom has it already, nor to whom this one was never to go (a resend to the refused). What has ended is
    written anew, to all of its own.
    """
    has_ended = submission.state in ENDED_STATES
    left = (one for one in submission.recipients if has_ended or one.status not in SETTLED_STATUSES)
    return frozenset(one.address.casefold() for one in left)


def _for_those_left(submission: Submission) -> Message:
    message, left = submission.message, those_left(submission)
    if all(one.addr_spec.casefold() in left for one in message.recipients()):
        return message

    def chosen(addresses: tuple[Address, ...]) -> tuple[Address, ...]:
        return tuple(one for one in addresses if one.addr_spec.casefold() in left)

    return replace(message, to=chosen(message.to), cc=chosen(message.cc), bcc=chosen(message.bcc))


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
