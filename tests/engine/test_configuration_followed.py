"""Two processes with different ideas of the accounts: nothing is held for good because one of them didn't know."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Callable
from typing import Any, Self

import pytest
from engine_bench import EngineBench, letter
from smtp_server import PAUSE, ScriptedServer

from tui_mailer.domain.submission import State
from tui_mailer.services import worker
from tui_mailer.services.event import AccountChanged, ConfigurationChanged
from tui_mailer.services.session import open_session
from tui_mailer.storage.record import NOT_CONFIGURED

HOME = "  home: {{provider: smtp, from: ada@home.example, host: 127.0.0.1, port: {port}, security: none}}\n"


async def until(is_so: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end, f"never came: {what}"
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("knower_is_first", [True, False])
async def test_what_one_process_does_not_know_another_sends(
    bench: EngineBench, server: ScriptedServer, *, knower_is_first: bool
) -> None:
    """A service with another file looks for all: it holds what it doesn't know, and whoever knows lets it go."""
    other = bench.folder / "other.yaml"
    other.write_text(bench.config.read_text().replace("delivery:", f"{HOME.format(port=server.port)}delivery:"))
    other.chmod(0o600)
    with open_session(config=str(other), data_dir=str(bench.folder / "data")) as knowing:
        service, app = bench.session.engine("deliver", bench.events.append), knowing.engine("app")
        engines = [app, service] if knower_is_first else [service]
        for engine in engines:
            engine.start()
        await until(lambda: bool(bench.events), "the service")
        sealed = knowing.mailer.seal(letter(account="home"))[0]
        held = AccountChanged(account="home", held_reason=NOT_CONFIGURED)
        # Whoever knows it may be the quicker one, where both are about: then there is nothing to be found.
        await until(
            lambda: held in bench.events or (knower_is_first and bool(server.stored)),
            "the service's finding that it doesn't know it",
        )
        if not knower_is_first:
            app.start()
        try:
            await until(lambda: len(server.stored) == 1, "the mail")
            await until(lambda: knowing.mailer.show(sealed.id).state is State.SENT, "sent")
            assert knowing.mailer.account_holds() == {}
            assert bench.events.count(held) == 1 or (knower_is_first and held not in bench.events)
        finally:
            for engine in (app, service):
                await asyncio.to_thread(engine.stop)


async def run(bench: EngineBench, *words: str) -> None:
    """Calls the program in a process of its own."""
    place = ("--config", str(bench.config), "--data-dir", str(bench.folder / "data"))
    command = (sys.executable, "-m", "tui_mailer", *place, *words)
    process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL, stderr=PIPE)
    _, said = await process.communicate()
    assert process.returncode == 0, said.decode()


class Service:
    """``deliver`` in a process of its own, and what it has told."""

    def __init__(self, bench: EngineBench) -> None:
        self._place = ("--config", str(bench.config), "--data-dir", str(bench.folder / "data"))
        self.told: list[dict[str, Any]] = []

    async def __aenter__(self) -> Self:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tui_mailer", *self._place, "deliver", "--json", stdout=PIPE, start_new_session=True
        )
        self._reader = asyncio.create_task(self._read())
        await until(lambda: self.has_told("started"), "started")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.process.terminate()
        await self._reader
        assert await self.process.wait() == 0

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.told.append(json.loads(line))

    def has_told(self, name: str, **fields: object) -> bool:
        wanted = {"event": name, **fields}
        return any(wanted.items() <= one.items() for one in self.told)


async def test_a_service_sends_for_an_account_added_in_a_shell(bench: EngineBench, server: ScriptedServer) -> None:
    """Added and used in one go: the service reads the file again before it says that there is no such account."""
    async with Service(bench) as service:
        await run(
            *(bench, "account", "add", "home", "--from", "ada@home.example", "--host", "127.0.0.1"),
            *("--port", str(server.port), "--security", "none"),
        )
        await run(bench, "send", "--queue", "--from", "ada@home.example", "--to", "b@example.org", "--body", "b")
        await until(lambda: service.has_told("submission_changed", state="sent", account="home"), "sent")
        assert not service.has_told("account_changed", account="home")
        assert service.has_told("configuration_changed")


async def test_a_service_told_to_reload_answers_each_time(bench: EngineBench) -> None:
    """SIGHUP without a terminal: read and told though nothing has changed; what can't be used is told as that."""
    async with Service(bench) as service:
        service.process.send_signal(signal.SIGHUP)
        await until(lambda: service.has_told("configuration_changed"), "the first answer")
        service.told.clear()
        service.process.send_signal(signal.SIGHUP)
        await until(lambda: service.has_told("configuration_changed"), "the second answer")
        bench.config.write_text("accounts: 7\n")
        await until(lambda: service.has_told("configuration_refused"), "the refusal")
        (refused,) = [one for one in service.told if one["event"] == "configuration_refused"]
        assert f"{bench.config}:1: accounts" in refused["detail"]


async def test_mail_sealed_before_goes_to_the_server_the_account_has_now(
    bench: EngineBench, server: ScriptedServer
) -> None:
    """Between two looks at the file: what is about to be sent has it read again first."""
    async with ScriptedServer() as new:
        sealed = bench.seal()
        bench.configure(new.port)
        await bench.deliver(sealed)
        assert (len(server.stored), len(new.stored)) == (0, 1)
        assert server.connections == 0


async def test_an_account_that_changes_while_its_server_is_slow(
    bench: EngineBench, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Greeted by the old server, changed, then let on: that one gets nothing, and the mail goes to the new one."""
    monkeypatch.setattr(worker, "FRESH_SECONDS", 0.0)
    server.on("MAIL", PAUSE)
    async with ScriptedServer() as newer:
        engine = bench.session.engine("deliver", bench.events.append)
        engine.start()
        try:
            sealed = bench.seal()
            engine.nudge()
            await until(lambda: any("MAIL" in line for line in server.commands), "the envelope")
            bench.config.write_text(bench.config.read_text().replace(f"port: {server.port}", f"port: {newer.port}"))
            await until(lambda: any(isinstance(one, ConfigurationChanged) for one in bench.events), "the change seen")
            server.resumed.set()
            await until(lambda: len(newer.stored) == 1, "the mail at the new server")
            await until(lambda: bench.mailer.show(sealed.id).state is State.SENT, "sent")
            assert server.stored == []
        finally:
            await asyncio.to_thread(engine.stop)
