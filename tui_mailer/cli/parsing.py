"""Argument parsers that end with sysexits codes and take the global options before and after the command."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from tui_mailer import __version__
from tui_mailer.cli.exit_code import UsageError

if TYPE_CHECKING:
    from tui_mailer.cli.context import Context

Handler = Callable[["Context", argparse.Namespace], int]

_MOST_DIGITS = 9
"""Of a count: some thirty years in seconds, and within what every store can hold."""


class Parser(argparse.ArgumentParser):
    """A parser of one command or subcommand: no abbreviations, errors as `UsageError`, global options at the end."""

    def __init__(self, **keywords: Any) -> None:
        keywords.setdefault("allow_abbrev", False)
        keywords.setdefault("formatter_class", _help_formatter)
        keywords.setdefault("usage", "%(prog)s [options]")
        super().__init__(**keywords)
        self._has_global_options = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]  # its overloads differ in nothing but types
        """Parses; the global options are added here, so that the help shows them last."""
        if not self._has_global_options:
            self._has_global_options = True
            _add_global_options(self)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Raises `UsageError` with the line that shows how the command is meant."""
        usage = " ".join(self.format_usage().split()).removeprefix("usage: ")
        raise UsageError(f"{message[:1].upper()}{message[1:].rstrip('.')}.", usage=f"{usage}; more: {self.prog} --help")


def _help_formatter(prog: str) -> argparse.HelpFormatter:
    width = min(shutil.get_terminal_size().columns, 110)
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=30, width=width)


def _add_global_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("global options (before or after the command)")
    absent = argparse.SUPPRESS
    group.add_argument("--config", metavar="PATH", default=absent, help="configuration file")
    group.add_argument("--data-dir", metavar="PATH", default=absent, help="where outbox and drafts are")
    group.add_argument("-a", "--account", metavar="NAME", default=absent, help="account to use")
    group.add_argument("--json", action="store_true", default=absent, help="one JSON document on stdout")
    group.add_argument("--version", action="version", version=f"tui-mailer {__version__}", help="print the version")


def add_group(parser: Parser) -> Any:
    """Gives a parser subcommands; returns what `add_command` adds to."""
    parser.usage = "%(prog)s COMMAND [options]"
    return parser.add_subparsers(
        required=True, dest="subcommand", metavar="COMMAND", parser_class=Parser, prog=parser.prog, title="commands"
    )


def add_command(
    group: Any, name: str, handler: Handler, summary: str, *, arguments: str = "", epilog: str = ""
) -> Parser:
    """Adds a subcommand; ``arguments`` is how its usage line names its positional ones."""
    parser: Parser = group.add_parser(
        name,
        help=summary,
        description=f"{summary[:1].upper()}{summary[1:]}.",
        epilog=epilog,
        usage=" ".join(["%(prog)s", *filter(None, [arguments]), "[options]"]),
    )
    parser.set_defaults(handler=handler)
    return parser


def only_looks(parser: Parser) -> Parser:
    """Marks a subcommand that writes nothing: it works on a read-only disk, too."""
    parser.set_defaults(only_looks=True)
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
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS and int(text) >= least):
        raise argparse.ArgumentTypeError(
            f"'{text}' is no whole number of {least} or more, with at most {_MOST_DIGITS} digits"
        )
    return int(text)


def key(text: str) -> str:
    """Reads what makes a call idempotent; an empty one (a variable that isn't set) would make all messages one."""
    if not text.strip():
        raise argparse.ArgumentTypeError("a key can't be empty: every message would be taken for the first one")
    return text


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
