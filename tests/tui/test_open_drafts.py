"""Several messages open beside each other."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from app_stage import on_stage, paths_in

from tui_mailer.domain.draft import Draft
from tui_mailer.storage.store import Store
from tui_mailer.tui.screens.draft_list import MOST_DRAFTS


async def test_ctrl_n_opens_another_and_shift_f8_goes_round(tmp_path: Path) -> None:
    """Two messages stay open with their text and cursor, the first row counts them, Shift+F8 changes between them."""
    async with on_stage(tmp_path) as stage:
        form = stage.app.compose_screen.form
        await stage.write("bob@example.org", "First", "one")
        await stage.press("ctrl+n")
        await stage.type("cy@example.org")
        await stage.shows("[Compose 2/2]")
        await stage.press("shift+f8")
        await stage.shows("[Compose 1/2]", "First")
        await stage.type("!")
        assert form.body.text == "one!"
        await stage.press("shift+f8")
        await stage.until(lambda: form.inputs["to"].value == "cy@example.org", "the second message")
        await stage.press("f8")
        await stage.shows("First (open)", "(this one)")
        await stage.press("enter")
        await stage.until(lambda: form.body.text == "one!", "the first again")
        await stage.press("ctrl+o")
        await stage.until(lambda: form.read().is_empty(), "put away")
        stored = await stage.app.desk.ask(lambda mailer: mailer.drafts())
        assert sorted((one.draft.to, one.draft.body) for one in stored) == [
            ("bob@example.org", "one!"),
            ("cy@example.org", ""),
        ]


async def test_a_lone_message_has_no_other_to_go_to(tmp_path: Path) -> None:
    """Shift+F8 says so and changes nothing."""
    async with on_stage(tmp_path) as stage:
        await stage.type("x")
        await stage.press("shift+f8")
        await stage.shows("no other message is open: ^N starts one", "[Compose]")
        assert stage.app.compose_screen.form.read() == Draft(to="x")


async def test_a_copy_leaves_the_original(tmp_path: Path) -> None:
    """d among the drafts opens a copy; the palette's Duplicate copies what is being written."""
    async with on_stage(tmp_path) as stage:
        await stage.app.desk.ask(lambda mailer: mailer.save_draft(Draft(to="a@example.org", subject="Old")))
        await stage.press("f8")
        await stage.shows("Old")
        await stage.press("d")
        form = stage.app.compose_screen.form
        await stage.until(lambda: form.read().subject == "Old", "the copy")
        await stage.press("ctrl+p")
        await stage.type("duplicate")
        await stage.shows("Start a copy of this message")
        await stage.press("enter")
        await stage.shows("this is a copy")
        await stage.until(lambda: stage.app.compose_screen.keeper.draft_id is not None, "the copy kept")
        assert len(await stage.app.desk.ask(lambda mailer: mailer.drafts())) == 3


async def test_the_draft_list_finds_what_is_older_than_it_shows(tmp_path: Path) -> None:
    """Of more drafts than the list holds, / looks through all: the oldest is found, opened, not deleted by chance."""
    with closing(Store.open(paths_in(tmp_path).data_dir)) as store:
        oldest = store.drafts.save(Draft(to="zoe@example.org", subject="Först", bcc="QUIET@example.org"))
        for number in range(MOST_DRAFTS + 3):
            store.drafts.save(Draft(subject=f"Note {number}"))
    async with on_stage(tmp_path) as stage:
        await stage.press("f8")
        await stage.shows(f"Note {MOST_DRAFTS + 2}", f"These are the newest {MOST_DRAFTS}; / looks through all.")
        await stage.press("slash")
        await stage.type("quiet först")
        await stage.shows("zoe@example.org")
        assert f"Note {MOST_DRAFTS}" not in stage.text()
        assert "looks through all" not in stage.text()
        await stage.press("enter", "x")
        await stage.shows("Press the same key again")
        await stage.press("enter")
        await stage.until(lambda: stage.app.compose_screen.keeper.draft_id == oldest.id, "the oldest, opened")
