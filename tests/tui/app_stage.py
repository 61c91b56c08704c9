"""The app on a stage: real mailer, real store, real engine, headless terminal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from textual.pilot import Pilot

from tui_mailer.accounts.configuration import Account, ComposeSettings, Configuration, Paths, UiSettings
from tui_mailer.accounts.credential import Credentials
from tui_mailer.domain.address import parse_address
from tui_mailer.domain.draft import Draft
from tui_mailer.tui.app import MailerApp, make_app

SMALL = (80, 24)
LARGE = (160, 45)
PATIENCE_SECONDS = 20.0


def paths_in(folder: Path) -> Paths:
    """Everything under one folder."""
    return Paths(
        config_file=folder / "config" / "config.yaml",
        data_dir=folder / "data",
        state_dir=folder / "state",
        cache_dir=folder / "cache",
    )


def local_account(name: str = "local", sender: str = "Ada Lovelace <ada@example.org>") -> Account:
    """Keeps mail on this computer."""
    return Account(name=name, provider="maildir", identities=(parse_address(sender),))


def smtp_account(port: int, name: str = "work", sender: str = "Ada Lovelace <ada@example.org>") -> Account:
    """Sends to a server on this computer."""
    return Account(
        name=name,
        provider="smtp",
        identities=(parse_address(sender),),
        settings={"host": "127.0.0.1", "port": port, "security": "none"},
    )


def configuration_of(*accounts: Account, undo_seconds: int = 0, ui: UiSettings | None = None) -> Configuration:
    """A configuration with these accounts; the first is the default."""
    named = {account.name: account for account in accounts or (local_account(),)}
    return Configuration(
        path=None,
        default_account=next(iter(named)),
        accounts=named,
        compose=ComposeSettings(undo_seconds=undo_seconds),
        ui=ui or UiSettings(),
    )


@dataclass
class Stage:
    """An app running, with what a test does to it."""

    app: MailerApp
    pilot: Pilot[int]

    def lines(self) -> list[str]:
        """What the terminal shows, a string a row, blanks at the right cut off."""
        strips = self.app.screen._compositor.render_strips()
        filters = self.app.get_line_filters()
        shown: list[str] = []
        for strip in strips:
            segments = list(strip)
            for one in filters:
                segments = one.apply(segments, self.app.screen.styles.background)
            shown.append("".join(segment.text for segment in segments).rstrip())
        return shown

    def text(self) -> str:
        """What the terminal shows."""
        return "\n".join(self.lines())

    async def type(self, text: str) -> None:
        """Types, a key at a time."""
        await self.pilot.press(*("space" if letter == " " else letter for letter in text))

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def until(self, is_so: Callable[[], bool], what: str) -> None:
        """Lets the app work until something is so; fails with the screen when it never is."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            if time.monotonic() > end:
                raise AssertionError(f"never came: {what}\n{self.text()}")
            await self.pilot.pause(0.01)

    async def shows(self, *texts: str) -> None:
        """Waits until the screen shows every one of the texts."""
        for text in texts:
            await self.until(lambda text=text: text in self.text(), text)

    async def write(self, to: str, subject: str, body: str) -> None:
        """Fills in a mail from an empty form, by keys."""
        await self.type(to)
        await self.press("tab", "tab")
        await self.type(subject)
        await self.press("tab")
        await self.type(body)

    async def review_and_send(self) -> None:
        """Opens the review sheet and sends once it is willing."""
        await self.press("ctrl+s")
        await self.shows("Review:")
        await self.until(self.sends_now, "a sheet that has been up for half a second")
        await self.press("enter")
        await self.until(lambda: not self.app.screen.is_modal, "the sheet gone")

    async def confirm(self) -> None:
        """Says yes to a question, once it takes an answer."""
        await self.until(self.sends_now, "a question that has been up for half a second")
        await self.press("enter")

    def sends_now(self) -> bool:
        """Whether a sheet or question has been up long enough for its Enter."""
        reading_time = getattr(self.app.screen, "reading_time", None)
        return reading_time is not None and reading_time.has_passed


@asynccontextmanager
async def on_stage(
    folder: Path,
    configuration: Configuration | None = None,
    *,
    size: tuple[int, int] = SMALL,
    draft: Draft | None = None,
    credentials: Credentials | None = None,
) -> AsyncIterator[Stage]:
    """Runs the app until its store is open; ends engine and store afterwards."""
    app = make_app(
        configuration=configuration or configuration_of(),
        paths=paths_in(folder),
        credentials=credentials or Credentials(),
        draft=draft,
    )
    try:
        async with app.run_test(size=size) as pilot:
            stage = Stage(app, pilot)
            await stage.until(lambda: app.desk.engine is not None, "the store open")
            await pilot.pause()
            yield stage
    finally:
        await asyncio.to_thread(app.desk.stop_engine, grace_seconds=2.0)
        await asyncio.to_thread(app.desk.close)
