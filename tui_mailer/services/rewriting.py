"""What a person writes on from an earlier message starts with; and, named first, what of that message it can't keep.

A message that came through ``sendmail`` is taken apart for it: its own header says who is named in To and Cc, and
whoever else gets it stays in Bcc.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tui_mailer.domain.address import Address, format_address_list
from tui_mailer.domain.draft import Draft, DraftAttachment
from tui_mailer.domain.errors import DamagedStore, InvalidMessage
from tui_mailer.domain.text import clean
from tui_mailer.services.intake import SEALED
from tui_mailer.services.taking_back import draft_of, those_left

if TYPE_CHECKING:
    from tui_mailer.domain.raw_parts import RawParts
    from tui_mailer.storage.record import Submission
    from tui_mailer.storage.spool import Spool

DraftMaker = Callable[["Submission", str], Draft]
"""Makes the draft of a submission as it stands by then, to go out at the given words (empty: now)."""


def unkept(submission: Submission, spool: Spool) -> tuple[str, ...]:
    """Says what a draft made of a submission couldn't keep, a phrase each.

    Raises `InvalidMessage` where none can be made (signed, encrypted, damaged), `DamagedStore` where nothing is left.
    """
    parts = _parts(submission, spool)
    return tuple(_gone(submission, spool) if parts is None else _not_taken_over(submission, parts))


def draft_maker(submission: Submission, spool: Spool, *, may_lose: bool) -> DraftMaker:
    """Prepares a submission to be made a draft, its files kept in the spool; raises as `unkept`.

    Without ``may_lose`` it raises `InvalidMessage` for what couldn't be kept: the person is to know before.
    """
    parts = _parts(submission, spool)
    lost = tuple(_gone(submission, spool) if parts is None else _not_taken_over(submission, parts))
    if lost and not may_lose:
        raise InvalidMessage(f"It can't be edited without a loss: {'; '.join(lost)}.")
    if parts is None:
        gone = {f"{SEALED}{one.sha256}" for one in submission.message.attachments if not _is_kept(one.sha256, spool)}
        return lambda one, when: _without(draft_of(one, when), gone)
    files = tuple(
        DraftAttachment(
            source=f"{SEALED}{spool.add_bytes(file.content).sha256}",
            name=file.name,
            media_type=file.media_type,
            content_id=file.content_id,
        )
        for file in parts.files
    )
    return lambda one, when: _draft_of_parts(one, parts, files, when)


def _parts(submission: Submission, spool: Spool) -> RawParts | None:
    """What a message that came through ``sendmail`` is made of; None: it didn't."""
    if submission.message.raw_sha256 is None:
        return None
    from tui_mailer.domain.raw_parts import take_apart

    return take_apart(spool.read(submission.message.raw_sha256))


def _draft_of_parts(submission: Submission, parts: RawParts, files: tuple[DraftAttachment, ...], when: str) -> Draft:
    left = those_left(submission)
    to = [one for one in parts.to if one.addr_spec.casefold() in left]
    shown = {one.addr_spec.casefold() for one in to}
    cc = [one for one in parts.cc if one.addr_spec.casefold() in left - shown]
    shown |= {one.addr_spec.casefold() for one in cc}
    bcc = [one.address for one in submission.recipients if one.address.casefold() in left - shown]
    return Draft(
        account=submission.account,
        sender=str(parts.sender or submission.message.sender),
        to=format_address_list(to),
        cc=format_address_list(cc),
        bcc=", ".join(bcc),
        reply_to=format_address_list(parts.reply_to),
        subject=parts.subject,
        body=parts.text,
        html=parts.html,
        attachments=files,
        in_reply_to=parts.in_reply_to,
        references=parts.references,
        headers=parts.headers,
        schedule=when,
        note=submission.note or "",
        retries=submission.retries,
    )


def _not_taken_over(submission: Submission, parts: RawParts) -> Iterator[str]:
    yield from parts.lost
    left = those_left(submission)
    for name, addresses in (("To", parts.to), ("Cc", parts.cc)):
        for one in addresses:
            if one.addr_spec.casefold() not in left:
                yield f"{one.addr_spec} in {name}, whom this message doesn't go to"
    author = parts.sender or submission.message.sender
    if not _is_same(author, submission.envelope_from):
        bounces = submission.envelope_from or "nobody"
        yield f"where a server's complaints go ({bounces}): they go to {author.addr_spec}"


def _is_same(author: Address, envelope_from: str) -> bool:
    return author.addr_spec.casefold() == envelope_from.casefold()


def _gone(submission: Submission, spool: Spool) -> Iterator[str]:
    """What is no longer there of a message that ended (``history.keep``)."""
    message = submission.message
    if submission.draft is None and message.text is None and message.html is None and message.template is None:
        yield "its text: the history no longer has it"
    for one in message.attachments:
        if not _is_kept(one.sha256, spool):
            yield f"{clean(one.name)}: the history no longer has it"


def _is_kept(sha256: str | None, spool: Spool) -> bool:
    if sha256 is None:
        return True
    try:
        return spool.size_of(sha256) >= 0
    except DamagedStore:
        return False


def _without(draft: Draft, gone: set[str]) -> Draft:
    if not gone:
        return draft
    return draft._replace(attachments=tuple(one for one in draft.attachments if one.source not in gone))
