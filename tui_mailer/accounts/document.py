"""The configuration file as a tree of plain values that know their lines; what the keys mean is `schema`'s business."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any, NamedTuple, cast

from tui_mailer.accounts.trouble import error_at

Scalar = str | int | float | bool | None

MAX_DEPTH = 12
"""Levels of nesting: more than any setting needs, less than Python's stack."""
MAX_NODES = 20_000
"""Values after aliases are followed: a file that unfolds to more is an attack, not a configuration."""

_TAG = "tag:yaml.org,2002:"


class Node(NamedTuple):
    """A value of the file and the line (from 1) of its key, or of itself in a list."""

    line: int
    value: Scalar | tuple[Node, ...] | dict[str, Node]

    def plain(self) -> object:
        """Returns the value without its marks: dicts, lists and scalars."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, tuple):
            return [child.plain() for child in self.value]
        return self.value

    def to_json(self) -> list[Any]:
        """Returns ``[line, value]``, which `from_json` reads back."""
        if isinstance(self.value, dict):
            return [self.line, {key: child.to_json() for key, child in self.value.items()}]
        if isinstance(self.value, tuple):
            return [self.line, [child.to_json() for child in self.value]]
        return [self.line, self.value]

    @classmethod
    def from_json(cls, pair: Any) -> Node:
        """Reads what `to_json` made; raises ValueError or TypeError for anything else."""
        line, value = pair
        if isinstance(value, dict):
            members = cast("dict[str, Any]", value)
            return cls(int(line), {key: cls.from_json(child) for key, child in members.items()})
        if isinstance(value, list):
            return cls(int(line), tuple(cls.from_json(child) for child in cast("list[Any]", value)))
        return cls(int(line), value)


def parse(text: str, path: Path) -> Node | None:
    """Reads a YAML 1.2 text; None when it is empty; raises `ConfigurationError` with file and line."""
    root = compose(text, path)
    if root is None:
        return None
    return _Builder(path).build(root, root.start_mark.line + 1, 0)


def compose(text: str, path: Path) -> Any:
    """Reads a YAML text into the library's own nodes (untyped), with line and column of each; None: it is empty."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        with warnings.catch_warnings():
            # A reused anchor is legal YAML; a warning on stderr would land in the middle of the screen.
            warnings.simplefilter("ignore")
            yaml = cast("Any", YAML(typ="safe", pure=True))
            return yaml.compose(text)
    except MarkedYAMLError as error:
        marked = cast("Any", error)
        mark = marked.problem_mark or marked.context_mark
        raise error_at(path, mark.line + 1 if mark else None, "", _sentence(error)) from None
    except YAMLError as error:
        # The reader's complaint about a character that YAML doesn't allow has a position, but no mark.
        position = getattr(error, "position", None)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else None
        raise error_at(path, line, "", "there is a control character in this file; remove it") from None
    except RecursionError:
        raise error_at(path, None, "", "this file is nested too deeply to be a configuration") from None
    except (ValueError, LookupError, AttributeError, TypeError, NotImplementedError):
        # The library answers some malformed input (directives, escapes) with Python's own errors.
        raise error_at(path, None, "", "this file is not valid YAML") from None


def _sentence(error: Any) -> str:
    problem = str(error.problem or "")
    if "\\t" in problem or "\t" in problem:
        return "there is a tab in the indentation; YAML wants spaces"
    if "found another document" in problem:
        return "a second document begins here (`---`); one is allowed"
    if "undefined alias" in problem:
        return f"{problem}: there is no such anchor above"
    if "mapping values are not allowed" in problem:
        return "a second ': ' in this line; put the value in quotes, or check the indentation above"
    context = f" ({error.context})" if error.context else ""
    return f"not valid YAML: {problem or 'it ends in the middle'}{context}"


class _Builder:
    """Turns the library's nodes into ours; counts them, because aliases multiply."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0

    def build(self, node: Any, line: int, depth: int) -> Node:
        self._count += 1
        if depth > MAX_DEPTH or self._count > MAX_NODES:
            raise error_at(self._path, line, "", "nested too deeply, or unfolding to too much, to be a configuration")
        tag = str(node.tag)
        if isinstance(node.value, str):
            return Node(line, self._scalar(tag, str(node.value), line))
        if tag == _TAG + "seq":
            return Node(line, tuple(self.build(item, item.start_mark.line + 1, depth + 1) for item in node.value))
        if tag == _TAG + "map":
            return Node(line, self._mapping(node, depth))
        raise self._refuse_tag(tag, line)

    def _mapping(self, node: Any, depth: int) -> dict[str, Node]:
        members: dict[str, Node] = {}
        inherited: dict[str, Node] = {}
        for key, child in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key.value, str):
                raise error_at(self._path, line, "", "a key must be a plain word")
            if str(key.tag) == _TAG + "merge":
                inherited |= self._merged(child, line, depth)
            elif key.value in members:
                first = members[key.value].line
                raise error_at(self._path, line, key.value, f"this key is here twice (first in line {first}); keep one")
            else:
                members[key.value] = self.build(child, line, depth + 1)
        return members | {key: child for key, child in inherited.items() if key not in members}

    def _merged(self, node: Any, line: int, depth: int) -> dict[str, Node]:
        source = self.build(node, line, depth + 1)
        sources = source.value if isinstance(source.value, tuple) else (source,)
        merged: dict[str, Node] = {}
        for one in sources:
            if not isinstance(one.value, dict):
                raise error_at(self._path, line, "<<", "only a mapping, or a list of them, can be merged")
            merged = one.value | merged
        return merged

    def _scalar(self, tag: str, text: str, line: int) -> Scalar:
        kind = tag.removeprefix(_TAG)
        try:
            if kind == "null":
                return None
            if kind == "bool":
                return text.lower() == "true"
            if kind == "int":
                return _whole_number(text)
            if kind == "float":
                return _fraction(text)
        except ValueError:
            raise error_at(self._path, line, "", f"{text[:40]!r} is no number") from None
        # An unquoted date is a text to us: no setting is one.
        if kind in {"str", "timestamp"}:
            return text
        raise self._refuse_tag(tag, line)

    def _refuse_tag(self, tag: str, line: int) -> Exception:
        return error_at(self._path, line, "", f"the tag {tag[:60]!r} means nothing here; write a plain value")


def _whole_number(text: str) -> int:
    digits = text.replace("_", "").lower()
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    if len(digits) > 40:
        raise ValueError(text)
    for prefix, base in (("0x", 16), ("0o", 8), ("0b", 2)):
        if digits.startswith(prefix):
            return sign * int(digits[2:], base)
    return sign * int(digits)


def _fraction(text: str) -> float:
    value = float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan"))
    if not math.isfinite(value):
        raise ValueError(text)
    return value
