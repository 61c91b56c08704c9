"""Lets mail go again that was held because its account couldn't carry it, once the configuration says that it can.

Not what may have been taken already, nor what is late by now: about those a person is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from tui_mailer.domain.errors import ConfigurationError, InvalidMessage, NotFound, TooLate
from tui_mailer.domain.submission import State
from tui_mailer.services.carrying import Carrying, Due, may_send_as, not_carried
from tui_mailer.services.doubt import is_in_doubt

if TYPE_CHECKING:
    from tui_mailer.services.workplace import Workplace
    from tui_mailer.storage.record import Submission

_MOST = 1000
"""So many held ones are looked at; older ones wait for a person."""


async def release_what_can_go(work: Workplace, accounts: Collection[str] | None = None) -> None:
    """Looks at what is held of these accounts (None: of all), and lets go what they can carry as they are now."""
    held = await work.db(work.store.outbox.list, states={State.HELD}, limit=_MOST)
    wanted = [
        one
        for one in held
        if (accounts is None or one.account in accounts)
        and (one.held_reason or "").startswith(not_carried(one.account))
        and not is_in_doubt(one)
        and not _is_late(one, work)
    ]
    for one in wanted:
        # In a thread: providers' models are loaded and, of large mail, the size is worked out.
        if await asyncio.to_thread(_can_go, one, work, work.now()):
            try:
                work.tell(await work.db(work.store.outbox.release, one.id))
            except (NotFound, TooLate):
                continue  # a person or another process was faster


def _is_late(submission: Submission, work: Workplace) -> bool:
    return submission.schedule_words is not None and work.now() - submission.not_before > work.delivery.late


def _can_go(submission: Submission, work: Workplace, now: datetime) -> bool:
    try:
        account = work.directory.account(submission.account)
        due = Due(max(submission.not_before, now), "" if submission.hands_over else "outbox")
        refusals = Carrying(work.directory).refusals(submission.message, account, now, due)
    except (ConfigurationError, InvalidMessage):
        return False  # told when it is used
    return not refusals and may_send_as(account, submission.message)
