"""Forgets what is no longer to be kept: texts and attachments past ``history.keep``, files nobody refers to."""

from __future__ import annotations

import asyncio

from tui_mailer.domain.errors import StorageError
from tui_mailer.services.event import EngineTroubled
from tui_mailer.services.workplace import Workplace

TIDY_SECONDS = 3600.0
TIDY_DELAY_SECONDS = 60.0
"""After the start: a person who opens the app waits for nothing."""


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
