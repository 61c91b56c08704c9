"""Several messages open beside each other."""

from __future__ import annotations

from pathlib import Path

from app_stage import on_stage

from tui_mailer.domain.draft import Draft


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
