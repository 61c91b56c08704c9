"""What a command says: tables and text for people, one JSON document for scripts, every string made safe first."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from tui_mailer.domain.text import cell_width, clean, shorten

_GAP = "  "


class Output:
    """Where a command's words go: JSON alone on stdout with ``--json``, sentences to stderr always."""

    def __init__(self, *, as_json: bool, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.as_json = as_json
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._has_document = False
        self._has_progress = False

    def progress(self, text: str) -> None:
        """Writes a line that the next one replaces, on a terminal; nothing elsewhere."""
        if self._err.isatty():
            room = shutil.get_terminal_size().columns - 1
            self._write_over(shorten(clean(text), room))
            self._has_progress = True

    def say(self, text: str) -> None:
        """Writes a sentence for a person to stderr, whatever it may contain; where nobody can read it, to nobody."""
        if self._has_progress:
            self._has_progress = False
            self._write_over("")
        self._write(clean(text, keep_newlines=True).rstrip() + "\n")

    def _write_over(self, text: str) -> None:
        self._write(f"\r\x1b[K{text}")

    def _write(self, text: str) -> None:
        try:
            self._err.write(text)
            self._err.flush()
        except OSError:
            fall_silent(self._err)

    def document(self, document: object) -> None:
        """Writes the one JSON document, if ``--json`` was given and none was written yet."""
        if self.as_json and not self._has_document:
            import json

            self._has_document = True
            self._out.write(json.dumps(document, indent=2) + "\n")
            self._out.flush()

    def outcome(self, document: object) -> None:
        """Writes the document of a command that has done something.

        Where stdout can't take it, that is told, and the exit code goes on saying what was done: a caller that took it
        for a failure would do it again.
        """
        try:
            self.document(document)
        except OSError as error:
            fall_silent(self._out)
            self.say(f"tui-mailer: What was done couldn't be written to stdout: {error.strerror or error}.")

    def line(self, document: object) -> None:
        """Writes one line of JSON Lines; no document follows."""
        import json

        self._has_document = True
        self._out.write(json.dumps(document) + "\n")
        self._out.flush()

    def text(self, text: str) -> None:
        """Writes lines a person asked to see to stdout; nothing with ``--json``."""
        if not self.as_json:
            self._out.write(clean(text, keep_newlines=True).rstrip("\n") + "\n")

    def pairs(self, pairs: Iterable[tuple[str, str | None]]) -> None:
        """Writes ``name  value`` lines; those without a value are left out."""
        known = [(name, value) for name, value in pairs if value]
        width = max((len(name) for name, _ in known), default=0)
        for name, value in known:
            self.text(f"{name:<{width}}{_GAP}{clean(value)}")

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]], *, flexible: int) -> None:
        """Writes a table to stdout; on a terminal the ``flexible`` column gives way so that a row fits one line."""
        if self.as_json:
            return
        cells = [[clean(cell) for cell in row] for row in [header, *rows]]
        widths = [max(cell_width(row[column]) for row in cells) for column in range(len(header))]
        room = self._width()
        if room is not None:
            others = sum(widths) - widths[flexible] + len(_GAP) * (len(widths) - 1)
            widths[flexible] = min(widths[flexible], max(room - others, 12))
        for row in cells:
            line = _GAP.join(_fit(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
            self._out.write((shorten(line, room) if room is not None else line) + "\n")

    def binary(self, blocks: Iterable[bytes]) -> None:
        """Writes bytes as they are; on a terminal, line by line, made safe."""
        if self._out.isatty():
            whole = b"".join(blocks).decode("utf-8", "replace")
            self._out.write(clean(whole, keep_newlines=True))
            return
        self._out.flush()
        for block in blocks:
            self._out.buffer.write(block)
        self._out.buffer.flush()

    def error(
        self, text: str, *, code: int, field: str | None = None, state: str | None = None, usage: str = ""
    ) -> None:
        """Writes an error: a sentence on stderr, and with ``--json`` the one document."""
        self.say(f"tui-mailer: {text}")
        if usage:
            self.say(f"usage: {usage}")
        self.outcome(error_view(text, code=code, field=field, state=state))

    def _width(self) -> int | None:
        return shutil.get_terminal_size().columns if self._out.isatty() else None


def fall_silent(stream: TextIO) -> None:
    """Sends what a stream still holds, and all that follows, nowhere: else the end of the process fails on it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    finally:
        os.close(nowhere)


def error_view(text: str, *, code: int, field: str | None = None, state: str | None = None) -> dict[str, Any]:
    """Shapes an error for ``--json``."""
    return {"error": {"code": code, "text": clean(text, keep_newlines=True), "field": field, "state": state}}


def _fit(cell: str, width: int) -> str:
    shown = shorten(cell, width)
    return shown + " " * (width - cell_width(shown))
