"""A server's answer as providers read it: capped, decoded leniently, never trusted, without the secret."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from tui_mailer.domain.text import clean

LONGEST_TEXT = 1000
"""Characters of a server's words that are kept."""
LONGEST_ID = 500

_STEP = re.compile(r"\[(\d{1,4})\]|([^.\[\]]+)")
_TAGS = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]{0,2000}>", re.IGNORECASE | re.DOTALL)
_TEXT_FIELDS = (
    "error.message",
    "message",
    "Message",
    "detail",
    "title",
    "ErrorMessage",
    "error_description",
    "description",
    "error",
    "errors[0].message",
    "errors[0].description",
    "errors[0].detail",
    "errors[0]",
)

_ERROR_FIELDS = ("error", "errors", "ErrorMessage", "ErrorCode")


@dataclass(frozen=True)
class Answer:
    """What came back for one request."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names in lower case."""
    body: bytes = b""
    """Decompressed, cut at the cap."""
    is_cut: bool = False
    """The body was longer than the cap, couldn't be decompressed, or broke off."""
    redact: Callable[[str], str] = field(default=str, repr=False, compare=False)
    """Takes the secret out of every text that is read here, wherever it is shown or kept."""

    @property
    def is_success(self) -> bool:
        """Whether the status is a 2xx."""
        return 200 <= self.status < 300

    @cached_property
    def text(self) -> str:
        """The body as text, whatever it holds."""
        return self.redact(self.body.decode("utf-8", "replace"))

    @cached_property
    def json(self) -> Any:
        """The JSON document, None where it isn't one or isn't whole."""
        if not self.body.strip():
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def value(self, path: str) -> object:
        """Returns what stands at a path (``data.id``, ``errors[0].message``), None where nothing does."""
        found: object = self.json
        for index, key in _STEP.findall(path):
            if index and isinstance(found, list):
                items = cast("list[object]", found)
                found = items[int(index)] if int(index) < len(items) else None
            elif key and isinstance(found, dict):
                found = cast("dict[str, object]", found).get(key)
            else:
                return None
        return found

    @property
    def tells_error(self) -> bool:
        """Whether the document says that something went wrong, whatever the status is."""
        return any(self.value(path) for path in _ERROR_FIELDS)

    def word(self, path: str) -> str:
        """Returns a string or number at a path as a cleaned, short string; empty where there is none."""
        found = self.value(path)
        if isinstance(found, bool) or not isinstance(found, (str, int, float)):
            return ""
        return self.redact(clean(str(found)))[:LONGEST_ID]

    def rows(self, path: str = "") -> list[Answer]:
        """Returns the objects of a list (at a path; or the document itself), each to be read like an answer."""
        found = self.value(path) if path else self.json
        if not isinstance(found, list):
            return []
        items = cast("list[object]", found)
        return [self.part(cast("object", one)) for one in items if isinstance(one, dict)]

    def part(self, document: object) -> Answer:
        """Makes an answer of a part of this one."""
        made = Answer(status=self.status, headers=self.headers, redact=self.redact)
        made.__dict__["json"] = document
        return made


def words_of(answer: Answer, fields: tuple[str, ...] = _TEXT_FIELDS) -> str:
    """Finds what an error says for people: a known field, else the text of whatever came, shortened.

    ``fields`` are the paths to look at first (`Answer.value`); HTML loses its tags.
    """
    for path in (*fields, *_TEXT_FIELDS):
        if said := answer.word(path):
            return said[:LONGEST_TEXT]
    if answer.json in ({}, [], ""):
        return ""
    plain = answer.text[: 20 * LONGEST_TEXT]
    if plain.lstrip()[:1] == "<":
        plain = _TAGS.sub(" ", plain)
    return " ".join(clean(plain).split())[:LONGEST_TEXT]
