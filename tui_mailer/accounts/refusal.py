"""Which secrets servers have refused, so that one stored anew meanwhile is told from the one that was refused."""

from __future__ import annotations

from tui_mailer.accounts.secret import Secret

_MOST = 2
"""So many different ones are tried; a command that makes a new one each time would else go on for ever."""


class Refusals:
    """By account; those before its server has taken one, or it was held, are over and done with."""

    def __init__(self) -> None:
        self._refused: dict[str, list[Secret]] = {}
        self._counts: dict[str, int] = {}

    def add(self, account_name: str, secret: str) -> None:
        """Notes that a server has refused this one."""
        self._counts[account_name] = self.count(account_name) + 1
        refused = self._refused.setdefault(account_name, [])
        if all(one.reveal() != secret for one in refused):
            refused.append(Secret(secret))

    def count(self, account_name: str) -> int:
        """How many there were in all; grows with each."""
        return self._counts.get(account_name, 0)

    def may_try_another(self, account_name: str) -> bool:
        """Says whether one was refused and another might be tried."""
        return 0 < len(self._refused.get(account_name, ())) < _MOST

    def has(self, account_name: str, secret: str) -> bool:
        """Says whether this very one was refused."""
        return any(one.reveal() == secret for one in self._refused.get(account_name, ()))

    def clear(self, account_name: str) -> None:
        """Begins anew."""
        self._refused.pop(account_name, None)
