"""The delivery service as text: a systemd user unit, and a crontab line where there is no systemd. No I/O.

Quoting follows systemd.syntax(7) and systemd.service(5) ("Command lines"), and crontab(5).
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tui_mailer.domain.errors import InvalidMessage

STOP_SECONDS = 60
"""Above what an engine takes to finish or give back (5 s, and 20 s past the point of no return), with room."""
WATCHDOG_SECONDS = 120
"""A database that another process keeps locked for long is no reason to be killed."""


_PLAIN_PATH = re.compile(r"[\w/.+@%,:=~-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePlan:
    """What the service runs, and for whom."""

    command: Sequence[str]
    """The interpreter and our module, absolute."""
    config_file: str
    """Absolute."""
    has_config: bool
    """False: there is none yet; the service looks at the usual place."""
    data_dir: str
    """Absolute."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Only what credential commands and times need: PATH, TZ; never a secret."""

    @property
    def name(self) -> str:
        """The unit's name: one service for each configuration and data directory."""
        told = f"{self.config_file}\0{self.data_dir}".encode("utf-8", "surrogateescape")
        return f"tui-mailer-{hashlib.sha256(told).hexdigest()[:12]}.service"

    @property
    def cron_log(self) -> str:
        """Where cron's last run leaves what it said."""
        return os.path.join(self.data_dir, "cron.log")  # noqa: PTH118 - text, no path of this machine's is looked at

    def arguments(self, *words: str) -> list[str]:
        """Builds a command line of ours on the same configuration and data."""
        config = ["--config", self.config_file] if self.has_config else []
        return [*self.command, *config, "--data-dir", self.data_dir, *words]


def unit_text(plan: ServicePlan) -> str:
    """Writes the unit.

    Hardened by what a user manager can do without privileges. Left out on purpose: what needs a mount namespace
    (refused on machines without unprivileged user namespaces), RestrictNamespaces and MemoryDenyWriteExecute (they
    break password managers that credential commands start), and whatever would cut off D-Bus or an agent's socket.
    """
    variables = "".join(
        f"Environment={_quoted(f'{key}={value}', is_command=False)}\n" for key, value in plan.environment.items()
    )
    words = plan.arguments("deliver")
    if not _PLAIN_PATH.fullmatch(words[0]):
        words.insert(0, "/usr/bin/env")  # systemd refuses quotes and the like in a program's path, not in an argument
    command = " ".join(map(_quoted, words))
    return f"""\
# Made by 'tui-mailer service install'; 'tui-mailer service uninstall' removes it.
[Unit]
Description=tui-mailer delivery service ({_specifiers(_one_line(plan.data_dir))})

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
ExecReload=/bin/sh -c "kill -HUP $MAINPID"
{variables}\
Restart=on-failure
RestartSec=15
RestartPreventExitStatus=78
TimeoutStopSec={STOP_SECONDS}
WatchdogSec={WATCHDOG_SECONDS}
KillMode=mixed
UMask=0077
LimitCORE=0
NoNewPrivileges=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
LockPersonality=yes
SystemCallArchitectures=native
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK

[Install]
WantedBy=default.target
"""


def crontab_line(plan: ServicePlan) -> str:
    """Writes the line for machines without systemd: what is due leaves within five minutes.

    What a run says is kept until the next one: cron would mail it, and where that mail goes through us, mail that too.
    Raises `InvalidMessage` for a path that a crontab can't hold.
    """
    command = f"{shlex.join(plan.arguments('outbox', 'flush'))} >{shlex.quote(plan.cron_log)} 2>&1"
    if "\n" in command:
        raise InvalidMessage("A path with a line break in it can't stand in a crontab.")
    # To cron a bare % is a line break, inside quotes too; it takes the backslash away itself.
    return f"*/5 * * * * {command.replace('%', chr(92) + '%')}"


def _quoted(text: str, *, is_command: bool = True) -> str:
    """Writes one word as systemd unquotes it; what is no printable text goes byte for byte, as hexadecimal."""
    written = "".join(_escaped(character) for character in text)
    written = _specifiers(written)
    if is_command:
        written = written.replace("$", "$$")  # else it would be a variable
    return f'"{written}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in os.fsencode(character))


def _specifiers(text: str) -> str:
    return text.replace("%", "%%")


def _one_line(text: str) -> str:
    # A backslash at the end of a line would continue it.
    return "".join(one if one.isprintable() and one != "\\" else "?" for one in text)
