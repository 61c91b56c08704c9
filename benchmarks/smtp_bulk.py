"""1,000 messages of 10 KB through one SMTP connection, every state durable, beside smtp-source and msmtp in one run.

    .venv/bin/python benchmarks/smtp_bulk.py [--messages 1000] [--size 10240] [--folder DIR]

smtp-source keeps nothing and syncs nothing: it is what wire and server allow. msmtp is what a script would call.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
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

from tui_mailer.domain.message import Draft
from tui_mailer.domain.submission import State


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


def our_costs(folder: Path, port: int, *, messages: int, body: str) -> tuple[Cost, Cost]:
    """Costs of sealing and of delivering; fails unless every message is recorded as sent."""
    meter = Meter()
    with open_bench_session(folder, port) as session:
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


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--size", type=int, default=10240, help="bytes of body")
    parser.add_argument("--folder", type=Path, help="on the disk to be measured (default: .lab in the checkout)")
    options = parser.parse_args()
    require_postfix()
    body = ("All work and no play makes Jack a dull boy; so he sends mail. " * (options.size // 60 + 1))[: options.size]
    with data_folder(options.folder) as folder, smtp_sink(folder) as port:
        sync = fdatasync_seconds(folder)
        source = smtp_source(port, messages=options.messages, size=options.size)
        sealing, delivering = our_costs(folder, port, messages=options.messages, body=body)
        single = msmtp(port, messages=min(options.messages, 200), body=body)
    report(options, sync, source, single, sealing, delivering)


def report(
    options: argparse.Namespace, sync: float, source: float, single: float | None, sealing: Cost, delivering: Cost
) -> None:
    """Prints per message, then the ratios that the design asks for."""
    print(f"{options.messages} messages of {options.size} bytes, one connection, per message:")
    row("fdatasync on this disk, median", f"{sync * 1e3:.3f} ms")
    row("smtp-source", f"{source * 1e3:.3f} ms", "keeps nothing, syncs nothing")
    row("msmtp", "not installed" if single is None else f"{single * 1e3:.3f} ms", "a process each")
    for name, cost in (("sealing", sealing), ("delivering", delivering)):
        note = f"CPU {cost.cpu_seconds * 1e3:.3f} ms, {cost.commits:.2f} commits"
        row(f"tui-mailer, {name}", f"{cost.seconds * 1e3:.3f} ms", note)
    less_syncs = delivering.seconds - delivering.commits * sync
    row("delivering less commits x fdatasync", f"{less_syncs * 1e3:.3f} ms")
    row("  as a multiple of smtp-source", f"{less_syncs / source:.1f} x", "goal: at most 10")
    if single is not None:
        row("msmtp as a multiple of delivering", f"{single / delivering.seconds:.1f} x", "goal: at least 5")


if __name__ == "__main__":
    main()
