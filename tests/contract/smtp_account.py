"""Builds an SMTP provider for a server on this computer, with waits short enough for a test."""

from __future__ import annotations

from tui_mailer.domain.address import Address
from tui_mailer.providers.base import AccountSettings
from tui_mailer.providers.smtp import SmtpProvider, SmtpSettings, Timeouts
from tui_mailer.providers.testing import FixedSecret

PATIENT = Timeouts(connect=5, greeting=5, command=5, data=5, block=5, final=5, quit=1)
HASTY = Timeouts(connect=0.3, greeting=0.3, command=0.3, data=0.3, block=0.3, final=0.3, quit=0.1)
"""For a server that is told to stall."""


def make_provider(
    port: int,
    *,
    secrets: FixedSecret | None = None,
    trust_pem: str | None = None,
    timeouts: Timeouts = PATIENT,
    max_connections: int = 4,
    **settings: object,
) -> SmtpProvider:
    """Makes a provider; anything else is a setting of the account."""
    values: dict[str, object] = {"host": "127.0.0.1", "port": port, "security": "none"}
    account = AccountSettings(
        account="work",
        settings=SmtpSettings.model_validate(values | settings),
        identities=(Address("ada", "example.org", "Ada Lovelace"),),
        trust_pem=trust_pem,
        max_connections=max_connections,
    )
    return SmtpProvider(account, secrets or FixedSecret(), timeouts=timeouts)
