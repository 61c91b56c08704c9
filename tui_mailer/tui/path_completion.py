"""Completes a path as a shell does, and says before anything is sealed what is wrong with a file."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

MOST_CANDIDATES = 500


class Completion(NamedTuple):
    """What Tab makes of a path."""

    text: str
    """The path, as far as it is unambiguous."""
    candidates: tuple[str, ...] = ()
    """Names that fit, where there are several."""


def complete_path(text: str) -> Completion:
    """Extends a path by what all fitting names have in common; directories get their slash. Never raises."""
    folder, _, prefix = text.rpartition("/")
    has_folder = "/" in text
    base = Path(f"{folder}/" if has_folder else ".").expanduser() if not text.startswith("~") or has_folder else None
    if base is None:
        return Completion(text=f"{text}/" if Path(text).expanduser().is_dir() else text)
    try:
        with os.scandir(base) as entries:
            fitting = sorted(
                f"{entry.name}/" if entry.is_dir() else entry.name
                for entry in entries
                if entry.name.startswith(prefix) and (prefix.startswith(".") or not entry.name.startswith("."))
            )[:MOST_CANDIDATES]
    except (OSError, ValueError, RuntimeError):
        return Completion(text=text)
    if not fitting:
        return Completion(text=text)
    common = _common_start(fitting)
    completed = f"{folder}/{common}" if has_folder else common
    return Completion(text=completed, candidates=tuple(fitting) if len(fitting) > 1 else ())


def _common_start(names: list[str]) -> str:
    first, last = names[0], names[-1]
    length = next((at for at, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
    return first[: min(length, len(last))]


class FoundFile(NamedTuple):
    """A file that can be attached."""

    path: str
    """Absolute."""
    size: int


def folder_named(text: str) -> str | None:
    """The absolute path of the folder a path names; None where it names none. Never raises."""
    try:
        path = Path(text).expanduser().absolute()
        return str(path) if path.is_dir() else None
    except (OSError, ValueError, RuntimeError):
        return None


def look_at_file(text: str) -> FoundFile | str:
    """Finds the file a path names, or says in one sentence why it can't be attached."""
    try:
        path = Path(text).expanduser().absolute()
        status = path.stat()
    except FileNotFoundError:
        return f"there is no file {text}"
    except (OSError, ValueError, RuntimeError) as error:
        return f"{text} can't be attached: {getattr(error, 'strerror', None) or error}"
    if stat.S_ISDIR(status.st_mode):
        return f"{text} is a folder: name a file in it"
    if not stat.S_ISREG(status.st_mode):
        return f"{text} is no regular file"
    if not os.access(path, os.R_OK):
        return f"{text} may not be read by you"
    return FoundFile(path=str(path), size=status.st_size)
