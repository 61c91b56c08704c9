"""Text from outside is shown, never obeyed: no escape reaches the terminal, no markup is read, wherever it appears."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_stage import LARGE, Stage, configuration_of, on_stage, smtp_account
from rich.segment import Segment
from smtp_server import ScriptedServer
from textual.color import Color

from tui_mailer.domain.draft import Draft
from tui_mailer.services.review import SealRequest
from tui_mailer.tui.safety import SteeringFilter

NASTY = "a\x1b]0;PWNED\x07b\x1b[2Jc\x9b31md\u202eevil\u2066\x7f[/b][@click=app.quit]x[/][bold red]"
STEERING = ("\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\x7f", "\x00", "\x9d")


def assert_harmless(stage: Stage) -> None:
    """Nothing that steers a terminal is among what goes to it."""
    text = stage.text()
    assert not [sign for sign in STEERING if sign in text]


def test_the_net_deletes_what_steers_and_nothing_else() -> None:
    """Controls, C1, bidi and lone surrogates go; letters, accents, CJK and emoji joiners stay."""
    one = Segment(NASTY + "\ud800é漢👨\u200d👩\u200d👧")
    (cleaned,) = SteeringFilter().apply([one], Color(0, 0, 0))
    assert not [sign for sign in STEERING if sign in cleaned.text]
    assert cleaned.text.endswith("é漢👨\u200d👩\u200d👧")
    assert "[@click=app.quit]" in cleaned.text


def test_the_net_leaves_control_segments_alone() -> None:
    """Textual's own cursor moves pass."""
    own = Segment("\x1b[H", None, [(1, 0)])  # type: ignore[list-item]
    assert SteeringFilter().apply([own], Color(0, 0, 0)) == [own]


@pytest.mark.parametrize("field", ["to", "cc", "subject", "body", "schedule"])
async def test_a_draft_from_disk_is_shown_harmlessly(tmp_path: Path, field: str) -> None:
    """Whatever a stored draft holds, no field passes an escape on, nor the list of drafts."""
    async with on_stage(tmp_path) as stage:
        draft = Draft(**{"to": "bob@example.org", field: NASTY})
        await stage.app.desk.ask(lambda mailer: mailer.save_draft(draft))
        await stage.press("f8")
        await stage.shows("Drafts:")
        assert_harmless(stage)
        await stage.press("enter")
        await stage.until(lambda: not stage.app.screen.is_modal, "the draft")
        for _ in range(7):
            await stage.press("tab")
            assert_harmless(stage)


async def test_a_server_that_answers_with_escapes_is_quoted_harmlessly(tmp_path: Path) -> None:
    """A refusal full of escapes and markup shows in status line, list and details, and does nothing."""
    async with ScriptedServer() as server:
        server.always("RCPT", "550 5.1.1 " + NASTY.replace("\x9b", "").replace("\u202e", ""))
        async with on_stage(tmp_path, configuration_of(smtp_account(server.port)), size=LARGE) as stage:
            draft = Draft(to='"[/b] Bob" <bob@example.org>', subject="Re: [JIRA-123] [x=1] [/foo]", body="[/foo]")
            await stage.app.desk.ask(lambda mailer: mailer.seal(draft, SealRequest()))
            stage.app.desk.nudge()
            await stage.press("f4")
            await stage.shows("failed", "Re: [JIRA-123] [x=1] [/foo]")
            assert_harmless(stage)
            await stage.press("enter")
            await stage.shows("to rejected")
            assert_harmless(stage)


async def test_markup_in_every_field_is_only_text(tmp_path: Path) -> None:
    """Brackets in addresses, subject, file names and errors neither crash the review nor vanish."""
    name = "[bold]report[/bold] [/x].txt"
    (tmp_path / name.replace("/", "_")).write_text("x")
    async with on_stage(tmp_path) as stage:
        await stage.type('"[/x] Bob" <bob@example.org>')
        await stage.press("tab", "tab")
        await stage.type("[/foo] [bold]")
        await stage.press("ctrl+t")
        await stage.type("/nowhere/[/foo].pdf")
        await stage.press("enter")
        await stage.shows("there is no file /nowhere/[/foo].pdf")
        await stage.press("ctrl+u")
        await stage.type(f"{tmp_path}/[bold]")
        await stage.press("tab", "enter", "ctrl+s")
        await stage.shows("Review:", "[/foo] [bold]", "[bold]report[_bold] [_x].txt")


async def test_an_account_held_with_a_nasty_reason_shows_it_harmlessly(tmp_path: Path) -> None:
    """The reason comes from a server: first row, remedy and account list only quote it."""
    async with on_stage(tmp_path) as stage:
        await stage.app.desk.ask(lambda mailer: mailer.hold_account("local", NASTY))
        await stage.press("f3")
        await stage.shows("local is held")
        assert_harmless(stage)
        await stage.press("f9")
        await stage.shows("Accounts")
        assert_harmless(stage)
