"""Fixtures of the engine's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from engine_bench import EngineBench
from smtp_server import ScriptedServer


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    """A server that does as it is told and keeps the truth."""
    async with ScriptedServer(users={"ada": "right"}) as server:
        yield server


@pytest.fixture
async def bench(server: ScriptedServer, tmp_path: Path) -> AsyncIterator[EngineBench]:
    """A program configured for that server."""
    bench = EngineBench(tmp_path, server.port)
    yield bench
    bench.session.close()
