"""What others may have made up, from server replies to file names and contacts, never steers the terminal."""

from __future__ import annotations

import re
from pathlib import Path

from scripted_mail import scripted_server
from terminal_emulator import KEYS, Terminal, in_terminal
from test_app_in_terminal import cli

SLY = "evil\u202e [/b][@click=app.quit]\x9b31m"
REPLY = f"550 5.1.1 {SLY} \x1b]0;PWNED\x07\x1b[2Jgone"
OWN = re.compile(rb"\x1b\[[0-9;:?<>=$]*[@-~]|\x1b[()][0AB]|\x1b[78=>M]|\x1b\]52;[^\x07\x1b]*\x07")
"""CSI, character sets, cursor; OSC 52 alone of all OSC."""


def assert_harmless(raw: bytes) -> None:
    """Nothing but our own kinds of sequences: no OSC but 52, no C1, no bidi control, no other control character."""
    rest = OWN.sub(b"", raw).decode("utf-8", "replace")
    strange = re.findall("[\x00-\x07\x0b\x0c\x0e\x10-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069].{0,20}", rest)
    assert not strange, strange
    assert b"\x1b[2Jgone" not in raw


def look_around(terminal: Terminal, *keys: str) -> None:
    """Presses keys, each after the screen has come to rest."""
    for key in keys:
        terminal.type(KEYS.get(key, key))
        terminal.until_quiet(0.25)


def test_what_a_server_answers_is_only_read(tmp_path: Path) -> None:
    """Outbox, status line, details and transcript of a refusal full of escapes."""
    refusals = {"RCPT TO:<bob": REPLY, "RCPT TO:<cy": REPLY.replace("550 5.1.1", "451 4.7.1")}
    with scripted_server(tmp_path, **refusals), in_terminal(tmp_path) as terminal:
        terminal.shows("^S Send")
        for name in ("bob", "cy"):
            cli(tmp_path, "send", "--queue", "--to", f"{name}@example.org", "--subject", "s", "--body", "b")
        look_around(terminal, "f3")
        terminal.shows("deferred", "evil")
        look_around(terminal, "enter", "t", "pagedown", "end")
        terminal.shows("evil")
        look_around(terminal, "escape", "escape", "f4")
        terminal.shows("failed")
        look_around(terminal, "enter", "t", "pagedown", "end", "escape", "escape")
        look_around(terminal, "ctrl+q")
        terminal.ended()
        assert_harmless(terminal.raw)


def test_names_of_accounts_files_and_contacts_are_only_read(tmp_path: Path) -> None:
    """Sender, account list, file browser, address proposals, quit dialog, palette: nasty names everywhere."""
    config = tmp_path / "config.yaml"
    config.write_text(
        "default_account: work\n"
        "accounts:\n"
        "  work: {provider: maildir, from: '\"evil [/b][@click=app.quit]\" <ada@example.org>'}\n"
        "  other: {provider: maildir, from: b@example.org}\n"
    )
    config.chmod(0o600)
    home = tmp_path / "files"
    home.mkdir()
    for name in ("a\x1b]0;PWNED\x07b", "c\x1b[2Jgone", "d\u202egnp.exe", "[b][@click=app.quit]", "bad\udcff\udc9b31m"):
        (home / name).write_text("x")
    with in_terminal(tmp_path, "--config", str(config)) as terminal:
        terminal.shows("^S Send", "evil")
        terminal.type('"evil\u202e [/b]" <bob@example.org>\t\ts\tb\t')
        look_around(terminal, "ctrl+t")
        terminal.type(f"{home}/")
        look_around(terminal, "tab", "tab", "enter", "enter", "down", "enter")
        look_around(terminal, "escape", "f9", "down", "enter", "escape", "escape")
        look_around(terminal, "ctrl+p", "escape", "f1", "escape", "ctrl+s", "enter", "escape", "f3", "f4", "f2")
        terminal.type("bob")
        look_around(terminal, "down", "escape", "ctrl+q", "ctrl+q")
        terminal.ended()
        assert_harmless(terminal.raw)
