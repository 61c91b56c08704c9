"""What ``merge`` reads: the template (a draft, or a text file) and the table (CSV, TSV or JSON Lines)."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_mailer.cli.expansion import expand_draft
from tui_mailer.cli.message_options import rooted
from tui_mailer.domain.draft import BodyFormat, Draft, DraftAttachment
from tui_mailer.domain.errors import InvalidAttachment, InvalidMessage, NotFound

if TYPE_CHECKING:
    from tui_mailer.cli.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A draft with ``${variables}`` in it."""

    draft: Draft
    name: str
    """The file's absolute path, or the stored draft's ID: it stays while the text is mended."""
    directory: Path | None = None
    """Where its attachments lie; None for a stored draft, whose paths are absolute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table."""

    number: int
    """From 1, the header of a CSV file not counted."""
    values: Mapping[str, str]


def read_template(name: str, context: Context) -> Template:
    """Reads a template file, or a draft where there is no such file; raises `NotFound`, `InvalidMessage`."""
    path = Path(name)
    if path.is_file():
        whole = path.resolve()
        return Template(draft=parse_template(_text(path), name), name=str(whole), directory=whole.parent)
    try:
        stored = context.mailer.draft(name)
    except NotFound:
        raise NotFound(f"There is neither a file nor a draft '{name}'. Nothing was queued.") from None
    return Template(draft=stored.draft, name=stored.id)


def parse_template(text: str, name: str) -> Draft:
    """Reads ``Header: value`` lines, an empty line and the body."""
    head, _, body = text.partition("\n\n")
    draft = Draft(body=body)
    for number, line in _header_lines(head):
        key, colon, value = line.partition(":")
        if not colon or not key.strip() or " " in key.strip():
            raise InvalidMessage(
                f"{name}:{number}: '{line[:40]}' isn't 'Header: value'. "
                "A template is header lines, an empty line, the body."
            )
        draft = _with_header(draft, key.strip(), value.strip())
    return draft


def _header_lines(head: str) -> Iterator[tuple[int, str]]:
    """Joins continuation lines; a number is the line the header begins on."""
    line, started = "", 0
    for number, part in enumerate(head.split("\n"), 1):
        if part[:1] in {" ", "\t"} and line:
            line += " " + part.strip()
            continue
        if line:
            yield started, line
        line, started = part, number
    if line:
        yield started, line


_LISTS = {"to": "to", "cc": "cc", "bcc": "bcc", "reply-to": "reply_to"}
_TEXTS = {
    "from": "sender",
    "subject": "subject",
    "in-reply-to": "in_reply_to",
    "references": "references",
    "at": "schedule",
    "note": "note",
    "template": "template",
}


def _with_header(draft: Draft, key: str, value: str) -> Draft:
    name = key.lower()
    if name in _LISTS:
        before = getattr(draft, _LISTS[name])
        return draft._replace(**{_LISTS[name]: f"{before}, {value}" if before else value})
    if name in _TEXTS:
        return draft._replace(**{_TEXTS[name]: value})
    special = _SPECIAL.get(name)
    return special(draft, value) if special else draft._replace(headers=(*draft.headers, (key, value)))


def _format(draft: Draft, value: str) -> Draft:
    if value not in list(BodyFormat):
        raise InvalidMessage(f"Format is {' or '.join(BodyFormat)}, not '{value}'.", field="format")
    return draft._replace(body_format=BodyFormat(value))


def _attach(draft: Draft, value: str) -> Draft:
    return draft._replace(attachments=(*draft.attachments, DraftAttachment(source=value)))


def _tag(draft: Draft, value: str) -> Draft:
    name, equals, text = value.partition("=")
    return draft._replace(tags=(*draft.tags, (name, text if equals else None)))


def _meta(draft: Draft, value: str) -> Draft:
    key, _, text = value.partition("=")
    return draft._replace(metadata={**draft.metadata, key: text})


def _option(draft: Draft, value: str) -> Draft:
    key, _, text = value.partition("=")
    return draft._replace(options={**draft.options, key: text})


def _variable(draft: Draft, value: str) -> Draft:
    key, _, text = value.partition("=")
    return draft._replace(variables={**draft.variables, key: text})


_SPECIAL: Mapping[str, Callable[[Draft, str], Draft]] = {
    "format": _format,
    "attach": _attach,
    "tag": _tag,
    "meta": _meta,
    "option": _option,
    "var": _variable,
}


def draft_for(template: Template, row: Row) -> Draft:
    """Fills in a row; raises `InvalidMessage` naming the row, for a missing column or a path outside the template's."""
    try:
        draft = expand_draft(template.draft, row.values)
    except InvalidMessage as error:
        raise InvalidMessage(f"Row {row.number}: {error}", field=error.field) from None
    if template.directory is None:
        return draft
    return draft._replace(attachments=tuple(_beside(each, template.directory, row) for each in draft.attachments))


def _beside(attachment: DraftAttachment, directory: Path, row: Row) -> DraftAttachment:
    """A table must not choose any file of this computer: only those at or below the template's directory."""
    if "://" in attachment.source or attachment.source.startswith("ref:"):
        return rooted(attachment, directory)
    path = (directory / attachment.source).resolve()
    if not path.is_relative_to(directory):
        raise InvalidAttachment(
            f"Row {row.number}: '{attachment.source}' is outside the template's directory. Nothing was queued.",
            field="attachments",
        )
    return attachment._replace(source=str(path))


def row_keys(template: Template, rows: Sequence[Row], run: str) -> list[str]:
    """Makes a key for each row from what it says, not from its place: rows may be added or mended before a rerun.

    Equal rows are told apart by their count.
    """
    seen: Counter[str] = Counter()
    keys: list[str] = []
    base = f"{run}\n{template.draft!r}".encode("utf-8", "surrogateescape")
    for row in rows:
        content = json.dumps(row.values, sort_keys=True).encode()
        digest = hashlib.sha256(base + b"\0" + content).hexdigest()[:40]
        seen[digest] += 1
        keys.append(f"merge-{digest}-{seen[digest]}")
    return keys


def read_rows(path: Path) -> list[Row]:
    """Reads the table; raises `NotFound` and, naming the row, `InvalidMessage`."""
    text = _text(path)
    suffix = path.suffix.lower()
    is_json = suffix in {".jsonl", ".ndjson"} or (suffix not in {".csv", ".tsv"} and text.lstrip().startswith("{"))
    return _json_rows(text) if is_json else _csv_rows(text, "\t" if suffix == ".tsv" else _delimiter(text))


def _delimiter(text: str) -> str:
    """Where a comma is the decimal sign, spreadsheets write semicolons between the columns, and some write tabs."""
    head = next(iter(text.splitlines()), "")
    return max(",", ";", "\t", key=head.count)


def _csv_rows(text: str, delimiter: str) -> list[Row]:
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    try:
        columns = [column.strip() for column in next(reader, list[str]())]
        doubled = [column for column, times in Counter(columns).items() if times > 1]
        if doubled:
            raise InvalidMessage(f"The column '{doubled[0]}' is there twice. Nothing was queued.", field="data")
        for cells in filter(None, reader):
            number = len(rows) + 1
            if len(cells) != len(columns):
                raise InvalidMessage(
                    f"Row {number}: {len(cells)} values for {len(columns)} columns. Nothing was queued.", field="data"
                )
            rows.append(Row(number=number, values=dict(zip(columns, cells, strict=True))))
    except csv.Error as error:
        raise InvalidMessage(f"Row {len(rows) + 1}: {error}. Nothing was queued.", field="data") from None
    return rows


def _json_rows(text: str) -> list[Row]:
    rows: list[Row] = []
    for line_number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record: Any = json.loads(line)
        except ValueError as error:
            raise InvalidMessage(f"Line {line_number} isn't JSON: {error}. Nothing was queued.", field="data") from None
        if not isinstance(record, dict):
            raise InvalidMessage(f"Line {line_number} isn't a JSON object. Nothing was queued.", field="data")
        values = {str(key): _plain(value, line_number) for key, value in record.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        rows.append(Row(number=len(rows) + 1, values=values))
    return rows


def _plain(value: object, line_number: int) -> str:
    if isinstance(value, dict | list):
        raise InvalidMessage(
            f"Line {line_number}: a value is text, a number, true, false or null. Nothing was queued.", field="data"
        )
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _text(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise NotFound(f"Can't read '{path}': {error.strerror or error}. Nothing was queued.") from None
    except UnicodeDecodeError as error:
        raise InvalidMessage(f"'{path}' isn't UTF-8 (byte {error.start}). Nothing was queued.", field="data") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")
