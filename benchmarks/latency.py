"""Messages through one SMTP connection over a slow line: how many round trips each takes, beside smtp-source.

    .venv/bin/python benchmarks/latency.py [--messages 20] [--round-trip 0.04]

A proxy delays every block by half the round trip. With pipelining a message needs two: one for the envelope and
DATA, one for the dot.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import threading
import time
from collections.abc import Generator
from pathlib import Path

from bench import ENVIRONMENT, POSTFIX, data_folder, open_bench_session, require_postfix, row, smtp_sink

from tui_mailer.domain.message import Draft
from tui_mailer.domain.submission import State
from tui_mailer.services.session import Session


class SlowLine:
    """A TCP proxy to a local port; bytes arrive in order, half a round trip after they were sent."""

    def __init__(self, port: int, round_trip_seconds: float) -> None:
        self._port = port
        self._delay_seconds = round_trip_seconds / 2

    async def serve(self) -> asyncio.Server:
        """Listens on a port of the loopback."""
        return await asyncio.start_server(self._join, "127.0.0.1", 0)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self._port)
        await asyncio.gather(self._carry(reader, inner_writer), self._carry(inner_reader, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError):
            while block := await reader.read(65536):
                loop.call_later(self._delay_seconds, writer.write, block)
        loop.call_later(self._delay_seconds, writer.close)


@contextlib.contextmanager
def slow_line(port: int, round_trip_seconds: float) -> Generator[int]:
    """Runs the proxy in a thread; yields its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(SlowLine(port, round_trip_seconds).serve(), loop).result()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def our_seconds(session: Session, messages: int) -> float:
    """Time to deliver some messages, connecting included."""
    for _ in range(messages):
        session.mailer.seal(Draft(to="b@lab.test", subject="bench", body="Hello"))
    began = time.perf_counter()
    attempted = session.engine("flush").flush()
    assert sum(one.state is State.SENT for one in attempted) == messages
    return time.perf_counter() - began


def source_seconds(port: int, messages: int) -> float:
    """The same by postfix' smtp-source, which doesn't pipeline."""
    command = [POSTFIX / "usr/sbin/smtp-source", "-d", "-s", "1", "-m", str(messages), "-l", "100"]
    began = time.perf_counter()
    subprocess.run([*command, f"127.0.0.1:{port}"], env=ENVIRONMENT, check=True)
    return time.perf_counter() - began


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20)
    parser.add_argument("--round-trip", type=float, default=0.04, help="seconds")
    parser.add_argument("--folder", type=Path, help="for the data dir (default: .lab in the checkout)")
    options = parser.parse_args()
    require_postfix()
    with (
        data_folder(options.folder) as folder,
        smtp_sink(folder) as port,
        slow_line(port, options.round_trip) as slow_port,
        open_bench_session(folder, slow_port) as session,
    ):
        # What one message takes more than none, connecting and starting aside.
        alone = our_seconds(session, 1)
        ours = (our_seconds(session, options.messages + 1) - alone) / options.messages
        source_alone = source_seconds(slow_port, 1)
        source = (source_seconds(slow_port, options.messages + 1) - source_alone) / options.messages
    print(f"{options.messages} messages, one connection, a round trip of {options.round_trip * 1e3:g} ms, per message:")
    row("tui-mailer", f"{ours * 1e3:.1f} ms", f"{ours / options.round_trip:.2f} round trips; goal: 2")
    row("smtp-source", f"{source * 1e3:.1f} ms", f"{source / options.round_trip:.2f} round trips")


if __name__ == "__main__":
    main()
