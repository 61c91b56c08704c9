"""Sentences of the layers below as the app says them: without the command line's switches and commands.

Those layers name a switch only in brackets behind what it does (``Send one message to each (--each)``), so that the
sentence stands without it. Every place that shows such sentences asks here: status line, fields, dialogs, sheets, rows.
"""

from __future__ import annotations

import re

_COMMAND = r"`?tui-mailer account (?:set-secret|release) [^\s`)]+?`?(?=[.,;)]?(?:\s|$))"
_REWORDED = (
    (r" \((?:--[a-z]|tui-mailer )[^()]*\)", ""),
    (r" \(resolve\)", " (Settle)"),
    (rf"Open tui-mailer to type it, or give the account another source and use: {_COMMAND}", "Type it in Accounts"),
    (rf"(?<=then): {_COMMAND}", " try it again in Accounts"),
    (rf": {_COMMAND}", " in Accounts"),
    (rf"(?:^|(?<=[.!?]))\s*(?:[Rr]un )?{_COMMAND}\.?", ""),
)
"""Not compiled before one is needed: a start would wait for it."""


def in_the_app(text: str) -> str:
    """Words a sentence for somebody who has keys before them, not a shell."""
    if "--" not in text and "tui-mailer" not in text and "(resolve)" not in text:
        return text
    for pattern, words in _REWORDED:
        text = re.sub(pattern, words, text)
    return text.strip()
