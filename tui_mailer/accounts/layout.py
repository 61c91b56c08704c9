"""The configuration file as lines: which of them an account takes up, and putting in and taking out such lines.

Nothing but the lines concerned is touched, so comments, order, quoting and line ends stay. Whether the outcome says
what it should is for the caller to check.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from tui_mailer.accounts.document import compose


class OddShape(Exception):
    """The file is valid, but not written as lines that can be added or taken out (``{...}`` over all).

    Never leaves this package.
    """


def yaml_lines(values: Mapping[str, object], *, indent: int = 0) -> list[str]:
    """Writes values as YAML lines without line ends."""
    from ruamel.yaml import YAML

    yaml: Any = YAML(typ="rt", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.width = 1 << 20
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    yaml.dump(_spelt(plain(values)), stream)
    margin = " " * indent
    return [margin + line if line else "" for line in stream.getvalue().removesuffix("\n").split("\n")]


def _spelt(value: Any) -> Any:
    """Marks texts with line breaks and other odd characters to be written in double quotes, with escapes."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    if isinstance(value, dict):
        return {_spelt(key): _spelt(child) for key, child in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_spelt(item) for item in cast("list[Any]", value)]
    if isinstance(value, str) and not value.isprintable():
        return DoubleQuotedScalarString(value)
    return value


def plain(value: Any) -> Any:
    """Returns the value as YAML gives it back: dicts, lists and scalars."""
    if isinstance(value, Mapping):
        return {str(key): plain(child) for key, child in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in cast("list[Any]", value)]
    return value


class Layout:
    """One text being changed; each change is read anew before the next."""

    def __init__(self, text: str, path: Path) -> None:
        self._path = path
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._lines: list[str] = text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []

    @property
    def text(self) -> str:
        """The whole text as it now is."""
        return "".join(line + self._newline for line in self._lines)

    def put_account(self, name: str, mapping: Mapping[str, object]) -> None:
        """Adds an account below the others; raises `OddShape`."""
        key, section = self._member("accounts")
        if key is None:
            self._lines += ["accounts:", *yaml_lines({name: mapping}, indent=2)]
            return
        if not section.value or str(section.tag).endswith(":null"):
            # `accounts:`, `accounts: {}` and `accounts: ~` become a key with nothing after the colon.
            row = self._blank(key, section)
            indent = key.start_mark.column + 2
        elif section.flow_style:
            raise OddShape
        else:
            row = self._end(section, len(section.value) - 1)
            indent = section.value[0][0].start_mark.column
        self._lines[row:row] = yaml_lines({name: mapping}, indent=indent)

    def take_account(self, name: str) -> None:
        """Takes an account out; raises `OddShape`."""
        _, section = self._member("accounts")
        if section is None or section.flow_style:
            raise OddShape
        for index, (key, _) in enumerate(section.value):
            if key.value == name:
                del self._lines[key.start_mark.line : self._end(section, index)]
                return
        raise OddShape

    def put_key(self, account: str, name: str, value: object) -> None:
        """Sets one key of an account, the remark behind it kept; raises `OddShape`."""
        members, index = self._key(account, name)
        if index is None:
            if members.flow_style:
                raise OddShape
            row, indent = self._end(members, len(members.value) - 1), members.value[0][0].start_mark.column
            self._lines[row:row] = yaml_lines({name: value}, indent=indent)
            return
        key, node = members.value[index]
        row = int(key.start_mark.line)
        spelt = yaml_lines({"x": value})
        is_word = isinstance(node.value, str) and (node.start_mark.line, node.end_mark.line) == (row, row)
        if is_word and len(spelt) == 1 and node.end_mark.index > node.start_mark.index:
            line = self._lines[row]
            word = spelt[0].removeprefix("x: ")
            self._lines[row] = line[: node.start_mark.column] + word + line[node.end_mark.column :]
        elif members.flow_style:
            raise OddShape
        else:
            lines = yaml_lines({name: value}, indent=key.start_mark.column)
            self._lines[row : self._end(members, index)] = lines

    def take_key(self, account: str, name: str) -> None:
        """Takes one key of an account out; raises `OddShape`."""
        members, index = self._key(account, name)
        if index is None or members.flow_style:
            raise OddShape
        del self._lines[members.value[index][0].start_mark.line : self._end(members, index)]

    def _key(self, account: str, name: str) -> tuple[Any, int | None]:
        """Finds an account's members, and which of them has that name."""
        _, section = self._member("accounts")
        members = self._value_of(section, account)
        if members is None or not members.value or isinstance(members.value, str):
            raise OddShape
        names: list[str] = [key.value for key, _ in members.value]
        return members, names.index(name) if name in names else None

    def _value_of(self, section: Any, name: str) -> Any:
        return next((node for key, node in section.value if key.value == name), None) if section is not None else None

    def put_default(self, name: str | None) -> None:
        """Sets ``default_account``, or takes its line out (None); raises `OddShape`."""
        key, node = self._member("default_account")
        if key is None:
            if name is not None:
                accounts, _ = self._member("accounts")
                row = accounts.start_mark.line if accounts is not None else 0
                self._lines[row:row] = yaml_lines({"default_account": name})
            return
        row = int(key.start_mark.line)
        if (node.start_mark.line, node.end_mark.line) != (row, row):
            raise OddShape
        if name is None:
            del self._lines[row]
            return
        (spelt,) = yaml_lines({"default_account": name})
        line = self._lines[row]
        value = spelt.removeprefix("default_account: ")
        self._lines[row] = line[: node.start_mark.column] + value + line[node.end_mark.column :]

    def _member(self, name: str) -> tuple[Any, Any]:
        root = compose(self.text, self._path)
        if root is None:
            return None, None
        if root.flow_style:
            raise OddShape
        for key, node in root.value:
            if key.value == name:
                return key, node
        return None, None

    def _blank(self, key: Any, section: Any) -> int:
        """Takes away a value that stands for nothing; returns the row after its key."""
        row = int(key.start_mark.line)
        is_written = section.end_mark.index > section.start_mark.index
        if is_written:
            if (section.start_mark.line, section.end_mark.line) != (row, row):
                raise OddShape
            line = self._lines[row]
            self._lines[row] = line[: section.start_mark.column].rstrip() + line[section.end_mark.column :]
        return row + 1

    def _end(self, section: Any, index: int) -> int:
        """Returns the row after a member's last line; comments and blank lines that follow it aren't its own."""
        key, _ = section.value[index]
        is_last = index + 1 == len(section.value)
        mark = section.end_mark if is_last else section.value[index + 1][0].start_mark
        row = min(int(mark.line), len(self._lines))
        while row > key.start_mark.line + 1:
            line = self._lines[row - 1]
            stripped = line.lstrip()
            if stripped and not (stripped.startswith("#") and len(line) - len(stripped) <= key.start_mark.column):
                break
            row -= 1
        return row
