"""Random keys, sizes, editors and signals in a real terminal, until something is left wrong.

.venv/bin/python benchmarks/terminal_storm.py [--seeds 20] [--first 0] [--steps 400]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "terminal")]

from storm_in_terminal import TerminalStorm  # noqa: E402 - the tests' own storm


def main() -> None:
    """Rages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--steps", type=int, default=400)
    options = parser.parse_args()
    for seed in range(options.first, options.first + options.seeds):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            storm = TerminalStorm(Path(folder), seed)
            storm.rage(options.steps)
        print(f"seed {seed}: {options.steps} steps, {storm.starts} starts, nothing left wrong", flush=True)


if __name__ == "__main__":
    main()
