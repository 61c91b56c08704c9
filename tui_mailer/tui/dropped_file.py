"""Tells whether pasted text is files: terminals paste the path of what is dropped on them, each in its own spelling."""

from __future__ import annotations

import contextlib
import re

from tui_mailer.tui.path_completion import FoundFile, look_at_file

LONGEST = 8_000
"""Characters; longer pastes are text."""


def unquote_path(text: str) -> str:
    """Takes off what terminals put around a dropped path: quotes, ``file://``, backslashes."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return _from_url(text[1:-1])
    if text.startswith("file:"):
        return _from_url(text)
    # A backslash stands before what a shell would take for more than a letter.
    return re.sub(r"\\([^\w\s]|\s|\\)", r"\1", text)


def readings(text: str) -> list[tuple[str, ...]]:
    """What a paste may mean as paths, likeliest first; nothing where it can't be one."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if not lines or len(text) > LONGEST:
        return []
    import shlex

    found = [tuple(line.strip() for line in lines), tuple(unquote_path(line) for line in lines)]
    with contextlib.suppress(ValueError):  # a quote that isn't closed: no shell wrote this
        found.append(tuple(_from_url(word) for line in lines for word in shlex.split(line)))
    return [one for one in dict.fromkeys(found) if one and all(map(_is_path, one))]


def find_dropped(text: str) -> tuple[FoundFile, ...]:
    """The files that a paste names, if it names files and nothing else; reads the disk."""
    for reading in readings(text):
        files = [look_at_file(path) for path in reading]
        if all(isinstance(file, FoundFile) for file in files):
            return tuple(file for file in files if isinstance(file, FoundFile))
    return ()


def _is_path(text: str) -> bool:
    return text.startswith(("/", "~/")) and len(text) > 1


def _from_url(text: str) -> str:
    if not text.startswith("file:"):
        return text
    from urllib.parse import unquote, urlsplit

    # With or without a host: file:///x, file://host/x, file:/x. Bytes that aren't UTF-8 stay what they are.
    return unquote(urlsplit(text).path, errors="surrogateescape")
