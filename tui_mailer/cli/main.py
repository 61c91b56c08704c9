"""The entry point: finds the command, imports its module alone, runs it, and turns whatever happens into an exit code.

tui-mailer [global options] COMMAND [options]
  -> `Command.module` builds its parser and names the handler of each (sub)command
  -> handler(context, arguments) -> exit code
"""

from __future__ import annotations

import importlib
import io
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Self, TextIO

from tui_mailer.cli.command import COMMANDS
from tui_mailer.cli.global_option import VALUED

if TYPE_CHECKING:
    import argparse

    from tui_mailer.cli.output import Output


_PLACES = {"--config": "config", "--data-dir": "data_dir"}


class Terminated(KeyboardInterrupt):
    """A signal came where Ctrl+C would be a KeyboardInterrupt.

    A class of its own: after a KeyboardInterrupt itself inside an ``exec`` (every dataclass has one) CPython ends the
    process as if by SIGINT, whatever exit code is asked for.
    """


class StopSignals:
    """Lets SIGTERM, and SIGHUP of a closed terminal, end a command in the same good order as Ctrl+C does.

    An answer that is on its way is still waited for. It remembers which of them it was. A SIGHUP that is ignored
    (``nohup``) stays so.
    """

    def __init__(self) -> None:
        self.number: int = signal.SIGINT
        """What ended the command."""
        self._before: dict[int, Any] = {}
        # Only the main thread may set signals.
        self._is_ours = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> Self:
        if self._is_ours:
            for number in (signal.SIGTERM, signal.SIGHUP):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._terminate)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _terminate(self, number: int, _frame: FrameType | None) -> None:
        self.number = number
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            raise Terminated
        # Whoever handles Ctrl+C just now (an event loop cancels its task) handles this.
        signal.raise_signal(signal.SIGINT)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the program; returns the exit code and never raises."""
    os.umask(0o077)
    words = _own_words() if argv is None else list(argv)
    position = _command_position(words)
    name = words[position] if position < len(words) else ""
    if not name and _asks_for(words, "--version"):
        return _print_version()
    if name == "help":
        words = [*words[position + 1 :], "--help"]
        name = words[0] if words[0] in COMMANDS else ""
        position = 0
    if not name and _asks_for(words, "--help", "-h"):
        from tui_mailer.cli.overview import overview

        sys.stdout.write(overview(COMMANDS))
        return 0
    if name:
        words.pop(position)
    return _run(name or "compose", words)


def _run(name: str, words: list[str]) -> int:
    from tui_mailer.cli import exit_code
    from tui_mailer.cli.output import Output, fall_silent

    make_streams_safe()
    output = Output(as_json="--json" in words)
    signals = StopSignals()
    try:
        with signals:
            return _dispatch(name, words, output)
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else exit_code.DONE
    except KeyboardInterrupt:
        return _say_stopped(signals, output)
    except BrokenPipeError:
        fall_silent(sys.stdout)
        return exit_code.PIPE_CLOSED
    except Exception as error:  # noqa: BLE001 - the outermost boundary: a person gets a sentence, never a traceback
        return _say_stopped(signals, output) if _was_stopped(error) else _explain(error, output)


def _say_stopped(signals: StopSignals, output: Output) -> int:
    from tui_mailer.cli import exit_code

    code = exit_code.SIGNALED + signals.number
    output.error("Stopped by a signal.", code=code)
    return code


def _was_stopped(error: BaseException) -> bool:
    """Whether a signal is what an error comes from: Python wraps what is raised while a class is being made."""
    cause = error.__cause__
    return cause is not None and (isinstance(cause, KeyboardInterrupt) or _was_stopped(cause))


def _dispatch(name: str, words: list[str], output: Output) -> int:
    from tui_mailer.cli.context import Context
    from tui_mailer.cli.exit_code import UsageError

    if os.name == "nt":
        raise UsageError("tui-mailer needs a Unix system; on Windows run it in WSL.")
    if name not in COMMANDS:
        raise UsageError(f"There is no command '{name}'.{_nearest(name)}", usage="tui-mailer --help")
    if name == "compose" and (places := _places_alone(words)) is not None:
        from tui_mailer.cli.app_start import open_app

        return open_app(Context(output=output, config=places.get("config"), data_dir=places.get("data_dir")))
    module = importlib.import_module(f"tui_mailer.cli.{COMMANDS[name].module}")
    arguments: argparse.Namespace = module.build_parser(f"tui-mailer {name}").parse_args(words)
    output.as_json = getattr(arguments, "json", False)
    context = Context(
        output=output,
        config=getattr(arguments, "config", None),
        data_dir=getattr(arguments, "data_dir", None),
        account=getattr(arguments, "account", ""),
        only_looks=getattr(arguments, "only_looks", False),
    )
    try:
        return arguments.handler(context, arguments)
    finally:
        context.close()
        _flush(sys.stdout)


def _explain(error: Exception, output: Output) -> int:
    """Says what an error means; what nobody foresaw is a bug: one sentence, the details in the log."""
    from tui_mailer.cli import exit_code
    from tui_mailer.domain.errors import MailerError

    code = exit_code.code_of_error(error)
    if code == exit_code.BUG and not isinstance(error, MailerError):
        from tui_mailer.accounts.load import find_paths
        from tui_mailer.services.crash_log import crash_sentence, write_crash_log

        output.error(crash_sentence(write_crash_log(find_paths().state_dir, error)), code=code)
        return code
    text = str(error)
    if isinstance(error, OSError) and not isinstance(error, MailerError):
        name = f" '{error.filename}'" if error.filename else ""
        text = f"Can't read or write{name}: {error.strerror or error}."
    output.error(
        text,
        code=code,
        field=getattr(error, "field", None),
        state=getattr(error, "state", None),
        usage=getattr(error, "usage", ""),
    )
    return code


def _own_words() -> list[str]:
    """Reads the command line; a link named ``sendmail`` is the sendmail command."""
    words = sys.argv[1:]
    return ["sendmail", *words] if Path(sys.argv[0]).name == "sendmail" else words


def _command_position(words: Sequence[str]) -> int:
    position = 0
    while position < len(words) and words[position].startswith("-"):
        position += 2 if words[position] in VALUED else 1
    return position


def _places_alone(words: Sequence[str]) -> dict[str, str] | None:
    """Reads a command line that says at most where things are; None where it says more, or has to be looked at closer.

    Not argparse: it, and forty options nobody has given, would be a fiftieth of the app's start.
    """
    places: dict[str, str] = {}
    options = iter(words)
    for option in options:
        value = next(options, "-")
        if option not in _PLACES or value.startswith("-"):
            return None
        places[_PLACES[option]] = value
    return places


def _asks_for(words: Sequence[str], *options: str) -> bool:
    return any(word in options for word in words)


def _print_version() -> int:
    from tui_mailer import __version__

    sys.stdout.write(f"tui-mailer {__version__}\n")
    return 0


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS, n=1)
    if near:
        return f" Did you mean '{near[0]}'?"
    return " To write to an address: tui-mailer compose ADDRESS." if "@" in name else ""


def make_streams_safe() -> None:
    """Keeps a closed stdout, or a character its encoding lacks, from ending a command half-way."""
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - lives as long as we do
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - the same
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _flush(stream: TextIO) -> None:
    from tui_mailer.cli.output import fall_silent

    try:
        stream.flush()
    except OSError:
        fall_silent(stream)
        raise
