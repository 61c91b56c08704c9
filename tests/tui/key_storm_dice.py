"""Random keys and pastes over every place of the app: none may end it, and no message may be lost or doubled."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from app_stage import Stage, on_stage
from textual import events

from tui_mailer.domain.message import Draft
from tui_mailer.services.writing import SealRequest
from tui_mailer.storage.record import HistoryQuery

KEYS = (
    *(f"f{number}" for number in range(1, 10)),
    *("shift+f8", "tab", "shift+tab", "slash", "question_mark", "space", "backspace", "delete"),
    *("up", "down", "left", "right", "home", "end", "pageup", "pagedown"),
    *(3 * ("enter", "escape")),
    *"123adehjknorstuwxXyY",
    *(f"ctrl+{letter}" for letter in "sloptngeakuzydv"),
)
"""All but ^Q, which ends it on purpose, and ^R, which hands the terminal to an editor."""
CHARACTERS = {"slash": "/", "question_mark": "?", "space": " "}
PASTES = (
    "bob@example.org",
    "cy@example.org, dee@example.org",
    "tomorrow 9am",
    "in 2h",
    "90d",
    "two\nlines",
    "🇩🇪 日本 שלום é",
    "/etc/hostname",
    "/nowhere",
    "x\x1b[2J[/b][@click=app.quit]",
    "from:bob state:sent",
)


async def storm(folder: Path, seed: int, presses: int) -> int:
    """Presses at random, and sees whether the app still stands; returns how many messages there are."""
    dice = random.Random(seed)
    async with on_stage(folder, size=dice.choice(((80, 24), (60, 20), (120, 36)))) as stage:
        await furnish(stage)
        done: list[str] = []
        try:
            for number in range(presses):
                done.append(await press_one(stage, dice))
                if number % 20 == 19:
                    await stage.pilot.pause()
                    assert stage.app.is_running
            return await settle(stage)
        except BaseException as error:
            error.add_note(f"seed {seed}, the last keys: {' '.join(done[-30:])}")
            raise


async def furnish(stage: Stage) -> None:
    """A few messages in several states, and drafts."""

    for number in range(3):
        draft = Draft(to=f"p{number}@example.org", subject=f"Held {number}", body="b")
        await stage.app.desk.ask(lambda mailer, draft=draft: mailer.seal(draft, SealRequest(hold=True)))
        sent = Draft(to=f"q{number}@example.org", subject=f"Sent {number}", body="b")
        await stage.app.desk.ask(lambda mailer, sent=sent: mailer.seal(sent, SealRequest()))
        kept = Draft(to="someone@example.org", subject=f"Draft {number}", body="b")
        await stage.app.desk.ask(lambda mailer, kept=kept: mailer.save_draft(kept))
    stage.app.desk.nudge()


async def press_one(stage: Stage, dice: random.Random) -> str:
    """One key, or one paste in ten; half of them in a burst with what follows."""
    if dice.random() < 0.1:
        said = dice.choice(PASTES)
        stage.app.post_message(events.Paste(said))
    else:
        said = dice.choice(KEYS)
        character = CHARACTERS.get(said, said if len(said) == 1 else None)
        stage.app.post_message(events.Key(said, character))
    if dice.random() < 0.5:
        await asyncio.sleep(dice.choice((0, 0, 0.005, 0.03)))
    return said


async def settle(stage: Stage) -> int:
    """Leaves every dialog; what the outbox and the history have is one row a message."""
    for _ in range(40):
        await stage.press("escape")
        await stage.pilot.pause(0.05)
        if not stage.app.screen.is_modal:
            break
    assert not stage.app.screen.is_modal, stage.text()
    waiting = await stage.app.desk.ask(lambda mailer: mailer.outbox())
    ended = await stage.app.desk.ask(lambda mailer: mailer.history(HistoryQuery(), limit=1000))
    ids = [one.id for one in (*waiting, *ended)]
    assert len(ids) == len(set(ids))
    return len(ids)
