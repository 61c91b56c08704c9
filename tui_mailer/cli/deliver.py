"""``deliver``: the delivery service; runs an engine until it is told to stop, and prints one line an event."""

from __future__ import annotations

import argparse
import contextlib
import os
import queue
import signal
import time
from collections.abc import Callable, Generator
from concurrent.futures import CancelledError
from dataclasses import fields
from datetime import UTC, datetime
from enum import Enum
from types import FrameType
from typing import TYPE_CHECKING, Any

from tui_mailer.cli import exit_code, parsing
from tui_mailer.services import event as events

if TYPE_CHECKING:
    from tui_mailer.cli.context import Context
    from tui_mailer.services.engine import Engine
    from tui_mailer.services.notify import Notifier

_EPILOG = """\
Prints one line an event to stderr; with --json JSON Lines on stdout. SIGTERM and SIGINT stop it in good order: what is
in flight is finished or given back. SIGHUP re-reads the configuration, unless it comes because the terminal it was
started in has gone: then it stops too. A changed configuration is noticed anyway. Under systemd it tells when it is
ready, how it is, and that it is alive (Type=notify, WatchdogSec). A second one on the same data directory stands by.

exit codes: 0 stopped as asked; 73 data dir; 78 configuration"""

_ANSWERS = (events.ConfigurationChanged, events.ConfigurationRefused)
"""Events told each time: somebody may have asked for a reload."""
_QUIET = (events.PhaseReached, events.BytesProgressed, events.StoreChanged)
"""Events that come many times a message."""
_LOOK_SECONDS = 5.0
"""How often the status is told anew."""
_RELOAD_SECONDS = 30.0
"""How long a reload may take before a service manager is told that it is over."""


class Signal(Enum):
    """What a person or a service manager has asked for."""

    STOP = "stop"
    RELOAD = "reload"


Happening = events.Event | Signal


def build_parser(prog: str) -> parsing.Parser:
    """Describes the command line of ``deliver``."""
    parser = parsing.Parser(
        prog=prog, description="Delivers what is due, and what becomes due, until it is stopped.", epilog=_EPILOG
    )
    parser.set_defaults(handler=deliver)
    return parser


def deliver(context: Context, _arguments: argparse.Namespace) -> int:
    """Runs the delivery service."""
    from tui_mailer.services.notify import Notifier

    happened: queue.SimpleQueue[Happening] = queue.SimpleQueue()
    notifier = Notifier()
    engine = context.session.engine("deliver", happened.put)
    with listening_to_signals(happened.put):
        engine.start()
        try:
            code = Service(context, engine, notifier).run(happened)
        finally:
            notifier.tell("STOPPING=1", "STATUS=Finishing what is under way")
            engine.stop()
        _tell(context, "stopped", {})
    return code


class Service:
    """What runs beside the engine: prints, and answers the service manager."""

    def __init__(self, context: Context, engine: Engine, notifier: Notifier) -> None:
        self._context = context
        self._engine = engine
        self._notifier = notifier
        self._sent = 0
        self._heard_last: events.Event | None = None
        self._looked_at = time.monotonic()
        self._fed_at = 0.0

    def run(self, happened: queue.SimpleQueue[Happening]) -> int:
        """Goes on until it is told to stop or the engine can't go on; returns the exit code."""
        while True:
            with contextlib.suppress(queue.Empty):
                one = happened.get(timeout=self._pause())
                if one is Signal.STOP:
                    return exit_code.DONE
                if one is Signal.RELOAD:
                    self._reload()
                elif not isinstance(one, Signal):
                    self._heard(one)
                    if isinstance(one, events.EngineFailed):
                        return exit_code.NO_STORAGE
            self._feed_watchdog()
            if time.monotonic() - self._looked_at >= _LOOK_SECONDS:
                self._looked_at = time.monotonic()
                self._tell_status()

    def _pause(self) -> float:
        limit = self._notifier.watchdog_seconds
        return _LOOK_SECONDS if limit is None else min(_LOOK_SECONDS, limit / 4)

    def _feed_watchdog(self) -> None:
        """Says that all is well at half of the time allowed, and only while the engine's loop comes round."""
        limit, now = self._notifier.watchdog_seconds, time.monotonic()
        if limit is None or now - self._fed_at < limit / 2 - 0.01:
            return
        if self._engine.seconds_without_progress() < limit:
            self._fed_at = now
            self._notifier.tell("WATCHDOG=1")

    def _heard(self, event: events.Event) -> None:
        if isinstance(event, _QUIET) or (event == self._heard_last and not isinstance(event, _ANSWERS)):
            return
        self._heard_last = event
        if isinstance(event, events.EngineStarted):
            session = self._context.session
            known = {"data_dir": str(session.paths.data_dir), "accounts": list(session.configuration.accounts)}
            _tell(self._context, "started", {**known, "owner": event.owner})
            self._notifier.tell("READY=1", f"STATUS=Delivers from {session.paths.data_dir}")
            return
        if isinstance(event, events.ConfigurationChanged):
            _tell(self._context, "configuration_changed", {})
            return
        if isinstance(event, events.RoleChanged):
            name = "leading" if event.is_leading else "standing_by"
            _tell(self._context, name, {} if event.is_leading else {"leader": event.leader})
            return
        if isinstance(event, events.SubmissionChanged) and event.learnt is None:
            self._sent += event.state.value in {"sent", "partial"}
        _tell(
            self._context, _event_name(event), {each.name: _plain(getattr(event, each.name)) for each in fields(event)}
        )

    def _reload(self) -> None:
        self._notifier.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        with contextlib.suppress(TimeoutError, CancelledError):
            self._engine.reread().result(_RELOAD_SECONDS)
        self._notifier.tell("READY=1")

    def _tell_status(self) -> None:
        from tui_mailer.domain.errors import StorageError

        try:
            counts = self._context.mailer.counts()
        except StorageError as error:
            self._notifier.tell(f"STATUS={error}")
            return
        waiting = ", ".join(f"{count} {state.value}" for state, count in counts.items() if count) or "nothing waits"
        self._notifier.tell(f"STATUS={self._sent} sent since the start; {waiting}")


@contextlib.contextmanager
def listening_to_signals(put: Callable[[Signal], None]) -> Generator[None]:
    """While it lasts, signals are put where they are read in order instead of ending the process.

    One that was ignored at the start (``nohup``) stays ignored.
    """
    meanings = {
        signal.SIGTERM: Signal.STOP,
        signal.SIGINT: Signal.STOP,
        # With a terminal, SIGHUP says that it has gone; without one it is a manager's word to reload.
        signal.SIGHUP: Signal.STOP if _has_terminal() else Signal.RELOAD,
    }

    def handle(number: int, _frame: FrameType | None) -> None:
        put(meanings[signal.Signals(number)])

    before = {number: signal.getsignal(number) for number in meanings}
    heard = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    for number in heard:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def _event_name(event: events.Event) -> str:
    names: dict[type, str] = {
        events.SubmissionChanged: "submission_changed",
        events.AccountChanged: "account_changed",
        events.ConfigurationRefused: "configuration_refused",
        events.RoomChanged: "room_changed",
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
