"""Puts away what has ended; forgets texts and attachments past ``history.keep`` and files nobody refers to."""

from __future__ import annotations

import asyncio

from tui_mailer.domain.errors import StorageError
from tui_mailer.services.event import EngineTroubled
from tui_mailer.services.workplace import Workplace

TIDY_SECONDS = 3600.0
TIDY_DELAY_SECONDS = 60.0
"""After the start: a person who opens the app waits for nothing."""


async def archive_all(work: Workplace) -> None:
    """Leaves nothing that has ended in the outbox; in batches, so that others can write in between."""
    while await work.db(work.store.archive_ended):
        pass


async def back_up(work: Workplace) -> None:
    """Sees to today's copy of the outbox, by whichever process comes by; a copy that can't be made is told."""
    try:
        await work.db(work.store.backups.take, work.now())
    except StorageError as error:
        work.emit(EngineTroubled(text=f"{error} Mail goes on."))


async def tidy_forever(work: Workplace) -> None:
    """Tidies once an hour, until it is canceled."""
    await asyncio.sleep(TIDY_DELAY_SECONDS)
    while True:
        try:
            await tidy(work)
        except StorageError as error:
            work.emit(EngineTroubled(text=str(error)))
        await asyncio.sleep(TIDY_SECONDS)


async def tidy(work: Workplace) -> None:
    """Tidies once; raises `StorageError`."""
    keep = work.directory.configuration.history
    now = work.now()
    await work.db(
        work.store.expire,
        text_before=None if keep.keep_text is None else now - keep.keep_text,
        attachments_before=None if keep.keep_attachments is None else now - keep.keep_attachments,
    )
    await work.db(work.store.collect_garbage)
    await back_up(work)
