"""The terminal lent to another program: the person's editor, or the shell; and what happens when that goes wrong."""

from __future__ import annotations

import json
import os
import resource
import shlex
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from terminal_emulator import PATIENCE_SECONDS, Terminal, environment_in, in_terminal
from test_app_in_terminal import cli, configure, write


def editor_that(folder: Path, *lines: str) -> str:
    """An editor: a shell script, its process ID in a file beside it."""
    script = folder / "editor"
    script.write_text("\n".join(["#!/bin/sh", f"echo $$ > {folder}/editor.pid", *lines]) + "\n")
    script.chmod(0o700)
    return str(script)


def open_editor(terminal: Terminal) -> None:
    """Writes something and hands it over."""
    write(terminal, "bob@example.org", "s", "before")
    terminal.press("ctrl+r")
    terminal.shows("editing now")


def is_gone(folder: Path) -> bool:
    """Whether the editor has ended."""
    pid = int((folder / "editor.pid").read_text())
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


WRITES_AND_WAITS = ('printf "what the editor wrote" > "$1"', "echo editing now", "exec sleep 60")
ENDS_AT_ENTER = ("echo editing now", "read line", 'printf "$line" > "$1"')


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, None])
def test_the_end_of_the_app_keeps_what_the_editor_wrote(tmp_path: Path, number: signal.Signals | None) -> None:
    """Told to go, or its window closed, while an editor runs: its text is in the draft, and it doesn't stay behind."""
    configure(tmp_path)
    with in_terminal(tmp_path, EDITOR=editor_that(tmp_path, *WRITES_AND_WAITS)) as terminal:
        open_editor(terminal)
        if number is None:
            terminal.hang_up()
            assert terminal.process.wait(timeout=20) == 128 + signal.SIGHUP
        else:
            os.kill(terminal.process.pid, number)
            assert terminal.ended() == 128 + number
            assert terminal.raw.rfind(b"\x1b[?1049l") > terminal.raw.rfind(b"\x1b[?1049h")
            assert terminal.attributes_now() == terminal.attributes_before
        assert is_gone(tmp_path)
    (draft,) = cli(tmp_path, "draft", "list")
    shown = json.dumps(cli(tmp_path, "draft", "show", str(draft["id"])))
    assert "what the editor wrote" in shown
    assert "bob@example.org" in shown
    assert not list((tmp_path / "data").glob("body-*"))


def test_ctrl_c_in_an_editor_is_the_editors(tmp_path: Path) -> None:
    """It interrupts what runs there, not the app behind it."""
    asleep = 'while [ -z "$interrupted" ]; do sleep 0.2; done'  # whenever it comes, before a sleep or in it
    waits = ("trap 'interrupted=1' INT", "echo editing now", asleep, 'printf "after ctrl-c" > "$1"')
    configure(tmp_path)
    with in_terminal(tmp_path, EDITOR=editor_that(tmp_path, *waits)) as terminal:
        open_editor(terminal)
        terminal.press("ctrl+c")
        terminal.shows("[Compose]", "after ctrl-c")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("exit 3",), "ended with 3: the body is as it was"),
        (("kill -9 $$",), "was ended by signal 9: the body is as it was"),
        (('printf "half" > "$1"', "exit 1"), "what it wrote is left in"),
        (('printf "\\377" > "$1"',), "can't be read"),
        (('rm "$1"',), "left no file behind: the body is as it was"),
        ((), "can't be used as an editor: No such file or directory"),
    ],
)
def test_an_editor_that_fails_changes_nothing(tmp_path: Path, lines: tuple[str, ...], said: str) -> None:
    """It ends badly, is killed, writes no text, or isn't there: that is said, the form stands and takes keys."""
    editor = editor_that(tmp_path, *lines) if lines else str(tmp_path / "missing")
    configure(tmp_path)
    with in_terminal(tmp_path, size=(200, 24), EDITOR=editor) as terminal:
        write(terminal, "bob@example.org", "s", "before")
        terminal.press("ctrl+r")
        terminal.shows(said, "before")
        terminal.type(", and after")
        terminal.shows("before, and after")
        left = list((tmp_path / "data").glob("body-*"))
        assert bool(left) == ("left in" in said or "read" in said)
        terminal.press("ctrl+q")
        assert terminal.ended() == 0


def test_an_editor_that_leaves_a_pipe_stops_nothing(tmp_path: Path) -> None:
    """What can't be read to its end isn't begun: neither now nor at the next start, and it is named both times."""
    configure(tmp_path)
    editor = editor_that(tmp_path, 'rm "$1"', 'mkfifo "$1"', 'echo copy > "$1~"')
    with in_terminal(tmp_path, size=(200, 24), EDITOR=editor) as terminal:
        write(terminal, "bob@example.org", "s", "before")
        terminal.press("ctrl+r")
        terminal.shows("can't be read", "no ordinary file")
        terminal.type(", and after")
        terminal.press("ctrl+q")
        assert terminal.ended() == 0
    with in_terminal(tmp_path, size=(200, 24)) as terminal:
        terminal.shows("can't be read: it is no ordinary file")
        terminal.type("new")
        terminal.shows("draft saved")
        terminal.press("ctrl+q")
        assert terminal.ended() == 0


def test_what_an_editor_adds_of_its_own_does_not_stay(tmp_path: Path) -> None:
    """A byte order mark isn't text, and a copy of the text doesn't outlive it in the data dir."""
    configure(tmp_path)
    lines = ('cp "$1" "$1~"', r'printf "\357\273\277whole" > "$1"')
    with in_terminal(tmp_path, EDITOR=editor_that(tmp_path, *lines)) as terminal:
        write(terminal, "bob@example.org", "s", "before")
        terminal.press("ctrl+r")
        terminal.shows("whole")
        terminal.press("ctrl+q")
        assert terminal.ended() == 0
    (draft,) = cli(tmp_path, "draft", "list")
    shown = json.dumps(cli(tmp_path, "draft", "show", str(draft["id"])))
    assert '"whole"' in shown
    assert not list((tmp_path / "data").glob("body-*"))


def test_an_editor_that_leaves_no_text_is_told_and_undone(tmp_path: Path) -> None:
    """What stood there isn't lost by a slip in the editor: one key brings it back."""
    configure(tmp_path)
    with in_terminal(tmp_path, EDITOR=editor_that(tmp_path, ': > "$1"')) as terminal:
        write(terminal, "bob@example.org", "s", "before")
        terminal.press("ctrl+r")
        terminal.shows("the editor left no text: ^Z in the body brings yours back")
        assert "before" not in terminal.text()
        terminal.press("ctrl+z")
        terminal.shows("before")
        terminal.press("ctrl+q")
        assert terminal.ended() == 0


@pytest.mark.parametrize(
    ("value", "said"),
    [("vi \"'", "a quotation mark that isn't closed"), (" ", "names no editor"), ('""', "names no editor")],
)
def test_an_editor_that_cannot_be_named_is_told(tmp_path: Path, value: str, said: str) -> None:
    """A slip in $EDITOR is one sentence, not the end of the app."""
    configure(tmp_path)
    with in_terminal(tmp_path, size=(120, 24), EDITOR=value) as terminal:
        write(terminal, "bob@example.org", "s", "before")
        terminal.press("ctrl+r")
        terminal.shows(said, "the body is as it was", "before")
        terminal.press("ctrl+q")
        assert terminal.ended() == 0


def test_a_full_disk_keeps_the_body_from_the_editor(tmp_path: Path) -> None:
    """It is said, nothing half written is left, and the editor opens once there is room."""
    configure(tmp_path)
    with in_terminal(tmp_path, size=(200, 24), EDITOR=editor_that(tmp_path, 'echo after > "$1"')) as terminal:
        write(terminal, "bob@example.org", "s", "before")
        terminal.shows("draft saved")
        resource.prlimit(terminal.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        terminal.press("ctrl+r")
        terminal.shows("can't be written, file too large", "The body is as it was.")
        resource.prlimit(terminal.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        assert not list((tmp_path / "data").glob("body-*"))
        assert not list((tmp_path / "data" / "locks").glob("body-*"))
        terminal.press("ctrl+r")
        terminal.shows("[Compose]", "after")


def test_the_editor_is_handed_whole_lines(tmp_path: Path) -> None:
    """The last line is ended, as editors and `wc` expect; the body gets no line more by it."""
    configure(tmp_path)
    counts = 'lines=$(wc -l < "$1"); printf "$lines lines\\n" >> "$1"'
    with in_terminal(tmp_path, EDITOR=editor_that(tmp_path, counts)) as terminal:
        write(terminal, "bob@example.org", "s", "before")
        terminal.press("ctrl+r")
        terminal.shows("before", "1 lines")
        terminal.press("ctrl+o")
        terminal.shows("draft kept")
    (draft,) = cli(tmp_path, "draft", "list")
    assert cli(tmp_path, "draft", "show", str(draft["id"]))["body"] == "before\n1 lines"  # type: ignore[call-overload]


def test_html_is_outdated_by_what_an_editor_wrote_last(tmp_path: Path) -> None:
    """Told to go while the editor has the text of a message with HTML: the draft isn't sent with the old HTML."""
    configure(tmp_path)
    (tmp_path / "old.html").write_text("<p>the old text</p>")
    message = ("compose", "--to", "bob@example.org", "--body", "the old text", "--html-file", f"{tmp_path}/old.html")
    with in_terminal(tmp_path, *message, EDITOR=editor_that(tmp_path, *WRITES_AND_WAITS)) as terminal:
        terminal.shows("Also     HTML version (19 B)")
        terminal.press("ctrl+r")
        terminal.shows("editing now")
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert terminal.ended() == 128 + signal.SIGTERM
    (draft,) = cli(tmp_path, "draft", "list")
    with pytest.raises(subprocess.CalledProcessError) as refused:
        cli(tmp_path, "draft", "send", str(draft["id"]))
    assert refused.value.returncode == 65


def test_what_an_editor_wrote_outlives_a_killed_app(tmp_path: Path) -> None:
    """kill -9 while the editor is open: another app leaves its text alone before, the next start makes it a draft."""
    configure(tmp_path)
    with in_terminal(tmp_path, EDITOR=editor_that(tmp_path, *WRITES_AND_WAITS)) as terminal:
        open_editor(terminal)
        with in_terminal(tmp_path) as other:
            other.shows("F8 opens the draft")
            other.press("ctrl+q")
            assert other.ended() == 0
        assert len(list((tmp_path / "data").glob("body-*"))) == 1
        os.kill(terminal.process.pid, signal.SIGKILL)
        terminal.ended()
    os.kill(int((tmp_path / "editor.pid").read_text()), signal.SIGKILL)
    with in_terminal(tmp_path, size=(120, 24)) as terminal:
        terminal.shows("A text that was left is a draft of its own now: F8 opens it.")
        terminal.press("f8")
        terminal.shows("Drafts:")
        terminal.press("enter")
        terminal.shows("what the editor wrote")
    assert len(cli(tmp_path, "draft", "list")) == 2
    assert not list((tmp_path / "data").glob("body-*"))
    assert not list((tmp_path / "data" / "locks").glob("body-*"))


def test_what_cannot_be_saved_at_the_end_stays_in_its_file(tmp_path: Path) -> None:
    """Told to go while the editor is open and the disk is full: the next start has its text."""
    configure(tmp_path)
    with in_terminal(tmp_path, EDITOR=editor_that(tmp_path, *WRITES_AND_WAITS)) as terminal:
        open_editor(terminal)
        resource.prlimit(terminal.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert terminal.ended() == 128 + signal.SIGTERM
    with in_terminal(tmp_path, size=(120, 24)) as terminal:
        terminal.shows("A text that was left is a draft of its own now: F8 opens it.")


@pytest.mark.parametrize("is_written_later", [True, False])
def test_an_editor_that_opens_a_window_and_returns(tmp_path: Path, is_written_later: bool) -> None:
    """It is told how to wait; what is saved in its window is a draft at the next start, what isn't is not."""
    configure(tmp_path)
    with in_terminal(tmp_path, size=(200, 24), EDITOR=editor_that(tmp_path, "exit 0")) as terminal:
        write(terminal, "bob@example.org", "s", "before")
        terminal.press("ctrl+r")
        terminal.shows("came back at once, the body is as it was.", "code --wait", "before")
        terminal.press("ctrl+q")
        assert terminal.ended() == 0
    (left,) = (tmp_path / "data").glob("body-*")
    if is_written_later:
        left.write_text("written in a window\n")
    with in_terminal(tmp_path, size=(120, 24)) as terminal:
        terminal.shows("was left is a draft" if is_written_later else "F8 opens the draft of")
        while list((tmp_path / "data").glob("body-*")):
            terminal.read()
    drafts = cli(tmp_path, "draft", "list")
    assert [draft["subject"] for draft in drafts] == ["", "s"] if is_written_later else ["s"]


def test_what_an_editor_left_that_is_no_text_is_named(tmp_path: Path) -> None:
    """It stays where it is, and each start says where."""
    configure(tmp_path)
    left = tmp_path / "data" / "body-k3x9.txt"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"\xff")
    with in_terminal(tmp_path, size=(200, 24)) as terminal:
        terminal.shows("can't be read: it isn't text of ours.", "body-k3x9.txt")
    assert left.read_bytes() == b"\xff"


@contextmanager
def in_shell(folder: Path) -> Iterator[Terminal]:
    """The app, started from a shell with jobs."""
    configure(folder)
    command = shlex.join([sys.executable, "-m", "tui_mailer", "--data-dir", str(folder / "data")])
    terminal = Terminal(["bash", "--norc", "--noprofile", "-i"], environment_in(folder, PS1="shell> "), (100, 24))
    try:
        terminal.shows("shell>")
        terminal.type(f"{command}\r")
        yield terminal
    finally:
        terminal.close()


def test_suspending_gives_the_shell_its_screen_and_fg_brings_the_app_back(tmp_path: Path) -> None:
    """By the palette in a shell with jobs: the shell's screen and line settings, then all as it was; ^Z undoes."""
    with in_shell(tmp_path) as terminal:
        write(terminal, "bob@example.org", "s", "one two")
        for _ in range(2):
            terminal.press("ctrl+p")
            terminal.shows("Search for commands")
            terminal.type("Suspend")
            terminal.shows("Go back to the shell")
            terminal.press("enter")
            terminal.shows("Stopped")
            assert terminal.raw.rfind(b"\x1b[?1049l") > terminal.raw.rfind(b"\x1b[?1049h")
            terminal.type("echo $((6*7)) is here\r")
            terminal.shows("42 is here")
            terminal.type("clear; fg\r")
            terminal.shows("[Compose]", "bob@example.org", "one two", "^S Send")
        terminal.type(" three")
        terminal.shows("one two three")
        terminal.press("ctrl+z")
        terminal.until_gone("three")
        terminal.shows("[Compose]")
        ends = len(terminal.raw)
        terminal.press("ctrl+q")
        while b"shell> " not in terminal.raw[ends:]:
            assert terminal.read(PATIENCE_SECONDS)
        terminal.type("exit\r")
        assert terminal.ended() == 0


def test_what_is_typed_ahead_of_fg_is_written(tmp_path: Path) -> None:
    """In one burst with `fg`, or while the app takes the terminal: every key waits for it."""
    with in_shell(tmp_path) as terminal:
        write(terminal, "bob@example.org", "s", "one")
        for bursts in (("fg\r two",), ("fg\r", " three")):
            before = len(terminal.raw)
            terminal.press("ctrl+p")
            terminal.shows("Search for commands")
            terminal.type("Suspend")
            terminal.shows("Go back to the shell")
            terminal.press("enter")
            while b"Stopped" not in terminal.raw[before:]:
                assert terminal.read(PATIENCE_SECONDS)
            for burst in bursts:
                terminal.type(burst)
            terminal.shows("[Compose]", f"one{' two' if len(bursts) == 1 else ' two three'}")


@pytest.mark.parametrize(("caret", "line"), [((), "edited and more"), (("left", "left"), "edit and moreed")])
def test_what_is_typed_while_the_editor_ends_is_written(tmp_path: Path, caret: tuple[str, ...], line: str) -> None:
    """The key that ends the editor and the next words in one burst: they come into its text, where the caret was."""
    configure(tmp_path)
    with in_terminal(tmp_path, EDITOR=editor_that(tmp_path, *ENDS_AT_ENTER)) as terminal:
        write(terminal, "bob@example.org", "s", "before")
        terminal.press(*caret, "ctrl+r")
        terminal.shows("editing now")
        terminal.type("edited\r and more")
        terminal.shows("[Compose]", line)


def test_where_no_shell_could_bring_it_back_it_never_stops(tmp_path: Path) -> None:
    """Started by itself, as by ``ssh -t``: neither Suspend nor ^Z in the editor leaves a dead terminal."""
    configure(tmp_path)
    editor = tmp_path / "editor.sh"
    editor.write_text('kill -TSTP 0; sleep 0.2; echo edited > "$1"\n')
    with in_terminal(tmp_path, EDITOR=f"sh {editor}") as terminal:
        terminal.shows("^S Send")
        terminal.press("ctrl+p")
        terminal.shows("Search for commands")
        terminal.type("Suspend")
        terminal.shows("Go back to the shell")
        terminal.press("enter")
        terminal.shows("there is no shell to go back to")
        terminal.press("ctrl+r")
        terminal.shows("edited", "^S Send")
        terminal.type("!")
        terminal.shows("edited!")
        terminal.press("ctrl+q")
        assert terminal.ended() == 0


def test_a_secret_that_is_asked_for_leaves_the_shell_its_echo(tmp_path: Path) -> None:
    """Left by Ctrl+Z or Ctrl+backslash: what is typed into the shell is seen; back again, the secret isn't."""
    path = tmp_path / "config" / "tui-mailer" / "config.yaml"
    path.parent.mkdir(parents=True)
    work = "{provider: smtp, from: ada@example.org, host: localhost, security: tls, username: ada}"
    path.write_text(f"accounts: {{work: {work}}}\n")
    command = shlex.join([sys.executable, "-m", "tui_mailer", "account", "set-secret", "work"])
    # Debian's sh, unlike bash, takes the terminal as it finds it.
    with closing(Terminal(["sh", "-i"], environment_in(tmp_path, PS1="shell> "), (100, 24))) as terminal:
        terminal.shows("shell>")
        terminal.type(f"{command}\r")
        terminal.shows("(not shown)")
        assert not shows_typing(terminal)
        terminal.type("\x1a")
        terminal.shows("Stopped")
        assert shows_typing(terminal)
        terminal.type("fg\r")
        while shows_typing(terminal):
            terminal.read()
        terminal.type("hunter2\x1c")
        terminal.shows("Quit")
        assert shows_typing(terminal)
        assert "hunter2" not in terminal.text()


def shows_typing(terminal: Terminal) -> bool:
    """Whether the terminal echoes what is typed."""
    flags = terminal.attributes_now()[3]
    assert isinstance(flags, int)
    return bool(flags & termios.ECHO)
