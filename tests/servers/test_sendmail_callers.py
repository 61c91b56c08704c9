"""Programs that call ``sendmail`` for real: git send-email, s-nail, and cron's way of writing a mail."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from lab_server import MailServer
from program import Program

PATCH_ID = "<20261126-patch-1@lab.test>"


@pytest.fixture
def sendmail(program: Program, postfix: MailServer, tmp_path: Path) -> Path:
    """A link named sendmail, its account on postfix."""
    account = program.account_for(security="tls", port=postfix.tls_port, ca_file=postfix.ca_file)
    program.configuration.write_text(
        json.dumps(
            {
                "default_account": "work",
                "accounts": {"work": account},
                "sendmail": {"domain": "lab.test", "aliases": {"root": "a@lab.test"}},
            }
        )
    )
    program.configuration.chmod(0o600)
    link = tmp_path / "bin" / "sendmail"
    link.parent.mkdir()
    link.symlink_to(Path(sys.executable).with_name("tui-mailer"))
    return link


@pytest.fixture
def environment(program: Program) -> dict[str, str]:
    """As little as cron gives, and where the program finds its files."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(program.folder),
        "SHELL": "/bin/sh",
        "TUI_MAILER_CONFIG": str(program.configuration),
        "TUI_MAILER_DATA_DIR": str(program.folder / "data"),
    }


Call = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def call(environment: dict[str, str], tmp_path: Path) -> Call:
    """Runs a program to its end; what it leaves running doesn't hold us up."""

    def run(*words: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            list(map(str, words)),
            input=stdin,
            capture_output=True,
            env=environment,
            cwd=tmp_path,
            timeout=60,
            check=False,
        )

    return run


def require(program: str, package: str) -> str:
    """Skips, saying what is missing, where a caller isn't installed."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is missing: apt-get install {package}")
    return found


def only_submission(program: Program) -> dict:
    """The one submission there is, ended or not, once its delivery is over."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        ended = program("history", "list", "--json").json
        if ended:
            (one,) = ended
            return one
        time.sleep(0.1)
    raise AssertionError(program("outbox", "list", "--json").out)


def test_git_send_email_sends_a_patch(
    sendmail: Path, call: Call, program: Program, postfix: MailServer, tmp_path: Path
) -> None:
    """A patch leaves by --sendmail-cmd byte for byte, with git's own Message-ID and 8-bit text."""
    require("git", "git-email")
    if not Path("/usr/lib/git-core/git-send-email").exists():
        pytest.skip("git send-email is missing: apt-get install git-email")
    patch = tmp_path / "0001-tea.patch"
    patch.write_text(
        "From 1111111111111111111111111111111111111111 Mon Sep 17 00:00:00 2001\n"
        f"From: Ada Lovelace <ada@lab.test>\nDate: Thu, 26 Nov 2026 05:00:00 +0000\nMessage-ID: {PATCH_ID}\n"
        "Subject: [PATCH] Grüße an alle\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n"
        "Content-Transfer-Encoding: 8bit\n\nTee für alle.\n---\n tea | 1 +\n\n"
        "diff --git a/tea b/tea\n.\n+kettle\n-- \n2.39\n"
    )
    run = call(
        *("git", "send-email", "--quiet", "--confirm=never", "--suppress-cc=all", "--no-thread"),
        *("--from=Ada Lovelace <ada@lab.test>", "--to=b@lab.test", "--cc=c@lab.test", "--bcc=a@lab.test"),
        *(f"--sendmail-cmd={sendmail}", patch),
    )
    assert run.returncode == 0, run.stderr
    submission = only_submission(program)
    assert (submission["state"], submission["message_id"]) == ("sent", PATCH_ID)
    copies = postfix.wait_for(PATCH_ID, "a@lab.test", "b@lab.test", "c@lab.test")
    assert postfix.count_accepted(PATCH_ID) == 1
    for copy in copies:
        assert "Tee für alle.".encode() in copy.raw
        assert b"\n.\n+kettle" in copy.raw
        assert copy.message["Bcc"] is None


def test_s_nail_sends_through_it(sendmail: Path, call: Call, program: Program, postfix: MailServer) -> None:
    """s-nail's own way of calling its mta: recipients as arguments, the message on stdin."""
    nail = require("s-nail", "s-nail")
    run = call(
        *(nail, "-n", "-S", f"mta={sendmail}", "-S", "from=ada@lab.test", "-S", "ttycharset=utf-8"),
        *("-s", "Grüße", "-b", "a@lab.test", "b@lab.test"),
        stdin="Bis morgen — um vier!\n".encode(),
    )
    assert run.returncode == 0, run.stderr
    submission = only_submission(program)
    assert submission["state"] == "sent"
    assert {each["address"] for each in submission["recipients"]} == {"a@lab.test", "b@lab.test"}
    (copy, *_) = postfix.wait_for(submission["message_id"], "a@lab.test", "b@lab.test")
    assert copy.message["Subject"] == "Grüße"
    assert copy.message.get_content().strip() == "Bis morgen — um vier!"
    assert copy.message["Bcc"] is None


def test_cron_mails_what_a_job_has_said(sendmail: Path, call: Call, program: Program, postfix: MailServer) -> None:
    """Bare names, a From without a domain, LF lines, raw 8-bit output in an empty environment: root's alias has it."""
    body = b"disk: 97 % full\ncaf\xc3\xa9 \xff\nlast line without an end"
    message = (
        b"From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@host> df\nMIME-Version: 1.0\n"
        b"Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\nX-Cron-Env: <HOME=/root>\n\n" + body
    )
    run = call(sendmail, "-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root", stdin=message)
    assert (run.returncode, run.stdout) == (0, b""), run.stderr
    submission = only_submission(program)
    assert [each["address"] for each in submission["recipients"]] == ["a@lab.test"]
    (copy, *_) = postfix.wait_for(submission["message_id"], "a@lab.test")
    assert body in copy.raw.replace(b"\r\n", b"\n")


def test_its_exit_is_0_only_once_the_message_is_durable(
    sendmail: Path, call: Call, environment: dict[str, str]
) -> None:
    """Where the data dir can't be written it is 75, a bad message 65, a bad configuration 78: nothing is stored."""
    message = b"From: ada@lab.test\nTo: b@lab.test\nSubject: x\n\nx\n"
    assert call(sendmail, "-t", stdin=b"Subject: nobody\n\nx\n").returncode == 65
    environment["TUI_MAILER_DATA_DIR"] = os.devnull
    assert call(sendmail, "-t", stdin=message).returncode == 75
    environment["TUI_MAILER_CONFIG"] = "/nowhere/config.yaml"
    assert call(sendmail, "-t", stdin=message).returncode == 78
