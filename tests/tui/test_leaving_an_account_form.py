"""The account form is left by Esc: at once where nothing was typed, by a second press where something is lost by it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from app_stage import on_stage, paths_in

from tui_mailer.tui.screens.account_form import AccountFormScreen

ASKS = "It isn't saved: Esc again leaves all the same, ^S saves it."


async def test_what_was_typed_is_lost_only_by_a_second_press(tmp_path: Path) -> None:
    """Nothing typed, nothing asked; after more typing it is asked anew; what was guessed is no loss."""
    async with on_stage(tmp_path) as stage:
        await stage.press("f9", "n")
        await stage.shows("Add an SMTP account")
        await stage.press("tab", "tab", "escape")
        await stage.until(lambda: not stage.app.screen.is_modal, "left at once")
        await stage.press("f9", "n")
        await stage.shows("Add an SMTP account")
        await stage.type("ada@example.org")
        await stage.press("tab", "escape")
        await stage.shows(ASKS)
        await stage.type("x")
        await stage.press("escape")
        await stage.shows(ASKS)
        assert isinstance(stage.app.screen, AccountFormScreen)
        await stage.press("escape")
        await stage.until(lambda: not stage.app.screen.is_modal, "left by the second press")
        assert not paths_in(tmp_path).config_file.exists()


async def test_a_try_that_hangs_is_stopped_first(tmp_path: Path) -> None:
    """The server takes the connection and says nothing: Esc ends the waiting and says so, a second one leaves."""
    connected = asyncio.Event()
    writers: list[asyncio.StreamWriter] = []

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        connected.set()
        await reader.read()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, on_stage(tmp_path) as stage:
        await stage.press("f9", "n")
        await stage.shows("Add an SMTP account")
        await stage.type("ada@work.example")
        await stage.press("tab", "ctrl+u")
        await stage.type("127.0.0.1")
        await stage.press("tab", "ctrl+u", "tab", "tab", "ctrl+u")
        await stage.type("none")
        await stage.press("tab", "ctrl+u")
        await stage.type(str(port))
        for _ in range(2):
            connected.clear()
            await stage.press("ctrl+t")
            await stage.until(connected.is_set, "the server reached")
            await stage.press("escape")
            await stage.shows("Stopped; nothing was sent. Esc again leaves without saving.")
        await stage.press("escape")
        await stage.until(lambda: not stage.app.screen.is_modal, "left by the next press")
        assert not paths_in(tmp_path).config_file.exists()
        for writer in writers:
            writer.close()
