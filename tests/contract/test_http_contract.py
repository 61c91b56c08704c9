"""Every HTTP provider keeps the contract against a server that enforces its API's rules."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable

import pytest
from http_case import HttpCase
from http_lab import HttpLab

from tui_mailer.providers.base import Outgoing
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.testing import ProviderContract


class TestHttpContract(ProviderContract):
    """What every provider promises the engine."""

    @pytest.fixture(autouse=True)
    def _with_case(self, case: HttpCase) -> None:
        self.case = case

    @pytest.fixture
    async def provider(self, case: HttpCase, lab: HttpLab) -> AsyncIterator[HttpProvider]:
        provider = case.make(lab)
        yield provider
        with contextlib.suppress(Exception):
            await provider.close()

    @pytest.fixture
    def count_stored(self, lab: HttpLab) -> Callable[[], int]:
        return lambda: len(lab.rules.stored)

    def make_outgoing(self, submission_id: str = "01JZZZZZZZZZZZZZZZZZZZZZZ1") -> Outgoing:
        return self.case.outgoing(submission_id)
