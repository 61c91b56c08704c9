"""Uses the real app at random for as long as asked: what is shown must be what is shown when all is painted anew.

.venv/bin/python benchmarks/terminal_fuzz.py [--seeds 20] [--first 0] [--steps 100]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "terminal"), str(ROOT / "tests" / "tui")]

from canvas_fuzz import random_screens  # noqa: E402 - the tests' own dice
from screen_fuzz import random_use  # noqa: E402


def main() -> None:
    """Throws the dice; stops at the first cell that differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--steps", type=int, default=100)
    options = parser.parse_args()
    checks = 0
    for seed in range(options.first, options.first + options.seeds):
        random_screens(seed, options.steps)
        with tempfile.TemporaryDirectory() as folder:
            checks += random_use(Path(folder), seed, options.steps)
        print(f"seed {seed}: {checks} screens compared, no cell differs", flush=True)


if __name__ == "__main__":
    main()
