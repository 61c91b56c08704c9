"""From exec to the first frame, and to the echo of a key that was typed before the start, beside plain Textual apps.

    .venv/bin/python benchmarks/first_frame.py [--rounds 9]

The programs take turns. Goals: first frame <= 1.3 x an empty app's; echo in To <= 1.15 x that of an app with the same
widgets and nothing behind them.
"""

from __future__ import annotations

import argparse
import compileall
import os
import select
import statistics
import sys
import tempfile
import time
from pathlib import Path

import textual
from bench import ROOT, row

sys.path[:0] = [str(ROOT / "tests" / "terminal")]

from terminal_emulator import Terminal, environment_in  # noqa: E402 - the tests know how to run an app in a terminal

REFERENCE = Path(__file__).with_name("reference_app.py")
TYPED = "zq"
FRAME_ENDS = {"empty": b"ready", "widgets": b" Quit", "tui-mailer": b"Quit"}
SIZE = (80, 24)


def command(name: str, folder: Path) -> list[str]:
    """How a program is started."""
    if name == "tui-mailer":
        return [sys.executable, "-m", "tui_mailer", "--data-dir", str(folder / "data")]
    return [sys.executable, str(REFERENCE), name]


def processor_milliseconds(pid: int) -> float:
    """Processor time a process has had: steadier than the clock while the machine does other things (Linux)."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6


def milliseconds(name: str, folder: Path, *, by_processor: bool) -> tuple[float, float]:
    """Times the first frame and the echo of what was typed before the start."""
    environment = environment_in(folder)
    began = time.perf_counter()
    terminal = Terminal(command(name, folder), environment, SIZE)
    os.write(terminal.master, TYPED.encode())
    raw, frame, echo = b"", 0.0, 0.0
    try:
        while not frame or not (echo or name == "empty"):
            if not select.select([terminal.master], [], [], 30)[0]:
                sys.exit(f"{name} shows nothing")
            block = os.read(terminal.master, 65536)
            if b"\x1b[?2026$p" in block:
                os.write(terminal.master, b"\x1b[?2026;2$y")
            raw += block
            now = processor_milliseconds(terminal.process.pid) if by_processor else (time.perf_counter() - began) * 1e3
            frame = frame or (now if FRAME_ENDS[name] in raw else 0.0)
            echo = echo or (now if has_echo(raw) else 0.0)
    finally:
        terminal.close()
    return frame, echo


def has_echo(raw: bytes) -> bool:
    """Whether both letters have been painted after the terminal was taken, alone or together."""
    painted = raw.partition(b"\x1b[?1049h")[2]
    return TYPED[0].encode() in painted and TYPED[1].encode() in painted.partition(TYPED[0].encode())[2]


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--processor", action="store_true", help="processor time instead of the clock's")
    options = parser.parse_args()
    for compiled in (ROOT / "tui_mailer", Path(textual.__file__).parent):  # as an installation does
        compileall.compile_dir(compiled, quiet=2)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in FRAME_ENDS}
    with tempfile.TemporaryDirectory() as folder:
        for name in times:
            milliseconds(name, Path(folder), by_processor=False)
        for _ in range(options.rounds):
            for name, seen in times.items():
                seen.append(milliseconds(name, Path(folder), by_processor=options.processor))
    least = {name: [min(one[at] for one in seen) for at in (0, 1)] for name, seen in times.items()}
    middle = {name: [statistics.median(one[at] for one in seen) for at in (0, 1)] for name, seen in times.items()}
    for at, what, peer in ((0, "first frame", "empty"), (1, "echo of a key typed before", "widgets")):
        row(f"{what}: {peer} app", f"{least[peer][at]:.0f} ms", f"median {middle[peer][at]:.0f}")
        ratio, usual = (figures["tui-mailer"][at] / figures[peer][at] for figures in (least, middle))
        row(f"{what}: tui-mailer", f"{least['tui-mailer'][at]:.0f} ms", f"{ratio:.2f} x (median {usual:.2f} x)")


if __name__ == "__main__":
    main()
