"""What the benchmarks share: the peers' servers and programs, the cost of a sync on this disk, an account for them."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "servers")]

from lab_process import LAB, free_ports, running  # noqa: E402 - the tests know how to start a server

from tui_mailer.services.session import Session, open_session  # noqa: E402

POSTFIX = LAB / "x" / "postfix"
"""Unpacked by `.ci/run`; brings smtp-sink and smtp-source."""
ENVIRONMENT = {"LD_LIBRARY_PATH": str(POSTFIX / "usr/lib/postfix"), "PATH": os.environ["PATH"]}


def require_postfix() -> None:
    """Ends with a sentence where the peer isn't there."""
    if not POSTFIX.is_dir():
        sys.exit(f"smtp-sink and smtp-source are missing: unpack Debian's postfix into {POSTFIX} (.ci/run does it)")


@contextlib.contextmanager
def data_folder(parent: Path | None) -> Generator[Path]:
    """Makes a folder on the disk to be measured; in the checkout unless told otherwise."""
    place = parent or ROOT / ".lab"
    place.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=place) as folder:
        yield Path(folder)


@contextlib.contextmanager
def smtp_sink(folder: Path) -> Generator[int]:
    """Runs postfix' smtp-sink, which accepts everything and keeps nothing; yields its port."""
    (port,) = free_ports(1)
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [POSTFIX / "usr/sbin/smtp-sink", *user, f"127.0.0.1:{port}", "100"]
    with running(command, ports=[port], log=folder / "sink.log", environment=ENVIRONMENT):
        yield port


def open_bench_session(folder: Path, port: int, *, connections: int = 1) -> Session:
    """Opens the program on a fresh data dir with one account on the sink, so many connections at a time."""
    account = {"provider": "smtp", "from": "ada@lab.test", "host": "127.0.0.1", "port": port, "security": "none"}
    configuration = {"default_account": "sink", "accounts": {"sink": account}, "delivery": {"connections": connections}}
    path = folder / "config.yaml"
    path.write_text(json.dumps(configuration))
    path.chmod(0o600)
    return open_session(config=str(path), data_dir=str(folder / "data"))


def fdatasync_seconds(folder: Path, *, rounds: int = 300) -> float:
    """Median cost of making 4 KiB durable in a folder."""
    times: list[float] = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(rounds):
            file.write(bytes(4096))
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return statistics.median(times)


def row(what: str, figure: str, note: str = "") -> None:
    """Prints one line of a report."""
    print(f"{what:<46} {figure:>14}  {note}".rstrip())
