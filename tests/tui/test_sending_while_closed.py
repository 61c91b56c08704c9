"""What the app says and offers about mail that is to leave while it is closed."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest
from app_stage import configuration_of, local_account, on_stage, smtp_account
from smtp_server import STALL, ScriptedServer

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.submission import Phase
from tui_mailer.services.dispatch import Dispatcher
from tui_mailer.services.review import SealRequest
from tui_mailer.tui.farewell import say_farewell


@pytest.fixture
def systemctl(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user manager that answers yes to everything."""
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\n[ "$2" != is-active ] || echo active\n')
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return program


async def test_the_schedule_dialog_says_who_sends_and_installs_the_service(
    tmp_path: Path, systemctl: Path, shut_out_the_developer: Path
) -> None:
    """With the app alone it says so, and one offer mends it without leaving the dialog."""
    async with on_stage(tmp_path) as stage:
        await stage.press("ctrl+l")
        await stage.shows("is closed nobody does", "install the service")
        await stage.press("tab", "end", "enter")
        await stage.shows("The delivery service is installed.")
        assert list(shut_out_the_developer.rglob("tui-mailer-*.service"))
        assert stage.app.screen.is_modal


async def test_recurring_words_are_read_back_as_one_types(tmp_path: Path) -> None:
    """The dialog takes 'every weekday 9:00' and shows the next times."""
    async with on_stage(tmp_path) as stage:
        await stage.press("ctrl+l")
        await stage.type("every day 9:00")
        await stage.shows("09:00 Europe/Berlin", "then ")
        await stage.press("enter")
        await stage.until(lambda: not stage.app.screen.is_modal, "the form")
        assert stage.app.compose_screen.form.read().schedule == "every day 9:00"


async def test_a_time_that_was_chosen_is_replaced_by_typing_another(tmp_path: Path) -> None:
    """^L again: what is typed takes the words' place; Esc, or an arrow first, keeps them."""
    async with on_stage(tmp_path) as stage:
        for words in ("tomorrow 9am", "in 2h"):
            await stage.press("ctrl+l")
            await stage.shows("When is it to go out?")
            await stage.type(words)
            await stage.press("enter")
            await stage.until(lambda: not stage.app.screen.is_modal, "the form")
            assert stage.app.compose_screen.form.read().schedule == words
        await stage.press("ctrl+l")
        await stage.shows("When is it to go out?")
        await stage.press("end")
        await stage.type(" from now")
        await stage.shows("in 2h from now")


async def test_an_account_that_is_held_is_said_to_send_nothing(tmp_path: Path) -> None:
    """The review and the farewell name the hold and its reason, where they would name who sends."""
    mail = Draft(to="bob@example.org", subject="s", body="b", account="work")
    accounts = configuration_of(smtp_account(1), local_account())
    async with on_stage(tmp_path, accounts, draft=mail, size=(120, 36)) as stage:
        desk = stage.app.desk
        await desk.ask(lambda mailer: mailer.hold_account("work", "The password was refused."))
        await stage.press("ctrl+s")
        await stage.shows("Nobody for now: account work is held (The password was", "(Esc, F9).")
        await stage.press("escape")
        await desk.ask(lambda mailer: mailer.seal(mail, SealRequest()))
        said = await desk.ask(say_farewell)
        assert said.startswith("1 message in the outbox; account work is held (The password was refused).")
        assert said.endswith("tui-mailer account release work.")
        assert "service" not in said
        other = Draft(to="bob@example.org", subject="s", body="b", account="local", schedule="in 2h")
        await desk.ask(lambda mailer: mailer.seal(other, SealRequest()))
        said = await desk.ask(say_farewell)
        assert said.startswith("2 messages in the outbox; account work is held")
        assert "The app sends it while it is open" in said


async def test_leaving_while_an_answer_is_waited_for_says_what_that_means(tmp_path: Path) -> None:
    """The server is silent after the last byte: the dialog, the farewell and the next start call it uncertain."""
    async with ScriptedServer() as server:
        server.on("DOT", STALL)
        accounts = configuration_of(smtp_account(server.port))
        async with on_stage(tmp_path, accounts) as stage:
            await stage.write("bob@example.org", "Silence", "text")
            await stage.review_and_send()
            await stage.until(lambda: Phase.INTENT in stage.app.watch_desk.phases.values(), "the last byte gone")
            await stage.press("ctrl+q")
            await stage.shows("waits for the answer: left now, it may or may not")
            await stage.press("f5")
            await stage.shows("There is nothing to take back any more")
            await stage.press("escape")
            await stage.press("f3")
            await stage.shows("all sent, waiting for the answer")
            await stage.press("enter")
            await stage.shows("Reached", "all sent, waiting for the answer", "Last byte")
            await stage.press("escape")
            await stage.press("t")
            await stage.shows("it can't be rescheduled: it is being sent right now")
            desk = stage.app.desk
            assert desk.engine is not None
            await server.hang_up_on_everyone()
            await asyncio.to_thread(desk.stop_engine, grace_seconds=0.0)
            said = await desk.ask(say_farewell)
            assert said.startswith("1 message may or may not have gone out: no answer came.")
        async with on_stage(tmp_path, accounts) as stage:
            await stage.shows("1 uncertain: F3")


async def test_while_the_engine_is_being_opened_nobody_is_said_to_deliver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F3 right after the start: the app that asks is about to deliver; it doesn't say that nothing does."""
    async with on_stage(tmp_path) as stage:
        later = Draft(to="bob@example.org", subject="For later", body="b", schedule="in 2h")
        await stage.app.desk.ask(lambda mailer: mailer.seal(later, SealRequest()))
    may_open, opening = threading.Event(), Dispatcher.open

    async def open_slowly(self: Dispatcher, *, waits_for_room: bool = False) -> None:
        await asyncio.to_thread(may_open.wait, 30)
        await opening(self, waits_for_room=waits_for_room)

    monkeypatch.setattr(Dispatcher, "open", open_slowly)
    try:
        async with on_stage(tmp_path) as stage:
            await stage.press("f3")
            await stage.shows("For later", "Scheduled mail goes out while an app is open")
            assert "nothing that delivers" not in stage.text()
            may_open.set()
            await stage.until(lambda: not stage.app.watch_desk.is_engine_opening, "the engine open")
            await stage.shows("Scheduled mail goes out while an app is open")
    finally:
        may_open.set()
