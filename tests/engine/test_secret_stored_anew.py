"""A password changed at the server and in its source by somebody else: found out by a refusal, which holds nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from engine_bench import EngineBench, letter
from http_bench import HttpBench
from smtp_server import ScriptedServer

from tui_mailer.domain.submission import State
from tui_mailer.providers.testing import SECRET
from tui_mailer.services.event import AccountChanged

sys.path.insert(0, str(Path(__file__).parents[1] / "contract"))

from http_case import HttpCase, all_cases
from http_lab import HttpLab

Open = Callable[[str], EngineBench]


@pytest.fixture
def opened(server: ScriptedServer, tmp_path: Path) -> Open:
    """Opens a program whose account has its password from a shell command (asked once, as a keyring is)."""

    def open_bench(command: str) -> EngineBench:
        credential = f"    credential: {{command: [sh, -c, '{command}']}}\n"
        return EngineBench(tmp_path, server.port, extra=f"    username: ada\n{credential}")

    return open_bench


def sign_ins(server: ScriptedServer) -> int:
    return sum(one.startswith("AUTH") for one in server.commands)


def holds(bench: EngineBench) -> list[AccountChanged]:
    return [one for one in bench.events if isinstance(one, AccountChanged) and one.held_reason is not None]


async def test_another_password_is_tried_at_once(opened: Open, server: ScriptedServer, tmp_path: Path) -> None:
    """One refusal, then the one that is there by now: the mail goes out once, no attempt is counted twice."""
    stored = tmp_path / "stored"
    stored.write_text("right\n")
    bench = opened(f"cat {stored}")
    await bench.deliver(bench.seal())
    server.users["ada"] = "newer"
    stored.write_text("newer\n")
    (sent,) = await bench.deliver(bench.seal())
    assert (sent.state, sent.attempts) == (State.SENT, 1)
    assert (len(server.stored), sign_ins(server)) == (2, 3)
    assert not holds(bench)
    assert bench.mailer.account_holds() == {}
    bench.session.close()


async def test_the_same_password_is_not_tried_again(opened: Open, server: ScriptedServer, tmp_path: Path) -> None:
    """Where the source has nothing else to offer, the account is held after one refusal: servers lock who goes on."""
    bench = opened("echo wrong")
    (waiting,) = await bench.deliver(bench.seal())
    assert (waiting.state, waiting.attempts, sign_ins(server)) == (State.QUEUED, 0, 1)
    assert "refused" in bench.mailer.account_holds()["work"].reason
    bench.mailer.release_account("work")
    server.users["ada"] = "wrong"
    (sent,) = await bench.deliver(waiting)
    assert sent.state is State.SENT
    bench.session.close()


async def test_a_source_that_always_gives_another_is_tried_once_more(
    opened: Open, server: ScriptedServer, tmp_path: Path
) -> None:
    """A command that makes a new token each time: two refusals hold the account, there is no third."""
    counter = tmp_path / "asked"
    bench = opened(f"echo >> {counter}; wc -l < {counter}")
    (waiting,) = await bench.deliver(bench.seal())
    assert (waiting.state, sign_ins(server)) == (State.QUEUED, 2)
    assert "work" in bench.mailer.account_holds()
    bench.session.close()


@pytest.mark.parametrize("case", [case for case in all_cases() if case.name != "pigeon"], ids=lambda case: case.name)
async def test_an_api_key_stored_anew_is_tried_at_once(case: HttpCase, tmp_path: Path) -> None:
    """The same over HTTP, whichever way an API refuses a key: that is before any mail."""
    stored = tmp_path / "stored"
    stored.write_text(f"{case.secret}old\n")
    async with HttpLab(case.rules()) as lab:
        credential = {"command": ["cat", str(stored)]}
        settings = {**case.settings, "credential": credential}
        bench = HttpBench(tmp_path, case.name, lab, secret=SECRET, base_path=case.base_path, **settings)
        await bench.session.credentials.source(bench.session.configuration.accounts["work"]).get()
        stored.write_text(f"{case.secret}\n")
        (sent,) = await bench.deliver(bench.seal(letter(to="bob@example.net")))
        assert (sent.state, sent.attempts) == (State.SENT, 1), bench.mailer.account_holds()
        assert len(lab.rules.stored) == 1
        assert bench.mailer.account_holds() == {}
        bench.session.close()
