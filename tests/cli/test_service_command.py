"""``service``: a systemd user unit that systemd itself accepts, and a crontab line where there is no systemd."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from program_run import TuiMailer

ODD = 'data of 100%h $HOME "a" \\b\tü'
"""A folder name with everything that systemd, a shell or cron would take for something else."""


@pytest.fixture
def runtime_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    booted(monkeypatch, tmp_path)
    return folder


def booted(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Makes this look like a machine that systemd has started."""
    monkeypatch.setattr("tui_mailer.services.service_manager._BOOTED", folder)


@pytest.fixture
def systemctl(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user manager that answers, and keeps what it is asked: there is none in a container."""
    folder = tmp_path / "bin"
    folder.mkdir()
    asked = tmp_path / "asked"
    program = folder / "systemctl"
    program.write_text(f'#!/bin/sh\necho "$@" >> {asked}\n[ "$2" != is-active ] || echo active\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return asked


@pytest.mark.servers
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze isn't installed")
def test_systemd_accepts_the_unit_whatever_the_folders_are_called(
    tui_mailer: TuiMailer, tmp_path: Path, runtime_dir: Path
) -> None:
    """The unit passes systemd-analyze verify and carries --config and --data-dir."""
    config = tmp_path / f"config {ODD}.yaml"
    config.write_text("accounts: {}\n")
    config.chmod(0o600)
    installed = tui_mailer("--config", config, "--data-dir", tmp_path / ODD, "service", "install", "--json")
    assert installed.code == 0, installed.err
    unit = Path(installed.json["unit_file"])
    text = unit.read_text(encoding="utf-8")
    assert '"--config"' in text
    assert "100%%h $$HOME" in text
    assert verify(unit) == (0, "")


def verify(unit: Path) -> tuple[int, str]:
    command = ["systemd-analyze", "--user", "verify", str(unit)]
    verified = subprocess.run(command, capture_output=True, text=True, check=False)
    return verified.returncode, verified.stderr


@pytest.mark.servers
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze isn't installed")
@pytest.mark.parametrize("name", ["python-of-50%u-ü", "python of $HOME \"x\" \\ 'ü'"])
def test_an_interpreter_at_an_odd_place_is_found(
    tui_mailer: TuiMailer, tmp_path: Path, runtime_dir: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """systemd looks whether the program is there: a wrongly quoted path would not be."""
    folder = tmp_path / name
    folder.mkdir()
    (folder / "python").symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    unit = Path(tui_mailer("service", "install", "--json").json["unit_file"])
    assert verify(unit) == (0, "")
    if "%" in name:
        unit.write_text(unit.read_text(encoding="utf-8").replace("50%%", "50%"), encoding="utf-8")
        assert verify(unit) != (0, "")


def test_each_data_dir_has_a_service_of_its_own(tui_mailer: TuiMailer, tmp_path: Path) -> None:
    """The name is made from configuration and data dir, and stays the same."""
    names = [
        tui_mailer("--data-dir", tmp_path / folder, "service", "status", "--json").json["name"]
        for folder in ("one", "two", "one")
    ]
    assert names[0] == names[2] != names[1]


def test_installing_starts_it_where_a_user_manager_runs(tui_mailer: TuiMailer, systemctl: Path) -> None:
    """The unit is loaded and started at once, and removed as cleanly; a second time is no trouble."""
    installed = tui_mailer("service", "install", "--json")
    assert installed.code == 0
    name = installed.json["name"]
    assert (installed.json["installed"], installed.json["enabled"], installed.json["running"]) == (True, True, True)
    assert "loginctl enable-linger" in installed.err
    assert f"--user restart {name}" in systemctl.read_text()
    assert tui_mailer("service", "install", "--json").code == 0
    removed = tui_mailer("service", "uninstall", "--json")
    assert (removed.code, removed.json["removed"], removed.json["installed"]) == (0, True, False)
    assert f"--user stop {name}" in systemctl.read_text()
    again = tui_mailer("service", "uninstall", "--json")
    assert (again.code, again.json["removed"]) == (0, False)


def test_without_a_user_manager_it_says_what_to_do(
    tui_mailer: TuiMailer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The unit is there for the next session, and the sentence names the commands and the crontab line."""
    booted(monkeypatch, tmp_path)
    without_manager(monkeypatch, tmp_path)
    told = tui_mailer("service", "install")
    assert told.code == 0
    assert "starts with your next login session" in told.err
    assert "*/5 * * * *" in told.err
    status = tui_mailer("service", "status", "--json").json
    assert (status["installed"], status["running"], status["manager"]) == (True, None, False)


def test_where_systemd_is_installed_and_does_not_run_nothing_is_promised(
    tui_mailer: TuiMailer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shut_out_the_developer: Path
) -> None:
    """In a container its tools may be there: no unit is written that nobody would ever start."""
    monkeypatch.setattr("tui_mailer.services.service_manager._BOOTED", tmp_path / "nowhere")
    without_manager(monkeypatch, tmp_path)
    told = tui_mailer("service", "install")
    assert told.code == 64
    assert "systemd doesn't run on this machine, so nothing was installed" in told.err
    assert "log in" not in told.err
    assert not list(shut_out_the_developer.rglob("*.service"))


def without_manager(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A systemctl that finds no user manager."""
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'Failed to connect to bus' >&2\nexit 1\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


def test_without_systemd_there_is_a_crontab_line_and_nothing_else(
    tui_mailer: TuiMailer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shut_out_the_developer: Path
) -> None:
    """Nothing is written; the line, run by a shell as cron does, sends what is due."""
    monkeypatch.setenv("PATH", "/nowhere")
    data = tmp_path / "data 100% $HOME"
    told = tui_mailer("--data-dir", data, "service", "install")
    assert told.code == 64
    assert "systemd doesn't run on this machine" in told.err
    assert tui_mailer("--data-dir", data, "service", "install", "--cron").code == 0
    assert not list(shut_out_the_developer.rglob("*.service"))
    monkeypatch.setenv("PATH", os.defpath)
    words = ("send", "--to", "a@example.org", "--subject", "x", "--body", "x", "--queue")
    assert tui_mailer("--data-dir", data, *words).code == 0
    schedule, command = told.out.strip().split(" ", 5)[:5], told.out.strip().split(" ", 5)[5]
    assert schedule == ["*/5", "*", "*", "*", "*"]
    assert "100\\%" in command
    # What cron makes of a line: each backslash before a % is taken away.
    subprocess.run(["/bin/sh", "-c", command.replace("\\%", "%")], check=True)
    assert tui_mailer("--data-dir", data, "history", "list", "--json").json[0]["state"] == "sent"
    assert "sent" in (data / "cron.log").read_text()


def test_macos_is_refused_with_a_sentence(tui_mailer: TuiMailer, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no such service there, and what to do instead is said."""
    monkeypatch.setattr(sys, "platform", "darwin")
    told = tui_mailer("service", "install")
    assert told.code == 64
    assert "launchd" in told.err
