"""Sizes in words; apart from other words, since the first frame needs only these."""

from __future__ import annotations


def say_size(size: int) -> str:
    """``734 B``, ``12 kB``, ``1.4 MB``: powers of ten, as attachment limits are stated."""
    if size < 1000:
        return f"{size} B"
    if size < 1_000_000:
        return f"{size / 1000:.0f} kB"
    return f"{size / 1_000_000:.1f} MB" if size < 10_000_000 else f"{size / 1_000_000:.0f} MB"
