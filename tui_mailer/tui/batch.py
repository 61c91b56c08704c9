"""One action on several submissions, and one honest sentence about what could be done and what couldn't."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui_mailer.domain.errors import MailerError, NotFound, StorageError, TooLate
from tui_mailer.domain.submission import State
from tui_mailer.storage.record import Submission
from tui_mailer.tui.desk import Desk

if TYPE_CHECKING:
    from tui_mailer.services.mailer import Mailer

CHUNK = 20
"""Submissions in one go of the I/O thread: others get their turn between."""


@dataclass
class Tally:
    """What came of it."""

    done: list[str] = field(default_factory=list[str])
    """Whose keys it was done to."""
    uncertain: int = 0
    """How many of those may have been delivered all the same."""
    refused: Counter[str] = field(default_factory=Counter[str])
    """How many couldn't, by why not."""

    def count(self, key: str, result: object) -> None:
        """Counts one that it was done to; ``result``: what became of it, if anything is known."""
        self.done.append(key)
        self.uncertain += isinstance(result, Submission) and result.state is State.UNCERTAIN

    def sentence(self, done: str, undone: str) -> str:
        """``3 canceled; 1 can't be canceled: it is being sent right now``."""
        if not self.done and self.refused.total() == 1:
            return f"it can't be {undone}: {next(iter(self.refused))}"
        certain = len(self.done) - self.uncertain
        told = [f"{certain} {done}"] if certain or not (self.done or self.refused) else []
        if self.uncertain:
            told.append(f"{self.uncertain} won't be sent again but may have been delivered: it stays here as uncertain")
        told += [f"{count} can't be {undone}: {why}" for why, count in self.refused.most_common()]
        return "; ".join(told)


async def on_each(desk: Desk, keys: Sequence[str], act: Callable[[Mailer, str], object]) -> Tally:
    """Does it to each, whatever the others say; raises `StorageError` when nothing can be written any more."""
    tally = Tally()
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        await desk.ask(lambda mailer, chunk=chunk: _do(mailer, chunk, act, tally))
    return tally


async def recall_each(keys: Sequence[str], act: Callable[[str], object], tally: Tally) -> None:
    """Asks the provider to give each back, one after the other, in a thread of its own; adds to the tally."""
    for key in keys:
        try:
            result = await asyncio.to_thread(act, key)
        except TooLate as error:
            tally.refused[error.why] += 1
        except StorageError:
            raise
        except MailerError as error:
            tally.refused[str(error)] += 1
        else:
            tally.count(key, result)


def _do(mailer: Mailer, keys: Sequence[str], act: Callable[[Mailer, str], object], tally: Tally) -> None:
    for key in keys:
        try:
            result = act(mailer, key)
        except TooLate as error:
            tally.refused[error.why] += 1
        except NotFound:
            tally.refused["it is gone"] += 1
        except StorageError:
            raise
        except MailerError as error:
            tally.refused[str(error)] += 1
        else:
            tally.count(key, result)
