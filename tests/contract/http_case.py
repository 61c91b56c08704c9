"""One case for each HTTP provider: what the shared suites need of it, found in ``rules_NAME.py`` under ``CASE``."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from http_lab import HttpLab, Rules

from tui_mailer.domain.address import Address
from tui_mailer.providers.base import AccountSettings, Outgoing
from tui_mailer.providers.http import HttpProvider
from tui_mailer.providers.testing import SECRET, FixedSecret, make_message, make_outgoing


def plain_outgoing(submission_id: str = "01JZZZZZZZZZZZZZZZZZZZZZZ1") -> Outgoing:
    """A small message with two To."""
    return make_outgoing(make_message(submission_id))


@dataclass(frozen=True, kw_only=True)
class HttpCase:
    """What a provider's suite is made from."""

    provider: type[HttpProvider]
    rules: Callable[[], Rules]
    """Makes a server that holds nothing yet and knows the secret `SECRET`."""
    settings: Mapping[str, object] = field(default_factory=dict)
    """Besides ``base_url``."""
    base_path: str = ""
    """Behind the lab's address."""
    sends: str
    """How the request that causes the sending begins: ``POST /emails``."""
    outgoing: Callable[[str], Outgoing] = plain_outgoing
    """A message it can carry, by submission ID: to two recipients where it can."""
    rich: Callable[[], Outgoing] | None = None
    """A message with all it can carry; ``outgoing`` where left out."""
    secret: str = SECRET

    @property
    def name(self) -> str:
        return self.provider.name

    def make(
        self, lab: HttpLab, *, secrets: FixedSecret | None = None, trust_pem: str | None = None, **more: object
    ) -> HttpProvider:
        """Makes the provider of an account at the lab; ``more`` are settings."""
        base = {"base_url": lab.url + self.base_path, "timeout_seconds": 5}
        account = AccountSettings(
            account="work",
            settings=self.provider.Settings.model_validate({**base, **self.settings, **more}),
            identities=(Address("ada", "example.org", "Ada Lovelace"),),
            trust_pem=trust_pem,
        )
        return self.provider(account, secrets or FixedSecret(self.secret))

    def full(self) -> Outgoing:
        """The message with all it can carry."""
        return self.outgoing("01JZZZZZZZZZZZZZZZZZZZZZZ1") if self.rich is None else self.rich()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[tuple[HttpLab, HttpProvider]]:
        """A lab and a provider for it, both closed at the end."""
        async with HttpLab(self.rules()) as lab:
            provider = self.make(lab)
            try:
                yield lab, provider
            finally:
                await provider.close()


def all_cases() -> list[HttpCase]:
    """Finds every case beside this file."""
    modules = sorted(path.stem for path in Path(__file__).parent.glob("rules_*.py"))
    return [importlib.import_module(name).CASE for name in modules]
