"""``deliver`` under a service manager: ready, alive, reloaded, stopped; and two of them on one data dir."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from program_run import TuiMailer

COMMAND = [sys.executable, "-m", "tui_mailer"]
MESSAGE = ("send", "--to", "a@example.org", "--subject", "x", "--body", "x")


class Running:
    """A delivery service and the lines it has printed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.events: list[dict[str, Any]] = []

    def until(self, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Reads on until an event comes; fails when the service ends first."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.events.append(json.loads(line))
            if is_so(self.events[-1]):
                return self.events[-1]
        raise AssertionError(f"it ended: {self.events}")

    def event(self, name: str) -> dict[str, Any]:
        return self.until(lambda event: event["event"] == name)

    def stop(self) -> int:
        self.process.terminate()
        assert self.process.stdout
        self.process.stdout.read()
        return self.process.wait(60)


@contextmanager
def running(*words: str, **environment: str) -> Iterator[Running]:
    """``deliver --json`` in a session without a terminal, as a service manager starts it."""
    with subprocess.Popen(
        [*COMMAND, *words, "deliver", "--json"],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | environment,
    ) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """The socket on which a service manager listens, of both kinds."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        name = str(tmp_path / "notify") if request.param == "path" else f"@tui-mailer-test-{os.getpid()}"
        listening.bind(name if request.param == "path" else "\0" + name[1:])
        listening.settimeout(60)
        yield listening, name


def hear(listening: socket.socket, wanted: str) -> str:
    while True:
        said = listening.recv(4096).decode()
        if wanted in said.split("\n"):
            return said


def test_a_service_manager_hears_ready_alive_reloading_and_stopping(manager: tuple[socket.socket, str]) -> None:
    """READY once the outbox is open, WATCHDOG while the engine turns, READY again after a reload, STOPPING."""
    listening, name = manager
    with running(NOTIFY_SOCKET=name, WATCHDOG_USEC="400000") as service:
        assert "STATUS=" in hear(listening, "READY=1")
        for _ in range(3):
            hear(listening, "WATCHDOG=1")
        service.process.send_signal(signal.SIGHUP)
        hear(listening, "READY=1")
        assert service.stop() == 0
        hear(listening, "STOPPING=1")


def test_a_service_whose_engine_hangs_is_not_called_alive(tmp_path: Path) -> None:
    """The watchdog is fed by the engine's own progress, not by the fact that the process runs."""
    from tui_mailer.cli.context import Context
    from tui_mailer.cli.deliver import Service
    from tui_mailer.cli.output import Output
    from tui_mailer.services.notify import Notifier

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"})
        context = Context(output=Output(as_json=True), data_dir=str(tmp_path / "data"))
        engine = context.session.engine("deliver")
        service = Service(context, engine, notifier)
        service._feed_watchdog()  # the engine was never started: it makes no progress
        with pytest.raises(BlockingIOError):
            listening.recv(100)
        engine.start()
        is_up = threading.Event()
        while engine.seconds_without_progress() > 1:
            is_up.wait(0.01)
        service._feed_watchdog()
        assert listening.recv(100) == b"WATCHDOG=1"
        engine.stop()
        context.close()


def test_a_second_service_stands_by_and_follows_when_the_first_is_killed(tui_mailer: TuiMailer, maildir: Path) -> None:
    """It says who delivers, and takes the turn once that one has died."""
    with running() as first:
        first.event("leading")
        with running() as second:
            assert second.event("standing_by")["leader"] == f"deliver pid {first.process.pid}"
            first.process.kill()
            second.event("leading")
            queued = tui_mailer(*MESSAGE, "--queue", "--json").json
            second.until(lambda event: event.get("state") == "sent" and event["id"] == queued["id"])
            assert second.stop() == 0
    assert len(list(maildir.iterdir())) == 1


def test_a_scheduled_message_leaves_on_time_with_only_the_service_running(tui_mailer: TuiMailer) -> None:
    """Nobody looks, and it is sent within a second or two of its time; the scheduling had named the service."""
    with running() as service:
        owner = service.event("started")["owner"]
        told = tui_mailer(*MESSAGE, "--at", "in 2s", "--json")
        assert told.json["deliverer"] == owner
        service.until(lambda event: event.get("state") == "sent")
        sent = tui_mailer("outbox", "show", told.json["id"], "--json").json
    assert sent["not_before"] <= sent["sent_at"]


def test_with_nothing_running_it_is_said_and_it_leaves_at_the_next_start(tui_mailer: TuiMailer) -> None:
    """Scheduling says that nobody delivers; the next start sends what has become due meanwhile."""
    told = tui_mailer(*MESSAGE, "--at", "in 1s", "--json")
    assert told.json["deliverer"] is None
    assert "Nobody delivers while tui-mailer isn't running" in told.err
    with running() as service:
        service.until(lambda event: event.get("state") == "sent" and event["id"] == told.json["id"])


def test_a_closed_terminal_stops_it(tmp_path: Path) -> None:
    """SIGHUP means two things: without a terminal it reloads; in one it says that the terminal has gone."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [*COMMAND, "--data-dir", str(tmp_path / "data"), "deliver"])
    shown = b""
    while b"started" not in shown:
        shown += os.read(terminal, 1024)
    os.kill(pid, signal.SIGHUP)
    while b"stopped" not in shown:
        shown += os.read(terminal, 1024)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(terminal)
