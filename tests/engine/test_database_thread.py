"""The thread that an engine's storage calls are made in."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tui_mailer.services.database_thread import DatabaseThread


async def test_calls_are_made_in_order_in_one_other_thread() -> None:
    """Whatever is asked of the store at once happens one after the other, and never in the loop's own thread."""
    seen: list[tuple[int, int]] = []
    with DatabaseThread() as database:
        await asyncio.gather(*(database.call(lambda n=n: seen.append((n, threading.get_ident()))) for n in range(20)))
    assert [number for number, _ in seen] == list(range(20))
    threads = {thread for _, thread in seen}
    assert len(threads) == 1
    assert threads != {threading.get_ident()}


async def test_what_a_call_raises_is_raised_where_it_is_awaited() -> None:
    """A full disk is told to who wanted to write, and the next call is made all the same."""
    with DatabaseThread() as database:
        with pytest.raises(ValueError, match="disk"):
            await database.call(int, "disk")
        assert await database.call(int, "7") == 7


async def test_a_call_taken_back_before_its_turn_is_never_made() -> None:
    """A delivery that is stopped while it waits for the database doesn't write behind its own back."""
    made: list[str] = []
    may_go_on = threading.Event()
    with DatabaseThread() as database:
        first = database.call(may_go_on.wait)
        second = database.call(made.append, "second")
        second.cancel()
        may_go_on.set()
        await first
        await database.call(made.append, "third")
    assert made == ["third"]
