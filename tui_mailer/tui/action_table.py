"""The one list of what keys do, place by place; DESIGN's table A4 in code."""

from __future__ import annotations

from collections.abc import Mapping

from textual.binding import BindingType

from tui_mailer.tui import action as _action
from tui_mailer.tui.action import ANYWHERE, Action
from tui_mailer.tui.dialog_actions import DIALOG_ACTIONS
from tui_mailer.tui.list_actions import LIST_ACTIONS

_APP = (
    Action(
        id="app.compose",
        keys=("f2",),
        label="Compose",
        help="Go to the message being written.",
        where=(ANYWHERE,),
    ),
    Action(id="app.outbox", keys=("f3",), label="Outbox", help="See what waits, and why.", where=(ANYWHERE,)),
    Action(id="app.history", keys=("f4",), label="History", help="Find what has been sent.", where=(ANYWHERE,)),
    Action(
        id="app.new",
        keys=("ctrl+n",),
        label="New",
        help="Start another message; this one is kept as a draft.",
        where=(ANYWHERE,),
    ),
    Action(id="app.drafts", keys=("f8",), label="Drafts", help="Open a draft.", where=(ANYWHERE,), is_shown=True),
    Action(
        id="app.undo",
        keys=("f5",),
        label="Undo",
        help="Take back the message just sent, while its undo window is open.",
        where=(ANYWHERE,),
    ),
    Action(
        id="app.accounts",
        keys=("f9",),
        label="Accounts",
        help="See, add, change and release accounts.",
        where=(ANYWHERE,),
    ),
    Action(
        id="app.help",
        keys=("f1", "ctrl+g"),
        label="Help",
        help="Tell what the keys do here.",
        where=(ANYWHERE,),
        is_shown=True,
    ),
    Action(
        id="app.command-palette",
        keys=("ctrl+p",),
        label="Palette",
        help="Find an action by its name.",
        where=(ANYWHERE,),
    ),
    Action(
        id="app.quit",
        keys=("ctrl+q",),
        label="Quit",
        help="Save the draft, send what is due, and leave.",
        where=(ANYWHERE,),
        is_shown=True,
    ),
)

_COMPOSE = (
    Action(
        id="compose.send",
        keys=("ctrl+s", "ctrl+enter"),
        label="Send",
        help="Review the message; Enter in the review sends it.",
        where=("compose",),
        is_shown=True,
    ),
    Action(
        id="compose.later",
        keys=("ctrl+l",),
        label="Later",
        help="Choose when it is to go out.",
        where=("compose",),
        is_shown=True,
    ),
    Action(
        id="compose.attach",
        keys=("ctrl+t",),
        label="Attach",
        help="Attach a file: type or paste its path, Tab completes it.",
        where=("compose",),
        is_shown=True,
    ),
    Action(
        id="compose.browse",
        keys=(),
        label="Browse",
        help="Choose files to attach; Enter in the empty Attach does it, too.",
        where=("compose",),
    ),
    Action(id="compose.next-field", keys=("tab",), label="Next", help="Go to the next field.", where=("compose",)),
    Action(
        id="compose.previous-field",
        keys=("shift+tab",),
        label="Previous",
        help="Go to the field before.",
        where=("compose",),
    ),
    Action(
        id="compose.enter-field",
        keys=("enter",),
        label="Next",
        help="In a one-row field: go to the next.",
        where=("compose",),
    ),
    Action(
        id="compose.more-fields",
        keys=("f6",),
        label="Bcc",
        help="Show or hide Bcc and Reply-To.",
        where=("compose",),
        is_shown=True,
    ),
    Action(
        id="compose.close",
        keys=("ctrl+o",),
        label="Close",
        help="Save the draft and put it away.",
        where=("compose",),
        is_shown=True,
    ),
    Action(
        id="compose.next-draft",
        keys=("shift+f8",),
        label="Next draft",
        help="Go to the next of the open messages.",
        where=("compose",),
    ),
    Action(
        id="compose.duplicate",
        keys=(),
        label="Duplicate",
        help="Start a copy of this message; this one is kept as a draft.",
        where=("compose",),
    ),
    Action(
        id="compose.editor",
        keys=("ctrl+r",),
        label="Editor",
        help="Write the body in $VISUAL or $EDITOR.",
        where=("compose",),
    ),
)

_TEXT = tuple(
    Action(id=f"text.{name}", keys=keys, label=label, help=sentence, where=("text",))
    for name, keys, label, sentence in (
        ("left", ("left",), "Left", "One character to the left."),
        ("right", ("right",), "Right", "One character to the right; at the end, takes the proposed address."),
        ("up", ("up",), "Up", "One line up."),
        ("down", ("down",), "Down", "One line down."),
        ("word-left", ("ctrl+left",), "Word left", "One word to the left."),
        ("word-right", ("ctrl+right",), "Word right", "One word to the right."),
        ("line-start", ("home", "ctrl+a"), "Line start", "To the start of the line."),
        ("line-end", ("end", "ctrl+e"), "Line end", "To the end of the line."),
        ("page-up", ("pageup",), "Page up", "One page up."),
        ("page-down", ("pagedown",), "Page down", "One page down."),
        ("delete", ("delete", "ctrl+d"), "Delete", "Delete the character under the cursor."),
        ("delete-word", ("alt+delete",), "Delete word", "Delete to the end of the word."),
        ("delete-to-start", ("ctrl+u",), "Delete to start", "Delete to the start of the line."),
        ("delete-to-end", ("ctrl+k",), "Delete to end", "Delete to the end of the line."),
        (
            "paste",
            ("ctrl+v",),
            "Paste",
            "Paste what was copied in the app, or deleted by the word or line.",
        ),
        ("undo", ("ctrl+z",), "Undo typing", "Take back what was typed in the body."),
        ("redo", ("ctrl+y",), "Redo typing", "Bring back what was taken back."),
    )
)
"""What the text fields themselves do; a preset gives these keys of its own."""

_SPARE_ROOM = (
    Action(
        id="compose.options",
        keys=("f7",),
        label="Options",
        help="Set the message's options: format, tags, and what the account's provider offers.",
        where=("compose",),
        is_shown=True,
    ),
)
"""Named by the key line only where the keys above leave room."""

ACTIONS: tuple[Action, ...] = (
    *_COMPOSE,
    *LIST_ACTIONS,
    *_TEXT,
    *DIALOG_ACTIONS,
    *_APP,
    *_SPARE_ROOM,
)
"""Every action, in the order in which key line and help name them."""


PLACE_TITLES: Mapping[str, str] = {
    ANYWHERE: "Everywhere",
    "compose": "Compose",
    "text": "Text fields",
    "review": "Review",
    "schedule": "Later",
    "browse": "Browse",
    "options": "Options",
    "outbox": "Outbox",
    "history": "History",
    "list": "Lists",
    "detail": "Details",
    "resolve": "Settle",
    "confirm": "Questions",
    "export": "Writing an .eml",
    "purge": "Purging",
    "drafts": "Drafts",
    "choice": "Choices",
    "accounts": "Accounts",
    "account-form": "Account form",
    "secret": "Password",
    "help": "Help",
    "quit": "Leaving",
}
"""Every place, in the order in which the documentation tells of them."""


def bindings(place: str) -> list[BindingType]:
    """The bindings of one place."""
    return _action.bindings(ACTIONS, place)
