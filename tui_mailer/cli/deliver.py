"""``deliver``: the delivery service; runs an engine until it is told to stop, and prints one line an event."""

from __future__ import annotations

import argparse
import contextlib
import queue
import signal
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from types import FrameType
from typing import TYPE_CHECKING, Any

from tui_mailer.cli import exit_code, parsing
from tui_mailer.services import event as events

if TYPE_CHECKING:
    from tui_mailer.accounts.configuration import Configuration
    from tui_mailer.cli.context import Context
    from tui_mailer.services.engine import Engine

_EPILOG = """\
Prints one line an event; with --json JSON Lines on stdout. SIGTERM, SIGINT and SIGHUP stop it in good order: what is in
flight is finished or given back. A changed configuration is used without a restart.

exit codes: 0 stopped as asked; 73 data dir; 78 configuration"""

_QUIET = (events.PhaseReached, events.BytesProgressed, events.StoreChanged)
"""Events that come many times a message."""
_CONFIGURATION_SECONDS = 5.0


def build_parser(prog: str) -> parsing.Parser:
    """Describes the command line of ``deliver``."""
    parser = parsing.Parser(
        prog=prog, description="Delivers what is due, and what becomes due, until it is stopped.", epilog=_EPILOG
    )
    parser.set_defaults(handler=deliver)
    return parser


def deliver(context: Context, _arguments: argparse.Namespace) -> int:
    """Runs the delivery service."""
    happened: queue.SimpleQueue[events.Event | None] = queue.SimpleQueue()
    session = context.session
    engine = session.engine("deliver", happened.put)
    with stopping(lambda: happened.put(None)):
        engine.start()
        _tell(
            context,
            "started",
            {"data_dir": str(session.paths.data_dir), "accounts": list(session.configuration.accounts)},
        )
        try:
            code = _watch(context, happened, engine)
        finally:
            engine.stop()
        _tell(context, "stopped", {})
    return code


def _watch(context: Context, happened: queue.SimpleQueue[events.Event | None], engine: Engine) -> int:
    configuration = ConfigurationWatch(context)
    while True:
        try:
            event = happened.get(timeout=_CONFIGURATION_SECONDS)
        except queue.Empty:
            configuration.apply_changes(engine)
            continue
        if event is None:
            return exit_code.DONE
        if not isinstance(event, _QUIET):
            _tell(context, _event_name(event), {each.name: _plain(getattr(event, each.name)) for each in fields(event)})
        if isinstance(event, events.EngineFailed):
            return exit_code.NO_STORAGE


class ConfigurationWatch:
    """Notices a changed configuration file; one that can't be used is told and the old one stays in force."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._seen = self._mark()

    def apply_changes(self, engine: Engine) -> None:
        """Hands a changed configuration to the engine."""
        from tui_mailer.domain.errors import ConfigurationError

        mark = self._mark()
        if mark == self._seen:
            return
        self._seen = mark
        try:
            engine.reconfigure(self._load())
        except ConfigurationError as error:
            _tell(self._context, "configuration_refused", {"detail": str(error)})
        else:
            _tell(self._context, "configuration_changed", {})

    def _load(self) -> Configuration:
        from tui_mailer.accounts.load import load

        return load(self._context.session.paths)

    def _mark(self) -> tuple[int, int] | None:
        try:
            status = self._context.session.paths.config_file.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size


@contextlib.contextmanager
def stopping(stop: Callable[[], None]) -> Any:
    """While it lasts, SIGTERM, SIGINT and SIGHUP call ``stop`` instead of ending the process."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop()

    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = [signal.signal(number, handle) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _event_name(event: events.Event) -> str:
    names: dict[type, str] = {
        events.SubmissionChanged: "submission_changed",
        events.AccountChanged: "account_changed",
        events.EngineTroubled: "engine_troubled",
        events.EngineFailed: "engine_failed",
    }
    return names.get(type(event), type(event).__name__)


def _tell(context: Context, name: str, known: dict[str, Any]) -> None:
    from tui_mailer.services.json_view import instant

    now = datetime.now(UTC)
    if context.output.as_json:
        context.output.line({"event": name, "at": instant(now), **known})
        return
    shown = "  ".join(f"{key}={value}" for key, value in known.items() if value not in (None, "", False))
    context.output.say(f"{instant(now)}  {name}  {shown}")


def _plain(value: object) -> object:
    from tui_mailer.services.json_view import instant

    return instant(value) if isinstance(value, datetime) else value
