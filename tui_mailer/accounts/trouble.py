"""What is wrong with the configuration, and where: the one place that words file, line and key."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tui_mailer.domain.errors import ConfigurationError
from tui_mailer.domain.text import clean


class Trouble(NamedTuple):
    """One thing that is wrong."""

    line: int
    """From 1; 0: the file as a whole."""
    key: str
    """Dotted, from the top (``accounts.work.port``); empty: no key in particular."""
    text: str
    """What is wrong and what is allowed, as a sentence."""


def error_at(path: Path | None, line: int | None, key: str, text: str) -> ConfigurationError:
    """Makes the error for one trouble: ``FILE:LINE: KEY: TEXT``."""
    return error_from(path, [Trouble(line or 0, key, text)])


def error_from(path: Path | None, troubles: Iterable[Trouble]) -> ConfigurationError:
    """Makes one error of many troubles, a line each, in the order of the file."""
    return ConfigurationError("\n".join(place(path, trouble) for trouble in sorted(troubles)))


def place(path: Path | None, trouble: Trouble) -> str:
    """Words a trouble with its place."""
    where = str(path) if path else "configuration"
    if trouble.line:
        where += f":{trouble.line}"
    parts = [where, trouble.key, trouble.text] if trouble.key else [where, trouble.text]
    return clean(": ".join(parts))
