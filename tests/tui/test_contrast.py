"""Every word on every screen stands out from what is behind it, in each theme that has colours of its own.

Measured on the cells that go to the terminal, by WCAG 2.2: 4.5 : 1 (1.4.3), with high contrast 7 : 1 (1.4.6). Hints in
empty fields count as words. Frames, rules and scrollbars say nothing and don't.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from app_stage import Stage, configuration_of, on_stage, smtp_account
from rich.color import Color, ColorSystem
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from smtp_server import DROP, ScriptedServer

from tui_mailer.accounts.configuration import UiSettings
from tui_mailer.domain.draft import Draft
from tui_mailer.services.review import SealRequest
from tui_mailer.tui.theme import THEMES

LEAST = {"dark": 4.5, "light": 4.5, "high-contrast": 7.0}
OF_NO_MEANING = frozenset("─│╭╮╰╯┌┐└┘▁▂▃▄▅▆▇█▔▕▎▏▊▍▌🔎 \n")
LETTER = Draft(
    to="Bob <bob@example.org>",
    cc="eve@example.org",
    subject="Plans",
    body="the plans are attached\n" + "word " * 900,
    schedule="tomorrow 9am",
)
Walk = Sequence[tuple[Sequence[str], str]]
"""Keys, then what they lead to."""
WRITING: Walk = (
    ((), "[Compose]"),
    (("tab", "tab", "tab", "ctrl+home", "shift+down", "shift+down"), "[Compose]"),
    (("ctrl+t", *"/nowhere", "enter"), "there is no file /nowhere"),
    (("ctrl+u", "enter"), "Attach files"),
    (("escape", "f6"), "Reply-To"),
    (("f7",), "Options of this message"),
    (("escape", "ctrl+l"), "When is it to go out?"),
    (("shift+home",), "When is it to go out?"),
    (("ctrl+u", *"nonsense", "enter"), "nonsense"),
    (("escape", "ctrl+s"), "Check"),
    (("escape", "f1"), "Keys: compose"),
    (("escape", "ctrl+p"), "Search for"),
    ((*"the",), "Theme: light"),
    (("down",), "Theme: light"),
    (("escape", "f8"), "Drafts:"),
    (("/", *"zzz"), "Nothing matches"),
    (("escape", "f9"), "Accounts"),
    (("n",), "Add an"),
    (("tab", "tab"), "Add an"),
    (("ctrl+s",), "Add an"),
    (("escape", "escape", "escape", "f8", "/", *"Half", "enter", "enter"), "template t"),
    (("ctrl+s",), "Error"),
    (("escape", "ctrl+n", "f8"), "Drafts:"),
    (("escape", "ctrl+s"), "There is no recipient"),
)
LISTS: Walk = (
    (("f3", "end"), "[Outbox"),
    *((("up",), "[Outbox") for _ in range(4)),
    (("space",), "[Outbox"),
    (("up",), "[Outbox"),
    (("escape", "home"), "[Outbox"),
    (("o",), "Did it reach"),
    (("escape", "enter"), "Message-ID"),
    (("escape", "f1"), "Keys: outbox"),
    (("escape", "f4", "home"), "[History]"),
    *((("down",), "[History]") for _ in range(3)),
    (("enter",), "Message-ID"),
    (("escape", "x"), "for good?"),
    (("escape", "/", *"zzz"), "0 found"),
    (("escape", "X"), "History"),
    (("escape", "f2", "ctrl+q"), ""),
)


def words_on(stage: Stage) -> Iterator[Segment]:
    """Every piece of the screen as the terminal is told to show it, blanks and frames left out."""
    for strip in stage.app.screen._compositor.render_strips():
        segments = list(strip)
        for one in stage.app.get_line_filters():
            segments = one.apply(segments, stage.app.screen.styles.background)
        yield from (one for one in segments if not one.control and set(one.text) - OF_NO_MEANING)


def contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    """WCAG's ratio."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: ColorTriplet) -> float:
    """WCAG's relative luminance."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def pair(segment: Segment, system: ColorSystem) -> tuple[ColorTriplet, ColorTriplet]:
    """Colour of the letters and of what is behind them, on a terminal that has so many colours."""
    style = segment.style
    assert style is not None, segment
    assert not style.dim, segment
    front, back = (one.downgrade(system).get_truecolor() for one in (known(style.color), known(style.bgcolor)))
    return (back, front) if style.reverse else (front, back)


def known(colour: Color | None) -> Color:
    """A colour that isn't left to the terminal."""
    assert colour is not None
    assert not colour.is_default
    return colour


@asynccontextmanager
async def furnished(folder: Path, theme: str) -> AsyncIterator[Stage]:
    """The app with a mail of each state, a letter with something to warn of, and another draft."""
    async with ScriptedServer() as server:
        server.always("RCPT TO:<no", "550 5.1.1 unknown")
        server.always("RCPT TO:<later", "451 4.7.1 greylisted")
        account = smtp_account(server.port)
        configuration = configuration_of(account, undo_seconds=5, ui=UiSettings(theme=theme))
        async with on_stage(folder, configuration, size=(100, 30), draft=LETTER) as stage:
            ask = stage.app.desk.ask
            for name, state in (("no", "failed"), ("later", "deferred"), ("yes", "sent"), ("what", "uncertain")):
                if name == "what":
                    server.on("DOT", DROP)
                mail = Draft(to=f"{name}@example.org", subject=state, body="text")
                (sealed,) = await ask(lambda mailer, mail=mail: mailer.seal(mail, SealRequest()))
                stage.app.desk.nudge()
                while (await ask(lambda mailer, key=sealed.id: mailer.show(key))).state != state:
                    await asyncio.sleep(0.02)
            for wish in (SealRequest(hold=True), SealRequest()):
                mail = Draft(to="bob@example.org", subject="waits", body="b", schedule="tomorrow 9am")
                await ask(lambda mailer, mail=mail, wish=wish: mailer.seal(mail, wish))
            await ask(lambda mailer: mailer.save_draft(Draft(to="bob@example.org", subject="Half", template="t")))
            yield stage


@pytest.mark.parametrize("walk", [WRITING, LISTS], ids=["writing", "lists"])
@pytest.mark.parametrize("theme", LEAST)
async def test_every_word_can_be_read(tmp_path: Path, theme: str, walk: Walk) -> None:
    """With all colours and with the 256 of older terminals; what is chosen and what is marked, too."""
    faint: dict[str, float] = {}
    async with furnished(tmp_path, theme) as stage:
        for keys, shown in walk:
            await stage.press(*keys)
            await stage.shows(shown)
            await stage.pilot.pause(0.05)
            for segment in words_on(stage):
                for system in (ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT):
                    front, back = pair(segment, system)
                    ratio = contrast(front, back)
                    if ratio < LEAST[theme]:
                        faint[f"{shown}: {segment.text.strip()[:50]} ({front.hex} on {back.hex})"] = round(ratio, 2)
    assert not faint, "\n".join(f"{ratio} {what}" for what, ratio in faint.items())


def test_every_theme_is_measured() -> None:
    """A new one can't be left out; the terminal's own colours are the person's."""
    assert {THEMES[name] for name in LEAST} == {*THEMES.values()} - {THEMES["ansi"]}
