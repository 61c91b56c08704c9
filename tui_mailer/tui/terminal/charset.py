"""What is shown where the terminal's character set lacks a character: as wide, and as like as can be."""

from __future__ import annotations

import codecs
from collections.abc import Callable

from tui_mailer.tui.terminal.cell import cells_of

_LIKE = str.maketrans(
    "─━│┃┌┐└┘├┤┬┴┼╭╮╰╯═║…•·●○✓✗→←↑↓▶◀▲▼“”„‘’‚–—█▁▂▃▄▅▆▇▔▕▎▏",  # noqa: RUF001  # the characters meant
    '--||+++++++++++++=|.***o+x><^v><^v"""\'\',--#______#-|||',
)
"""Characters of our own screens."""


def cutter(charset: str) -> Callable[[str], list[str]]:
    """How text is cut into cells for a terminal of a character set."""
    try:
        name = codecs.lookup(charset).name
    except LookupError:
        name = "ascii"
    if name in {"utf-8", "utf_8"}:
        return cells_of

    def cut(text: str) -> list[str]:
        if _can_be_sent(text, name):
            return cells_of(text)
        cells: list[str] = []
        is_replaced = False
        for cell in cells_of(text):
            if cell:
                is_replaced = not _can_be_sent(cell, name)
                cells.append(_like(cell, name) if is_replaced else cell)
            else:
                cells.append(" " if is_replaced else "")
        return cells

    return cut


def _like(cell: str, charset: str) -> str:
    like = cell.translate(_LIKE)
    return like if _can_be_sent(like, charset) else "?"


def _can_be_sent(text: str, charset: str) -> bool:
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return False
    return True
