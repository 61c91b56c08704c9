"""A person's tasks through a line of 300 ms and 2 kB/s, beside the same app with Textual's own output.

    .venv/bin/python benchmarks/slow_tasks.py [--round-trip 0.3] [--rate 2000]

Each task begins when the one before has come to rest, and ends when the last of what it shows has arrived. Content is
typed in one burst, so what is counted is the line and the program, not a person's fingers. What the screens show is the
same in both.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import ROOT

sys.path[:0] = [str(ROOT / "tests" / "terminal"), str(ROOT / "tests")]

from scripted_mail import scripted_server  # noqa: E402 - the tests know a terminal and a server
from terminal_emulator import Terminal, environment_in  # noqa: E402

RELAY = ROOT / "tests" / "terminal" / "slow_terminal.py"
STOCK = """
import sys
from tui_mailer.tui.terminal import quiet_app
quiet_app._is_known_version = lambda: False
from tui_mailer.__main__ import main
sys.exit(main())
"""
"""The app as it is where the installed Textual isn't the one it was made for."""
REST_SECONDS = 0.7
MOST_SECONDS = 300.0
EARLIER = 30
"""Mails that are in the history already."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is pressed, and what is on the screen in the end."""

    name: str
    do: Callable[[Terminal], None]
    shown: str
    gone: str = ""


def keys(*names: str) -> Callable[[Terminal], None]:
    """Presses keys by name."""
    return lambda terminal: terminal.press(*names)


def text(content: str) -> Callable[[Terminal], None]:
    """Types in one burst."""
    return lambda terminal: terminal.type(content)


def skim(terminal: Terminal) -> None:
    """Ten modes a second for three seconds, then a word."""
    for key in ("f3", "f4", "f2") * 10:
        terminal.press(key)
        terminal.read_for(0.1)
    terminal.type("zebra")


TASKS = (
    Task("a whole mail typed in one burst", text("bob@example.org\t\tMinutes\tHere they are."), "Here they are."),
    Task("a letter", text("!"), "are.!"),
    Task("Ctrl+S: the review", keys("ctrl+s"), "Enter Send"),
    Task("Enter: queued, undo counting down", keys("enter"), "leaves in", "Review:"),
    Task("F5: taken back", keys("f5"), "Here they are.!"),
    Task("F1: help", keys("f1"), "Esc"),
    Task("Esc: back", keys("escape"), "Here they are.!", "Help"),
    Task("Ctrl+L: send later", keys("ctrl+l"), "When is it to go out?"),
    Task("tomorrow 9am, Enter", text("tomorrow 9am\r"), "tomorrow 9am", "When is it to go out?"),
    Task("Ctrl+P: the palette", keys("ctrl+p"), "Search for commands"),
    Task("Esc: back", keys("escape"), "Here they are.!", "Search for commands"),
    Task("F4: the history", keys("f4"), "Mail 30"),
    Task("End", keys("end"), "Mail 01"),
    Task("/ and a word: filtered", text('/"Mail 17"\r'), "Mail 17", "Mail 18"),
    Task("Enter: the message", keys("enter"), "Message-ID"),
    Task("Esc: back", keys("escape"), "Mail 17", "Message-ID"),
    Task("F2: the form", keys("f2"), "Here they are.!"),
    Task("thirty modes in 3 s, then a word", skim, "zebra"),
)


@contextmanager
def through_the_line(folder: Path, program: list[str], round_trip_seconds: float, rate: float) -> Iterator[Terminal]:
    """The program at the other end of a slow line."""
    relay = [sys.executable, str(RELAY), "--round-trip", str(round_trip_seconds), "--rate", str(rate), "--"]
    command = [*relay, sys.executable, *program, "--data-dir", str(folder / "data")]
    terminal = Terminal(command, environment_in(folder), (80, 24))
    try:
        yield terminal
    finally:
        terminal.close()


def fill(folder: Path) -> None:
    """Sends a few mails, so that there is a history."""
    for number in range(1, EARLIER + 1):
        subprocess.run(
            [sys.executable, "-m", "tui_mailer", "--data-dir", str(folder / "data"), "send", "--to",
             "bob@example.org", "--subject", f"Mail {number:02}", "--body", "text"],
            env=environment_in(folder), cwd=ROOT, check=True, capture_output=True,
        )  # fmt: skip


def measure(program: list[str], round_trip_seconds: float, rate: float) -> dict[str, tuple[float, int]]:
    """Seconds and bytes of every task."""
    found: dict[str, tuple[float, int]] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, scripted_server(Path(name), undo_seconds=600):
        folder = Path(name)
        fill(folder)
        began = time.monotonic()
        with through_the_line(folder, program, round_trip_seconds, rate) as terminal:
            terminal.shows("^Q Quit")
            found["start to the whole first screen"] = time.monotonic() - began, len(terminal.raw)
            for number, task in enumerate(TASKS):
                terminal.until_quiet(REST_SECONDS)
                before, began = len(terminal.raw), time.monotonic()
                task.do(terminal)
                while not (task.shown in terminal.text() and (not task.gone or task.gone not in terminal.text())):
                    if time.monotonic() - began > MOST_SECONDS:
                        raise SystemExit(f"never came: {task.name}\n{terminal.text()}")
                    terminal.read()
                seconds = time.monotonic() - began
                terminal.until_quiet(REST_SECONDS)
                found[f"{number:02} {task.name}"] = seconds, len(terminal.raw) - before
    return found


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--round-trip", type=float, default=0.3, help="seconds")
    parser.add_argument("--rate", type=float, default=2000, help="bytes a second")
    given = parser.parse_args()
    ours = measure(["-m", "tui_mailer"], given.round_trip, given.rate)
    stock = measure(["-c", STOCK], given.round_trip, given.rate)
    print(f"{'task':<40} {'s':>6} {'bytes':>7}   {'Textual: s':>10} {'bytes':>7}")
    for name, (seconds, size) in ours.items():
        stock_seconds, stock_size = stock[name]
        said = name if name.startswith("start") else name[3:]
        print(f"{said:<40} {seconds:>6.2f} {size:>7,}   {stock_seconds:>10.2f} {stock_size:>7,}")


if __name__ == "__main__":
    main()
