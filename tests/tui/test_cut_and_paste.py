"""What a key deletes by the word or line is kept: the key that pastes writes it again, in any field."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_stage import configuration_of, on_stage
from textual.widgets import Input

from tui_mailer.accounts.configuration import UiSettings
from tui_mailer.domain.draft import Draft
from tui_mailer.tui.app import MailerApp

DRAFT = Draft(subject="one two three", body="first line\nsecond line\nthird")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the terminal's clipboard is given."""
    texts: list[str] = []
    monkeypatch.setattr(MailerApp, "copy_to_clipboard", lambda self, text: texts.append(text))
    return texts


@pytest.mark.parametrize(
    ("keys", "left", "kept"),
    [
        (("ctrl+u",), "", "one two three"),
        (("home", "ctrl+k"), "", "one two three"),
        (("ctrl+w",), "one two ", "three"),
        (("ctrl+w", "ctrl+w"), "one ", "two three"),
        (("alt+backspace", "ctrl+backspace"), "one ", "two three"),
        (("ctrl+left", "ctrl+k", "ctrl+u"), "", "one two three"),
        (("ctrl+w", "left", "ctrl+u"), " ", "one two"),
        (("ctrl+w", "backspace", "ctrl+x"), "one two", "three"),
    ],
)
async def test_a_field_gives_back_what_was_taken(
    tmp_path: Path, told: list[str], keys: tuple[str, ...], left: str, kept: str
) -> None:
    """Cuts that follow each other add up in the order of the text; any other key in between begins anew."""
    async with on_stage(tmp_path, draft=DRAFT) as stage:
        form = stage.app.compose_screen.form
        subject = form.inputs["subject"]
        form.focus_field("subject")
        await stage.press(*keys)
        assert (subject.value, stage.app.clipboard) == (left, kept)
        await stage.press("end", "ctrl+v")
        assert subject.value == left + kept
        assert told == []


@pytest.mark.parametrize(
    ("keys", "left", "kept"),
    [
        (("ctrl+k",), "\nsecond line\nthird", "first line"),
        (("ctrl+k", "ctrl+k", "ctrl+k"), "\nthird", "first line\nsecond line"),
        (("end", "ctrl+w"), "first \nsecond line\nthird", "line"),
        (("end", "ctrl+u", "ctrl+k"), "second line\nthird", "first line\n"),
        (("alt+delete",), " line\nsecond line\nthird", "first"),
    ],
)
async def test_the_body_gives_back_what_was_taken(
    tmp_path: Path, told: list[str], keys: tuple[str, ...], left: str, kept: str
) -> None:
    """Line ends are kept with the lines; the terminal is told of none of it."""
    async with on_stage(tmp_path, draft=DRAFT) as stage:
        form = stage.app.compose_screen.form
        form.focus_field("body")
        form.body.move_cursor((0, 0))
        await stage.press(*keys)
        assert (form.body.text, stage.app.clipboard) == (left, kept)
        form.body.move_cursor(form.body.document.end)
        await stage.press("ctrl+v")
        assert form.body.text == left + kept
        assert told == []


async def test_lines_of_the_body_become_one_row_in_a_field(tmp_path: Path) -> None:
    """A subject has no line ends, whichever way they come; with nothing to paste, what is marked stays."""
    async with on_stage(tmp_path, draft=DRAFT) as stage:
        form = stage.app.compose_screen.form
        form.focus_field("subject")
        form.inputs["subject"].select_all()
        await stage.press("ctrl+v")
        assert form.inputs["subject"].value == "one two three"
        form.focus_field("body")
        form.body.move_cursor((0, 0))
        await stage.press("ctrl+k", "ctrl+k", "ctrl+k")
        form.focus_field("subject")
        await stage.press("ctrl+u")
        assert stage.app.clipboard == "one two three"
        stage.app.keep_cut("first line\nsecond line")
        await stage.press("ctrl+v")
        assert form.inputs["subject"].value == "first line second line"


async def test_a_password_is_kept_nowhere(tmp_path: Path) -> None:
    """Cleared in its field it can't be pasted into another."""
    async with on_stage(tmp_path) as stage:
        await stage.press("f9", "n")
        await stage.shows("Add an SMTP account")
        password = stage.app.screen.query_one("#password", Input)
        stage.app.screen.set_focus(password)
        await stage.type("sesame")
        await stage.press("ctrl+u")
        assert (password.value, stage.app.clipboard) == ("", "")


async def test_pines_keys_cut_lines_and_bring_them_back(tmp_path: Path) -> None:
    """Ctrl+K, Ctrl+K, Ctrl+U, as in its editor."""
    pine = UiSettings(keymap="pine")
    async with on_stage(tmp_path, configuration_of(ui=pine), draft=DRAFT) as stage:
        form = stage.app.compose_screen.form
        form.focus_field("body")
        form.body.move_cursor((0, 0))
        await stage.press("ctrl+k", "ctrl+k", "down", "ctrl+u")
        assert form.body.text == "second line\nfirst line\nthird"
