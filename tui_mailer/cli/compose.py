"""``compose`` and no command at all: opens the app on Compose, filled in from a mailto link and the options."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tui_mailer.cli import parsing
from tui_mailer.cli.app_start import open_app
from tui_mailer.cli.exit_code import UsageError
from tui_mailer.cli.message_options import Input, add_message_options, read_draft
from tui_mailer.domain.draft import Draft

if TYPE_CHECKING:
    from tui_mailer.accounts.configuration import Configuration
    from tui_mailer.cli.context import Context

_EPILOG = """\
examples:
  tui-mailer compose
  tui-mailer compose ada@example.org --subject Hello
  tui-mailer compose 'mailto:ada@example.org?subject=Hello&cc=bob@example.org'

Of a mailto link only to, cc, bcc, subject, body and in-reply-to are taken; files named in it are never attached."""


def build_parser(prog: str) -> parsing.Parser:
    """Describes the command line of ``compose``."""
    parser = parsing.Parser(
        prog=prog,
        usage=f"{prog} [MAILTO-URL | ADDRESS] [options]",
        description="Opens the app on Compose, filled in.",
        epilog=_EPILOG,
    )
    parser.add_argument("target", metavar="MAILTO-URL", nargs="?", default="", help="a mailto link, or an address")
    add_message_options(parser)
    parser.set_defaults(handler=compose)
    return parser


def compose(context: Context, arguments: argparse.Namespace) -> int:
    """Runs the app until it is left."""
    for name in ("each", "undo"):
        if getattr(arguments, name):
            raise UsageError(f"--{name} belongs to 'tui-mailer send'; in the app choose it when sending.")
    base = _base(context, arguments.target)
    return open_app(context, lambda configuration: _read(context, arguments, base, configuration))


def _read(context: Context, arguments: argparse.Namespace, base: Draft, configuration: Configuration) -> Draft | None:
    """The draft that target and options make; None where they say nothing."""
    source = Input(account=context.account, default_format=configuration.compose.format, may_read_stdin=False)
    draft = read_draft(arguments, source, base=base)
    is_filled_in = not draft.is_empty() or draft != read_nothing(source)
    return draft if is_filled_in else None


def read_nothing(source: Input) -> Draft:
    """The draft that no options at all make."""
    return Draft(account="", body_format=source.default_format)


def _base(context: Context, target: str) -> Draft:
    if not target.lower().startswith("mailto:"):
        return Draft(to=target)
    from tui_mailer.cli.mailto import read_mailto

    link = read_mailto(target)
    if link.ignored:
        context.output.say(f"Ignored in the mailto link: {', '.join(link.ignored)}. A link can't attach files.")
    return link.draft
