"""Which account sends for an address."""

from __future__ import annotations

from tui_mailer.accounts.configuration import Account, Configuration
from tui_mailer.domain.address import Address


def account_for_sender(configuration: Configuration, address: Address) -> Account | None:
    """Returns the account that has the address among its identities, or None.

    The default account comes first, then the order of the file; the display name doesn't matter, nor does case.
    """
    accounts = sorted(
        configuration.accounts.values(), key=lambda account: account.name != configuration.default_account
    )
    for account in accounts:
        if any(identity.mailbox_key == address.mailbox_key for identity in account.identities):
            return account
    return None
