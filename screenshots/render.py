"""Renders the real app into pictures: ``python screenshots/render.py`` writes SVG, PNG and text beside itself.

``--check`` draws nothing and says which screens are no longer what their text says. Clock, zone, mail and account are
always the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
os.environ["TZ"] = "Europe/London"
os.environ["EMAIL"] = "ada@analytical.example"
os.environ.pop("NO_COLOR", None)
os.environ["TERM"] = "xterm-256color"
time.tzset()
os.getpid = lambda: 4711  # screens that name a process name always the same

import still_clock  # noqa: E402, F401  # before anything else reads the time
from painting import Painter  # noqa: E402
from scene import LETTER, configuration, furnish, paths_in  # noqa: E402
from textual.pilot import Pilot  # noqa: E402
from textual.strip import Strip  # noqa: E402

from tui_mailer.accounts.credential import Credentials  # noqa: E402
from tui_mailer.accounts.load import load  # noqa: E402
from tui_mailer.domain.draft import Draft, DraftAttachment  # noqa: E402
from tui_mailer.tui.app import MailerApp, make_app  # noqa: E402

Act = Callable[[Pilot[int], MailerApp], Awaitable[None]]


STEPS_AT_REST = 3
"""Looks in a row, a tenth of a second apart, that see the same."""


@dataclass(frozen=True)
class Scene:
    """What is done to come to a screen, and in which theme."""

    act: Act
    theme: str = "dark"
    has_letter: bool = False
    has_past: bool = True


async def settle(pilot: Pilot[int], app: MailerApp) -> None:
    """Lets the store open and the screen come to rest."""
    while app.desk.engine is None:
        await pilot.pause(0.02)
    before: list[str] = []
    same = 0
    while same < STEPS_AT_REST:
        await pilot.pause(0.1)
        now = [strip.text for strip in strips_of(app)]
        same, before = (same + 1, before) if now == before else (0, now)


def strips_of(app: MailerApp) -> list[Strip]:
    """The cells themselves; there is no public way to them."""
    return app.screen._compositor.render_strips()  # noqa: SLF001


async def compose(pilot: Pilot[int], app: MailerApp) -> None:
    app.compose_screen.form.focus_field("body")
    await pilot.press("tab", "tab", "shift+tab", "shift+tab", "ctrl+end")


async def review(pilot: Pilot[int], app: MailerApp) -> None:
    del app
    await pilot.press("ctrl+s")


async def schedule(pilot: Pilot[int], app: MailerApp) -> None:
    del app
    await pilot.press("ctrl+l")


async def outbox(pilot: Pilot[int], app: MailerApp) -> None:
    del app
    await pilot.press("f3")


async def uncertain(pilot: Pilot[int], app: MailerApp) -> None:
    await pilot.press("f3")
    await settle(pilot, app)
    await pilot.press("home", "o")


async def history(pilot: Pilot[int], app: MailerApp) -> None:
    await pilot.press("f4")
    await settle(pilot, app)
    await pilot.press("down", "down")


async def search(pilot: Pilot[int], app: MailerApp) -> None:
    await pilot.press("f4")
    await settle(pilot, app)
    await pilot.press("slash", *"engine")


async def help_(pilot: Pilot[int], app: MailerApp) -> None:
    del app
    await pilot.press("f1")


async def nothing(pilot: Pilot[int], app: MailerApp) -> None:
    del pilot, app


SCENES = {
    "compose": Scene(compose, has_letter=True),
    "review": Scene(review, has_letter=True),
    "schedule": Scene(schedule, has_letter=True),
    "outbox": Scene(outbox),
    "uncertain": Scene(uncertain),
    "history": Scene(history),
    "search": Scene(search),
    "help": Scene(help_, has_letter=True),
    "first-start": Scene(nothing, has_past=False),
    "theme-light": Scene(compose, theme="light", has_letter=True),
    "theme-ansi": Scene(outbox, theme="ansi"),
    "theme-high-contrast": Scene(compose, theme="high-contrast", has_letter=True),
}
SIZES = {"": (80, 24), "-120x36": (120, 36)}


async def play(scene: Scene, folder: Path, size: tuple[int, int], look: Callable[[MailerApp], None]) -> None:
    """Plays a scene, and has somebody look at its last screen."""
    letter = Draft()
    if scene.has_letter:
        attached = folder / "notes-a-to-g.pdf"
        attached.write_bytes(bytes(1_240_000))
        letter = LETTER._replace(attachments=(DraftAttachment(source=str(attached)),))
    settings = configuration() if scene.has_past else load(paths_in(folder))
    settings = settings._replace(ui=settings.ui._replace(theme=scene.theme, timezone="Europe/London"))
    app = make_app(configuration=settings, paths=paths_in(folder), credentials=Credentials(), draft=letter)
    async with app.run_test(size=size) as pilot:
        await settle(pilot, app)
        if scene.has_past:
            app.desk.status.say("")
        await scene.act(pilot, app)
        await settle(pilot, app)
        look(app)
    await asyncio.to_thread(app.desk.stop_engine, grace_seconds=1.0)
    await asyncio.to_thread(app.desk.close)


def text_of(app: MailerApp) -> str:
    """The screen in words, and how many cells there are of each pen: what a picture is compared by."""
    strips = strips_of(app)
    pens: Counter[str] = Counter()
    every_cell = hashlib.sha256()
    for strip in strips:
        for segment in strip:
            pens[str(segment.style)] += segment.cell_length
            every_cell.update("".join(f"{character}{segment.style}" for character in segment.text).encode())
        every_cell.update(b"\n")
    rows = [strip.text.rstrip() for strip in strips]
    used = [f"{count} {pen}" for pen, count in sorted(pens.items()) if count]
    return "\n".join([*rows, "---", *used, f"every cell {every_cell.hexdigest()}", ""])


def drawn_files(name: str) -> str:
    """Names what lies beside the text of a picture, so that one that is left behind is noticed."""
    files = [HERE / f"{name}.{kind}" for kind in ("png", "svg")]
    return "".join(f"{one.suffix} {hashlib.sha256(one.read_bytes()).hexdigest()}\n" for one in files if one.exists())


def draw(name: str, app: MailerApp) -> None:
    """Writes the pictures of a screen."""
    strips = strips_of(app)
    Painter().paint(strips, app.size.width).save(HERE / f"{name}.png", optimize=True)
    (HERE / f"{name}.svg").write_text(app.export_screenshot(title="tui-mailer"), encoding="utf-8")
    (HERE / f"{name}.txt").write_text(text_of(app) + drawn_files(name), encoding="utf-8")
    sys.stdout.write(f"{name}.png {name}.svg {name}.txt\n")


def compare(name: str, app: MailerApp, wrong: list[str]) -> None:
    """Notes a screen whose text is no longer the one its picture was drawn with."""
    path = HERE / f"{name}.txt"
    was = path.read_text(encoding="utf-8") if path.exists() else ""
    today = text_of(app) + drawn_files(name)
    if was != today:
        wrong.append(name)
        sys.stdout.write(f"{name} was\n{was}\n{name} is\n{today}\n")


def main() -> int:
    """Takes or checks the pictures named on the command line, or all; 1 when one is out of date."""
    checks = "--check" in sys.argv
    names = [word for word in sys.argv[1:] if not word.startswith("-")] or list(SCENES)
    wrong: list[str] = []
    for name in names:
        for suffix, size in SIZES.items():
            picture = name + suffix
            with tempfile.TemporaryDirectory() as scratch:
                folder = Path(scratch)
                if SCENES[name].has_past:
                    furnish(folder)
                look = (
                    (lambda app, of=picture: compare(of, app, wrong))
                    if checks
                    else (lambda app, of=picture: draw(of, app))
                )
                asyncio.run(play(SCENES[name], folder, size, look))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
