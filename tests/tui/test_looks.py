"""Sizes and themes: nothing breaks, nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from app_stage import Stage, configuration_of, local_account, on_stage
from rich.color import Color, ColorType

from tui_mailer.accounts.configuration import UiSettings
from tui_mailer.domain.draft import Draft
from tui_mailer.domain.text import cell_width
from tui_mailer.tui.theme import THEMES

LETTER = Draft(to="bob@example.org", subject="漢字 und 👍🏽 и עברית", body="שלום\n漢字漢字\n" + "word " * 400)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (120, 36), (250, 80)])
async def test_every_mode_fits_every_size(tmp_path: Path, size: tuple[int, int]) -> None:
    """From 60x20 to 250x80 the frame's lines are where they belong, wide characters or not."""
    async with on_stage(tmp_path, size=size, draft=LETTER) as stage:
        for key, mode in (("f2", "[Compose]"), ("f3", "[Outbox]"), ("f4", "[History]")):
            await stage.press(key)
            await stage.shows(mode)
            lines = stage.lines()
            assert len(lines) == size[1]
            assert "^Q Quit" in lines[-1]
            assert max(cell_width(line) for line in lines) <= size[0]
        await stage.press("f2", "ctrl+s")
        await stage.shows("nothing has been sent yet", "Enter Send")


async def test_resizing_keeps_what_is_written(tmp_path: Path) -> None:
    """A window made small and large again shows the same draft."""
    async with on_stage(tmp_path, size=(160, 45), draft=LETTER) as stage:
        for size in ((60, 20), (250, 80), (80, 24)):
            await stage.pilot.resize_terminal(*size)
            await stage.pilot.pause()
        assert stage.app.compose_screen.form.read() == LETTER
        await stage.shows("[Compose]", "^Q Quit")


@pytest.mark.parametrize("theme", THEMES)
async def test_every_theme_shows_the_same_words(tmp_path: Path, theme: str) -> None:
    """A theme changes colours, never what can be read."""
    async with on_stage(tmp_path, configuration_of(local_account(), ui=UiSettings(theme=theme))) as stage:
        await stage.press("f3")
        await stage.shows("[Outbox]", "The outbox is empty", "r Retry")


@pytest.mark.parametrize("no_color", [False, True])
async def test_the_ansi_theme_has_only_the_terminals_own_colours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, no_color: bool
) -> None:
    """No shade of ours is asked for, neither in text nor behind it; under NO_COLOR no colour at all."""
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    theme = "dark" if no_color else "ansi"
    async with on_stage(tmp_path, configuration_of(local_account(), ui=UiSettings(theme=theme)), draft=LETTER) as stage:
        for key, shown in (("f2", "[Compose]"), ("f3", "[Outbox]"), ("f1", "Keys: outbox")):
            await stage.press(key)
            await stage.shows(shown)
            for colour in colours_on(stage):
                assert colour.is_default or (colour.type is ColorType.STANDARD and not no_color), (shown, colour)


def colours_on(stage: Stage) -> Iterator[Color]:
    """Every colour that the terminal is asked for."""
    for strip in stage.app.screen._compositor.render_strips():
        segments = list(strip)
        for one in stage.app.get_line_filters():
            segments = one.apply(segments, stage.app.screen.styles.background)
        for segment in segments:
            if segment.style is not None:
                yield from (one for one in (segment.style.color, segment.style.bgcolor) if one is not None)


@pytest.mark.parametrize(
    ("keys", "title"),
    [
        (("ctrl+l", *"in 3h"), "in 3h"),
        (("ctrl+s",), "nothing has been sent yet"),
        (("f8",), "Drafts:"),
        (("f9", "n", *"ada"), "ada"),
        (("f7",), "Options of"),
        (("ctrl+t", "enter"), "Attach files"),
        (("f1",), "Keys:"),
        (("ctrl+p", *"the"), "Theme: light"),
    ],
)
async def test_resizing_keeps_a_dialog_and_what_is_typed_in_it(
    tmp_path: Path, keys: tuple[str, ...], title: str
) -> None:
    """From large to 60x20 and back: the same dialog, its words and its focus; Esc leads out of it."""
    async with on_stage(tmp_path, size=(160, 45), draft=LETTER) as stage:
        for key in keys:
            await stage.press("space" if key == " " else key)
            await stage.pilot.pause()
        await stage.shows(title)
        dialog, focused = stage.app.screen, stage.app.focused
        for size in ((60, 20), (250, 80), (80, 24)):
            await stage.pilot.resize_terminal(*size)
            await stage.shows(title)
            assert stage.app.screen is dialog
            assert stage.app.focused is focused
            assert len(stage.lines()) == size[1]
            assert max(cell_width(line) for line in stage.lines()) <= size[0]
        for _ in range(3):
            await stage.press("escape")
        await stage.until(lambda: not stage.app.screen.is_modal, "the form")
        assert stage.app.compose_screen.form.read().body == LETTER.body


async def test_the_palette_changes_the_theme_and_says_how_it_is_kept(tmp_path: Path) -> None:
    """Every theme, one after another; the configuration isn't touched."""
    async with on_stage(tmp_path, size=(120, 36)) as stage:
        for name in ("light", "ansi", "high-contrast", "dark"):
            await stage.press("ctrl+p")
            await stage.shows("Search for commands")
            await stage.type(f"theme: {name}")
            await stage.shows(f"Theme: {name}")
            await stage.press("enter")
            await stage.shows(f"theme {name} until the end", f"{{theme: {name}}}")
            assert stage.app.theme == THEMES[name]
            assert stage.app.native_ansi_color == (name == "ansi")
