"""``doctor``: everything that could be wrong, a line each, with the remedy."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui_mailer.cli import exit_code, parsing

if TYPE_CHECKING:
    from tui_mailer.cli.context import Context
    from tui_mailer.services.doctor import Diagnosis

_CODES = {
    "configuration": exit_code.BAD_CONFIGURATION,
    "account": exit_code.BAD_CONFIGURATION,
    "time": exit_code.BAD_CONFIGURATION,
    "data": exit_code.NO_STORAGE,
    "database": exit_code.NO_STORAGE,
    "credential": exit_code.ACCOUNT_HELD,
}
"""The first area here with an error decides."""

_MARKS = {"ok": "ok  ", "warning": "warn", "error": "FAIL"}

_EPILOG = """\
exit codes: 0 nothing is wrong (warnings aside); 78 configuration or account; 73 data dir or database; 77 a secret
can't be had"""


def build_parser(prog: str) -> parsing.Parser:
    """Describes the command line of ``doctor``."""
    parser = parsing.Parser(
        prog=prog, description="Looks at everything that could be wrong. Changes and sends nothing.", epilog=_EPILOG
    )
    parser.set_defaults(handler=doctor)
    return parser


def doctor(context: Context, _arguments: argparse.Namespace) -> int:
    """Prints each diagnosis as soon as it is known."""
    from itertools import chain

    from tui_mailer.services.doctor import Level, Surroundings, examine
    from tui_mailer.services.json_view import doctor_view

    is_terminal = sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()
    screen = shutil.get_terminal_size()
    surroundings = Surroundings(
        config=context.config,
        data_dir=context.data_dir,
        is_terminal=is_terminal,
        encoding=sys.stdout.encoding,
        screen=(screen.columns, screen.lines) if is_terminal else None,
    )
    found: list[Diagnosis] = []
    for diagnosis in chain(examine(surroundings), _of_the_app(context)):
        found.append(diagnosis)
        context.output.text(f"{_MARKS[diagnosis.level]}  {diagnosis.area.value}: {diagnosis.text}")
        if diagnosis.remedy:
            context.output.text(f"      -> {diagnosis.remedy}")
    context.output.document(doctor_view(found))
    failed = {diagnosis.area for diagnosis in found if diagnosis.level is Level.ERROR}
    return next((code for area, code in _CODES.items() if area in failed), exit_code.DONE)


def _of_the_app(context: Context) -> Iterator[Diagnosis]:
    """Tries the keys, the keymap and the theme: only the app knows which there are, and it starts with no others."""
    from tui_mailer.accounts.load import find_paths, load
    from tui_mailer.domain.errors import ConfigurationError
    from tui_mailer.services.doctor import Area, Diagnosis, Level
    from tui_mailer.tui.action import Keymap
    from tui_mailer.tui.action_table import ACTIONS
    from tui_mailer.tui.theme import theme_name

    try:
        ui = load(find_paths(context.config, context.data_dir)).ui
    except ConfigurationError:
        return  # told already
    for look in (lambda: Keymap(ACTIONS, ui.keys, preset=ui.keymap), lambda: theme_name(ui.theme)):
        try:
            look()
        except ConfigurationError as error:
            remedy = "Correct it; until then the app doesn't start, the commands do."
            yield Diagnosis(area=Area.CONFIGURATION, level=Level.ERROR, text=f"{error}.", remedy=remedy)
