"""The thread that writes to the terminal: nobody ever waits for it, however slowly the terminal reads."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue


class TerminalWriter(threading.Thread):
    """Writes blocks in order, and says when all of them are out."""

    def __init__(self, handle: int, on_idle: Callable[[], None]) -> None:
        super().__init__(daemon=True, name="tui-writer")
        self._handle = handle
        self._on_idle = on_idle
        self._blocks: SimpleQueue[bytes | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._pending = 0
        self._is_asked = False

    def write(self, block: bytes) -> None:
        """Puts a block behind the others; returns at once."""
        with self._lock:
            self._pending += 1
        self._blocks.put(block)

    def is_idle_or_will_tell(self) -> bool:
        """Whether the terminal has taken everything; if not, ``on_idle`` is called, in this thread, once it has."""
        with self._lock:
            self._is_asked = self._pending > 0
            return not self._is_asked

    def run(self) -> None:
        """Writes until told to stop; a terminal that is gone swallows the rest."""
        while (block := self._blocks.get()) is not None:
            self._send(block)
            with self._lock:
                self._pending -= 1
                tells = self._is_asked and not self._pending
                if tells:
                    self._is_asked = False
            if tells:
                self._on_idle()

    def _send(self, block: bytes) -> None:
        rest = memoryview(block)
        try:
            while rest:
                rest = rest[os.write(self._handle, rest) :]
        except OSError:
            # SIGHUP, or the end of what can be read, tells the rest of the program.
            return

    def stop(self) -> None:
        """Writes what is left, and ends the thread."""
        self._blocks.put(None)
        self.join()
