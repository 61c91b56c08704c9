"""The one list of what keys do, place by place; DESIGN's table A4 in code."""

from __future__ import annotations

from collections.abc import Mapping

from textual.binding import BindingType

from tui_mailer.tui import action as _action
from tui_mailer.tui.action import ANYWHERE, Action

_BOTH_LISTS = ("outbox", "history")

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
    Action(id="app.accounts", keys=("f9",), label="Accounts", help="See, add and release accounts.", where=(ANYWHERE,)),
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
        ("paste", ("ctrl+v",), "Paste", "Paste what was cut or copied in the app."),
        ("undo", ("ctrl+z",), "Undo typing", "Take back what was typed in the body."),
        ("redo", ("ctrl+y",), "Redo typing", "Bring back what was taken back."),
    )
)
"""What the text fields themselves do; a preset gives these keys of its own."""

_LIST_MOVES = (
    Action(id="list.down", keys=("down", "j"), label="Down", help="One row down.", where=("list",), is_plain=True),
    Action(id="list.up", keys=("up", "k"), label="Up", help="One row up.", where=("list",), is_plain=True),
    Action(
        id="list.page-down",
        keys=("pagedown",),
        label="Page down",
        help="One page down.",
        where=("list",),
        is_plain=True,
    ),
    Action(id="list.page-up", keys=("pageup",), label="Page up", help="One page up.", where=("list",), is_plain=True),
    Action(id="list.first", keys=("home",), label="First", help="To the first row.", where=("list",), is_plain=True),
    Action(id="list.last", keys=("end",), label="Last", help="To the last row.", where=("list",), is_plain=True),
    Action(id="list.open", keys=("enter",), label="Open", help="Open this row.", where=("list",), is_plain=True),
    Action(
        id="list.mark", keys=("space",), label="Mark", help="Mark or unmark this row.", where=("list",), is_plain=True
    ),
)

_OUTBOX = (
    Action(
        id="outbox.retry",
        keys=("r",),
        label="Retry",
        help="Try again now.",
        where=("outbox",),
        is_shown=True,
        is_plain=True,
    ),
    Action(
        id="outbox.hold",
        keys=("h",),
        label="Hold",
        help="Hold it, or release it.",
        where=("outbox",),
        is_shown=True,
        is_plain=True,
    ),
    Action(
        id="outbox.reschedule",
        keys=("t",),
        label="Time",
        help="Send it at another time.",
        where=("outbox",),
        is_shown=True,
        is_plain=True,
    ),
    Action(
        id="outbox.cancel",
        keys=("x",),
        label="Cancel",
        help="Cancel it; nothing more of it is sent.",
        where=("outbox",),
        is_shown=True,
        is_plain=True,
    ),
    Action(
        id="outbox.edit",
        keys=("e",),
        label="Edit",
        help="Take it back into compose.",
        where=("outbox",),
        is_shown=True,
        is_plain=True,
    ),
    Action(
        id="outbox.resolve",
        keys=("o",),
        label="Settle",
        help="Settle one whose outcome is uncertain.",
        where=("outbox",),
        is_shown=True,
        is_plain=True,
    ),
    Action(
        id="outbox.undo",
        keys=("u",),
        label="Undo",
        help="Take back the message just sent.",
        where=("outbox",),
        is_plain=True,
    ),
)

_HISTORY = (
    Action(
        id="history.filter",
        keys=("slash",),
        label="Find",
        help="Filter as you type: words, from: to: subject: account: state: before: after:.",
        where=("history",),
        is_shown=True,
        is_plain=True,
    ),
    Action(
        id="history.edit",
        keys=("e",),
        label="Edit as new",
        help="Write a new message from it.",
        where=("history",),
        is_shown=True,
        is_plain=True,
    ),
    Action(
        id="history.resend",
        keys=("s",),
        label="Resend refused",
        help="Send it again to those who were refused.",
        where=("history",),
        is_shown=True,
        is_plain=True,
    ),
    Action(
        id="history.export",
        keys=("w",),
        label="Write .eml",
        help="Write the message to a file.",
        where=("history",),
        is_shown=True,
        is_plain=True,
    ),
    Action(
        id="history.undo",
        keys=("u",),
        label="Undo",
        help="Take back the message just sent.",
        where=("history",),
        is_plain=True,
    ),
    Action(
        id="history.clear-filter",
        keys=("escape",),
        label="Clear",
        help="Clear the filter.",
        where=("history",),
    ),
)

_LISTS = (
    Action(
        id="list.copy-id",
        keys=("y",),
        label="Copy ID",
        help="Copy the Message-ID to the clipboard.",
        where=_BOTH_LISTS,
        is_shown=True,
        is_plain=True,
    ),
    Action(
        id="list.help",
        keys=("question_mark",),
        label="Help",
        help="Tell what the keys do here.",
        where=_BOTH_LISTS,
        is_plain=True,
    ),
    Action(
        id="list.go-compose",
        keys=("1",),
        label="Compose",
        help="Go to the message being written.",
        where=_BOTH_LISTS,
        is_plain=True,
    ),
    Action(
        id="list.go-outbox",
        keys=("2",),
        label="Outbox",
        help="See what waits, and why.",
        where=_BOTH_LISTS,
        is_plain=True,
    ),
    Action(
        id="list.go-history",
        keys=("3",),
        label="History",
        help="Find what has been sent.",
        where=_BOTH_LISTS,
        is_plain=True,
    ),
)

_LIST_HABITS = tuple(
    Action(id=f"list.{verb}", keys=(), label=label, help=sentence, where=_BOTH_LISTS, is_plain=True)
    for verb, label, sentence in (
        ("new", "New", "Start another message."),
        ("drafts", "Drafts", "Open a draft."),
        ("quit", "Quit", "Save the draft, send what is due, and leave."),
    )
)
"""Single letters that mutt and pine have for what the app does by function and control keys."""

_BACK = Action(
    id="dialog.back",
    keys=("escape",),
    label="Back",
    help="Go back; nothing is changed.",
    where=("review", "schedule", "choice", "detail", "resolve", "help", "account-form", "secret", "drafts", "accounts"),
    is_shown=True,
)

_DIALOGS = (
    Action(id="review.send", keys=("enter",), label="Send", help="Send it.", where=("review",), is_shown=True),
    Action(
        id="review.add-account",
        keys=("f9",),
        label="Add an account",
        help="Add an account that delivers; the message stays as it is.",
        where=("review",),
    ),
    Action(
        id="drafts.delete",
        keys=("x", "delete"),
        label="Delete",
        help="Delete the draft; asks by a second press.",
        where=("drafts",),
        is_shown=True,
        is_plain=True,
    ),
    Action(
        id="drafts.duplicate",
        keys=("d",),
        label="Copy",
        help="Start a copy of the draft.",
        where=("drafts",),
        is_shown=True,
        is_plain=True,
    ),
    Action(
        id="drafts.filter",
        keys=("slash",),
        label="Find",
        help="Filter as you type.",
        where=("drafts",),
        is_shown=True,
        is_plain=True,
    ),
    Action(
        id="accounts.add",
        keys=("n",),
        label="Add",
        help="Add an SMTP account.",
        where=("accounts",),
        is_shown=True,
        is_plain=True,
    ),
    Action(
        id="accounts.release",
        keys=("r",),
        label="Release",
        help="Try the account's mail again.",
        where=("accounts",),
        is_shown=True,
        is_plain=True,
    ),
    Action(
        id="account-form.test",
        keys=("ctrl+t",),
        label="Try",
        help="Prove connection and password; nothing is sent.",
        where=("account-form",),
        is_shown=True,
    ),
    Action(
        id="account-form.save",
        keys=("ctrl+s",),
        label="Save",
        help="Save the account, and its password in the keyring.",
        where=("account-form",),
        is_shown=True,
    ),
    Action(
        id="quit.leave",
        keys=("ctrl+q",),
        label="Leave now",
        help="Leave it in the outbox.",
        where=("quit",),
        is_shown=True,
    ),
    Action(id="quit.stay", keys=("escape",), label="Stay", help="Don't quit.", where=("quit",), is_shown=True),
    _BACK,
)

ACTIONS: tuple[Action, ...] = (
    *_COMPOSE,
    *_OUTBOX,
    *_HISTORY,
    *_LISTS,
    *_LIST_HABITS,
    *_LIST_MOVES,
    *_TEXT,
    *_DIALOGS,
    *_APP,
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
