"""Renders the real app into pictures: ``python screenshots/render.py`` writes SVG and PNG beside itself."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
os.environ.setdefault("TZ", "Europe/London")

from painting import Painter  # noqa: E402
from scene import LETTER, configuration, furnish, paths_in  # noqa: E402
from textual.pilot import Pilot  # noqa: E402

from tui_mailer.accounts.credential import Credentials  # noqa: E402
from tui_mailer.domain.message import Draft, DraftAttachment  # noqa: E402
from tui_mailer.tui.app import MailerApp, make_app  # noqa: E402

Act = Callable[[Pilot[int], MailerApp], Awaitable[None]]
SMALL, LARGE = (80, 24), (120, 36)


async def settle(pilot: Pilot[int], app: MailerApp) -> None:
    """Lets the store open and the screen come to rest."""
    while app.desk.engine is None:
        await pilot.pause(0.05)
    await pilot.pause(0.6)


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


async def history(pilot: Pilot[int], app: MailerApp) -> None:
    del app
    await pilot.press("f4", "down", "down")


async def search(pilot: Pilot[int], app: MailerApp) -> None:
    del app
    await pilot.press("f4", "slash", *"engine")


SCENES: dict[str, tuple[Act, tuple[int, int]]] = {
    "compose": (compose, SMALL),
    "review": (review, SMALL),
    "schedule": (schedule, SMALL),
    "outbox": (outbox, LARGE),
    "history": (history, LARGE),
    "search": (search, SMALL),
}


async def take(name: str, folder: Path, letter: Draft, *, theme: str = "default") -> None:
    """Plays one scene and writes its pictures."""
    act, size = SCENES[name]
    settings = configuration()
    settings = replace(settings, ui=replace(settings.ui, theme=theme))
    app = make_app(configuration=settings, paths=paths_in(folder), credentials=Credentials(), draft=letter)
    async with app.run_test(size=size) as pilot:
        await settle(pilot, app)
        app.desk.status.say("")
        await act(pilot, app)
        await pilot.pause(0.8)
        strips = app.screen._compositor.render_strips()  # noqa: SLF001  # the cells themselves, no public way to them
        Painter().paint(strips, size[0]).save(HERE / f"{name}.png", optimize=True)
        (HERE / f"{name}.svg").write_text(app.export_screenshot(title="tui-mailer"), encoding="utf-8")
    await asyncio.to_thread(app.desk.stop_engine, grace_seconds=1.0)
    await asyncio.to_thread(app.desk.close)


def main() -> None:
    """Takes the pictures named on the command line, or all."""
    for name in sys.argv[1:] or SCENES:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            furnish(folder)
            attached = folder / "notes-a-to-g.pdf"
            attached.write_bytes(bytes(1_240_000))
            letter = replace(LETTER, attachments=(DraftAttachment(source=str(attached)),))
            asyncio.run(take(name, folder, letter if name in {"compose", "review", "schedule"} else Draft()))
        sys.stdout.write(f"{name}.png {name}.svg\n")


if __name__ == "__main__":
    main()
