"""Keeps what an engine goes by in step with the configuration file, whoever changes that.

Looked at every second, and right before anything is sent: nothing goes to a server that isn't the account's any more.
"""

from __future__ import annotations

import asyncio

from tui_mailer.accounts.configuration import Configuration, FileVersion
from tui_mailer.accounts.patience import start, wait_async
from tui_mailer.accounts.reread import reread, version_now
from tui_mailer.domain.errors import ConfigurationError
from tui_mailer.services.account import ProviderDirectory
from tui_mailer.services.event import ConfigurationChanged, ConfigurationRefused
from tui_mailer.services.judgement import judge_settings
from tui_mailer.services.workplace import Listener

_LOOK_SECONDS = 5.0
_READ_SECONDS = 20.0
"""The file may lie on a mount whose server is gone: then what was read before stays in force."""


class ConfigurationWatch:
    """Reads the file again when it has changed; one that can't be used is told once."""

    def __init__(self, directory: ProviderDirectory, emit: Listener) -> None:
        self._directory = directory
        self._emit = emit
        self._refused: tuple[FileVersion | None, str] | None = None
        """The version that can't be used, and why, while the one before it is in force."""
        self._one_at_a_time = asyncio.Lock()

    async def look(self, *, is_asked: bool = False) -> Configuration | None:
        """Takes over what has changed, or whatever is there when that is asked for.

        Returns what was in force until now; None: it still is.
        """
        async with self._one_at_a_time:
            try:
                return await self._look(self._directory.configuration, is_asked=is_asked)
            except TimeoutError:
                return None

    async def _look(self, known: Configuration, *, is_asked: bool) -> Configuration | None:
        path, refused = self._directory.paths.config_file, self._refused
        now = await wait_async(start(lambda: version_now(path), name="configuration-look"), _LOOK_SECONDS)
        is_seen = now == known.version or (refused is not None and now == refused[0])
        if is_seen and not is_asked:
            return None
        try:
            fresh = await wait_async(start(self._read, name="configuration-read"), _READ_SECONDS)
        except ConfigurationError as error:
            self._refused = now, str(error)
            if is_asked or refused is None or refused[1] != str(error):
                self._emit(ConfigurationRefused(detail=str(error)))
            return None
        self._refused = None
        self._directory.configuration = fresh
        self._directory.forget_fetched()
        if not is_asked and refused is None and fresh.says_what(known):
            return None
        self._emit(ConfigurationChanged(configuration=fresh))
        return known

    def _read(self) -> Configuration:
        fresh = reread(self._directory.paths, self._directory.configuration)
        judge_settings(self._directory.with_configuration(fresh), self._directory.paths)
        return fresh
