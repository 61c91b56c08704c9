"""Fixtures for every test: nothing of the developer's own machine gets in, and nothing of a test gets out."""

from __future__ import annotations

import compileall
import os
from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tui_mailer

if TYPE_CHECKING:
    from smtp_server import ScriptedServer


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds ``--no-skips``, with which continuous integration proves that every test ran."""
    parser.addoption("--no-skips", action="store_true", help="count a skipped test as failed")


def pytest_configure(config: pytest.Config) -> None:
    """Compiles the package, as an installation does: elsewhere each start may have to do it anew."""
    if not hasattr(config, "workerinput"):
        compileall.compile_dir(Path(tui_mailer.__file__).parent, quiet=2)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turns a skip into a failure under ``--no-skips``; expected failures stay what they are.

    What needs the providers' own specs may be skipped all the same: they aren't ours to ship.
    """
    report = yield
    is_allowed = hasattr(report, "wasxfail") or item.get_closest_marker("specs") is not None
    if report.skipped and not is_allowed and item.config.getoption("no_skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and --no-skips was given: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turns a skipped module into an error under ``--no-skips``."""
    report = yield
    if report.skipped and collector.config.getoption("no_skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and --no-skips was given: {report.longrepr}"
    return report


@pytest.fixture
def nobody_delivers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `sendmail` has stored waits: the process that would deliver it isn't started."""
    monkeypatch.setattr("tui_mailer.services.detached_flush.start_detached_flush", lambda *_: None)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    """A server without TLS on the loopback, where that is allowed; it does as it is told and keeps the truth."""
    from smtp_server import ScriptedServer

    async with ScriptedServer() as running:
        yield running


@pytest.fixture(autouse=True)
def shut_out_the_developer(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Gives each test an empty home, no session bus, no proxy, a fixed zone and a terminal with colours."""
    home = tmp_path_factory.mktemp("home")
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TZ", "Europe/Berlin")
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in (
        "DBUS_SESSION_BUS_ADDRESS",
        "XDG_RUNTIME_DIR",
        "TUI_MAILER_CONFIG",
        "TUI_MAILER_DATA_DIR",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_COLOR",
        "EDITOR",
        "VISUAL",
        "PYTHON_KEYRING_BACKEND",
        "SSH_CONNECTION",
    ):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture(autouse=True)
def keep_the_umask() -> Generator[None]:
    """Takes back the program's umask of 077: the servers of a later test read files as users of their own."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)
