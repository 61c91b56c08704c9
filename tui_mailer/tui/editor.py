"""The body in the person's own editor, the app suspended and delivery going on."""

from __future__ import annotations

import asyncio
import os
import shlex
import tempfile
from pathlib import Path

from textual.app import App, SuspendNotSupported

from tui_mailer.domain.errors import MailerError
from tui_mailer.tui.desk import Desk


async def edit_text(app: App[int], desk: Desk, text: str) -> str:
    """Returns the text as the editor left it; raises `MailerError` where there is no editor or it failed."""
    command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    path = await desk.io.run(_write, desk.paths.data_dir, text)
    try:
        with app.suspend():
            process = await asyncio.create_subprocess_exec(*command, str(path))
            code = await process.wait()
        if code != 0:
            raise MailerError(f"{command[0]} ended with {code}: the body is as it was")
        return await desk.io.run(_read, path)
    except SuspendNotSupported:
        raise MailerError("this terminal can't be handed to an editor") from None
    except (OSError, UnicodeDecodeError) as error:
        raise MailerError(f"{command[0]} can't be used as an editor: {error}; the body is as it was") from None
    finally:
        await desk.io.run(path.unlink, missing_ok=True)


def _write(folder: Path, text: str) -> Path:
    """Mode 0600 from the first byte, in the data dir: a body must not lie in /tmp."""
    handle, name = tempfile.mkstemp(prefix="body-", suffix=".txt", dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return Path(name)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").removesuffix("\n")
