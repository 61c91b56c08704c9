"""The body editor paints what Textual's would, only sooner."""

from __future__ import annotations

import random
from pathlib import Path

from app_stage import configuration_of, on_stage
from textual.widgets import TextArea
from textual.widgets.text_area import Selection

from tui_mailer.accounts.configuration import UiSettings
from tui_mailer.tui.widgets.body_area import BodyArea

TEXTS = ["x", "harbour ", "\n", "漢字", "👍🏽", "\t", "a long line that has to be wrapped somewhere ", "\n\n", "é"]


async def test_rows_from_memory_are_the_rows_painted_anew(tmp_path: Path) -> None:
    """Typing, deleting, selecting, undoing, scrolling, resizing, other texts: no remembered row is stale."""
    dice = random.Random(5)
    async with on_stage(tmp_path) as stage:
        body = stage.app.compose_screen.form.body
        stage.app.screen.set_focus(body)
        for number in range(120):
            act(body, dice)
            if number % 40 == 20:
                await stage.pilot.resize_terminal(dice.randint(60, 90), 24)
            if number % 5 == 0:
                await stage.pilot.pause()
            for y in range(body.size.height):
                assert body.render_line(y) == TextArea._render_line(body, y), (number, y)
        assert body.wrapped_document.height == sum(len(one) + 1 for one in body.wrapped_document._wrap_offsets)


async def test_a_line_feed_ends_the_line(tmp_path: Path) -> None:
    """As in text that a terminal without bracketed paste passes on; where it is a key (keymap pine), it is that."""
    async with on_stage(tmp_path) as stage:
        body = stage.app.compose_screen.form.body
        stage.app.screen.set_focus(body)
        await stage.press("o", "n", "e", "ctrl+j", "t", "w", "o", "shift+left", "shift+left", "ctrl+j", "3")
        assert body.text == "one\nt\n3"
        await stage.press("ctrl+z", "ctrl+z")
        assert body.text == "one\ntwo"
    configuration = configuration_of(ui=UiSettings(keymap="pine"))
    async with on_stage(tmp_path / "pine", configuration) as stage:
        body = stage.app.compose_screen.form.body
        stage.app.screen.set_focus(body)
        await stage.press("a", "ctrl+j", "b")
        assert body.text == "a"
        await stage.until(lambda: stage.app.screen.focused is stage.app.compose_screen.form.attachments.path, "attach")


def act(body: BodyArea, dice: random.Random) -> None:
    """Does something to the text."""
    last = body.document.line_count - 1
    place = (dice.randint(0, last), 0)
    match dice.randrange(8):
        case 0 | 1 | 2:
            body.insert("".join(dice.choice(TEXTS) for _ in range(dice.randint(1, 4))))
        case 3:
            body.action_delete_left()
        case 4:
            body.selection = Selection(place, (dice.randint(0, last), dice.randint(0, 3)))
        case 5:
            body.move_cursor(place)
        case 6:
            body.undo()
        case _ if dice.random() < 0.2:
            body.load_text("".join(dice.choice(TEXTS) for _ in range(60)))
        case _:
            body.action_cursor_page_down()
