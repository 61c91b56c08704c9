"""The body in the person's own editor, the app suspended and delivery going on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from types import FrameType

from textual.app import App, SuspendNotSupported

from tui_mailer.domain.errors import MailerError
from tui_mailer.tui.desk import Desk

LEAVE_SECONDS = 1.5
"""For an editor that is told to end, because the app is; then it is killed."""


async def edit_text(
    app: App[int], desk: Desk, text: str, *, keep: Callable[[str], None], on_back: Callable[[], None]
) -> str:
    """Returns the text as the editor left it.

    ``keep`` is called with what the editor has written so far when the app has to end before the editor does;
    ``on_back`` when the editor has ended, before the app reads keys again.
    Raises `MailerError` where there is no editor or it failed; what it wrote stays in a file, which is named.
    """
    command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    path = await desk.io.run(_write, desk.paths.data_dir, text)
    try:
        with app.suspend():
            # What is raised within would leave the terminal with nobody.
            outcome = await _run(command, path)
            on_back()
    except SuspendNotSupported:
        path.unlink(missing_ok=True)
        raise MailerError("this terminal can't be handed to an editor") from None
    except asyncio.CancelledError:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if (after := _read(path)) != text:
                keep(after)
            path.unlink()
        raise
    return await desk.io.run(_result, command[0], path, text, outcome)


async def _run(command: list[str], path: Path) -> int | OSError:
    """The editor's exit code, or why it didn't start; cancelling ends it."""
    with _keys_of_the_editor():
        try:
            process = subprocess.Popen([*command, str(path)])  # noqa: ASYNC220,S603  # forks at once; the person's own command
        except OSError as error:
            return error
        try:
            return await asyncio.to_thread(process.wait)
        finally:
            _end(process)


@contextlib.contextmanager
def _keys_of_the_editor() -> Generator[None]:
    """The keys that interrupt and quit not meant for us there, though the terminal tells us too."""
    numbers = (signal.SIGINT, signal.SIGQUIT)
    # A handler, not SIG_IGN, which the editor would inherit.
    before = [signal.signal(number, _leave_alone) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _leave_alone(number: int, frame: FrameType | None) -> None:
    del number, frame


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(LEAVE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _result(editor: str, path: Path, before: str, outcome: int | OSError) -> str:
    """What the editor wrote; blocks."""
    if isinstance(outcome, OSError):
        path.unlink(missing_ok=True)
        raise MailerError(
            f"{editor} can't be used as an editor: {outcome.strerror}; the body is as it was. Set EDITOR."
        )
    try:
        after = _read(path)
    except (OSError, UnicodeDecodeError) as error:
        raise MailerError(f"what {editor} wrote can't be read ({error}); it is left in {path}") from None
    if outcome != 0:
        how = f"ended with {outcome}" if outcome > 0 else f"was ended by signal {-outcome}"
        if after == before:
            path.unlink(missing_ok=True)
            raise MailerError(f"{editor} {how}: the body is as it was")
        raise MailerError(f"{editor} {how}: the body is as it was; what it wrote is left in {path}")
    path.unlink(missing_ok=True)
    return after


def _write(folder: Path, text: str) -> Path:
    """Mode 0600 from the first byte, in the data dir: a body must not lie in /tmp."""
    handle, name = tempfile.mkstemp(prefix="body-", suffix=".txt", dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return Path(name)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").removesuffix("\n")
