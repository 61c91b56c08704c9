"""What of a message the compose form has no field for, as lines of the review: nothing goes out unnamed."""

from __future__ import annotations

from collections.abc import Iterator

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.message import Message
from tui_mailer.domain.text import shorten
from tui_mailer.tui.size_words import say_size

_MOST_VALUE = 100
"""Cells of a header's value; what is cut off ends with an ellipsis."""


def unshown_lines(message: Message, draft: Draft) -> Iterator[tuple[str, str]]:
    """Yields label and value of each, for a message and the draft it would be sealed from."""
    if message.html is not None:
        yield "HTML", f"{say_size(len(message.html.encode(errors='replace')))}, {_origin(draft)}"
    if message.in_reply_to:
        yield "In-Reply-To", message.in_reply_to
    earlier = [one for one in message.references if one != message.in_reply_to]
    if earlier:
        yield "References", shorten(" ".join(earlier), _MOST_VALUE)
    for name, value in message.headers:
        yield "Header", f"{shorten(name, _MOST_VALUE)}: {shorten(value, _MOST_VALUE)}"
    if message.template:
        yield "Template", message.template
    for label, pairs in (
        ("Variables", message.variables.items()),
        ("Tags", message.tags),
        ("Metadata", message.metadata.items()),
        ("Options", message.options.items()),
    ):
        if pairs:
            yield label, ", ".join(name if value is None else f"{name}: {value}" for name, value in pairs)


def _origin(draft: Draft) -> str:
    if draft.html is None:
        return "made from the text (Markdown)"
    return "as it was given; the text is made from it" if not draft.body else "as it was given, beside the text"
