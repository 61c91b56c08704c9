"""Asks where a message is to be written as an .eml, and writes it: never over another file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events
from textual.widget import Widget
from textual.widgets import Input, Static

from tui_mailer.domain.errors import MailerError
from tui_mailer.domain.text import clean
from tui_mailer.storage.record import Submission
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.path_completion import complete_path
from tui_mailer.tui.screens.dialog import Dialog
from tui_mailer.tui.widgets.field import Field
from tui_mailer.tui.widgets.line_input import LineInput

if TYPE_CHECKING:
    from tui_mailer.services.mailer import Mailer

_NAME_LENGTH = 60


class ExportScreen(Dialog[str | None]):
    """Returns where it was written; None when one went back. Of several, a folder is asked for."""

    place = "export"
    BINDINGS = bindings("export")
    AUTO_FOCUS = "#path"

    def __init__(self, desk: Desk, submissions: list[Submission]) -> None:
        self._is_one = len(submissions) == 1
        title = "Write the message as an .eml" if self._is_one else f"Write {len(submissions)} messages into a folder"
        super().__init__(desk.keymap, title)
        self._desk = desk
        self._submissions = submissions
        proposal = str(Path.cwd() / file_name(submissions[0])) if self._is_one else f"{Path.cwd()}/"
        self._input = LineInput(proposal, id="path", placeholder="path; Tab completes")

    def contents(self) -> Iterable[Widget]:
        yield Field("Write to", self._input)
        yield Static("Bcc is left out, as it was on the wire.", markup=False, classes="label")

    async def on_key(self, event: events.Key) -> None:
        """Tab completes; Enter on an empty path does nothing."""
        if event.key == "tab":
            event.stop()
            event.prevent_default()
            completion = await self._desk.io.run(complete_path, self._input.value)
            self._input.value = completion.text
            self._input.cursor_position = len(completion.text)
            self.say("  ".join(completion.candidates[:20]), is_quiet=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        path = event.value.strip()
        if path:
            self.attempt(self._write(path))

    async def _write(self, text: str) -> None:
        written = await self._desk.io.run(self._desk.answer, lambda mailer: self._write_all(mailer, text))
        self.dismiss(written)

    def _write_all(self, mailer: Mailer, text: str) -> str:
        path = Path(text).expanduser()
        if path.is_dir():
            for one in self._submissions:
                write_eml(path / file_name(one), mailer.export(one.id))
            count = len(self._submissions)
            return str(path / file_name(self._submissions[0])) if self._is_one else f"{path} ({count} files)"
        if not self._is_one:
            raise MailerError(f"there is no folder {path}")
        write_eml(path, mailer.export(self._submissions[0].id))
        return str(path)


def file_name(submission: Submission) -> str:
    """A name that any file system takes: the subject in short, and the end of the ID."""
    words = re.sub(r"[^\w.-]+", "-", clean(submission.message.subject)).strip("-.")[:_NAME_LENGTH].rstrip("-.")
    return f"{words or 'message'}-{submission.id[-6:]}.eml"


def write_eml(path: Path, blocks: Iterable[bytes]) -> None:
    """Writes a new file with mode 0600; raises `MailerError` where there is one, which stays as it was."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise MailerError(f"that file is there already and was left as it is: {path}") from None
    except (OSError, ValueError) as error:
        raise MailerError(f"can't be written ({getattr(error, 'strerror', None) or error}): {path}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(blocks)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise MailerError(f"can't be written ({error.strerror}): {path}") from None
    except MailerError:
        path.unlink(missing_ok=True)
        raise
