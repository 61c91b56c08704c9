"""The screen is what it would be if all of it were painted anew, whatever has happened."""

from __future__ import annotations

from pathlib import Path

from screen_fuzz import random_use


def test_random_use_shows_what_painting_anew_shows(tmp_path: Path) -> None:
    """Typing, pastes, wide characters, dialogs, sizes: no cell is stale (benchmarks/terminal_fuzz.py for longer)."""
    assert random_use(tmp_path, seed=3, steps=30) >= 10
