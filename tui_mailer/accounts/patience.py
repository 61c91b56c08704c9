"""Waiting a limited time for calls that may never return: a keyring behind a dead bus, a file on a dead mount.

Such a call runs in a daemon thread, so that it can neither freeze the caller nor keep the program from ending.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def start(function: Callable[[], T], *, name: str) -> Future[T]:
    """Starts the call in a daemon thread of its own and returns at once."""
    future: Future[T] = Future()
    # Marked as running: nobody who gives up waiting can cancel it under the thread.
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            value = function()
        except BaseException as error:  # noqa: BLE001 - a worker's boundary: whatever it was, the waiter gets it
            future.set_exception(error)
        else:
            future.set_result(value)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


def wait(future: Future[T], seconds: float) -> T:
    """Blocks for the result; raises TimeoutError when the time is up, and what the call raised."""
    return future.result(timeout=seconds)


async def wait_async(future: Future[T], seconds: float) -> T:
    """Awaits the result, as `wait`; the call goes on when the time is up."""
    async with asyncio.timeout(seconds):
        return await asyncio.wrap_future(future)
