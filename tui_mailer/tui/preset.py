"""Keymaps for hands that know another program: what differs from the table, by action."""

from __future__ import annotations

from collections.abc import Mapping

_READLINE: Mapping[str, str] = {"text.left": "left,ctrl+b", "text.right": "right,ctrl+f"}
"""What Alpine, Emacs and mutt's line editor have in common."""

_MUTT: Mapping[str, str] = {
    **_READLINE,
    "text.word-left": "ctrl+left,alt+b",
    "text.word-right": "ctrl+right,alt+f",
    "compose.send": "alt+y,ctrl+s,ctrl+enter",
    "compose.close": "alt+p,ctrl+o",
    "compose.attach": "alt+a,ctrl+t",
    "compose.later": "alt+l,ctrl+l",
    "compose.editor": "alt+e,ctrl+r",
    "compose.more-fields": "f6,alt+c",
    "review.send": "enter,alt+y",
    "list.new": "m",
    "list.drafts": "R",
    "list.quit": "q",
    "list.first": "home,equals_sign",
    "list.last": "end,asterisk",
    "list.page-down": "pagedown,z",
    "list.page-up": "pageup,Z",
    "list.mark": "space,t",
    "outbox.reschedule": "T",
    "outbox.cancel": "d",
    "history.filter": "slash,l",
    "drafts.delete": "d,delete",
    "drafts.duplicate": "c",
    "drafts.filter": "slash,l",
    "dialog.back": "escape,ctrl+g",
    "app.help": "f1",
}

_PINE: Mapping[str, str] = {
    **_READLINE,
    "text.up": "up,ctrl+p",
    "text.down": "down,ctrl+n",
    "text.page-up": "pageup,ctrl+y",
    "text.page-down": "pagedown,ctrl+v",
    "text.delete-to-start": "alt+u",
    "text.paste": "ctrl+u",
    "text.redo": "alt+z",
    "compose.send": "ctrl+x,ctrl+s",
    "compose.attach": "ctrl+t,ctrl+j",
    "compose.editor": "ctrl+underscore,ctrl+r",
    "compose.close": "ctrl+o",
    "app.new": "alt+n",
    "app.command-palette": "alt+x",
    "review.send": "enter,ctrl+x",
    "dialog.back": "escape,ctrl+c",
    "browse.down": "down,ctrl+n",
    "browse.up": "up,ctrl+p",
    "list.down": "down,n",
    "list.up": "up,p",
    "list.page-down": "pagedown,ctrl+v",
    "list.page-up": "pageup,minus",
    "list.open": "enter,greater_than_sign,v",
    "list.mark": "space,colon",
    "list.new": "c",
    "list.drafts": "l",
    "list.quit": "q",
    "outbox.cancel": "d",
    "drafts.delete": "x,delete",
    "accounts.add": "a",
}

_EMACS: Mapping[str, str] = {
    **_READLINE,
    "text.up": "up,ctrl+p",
    "text.down": "down,ctrl+n",
    "text.page-up": "pageup,alt+v",
    "text.page-down": "pagedown,ctrl+v",
    "text.word-left": "ctrl+left,alt+b",
    "text.word-right": "ctrl+right,alt+f",
    "text.delete-word": "alt+d",
    "text.paste": "ctrl+y",
    "text.redo": "alt+underscore",
    "text.undo": "ctrl+z,ctrl+underscore",
    # C-c C-c sends: the first opens the review, the second says yes to it.
    "compose.send": "ctrl+c,ctrl+s,ctrl+enter",
    "review.send": "enter,ctrl+c",
    "app.new": "alt+n",
    "app.command-palette": "alt+x",
    "app.help": "f1",
    "dialog.back": "escape,ctrl+g",
    "browse.down": "down,ctrl+n",
    "browse.up": "up,ctrl+p",
    "list.down": "down,n,ctrl+n",
    "list.up": "up,p,ctrl+p",
    "list.page-down": "pagedown,ctrl+v",
    "list.page-up": "pageup,alt+v",
    "list.first": "home,alt+less_than_sign",
    "list.last": "end,alt+greater_than_sign",
    "history.filter": "slash,ctrl+s",
    "drafts.filter": "slash,ctrl+s",
    "accounts.add": "a",
}

PRESETS: Mapping[str, Mapping[str, str]] = {"default": {}, "mutt": _MUTT, "pine": _PINE, "emacs": _EMACS}
"""Name in ``ui.keymap`` -> keys by action, as ``ui.keys`` has them; ``ui.keys`` comes on top."""
