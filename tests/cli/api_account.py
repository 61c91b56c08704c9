"""Mail API accounts for the program under test: the rules of tests/contract behind a server in a thread of its own."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "contract"))

from http_lab import HttpLab, Rules

from tui_mailer.providers.testing import SECRET


@contextmanager
def serving(rules: Rules) -> Iterator[HttpLab]:
    """Serves while the caller's thread is busy with something else."""
    loop = asyncio.new_event_loop()
    lab = HttpLab(rules)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(lab.__aenter__(), loop).result()
    try:
        yield lab
    finally:
        asyncio.run_coroutine_threadsafe(lab.__aexit__(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def configuration(home: Path, lab: HttpLab, provider: str, *settings: str, sender: str = "ada@example.org") -> Path:
    """Writes a configuration with one account, whose secret is in the environment."""
    path = home / "api.yaml"
    lines = [
        "accounts:",
        "  work:",
        f"    provider: {provider}",
        f"    from: Ada Lovelace <{sender}>",
        "    credential: {env: TEST_API_KEY}",
        f"    base_url: {lab.url}",
        *(f"    {setting}" for setting in settings),
    ]
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o600)
    return path


KEY = {"TEST_API_KEY": SECRET}
