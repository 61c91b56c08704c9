"""Messages through one SMTP connection over a slow line: how many round trips each takes, beside smtp-source.

    .venv/bin/python benchmarks/latency.py [--messages 20] [--round-trip 0.04]

A proxy delays every block by half the round trip. With pipelining a message needs two: one for the envelope and
DATA, one for the dot.
"""

from __future__ import annotations

import argparse
import subprocess
import time
from pathlib import Path

from bench import ENVIRONMENT, POSTFIX, data_folder, open_bench_session, require_postfix, row, smtp_sink
from slow_line import slow_line

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.submission import State
from tui_mailer.services.session import Session


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
