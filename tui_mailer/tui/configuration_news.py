"""What follows when the configuration is another: by the app's own forms, or by whoever else changes the file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from tui_mailer.tui.desk import Desk

if TYPE_CHECKING:
    from tui_mailer.accounts.configuration import Configuration
    from tui_mailer.services.event import Event
    from tui_mailer.tui.screens.compose import ComposeScreen
    from tui_mailer.tui.watch import Watch


class ConfigurationNews:
    """A part of the errands."""

    def __init__(
        self,
        desk: Desk,
        watch: Callable[[], Watch],
        compose: ComposeScreen,
        run: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._desk = desk
        self._run = run
        self._find_watch = watch
        self._compose = compose

    async def take(self, configuration: Configuration) -> None:
        """Goes by another configuration: what is asked, the senders offered, what the form says of the account."""
        await self._desk.reconfigure(configuration)
        self._compose.form.use_configuration(configuration)
        await self._compose.account_watch.look()
        await self._find_watch().count()

    def heard(self, event: Event) -> None:
        """Follows the engine, which watches the file, and says so; one's own change has been told."""
        from tui_mailer.services.event import ConfigurationChanged, ConfigurationRefused

        if isinstance(event, ConfigurationRefused):
            first, *others = event.detail.splitlines()
            more = f" (and {len(others)} more)" if others else ""
            self._desk.status.complain(f"The changed configuration can't be used, the old one is: {first}{more}")
        elif isinstance(event, ConfigurationChanged):
            self._run(self._follow(event.configuration))

    async def _follow(self, after: Configuration) -> None:
        before = self._desk.configuration
        if after.says_what(before):
            return
        await self.take(after)
        looks_other = before.ui._replace(timezone=None) != after.ui._replace(timezone=None)
        await asyncio.sleep(self._desk.status.seconds_to_read(is_news_good=True))
        later = "; keys and looks follow at the next start" if looks_other else ""
        self._desk.status.say(f"the configuration has changed and is used from now on{later}", seconds=30)
