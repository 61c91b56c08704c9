"""The page of all keys, made from the table: ``python -m tui_mailer.tui.key_page > docs/keys.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tui_mailer.tui.action import Action, Keymap, display_key
from tui_mailer.tui.action_table import ACTIONS, PLACE_TITLES
from tui_mailer.tui.preset import PRESETS

_INTRODUCTION = """\
# Keys

Made from the program's own table by `python -m tui_mailer.tui.key_page`; a test fails when this page is stale.
`ui.keymap` in the configuration chooses a column, `ui.keys` moves single actions by their id, on top of it:

    ui:
      keymap: emacs
      keys: {compose.send: "f12, ctrl+s", outbox.cancel: X}

Keys are written `f5`, `ctrl+x`, `alt+x`, `escape`, `space`, `pagedown`, `x`, `X`. An id that isn't here, a key that no
terminal reports and a key that two actions want in one place are refused by name at the start, with exit code 78; so is
a plain letter where text is written. An empty cell: as in the first column. A dash: no key, but the palette has it.
"""


def key_page() -> str:
    """The page as Markdown."""
    return "\n".join([_INTRODUCTION, *_sections()])


def _sections() -> Iterator[str]:
    keymaps = {name: Keymap(ACTIONS, {}, preset=name) for name in PRESETS}
    for place, title in PLACE_TITLES.items():
        actions = keymaps["default"].actions_of(place)
        if actions:
            yield f"## {title}\n"
            yield "| key | does | id | mutt | pine | emacs |\n|---|---|---|---|---|---|"
            yield from (_row(action, keymaps) for action in actions)
            yield ""


def _row(action: Action, keymaps: dict[str, Keymap]) -> str:
    shown = [_keys(keymap, action) for keymap in keymaps.values()]
    own = [keys if keys != shown[0] else "" for keys in shown[1:]]
    return "| " + " | ".join([shown[0], action.help, f"`{action.id}`", *own]) + " |"


def _keys(keymap: Keymap, action: Action) -> str:
    return ", ".join(f"`{display_key(key)}`" for key in keymap.keys(action.id)) or "-"


if __name__ == "__main__":
    sys.stdout.write(key_page())
