"""What keys do in the lists: a part of the one table (`action_table`)."""

from __future__ import annotations

from tui_mailer.tui.action import Action

_BOTH_LISTS = ("outbox", "history")

_LIST_MOVES = tuple(
    Action(
        id=f"list.{verb}",
        keys=keys,
        label=label,
        help=sentence,
        where=("list",),
        is_shown=verb == "open",
        is_plain=True,
    )
    for verb, keys, label, sentence in (
        ("down", ("down", "j"), "Down", "One row down."),
        ("up", ("up", "k"), "Up", "One row up."),
        ("page-down", ("pagedown",), "Page down", "One page down."),
        ("page-up", ("pageup",), "Page up", "One page up."),
        ("first", ("home",), "First", "To the first row."),
        ("last", ("end",), "Last", "To the last row."),
        ("open", ("enter",), "Open", "Open this row."),
        ("mark", ("space",), "Mark", "Mark or unmark this row."),
    )
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
        id="outbox.mark-all",
        keys=("a",),
        label="Mark all",
        help="Mark every row, or none.",
        where=("outbox",),
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
        label="Edit",
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
        label=".eml",
        help="Write the message to a file.",
        where=("history",),
        is_shown=True,
        is_plain=True,
    ),
    Action(
        id="history.delete",
        keys=("x", "delete"),
        label="Delete",
        help="Delete it for good, its text and files with it; asks first.",
        where=("history",),
        is_shown=True,
        is_plain=True,
    ),
    Action(
        id="history.purge",
        keys=("X",),
        label="Purge",
        help="Delete for good all that ended before a date; asks first.",
        where=("history",),
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
        id="list.copy-provider-id",
        keys=("Y",),
        label="Copy provider's ID",
        help="Copy the ID by which the provider or the server knows it.",
        where=_BOTH_LISTS,
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

LIST_ACTIONS: tuple[Action, ...] = (*_OUTBOX, *_HISTORY, *_LISTS, *_LIST_HABITS, *_LIST_MOVES)
"""Of outbox, history, and lists anywhere."""
