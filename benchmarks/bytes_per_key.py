"""Bytes to the terminal for a key, beside plain Textual widgets and, where they are installed, NeoMutt and aerc.

    .venv/bin/python benchmarks/bytes_per_key.py [--columns 80 --rows 24]

All in one run, each in a pseudo-terminal. aerc and NeoMutt are typed into where they ask for To, each with an empty
mailbox: NeoMutt at its prompt, aerc in the header above its editor.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import ROOT, row

sys.path[:0] = [str(ROOT / "tests" / "terminal")]

from terminal_emulator import Terminal, environment_in  # noqa: E402 - the tests know how to count

REFERENCE = Path(__file__).with_name("reference_app.py")
LETTERS = "abcdefgh"
LETTER = "a letter in To"


@contextmanager
def started(command: list[str], size: tuple[int, int]) -> Iterator[Terminal]:
    """A program in a terminal, at rest."""
    with tempfile.TemporaryDirectory() as folder:
        configure_aerc(Path(folder))
        terminal = Terminal(command, environment_in(Path(folder)), size)
        try:
            terminal.until_quiet(1.5)
            yield terminal
        finally:
            terminal.close()


def configure_aerc(home: Path) -> None:
    """An account that reads an empty mailbox and sends to nobody."""
    for name in ("cur", "new", "tmp"):
        (home / "Mail" / "INBOX" / name).mkdir(parents=True)
    accounts = home / "config" / "aerc" / "accounts.conf"
    accounts.parent.mkdir(parents=True)
    accounts.write_text(
        f"[local]\nsource = maildir://{home}/Mail\noutgoing = /bin/true\nfrom = Ada <ada@example.org>\n"
    )
    accounts.chmod(0o600)


def per_letter(terminal: Terminal) -> float:
    """Median bytes of a letter typed at the end."""
    return statistics.median(terminal.cost(letter) for letter in LETTERS)


def textual(size: tuple[int, int], command: list[str], to_body: int) -> dict[str, float]:
    """Counts in a one-row field, from field to field, in the body, and at rest."""
    found: dict[str, float] = {}
    with started(command, size) as terminal:
        found[LETTER] = per_letter(terminal)
        found["Tab"] = terminal.cost("tab")
        for _ in range(to_body - 1):
            terminal.cost("tab")
        found["a letter in the body"] = per_letter(terminal)
        found["Enter in the body"] = terminal.cost("enter")
        terminal.until_quiet(1.5)
        before = len(terminal.raw)
        terminal.read_for(2.0)
        found["a second at rest"] = (len(terminal.raw) - before) / 2
    return found


def peer(size: tuple[int, int], program: str, arguments: list[str], first: str) -> dict[str, float]:
    """Counts where another program asks for To, to which ``first`` leads; ends where it can't be had."""
    if not shutil.which(program):
        sys.exit(f"{program} isn't here: apt install {program}, or --without-peers")
    with started([program, *arguments], size) as terminal:
        terminal.type(first)
        terminal.until_quiet(1.0)
        if "To:" not in terminal.text():
            sys.exit(f"{program} doesn't ask for To:\n{terminal.text()}")
        return {LETTER: per_letter(terminal)}


def main() -> None:
    """Counts and prints, each beside ours."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--columns", type=int, default=80)
    parser.add_argument("--rows", type=int, default=24)
    parser.add_argument("--without-peers", action="store_true", help="beside plain Textual alone")
    options = parser.parse_args()
    size = (options.columns, options.rows)
    with tempfile.TemporaryDirectory() as folder:
        ours = textual(size, [sys.executable, "-m", "tui_mailer", "--data-dir", folder], 3)
    others = {"plain Textual": textual(size, [sys.executable, str(REFERENCE), "widgets"], 5)}
    if not options.without_peers:
        others["aerc"] = peer(size, "aerc", [], ":compose\r")
        neomutt = ["-n", "-F", "/dev/null", "-e", "set folder=/tmp", "-f", "/dev/null"]
        others["neomutt"] = peer(size, "neomutt", neomutt, "m")
    for what, figure in ours.items():
        row(what, f"{figure:.0f} B", "tui-mailer")
        for name, found in others.items():
            if what in found:
                ratio = f"{found[what] / figure:.1f} x ours" if figure else ""
                row("", f"{found[what]:.0f} B", f"{name}  {ratio}")


if __name__ == "__main__":
    main()
