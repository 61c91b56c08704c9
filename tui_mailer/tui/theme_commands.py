"""The palette's way to another theme: at once, until the app ends."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.app import SystemCommand

from tui_mailer.tui.desk import Desk
from tui_mailer.tui.terminal.quiet_app import QuietApp
from tui_mailer.tui.theme import TERMINALS_OWN, THEMES, theme_name


def theme_commands(app: QuietApp, desk: Desk) -> Iterator[SystemCommand]:
    """One for each theme; the configuration isn't written, so each says how it is kept."""
    for name in THEMES:
        if name != "default":
            yield SystemCommand(
                f"Theme: {name}", f"Use it until the end; {_setting(name)} keeps it.", partial(use, app, desk, name)
            )


def use(app: QuietApp, desk: Desk, name: str) -> None:
    """Paints everything in another theme, named as in ``ui.theme``."""
    theme = theme_name(name)
    app.ansi_color = True if theme in TERMINALS_OWN else None
    app.theme = theme
    app.redraw()
    desk.status.say(f"theme {name} until the end; {_setting(name)} in {desk.paths.config_file} keeps it", seconds=60)


def _setting(name: str) -> str:
    return f"ui: {{theme: {name}}}"
