"""A short storm in a real terminal; `benchmarks/terminal_storm.py` rages longer."""

from __future__ import annotations

from pathlib import Path

from storm_in_terminal import TerminalStorm


def test_keys_editors_sizes_and_signals_at_random_leave_no_trace(tmp_path: Path) -> None:
    """Every end has its code, the terminal is as it was, and no error of our own is logged."""
    storm = TerminalStorm(tmp_path, seed=1)
    storm.rage(120)
    assert storm.starts > 1
