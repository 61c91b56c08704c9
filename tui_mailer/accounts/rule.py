"""Rules for single values of the configuration: each takes a node and returns the value, or says what is allowed.

A rule never repeats a text it refuses where that could be a secret put in the wrong place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import TypeVar

from tui_mailer.accounts.document import Node
from tui_mailer.domain.address import Address, parse_address, parse_address_list, to_a_label
from tui_mailer.domain.errors import InvalidAddress

T = TypeVar("T")

Rule = Callable[[Node], T]

LONGEST = timedelta(days=36_500)
"""A hundred years: longer durations are typing errors, and would leave datetime's range."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = r"(\d{1,10})\s*([smhd]?)"


class Wrong(Exception):
    """A value that isn't allowed; ``text`` says what is. Never leaves this package: `schema` collects it."""

    def __init__(self, text: str, line: int | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.line = line
        """Where, if not at the key."""


def text(node: Node) -> str:
    """Allows any text."""
    if isinstance(node.value, str):
        return node.value
    hint = "; put it in quotes" if isinstance(node.value, int | float) else ""
    raise Wrong(f"a text is wanted here, not {kind_of(node)}{hint}")


def word(node: Node) -> str:
    """Allows a text that isn't empty and stays on one line."""
    value = text(node).strip()
    if not value or not value.isprintable():
        raise Wrong("a text of one line is wanted here")
    return value


def flag(node: Node) -> bool:
    """Allows true and false."""
    if isinstance(node.value, bool):
        return node.value
    is_old_word = isinstance(node.value, str) and node.value.casefold() in {"yes", "no", "on", "off"}
    raise Wrong(f"true or false is wanted here, not {repr(node.value) if is_old_word else kind_of(node)}")


def whole_number(least: int, most: int) -> Rule[int]:
    """Allows a whole number between two, both included."""

    def read(node: Node) -> int:
        if isinstance(node.value, int) and not isinstance(node.value, bool) and least <= node.value <= most:
            return node.value
        raise Wrong(f"a whole number from {least} to {most} is wanted here, not {kind_of(node)}")

    return read


def duration(least: timedelta = timedelta(0), most: timedelta = LONGEST) -> Rule[timedelta]:
    """Allows whole seconds, or a number with its unit."""

    def read(node: Node) -> timedelta:
        wanted = "a duration is wanted here: seconds, or a number with s, m, h or d (30s, 5m, 2h, 5d)"
        if isinstance(node.value, bool) or not isinstance(node.value, int | str):
            raise Wrong(f"{wanted}, not {kind_of(node)}")
        match = re.fullmatch(_DURATION, str(node.value).strip())
        if match is None:
            raise Wrong(f"{wanted}, not {kind_of(node)}")
        seconds = int(match[1]) * _UNITS[match[2] or "s"]
        if not least.total_seconds() <= seconds <= most.total_seconds():
            raise Wrong(f"{wanted}, between {_spell(least)} and {_spell(most)}")
        return timedelta(seconds=seconds)

    return read


def forever_or(rule: Rule[T]) -> Rule[T | None]:
    """Allows ``forever`` (None) besides the rule."""

    def read(node: Node) -> T | None:
        if node.value == "forever":
            return None
        try:
            return rule(node)
        except Wrong as wrong:
            raise Wrong(f"{wrong.text}; or `forever`", wrong.line) from None

    return read


def null_or(rule: Rule[T]) -> Rule[T | None]:
    """Allows ``null`` (None) besides the rule."""

    def read(node: Node) -> T | None:
        if node.value is None:
            return None
        try:
            return rule(node)
        except Wrong as wrong:
            raise Wrong(f"{wrong.text}; or null", wrong.line) from None

    return read


def choice(*words: str) -> Rule[str]:
    """Allows one of some words."""

    def read(node: Node) -> str:
        if isinstance(node.value, str) and node.value in words:
            return node.value
        guess = did_you_mean(node.value, words) if isinstance(node.value, str) else ""
        raise Wrong(f"one of {', '.join(words)} is wanted here{guess}")

    return read


def list_of(rule: Rule[T]) -> Rule[tuple[T, ...]]:
    """Allows a list, or one value alone, of what the rule allows; each once."""

    def read(node: Node) -> tuple[T, ...]:
        items = node.value if isinstance(node.value, tuple) else (node,)
        values: list[T] = []
        for item in items:
            try:
                value = rule(item)
            except Wrong as wrong:
                raise Wrong(wrong.text, wrong.line or item.line) from None
            if value in values:
                raise Wrong("this is in the list twice; keep one", item.line)
            values.append(value)
        return tuple(values)

    return read


def mapping_of(rule: Rule[T]) -> Rule[dict[str, T]]:
    """Allows a mapping from any key to what the rule allows."""

    def read(node: Node) -> dict[str, T]:
        if not isinstance(node.value, dict):
            raise Wrong(f"a mapping (`key: value` lines) is wanted here, not {kind_of(node)}")
        values: dict[str, T] = {}
        for key, child in node.value.items():
            try:
                values[key] = rule(child)
            except Wrong as wrong:
                raise Wrong(f"{shown(key)}: {wrong.text}", wrong.line or child.line) from None
        return values

    return read


def address(node: Node) -> Address:
    """Allows one address."""
    try:
        return parse_address(word(node))
    except InvalidAddress as error:
        raise Wrong(f"one address is wanted here, as in `Ada <ada@example.org>`: {error}") from None


def addresses(node: Node) -> tuple[Address, ...]:
    """Allows an address list in one text, or a list of them."""
    found: list[Address] = []
    for one in list_of(word)(node):
        try:
            found.extend(parse_address_list(one))
        except InvalidAddress as error:
            raise Wrong(f"an address list is wanted here: {error}") from None
    if not found:
        raise Wrong("there is no address here")
    return tuple(found)


def address_text(node: Node) -> str:
    """Allows an address list in one text, kept as written."""
    addresses(node)
    return word(node)


def domain(node: Node) -> str:
    """Allows a domain; returns it as A-labels."""
    try:
        return to_a_label(word(node))
    except InvalidAddress as error:
        raise Wrong(f"a domain is wanted here: {error}") from None


def kind_of(node: Node) -> str:
    """Names what stands there without repeating it."""
    value = node.value
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    names: Mapping[type, str] = {int: "a number", float: "a number with a fraction", str: "a text", tuple: "a list"}
    return names.get(type(value), "a mapping")


def shown(key: str) -> str:
    """Returns a key as it can be shown."""
    return key if key.isprintable() and len(key) <= 60 else repr(key[:60])


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """Returns ``; did you mean X?``, or nothing when nothing is near."""
    import difflib

    near = difflib.get_close_matches(given[:80].casefold(), list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _spell(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    for unit in ("d", "h", "m"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds // _UNITS[unit]}{unit}"
    return f"{seconds}s"
