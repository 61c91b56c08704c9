"""A nearly full disk, seen from the app: the start says it, the rows say what they wait for, and it ends by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from app_stage import SMALL, Stage, configuration_of, make_app, on_stage, paths_in

from tui_mailer.accounts.credential import Credentials
from tui_mailer.storage.database_error import DiskFull
from tui_mailer.storage.store import Store

FREE = "tui_mailer.storage.ballast.free_bytes"


async def test_the_rows_say_what_they_wait_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said at the start, in the first row of every screen and beside the mail; with room it leaves."""
    monkeypatch.setattr(FREE, lambda _path: 1 << 20)
    async with on_stage(tmp_path) as stage:
        await stage.shows("8 MB are free on the disk of", "no room on the disk: nothing is sent")
        await stage.write("bob@example.org", "Tea", "At four?")
        await stage.review_and_send()
        await stage.press("f3")
        await stage.shows("Tea", "waits for room on the disk", "until there is room, all mail is kept")
        assert "next to go" not in stage.text()
        monkeypatch.setattr(FREE, lambda _path: 1 << 30)
        await stage.shows("The outbox is empty")
        await stage.until(lambda: "room" not in stage.text(), "no word of it left")


async def test_a_store_that_had_no_room_to_open_is_opened_once_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again by itself: nobody has to start the app anew, or press a key."""
    opened, is_full = Store.open, [True]

    def open_store(data_dir: Path) -> Store:
        if is_full[0]:
            raise DiskFull("The disk is full.")
        return opened(data_dir)

    monkeypatch.setattr(Store, "open", open_store)
    app = make_app(configuration=configuration_of(), paths=paths_in(tmp_path), credentials=Credentials())
    try:
        async with app.run_test(size=SMALL) as pilot:
            stage = Stage(app, pilot)
            await stage.shows("The disk is full.")
            is_full[0] = False
            await stage.until(lambda: app.desk.engine is not None, "the store open")
            await stage.until(lambda: "The disk is full." not in stage.text(), "no word of it left")
            await stage.press("f3")
            await stage.shows("The outbox is empty")
    finally:
        await asyncio.to_thread(app.desk.stop_engine, grace_seconds=2.0)
        await asyncio.to_thread(app.desk.close)


async def test_a_data_dir_that_could_not_be_used_is_used_once_it_can(tmp_path: Path) -> None:
    """What was typed meanwhile is saved then, without a key and without another start."""
    paths = paths_in(tmp_path)
    paths.data_dir.write_text("in the way")
    app = make_app(configuration=configuration_of(), paths=paths, credentials=Credentials())
    try:
        async with app.run_test(size=SMALL) as pilot:
            stage = Stage(app, pilot)
            await stage.until(lambda: str(paths.data_dir.name) in app.desk.status.text, "why nothing is stored")
            await stage.type("bob@example.org")
            await asyncio.sleep(1.5)
            assert app.desk.engine is None
            paths.data_dir.unlink()
            await stage.until(lambda: app.desk.engine is not None, "the store open")
            await stage.shows("draft saved")
            drafts = await app.desk.ask(lambda mailer: mailer.drafts())
            assert [one.draft.to for one in drafts] == ["bob@example.org"]
    finally:
        await asyncio.to_thread(app.desk.stop_engine, grace_seconds=2.0)
        await asyncio.to_thread(app.desk.close)
