"""What a key can do: the shape of an action, and the keymap made from the table and the person's own keys.

`action_table` is the one list; bindings, key line, help and palette are all made from it here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

from textual.binding import Binding, BindingType
from textual.keys import KEY_TO_UNICODE_NAME, Keys
from textual.widgets import Input, TextArea

from tui_mailer.domain.errors import ConfigurationError
from tui_mailer.tui.preset import PRESETS

ANYWHERE = "app"
"""The place whose keys work everywhere but in dialogs."""

_MODIFIERS = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})
_NAMED_KEYS = frozenset(key.value for key in Keys)
_FRIENDLY_NAMES = frozenset({"slash", "backslash", "at", "minus", "plus", "underscore"})
_UNTYPED = frozenset({"escape", "enter", "tab", "delete", "backspace", "home", "end", "up", "down", "left", "right"})
_DISPLAY = {
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
    "tab": "Tab",
    "question_mark": "?",
    "slash": "/",
    "minus": "-",
    "underscore": "_",
    "delete": "Del",
    "backspace": "Bksp",
    "home": "Home",
    "end": "End",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
}


class Action(NamedTuple):
    """One thing a person can do by a key, in one or more places."""

    id: str
    """``place.verb``: what ``ui.keys`` names; the method is ``action_verb``."""
    keys: tuple[str, ...]
    """Empty: only the palette, a preset or ``ui.keys`` leads to it."""
    label: str
    """One or two words for the key line."""
    help: str
    """One sentence for F1 and the palette."""
    where: tuple[str, ...]
    """Places (`action_table.PLACES`) in which the keys work."""
    is_shown: bool = False
    """Whether the key line names it, room permitting."""
    is_plain: bool = False
    """The keys type a character in a text field, so the field goes first."""

    @property
    def verb(self) -> str:
        """The method's name without ``action_``."""
        return self.id.partition(".")[2].replace("-", "_")


def display_key(key: str) -> str:
    """Names a key as the key line does: ``^S``, ``F5``, ``Esc``, ``r``."""
    *modifiers, base = key.split("+") if key != "+" else [key]
    name = _DISPLAY.get(base) or (types_text(base) and _character_named(base)) or base
    if base[:1] == "f" and base[1:].isdigit():
        name = base.upper()
    if modifiers == ["ctrl"]:
        return f"^{name.upper() if len(name) == 1 else name}"
    return "+".join([*(modifier.capitalize() for modifier in modifiers), name])


def is_key(key: str) -> bool:
    """Says whether a terminal could report a key of this name."""
    if len(key) == 1:
        return key.isprintable()
    if key in _NAMED_KEYS:
        return True
    *modifiers, base = key.split("+")
    if not set(modifiers) <= _MODIFIERS or len(set(modifiers)) != len(modifiers):
        return False
    if len(base) == 1:
        return base.isprintable()
    return base in _NAMED_KEYS or base in _FRIENDLY_NAMES or _is_character_name(base)


def types_text(key: str) -> bool:
    """Says whether a text field would take the key as a character."""
    if "+" in key and key != "+":
        return False
    if len(key) == 1 or key == "space" or key in _FRIENDLY_NAMES:
        return True
    # Unicode also has names for what is no character to type: ESCAPE, DELETE, BACKSPACE.
    return _is_character_name(key) and key not in _UNTYPED


def _is_character_name(name: str) -> bool:
    return _character_named(name) is not None


def _character_named(name: str) -> str | None:
    for candidate in (KEY_TO_UNICODE_NAME.get(name, name), name.replace("_", " "), name.replace("_", "-")):
        try:
            character = unicodedata.lookup(candidate.upper())
        except KeyError:
            continue
        # Unicode names a banana too; what keyboards have lies in the Latin blocks.
        return character if character < "\u0250" else None
    return None


class Keymap:
    """Which keys do what: the table's, with the person's own instead where ``ui.keys`` names them."""

    def __init__(self, actions: Iterable[Action], overrides: Mapping[str, str], *, preset: str = "default") -> None:
        """Raises `ConfigurationError`, naming the key and the action, for what can't work."""
        self.actions = tuple(actions)
        if preset not in PRESETS:
            raise ConfigurationError(f"ui.keymap: there is no keymap {preset!r}; there are: {', '.join(PRESETS)}")
        self._by_id = {action.id: action for action in self.actions}
        self._keys = {action.id: action.keys for action in self.actions}
        self._changes = {**PRESETS[preset], **overrides}
        for action_id, text in self._changes.items():
            self._keys[action_id] = self._checked_keys(action_id, text)
        self._refuse_clashes()

    def keys(self, action_id: str) -> tuple[str, ...]:
        """The keys of an action, the one to show first."""
        return self._keys[action_id]

    def display(self, action_id: str) -> str:
        """The first key of an action, as shown; the palette's where it has none."""
        keys = self._keys[action_id] or self._keys["app.command-palette"]
        return display_key(keys[0])

    def actions_of(self, *places: str) -> list[Action]:
        """The actions that work in any of these places, in the table's order."""
        return [action for action in self.actions if set(action.where) & set(places)]

    @cached_property
    def for_textual(self) -> dict[str, str]:
        """The person's own keys and the preset's, as `App.set_keymap` wants them."""
        return {action_id: ",".join(self._keys[action_id]) for action_id in self._changes}

    def changed_in(self, place: str) -> list[Action]:
        """The actions of a place whose keys aren't the table's."""
        return [action for action in self.actions_of(place) if self._keys[action.id] != action.keys]

    def _checked_keys(self, action_id: str, text: str) -> tuple[str, ...]:
        action = self._by_id.get(action_id)
        if action is None:
            raise ConfigurationError(
                f"ui.keys: there is no action {action_id!r}{_nearest(action_id, self._by_id)}; "
                "docs/keys.md lists them, as does 'python -m tui_mailer.tui.key_page'"
            )
        keys = tuple(key.strip() for key in text.split(",") if key.strip())
        if not keys:
            raise ConfigurationError(f"ui.keys: {action_id} needs at least one key")
        for key in keys:
            if not is_key(key):
                raise ConfigurationError(f"ui.keys: {action_id}: {key!r} is not a key (such as f9, ctrl+x or x)")
            if types_text(key) and not action.is_plain:
                raise ConfigurationError(
                    f"ui.keys: {action_id}: {key!r} types a character where text is written; use ctrl or a function key"
                )
        return keys

    def _refuse_clashes(self) -> None:
        holders: dict[tuple[str, str], str] = {}
        for action in self.actions:
            for place in self._reach(action):
                for key in self._keys[action.id]:
                    other = holders.setdefault((place, key), action.id)
                    if other != action.id:
                        raise ConfigurationError(f"ui.keys: {key!r} is asked for by both {other} and {action.id}")

    def _reach(self, action: Action) -> frozenset[str]:
        """Where a key would meet others: in its places, and in what lies within or around them."""
        places = {place for name in action.where for place in (name, *_ALSO_IN.get(name, ()))}
        if ANYWHERE in places:
            places |= {place for other in self.actions for place in other.where if place not in _DIALOGS}
        return frozenset(places)


def _nearest(given: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(given[:80], list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


_ALSO_IN: Mapping[str, tuple[str, ...]] = {
    "list": ("outbox", "history", "drafts", "accounts", "choice"),
    "compose": ("text",),
}
"""A list's keys work wherever one is; those of compose come before what its text fields do with a key."""

_DIALOGS = frozenset(
    {
        "review",
        "schedule",
        "choice",
        "detail",
        "resolve",
        "confirm",
        "export",
        "purge",
        "help",
        "quit",
        "account-form",
        "secret",
        "drafts",
        "accounts",
        "browse",
        "options",
    }
)
"""Places that cover the rest: keys that work anywhere else sleep there."""


_NO_KEY = "no-key-"
"""Stands for the key of an action that has none, so that a preset or ``ui.keys`` can give it one."""


def bindings(actions: Iterable[Action], place: str) -> list[BindingType]:
    """Makes the Textual bindings of one place.

    They get priority: a focused field can't swallow them, and they act before the next key is read, so that type-ahead
    on a slow line lands where it was meant. Where a field is focused, `types_into` keeps plain keys out of its way.
    """
    return [
        Binding(
            ",".join(action.keys) or f"{_NO_KEY}{action.verb}",
            action.verb,
            action.label,
            id=action.id,
            tooltip=action.help,
            show=action.is_shown,
            priority=place != "list" and not (place == ANYWHERE and action.is_plain),
        )
        for action in actions
        if place in action.where
    ]


def types_into(focused: object, actions: Iterable[Action], place: str, verb: str) -> bool:
    """Says whether a verb of a place must rest because its key types a character into the focused field."""
    if not isinstance(focused, Input | TextArea):
        return False
    return any(action.is_plain and action.verb == verb and place in action.where for action in actions)
