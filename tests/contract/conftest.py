"""Fixtures of the provider tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from http_case import HttpCase, all_cases
from http_lab import HttpLab
from smtp_server import ALL_EXTENSIONS, ScriptedServer
from tls_lab import TlsLab


@pytest.fixture(params=["pipelining", "step by step"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[ScriptedServer]:
    """A server that offers everything, and the same without PIPELINING."""
    extensions = [name for name in ALL_EXTENSIONS if name != "PIPELINING" or request.param == "pipelining"]
    async with ScriptedServer(extensions=extensions) as server:
        yield server


@pytest.fixture(scope="session")
def tls_lab() -> TlsLab:
    """One certificate authority for the whole run."""
    return TlsLab()


@pytest.fixture(params=all_cases(), ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> HttpCase:
    """Each HTTP provider, one after the other."""
    return request.param


@pytest.fixture
async def lab(case: HttpCase) -> AsyncIterator[HttpLab]:
    """A server that enforces the provider's rules."""
    async with HttpLab(case.rules()) as lab:
        yield lab
