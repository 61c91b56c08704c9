"""``account``: adding by options, secrets by stdin, removing with care."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from program_run import TuiMailer

from tui_mailer.cli.account_add import credential_of
from tui_mailer.cli.exit_code import UsageError

ADD = ("account", "add", "work", "--from", "Ada <ada@example.org>", "--host", "smtp.example.org")


def test_an_account_added_by_options_is_the_default_and_stands_in_the_file(
    tui_mailer: TuiMailer, shut_out_the_developer: Path
) -> None:
    """The first account that is written becomes the default; its file is the owner's alone."""
    run = tui_mailer(*ADD, "--username", "ada", "--set", "timeout_seconds=60", "--json")
    assert run.code == 0, run.err
    assert (run.json["is_default"], run.json["credential"]) == (
        True,
        {"kind": "keyring", "value": ["tui-mailer", "work"]},
    )
    assert "set-secret work" in run.err
    path = shut_out_the_developer / "config" / "tui-mailer" / "config.yaml"
    assert path.stat().st_mode & 0o777 == 0o600
    assert "host: smtp.example.org" in path.read_text()
    second = tui_mailer("account", "add", "two", "--provider", "maildir", "--from", "b@example.org", "--json")
    assert (second.code, second.json["is_default"]) == (0, False)
    assert [each["name"] for each in tui_mailer("account", "list", "--json").json] == ["work", "two"]
    shown = tui_mailer("account", "show", "work")
    assert "smtp.example.org" in shown.out
    assert tui_mailer(*ADD).code == 78


def test_on_a_terminal_what_is_missing_is_asked_for(tui_mailer: TuiMailer, shut_out_the_developer: Path) -> None:
    """Each question offers what is usual; Enter takes it."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tui_mailer", "account", "add", "--json"]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, text=True) as process:
        os.write(ours, b"\n\nAda <ada@example.org>\nsmtp.example.org\nstarttls\n\n-\n")
        out, _ = process.communicate(timeout=60)
    os.close(theirs)
    os.close(ours)
    assert process.returncode == 0
    added = json.loads(out)
    assert (added["name"], added["identities"]) == ("work", ["Ada <ada@example.org>"])
    assert added["settings"] == {"host": "smtp.example.org", "port": 587, "security": "starttls"}
    assert (shut_out_the_developer / "config" / "tui-mailer" / "config.yaml").exists()
    assert tui_mailer("account", "list", "--json").json[0]["is_default"]


@pytest.mark.usefixtures("shut_out_the_developer")
def test_a_wrong_answer_is_asked_for_again(tui_mailer: TuiMailer) -> None:
    """One slip in the questions loses none of the other answers, and a name that is taken isn't offered."""
    assert tui_mailer(*ADD).code == 0
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tui_mailer", "account", "add", "--json"]
    answers = b"work\nhome\nsmpt\n\nada at home\nada@home.example\n\nsmtp.home.example\nssl\ntls\nmany\n\n-\n"
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, text=True) as process:
        os.write(ours, answers)
        out, _ = process.communicate(timeout=60)
    asked = os.read(ours, 65536).decode()
    os.close(theirs)
    os.close(ours)
    assert process.returncode == 0
    assert json.loads(out)["settings"] == {"host": "smtp.home.example", "port": 465, "security": "tls"}
    assert "account [work]" not in asked
    assert "There is an account 'work' already." in asked
    assert "Security is tls, starttls or none." in asked


def test_an_account_can_be_added_to_a_file_that_is_not_there_yet(tui_mailer: TuiMailer, tmp_path: Path) -> None:
    """The command that makes the file doesn't ask for it first."""
    path = tmp_path / "new.yaml"
    assert tui_mailer("--config", path, *ADD).code == 0
    assert tui_mailer("--config", path, "account", "list", "--json").json[0]["name"] == "work"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set", "hots=x"], "hots"),
        (["--port", "99999"], "port"),
        (["--set", "fingerprint=zz"], "fingerprint"),
    ],
)
def test_a_wrong_setting_is_refused_and_nothing_is_written(
    tui_mailer: TuiMailer, shut_out_the_developer: Path, words: list[str], said: str
) -> None:
    """An account is judged before it is written, as the file would be."""
    run = tui_mailer(*ADD, *words)
    assert run.code == 78
    assert said in run.err
    assert not (shut_out_the_developer / "config" / "tui-mailer" / "config.yaml").exists()


def test_a_read_only_file_is_left_alone_and_the_block_is_printed(tui_mailer: TuiMailer, tmp_path: Path) -> None:
    """What can't be written is given to paste."""
    path = tmp_path / "config.yaml"
    path.write_text("accounts:\n  two: {provider: maildir, from: b@example.org}\n")
    path.chmod(0o400)
    run = tui_mailer("--config", path, *ADD)
    assert run.code == 78
    assert "  work:\n    provider: smtp\n" in run.err


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("keyring", "keyring"),
        ("prompt", "prompt"),
        ("keyring:mail/ada", {"keyring": "mail/ada"}),
        ("command:pass show mail/work", {"command": "pass show mail/work"}),
        ("env:MAIL_TOKEN", {"env": "MAIL_TOKEN"}),
        ("file:/run/secret", {"file": "/run/secret"}),
    ],
)
def test_credential_sources_are_read(typed: str, meant: object) -> None:
    """Each source has a short form."""
    assert credential_of(typed) == meant


@pytest.mark.parametrize("typed", ["hunter2", "command:", "password:hunter2", "prompt:x"])
def test_a_secret_in_place_of_a_source_is_not_repeated(typed: str) -> None:
    """Whatever was typed there may be a password: the error doesn't say it again."""
    with pytest.raises(UsageError) as caught:
        credential_of(typed)
    assert "hunter2" not in str(caught.value)


def test_a_secret_without_a_keyring_is_77_with_another_way(tui_mailer: TuiMailer) -> None:
    """Where there is no keyring nothing is stored, and the sentence names the alternatives."""
    assert tui_mailer(*ADD, "--username", "ada").code == 0
    run = tui_mailer("account", "set-secret", "work", stdin=b"hunter2\n")
    assert run.code == 77
    assert "{command: ...}" in run.err
    assert "hunter2" not in run.err + run.out
    assert tui_mailer("account", "set-secret", "work", stdin=b"").code == 65


def test_a_held_account_is_tested_released_and_removed_with_care(tui_mailer: TuiMailer) -> None:
    """An account with open mail stays; without it, it goes."""
    assert tui_mailer("account", "add", "box", "--provider", "maildir", "--from", "a@example.org").code == 0
    tested = tui_mailer("account", "test", "box", "--json")
    assert (tested.code, tested.json["identities"][0]["address"]) == (0, "a@example.org")
    held = tui_mailer("send", "--to", "b@example.org", "--subject", "x", "--body", "x", "--hold", "--json").json
    refused = tui_mailer("account", "remove", "box")
    assert refused.code == 65
    assert "1 open" in refused.err
    assert tui_mailer("outbox", "cancel", held["id"]).code == 0
    assert tui_mailer("account", "remove", "box", "--json").json == {"removed": "box"}
    assert [each["name"] for each in tui_mailer("account", "list", "--json").json] == ["local"]


def test_the_doctor_tells_of_an_account_without_its_secret(tui_mailer: TuiMailer, tmp_path: Path) -> None:
    """What would hold an account is found before any mail is."""
    config = tmp_path / "config.yaml"
    accounts = {
        "env": {"credential": {"env": "NO_SUCH_VARIABLE"}},
        "file": {"credential": {"file": str(tmp_path / "none")}},
        "command": {"credential": {"command": "no-such-program --now"}},
    }
    server = {"provider": "smtp", "from": "a@example.org", "host": "h.example.org", "security": "tls", "username": "a"}
    config.write_text(json.dumps({"accounts": {name: {**server, **more} for name, more in accounts.items()}}))
    config.chmod(0o600)
    run = tui_mailer("--config", config, "doctor", "--json")
    assert run.code == 77
    wrong = [check["text"] for check in run.json["checks"] if check["level"] == "error"]
    assert len(wrong) == 3
    assert any("no-such-program" in text for text in wrong)


def test_the_doctor_tells_of_a_data_dir_that_cannot_be_used(tui_mailer: TuiMailer, tmp_path: Path) -> None:
    """A data dir that is a file, or open to others, is named with the remedy."""
    (tmp_path / "file").write_text("")
    assert tui_mailer("doctor", "--data-dir", tmp_path / "file").code == 73
    (tmp_path / "open").mkdir(mode=0o755)
    os.chmod(tmp_path / "open", 0o755)  # noqa: PTH101 - past the umask
    run = tui_mailer("doctor", "--data-dir", tmp_path / "open")
    assert (run.code, f"chmod 700 {tmp_path / 'open'}" in run.out) == (0, True)
