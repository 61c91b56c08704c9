"""Installs, removes and looks at the delivery service: the unit's file, and ``systemctl --user`` where it answers."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import tui_mailer
from tui_mailer.domain.errors import MailerError, StorageError
from tui_mailer.services.service_unit import ServicePlan, crontab_line, unit_text

if TYPE_CHECKING:
    from tui_mailer.accounts.configuration import Paths

_SYSTEMCTL_SECONDS = 90.0
_LINGER = Path("/var/lib/systemd/linger")
_BOOTED = Path("/run/systemd/system")
"""Is there exactly where systemd runs the machine (sd_booted(3)): its tools may be installed all the same."""
_CARRIED = ("TZ",)
"""Variables of the person's shell that change what the service does; PATH is carried too, for credential commands."""
MACOS = (
    "There is no service for macOS: it is made for systemd. Run 'tui-mailer deliver' from launchd or a login item, or "
    "'tui-mailer outbox flush' from cron."
)


NO_SYSTEMD = "systemd doesn't run on this machine, so nothing was installed."


class NoService(MailerError):
    """This system has no service of this kind; the text says what to do instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceStatus:
    """How the service stands."""

    name: str
    unit_file: Path
    is_installed: bool
    is_enabled: bool
    """It starts with the person's session (or at boot, when lingering)."""
    has_manager: bool
    """A systemd user manager answers in this session."""
    is_active: bool | None
    """As the manager says; None: there is none to ask."""
    is_lingering: bool
    """It runs from boot to shutdown, not only while the person is logged in."""
    user: str


class ServiceManager:
    """The service of one configuration and data directory."""

    def __init__(self, plan: ServicePlan, *, environ: Mapping[str, str] = os.environ) -> None:
        self.plan = plan
        self._environ = environ
        base = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME") or "~").expanduser() / ".config")
        self._folder = Path(base) / "systemd" / "user"
        self.unit_file = self._folder / plan.name
        self._wish = self._folder / "default.target.wants" / plan.name
        self._systemctl = shutil.which("systemctl", path=environ.get("PATH"))

    @property
    def has_systemd(self) -> bool:
        """Says whether systemd runs on this machine: where it doesn't, no unit is ever started."""
        return self._systemctl is not None and (_BOOTED.is_dir() or self._manager_answers())

    def crontab_line(self) -> str:
        """The line for machines without systemd."""
        return crontab_line(self.plan)

    def install(self) -> ServiceStatus:
        """Writes the unit, lets it start with the session, and starts it now where a user manager runs.

        Installing again brings an older unit up to date and restarts it. Raises `StorageError`, and `NoService` when
        the manager refuses it.
        """
        try:
            self._wish.parent.mkdir(parents=True, exist_ok=True)
            unnamed = self.unit_file.with_suffix(".new")
            unnamed.write_text(unit_text(self.plan), encoding="utf-8")
            unnamed.replace(self.unit_file)
            # What `systemctl enable` does; done here so that it holds from the next login where none runs now.
            self._wish.unlink(missing_ok=True)
            self._wish.symlink_to(self.unit_file)
        except OSError as error:
            raise StorageError(f"{self.unit_file} can't be written: {error.strerror}.") from None
        if self._manager_answers():
            self._run("daemon-reload")
            started = self._run("restart", self.plan.name)
            if started.returncode:
                reason = started.stderr.strip() or f"exit {started.returncode}"
                raise NoService(
                    f"The service is installed ({self.unit_file}) and could not be started: {reason} "
                    f"Look at it: journalctl --user -u {self.plan.name}"
                )
        return self.status()

    def uninstall(self) -> bool:
        """Stops and removes it; says whether there was anything to remove; raises `StorageError`."""
        was_there = self.unit_file.exists() or self._wish.is_symlink()
        if was_there and self._manager_answers():
            self._run("stop", self.plan.name)
        try:
            self._wish.unlink(missing_ok=True)
            self.unit_file.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"{self.unit_file} can't be removed: {error.strerror}.") from None
        if was_there and self._manager_answers():
            self._run("daemon-reload")
            self._run("reset-failed", self.plan.name)
        return was_there

    def status(self) -> ServiceStatus:
        """Looks; changes nothing."""
        has_manager = self._manager_answers()
        active = self._run("is-active", self.plan.name).stdout.strip() if has_manager else ""
        user = getpass.getuser()
        return ServiceStatus(
            name=self.plan.name,
            unit_file=self.unit_file,
            is_installed=self.unit_file.exists(),
            is_enabled=self._wish.exists(),
            has_manager=has_manager,
            is_active=active in {"active", "reloading"} if has_manager else None,
            is_lingering=(_LINGER / user).exists(),
            user=user,
        )

    def _manager_answers(self) -> bool:
        return self._systemctl is not None and self._run("show-environment").returncode == 0

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        # A shell that came by su or cron lacks the variable by which the manager is found.
        runtime = self._environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
        try:
            return subprocess.run(  # noqa: S603 - systemd's own tool, our own arguments
                [self._systemctl or "systemctl", "--user", *words],
                env={**self._environ, "XDG_RUNTIME_DIR": runtime},
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_SYSTEMCTL_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return subprocess.CompletedProcess([], 1, "", str(error))


def service_manager(paths: Paths) -> ServiceManager:
    """Makes the manager of this configuration's and data directory's service.

    A configuration file that exists is named in the unit, so that another environment changes nothing.
    """
    environment = {name: os.environ[name] for name in _CARRIED if os.environ.get(name)}
    path = os.environ.get("PATH")
    if path:
        environment["PATH"] = path
    if not _is_found_by_itself():
        environment["PYTHONPATH"] = str(Path(tui_mailer.__file__).parent.parent)
    plan = ServicePlan(
        command=[sys.executable, "-m", "tui_mailer"],
        config_file=str(paths.config_file.absolute()),
        has_config=paths.config_file.exists(),
        data_dir=str(paths.data_dir.absolute()),
        environment=environment,
    )
    return ServiceManager(plan)


def say_started(found: ServiceStatus, crontab: str) -> list[str]:
    """Says whether what was installed runs, and what is to be done where it can't."""
    if found.has_manager:
        return ["It runs now, and whenever you are logged in."]
    later = (
        "No systemd user manager answers here, so it isn't started yet; it starts with your next login session. To "
        f"start it by hand from one: systemctl --user daemon-reload && systemctl --user start {found.name}"
    )
    return [
        later,
        f"Where you never have such a session, put this into your crontab (crontab -e):\n  {crontab}",
    ]


def say_lingering(found: ServiceStatus) -> str:
    """Says whether it runs while the person is logged out, and how it would."""
    if found.is_lingering:
        return "Lingering is allowed: it runs from boot to shutdown, also while you are logged out."
    return (
        "While you are logged out it doesn't run. To let it run from boot to shutdown: "
        f"loginctl enable-linger {found.user} (a keyring that your login unlocks is locked until then)."
    )


def install_service(paths: Paths) -> str:
    """Installs the service and says in a few sentences how it stands; raises `NoService` and `StorageError`."""
    if sys.platform == "darwin":
        raise NoService(MACOS)
    manager = service_manager(paths)
    if not manager.has_systemd:
        raise NoService(
            f"{NO_SYSTEMD} This line in your crontab (crontab -e) sends what is due every five "
            f"minutes:\n  {manager.crontab_line()}"
        )
    found = manager.install()
    first, *_others = say_started(found, manager.crontab_line())
    return f"The delivery service is installed. {first} {say_lingering(found)}"


def _is_found_by_itself() -> bool:
    """Says whether the interpreter finds us without the variables and the folder of this shell."""
    found = subprocess.run(
        [sys.executable, "-P", "-c", "import tui_mailer"],
        cwd="/",
        env={"PATH": os.environ.get("PATH", "")},
        capture_output=True,
        check=False,
    )
    return found.returncode == 0
