"""Random keys over every place of the app, until a crash, which is told with the keys that led there.

.venv/bin/python benchmarks/key_storm.py [--seeds 20] [--first 0] [--presses 600]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "tui")]

from key_storm_dice import storm  # noqa: E402 - the tests' own dice


def main() -> None:
    """Throws the dice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--presses", type=int, default=600)
    options = parser.parse_args()
    for seed in range(options.first, options.first + options.seeds):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            told = asyncio.run(storm(Path(folder), seed, options.presses))
        print(f"seed {seed}: {options.presses} presses, {told}, none lost or doubled", flush=True)


if __name__ == "__main__":
    main()
