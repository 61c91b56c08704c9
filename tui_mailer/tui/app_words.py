"""Sentences of the layers below as the app says them: without the command line's switches and commands.

Those layers name a switch only in brackets behind what it does (``Send one message to each (--each)``), so that the
sentence stands without it. Every place that shows such sentences asks here: status line, fields, dialogs, sheets, rows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_mailer.tui.action import Keymap

_COMMAND = r"`?tui-mailer account (?:set-secret|release) [^\s`)]+?`?(?=[.,;)]?(?:\s|$))"
_REWORDED = (
    (r" \((?:--[a-z]|tui-mailer )[^()]*\)", ""),
    (r" \(resolve\)", " ({settle})"),
    (rf"Open tui-mailer to type it, or give the account another source and use: {_COMMAND}", "Type it in {accounts}"),
    (rf"(?<=then): {_COMMAND}", " try it again in {accounts}"),
    (rf": {_COMMAND}", " in {accounts}"),
    (rf"(?:^|(?<=[.!?]))\s*(?:[Rr]un )?{_COMMAND}\.?", ""),
)
"""Not compiled before one is needed: a start would wait for it."""


def in_the_app(text: str, keymap: Keymap | None = None, *, first: str = "") -> str:
    """Words a sentence for somebody who has keys before them, not a shell.

    ``keymap`` has the keys of places named beside them; ``first`` is what is to be pressed before.
    """
    if "--" not in text and "tui-mailer" not in text and "(resolve)" not in text:
        return text
    accounts, settle = "Accounts", "Settle"
    if keymap is not None:
        way = ", ".join(key for key in (first, keymap.display("app.accounts")) if key)
        accounts, settle = f"Accounts ({way})", keymap.display("outbox.resolve")
    for pattern, words in _REWORDED:
        said = words.format(accounts=accounts, settle=settle)
        text = re.sub(pattern, said.replace("\\", r"\\"), text)
    return text.strip()
