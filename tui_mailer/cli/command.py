"""The table of commands: names, purposes, and the module of each; imports none of them."""

from __future__ import annotations

from typing import NamedTuple


class Command(NamedTuple):
    """A command as the overview shows it, and the module that knows more."""

    module: str
    group: str
    summary: str


COMMANDS = {
    "compose": Command("compose", "Write and send", "open the app, filled in (also: no command at all)"),
    "send": Command("send", "Write and send", "send a message, and wait for the outcome"),
    "sendmail": Command("sendmail", "Write and send", "take a message on stdin as sendmail does"),
    "merge": Command("merge", "Write and send", "send a template to each row of a table"),
    "draft": Command("draft", "Write and send", "list, show, make, send or delete drafts"),
    "outbox": Command("outbox", "Watch and find", "what isn't finished: hold, retry, cancel, resolve ..."),
    "history": Command("history", "Watch and find", "what has ended: search, export, resend, delete"),
    "deliver": Command("deliver", "Deliver", "the delivery service: runs until stopped"),
    "service": Command("service", "Deliver", "install, look at or remove it as a systemd user service"),
    "account": Command("account", "Set up", "add, test, hold or remove accounts; store secrets"),
    "provider": Command("provider", "Set up", "what each provider can carry"),
    "doctor": Command("doctor", "Set up", "everything that could be wrong, with the remedy"),
}
