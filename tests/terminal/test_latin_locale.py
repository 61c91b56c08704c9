"""A computer whose locale is ISO-8859-1, for real: the app, file names and commands in it."""

from __future__ import annotations

import email
import email.policy
import os
import re
import shutil
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest
from harmless import OWN, SLY
from terminal_emulator import ROOT, Terminal, environment_in, in_terminal
from test_app_in_terminal import cli, configure, review_and_send
from test_hostile_places import go

LATIN = "de_DE.ISO-8859-1"
SOURCE = Path("/usr/share/i18n/locales/de_DE")
NAME = os.fsdecode("größe.txt".encode("latin-1"))
"""As Python in a UTF-8 locale names the file; no UTF-8 itself."""


@pytest.fixture(scope="session")
def latin(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Makes the locale, out of the way of the computer's own; returns the environment that chooses it."""
    if shutil.which("localedef") is None or not SOURCE.exists():
        pytest.skip("there is nothing to make a locale of: install the package locales")
    folder = tmp_path_factory.mktemp("locales")
    subprocess.run(
        ["localedef", "-i", "de_DE", "-f", "ISO-8859-1", str(folder / LATIN)], check=True, capture_output=True
    )
    chosen = {"LOCPATH": str(folder), "LC_ALL": LATIN, "LANG": LATIN}
    asked = subprocess.run(
        [sys.executable, "-c", "import locale, sys; print(locale.getencoding(), sys.getfilesystemencoding())"],
        env=os.environ | chosen,
        check=True,
        capture_output=True,
        text=True,
    )
    assert asked.stdout.split() == ["ISO-8859-1", "iso8859-1"]
    return chosen


def command(folder: Path, latin: dict[str, str], *arguments: str, given: bytes = b"") -> tuple[int, str]:
    """A command in that locale, its arguments in Latin-1; returns exit code and all it said."""
    done = subprocess.run(
        [sys.executable, "-m", "tui_mailer", "--data-dir", str(folder / "data"), *(_latin(one) for one in arguments)],
        env=environment_in(folder, **latin),
        cwd=ROOT,
        input=given,
        capture_output=True,
        check=False,
        timeout=60,
    )
    return done.returncode, (done.stdout + done.stderr).decode("latin-1")


def _latin(argument: str) -> bytes:
    """Letters as that locale writes them; a name from disk as it is there."""
    return argument.encode("latin-1", "surrogateescape")


def paste(terminal: Terminal, text: str) -> None:
    """A paste by a terminal of that character set."""
    os.write(terminal.master, b"\x1b[200~" + _latin(text) + b"\x1b[201~")
    terminal.until_quiet(0.1)


def assert_latin_and_harmless(terminal: Terminal) -> None:
    """Neither UTF-8 nor a single byte that an 8-bit terminal takes for a control."""
    rest = OWN.sub(b"", terminal.raw)
    assert not re.findall(rb"[\x00-\x07\x0b\x0c\x0e\x10-\x1f\x7f-\x9f].{0,20}", rest)
    assert b"\xc3" not in rest


def test_the_app_writes_attaches_and_sends(tmp_path: Path, latin: dict[str, str]) -> None:
    """Letters are typed and shown, what the locale lacks is shown as like as can be and sent whole; a clean end."""
    configure(tmp_path)
    (tmp_path / NAME).write_text("x")
    subject, body = "Grüße 👍 漢字", "größer → 👍 漢字"
    cli(tmp_path, "draft", "new", "--to", "bob@example.org", "--subject", subject, "--body", body, "--note", SLY)
    cli(tmp_path, "draft", "new", "--subject", f"other {SLY}", "--body", SLY)
    with in_terminal(tmp_path, **latin) as terminal:
        terminal.speak_latin()
        terminal.shows("^S Send", "-----")
        go(terminal, ("f8",))
        terminal.shows("Drafts:", "Grüße ?  ? ?", "other evil")
        go(terminal, ("down", "enter"))
        terminal.until_gone("Drafts:")
        terminal.shows("Subject  Grüße ?  ? ?", "größer > ?  ? ?")
        go(terminal, ("ctrl+t",))
        paste(terminal, f"{tmp_path}/{os.fsencode(NAME).decode('latin-1')}")
        terminal.shows("größe.txt", "1 B")
        terminal.type("\x1b[Z")
        terminal.until_quiet(0.1)
        paste(terminal, "schön, ")
        os.write(terminal.master, _latin("tschüß "))
        terminal.shows("größer > ?  ? ? schön, tschüß")
        review_and_send(terminal)
        go(terminal, ("ctrl+q",))
        assert terminal.ended() == 0
        assert_latin_and_harmless(terminal)
        assert terminal.attributes_now() == terminal.attributes_before
    message, file, text = arrived(tmp_path)
    assert (message["Subject"], file) == (subject, "größe.txt")
    assert text.split() == f"{body}schön, tschüß".split()


def arrived(folder: Path) -> tuple[EmailMessage, str | None, str]:
    """What was kept in the account's Maildir: the message, the name of its file, its text."""
    (sent,) = (folder / "data" / "Maildir" / "new").iterdir()
    message = email.message_from_bytes(sent.read_bytes(), policy=email.policy.default)
    (file,) = message.iter_attachments()
    text = message.get_body()
    assert text is not None
    return message, file.get_filename(), text.get_content()


def test_commands_send_and_print(tmp_path: Path, latin: dict[str, str]) -> None:
    """Subject, body and a file name in Latin-1 arrive as they are; what can't be printed is spelled out."""
    (tmp_path / NAME).write_text("x")
    to = ("--to", "bob@example.org")
    rest = ("--subject", "Grüße", "--body", "größer", "--attach", str(tmp_path / NAME))
    code, _said = command(tmp_path, latin, "send", *to, *rest)
    assert code == 0
    message, file, text = arrived(tmp_path)
    assert (message["Subject"], text.strip(), file) == ("Grüße", "größer", "größe.txt")
    cli(tmp_path, "draft", "new", "--to", "漢 <a@example.org>", "--subject", "👍 ü", "--body", "漢字 →")
    for words, shown in (
        (("history", "list"), "Grüße"),
        (("history", "search", "größer"), "Grüße"),
        (("draft", "list"), "\\U0001f44d ü"),
        (("history", "show", "größe"), "größe"),
        (("send", "--to", "ü", "--body", "x"), "'ü' has no @"),
        (("send", *to, "--body", "x", "--attach", "/nowhere/ü"), "/nowhere/ü"),
        (("doctor",), "ok"),
        (("--help",), "usage"),
    ):
        code, said = command(tmp_path, latin, *words)
        assert shown in said, (words, said)
        assert "Traceback" not in said
        assert code != os.EX_SOFTWARE
    code, said = command(tmp_path, latin, "send", *to, given="größer".encode("latin-1"))
    assert (code, "isn't UTF-8" in said) == (os.EX_DATAERR, True)
