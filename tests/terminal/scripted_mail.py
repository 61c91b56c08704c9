"""A scripted SMTP server in a thread, and an account that sends by it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smtp_server import Answer, ScriptedServer

_CONFIGURATION = """\
default_account: work
accounts:
  work: {provider: smtp, from: Ada Lovelace <ada@example.org>, host: 127.0.0.1, port: %d, security: none}
compose: {undo_seconds: %d}
"""


@contextmanager
def scripted_server(folder: Path, *, undo_seconds: int = 0, **always: Answer) -> Iterator[ScriptedServer]:
    """Serves in a thread, answering what ``always`` says, and writes the configuration of an account for it."""
    started, ended = threading.Event(), asyncio.Event()
    server = ScriptedServer()
    for key, answer in always.items():
        server.always(key, answer)
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with server:
            started.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert started.wait(10)
        path = folder / "config" / "tui-mailer" / "config.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_CONFIGURATION % (server.port, undo_seconds))
        yield server
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()
