"""From a key press to the frame that shows it, beside a bare TextArea, in pseudo-terminals that take turns.

    .venv/bin/python benchmarks/key_latency.py [--keys 60] [--rows 24 --columns 80]

At 10 kB and at 1 MB of body, the cursor in its middle; then ours while a 25 MB attachment is on its way to a local
server, where no key may take 50 ms. Goals: <= 1.2 x at 10 kB, below the bare one at 1 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from bench import ROOT, row

sys.path[:0] = [str(ROOT / "tests" / "terminal")]

from terminal_emulator import Terminal, environment_in  # noqa: E402 - the tests know how to run an app in a terminal

LINE = "the harbour master agreed that the boat may leave on the tide"
REFERENCE = Path(__file__).with_name("reference_app.py")
COMMITTED_BYTES = 25_000_000


def text_of(size: int) -> str:
    """Prose of so many bytes."""
    return "\n".join(f"{n} {LINE}" for n in range(size // (len(LINE) + 6)))


def milliseconds_for_key(terminal: Terminal, key: str = "x") -> float:
    """Presses a key; the time until the last byte of the answer has come."""
    began = last = time.perf_counter()
    os.write(terminal.master, key.encode())
    patience = 30.0
    while select.select([terminal.master], [], [], patience)[0]:
        last = time.perf_counter()
        terminal.read()  # which also answers what the app asks its terminal
        patience = 0.03
    return (last - began) * 1e3


@contextmanager
def bare(folder: Path, text: str, size: tuple[int, int]) -> Generator[Terminal]:
    """A bare TextArea."""
    path = folder / "body.txt"
    path.write_text(text)
    terminal = Terminal([sys.executable, str(REFERENCE), "body", str(path)], environment_in(folder), size)
    try:
        terminal.shows("harbour")
        terminal.until_quiet(1.0)
        yield terminal
    finally:
        terminal.close()


@contextmanager
def ours(folder: Path, text: str, size: tuple[int, int], *more: str) -> Generator[Terminal]:
    """Our app with the text in the body, the cursor in its middle."""
    path = folder / "body.txt"
    path.write_text(text)
    command = [sys.executable, "-m", "tui_mailer", "--data-dir", str(folder / "data"), "compose"]
    terminal = Terminal([*command, "--body-file", str(path), *more], environment_in(folder), size)
    try:
        terminal.shows("^S Send", "harbour")
        terminal.until_quiet(1.0)
        terminal.press("tab", "tab", "tab")
        terminal.until_quiet(1.0)
        terminal.type("\x1b[1;5F")  # Ctrl+End
        for _ in range(40):
            terminal.press("up")
        terminal.press("home")
        terminal.until_quiet(1.5)
        yield terminal
    finally:
        terminal.close()


def compare(folder: Path, size: int, keys: int, screen: tuple[int, int]) -> None:
    """Times both, turn by turn."""
    text = text_of(size)
    with bare(folder, text, screen) as reference, ours(folder, text, screen) as mine:
        pairs = [(milliseconds_for_key(reference), milliseconds_for_key(mine)) for _ in range(keys)]
    theirs, own = (statistics.median(column) for column in zip(*pairs, strict=True))
    row(f"key to frame, {size:,} bytes: bare TextArea", f"{theirs:.1f} ms")
    row(f"key to frame, {size:,} bytes: tui-mailer", f"{own:.1f} ms", f"{own / theirs:.2f} x")


def while_sending(folder: Path, keys: int, screen: tuple[int, int]) -> None:
    """Keys while the engine delivers 25 MB to a server that reads at its leisure."""
    server = socket.create_server(("127.0.0.1", 0))
    seen = threading.Event()
    threading.Thread(target=take_slowly, args=(server, seen), daemon=True).start()
    account = {"provider": "smtp", "from": "ada@lab.test", "security": "none", "host": "127.0.0.1"}
    configuration = {"default_account": "lab", "accounts": {"lab": {**account, "port": server.getsockname()[1]}}}
    place = folder / "config" / "tui-mailer"
    place.mkdir(parents=True)
    (place / "config.yaml").write_text(json.dumps({**configuration, "compose": {"undo_seconds": 0}}))
    attachment = folder / "attachment.bin"
    attachment.write_bytes(os.urandom(COMMITTED_BYTES))
    with ours(folder, "harbour", screen, "--to", "b@lab.test", "--subject", "s", "--attach", str(attachment)) as mine:
        idle = [milliseconds_for_key(mine) for _ in range(keys)]
        mine.press("ctrl+s")
        mine.shows("nothing has been sent yet")
        mine.read_for(1.0)
        mine.press("enter")
        mine.until_gone("nothing has been sent yet")
        if not seen.wait(60):
            sys.exit("the message never left")
        busy = [milliseconds_for_key(mine) for _ in range(keys)]
    row("key to frame, idle", f"{statistics.median(idle):.1f} ms", f"worst {max(idle):.1f} ms")
    row("key to frame, 25 MB on their way", f"{statistics.median(busy):.1f} ms", f"worst {max(busy):.1f} ms; goal < 50")


def take_slowly(server: socket.socket, seen: threading.Event) -> None:
    """An SMTP server that takes what comes, 256 kB at a time."""
    connection, _ = server.accept()
    file = connection.makefile("rwb")

    def say(line: str) -> None:
        file.write(line.encode() + b"\r\n")
        file.flush()

    say("220 slow")
    while line := file.readline():
        word = line.split()[0].upper() if line.split() else b""
        if word == b"DATA":
            say("354 go on")
            seen.set()
            while (piece := file.readline()) and piece != b".\r\n":
                time.sleep(len(piece) / 4_000_000)
            say("250 taken")
        elif word == b"EHLO":
            say("250 slow")
        else:
            say("221 bye" if word == b"QUIT" else "250 ok")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=60)
    parser.add_argument("--columns", type=int, default=80)
    parser.add_argument("--rows", type=int, default=24)
    options = parser.parse_args()
    screen = (options.columns, options.rows)
    for size in (10_000, 1_000_000):
        with tempfile.TemporaryDirectory() as folder:
            compare(Path(folder), size, options.keys, screen)
    with tempfile.TemporaryDirectory() as folder:
        while_sending(Path(folder), options.keys, screen)


if __name__ == "__main__":
    main()
