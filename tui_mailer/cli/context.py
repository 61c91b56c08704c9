"""What every command gets: the global options, where to say things, and the session, opened when first needed."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tui_mailer.cli.output import Output

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from tui_mailer.services.mailer import Mailer
    from tui_mailer.services.session import Session


class Context:
    """One run of a command; closed by `cli.main`."""

    def __init__(
        self,
        *,
        output: Output,
        config: str | None = None,
        data_dir: str | None = None,
        account: str = "",
        only_looks: bool = False,
    ) -> None:
        self.output = output
        self.config = config
        self.data_dir = data_dir
        self.account = account
        """Empty: the message's sender decides, else the default account."""
        self._only_looks = only_looks
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """Configuration, paths, credentials and façade; raises `ConfigurationError`, `StorageError`."""
        if self._session is None:
            from tui_mailer.services.session import open_session

            self._session = open_session(config=self.config, data_dir=self.data_dir, only_looks=self._only_looks)
        return self._session

    @property
    def mailer(self) -> Mailer:
        """The session's façade."""
        return self.session.mailer

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which times are read and shown."""
        from tui_mailer.accounts.zone import local_zone

        return local_zone(self.session.configuration.ui.timezone)

    def now(self) -> datetime:
        """The present, aware."""
        return datetime.now(UTC)

    def require_account(self) -> str:
        """Returns ``--account`` or the default account, which must exist."""
        from tui_mailer.domain.errors import NotFound

        configuration = self.session.configuration
        name = self.account or configuration.default_account
        if name not in configuration.accounts:
            raise NotFound(f"There is no account '{name}'. Accounts: {', '.join(configuration.accounts)}.")
        return name

    def close(self) -> None:
        """Closes the session if one was opened."""
        if self._session is not None:
            self._session.close()
            self._session = None


def is_interactive() -> bool:
    """Says whether a person sits at the terminal and may be asked something."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
