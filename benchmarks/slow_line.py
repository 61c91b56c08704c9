"""A slow line for the benchmarks: a TCP proxy, in a process of its own, through which every block takes its time."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Generator

EPILOG = """Name that port instead of the server's in an account ({provider: smtp, host: 127.0.0.1, port: ...}) to see
the app over a slow line; or put it before a remote shell's: ssh -p PORT 127.0.0.1. Ctrl+C ends it."""


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
    """Runs the proxy; yields its port."""
    command = [sys.executable, __file__, str(port), str(round_trip_seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:
        assert proxy.stdout is not None
        try:
            yield int(proxy.stdout.readline())
        finally:
            proxy.terminate()


async def main(port: int, round_trip_seconds: float) -> None:
    """Prints the proxy's port and serves until it is ended."""
    server = await SlowLine(port, round_trip_seconds).serve()
    own = server.sockets[0].getsockname()[1]
    if sys.stdout.isatty():
        print(f"127.0.0.1:{own} is port {port} with {round_trip_seconds:g} s a round trip; Ctrl+C ends it.")
    else:
        print(own, flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, epilog=EPILOG)
    parser.add_argument("port", type=int, help="where a server listens on this computer")
    parser.add_argument("round_trip", type=float, nargs="?", default=0.3, metavar="SECONDS", help="default: 0.3")
    asked = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(asked.port, asked.round_trip))
