"""The bytes of an SMTP connection: replies in, flow-controlled writes out, and an end that never flushes.

It takes over a transport that is connected, secured and authenticated. `asyncio`'s ``close()`` would still deliver
what is buffered, a whole message perhaps; so a broken transaction ends in ``abort()``.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from tui_mailer.domain.text import clean
from tui_mailer.providers.smtp_reply import GarbledReply, Reply, ReplyParser

_TRANSCRIPT_HEAD = 120
_TRANSCRIPT_TAIL = 80


class WireError(Exception):
    """The conversation can't go on; what that means for the mail depends on how far it got."""


class Lost(WireError):
    """The peer has closed or reset the connection."""


class Stalled(WireError):
    """Nothing came, or nothing went out, for too long."""


class Garbled(WireError):
    """What came is no SMTP reply."""


class Transcript:
    """The lines exchanged, as kept with an attempt: the first 120 and the last 80."""

    def __init__(self, opening: Sequence[str] = ()) -> None:
        self._head: list[str] = list(opening[:_TRANSCRIPT_HEAD])
        self._tail: deque[str] = deque(maxlen=_TRANSCRIPT_TAIL)
        self._count = len(self._head)

    def sent(self, line: str) -> None:
        """Notes a command; the caller has removed any secret."""
        self._add(f"C: {line}")

    def received(self, reply: Reply) -> None:
        """Notes an answer."""
        self._add(f"S: {reply}")

    def lines(self) -> tuple[str, ...]:
        """Returns what is kept, oldest first, with one line for what was left out."""
        left_out = self._count - len(self._head) - len(self._tail)
        gap = (f"... {left_out} lines left out ...",) if left_out else ()
        return (*self._head, *gap, *self._tail)

    def _add(self, line: str) -> None:
        self._count += 1
        if len(self._head) < _TRANSCRIPT_HEAD:
            self._head.append(line)
        else:
            self._tail.append(line)


class SmtpWire(asyncio.Protocol):
    """Reads replies and writes blocks on a transport that somebody else has opened."""

    def __init__(self, transport: asyncio.Transport, redact: Callable[[str], str] = str) -> None:
        """``redact`` sees the text of every reply before anybody else does."""
        self._transport = transport
        self._parser = ReplyParser(redact)
        self._replies: deque[Reply] = deque()
        self._end: WireError | None = None
        self._is_paused = False
        self._reader: asyncio.Future[None] | None = None
        self._drainer: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        transport.set_protocol(self)
        # Paused as soon as the kernel takes no more, resumed once all is out: `drain` then proves progress.
        # (1, not 0: the TLS transport pauses at "high or more" and would pause with nothing buffered.)
        transport.set_write_buffer_limits(high=1, low=0)
        if transport.is_closing():
            self._end = Lost("the server closed the connection")

    @property
    def has_reply(self) -> bool:
        """Whether a reply is here that nobody has read; before a command is sent, one that nobody asked for."""
        return bool(self._replies)

    @property
    def is_usable(self) -> bool:
        """Whether another command may be sent."""
        return self._end is None and not self._replies and not self._transport.is_closing()

    @property
    def is_alive(self) -> bool:
        """Whether a reply may still be read."""
        return self._end is None or bool(self._replies)

    def write(self, block: bytes) -> None:
        """Hands bytes to the transport; raises `WireError` when the connection has ended."""
        if self._end is not None:
            raise self._end
        if self._transport.is_closing():
            raise Lost("the connection is closed")
        self._transport.write(block)

    async def drain(self, timeout_seconds: float) -> None:
        """Waits until all that was written has left, or an answer has come; raises `Stalled` after the time."""
        if self._end is not None:
            raise self._end
        if not self._is_paused:
            return
        self._drainer = self._loop.create_future()
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._drainer
        except TimeoutError:
            raise Stalled(f"the server took no bytes for {timeout_seconds:g} s") from None
        finally:
            self._drainer = None
        if self._end is not None:
            raise self._end

    async def read_reply(self, timeout_seconds: float) -> Reply:
        """Returns the next reply; raises `WireError` where there is none."""
        if not self._replies:
            if self._end is not None:
                raise self._end
            self._reader = self._loop.create_future()
            try:
                async with asyncio.timeout(timeout_seconds):
                    await self._reader
            except TimeoutError:
                raise Stalled(f"the server didn't answer for {timeout_seconds:g} s") from None
            finally:
                self._reader = None
        if self._replies:
            return self._replies.popleft()
        raise self._end or Lost("the connection is closed")

    def abort(self) -> None:
        """Ends the connection at once; what is still buffered is thrown away."""
        if self._end is None:
            self._end = Lost("the connection was ended from here")
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        try:
            self._replies.extend(self._parser.feed(data))
        except GarbledReply as error:
            self._finish(Garbled(f"the server's answer is no SMTP reply: {error}"))
            return
        if self._replies:
            self._wake()

    def eof_received(self) -> None:
        self._finish(Lost("the server closed the connection"))

    def connection_lost(self, exc: Exception | None) -> None:
        reason = f" ({clean(str(exc))})" if exc is not None else ""
        self._finish(Lost(f"the connection broke{reason}"))

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        self._wake_drainer()

    def _finish(self, end: WireError) -> None:
        if self._end is None:
            self._end = end
        self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
        self._wake_drainer()

    def _wake_drainer(self) -> None:
        if self._drainer is not None and not self._drainer.done():
            self._drainer.set_result(None)
