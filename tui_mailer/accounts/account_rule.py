"""Rules for the values that only an account has: where its secret is, when it sends, whom it falls back on."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tui_mailer.accounts import rule
from tui_mailer.accounts.configuration import Account, CredentialSource
from tui_mailer.accounts.document import Node
from tui_mailer.accounts.rule import Wrong


def sent_copy(node: Node) -> bool | str:
    """Allows true, false and a name."""
    if isinstance(node.value, bool):
        return node.value
    if isinstance(node.value, str):
        return rule.word(node)
    raise Wrong(f"true, false or the name of a mailbox is wanted here, not {rule.kind_of(node)}")


def window(node: Node) -> tuple[str, ...]:
    """Allows hours of the week, one or a list."""
    from tui_mailer.domain.window import read_window

    entries = rule.list_of(rule.word)(node)
    try:
        read_window(entries)
    except ValueError as error:
        raise Wrong(str(error)) from None
    return entries


CREDENTIALS = "keyring, {keyring: SERVICE/USER}, {command: ...}, {env: NAME}, {file: PATH} or prompt"


def credential(node: Node) -> CredentialSource:
    """Allows the places where a secret can be had; never the secret."""
    # Nothing that stands here is ever repeated in an error: it may be a password in the wrong place.
    if node.value == "keyring":
        return CredentialSource(kind="keyring")
    if node.value == "prompt":
        return CredentialSource(kind="prompt")
    if not isinstance(node.value, dict) or len(node.value) != 1:
        raise Wrong(f"allowed here: {CREDENTIALS}; never the secret itself")
    ((kind, child),) = node.value.items()
    match kind:
        case "keyring":
            service, _, user = rule.word(child).rpartition("/")
            if not service or not user:
                raise Wrong(
                    "keyring: a service and a user name with / between them are wanted (SERVICE/USER)", child.line
                )
            return CredentialSource(kind="keyring", value=(service, user))
        case "command":
            return CredentialSource(kind="command", value=_argv(child))
        case "env":
            name = rule.word(child)
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                raise Wrong("env: the name of an environment variable is wanted", child.line)
            return CredentialSource(kind="env", value=(name,))
        case "file":
            return CredentialSource(kind="file", value=(rule.word(child),))
        case _:
            raise Wrong(f"allowed here: {CREDENTIALS}; never the secret itself")


def _argv(node: Node) -> tuple[str, ...]:
    if isinstance(node.value, tuple):
        argv = [rule.text(item) for item in node.value]
    else:
        import shlex

        try:
            argv = shlex.split(rule.word(node))
        except ValueError as error:
            raise Wrong(f"command: a quote is left open ({error})", node.line) from None
    if not argv or not argv[0]:
        raise Wrong("command: a program and its arguments are wanted", node.line)
    if any("\0" in argument for argument in argv):
        raise Wrong("command: an argument holds a NUL character", node.line)
    return tuple(argv)


def circle(name: str, accounts: Mapping[str, Account]) -> list[str]:
    """Finds the way on which an account falls back on itself through others; empty where there is none."""
    ways = [[name, following] for following in accounts[name].fallback if following != name]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        if way[-1] == name:
            return way
        if way[-1] not in seen and way[-1] in accounts:
            seen.add(way[-1])
            ways += [[*way, following] for following in accounts[way[-1]].fallback if following != way[-1]]
    return []
