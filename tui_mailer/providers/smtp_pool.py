"""Keeps idle SMTP connections for the next message, for half a minute, and says goodbye to those nobody needs."""

from __future__ import annotations

import asyncio

from tui_mailer.providers.smtp_connection import SmtpConnection, boot_seconds
from tui_mailer.providers.smtp_settings import Timeouts


class SmtpPool:
    """Idle connections, the one used last first."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._idle: list[SmtpConnection] = []
        self._farewells: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    def take(self) -> SmtpConnection | None:
        """Returns a connection that can be used, or None: open a new one."""
        while self._idle:
            connection = self._idle.pop()
            if self._is_fresh(connection):
                return connection
            self._dismiss(connection)
        return None

    def give_back(self, connection: SmtpConnection) -> None:
        """Keeps a connection that is in order, forgets one that isn't; never waits."""
        if not connection.wire.is_usable:
            connection.wire.abort()
        elif self._is_closed:
            self._dismiss(connection)
        else:
            connection.is_kept = True
            connection.idle_since = boot_seconds()
            self._idle.append(connection)
            if self._timer is None:
                self._set_timer(self._timeouts.idle)

    async def close(self) -> None:
        """Ends every connection politely, within the time for QUIT."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._idle:
            self._dismiss(self._idle.pop())
        if self._farewells:
            await asyncio.gather(*self._farewells, return_exceptions=True)

    def _is_fresh(self, connection: SmtpConnection) -> bool:
        return connection.wire.is_usable and boot_seconds() - connection.idle_since < self._timeouts.idle

    def _dismiss(self, connection: SmtpConnection) -> None:
        if not connection.wire.is_usable:
            connection.wire.abort()
            return
        farewell = asyncio.get_running_loop().create_task(connection.quit(self._timeouts.quit))
        self._farewells.add(farewell)
        farewell.add_done_callback(self._farewells.discard)

    def _set_timer(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._dismiss_stale)

    def _dismiss_stale(self) -> None:
        self._timer = None
        stale = [connection for connection in self._idle if not self._is_fresh(connection)]
        self._idle = [connection for connection in self._idle if connection not in stale]
        for connection in stale:
            self._dismiss(connection)
        if self._idle:
            oldest = min(connection.idle_since for connection in self._idle)
            self._set_timer(max(0.1, oldest + self._timeouts.idle - boot_seconds()))
