"""``sendmail``: letters as other programs write them, names as cron writes them, and codes as they are read."""

from __future__ import annotations

import os
import pwd
import re
from io import BytesIO
from pathlib import Path

import pytest
from program_run import TuiMailer

from tui_mailer.cli.exit_code import UsageError
from tui_mailer.cli.sendmail import read_message, translate

pytestmark = pytest.mark.usefixtures("nobody_delivers")

MESSAGE = b"From: Ada <ada@example.org>\nTo: bob@example.org\nBcc: secret@example.org\nSubject: Hi\n\nHello\n"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("-t", "--read-recipients --"),
        ("-ti", "--read-recipients --ignore-dots --"),
        ("-oi -f a@x b@x", "--ignore-dots --sender=a@x -- b@x"),
        ("-fa@x -FName b@x c@x", "--sender=a@x --full-name=Name -- b@x c@x"),
        ("-if a@x b@x", "--ignore-dots --sender=a@x -- b@x"),
        ("-r a@x b@x", "--sender=a@x -- b@x"),
        ("-oem -odb -B8BITMIME -N never -Rhdrs -V env -bm b@x", "-- b@x"),
        ("-FCronDaemon -i -B8BITMIME -oem root", "--full-name=CronDaemon --ignore-dots -- root"),
        ("b@x -t -- -odd@x", "--read-recipients -- b@x -odd@x"),
        ("--config c.yaml --json b@x", "--config c.yaml --json -- b@x"),
    ],
)
def test_letters_mean_what_they_mean_to_sendmail(typed: str, meant: str) -> None:
    """Joined, combined or apart; what doesn't matter here is accepted and ignored."""
    assert translate(typed.split()) == meant.split()


@pytest.mark.parametrize("typed", ["-bs", "-bp", "-bi", "-bd", "-q", "-q15m", "-Z", "-f"])
def test_what_is_not_offered_is_a_usage_error(typed: str, tui_mailer: TuiMailer) -> None:
    """Modes of a mail server are refused by name, not misread."""
    with pytest.raises(UsageError):
        translate([typed])
    assert tui_mailer("sendmail", typed, stdin=MESSAGE).code == 64


def test_a_lone_dot_ends_the_message_unless_told_otherwise() -> None:
    """A line with nothing but a dot ends the message; with -i it belongs to it."""
    typed = b"a\n..\n.\r\nb\n"
    assert read_message(BytesIO(typed), ignore_dots=False) == b"a\n..\n"
    assert read_message(BytesIO(typed), ignore_dots=True) == typed
    assert read_message(BytesIO(b"a\n.b\n."), ignore_dots=False) == b"a\n.b\n"


def stored(tui_mailer: TuiMailer, *words: str, stdin: bytes = MESSAGE) -> dict:
    """Hands over a message and gives back what was stored."""
    run = tui_mailer("sendmail", "--json", *words, stdin=stdin)
    assert run.code == 0, run.err
    return run.json


def test_recipients_come_from_the_message_and_bcc_leaves_it(tui_mailer: TuiMailer, maildir: Path) -> None:
    """With -t the headers name the recipients; Bcc is served and taken out, the rest stays byte for byte."""
    submission = stored(tui_mailer, "-t", stdin=MESSAGE + b"caf\xe9 \n.\nnot this\n")
    assert [each["address"] for each in submission["recipients"]] == ["bob@example.org", "secret@example.org"]
    assert submission["subject"] == "Hi"
    assert tui_mailer("outbox", "flush").code == 0
    kept = next(iter(maildir.iterdir())).read_bytes().replace(b"\r", b"")
    expected = MESSAGE.replace(b"Bcc: secret@example.org\n", b"").replace(b"\n\n", b"\nDate: X\nMessage-ID: Y\n\n")
    kept = re.sub(rb"(?m)^Message-ID: .*$", b"Message-ID: Y", re.sub(rb"(?m)^Date: .*$", b"Date: X", kept))
    assert kept == expected + b"caf\xe9 \n"


def test_arguments_are_recipients_and_the_message_stays(tui_mailer: TuiMailer) -> None:
    """Without -t only the arguments are served, as git send-email does it."""
    submission = stored(tui_mailer, "-i", "x@example.org", "y@example.org,z@example.org")
    assert [each["address"] for each in submission["recipients"]] == ["x@example.org", "y@example.org", "z@example.org"]


def test_the_account_is_found_by_sender(tui_mailer: TuiMailer, tmp_path: Path) -> None:
    """-f or From picks the account that may send as it; any other goes by the default account."""
    config = tmp_path / "config.yaml"
    config.write_text(
        "default_account: one\naccounts:\n"
        "  one: {provider: maildir, from: one@example.org}\n"
        "  ada: {provider: maildir, from: ada@example.org}\n"
        "sendmail: {domain: host.example.org, aliases: {root: 'admin@example.org'}}\n"
    )
    config.chmod(0o600)
    to = ("--config", str(config), "x@example.org")
    assert stored(tui_mailer, *to)["account"] == "ada"
    assert stored(tui_mailer, "-f", "one@example.org", *to)["account"] == "one"
    assert stored(tui_mailer, *to, stdin=b"Subject: x\n\nx\n")["account"] == "one"
    assert stored(tui_mailer, "--account", "one", *to)["account"] == "one"
    cron = stored(tui_mailer, "-froot", "--config", str(config), "root", "joe", stdin=b"From: root (Cron)\n\nx\n")
    assert [each["address"] for each in cron["recipients"]] == ["admin@example.org", "joe@host.example.org"]


def test_mail_for_the_callers_own_name_goes_to_the_accounts_address(tui_mailer: TuiMailer, tmp_path: Path) -> None:
    """What cron says of a person's own jobs needs no alias; another name is never guessed, and the way on is named."""
    config = tmp_path / "config.yaml"
    config.write_text("accounts:\n  ada: {provider: maildir, from: ada@example.org}\n")
    config.chmod(0o600)
    me = pwd.getpwuid(os.getuid()).pw_name
    words = ("-FCronDaemon", "-i", "-B8BITMIME", "-oem")
    cron = stored(tui_mailer, *words, "--config", str(config), me, stdin=f"From: {me} (Cron)\nTo: {me}\n\nx\n".encode())
    assert [each["address"] for each in cron["recipients"]] == ["ada@example.org"]
    refused = tui_mailer("sendmail", "--config", config, "somebody-else", stdin=MESSAGE)
    assert refused.code == 65
    assert f"Name it in {config}" in refused.err
    assert "sendmail: {aliases: {somebody-else: you@example.org}}" in refused.err


def test_a_message_without_headers_gets_those_it_needs(tui_mailer: TuiMailer, maildir: Path) -> None:
    """From with the name given by -F, Date and Message-ID are added where they are missing."""
    stored(tui_mailer, "-FAda L", "-f", "ada@example.org", "x@example.org", stdin=b"just text\n")
    assert tui_mailer("outbox", "flush").code == 0
    kept = next(iter(maildir.iterdir())).read_text()
    assert "From: Ada L <ada@example.org>" in kept
    assert "Message-ID: <" in kept
    assert kept.endswith("\njust text\n")


@pytest.mark.parametrize(
    ("words", "stdin", "code"),
    [
        (["-t"], b"Subject: nobody\n\nx\n", 65),
        (["-t"], b"To: broken <a@\n\nx\n", 65),
        (["somebody-else"], MESSAGE, 65),
        (["x@example.org"], b"", 65),
        ([], MESSAGE, 64),
        (["--config", "/nowhere/config.yaml", "x@example.org"], MESSAGE, 78),
    ],
)
def test_what_cannot_be_stored_is_told_by_its_code(
    tui_mailer: TuiMailer, words: list[str], stdin: bytes, code: int
) -> None:
    """Bad data is 65, usage 64, configuration 78: the caller knows not to try the same again."""
    assert tui_mailer("sendmail", *words, stdin=stdin).code == code
    assert tui_mailer("outbox", "list", "--json").json == []


def test_no_room_to_store_it_is_75(tui_mailer: TuiMailer, tmp_path: Path) -> None:
    """Where nothing could be stored the caller is told to try again later."""
    (tmp_path / "file").write_text("")
    assert tui_mailer("sendmail", "--data-dir", tmp_path / "file", "x@example.org", stdin=MESSAGE).code == 75


def test_what_no_server_takes_is_refused_while_it_is_read(
    tui_mailer: TuiMailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An input without end is refused once it is larger than any mail, and nothing is stored."""
    monkeypatch.setattr("tui_mailer.cli.sendmail.LARGEST_BYTES", 2000)
    run = tui_mailer("sendmail", "-i", "x@example.org", stdin=MESSAGE + 2000 * b"x")
    assert run.code == 65
    assert "larger than" in run.err
    assert tui_mailer("outbox", "list", "--json").json == []
