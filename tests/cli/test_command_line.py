"""The command line itself: where options may stand, what help says, how errors end."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from program_run import TuiMailer

from tui_mailer.cli.command import COMMANDS

HEAVY = ("pydantic", "httpx", "keyring", "aiosmtplib", "ruamel", "apsw", "textual", "asyncio", "email", "ulid", "idna")


def modules_after(statement: str) -> set[str]:
    """Names the top-level modules that a statement has loaded."""
    program = (
        f"{statement}\nimport sys, json\nprint(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(ended.stdout.splitlines()[-1]))


def test_the_entry_point_loads_nothing_heavy() -> None:
    """Importing the entry point costs next to nothing."""
    assert not modules_after("import tui_mailer.cli.main") & {*HEAVY, "argparse", "dataclasses"}


@pytest.mark.parametrize("command", ["send", "outbox", "history", "doctor", "merge", "deliver", "sendmail"])
def test_help_of_a_command_loads_no_mail_machinery(command: str) -> None:
    """Asking for help doesn't wait for databases, servers or key rings to be loaded."""
    loaded = modules_after(f"from tui_mailer.cli.main import main\nassert main(['{command}', '--help']) == 0")
    assert not loaded & (set(HEAVY) - {"email"})


def test_help_names_every_command_and_the_exit_codes(tui_mailer: TuiMailer) -> None:
    """The help of the whole program shows each command, and what exit codes mean."""
    run = tui_mailer("--help")
    assert run.code == 0
    assert all(f"\n  {name} " in run.out for name in COMMANDS)
    assert "75  not yet" in run.out


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_command_has_help_with_the_global_options(tui_mailer: TuiMailer, command: str) -> None:
    """Help of each command ends well and shows the options that every command takes."""
    run = tui_mailer(command, "--help")
    assert run.code == 0
    assert run.out.startswith(f"usage: tui-mailer {command}")
    assert "--data-dir" in run.out
    assert tui_mailer("help", command).out == run.out


@pytest.mark.parametrize("words", [["--version"], ["send", "--version"], ["--json", "--version"]])
def test_version_is_one_line(tui_mailer: TuiMailer, words: list[str]) -> None:
    """The version is told wherever it is asked for."""
    run = tui_mailer(*words)
    assert run.code == 0
    assert run.out.startswith("tui-mailer 0.")
    assert run.out.count("\n") == 1


def test_global_options_stand_before_or_after_the_command(tui_mailer: TuiMailer, tmp_path) -> None:
    """It makes no difference on which side of the command a global option stands."""
    there = tui_mailer("--data-dir", tmp_path / "a", "--json", "draft", "new", "--to", "a@example.org")
    assert there.code == 0
    for words in (
        ["--json", f"--data-dir={tmp_path / 'a'}", "draft", "list"],
        ["draft", "list", "--data-dir", tmp_path / "a", "--json"],
        ["draft", "--json", "list", "--data-dir", tmp_path / "a"],
    ):
        assert [draft["id"] for draft in tui_mailer(*words).json] == [there.json["id"]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["snd"], "Did you mean 'send'?"),
        (["ada@example.org"], "tui-mailer compose ADDRESS"),
        (["service"], "COMMAND"),
        (["outbox"], "COMMAND"),
        (["outbox", "resolve", "ABCD"], "--sent --failed --resend"),
        (["send", "--nonsense"], "--nonsense"),
        (["send", "--subj", "abbreviated"], "--subj"),
        (["send", "--undo", "-1"], "--undo"),
        (["send", "--from", "a@example.org", "--from", "b@example.org"], "may be given once"),
        (["send", "--as", "name.txt"], "belongs behind an --attach"),
        (["send", "--meta", "novalue"], "KEY=VALUE"),
        (["send", "--header", "no colon"], "Name: value"),
        (["send", "--body", "x", "--body-file", "y"], "not allowed with"),
        (["account", "add"], "Missing: NAME, --from, --host"),
        (["compose"], "needs a terminal"),
        ([], "needs a terminal"),
    ],
)
def test_what_cannot_be_understood_is_64_and_one_sentence(tui_mailer: TuiMailer, words: list[str], said: str) -> None:
    """A wrong command line exits 64, says what is wrong, and touches nothing."""
    run = tui_mailer(*words)
    assert (run.code, run.out) == (64, "")
    assert said in run.err
    assert "Traceback" not in run.err
    as_json = tui_mailer("--json", *words)
    assert as_json.code == 64
    assert as_json.json["error"]["code"] == 64


def test_a_bad_configuration_is_78_but_not_for_help_and_doctor(tui_mailer: TuiMailer, tmp_path) -> None:
    """Every command refuses a configuration it can't read; the doctor says what is wrong with it."""
    broken = tmp_path / "config.yaml"
    broken.write_text("accounts:\n  work: {provider: smtp, from: a@example.org, hots: x}\ncolour: red\n")
    broken.chmod(0o600)
    for words in (["outbox", "list"], ["send", "--to", "a@example.org"], ["provider", "list"], ["account", "list"]):
        run = tui_mailer("--config", broken, *words)
        assert run.code == 78
        assert f"{broken}:3" in run.err
    assert tui_mailer("--config", broken, "send", "--help").code == 0
    doctor = tui_mailer("--config", broken, "doctor")
    assert doctor.code == 78
    assert "colour" in doctor.out


def test_the_doctor_tries_keys_and_theme_as_the_app_does(tui_mailer: TuiMailer, tmp_path) -> None:
    """What would keep only the app from starting is told by the doctor too, with the page that lists the actions."""
    config = tmp_path / "config.yaml"
    config.write_text("ui: {keys: {compose.sned: f12}}\n")
    config.chmod(0o600)
    told = tui_mailer("--config", config, "doctor")
    assert told.code == 78
    assert "there is no action 'compose.sned' (did you mean 'compose.send'?); docs/keys.md lists them" in told.out
    config.write_text("ui: {keys: {compose.send: f12}, theme: dark}\n")
    assert tui_mailer("--config", config, "doctor").code == 0


def test_the_doctor_says_which_settings_have_no_effect_yet(tui_mailer: TuiMailer, tmp_path) -> None:
    """A setting that a later version will heed isn't silently ignored."""
    config = tmp_path / "config.yaml"
    config.write_text(
        "accounts:\n  work: {provider: smtp, from: a@example.org, host: mail.example.org}\n"
        "  spare: {provider: maildir, from: a@example.org, sent_copy: true}\n"
    )
    config.chmod(0o600)
    assert "accounts.spare.sent_copy: has no effect in this version yet" in tui_mailer("--config", config, "doctor").out


def test_a_bug_is_one_sentence_and_a_private_log_without_secrets(
    tui_mailer: TuiMailer, monkeypatch: pytest.MonkeyPatch, shut_out_the_developer
) -> None:
    """Whatever nobody foresaw ends with 70 and the place of the log, never with a traceback."""

    def explode(*_: object) -> None:
        raise ZeroDivisionError("password=hunter2 Bearer abcdef")

    monkeypatch.setattr("tui_mailer.cli.provider.list_providers", explode)
    run = tui_mailer("provider", "list")
    log = shut_out_the_developer / "state" / "tui-mailer" / "crash.log"
    assert run.code == 70
    assert str(log) in run.err
    assert "Traceback" not in run.err + run.out
    assert "ZeroDivisionError" in log.read_text()
    assert "hunter2" not in log.read_text()
    assert "abcdef" not in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_reader_that_leaves_early_is_no_error_message() -> None:
    """``tui-mailer --help | head -1`` ends without a word on stderr."""
    program = "import os, sys\nfrom tui_mailer.cli.main import main\nsys.exit(main(['provider', 'show', 'smtp']))"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait() in (141, 0)
    assert said == ""
