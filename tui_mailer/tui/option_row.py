"""What can be set for a message besides its fields: the provider's options, and what all accounts know."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tui_mailer.domain.draft import BodyFormat, Draft
from tui_mailer.domain.errors import InvalidMessage
from tui_mailer.providers.base import Capabilities
from tui_mailer.services.model_form import FormField

OWN = "own:"
"""Before the names of rows that belong to the draft itself, not to the provider's options."""
YES_NO = {"yes": "true", "no": "false"}


def own_rows(can: Capabilities) -> tuple[FormField, ...]:
    """The rows of the draft itself that this account carries."""
    rows = [
        FormField(
            name=f"{OWN}format",
            help="How the text is read; markdown is sent as text and HTML.",
            kind="choice",
            choices=("plain", "markdown"),
        )
    ]
    if can.threading != "none":
        rows.append(_text("in_reply_to", "The Message-ID that this message answers."))
    if can.tags != 0:
        most = "" if can.tags is None else f" At most {can.tags}."
        rows.append(_text("tags", f"Words with commas between them, or NAME=VALUE.{most}"))
    if can.templates:
        rows.append(_text("template", "The provider's template, by its id."))
        rows.append(_text("variables", "What the template is filled with: NAME=VALUE; NAME=VALUE."))
    sent = "sent along and kept" if can.metadata else "kept here, not sent"
    rows.append(_text("metadata", f"NAME=VALUE; NAME=VALUE: {sent} with the message, to find it by."))
    rows.append(_text("note", "A note to yourself, kept with the message, never sent."))
    return tuple(rows)


def _text(name: str, sentence: str) -> FormField:
    return FormField(name=f"{OWN}{name}", help=sentence, kind="text")


def value_of(draft: Draft, row: FormField) -> str:
    """What stands in a row for a draft."""
    if not row.name.startswith(OWN):
        typed = draft.options.get(row.name, "")
        return {"true": "yes", "false": "no"}.get(typed, typed) if row.kind == "switch" else typed
    name = row.name.removeprefix(OWN)
    if name == "format":
        return str(draft.body_format)
    if name == "tags":
        return ", ".join(tag if value is None else f"{tag}={value}" for tag, value in draft.tags)
    if name in {"metadata", "variables"}:
        pairs: Mapping[str, str] = getattr(draft, name)
        return "; ".join(f"{key}={value}" for key, value in pairs.items())
    return str(getattr(draft, name))


def with_values(draft: Draft, values: Mapping[str, str], rows: tuple[FormField, ...]) -> Draft:
    """The draft with what stands in the rows; raises `InvalidMessage` naming the row that can't be read."""
    options = {
        row.name: YES_NO.get(value, value) if row.kind == "switch" else value
        for row in rows
        if not row.name.startswith(OWN) and (value := values[row.name].strip())
    }
    own = {name.removeprefix(OWN): value.strip() for name, value in values.items() if name.startswith(OWN)}
    kept = {key: value for key, value in draft.options.items() if key not in {row.name for row in rows}}
    changed = draft._replace(options={**kept, **options})
    for name, value in own.items():
        match name:
            case "format":
                changed = changed._replace(body_format=BodyFormat(value or "plain"))
            case "tags":
                changed = changed._replace(tags=tuple(_tag(one) for one in value.split(",") if one.strip()))
            case "metadata":
                changed = changed._replace(metadata=_pairs("metadata", value))
            case "variables":
                changed = changed._replace(variables=_pairs("variables", value))
            case "template":
                changed = changed._replace(template=value)
            case "in_reply_to":
                changed = changed._replace(in_reply_to=value)
            case _:
                changed = changed._replace(note=value)
    return changed


def _tag(text: str) -> tuple[str, str | None]:
    name, is_pair, value = text.strip().partition("=")
    return name.strip(), value.strip() if is_pair else None


def _pairs(field: str, text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for one in re.split(r";\s*", text):
        if not one.strip():
            continue
        name, is_pair, value = one.partition("=")
        if not is_pair or not name.strip():
            raise InvalidMessage(f"{field}: '{one.strip()}' is no NAME=VALUE.", field=field)
        pairs[name.strip()] = value.strip()
    return pairs
