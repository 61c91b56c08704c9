"""1,000 messages of 10 KB by SMTP, every state durable, over 1, 4 and 8 connections, beside smtp-source and msmtp.

    .venv/bin/python benchmarks/smtp_bulk.py [--messages 1000] [--size 10240] [--round-trip 0.04] [--folder DIR]

smtp-source keeps nothing and syncs nothing: it is what wire and server allow. msmtp is what a script would call. Then
the same on a slow line, where the round trips count.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import apsw
from bench import (
    ENVIRONMENT,
    POSTFIX,
    data_folder,
    fdatasync_seconds,
    open_bench_session,
    require_postfix,
    row,
    smtp_sink,
)
from slow_line import slow_line

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.submission import State
from tui_mailer.services.session import Session

CONNECTIONS = (1, 4, 8)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one stage cost, per message."""

    seconds: float
    cpu_seconds: float
    commits: float


class Meter:
    """Counts commits on every database connection, and time."""

    def __init__(self) -> None:
        self._commits = 0
        apsw.connection_hooks.append(self._watch)

    def _watch(self, connection: apsw.Connection) -> None:
        connection.set_commit_hook(self._count, id=self)

    def _count(self) -> bool:
        self._commits += 1
        return False

    def start(self) -> None:
        """Begins a stage."""
        self._commits, self._began, self._cpu = 0, time.perf_counter(), time.process_time()

    def stop(self, messages: int) -> Cost:
        """Ends a stage."""
        seconds, cpu = time.perf_counter() - self._began, time.process_time() - self._cpu
        return Cost(seconds / messages, cpu / messages, self._commits / messages)


def smtp_source(port: int, *, messages: int, size: int) -> float:
    """Seconds per message of postfix' smtp-source over one connection; the best of three."""
    command = [POSTFIX / "usr/sbin/smtp-source", "-d", "-s", "1", "-m", str(messages), "-l", str(size)]
    times: list[float] = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run([*command, f"127.0.0.1:{port}"], env=ENVIRONMENT, check=True)
        times.append(time.perf_counter() - began)
    return min(times) / messages


def msmtp(port: int, *, messages: int, body: str) -> float | None:
    """Seconds per message of one msmtp process each; None where it isn't installed."""
    if shutil.which("msmtp") is None:
        return None
    command = ["msmtp", "--file=/dev/null", "--host=127.0.0.1", f"--port={port}", "--from=ada@lab.test", "b@lab.test"]
    text = f"From: ada@lab.test\r\nTo: b@lab.test\r\nSubject: bench\r\n\r\n{body}".encode()
    began = time.perf_counter()
    for _ in range(messages):
        subprocess.run(command, input=text, check=True)
    return (time.perf_counter() - began) / messages


def our_costs(session: Session, meter: Meter, *, messages: int, body: str) -> tuple[Cost, Cost]:
    """Costs of sealing and of delivering; fails unless every message is recorded as sent."""
    draft = Draft(to="b@lab.test", subject="bench", body=body)
    meter.start()
    for _ in range(messages):
        session.mailer.seal(draft)
    sealing = meter.stop(messages)
    meter.start()
    attempted = session.engine("flush").flush()
    delivering = meter.stop(messages)
    sent = sum(each.state is State.SENT for each in attempted)
    assert sent == session.mailer.history_count() == messages, f"only {sent} of {messages} were sent"
    return sealing, delivering


@dataclass(frozen=True, slots=True)
class Peers:
    """What the figures stand beside."""

    sync: float
    source: float
    single: float | None


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--size", type=int, default=10240, help="bytes of body")
    parser.add_argument("--round-trip", type=float, default=0.04, help="seconds of the slow line; 0: leave it out")
    parser.add_argument("--folder", type=Path, help="on the disk to be measured (default: .lab in the checkout)")
    options = parser.parse_args()
    require_postfix()
    body = ("All work and no play makes Jack a dull boy; so he sends mail. " * (options.size // 60 + 1))[: options.size]
    with data_folder(options.folder) as folder, smtp_sink(folder) as port:
        peers = Peers(
            fdatasync_seconds(folder),
            smtp_source(port, messages=options.messages, size=options.size),
            msmtp(port, messages=min(options.messages, 200), body=body),
        )
        print(f"{options.messages} messages of {options.size} bytes, per message:")
        report_peers(peers)
        for connections in CONNECTIONS:
            report(f"loopback, connections: {connections}", measure(folder, port, connections, options, body), peers)
        if options.round_trip:
            with slow_line(port, options.round_trip) as slow_port:
                for connections in CONNECTIONS:
                    _, delivering = measure(folder, slow_port, connections, options, body)
                    trips = delivering.seconds * connections / options.round_trip
                    row(
                        f"{options.round_trip * 1e3:g} ms a round trip, connections: {connections}",
                        f"{delivering.seconds * 1e3:.1f} ms",
                        f"{trips:.2f} round trips a message and connection; goal: 2",
                    )


def measure(folder: Path, port: int, connections: int, options: argparse.Namespace, body: str) -> tuple[Cost, Cost]:
    """Seals and delivers on a data dir of its own."""
    meter = Meter()
    with (
        tempfile.TemporaryDirectory(dir=folder) as place,
        open_bench_session(Path(place), port, connections=connections) as session,
    ):
        return our_costs(session, meter, messages=options.messages, body=body)


def report_peers(peers: Peers) -> None:
    """Prints what the disk and the peers take."""
    row("fdatasync on this disk, median", f"{peers.sync * 1e3:.3f} ms")
    row("smtp-source, one connection, best of 3", f"{peers.source * 1e3:.3f} ms", "keeps nothing, syncs nothing")
    row("msmtp", "not installed" if peers.single is None else f"{peers.single * 1e3:.3f} ms", "a process each")


def report(title: str, costs: tuple[Cost, Cost], peers: Peers) -> None:
    """Prints per message, then the ratios that the design asks for."""
    print(f"{title}:")
    for name, cost in zip(("sealing", "delivering"), costs, strict=True):
        note = f"CPU {cost.cpu_seconds * 1e3:.3f} ms, {cost.commits:.2f} commits"
        row(f"  {name}", f"{cost.seconds * 1e3:.3f} ms", note)
    delivering = costs[1]
    less_syncs = delivering.seconds - delivering.commits * peers.sync
    row("  delivering less commits x fdatasync", f"{less_syncs * 1e3:.3f} ms")
    row("    as a multiple of smtp-source", f"{less_syncs / peers.source:.1f} x", "goal: at most 10")
    if peers.single is not None:
        row("  msmtp as a multiple of delivering", f"{peers.single / delivering.seconds:.1f} x", "goal: at least 5")


if __name__ == "__main__":
    main()
