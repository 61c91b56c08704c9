"""No order of keys ends the app or takes a message with it; `benchmarks/key_storm.py` goes on for longer."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_stage import on_stage
from key_storm_dice import storm
from textual.command import CommandList

from tui_mailer.tui.screens.browse import BrowseScreen, FilterInput
from tui_mailer.tui.screens.choice import ChoiceScreen, Offer
from tui_mailer.tui.size_budget import SizeBudget


@pytest.mark.parametrize("seed", [3, 10])
async def test_random_keys_over_every_place_end_nothing(tmp_path: Path, seed: int) -> None:
    """Bursts, dialogs, pastes: the app stands, Esc leads back, and every message is there once."""
    assert await storm(tmp_path, seed, 150)


async def test_paging_through_a_palette_that_is_not_laid_out_ends_nothing(tmp_path: Path) -> None:
    """The storm's first find: a list that has rows but no lines yet."""
    async with on_stage(tmp_path) as stage:
        await stage.press("ctrl+p")
        await stage.shows("Search for commands")
        rows = stage.app.screen.query_one(CommandList)
        await stage.until(lambda: rows.highlighted is not None, "the commands")
        rows._index_to_line.clear()
        await stage.app.screen.run_action("command_list('page_up')")
        await stage.press("escape")
        await stage.until(lambda: not stage.app.screen.is_modal, "the form")


async def test_a_dialog_left_before_its_work_is_done_ends_nothing(tmp_path: Path) -> None:
    """The third: a folder that was read when the browser was gone by then."""
    async with on_stage(tmp_path) as stage:
        dialog = BrowseScreen(stage.app.desk.keymap, str(tmp_path), SizeBudget())
        await stage.app.push_screen(dialog)
        await stage.shows("Attach files")
        await stage.press("escape")
        await stage.until(lambda: not stage.app.screen.is_modal, "the form")
        await dialog.query(FilterInput).remove()
        await dialog._attempt(dialog._go("/"))


async def test_a_dialog_left_while_help_lies_over_it_goes_with_the_help(tmp_path: Path) -> None:
    """The second: Textual took the help away instead, and the dialog could never be left again."""
    async with on_stage(tmp_path) as stage:
        results: list[str | None] = []
        dialog = ChoiceScreen(stage.app.desk.keymap, "Which?", [Offer(key="one", text="one")])
        stage.app.push_screen(dialog, results.append)
        await stage.shows("Which?")
        await stage.press("f1")
        await stage.shows("Keys:")
        dialog.dismiss("one")
        await stage.pilot.pause(0.1)
        assert "Keys:" in stage.text()
        assert results == []
        await stage.press("escape")
        await stage.until(lambda: not stage.app.screen.is_modal, "the form")
        assert results == ["one"]
