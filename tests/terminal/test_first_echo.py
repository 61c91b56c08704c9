"""What a person waits for between Enter in the shell and the echo of the first key: nothing but the form."""

from __future__ import annotations

import json
import os
import select
import sys
from pathlib import Path

from terminal_emulator import KEYS, Terminal, environment_in, in_terminal

PROBES_OWN = {"json"}
PROBE = """
import sys
pythons_own = set(sys.modules)
import json
from pathlib import Path
from tui_mailer.cli.main import main
from tui_mailer.tui.terminal.quiet_app import QuietApp

frames, write = [], QuietApp._write_frame

def write_and_tell(app, driver, frame):
    write(app, driver, frame)
    frames.append(frame)
    if "q" in frame:  # both at once, or, on a busy machine, one after the other
        Path(sys.argv[-1] + ".new").write_text(json.dumps([frames, sorted(set(sys.modules) - pythons_own)]))
        Path(sys.argv[-1] + ".new").rename(sys.argv[-1])
        QuietApp._write_frame = write

QuietApp._write_frame = write_and_tell
told = sys.argv[-1]
sys.exit(main(["--data-dir", told + ".data"]))
"""
LIBRARIES = {"platformdirs", "rich", "textual", "textual_speedups", "tree_sitter", "typing_extensions"}
"""What Textual itself is made of; nothing else from outside Python is loaded by the first echo."""
OWN = {
    "accounts": "account_rule configuration document load rule schema snapshot trouble trusted_file",
    "cli": "app_start command context exit_code global_option main output",
    "domain": "address address_token domain_name draft errors text",
    "services": "crash_log",
    "tui.screens": "compose room",
    "tui.terminal": "canvas cell charset courier driver escape_gate pace pen quiet_app row_change scroll writer",
    "tui.widgets": "attachment_field body_area compose_form editing_keys field key_line keys_in_order line_input"
    " mode_line paste sender_field status_line",
    "tui": "action action_table address_proposals app app_words autosave desk dialog_actions disk draft_keeper"
    " dropped_file errands io lifeline list_actions news path_completion preset run safety size_budget size_words start"
    " status theme typed_ahead",
}
"""All of ours that may be loaded by then, room by room: another module here is another part of a millisecond."""
HEAVY = {"argparse", "ctypes", "email", "http", "json", "multiprocessing", "shlex", "smtplib", "sqlite3"}
"""Of Python's own library: what a form on the screen doesn't need, with all below."""


def test_the_first_frame_is_the_whole_form_and_typed_keys_wait_for_nothing_else(tmp_path: Path) -> None:
    """Keys typed before the start are on the screen before store, engine, other screens or any library of theirs."""
    told = tmp_path / "told"
    command = [sys.executable, "-c", PROBE, str(told)]
    terminal = Terminal(command, environment_in(tmp_path), (80, 24))
    try:
        os.write(terminal.master, b"zq")
        while not told.exists():
            assert select.select([terminal.master], [], [], 30)[0], "no echo"
            os.read(terminal.master, 65536)
    finally:
        terminal.close()
    frames, modules = json.loads(told.read_text())
    for words in ("[Compose]", "From", "To", "Subject", "now, or: tomorrow 9am", "^S"):
        assert words in frames[0], f"{words} is missing in the first frame"
    allowed = {f"tui_mailer.{room}.{name}" for room, names in OWN.items() for name in names.split()}
    allowed |= {"tui_mailer", *(f"tui_mailer.{room}" for room in OWN)}
    tops = {name.partition(".")[0] for name in modules}
    assert {name for name in modules if name.startswith("tui_mailer")} - allowed == set()
    assert tops - sys.stdlib_module_names - LIBRARIES - {"tui_mailer"} == set()
    assert tops & HEAVY == PROBES_OWN


def test_fields_that_come_after_the_first_frame_take_keys_typed_before_it(tmp_path: Path) -> None:
    """F6 and an address, pressed before the app is there: Bcc is shown, in its place, and has the address."""
    with in_terminal(tmp_path) as terminal:
        terminal.type(f"{KEYS['f6']}eve@example.org\tdan@example.org\tTea")
        terminal.shows("^S Send", "Bcc      eve@example.org", "dan@example.org", "Subject  Tea")
        rows = [row.split() for row in terminal.text().splitlines()[1:7]]
    assert rows[2:] == [["Cc"], ["Bcc", "eve@example.org"], ["Reply-To", "dan@example.org"], ["Subject", "Tea"]]
