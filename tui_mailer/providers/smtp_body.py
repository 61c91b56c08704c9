"""The body of a DATA command: dots stuffed and every line ended by CRLF, block by block (RFC 5321 section 4.5.2)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from tui_mailer.domain.mime import MimeMessage

_BLOCK_BYTES = 64 * 1024
_ANY_LINE_END = re.compile(rb"\r\n|\r|\n")


class DotStuffer:
    """Makes a stream of bytes safe between DATA and the final dot, wherever the blocks are cut."""

    def __init__(self) -> None:
        self._is_at_line_start = True
        self._held = b""

    def feed(self, block: bytes) -> bytes:
        """Returns what can be sent of all that was fed; a trailing CR waits for its LF."""
        if self._held:
            block = self._held + block
            self._held = b""
        if block.endswith(b"\r"):
            block, self._held = block[:-1], b"\r"
        if not block:
            return b""
        # A bare CR or LF is how mail is smuggled past a server that reads line ends in its own way.
        if not block.count(b"\n") == block.count(b"\r\n") == block.count(b"\r"):
            block = _ANY_LINE_END.sub(b"\r\n", block)
        starts_with_dot = self._is_at_line_start and block.startswith(b".")
        self._is_at_line_start = block.endswith(b"\n")
        stuffed = block.replace(b"\n.", b"\n..")
        return b"." + stuffed if starts_with_dot else stuffed

    def finish(self) -> bytes:
        """Returns what ends the last line, if it isn't ended; the dot itself is not in it."""
        is_complete = self._is_at_line_start and not self._held
        self._held, self._is_at_line_start = b"", True
        return b"" if is_complete else b"\r\n"


async def blocks(mime: MimeMessage) -> AsyncIterator[bytes]:
    """Yields the message in blocks worth a system call each: a small one as a whole."""
    small = mime.small_body()
    if small is not None:
        yield mime.header + small
        return
    gathered: list[bytes] = []
    gathered_size = 0
    async for block in mime.stream():
        gathered.append(block)
        gathered_size += len(block)
        if gathered_size >= _BLOCK_BYTES:
            yield gathered[0] if len(gathered) == 1 else b"".join(gathered)
            gathered, gathered_size = [], 0
    if gathered:
        yield b"".join(gathered)


async def has_8bit(mime: MimeMessage) -> bool:
    """Reads the message once and says whether it holds a byte beyond ASCII."""
    async for block in blocks(mime):
        if not block.isascii():
            return True
    return False
