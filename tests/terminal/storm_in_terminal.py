"""Random keys, sizes, editors and signals in a real terminal: each end is as it should be, and leaves no trace."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import struct
import sys
import termios
from pathlib import Path

from terminal_emulator import KEYS, Terminal, environment_in

EDITOR = """
import os, random, sys, time
time.sleep(random.choice([0, 0, 0.1, 0.4]))
deed = random.choice(["write"] * 5 + ["spoil", "fail", "die", "unlink"])
if deed == "write":
    open(sys.argv[1], "a", encoding="utf-8").write("edited\\n")
elif deed == "spoil":
    open(sys.argv[1], "wb").write(b"\\xff\\xfe bad")
elif deed == "die":
    os.kill(os.getpid(), 9)
elif deed == "unlink":
    os.unlink(sys.argv[1])
sys.exit(3 if deed == "fail" else 0)
"""
PRESSES = (
    *KEYS.values(),
    *("\x1b[3~", "\x1b[19;2~", " ", "/", "?", *"xehrtoswyd123cnjkgGXu"),
    *(3 * (KEYS["ctrl+s"], KEYS["enter"], KEYS["ctrl+r"], KEYS["ctrl+q"])),
)
TEXTS = (
    *("bob@example.org", "Tea and cake", "the plan is attached", "in 2h", "tomorrow 9am", "every day 9:00", "mail"),
    *("ä漢👍🏽", '"x', "\x1b[200~pasted\ntext, cy@example.org\x1b[201~", "a line\nand another"),
)
SIZES = ((80, 24), (60, 20), (160, 45), (100, 30))
MODES = (b"1049", b"2004", b"1000", b"1004")
"""Screen, paste, mouse, focus: what the app asks for and has to give back."""
PATIENCE_SECONDS = 20.0


class TerminalStorm:
    """One data dir, and one start of the app after another."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._dice = random.Random(seed)
        self._folder = folder
        (folder / "editor.py").write_text(EDITOR)
        (folder / "config.yaml").write_text("compose: {undo_seconds: 1}\n")
        self._environment = environment_in(folder, EDITOR=f"{sys.executable} {folder / 'editor.py'}")
        self._environment.pop("VISUAL", None)
        self._told: list[str] = []
        self.starts = 0
        self._terminal = self._start()

    def _start(self) -> Terminal:
        self.starts += 1
        places = ["--data-dir", str(self._folder / "data"), "--config", str(self._folder / "config.yaml")]
        command = [sys.executable, "-m", "tui_mailer", *places]
        return Terminal(command, self._environment, self._dice.choice(SIZES[:2]))

    def rage(self, steps: int) -> None:
        """Does so many things; raises `AssertionError` with the last of them when something is wrong."""
        try:
            for _ in range(steps):
                self._step()
        except AssertionError as error:
            raise AssertionError(f"{error}\nafter {self._told[-12:]}\n{self._terminal.text()}") from None
        finally:
            self._terminal.close()

    def _step(self) -> None:
        deed = self._dice.random()
        if deed < 0.01:
            self._terminal.process.kill()
            self._terminal.process.wait()
            self._again()
        elif deed < 0.02:
            self._signal(self._dice.choice([signal.SIGTERM, signal.SIGHUP]))
        elif deed < 0.04:
            self._resize(*self._dice.choice(SIZES))
        else:
            self._type(self._dice.choice(PRESSES if deed < 0.8 else TEXTS))
        self._terminal.read_for(self._dice.choice([0, 0, 0.02, 0.05, 0.2, 0.7]))
        if self._terminal.process.poll() is not None:
            self._ended({0})
        assert not list(self._folder.rglob("crash.log")), next(self._folder.rglob("crash.log")).read_text()[-2000:]

    def _type(self, text: str) -> None:
        if b"Quit" not in self._terminal.raw and set(text) & {"\x13", "\x1a", "\x1c", "\x03", "\x04"}:
            return  # before the app has the terminal these are the line's own keys, which stop or end anything
        if text == KEYS["ctrl+z"]:
            return  # so they are while the editor has it
        self._told.append(text)
        self._terminal.type(text)

    def _resize(self, columns: int, rows: int) -> None:
        self._told.append(f"{columns}x{rows}")
        self._terminal.resize(columns, rows)
        fcntl.ioctl(self._terminal.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _signal(self, number: signal.Signals) -> None:
        self._told.append(number.name)
        was_ended = b"\x1b[?1049l" in self._terminal.raw or b"Quit" not in self._terminal.raw
        os.kill(self._terminal.process.pid, number)
        self._terminal.ended()
        # Before our handler is there, and once it is gone again, a signal is Python's.
        self._ended({0, 128 + number} | ({-number} if was_ended else set()))

    def _ended(self, codes: set[int]) -> None:
        terminal = self._terminal
        code = terminal.ended()
        assert code in codes, f"ended with {code}"
        if code >= 0:
            assert terminal.attributes_now() == terminal.attributes_before, "the line's settings are others"
            for mode in MODES:
                left_on = terminal.raw.rfind(b"\x1b[?" + mode + b"h") > terminal.raw.rfind(b"\x1b[?" + mode + b"l")
                assert not left_on, f"mode {mode.decode()} is left on"
        self._again()

    def _again(self) -> None:
        self._terminal.close()
        self._terminal = self._start()
