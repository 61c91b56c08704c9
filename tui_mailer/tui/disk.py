"""Reading a disk that may not answer: a file on a dead mount must stop neither the screen nor the saving of drafts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tui_mailer.domain.errors import MailerError

T = TypeVar("T")

PATIENCE_SECONDS = 10.0


async def read_disk(call: Callable[[], T]) -> T:
    """Awaits a call made in a thread of its own; raises `MailerError` when the disk doesn't answer in time."""
    from tui_mailer.accounts import patience

    try:
        return await patience.wait_async(patience.start(call, name="tui-disk"), PATIENCE_SECONDS)
    except TimeoutError:
        raise MailerError(f"the disk hasn't answered for {PATIENCE_SECONDS:.0f} s") from None
