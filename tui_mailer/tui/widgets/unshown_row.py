"""A quiet row of the compose form: names what belongs to the message and has no field there."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text
from textual.widgets import Static

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.text import shorten
from tui_mailer.tui.size_words import say_size
from tui_mailer.tui.widgets.field import Field

_MOST_NAME = 30
"""Cells of a header's or template's name."""


class UnshownRow(Field):
    """There only while there is something to name; the review tells it in full."""

    DEFAULT_CSS = """
    UnshownRow { display: none; }
    UnshownRow.-some { display: block; }
    UnshownRow > Static { height: auto; max-height: 2; color: $text-muted; }
    """

    def __init__(self) -> None:
        self._names = Static(markup=False)
        super().__init__("Also", self._names, id="unshown")

    def show(self, draft: Draft) -> None:
        """Names it for a draft."""
        names = ", ".join(_unshown(draft))
        self.set_class(bool(names), "-some")
        self._names.update(Text(names))


def _unshown(draft: Draft) -> Iterator[str]:
    if draft.html is not None:
        yield f"HTML version ({say_size(len(draft.html.encode(errors='replace')))})"
    yield from dict.fromkeys(shorten(name, _MOST_NAME) for name, _value in draft.headers)
    yield from (name for name, value in (("In-Reply-To", draft.in_reply_to), ("References", draft.references)) if value)
    if draft.template:
        yield f"template {shorten(draft.template, _MOST_NAME)}"
    for count, one in (
        (len(draft.tags), "tag"),
        (len(draft.metadata), "metadata value"),
        (len(draft.variables), "variable"),
        (len(draft.options), "option"),
    ):
        if count:
            yield f"{count} {one}{'s' * (count != 1)}"
