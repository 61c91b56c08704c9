"""Argument parsers that end with sysexits codes and take the global options before and after the command."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from tui_mailer import __version__
from tui_mailer.cli.exit_code import UsageError

if TYPE_CHECKING:
    from tui_mailer.cli.context import Context

Handler = Callable[["Context", argparse.Namespace], int]

VALUED_GLOBALS = ("--config", "--data-dir", "--account", "-a")
"""Global options followed by a value: needed to find the command behind them."""


class Parser(argparse.ArgumentParser):
    """A parser of one command or subcommand: no abbreviations, errors as `UsageError`."""

    def __init__(self, **keywords: Any) -> None:
        keywords.setdefault("allow_abbrev", False)
        keywords.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(**keywords)
        _add_global_options(self)

    def error(self, message: str) -> NoReturn:
        """Raises `UsageError` with one line that shows how the command is meant."""
        usage = " ".join(self.format_usage().split()).removeprefix("usage: ")
        raise UsageError(
            f"{message[:1].upper()}{message[1:]}.", usage=f"{self.prog} --help" if len(usage) > 100 else usage
        )


def _add_global_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("global options (before or after the command)")
    absent = argparse.SUPPRESS
    group.add_argument("--config", metavar="PATH", default=absent, help="configuration file")
    group.add_argument("--data-dir", metavar="PATH", default=absent, help="where outbox and drafts are")
    group.add_argument("-a", "--account", metavar="NAME", default=absent, help="account to use")
    group.add_argument("--json", action="store_true", default=absent, help="one JSON document on stdout")
    group.add_argument("--version", action="version", version=f"tui-mailer {__version__}")


def add_group(parser: Parser) -> Any:
    """Gives a parser subcommands; returns what `add_command` adds to."""
    return parser.add_subparsers(required=True, dest="subcommand", metavar="COMMAND", parser_class=Parser)


def add_command(group: Any, name: str, handler: Handler, summary: str, *, epilog: str = "") -> Parser:
    """Adds a subcommand whose arguments `handler` gets."""
    parser: Parser = group.add_parser(
        name, help=summary, description=f"{summary[:1].upper()}{summary[1:]}.", epilog=epilog
    )
    parser.set_defaults(handler=handler)
    return parser


def add_id(parser: Parser, what: str = "its ID, or the last four or more characters of it") -> None:
    """Adds the ID argument."""
    parser.add_argument("id", metavar="ID", help=what)


def add_page(parser: Parser) -> None:
    """Adds the options every list has."""
    parser.add_argument("--limit", metavar="N", type=positive, default=50, help="at most so many (default 50)")
    parser.add_argument("--before", metavar="ID", help="only older ones than this: the next page")


def positive(text: str) -> int:
    """Reads a whole number of at least one."""
    return _whole(text, least=1)


def count(text: str) -> int:
    """Reads a whole number of at least zero."""
    return _whole(text, least=0)


def _whole(text: str, *, least: int) -> int:
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number of {least} or more")
    return int(text)


def pair(text: str) -> tuple[str, str]:
    """Reads ``KEY=VALUE``."""
    key, equals, value = text.partition("=")
    if not (equals and key):
        raise argparse.ArgumentTypeError(f"'{text}' isn't KEY=VALUE")
    return key, value


def tag(text: str) -> tuple[str, str | None]:
    """Reads ``NAME`` or ``NAME=VALUE``."""
    name, equals, value = text.partition("=")
    if not name:
        raise argparse.ArgumentTypeError(f"'{text}' isn't NAME or NAME=VALUE")
    return name, value if equals else None


def header(text: str) -> tuple[str, str]:
    """Reads ``Name: value``."""
    name, colon, value = text.partition(":")
    if not (colon and name.strip()):
        raise argparse.ArgumentTypeError(f"'{text}' isn't 'Name: value'")
    return name.strip(), value.strip()


class Once(argparse.Action):
    """Stores a value and refuses a second one."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        if getattr(namespace, self.dest) is not None:
            parser.error(f"{option_string} may be given once")
        setattr(namespace, self.dest, values)
