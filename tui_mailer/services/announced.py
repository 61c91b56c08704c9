"""What a mail server has said it takes (RFC 1870), from when it was last delivered to: a warning, for it may change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tui_mailer.domain.checks import Finding, Severity

if TYPE_CHECKING:
    from tui_mailer.accounts.configuration import Account
    from tui_mailer.providers.base import Provider
    from tui_mailer.services.account import ProviderDirectory
    from tui_mailer.storage.outbox import AnnouncedSize
    from tui_mailer.storage.store import Store


def announced_size(store: Store, directory: ProviderDirectory, account: Account) -> AnnouncedSize | None:
    """Tells the limit of the account's server; None: it has none, or hasn't been delivered to yet."""
    server: str | None = getattr(directory.asked(account), "server", None)
    return store.outbox.announced_size(server) if server is not None else None


def note_announced(store: Store, provider: Provider) -> None:
    """Keeps what the provider's server said as it was connected to, if that is news; raises `StorageError`."""
    server: str | None = getattr(provider, "server", None)
    size: int | None = getattr(provider, "announced_size", None)
    if server is None or size is None:
        return
    known = store.outbox.announced_size(server)
    if (known.max_size if known else 0) != size:
        store.outbox.note_announced_size(server, size, store.clock.now())


def check_size(size: int, known: AnnouncedSize | None, directory: ProviderDirectory) -> Iterable[Finding]:
    """Warns of a message, ``size`` bytes on the wire, that the server will probably refuse."""
    if known is not None and size > known.max_size:
        at = known.at.astimezone(directory.zone)
        yield Finding(
            severity=Severity.WARNING,
            field="attachments",
            code="server-size",
            text=f"The server takes at most {known.max_size / 1e6:,.1f} MB, it said on {at:%d %b at %H:%M}; this is "
            f"{size / 1e6:,.1f} MB. It will probably be refused: send a link, or less.",
        )
