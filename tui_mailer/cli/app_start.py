"""Opens the app in this terminal. Knows nothing of options about the message: an empty form needn't wait for them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui_mailer.cli.exit_code import UsageError

if TYPE_CHECKING:
    from tui_mailer.accounts.configuration import Configuration
    from tui_mailer.cli.context import Context
    from tui_mailer.domain.draft import Draft


def open_app(context: Context, read: Callable[[Configuration], Draft | None] | None = None) -> int:
    """Runs the app until it is left; ``read`` makes the draft that fills the form in.

    Raises `UsageError` without a terminal, `ConfigurationError`, and what ``read`` raises.
    """
    if not (sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("The app needs a terminal for its keys and its screen. In scripts use 'tui-mailer send'.")
    if context.output.as_json:
        raise UsageError("The app has no --json. In scripts use 'tui-mailer send --json'.")
    from tui_mailer.tui.start import uncollected

    with uncollected():
        from tui_mailer.accounts.load import find_paths, load

        # Not the session: the app's first frame needs neither the outbox nor the mail machinery.
        paths = find_paths(context.config, context.data_dir)
        configuration = load(paths)
        draft = read(configuration) if read is not None else None
        from tui_mailer.tui.app import run_app

        return run_app(configuration=configuration, paths=paths, draft=draft)
