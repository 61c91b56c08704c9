"""The key of an HTTP account is nowhere but where the configuration keeps it."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from pathlib import Path

import http_bench  # noqa: F401 - finds the contract tests' servers
import pytest
from engine_bench import letter
from http_bench import HttpBench
from http_case import HttpCase, all_cases
from http_lab import HttpLab, Reply
from test_http_dry_run import holds

from tui_mailer.domain.errors import MailerError
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.http_settings import HttpSettings
from tui_mailer.services.crash_log import write_crash_log

CASES = [case for case in all_cases() if case.name != "pigeon"]


def written(folder: Path) -> str:
    """Every file the program has made, but for the configuration and the key."""
    kept = {folder / "config.yaml", folder / "key"}
    files = [path for path in folder.rglob("*") if path.is_file() and path not in kept]
    return "\n".join(path.read_bytes().decode("latin-1") for path in files)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_the_key_is_in_no_database_log_or_event(
    case: HttpCase, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Sealed, shown, sent, refused and rejected by a server that repeats the key: it is stored and told nowhere."""
    caplog.set_level(logging.DEBUG)
    async with HttpLab(case.rules()) as lab:
        bench = HttpBench(tmp_path, case.name, lab, secret=case.secret, base_path=case.base_path, **case.settings)
        to = case.outgoing("01JZZZZZZZZZZZZZZZZZZZZZZ1").message.to[0].addr_spec
        draft = letter(to=to)
        told = [repr(bench.mailer.dry_run(draft).steps), repr(await bench.deliver(bench.seal(draft)))]
        for status in (422, 500, 429, 401):
            said = f"bad key {case.secret}"
            lab.on(case.sends, Reply(status, {"message": said, "errors": [{"message": said}], "detail": said}))
            sealed = bench.seal(draft._replace(subject=f"Tea {status}"))
            told.append(repr(await bench.deliver(sealed)))
            told.append(repr(bench.mailer.attempts(sealed.id)))
        lab.always("", Reply(401, {"message": f"bad key {case.secret}"}))
        account = bench.mailer.directory.account("work")
        with pytest.raises(MailerError) as caught:
            await bench.session.account_service().test(account)
        told += [str(caught.value), repr(bench.events), repr(bench.mailer.account_holds()), caplog.text]
        bench.session.close()
        for text in (*told, written(tmp_path)):
            assert not holds(case.secret, text)


async def test_the_key_is_in_no_list_of_processes(tmp_path: Path) -> None:
    """Nobody who may list processes reads it: neither the command line nor the environment holds it."""
    case = next(one for one in CASES if one.name == "resend")
    async with HttpLab(case.rules()) as lab:
        bench = HttpBench(tmp_path, case.name, lab, secret=case.secret, **case.settings)
        bench.session.close()
        command = [
            sys.executable,
            "-m",
            "tui_mailer",
            "--config",
            str(bench.config),
            "--data-dir",
            str(tmp_path / "data"),
        ]
        mail = ["send", "--to", "bob@example.org", "--subject", "Tea", "--body", "At four?"]
        environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}

        def run() -> tuple[int, str]:
            with subprocess.Popen([*command, *mail], env=environment, stdout=-1, stderr=-1, text=True) as running:
                proc = Path(f"/proc/{running.pid}")
                listed = proc.joinpath("cmdline").read_text() + proc.joinpath("environ").read_text()
                out, err = running.communicate(timeout=60)
            return running.returncode, listed + out + err

        code, seen = await asyncio.to_thread(run)
        assert code == 0, seen
        assert not holds(case.secret, seen + written(tmp_path))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_crash_does_not_tell_the_key(case: HttpCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that breaks with the key in its hands: neither the outcome nor the crash log has it."""
    crashes: list[Exception] = []

    async def broken(provider: HttpProvider[HttpSettings], *_: object, **__: object) -> None:
        key = await provider._secrets.get()
        crashes.append(RuntimeError("a bug" if key else "no key"))
        raise crashes[-1]

    monkeypatch.setattr(HttpProvider, "send", broken)
    async with HttpLab(case.rules()) as lab:
        bench = HttpBench(tmp_path, case.name, lab, secret=case.secret, base_path=case.base_path, **case.settings)
        draft = letter(to=case.outgoing("01JZZZZZZZZZZZZZZZZZZZZZZ1").message.to[0].addr_spec)
        (submission,) = await bench.deliver(bench.seal(draft))
        bench.session.close()
    assert "this is a bug" in (submission.error or "")
    log = write_crash_log(tmp_path / "state", crashes[0])
    assert log is not None
    assert "RuntimeError: a bug" in log.read_text()
    assert not holds(case.secret, written(tmp_path) + repr(submission))
