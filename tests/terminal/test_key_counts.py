"""The fewest keys: each task by keys alone in a real terminal, counted beyond its content."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from terminal_emulator import Terminal, in_terminal
from test_app_in_terminal import cli, configure


class Hand:
    """Types and presses; counts what was pressed."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self.presses = 0

    def type(self, text: str) -> None:
        self._terminal.type(text)

    def press(self, *keys: str) -> None:
        self.presses += len(keys)
        self._terminal.press(*keys)

    def send(self) -> None:
        """The review, and the Enter that it takes once it has been up for half a second."""
        self.press("ctrl+s")
        self._terminal.shows("Review:")
        self._terminal.read_for(0.8)
        self.press("enter")
        self._terminal.until_gone("Review:")


def test_a_plain_mail_takes_six_presses_at_most(tmp_path: Path) -> None:
    """To, subject, text, sent."""
    configure(tmp_path)
    with in_terminal(tmp_path) as terminal:
        terminal.shows("^S Send")
        hand = Hand(terminal)
        hand.type("bob@example.org")
        hand.press("tab", "tab")
        hand.type("Minutes")
        hand.press("tab")
        hand.type("Here they are.")
        hand.send()
        terminal.shows("kept on this computer")
        assert hand.presses <= 6
    (one,) = cli(tmp_path, "history", "list")
    assert (one["subject"], one["to"]) == ("Minutes", ["bob@example.org"])


def test_two_to_cc_and_an_attachment_take_seven(tmp_path: Path) -> None:
    """Two in To, one in Cc, a file by its path: nothing else to press."""
    configure(tmp_path)
    report = tmp_path / "report.pdf"
    report.write_bytes(b"%PDF-1.7")
    with in_terminal(tmp_path) as terminal:
        terminal.shows("^S Send")
        hand = Hand(terminal)
        hand.type("bob@example.org, cy@example.org")
        hand.press("tab")
        hand.type("dee@example.org")
        hand.press("tab")
        hand.type("Report")
        hand.press("tab")
        hand.type("Attached.")
        hand.press("tab")
        hand.type(str(report))
        hand.send()
        terminal.shows("kept on this computer")
        assert hand.presses <= 7
    (one,) = cli(tmp_path, "history", "list")
    assert (len(one["to"]), one["cc"]) == (2, ["dee@example.org"])
    assert [file["name"] for file in one["attachments"]] == ["report.pdf"]


def test_tomorrow_morning_takes_nine_without_typing_a_time(tmp_path: Path) -> None:
    """The offers of ^L: the one for tomorrow is two rows from the end on most days, and never further."""
    configure(tmp_path)
    with in_terminal(tmp_path) as terminal:
        terminal.shows("^S Send")
        hand = Hand(terminal)
        hand.type("bob@example.org")
        hand.press("tab", "tab")
        hand.type("Later")
        hand.press("tab")
        hand.type("Good morning.")
        hand.press("ctrl+l")
        terminal.shows("When is it to go out?", "tomorrow 9:00")
        has_monday = "onday 9:00" in terminal.text()
        hand.press(*["up"] * (2 if has_monday else 1), "enter")
        terminal.until_gone("When is it to go out?")
        hand.send()
        terminal.shows("queued for bob@example.org")
        assert hand.presses <= 9
    (one,) = cli(tmp_path, "outbox", "list")
    assert one["schedule"]["words"] == "tomorrow 9:00"


class Box:
    """What a server has taken."""

    def __init__(self) -> None:
        self.letters: list[bytes] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.letters.append(bytes(envelope.content or b""))
        return "250 taken"


def test_first_start_to_the_first_test_mail_takes_twenty_five(tmp_path: Path) -> None:
    """Nothing configured: the app says what to do, F9 and the form make the account, and a mail arrives."""
    box = Box()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        with in_terminal(tmp_path) as terminal:
            terminal.shows("sent to nobody", "F9 adds an account")
            hand = Hand(terminal)
            hand.press("f9")
            terminal.shows("n Add")
            hand.type("n")
            hand.presses += 1
            terminal.shows("Add an SMTP account")
            hand.type("Ada <ada@mill.example>")
            hand.press("tab")
            terminal.shows("smtp.mill.example")
            hand.type("127.0.0.1")
            hand.press("tab", "backspace", "tab", "tab")
            hand.type("none")
            hand.press("tab")
            hand.type(str(port))
            hand.press("ctrl+s")
            terminal.shows("account mill added")
            hand.type("bob@example.org")
            hand.press("tab", "tab")
            hand.type("Test")
            hand.press("tab")
            hand.type("It works.")
            hand.send()
            terminal.shows("queued for bob@example.org, leaves in")
            terminal.press("ctrl+q")
            assert terminal.ended() == 0
            assert hand.presses <= 25
    finally:
        controller.stop()
    assert len(box.letters) == 1
    assert "It works." in box.letters[0].decode()
    assert json.dumps(cli(tmp_path, "history", "list")).count('"sent"') >= 1
