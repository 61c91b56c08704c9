"""SQL lives in files: this reads ``sql/<name>.sql`` into its named statements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

SQL_DIR = Path(__file__).parent / "sql"
_HEADING = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def statements(name: str) -> Mapping[str, str]:
    """Reads the statements of a file by name: each begins with ``-- name: ...`` and goes on to the next."""
    _, *pieces = _HEADING.split((SQL_DIR / f"{name}.sql").read_text(encoding="utf-8"))
    return dict(zip(pieces[::2], (one.strip() for one in pieces[1::2]), strict=True))


def migrations(name: str) -> tuple[str, ...]:
    """Reads the scripts ``sql/<name>_001.sql``, ``_002`` ... that bring a database up to date, oldest first."""
    return tuple(path.read_text(encoding="utf-8") for path in sorted(SQL_DIR.glob(f"{name}_[0-9][0-9][0-9].sql")))
