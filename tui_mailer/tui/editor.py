"""The body in the person's own editor, the app suspended and delivery going on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import subprocess
from collections.abc import Callable, Generator
from pathlib import Path
from time import monotonic
from types import FrameType

from textual.app import App, SuspendNotSupported

from tui_mailer.domain.errors import MailerError
from tui_mailer.tui.body_file import BodyFile
from tui_mailer.tui.desk import Desk

LEAVE_SECONDS = 1.5
"""For an editor that is told to end, because the app is; then it is killed."""
AT_ONCE_SECONDS = 1.0
"""Nobody has read a text and left it as it was in less."""


async def edit_text(
    app: App[int], desk: Desk, text: str, *, keep: Callable[[str], bool], on_back: Callable[[], None]
) -> str:
    """Returns the text as the editor left it.

    ``keep`` is called with what the editor has written so far when the app has to end before the editor does,
    and says whether it is safe; ``on_back`` when the editor has ended, before the app reads keys again.
    Raises `MailerError` where there is no editor or it failed; what it wrote stays in a file, which is named.
    """
    command = _command()
    body = await desk.io.run(BodyFile, desk.paths.data_dir, text)
    started_at = monotonic()
    try:
        with app.suspend():
            # What is raised within would leave the terminal with nobody.
            outcome = await _run(command, body.path)
            seconds = monotonic() - started_at
            on_back()
    except SuspendNotSupported:
        body.remove()
        raise MailerError("this terminal can't be handed to an editor") from None
    except asyncio.CancelledError:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if (after := body.read()) == text or keep(after):
                body.remove()
        raise
    return await desk.io.run(_result, command[0], body, outcome, seconds)


def _command() -> list[str]:
    """The person's editor, as a shell would split it; raises `MailerError`."""
    name = "VISUAL" if os.environ.get("VISUAL") else "EDITOR"
    value = os.environ.get(name) or "vi"
    try:
        command = shlex.split(value)
    except ValueError:
        raise MailerError(f"{name} has a quotation mark that isn't closed: {value}; the body is as it was.") from None
    if not command or not command[0]:
        raise MailerError(f"{name} is set, but names no editor; the body is as it was.")
    return command


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


def _result(editor: str, body: BodyFile, outcome: int | OSError, seconds: float) -> str:
    """What the editor wrote within these seconds; blocks."""
    if isinstance(outcome, OSError):
        body.remove()
        raise MailerError(
            f"{editor} can't be used as an editor: {outcome.strerror}; the body is as it was. Set EDITOR."
        )
    try:
        after = body.read()
    except FileNotFoundError:
        body.leave()
        raise MailerError(f"{editor} left no file behind: the body is as it was") from None
    except (OSError, UnicodeDecodeError) as error:
        body.leave()
        raise MailerError(f"what {editor} wrote can't be read ({error}); it is left in {body.path}") from None
    if outcome != 0:
        how = f"ended with {outcome}" if outcome > 0 else f"was ended by signal {-outcome}"
        if after == body.text:
            body.remove()
            raise MailerError(f"{editor} {how}: the body is as it was")
        body.leave()
        raise MailerError(
            f"{editor} {how}: the body is as it was; what it wrote is left in {body.path}, a draft at the next start"
        )
    if after == body.text and seconds < AT_ONCE_SECONDS:
        # Its window may be open still: what is saved there later is found at the next start.
        body.leave()
        raise MailerError(
            f"{editor} came back at once, the body is as it was. If it has opened a window: what you save there is a "
            'draft at the next start; set EDITOR to one that waits, such as "code --wait".'
        )
    body.remove()
    return after
