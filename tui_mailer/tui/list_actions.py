"""What keys do in the lists and in the dialogs: a part of the one table (`action_table`)."""

from __future__ import annotations

from tui_mailer.tui.action import Action

_BOTH_LISTS = ("outbox", "history")

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

_BROWSE = (
    Action(
        id="browse.mark",
        keys=("space",),
        label="Mark",
        help="Mark or unmark the file; marks stay when you go to another folder.",
        where=("browse",),
        is_shown=True,
    ),
    Action(
        id="browse.open",
        keys=("enter", "right"),
        label="Open",
        help="Open the folder, or attach the file with what is marked.",
        where=("browse",),
        is_shown=True,
    ),
    Action(
        id="browse.attach",
        keys=("ctrl+t", "ctrl+s"),
        label="Attach",
        help="Attach what is marked, else the file under the cursor.",
        where=("browse",),
        is_shown=True,
    ),
    Action(
        id="browse.parent",
        keys=("left",),
        label="Up",
        help="Go to the folder above; so does Backspace while nothing is typed.",
        where=("browse",),
        is_shown=True,
    ),
    Action(
        id="browse.hidden",
        keys=("f6",),
        label="Hidden",
        help="Show or hide files whose name begins with a dot.",
        where=("browse",),
        is_shown=True,
    ),
    Action(id="browse.down", keys=("down",), label="Down", help="One row down.", where=("browse",)),
    Action(id="browse.up", keys=("up",), label="Up", help="One row up.", where=("browse",)),
    Action(id="browse.page-down", keys=("pagedown",), label="Page down", help="One page down.", where=("browse",)),
    Action(id="browse.page-up", keys=("pageup",), label="Page up", help="One page up.", where=("browse",)),
)

_BACK = Action(
    id="dialog.back",
    keys=("escape",),
    label="Back",
    help="Go back; nothing is changed.",
    where=(
        "review",
        "schedule",
        "choice",
        "detail",
        "resolve",
        "confirm",
        "export",
        "purge",
        "help",
        "account-form",
        "secret",
        "drafts",
        "accounts",
        "browse",
    ),
    is_shown=True,
)

_DIALOGS = (
    Action(id="confirm.yes", keys=("enter",), label="Yes", help="Do it.", where=("confirm",), is_shown=True),
    Action(id="review.send", keys=("enter",), label="Send", help="Send it.", where=("review",), is_shown=True),
    Action(
        id="review.add-account",
        keys=("f9",),
        label="Add an account",
        help="Add an account that delivers; the message stays as it is.",
        where=("review",),
    ),
    *_BROWSE,
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

LIST_ACTIONS: tuple[Action, ...] = (*_OUTBOX, *_HISTORY, *_LISTS, *_LIST_HABITS, *_LIST_MOVES)
"""Of outbox, history, and lists anywhere."""
DIALOG_ACTIONS: tuple[Action, ...] = _DIALOGS
"""Of everything that covers the rest."""
