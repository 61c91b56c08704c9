"""What of a message the compose form has no field for, as lines of review and details: nothing goes unnamed."""

from __future__ import annotations

from collections.abc import Iterator

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.message import Message
from tui_mailer.domain.text import shorten
from tui_mailer.tui.size_words import say_size

_MOST_VALUE = 100
"""Cells of a header's value; what is cut off ends with an ellipsis."""


def unshown_lines(message: Message, html_origin: str = "") -> Iterator[tuple[str, str]]:
    """Yields label and value of each; ``html_origin``: where its HTML comes from, if that is known."""
    if message.html is not None:
        size = say_size(len(message.html.encode(errors="replace")))
        yield "HTML", f"{size}, {html_origin}" if html_origin else size
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


def html_origin(draft: Draft) -> str:
    """Where the HTML of a message comes from that is sealed from this draft."""
    if draft.html is None:
        return "made from the text (Markdown)"
    return "as it was given; the text is made from it" if not draft.body else "as it was given, beside the text"
