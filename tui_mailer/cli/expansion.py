"""Replaces ``${name}`` in a draft's fields; ``$$`` is a dollar, any other dollar stays as it is."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

from tui_mailer.domain.draft import Draft, DraftAttachment
from tui_mailer.domain.errors import InvalidMessage

_PLACE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>[^{}]*)\})")
_OTHER_PLACE = re.compile(r"(?<!\$)\{\{?\s*(?P<name>[^{}\s][^{}]*?)\s*\}\}?")
"""``{{name}}`` and ``{name}``."""
_TEXT_FIELDS = (
    "sender",
    "to",
    "cc",
    "bcc",
    "reply_to",
    "subject",
    "body",
    "schedule",
    "in_reply_to",
    "references",
    "template",
    "note",
)


def expand(text: str, variables: Mapping[str, str], *, field: str | None = None) -> str:
    """Replaces each ``${name}``; raises `InvalidMessage` naming the first that is missing."""

    def value(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        name = match["name"].strip()
        if name not in variables:
            known = ", ".join(variables) or "none"
            raise InvalidMessage(
                f"There is no value for ${{{name}}}; there are: {known}. Nothing was stored.", field=field
            )
        return variables[name]

    return _PLACE.sub(value, text)


def expand_draft(draft: Draft, variables: Mapping[str, str]) -> Draft:
    """Replaces the variables in every field that people see, in attachment names and in provider values."""
    _refuse_other_places(draft, variables)
    texts = {name: expand(getattr(draft, name), variables, field=name) for name in _TEXT_FIELDS}
    return draft._replace(
        **texts,
        html=None if draft.html is None else expand(draft.html, _escaped(variables), field="body"),
        headers=tuple((name, expand(value, variables, field="headers")) for name, value in draft.headers),
        metadata={key: expand(value, variables, field="metadata") for key, value in draft.metadata.items()},
        options={key: expand(value, variables, field="options") for key, value in draft.options.items()},
        # Only a template still has a use for them.
        variables={key: expand(value, variables, field="variables") for key, value in draft.variables.items()}
        if draft.template
        else {},
        tags=tuple(
            (name, None if value is None else expand(value, variables, field="tags")) for name, value in draft.tags
        ),
        attachments=tuple(_expand_attachment(attachment, variables) for attachment in draft.attachments),
    )


def _refuse_other_places(draft: Draft, variables: Mapping[str, str]) -> None:
    """Raises `InvalidMessage` where another program's way to name a variable stands: it would go out as it is.

    A provider's template has places of its own.
    """
    if draft.template:
        return
    for field in _TEXT_FIELDS:
        for match in _OTHER_PLACE.finditer(getattr(draft, field)):
            if match["name"] in variables:
                raise InvalidMessage(
                    f"'{match[0]}' isn't replaced here: write ${{{match['name']}}}. Nothing was stored.", field=field
                )


def _escaped(variables: Mapping[str, str]) -> Mapping[str, str]:
    """What comes from a table must not become markup."""
    return {name: html.escape(value) for name, value in variables.items()}


def _expand_attachment(attachment: DraftAttachment, variables: Mapping[str, str]) -> DraftAttachment:
    return attachment._replace(
        source=expand(attachment.source, variables, field="attachments"),
        name=None if attachment.name is None else expand(attachment.name, variables, field="attachments"),
    )
