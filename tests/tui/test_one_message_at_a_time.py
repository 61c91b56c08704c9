"""Text goes to the message it was written for, however long disk, store or provider take, and whoever else writes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import apsw
import pytest
from app_stage import Stage, configuration_of, on_stage, paths_in
from textual import events

from tui_mailer.domain.draft import Draft
from tui_mailer.services.mailer import Mailer
from tui_mailer.services.review import SealRequest
from tui_mailer.storage.record import DraftRef, StoredDraft
from tui_mailer.storage.store import Store
from tui_mailer.tui import autosave
from tui_mailer.tui.typed_ahead import LONGEST_WAIT_SECONDS


@asynccontextmanager
async def locked(folder: Path) -> AsyncIterator[None]:
    """Another process writes into the outbox, and is slow about it."""
    with closing(apsw.Connection(str(paths_in(folder).data_dir / "outbox.db"))) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def stored(stage: Stage) -> list[Draft]:
    """What is among the drafts."""
    return [one.draft for one in await stage.app.desk.ask(lambda mailer: mailer.drafts())]


async def only_draft(stage: Stage) -> StoredDraft:
    (one,) = await stage.app.desk.ask(lambda mailer: mailer.drafts())
    return one


async def after_the_keys_waited() -> None:
    """Keys wait for three seconds for what was asked for; then they are read."""
    await asyncio.sleep(LONGEST_WAIT_SECONDS + 0.3)


async def queue(stage: Stage, subject: str) -> None:
    """Something of another process that can still be taken back, and is offered."""
    await stage.app.desk.ask(
        lambda mailer: mailer.seal(Draft(to="x@example.org", subject=subject), SealRequest(undo_seconds=600))
    )
    await stage.press("f5")
    await stage.shows("queued for x@example.org", "F5 takes it back")


async def test_what_is_taken_back_late_leaves_the_text_being_written_alone(tmp_path: Path) -> None:
    """While the store is busy one writes on: the mail taken back waits among the drafts, and is told."""
    async with on_stage(tmp_path) as stage:
        await queue(stage, "Taken back")
        await stage.press("f5")
        await stage.until(lambda: stage.app.compose_screen.form.read().subject == "Taken back", "at once, at rest")
        await stage.press("ctrl+n")
        await queue(stage, "Late")
        async with locked(tmp_path):
            await stage.press("f5")
            await after_the_keys_waited()
            await stage.type("bob@example.org")
        await stage.shows("taken back: nothing was sent; F8 opens it")
        assert stage.app.compose_screen.form.read() == Draft(to="bob@example.org")
        await stage.until(lambda: stage.app.compose_screen.keeper.draft_id is not None, "the draft saved")
        assert sorted(one.subject for one in await stored(stage)) == ["", "Late", "Taken back"]


async def test_what_is_taken_back_late_leaves_a_review_alone(tmp_path: Path) -> None:
    """The sheet that is up goes on with its own message: Enter sends that, and the other one stays a draft."""
    async with on_stage(tmp_path) as stage:
        await stage.write("bob@example.org", "Reviewed", "text")
        await stage.shows("draft saved")
        await queue(stage, "Late")
        async with locked(tmp_path):
            await stage.press("f5")
            await after_the_keys_waited()
            await stage.press("ctrl+s")
        await stage.shows("Review:")
        await stage.until(stage.sends_now, "a sheet that has been up for half a second")
        await stage.press("enter")
        await stage.until(lambda: stage.app.compose_screen.form.read().is_empty(), "the form empty")
        assert [one.subject for one in await stored(stage)] == ["Late"]


async def test_a_review_that_comes_late_is_of_what_stands_in_the_form(tmp_path: Path) -> None:
    """Whoever goes on writing, or to another message, before the sheet is there isn't shown what was there before."""
    async with on_stage(tmp_path) as stage:
        await stage.write("bob@example.org", "First", "text")
        async with locked(tmp_path):
            await stage.type("!")
            await stage.press("ctrl+s")
            await after_the_keys_waited()
            await stage.type("!")
        await stage.shows("Review:")
        await stage.press("escape")
        async with locked(tmp_path):
            await stage.type("!")
            await stage.press("ctrl+s")
            await after_the_keys_waited()
            new = asyncio.ensure_future(stage.press("ctrl+n"))
            await asyncio.sleep(0.3)
        await new
        await stage.until(lambda: stage.app.compose_screen.form.read().is_empty(), "the new message")
        await asyncio.sleep(0.3)
        if stage.app.screen.is_modal:  # its review came before the new message: it is still about the first one
            await stage.until(stage.sends_now, "a sheet that has been up for half a second")
            await stage.press("enter")
            await stage.until(lambda: not stage.app.screen.is_modal, "the sheet gone")
            assert await stored(stage) == []
        else:
            assert [one.body for one in await stored(stage)] == ["text!!!"]


async def test_what_was_typed_while_another_draft_was_opened_stays_where_it_was_typed(tmp_path: Path) -> None:
    """A draft chosen from the list isn't put under the keys of somebody who writes on meanwhile."""
    async with on_stage(tmp_path) as stage:
        await stage.app.desk.ask(lambda mailer: mailer.save_draft(Draft(subject="Other")))
        await stage.type("bo")
        await stage.press("f8")
        await stage.shows("Other", "(this one)")
        await stage.until(lambda: len(stage.app.screen_stack) == 2, "the list")
        await stage.press("escape")
        async with locked(tmp_path):
            await stage.type("b")
            await stage.press("f8")
            await after_the_keys_waited()
            await stage.type("@example.org")
        await stage.shows("Drafts:")
        await stage.press("escape")
        assert stage.app.compose_screen.form.read().to == "bob@example.org"


async def test_keys_typed_ahead_of_a_draft_from_the_list_reach_it(tmp_path: Path) -> None:
    """In one burst: the list, Enter, and what is meant for the text of the draft."""
    async with on_stage(tmp_path) as stage:
        whole = Draft(to="a@example.org", subject="Old", body="text")
        await stage.app.desk.ask(lambda mailer: mailer.save_draft(whole))
        await stage.type("x")
        await stage.press("ctrl+n")
        for key in ("f8", "end", "enter", "1", "2", "3"):
            stage.app.post_message(events.Key(key, key if len(key) == 1 else None))
        form = stage.app.compose_screen.form
        await stage.until(lambda: form.read().subject == "Old" and form.body.text == "text123", "the draft, written on")


async def test_what_is_typed_for_a_dialog_that_comes_late_is_typed_into_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy machine takes two seconds for the dialog: the time isn't written into the body, nor the mail sent now."""
    who_sends = Mailer.who_sends

    def slowly(mailer: Mailer, *arguments: Any, **more: Any) -> Any:
        time.sleep(2.0)
        return who_sends(mailer, *arguments, **more)

    async with on_stage(tmp_path) as stage:
        await stage.write("bob@example.org", "Late", "text")
        monkeypatch.setattr(Mailer, "who_sends", slowly)
        for key in ("ctrl+l", *"in 2h", "enter"):
            name = "space" if key == " " else key
            stage.app.post_message(events.Key(name, key if len(key) == 1 else None))
        await stage.until(lambda: stage.app.compose_screen.form.read().schedule == "in 2h", "the time")
        assert stage.app.compose_screen.form.body.text == "text"


async def test_a_draft_changed_elsewhere_is_neither_sent_nor_deleted_by_the_older_text(tmp_path: Path) -> None:
    """Two apps on one draft: the older text is refused, kept as a copy and sent as such; the newer one stays."""
    async with on_stage(tmp_path) as stage:
        await stage.write("bob@example.org", "Both", "older")
        await stage.shows("draft saved")
        mine = await only_draft(stage)
        with closing(Store.open(paths_in(tmp_path).data_dir)) as other:
            other.drafts.save(Draft(to="bob@example.org", subject="Both", body="newer"), mine.ref)
        await stage.press("ctrl+s")
        await stage.shows("Review:")
        await stage.until(stage.sends_now, "a sheet that has been up for half a second")
        await stage.press("enter")
        await stage.shows("nothing was sent: The draft was changed elsewhere", "a copy: review that to send it")
        assert not stage.app.screen.is_modal
        assert sorted(one.body for one in await stored(stage)) == ["newer", "older"]
        await stage.review_and_send()
        await stage.until(lambda: stage.app.compose_screen.form.read().is_empty(), "the form empty")
        assert [one.body for one in await stored(stage)] == ["newer"]


async def test_a_copy_of_what_was_sent_elsewhere_says_so_before_it_goes_out_again(tmp_path: Path) -> None:
    """Another app has sent the draft; whoever writes on here is told, and again in the review."""
    async with on_stage(tmp_path) as stage:
        await stage.write("bob@example.org", "Both", "text")
        await stage.shows("draft saved")
        mine = await only_draft(stage)
        await stage.app.desk.ask(lambda mailer: mailer.seal(mine.draft, SealRequest(draft=mine.ref)))
        await stage.type("!")
        await stage.shows("sent or deleted elsewhere: what you write goes on as a copy")
        await stage.press("ctrl+s")
        await stage.shows("The draft this is a copy of was sent or deleted elsewhere", "twice")


@pytest.mark.parametrize("is_sheet_up", [False, True])
async def test_a_draft_sent_elsewhere_is_not_sent_again_unseen(tmp_path: Path, *, is_sheet_up: bool) -> None:
    """Unchanged here, before or after the sheet came up: Enter, also twice, sends nothing that wasn't asked about."""
    async with on_stage(tmp_path) as stage:
        await stage.write("bob@example.org", "Both", "text")
        await stage.shows("draft saved")
        mine = await only_draft(stage)
        if is_sheet_up:
            await stage.press("ctrl+s")
            await stage.shows("Review:")
            await stage.until(stage.sends_now, "a sheet that has been up for half a second")
        await stage.app.desk.ask(lambda mailer: mailer.seal(mine.draft, SealRequest(draft=mine.ref)))
        if is_sheet_up:
            await stage.press("enter", "enter")
            await stage.shows("nothing was sent: The draft was sent or deleted")
            assert not stage.app.screen.is_modal
        await stage.press("ctrl+s")
        await stage.shows("The draft this is a copy of was sent or deleted elsewhere", "twice")
        assert len(await stage.app.desk.ask(lambda mailer: [*mailer.outbox(), *mailer.history()])) == 1


async def test_emptying_the_older_text_leaves_the_newer_one(tmp_path: Path) -> None:
    """What another app has written into the draft stays there, and that is told."""
    async with on_stage(tmp_path) as stage:
        await stage.type("x")
        await stage.shows("draft saved")
        mine = await only_draft(stage)
        with closing(Store.open(paths_in(tmp_path).data_dir)) as other:
            other.drafts.save(Draft(to="xy"), mine.ref)
        await stage.press("backspace")
        await stage.shows("changed elsewhere too: what it says there is kept (F8)")
        assert [one.to for one in await stored(stage)] == ["xy"]


@pytest.mark.parametrize("keys", ["ctrl+o", "ctrl+n"])
async def test_what_is_put_away_is_there(tmp_path: Path, keys: str) -> None:
    """A draft that was deleted elsewhere and then put away, or left open, here is kept again."""
    async with on_stage(tmp_path) as stage:
        await stage.type("bob")
        await stage.shows("draft saved")
        mine = await only_draft(stage)
        with closing(Store.open(paths_in(tmp_path).data_dir)) as other:
            other.drafts.delete(DraftRef(mine.id))
        await stage.press(keys)
        await stage.until(lambda: stage.app.compose_screen.form.read().is_empty(), "the form empty")
        assert [one.to for one in await stored(stage)] == ["bob"]


async def test_deleting_the_open_drafts_closes_them(tmp_path: Path) -> None:
    """What was deleted from the list doesn't stay in the form, nor in the count of what is open."""
    async with on_stage(tmp_path) as stage:
        await stage.type("one")
        await stage.press("ctrl+n")
        await stage.type("two")
        await stage.shows("[Compose 2/2]")
        await stage.press("f8")
        await stage.shows("(this one)")
        await stage.press("x", "x")
        await stage.until(lambda: " one " not in stage.text(), "the first deleted")
        await stage.press("x", "x")
        await stage.shows("no drafts")
        await stage.press("escape")
        await stage.shows("[Compose]")
        await stage.until(lambda: stage.app.compose_screen.form.read().is_empty(), "the form empty")
        assert await stored(stage) == []


async def test_the_list_deletes_only_what_it_showed(tmp_path: Path) -> None:
    """A draft that was written on since isn't deleted by the second press, but shown as it is."""
    async with on_stage(tmp_path) as stage:
        old = await stage.app.desk.ask(lambda mailer: mailer.save_draft(Draft(subject="Old")))
        await stage.press("f8")
        await stage.shows("Old")
        with closing(Store.open(paths_in(tmp_path).data_dir)) as other:
            other.drafts.save(Draft(subject="Newer"), old.ref)
        await stage.press("x", "x")
        await stage.shows("changed elsewhere since you opened this list", "Newer")
        assert [one.subject for one in await stored(stage)] == ["Newer"]


async def test_what_cannot_be_saved_is_tried_again_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data dir was away for a moment: nobody has to type for the draft to be saved, and the complaint goes."""
    monkeypatch.setattr(autosave, "MOST_SECONDS", 0.5)
    async with on_stage(tmp_path) as stage:
        await stage.type("x")
        await stage.shows("draft saved")
        data, away = paths_in(tmp_path).data_dir, tmp_path / "away"
        data.rename(away)
        await stage.type("y")
        await stage.shows("Close every tui-mailer")
        away.rename(data)
        await stage.until(lambda: "Close every" not in stage.text(), "the complaint gone")
        assert [one.to for one in await stored(stage)] == ["xy"]


async def test_whoever_types_without_a_pause_is_saved_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saving isn't put off for longer than a few seconds."""
    monkeypatch.setattr(autosave, "MOST_SECONDS", 1.5)
    async with on_stage(tmp_path) as stage:
        for _ in range(30):
            await stage.type("x")
            await asyncio.sleep(0.15)
            if stage.app.compose_screen.keeper.draft_id is not None:
                break
        assert stage.app.compose_screen.keeper.draft_id is not None


async def test_leaving_warns_of_what_is_not_saved_each_time(tmp_path: Path) -> None:
    """Only the very next press leaves all the same: what was written after the warning is warned about again."""
    async with on_stage(tmp_path, configuration_of()) as stage:
        await stage.type("x")
        await stage.shows("draft saved")
        paths_in(tmp_path).data_dir.rename(tmp_path / "away")
        await stage.type("y")
        await stage.press("ctrl+q")
        await stage.shows("^Q again leaves, with a copy of it beside")
        await asyncio.sleep(0.6)
        await stage.type("z")
        await stage.press("ctrl+q")
        await asyncio.sleep(0.6)
        assert stage.app.is_running
        assert stage.app.compose_screen.form.read().to == "xyz"
        await stage.press("ctrl+q")
        await stage.until(lambda: not stage.app.is_running or stage.app.return_value == 0, "left")
