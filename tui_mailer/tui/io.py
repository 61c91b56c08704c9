"""The one thread in which the app touches disk and database, so that the screen never waits for either."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

P = ParamSpec("P")
T = TypeVar("T")


class Io:
    """Runs calls one after another, in the order asked for, in a thread of its own."""

    @cached_property
    def _executor(self) -> ThreadPoolExecutor:
        from concurrent.futures import ThreadPoolExecutor  # not for the first frame

        return ThreadPoolExecutor(max_workers=1, thread_name_prefix="tui-io")

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Awaits the call's result; its exceptions are raised here."""
        return await asyncio.wrap_future(self.submit(call, *args, **kwargs))

    def submit(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Asks for the call without waiting; for signal handlers, where no event loop may run."""
        return self._executor.submit(call, *args, **kwargs)

    def close(self) -> None:
        """Finishes what was asked for and ends the thread."""
        self._executor.shutdown(wait=True)
