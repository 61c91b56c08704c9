"""Rules for JSON documents as a strict API enforces them: required fields, types, limits, nothing unknown.

check({"to": required(listing(email, 1, 50)), "subject": text(998)}, request.json)
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


class Invalid(Exception):
    """A rule is broken, at ``where`` in the document."""

    def __init__(self, where: str, text: str) -> None:
        super().__init__(f"{where}: {text}")
        self.where = where
        self.text = text


Check = Callable[[Any, str], None]


@dataclass(frozen=True)
class Required:
    """A field that must be there."""

    check: Check


def required(check: Check) -> Required:
    return Required(check)


Shape = Mapping[str, Check | Required]


def check(shape: Shape, value: Any, where: str = "") -> None:
    """Raises `Invalid` unless the value is an object of this shape and nothing more."""
    if not isinstance(value, dict):
        raise Invalid(where, f"an object is wanted, not {type(value).__name__}")
    for name in value:
        if name not in shape:
            raise Invalid(_at(where, name), "unknown field")
    for name, rule in shape.items():
        if name in value:
            (rule.check if isinstance(rule, Required) else rule)(value[name], _at(where, name))
        elif isinstance(rule, Required):
            raise Invalid(_at(where, name), "is required")


def obj(shape: Shape) -> Check:
    """An object of this shape."""
    return lambda value, where: check(shape, value, where)


def text(longest: int | None = None, shortest: int = 0, pattern: str = "") -> Check:
    """A string."""

    def rule(value: Any, where: str) -> None:
        if not isinstance(value, str):
            raise Invalid(where, f"a string is wanted, not {type(value).__name__}")
        if len(value) < shortest or (longest is not None and len(value) > longest):
            raise Invalid(where, f"{len(value)} characters; {shortest} to {longest} are allowed")
        if pattern and not re.fullmatch(pattern, value):
            raise Invalid(where, f"{value!r} doesn't match {pattern}")

    return rule


def email(value: Any, where: str) -> None:
    """A bare address."""
    text(254, pattern=r"[^\s@<>,]+@[A-Za-z0-9.-]+")(value, where)


def mailbox(value: Any, where: str) -> None:
    """``a@b`` or ``Name <a@b>``."""
    text(pattern=r'[^\s@<>,]+@[A-Za-z0-9.-]+|(?:"(?:[^"\\\r\n]|\\.)*"|[^"<>,@\r\n]+) <[^\s@<>,]+@[A-Za-z0-9.-]+>')(
        value, where
    )


def url(value: Any, where: str) -> None:
    text(2048, pattern=r"https?://[^\s/]+\S*")(value, where)


def instant(value: Any, where: str) -> None:
    """RFC 3339."""
    text()(value, where)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise Invalid(where, f"{value!r} is no instant") from None
    if moment.tzinfo is None:
        raise Invalid(where, f"{value!r} has no zone")


def boolean(value: Any, where: str) -> None:
    if not isinstance(value, bool):
        raise Invalid(where, "a boolean is wanted")


def integer(least: int | None = None, most: int | None = None) -> Check:
    def rule(value: Any, where: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise Invalid(where, "an integer is wanted")
        if (least is not None and value < least) or (most is not None and value > most):
            raise Invalid(where, f"{value} isn't from {least} to {most}")

    return rule


def choice(*words: str) -> Check:
    def rule(value: Any, where: str) -> None:
        if value not in words:
            raise Invalid(where, f"{value!r} isn't one of {', '.join(words)}")

    return rule


def listing(of: Check, least: int = 0, most: int | None = None) -> Check:
    def rule(value: Any, where: str) -> None:
        if not isinstance(value, list):
            raise Invalid(where, "an array is wanted")
        if len(value) < least or (most is not None and len(value) > most):
            raise Invalid(where, f"{len(value)} items; {least} to {most} are allowed")
        for index, one in enumerate(value):
            of(one, f"{where}[{index}]")

    return rule


def mapping(of: Check, most: int | None = None) -> Check:
    """An object with any keys."""

    def rule(value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise Invalid(where, "an object is wanted")
        if most is not None and len(value) > most:
            raise Invalid(where, f"{len(value)} entries; {most} are allowed")
        for name, one in value.items():
            of(one, _at(where, name))

    return rule


def either(*checks: Check) -> Check:
    """Any of these."""

    def rule(value: Any, where: str) -> None:
        troubles = []
        for one in checks:
            try:
                return one(value, where)
            except Invalid as trouble:
                troubles.append(trouble)
        raise troubles[0]

    return rule


def anything(value: Any, where: str) -> None:
    """No rule."""


def base64_bytes(most: int | None = None) -> Check:
    def rule(value: Any, where: str) -> None:
        text()(value, where)
        try:
            octets = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise Invalid(where, "isn't Base64") from None
        if most is not None and len(octets) > most:
            raise Invalid(where, f"{len(octets)} bytes; {most} are allowed")

    return rule


def _at(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
