"""The themes by the names the configuration uses."""

from __future__ import annotations

import os
from collections.abc import Mapping

from textual.theme import Theme

from tui_mailer.domain.errors import ConfigurationError

THEMES = {
    "default": "tui-mailer-dark",
    "dark": "tui-mailer-dark",
    "light": "tui-mailer-light",
    "ansi": "ansi-dark",
    "high-contrast": "tui-mailer-high-contrast",
}
"""Name in ``ui.theme`` -> Textual's name."""

TERMINALS_OWN = frozenset({"ansi-dark"})
"""Textual's names of the themes that leave every colour to the terminal."""

# What is behind words is chosen so that they stand out on terminals of 256 colours, too: tests/tui/test_contrast.py.
OWN_THEMES = (
    Theme(
        name="tui-mailer-dark",
        primary="#6ca0dc",
        secondary="#8fb4c7",
        warning="#e0b050",
        error="#e67c73",
        success="#7cb87c",
        accent="#d8a657",
        foreground="#d8dbe0",
        background="#16181d",
        surface="#1d2026",
        panel="#262a33",
        dark=True,
        variables={
            "text-disabled": "#878a90",
            "primary-muted": "#363d47",
            "block-cursor-blurred-background": "#363d47",
            "input-selection-background": "#2b5080",
        },
    ),
    Theme(
        name="tui-mailer-light",
        primary="#2660a4",
        secondary="#4a7186",
        warning="#8a5a00",
        error="#b3261e",
        success="#2c6e2c",
        accent="#8a5a00",
        foreground="#1c1e22",
        background="#fbfaf7",
        surface="#f2f1ed",
        panel="#e4e3de",
        dark=False,
        variables={
            "text-disabled": "#696a6d",
            "primary-muted": "#c4d0e0",
            "block-cursor-blurred-background": "#c4d0e0",
        },
    ),
    Theme(
        name="tui-mailer-high-contrast",
        primary="#ffff00",
        secondary="#00ffff",
        warning="#ffff00",
        error="#ff8f8f",
        success="#7fff7f",
        accent="#00ffff",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#000000",
        dark=True,
        # Nothing quiet is dimmed: what is said in this theme can be read by everybody.
        # What is chosen is the other way round: no shade behind it leaves both it and its colours 7 : 1.
        variables={
            "text-muted": "#ffffff",
            "text-disabled": "#a8a8a8",
            "panel-lighten-2": "#ffffff",
            "primary-muted": "#000000",
            "block-cursor-text-style": "bold reverse",
            "block-cursor-blurred-background": "#ffffff",
            "block-cursor-blurred-foreground": "#000000",
            "input-selection-background": "#ffffff",
            "input-selection-foreground": "#000000",
        },
    ),
)


_COLORLESS = frozenset(
    {"dumb", "vt52", "vt100", "vt102", "vt125", "vt131", "vt132", "vt220", "vt320", "vt420", "vt510", "vt520", "sun"}
)
"""Terminals for which terminfo knows no colours; it isn't asked itself, which would take 2 ms of the first frame."""
_MONOCHROME = ("-m", "-mono")


def theme_name(wanted: str, environ: Mapping[str, str] = os.environ) -> str:
    """Textual's name of a theme of ours; raises `ConfigurationError` naming those there are.

    Without colours the terminal's own two are used, whatever the theme.
    """
    if wanted not in THEMES:
        raise ConfigurationError(f"ui.theme: there is no theme {wanted!r}; there are: {', '.join(THEMES)}")
    return THEMES["ansi" if is_colorless(environ) else wanted]


def is_colorless(environ: Mapping[str, str]) -> bool:
    """Whether no colours are wanted (NO_COLOR, https://no-color.org) or the terminal says by its name that it has none.

    TERM is believed before COLORTERM, which programs inherit from a terminal they no longer write to.
    """
    term = environ.get("TERM", "")
    return bool(environ.get("NO_COLOR")) or term.partition("-")[0] in _COLORLESS or term.endswith(_MONOCHROME)
