"""A slow line between a program and its terminal, as SSH over a bad connection is.

    .venv/bin/python tests/terminal/slow_terminal.py [--round-trip 0.3] [--rate 2000] -- tui-mailer

The program gets a pseudo-terminal of its own. What it writes is taken in at once, up to the buffer, as sshd and TCP
do; it then trickles out at the line's rate, half a round trip late. Keys take the other half. With a small `--buffer`
the program is held up instead, as on a serial line.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import selectors
import signal
import subprocess
import sys
import termios
import tty
from collections import deque
from time import monotonic

ROUND_TRIP_SECONDS, RATE, BUFFER = 0.3, 2000, 262_144
SLICE_SECONDS = 0.02
"""How finely the rate is kept."""


class Direction:
    """Bytes on their way: each leaves when the line is free, and arrives a delay later."""

    def __init__(self, source: int, target: int, *, delay_seconds: float, rate: float, buffer: int) -> None:
        self.source, self.target = source, target
        self._delay_seconds, self._rate, self._buffer = delay_seconds, rate, buffer
        self._under_way: deque[tuple[float, bytes]] = deque()
        self._free_at = 0.0
        self._size = 0

    @property
    def takes_more(self) -> bool:
        """Whether the source is read: not while the buffer is full."""
        return self._size < self._buffer

    def read(self) -> bool:
        """Takes what the source has; False at its end."""
        try:
            block = os.read(self.source, max(1, min(65536, self._buffer - self._size)))
        except OSError:
            return False
        now = monotonic()
        each = max(1, int(self._rate * SLICE_SECONDS))
        for at in range(0, len(block), each):
            piece = block[at : at + each]
            self._free_at = max(self._free_at, now) + len(piece) / self._rate
            self._under_way.append((self._free_at + self._delay_seconds, piece))
        self._size += len(block)
        return bool(block)

    def deliver(self) -> None:
        """Writes what has arrived by now."""
        while self._under_way and self._under_way[0][0] <= monotonic():
            _, piece = self._under_way.popleft()
            self._size -= len(piece)
            while piece:
                piece = piece[os.write(self.target, piece) :]

    def next_arrival(self) -> float | None:
        """When the next piece arrives; None: nothing is under way."""
        return self._under_way[0][0] if self._under_way else None


def relay(command: list[str], *, round_trip_seconds: float, rate: float, buffer: int) -> int:
    """Runs a program at the other end of the line, in the terminal this one stands in; returns its exit code."""
    master, slave = pty.openpty()
    _take_size(slave)
    process = subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - its own controlling terminal
    )
    os.close(slave)
    signal.signal(signal.SIGWINCH, lambda *_: _take_size(master))
    before = termios.tcgetattr(0)
    tty.setraw(0, termios.TCSANOW)
    half = round_trip_seconds / 2
    up = Direction(0, master, delay_seconds=half, rate=1e9, buffer=BUFFER)
    down = Direction(master, 1, delay_seconds=half, rate=rate, buffer=buffer)
    try:
        _carry(up, down)
    except OSError:
        # One end has hung up; the kernel tells the program.
        os.close(master)
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
    return process.wait()


def _carry(up: Direction, down: Direction) -> None:
    """Both ways until the program has closed its terminal and all it wrote has arrived."""
    open_ends = {up, down}
    while down in open_ends or down.next_arrival() is not None:
        with selectors.DefaultSelector() as selector:
            for direction in open_ends:
                if direction.takes_more:
                    selector.register(direction.source, selectors.EVENT_READ, direction)
            arrivals = [at for at in (up.next_arrival(), down.next_arrival()) if at is not None]
            wait = max(0.0, min(arrivals) - monotonic()) if arrivals else None
            for key, _ in selector.select(wait):
                if not key.data.read():
                    open_ends.discard(key.data)
        down.deliver()
        if down in open_ends:
            up.deliver()


def _take_size(handle: int) -> None:
    fcntl.ioctl(handle, termios.TIOCSWINSZ, fcntl.ioctl(0, termios.TIOCGWINSZ, b"\0" * 8))


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--round-trip", type=float, default=ROUND_TRIP_SECONDS, help="seconds")
    parser.add_argument("--rate", type=float, default=RATE, help="bytes a second towards the terminal")
    parser.add_argument("--buffer", type=int, default=BUFFER, help="bytes the line takes in before the program waits")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    return relay(given.command, round_trip_seconds=given.round_trip, rate=given.rate, buffer=given.buffer)


if __name__ == "__main__":
    sys.exit(main())
