"""SMTP keeps the promises of every provider."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from smtp_account import make_provider
from smtp_server import ScriptedServer

from tui_mailer.providers.smtp import SmtpProvider
from tui_mailer.providers.testing import SECRET, ProviderContract


class TestSmtpContract(ProviderContract):
    """The contract, over a connection that signs in and pipelines."""

    @pytest.fixture
    async def server(self) -> AsyncIterator[ScriptedServer]:
        async with ScriptedServer(users={"ada": SECRET}) as server:
            yield server

    @pytest.fixture
    async def provider(self, server: ScriptedServer) -> AsyncIterator[SmtpProvider]:
        provider = make_provider(server.port, username="ada")
        yield provider
        await provider.close()

    @pytest.fixture
    def count_stored(self, server: ScriptedServer) -> Callable[[], int]:
        return lambda: len(server.stored)


class TestOldServerContract(TestSmtpContract):
    """The contract, with a server that offers nothing at all: every command waits for its answer."""

    @pytest.fixture
    async def server(self) -> AsyncIterator[ScriptedServer]:
        async with ScriptedServer(extensions=()) as server:
            yield server

    @pytest.fixture
    async def provider(self, server: ScriptedServer) -> AsyncIterator[SmtpProvider]:
        provider = make_provider(server.port)
        yield provider
        await provider.close()
