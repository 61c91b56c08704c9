"""One message with a 25 MB attachment: how much memory sealing and sending take beyond the idle program.

    .venv/bin/python benchmarks/attachment.py [--megabytes 25] [--folder DIR]

Peaks are the kernel's (VmHWM, reset before each stage); the goal is at most 60 MB over idle.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from bench import data_folder, open_bench_session, require_postfix, row, smtp_sink

from tui_mailer.domain.draft import Draft, DraftAttachment
from tui_mailer.domain.submission import State
from tui_mailer.services.session import Session

MEGABYTE = 1_000_000


def memory(name: str) -> float:
    """A figure of /proc/self/status in megabytes: VmRSS now, VmHWM the peak since the last reset."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024 / MEGABYTE


def reset_peak() -> None:
    """Makes VmHWM start anew (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def send(session: Session, draft: Draft) -> None:
    """Seals and delivers a draft; fails unless it was sent."""
    (sealed,) = session.mailer.seal(draft)
    (sent,) = session.engine("send").deliver([sealed.id], timeout_seconds=600)
    assert sent.state is State.SENT, sent.error


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=25)
    parser.add_argument("--folder", type=Path, help="on the disk to be measured (default: .lab in the checkout)")
    options = parser.parse_args()
    require_postfix()
    with data_folder(options.folder) as folder, smtp_sink(folder) as port:
        large = folder / "large.bin"
        with large.open("wb") as file:
            for _ in range(options.megabytes):
                file.write(os.urandom(MEGABYTE))
        with open_bench_session(folder, port) as session:
            draft = Draft(to="b@lab.test", subject="small", body="Hello")
            send(session, draft)  # everything is imported and has run once: this is the idle program
            idle = memory("VmRSS")
            reset_peak()
            began = time.perf_counter()
            attachment = DraftAttachment(source=str(large))
            (sealed,) = session.mailer.seal(Draft(to="b@lab.test", subject="large", attachments=(attachment,)))
            sealing, peak_sealing = time.perf_counter() - began, memory("VmHWM")
            reset_peak()
            began = time.perf_counter()
            (sent,) = session.engine("send").deliver([sealed.id], timeout_seconds=600)
            sending, peak_sending = time.perf_counter() - began, memory("VmHWM")
            assert sent.state is State.SENT, sent.error
    print(f"one attachment of {options.megabytes} MB, {sealed.size / MEGABYTE:.1f} MB on the wire:")
    row("idle", f"{idle:.1f} MB")
    row("sealing, peak over idle", f"{peak_sealing - idle:.1f} MB", f"{sealing:.2f} s")
    row("sending, peak over idle", f"{peak_sending - idle:.1f} MB", f"{sending:.2f} s; goal: at most 60 MB")


if __name__ == "__main__":
    main()
