"""Every place where text from outside can appear, each proven open: only our own sequences go to the terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from harmless import REPLY, SLY, assert_harmless
from scripted_mail import scripted_server
from smtp_server import DROP, STALL, ScriptedServer
from terminal_emulator import KEYS, ROOT, Terminal, environment_in, in_terminal

WORST = f"{SLY}\x1b]0;PWNED\x07\x1b[2Jgone"
"""What a header can't carry, too."""
HEADER = "evil\u202e [/b][@click=app.quit]"
"""What a header can carry."""
ADDRESS = '"evil [/b]" <eve@example.org>'
SENDER = """'"evil [/b][@click=app.quit]" <ada@example.org>'"""
FILES = ("a evil\x1b]0;PWNED\x07\u202egnp[b].txt", "c\x1b[2Jgone", "[b][@click=app.quit]", "bad\udcff\udc9b31m")
SHOWN_FILES = ("a evil", "gone", "[b][@click=app.quit]", "bad")


@dataclass(frozen=True, slots=True)
class Place:
    """How one gets there, what proves it, and how one leaves."""

    name: str
    way: Sequence[str]
    """Keys by name; anything else is pasted."""
    shown: Sequence[str]
    back: Sequence[str] = ("escape",)
    gone: str = ""


def places(files: Path) -> tuple[Place, ...]:
    """From the form through every dialog and list, and back to the form."""
    return (
        Place("a contact proposed", ("eve",), ("eve@example.org", "evil"), ("ctrl+u",)),
        Place("pasted fields", (ADDRESS, "tab", "tab", WORST, "tab", WORST, "tab"), ("evil", "[/b]"), ()),
        Place("browsing", ("ctrl+t", f"{files}/"), ("Attach files", *SHOWN_FILES), ("down", "enter"), "F6 Hidden"),
        Place("a file attached", (), ("gnp[b].txt", "1 B"), ()),
        Place("a missing file", (f"/nowhere/{WORST}", "enter"), ("there is no file /nowhere", "evil"), ("ctrl+u",)),
        Place("options", ("f7",), ("Options of this message",), ("escape",), "Options of"),
        Place("no time", ("ctrl+l", SLY), ("When is it to go out?", "evil"), ("escape",), "When is it to"),
        Place("the palette", ("ctrl+p", SLY), ("No matches found", "evil"), ("escape",), "No matches"),
        Place("help", ("f1",), ("Keys: compose",), ("escape",), "Keys:"),
        Place("the review", ("ctrl+s",), ("Review:", "evil", "[/b]"), ("escape",), "Review:"),
        Place("drafts", ("f8",), ("Drafts:", "evil"), ("escape",), "Drafts:"),
        Place("accounts", ("f9",), ("Accounts", "evil"), (), ""),
        Place("the account form", ("n", WORST, "tab", SLY, "tab", "tab", SLY), ("Add an", "evil"), (), ""),
        Place("the providers", ("f2",), ("evil-provider",), ("escape", "escape", "escape"), "Accounts"),
        Place("the outbox", ("f3",), ("[Outbox", "evil", "uncertain", "held"), ()),
        Place("details of what is held", ("end", "enter"), ("Message-ID", "evil"), ("escape",), "Message-ID"),
        Place("another time", ("t", SLY), ("evil",), ("escape",), "When is it to"),
        Place("settling", ("home", "o"), ("Did it reach evil", "it arrived"), ("escape",), "it arrived"),
        Place("the transcript", ("home", "enter", "t", "end"), ("evil",), ("escape", "escape"), "Message-ID"),
        Place("canceling", ("end", "x"), ("1 canceled",), ()),
        Place("the history", ("f4",), ("[History]", "evil", "failed", "sent"), ()),
        Place("a filter", ("/", SLY), ("Find     evil", "3 found"), ("escape",), "3 found"),
        Place("found", ("/", "to:no@example.org", "enter"), ("1 found",), ()),
        Place("a refusal", ("enter",), ("Message-ID", "rejected", "evil"), ("escape",), "Message-ID"),
        Place("sending again", ("s",), ("Send again, to those", "evil"), ("escape",), "Send again"),
        Place("an .eml", ("w",), ("Write the message as an .eml", "evil"), (), ""),
        Place("no .eml", ("ctrl+u", f"/nowhere/{SLY}", "enter"), ("can't be written",), ("escape",), "can't"),
        Place("deleting", ("x",), ("for good?",), ("escape",), "for good?"),
        Place("purging", ("X", SLY, "enter"), ("evil",), ("escape",)),
    )  # fmt: skip


def go(terminal: Terminal, steps: Sequence[str]) -> None:
    """Presses keys and pastes text, each after the one before has come to rest."""
    for step in steps:
        if step in KEYS:
            terminal.press(step)
        elif len(step) == 1:
            terminal.type(step)
        else:
            terminal.paste(step)
        terminal.until_quiet(0.1)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command on the same data."""
    command = [sys.executable, "-m", "tui_mailer", "--data-dir", str(folder / "data"), *arguments]
    environment, nothing = environment_in(folder), subprocess.DEVNULL
    return subprocess.run(
        command, env=environment, cwd=ROOT, stdin=nothing, capture_output=True, text=True, check=False
    )


def add_provider(folder: Path) -> Path:
    """A package of somebody else's, whose provider has a nasty name; returns the folder to be found in."""
    package = folder / "packages"
    (package / "evil-1.0.dist-info").mkdir(parents=True)
    (package / "evil-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
    name = "evil-provider\u202e[b][@click=app.quit]\x9b31m"
    (package / "evil-1.0.dist-info" / "entry_points.txt").write_text(
        f"[tui_mailer.providers]\n{name} = evil_module:Evil\n", encoding="utf-8"
    )
    return package


def test_no_place_obeys_what_it_shows(tmp_path: Path) -> None:
    """One walk through all of it, with the wire looked at after each place."""
    files = tmp_path / "files"
    files.mkdir()
    for name in FILES:
        (files / name).write_text("x")
    rest = ("--body", WORST, "--note", WORST, "--subject", HEADER, "--attach", str(files / FILES[0]))
    packages = add_provider(tmp_path)
    with scripted_server(tmp_path, **{"RCPT TO:<no": REPLY}) as server:
        config = tmp_path / "config" / "tui-mailer" / "config.yaml"
        config.write_text(config.read_text().replace("Ada Lovelace <ada@example.org>", SENDER))
        assert run(tmp_path, "send", "--to", ADDRESS, *rest).returncode == 0
        assert run(tmp_path, "send", "--to", "no@example.org", *rest).returncode == 69
        server.on("DOT", DROP)
        assert run(tmp_path, "send", "--to", ADDRESS, *rest).returncode == 76
        assert run(tmp_path, "send", "--hold", "--to", ADDRESS, *rest).returncode == 0
        assert run(tmp_path, "draft", "new", "--to", WORST, "--subject", WORST, "--body", WORST).returncode == 0
        with in_terminal(tmp_path, PYTHONPATH=f"{ROOT}:{packages}") as terminal:
            terminal.shows("^S Send")
            terminal.until_quiet(0.3)
            for place in places(files):
                go(terminal, place.way)
                try:
                    terminal.shows(*place.shown)
                except AssertionError as error:
                    raise AssertionError(f"{place.name}: {error}") from None
                assert_harmless(terminal.raw)
                go(terminal, place.back)
                if place.gone:
                    terminal.until_gone(place.gone)
            leave_while_sending(terminal, server)
            assert_harmless(terminal.raw)


def leave_while_sending(terminal: Terminal, server: ScriptedServer) -> None:
    """The dialog of what is still under way when one quits."""
    server.on("MAIL", STALL)
    go(terminal, ("f2", "ctrl+s"))
    terminal.shows("Review:")
    terminal.read_for(0.7)
    terminal.press("enter")
    terminal.until_gone("Review:")
    terminal.press("ctrl+q")
    terminal.shows("Sending what is due", "evil")
    assert_harmless(terminal.raw)
    terminal.press("ctrl+q")
    assert terminal.ended() == 0


def test_an_account_held_for_what_a_server_said_quotes_it_harmlessly(tmp_path: Path) -> None:
    """In the first row, the outbox, and the list of accounts."""
    with scripted_server(tmp_path, MAIL=f"530 5.7.0 {SLY}"):
        assert run(tmp_path, "send", "--to", ADDRESS, "--subject", HEADER, "--body", "b").returncode == 77
        with in_terminal(tmp_path) as terminal:
            terminal.shows("^S Send", "work")
            go(terminal, ("f3",))
            terminal.shows("[Outbox 1]", "evil")
            go(terminal, ("enter",))
            terminal.shows("Message-ID")
            go(terminal, ("escape", "f9"))
            terminal.shows("Accounts", "held", "evil")
            go(terminal, ("escape", "ctrl+q"))
            assert terminal.ended() == 0
            assert_harmless(terminal.raw)


@pytest.mark.parametrize(
    "line", [f"{HEADER}: 1", f"accounts: {{'{HEADER}': {{provider: '{HEADER}'}}}}", f"ui: {{theme: '{HEADER}'}}"]
)
def test_a_configuration_that_is_refused_is_quoted_harmlessly(tmp_path: Path, line: str) -> None:
    """At the start of the app, where the screen isn't taken yet."""
    config = tmp_path / "evil\x1b]0;PWNED\x07.yaml"
    config.write_text(line + "\n", encoding="utf-8")
    config.chmod(0o600)
    with in_terminal(tmp_path, "--config", str(config)) as terminal:
        assert terminal.ended() == 78
        assert "evil" in terminal.text()
        assert_harmless(terminal.raw)


def test_commands_on_a_terminal_quote_harmlessly(tmp_path: Path) -> None:
    """Lists, details, searches, and errors that name what was asked for."""
    rest = ("--body", WORST, "--note", WORST, "--subject", HEADER)
    with scripted_server(tmp_path, **{"RCPT TO:<no": f"550 5.1.1 {SLY}", "RCPT TO:<later": f"451 4.7.1 {SLY}"}):
        for name, code in (("no", 69), ("later", 75), ("yes", 0)):
            assert run(tmp_path, "send", "--to", f"{name}@example.org", *rest).returncode == code
        assert run(tmp_path, "draft", "new", "--to", WORST, "--subject", WORST, "--body", WORST).returncode == 0
        ids = [
            json.loads(run(tmp_path, kind, "list", "--json").stdout)[0]["id"] for kind in ("outbox", "history", "draft")
        ]
        commands = (
            *((kind, "list") for kind in ("outbox", "history", "draft")),
            *((kind, "show", one) for kind, one in zip(("outbox", "history", "draft"), ids, strict=True)),
            ("history", "search", "evil"),
            ("history", "show", WORST),
            ("account", "show", WORST),
            ("account", "list"),
            ("send", "--to", WORST, "--body", "b"),
            ("send", "--to", "bob@example.org", "--body-file", f"/nowhere/{WORST}"),
            ("send", "--to", "bob@example.org", "--body", "b", "--at", WORST),
            ("send", f"--{WORST}"),
            (WORST,),
        )
        for command in commands:
            with in_terminal(tmp_path, *command) as terminal:
                terminal.ended()
                assert "evil" in terminal.text() or command == ("account", "list"), command
                assert_harmless(terminal.raw)
