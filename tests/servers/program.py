"""The program as a script calls it: a process of its own, with its own configuration and data."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab_server import HOST, PASSWORD, USER

SENDER = "Ada Lovelace <ada@lab.test>"


@dataclass(frozen=True, slots=True)
class Run:
    """One call, ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What ``--json`` printed."""
        return json.loads(self.out)


@dataclass(slots=True)
class Program:
    """Calls `python -m tui_mailer` with a configuration and a data dir of the test's own."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def configuration(self) -> Path:
        """The configuration file."""
        return self.folder / "config.yaml"

    @property
    def secret_file(self) -> Path:
        """What `account_for` gives as the credential; holds the right password."""
        return self.folder / "secret"

    def account_for(
        self, *, security: str, port: int, ca_file: Path, user: str = USER, secret: str = PASSWORD, **more: object
    ) -> dict[str, object]:
        """Settings of an SMTP account; the secret comes from a file."""
        self.secret_file.write_text(f"{secret}\n")
        self.secret_file.chmod(0o600)
        return {
            "provider": "smtp",
            "from": SENDER,
            "host": HOST,
            "port": port,
            "security": security,
            "ca_file": str(ca_file),
            "username": user,
            "credential": {"file": str(self.secret_file)},
            **more,
        }

    def configure(self, account: Mapping[str, object]) -> None:
        """Writes a configuration with this account, named ``work``; JSON is YAML."""
        self.configuration.write_text(json.dumps({"default_account": "work", "accounts": {"work": account}}))
        self.configuration.chmod(0o600)

    def __call__(self, *arguments: str | Path, stdin: str | None = None) -> Run:
        """Runs a command to its end."""
        ended = subprocess.run(
            [*self.command, *map(str, arguments)],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            env={**os.environ, **self.environment},
            cwd=self.folder,
            timeout=120,
            check=False,
        )
        return Run(ended.returncode, ended.stdout, ended.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Starts a command that goes on until it is told to stop."""
        environment = {**os.environ, **self.environment}
        return subprocess.Popen([*self.command, *arguments], stderr=subprocess.DEVNULL, env=environment)

    @property
    def command(self) -> list[str]:
        """The words before the command's own."""
        data_dir = str(self.folder / "data")
        return [sys.executable, "-m", "tui_mailer", "--config", str(self.configuration), "--data-dir", data_dir]

    def send(self, *arguments: str | Path, expect: int) -> Any:
        """Runs ``send --json`` with a subject and a body, checks the exit code, and returns the submission."""
        run = self("send", "--json", "--subject", "Grüße", "--body", "Bis morgen!", *arguments)
        assert run.code == expect, f"exit {run.code}, expected {expect}\n{run.out}\n{run.err}"
        return run.json

    def show(self, submission_id: str) -> Any:
        """The submission as it stands, with its attempts."""
        run = self("outbox", "show", submission_id, "--json")
        assert run.code == 0, run.err
        return run.json
