"""Random keys and pastes over every place of the app: none may end it, and no message may be lost or doubled."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Generator
from email import message_from_bytes
from pathlib import Path
from unittest.mock import patch

from app_stage import Stage, on_stage, paths_in
from textual import events

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.submission import State
from tui_mailer.services.crash_log import LOG_NAME
from tui_mailer.services.review import SealRequest
from tui_mailer.storage.history import History
from tui_mailer.storage.record import HistoryQuery, Submission
from tui_mailer.storage.sealing import Sealing

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
    "a file",
    "./nowhere",
    "x\x1b[2J[/b][@click=app.quit]",
    "from:bob state:sent",
)
LEAVE = ("escape", "escape", "escape")
DEEDS = (
    (*LEAVE, "f2", "ctrl+n", "*bob@example.org", "tab", "tab", "s", "ctrl+s", "...", "enter", "enter"),
    (*LEAVE, "f3", "x", "...", "enter", "enter"),
    (*LEAVE, "f3", "down", "r", "r"),
    (*LEAVE, "f3", "e", "...", "ctrl+s", "...", "enter"),
    (*LEAVE, "f4", "x", "...", "enter", "x"),
    (*LEAVE, "f4", "down", "e", "...", "ctrl+s", "...", "enter"),
)
"""What random keys hardly ever do to the end: send, cancel, release, edit, delete. ``...`` waits until a question takes
its answer, ``*`` pastes."""
QUESTION_SECONDS = 0.55


class Ledger:
    """What the store took in and what it was told to delete, noted at its doors, apart from what it says it has."""

    def __init__(self) -> None:
        self.sealed: list[str] = []
        self.deleted: list[str] = []

    @contextlib.contextmanager
    def kept(self) -> Generator[None]:
        """Notes while it lasts."""
        insert, delete, purge_batch = Sealing._insert, History.delete, History._purge_batch

        def noted_insert(table: Sealing, new, **more) -> bool:
            if is_new := insert(table, new, **more):
                self.sealed.append(new.message.id)
            return is_new

        def noted_delete(history: History, submission_id: str) -> None:
            delete(history, submission_id)
            self.deleted.append(submission_id)

        def noted_purge(history: History, before) -> list[str]:
            ids = purge_batch(history, before)
            self.deleted.extend(ids)
            return ids

        with (
            patch.object(Sealing, "_insert", noted_insert),
            patch.object(History, "delete", noted_delete),
            patch.object(History, "_purge_batch", noted_purge),
        ):
            yield

    def still_there(self) -> Counter[str]:
        """The IDs the store should have, once each."""
        return Counter(self.sealed) - Counter(self.deleted)


async def storm(folder: Path, seed: int, presses: int) -> str:
    """Presses at random, and sees whether the app still stands; returns a line on its messages."""
    dice = random.Random(seed)
    size = dice.choice(((80, 24), (60, 20), (120, 36)))
    ledger = Ledger()
    desk = folder / "desk"  # what is exported under a name of random keys goes here
    desk.mkdir()
    (desk / "a file").write_text("attached")
    with contextlib.chdir(desk), ledger.kept():
        async with on_stage(folder, size=size) as stage:
            await furnish(stage)
            done: list[str] = []
            try:
                for number in range(presses):
                    done.append(await press_some(stage, dice))
                    if number % 20 == 19:
                        await stage.pilot.pause()
                        assert stage.app.is_running
                await leave_every_dialog(stage)
                told = await check_messages(stage, folder, ledger)
            except BaseException as error:
                error.add_note(f"seed {seed}, the last keys: {' '.join(done[-30:])}")
                raise
    assert not (paths_in(folder).state_dir / LOG_NAME).exists()
    return told


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


async def press_some(stage: Stage, dice: random.Random) -> str:
    """One key, one paste in ten, or a deed in twenty; half of them in a burst with what follows."""
    said = dice.choice(KEYS)
    kind = dice.random()
    if kind < 0.1:
        said = f"*{dice.choice(PASTES)}"
    elif kind > 0.95:
        deed = dice.choice(DEEDS)
        for one in deed:
            await press(stage, one)
        return " ".join(deed)
    await press(stage, said)
    if dice.random() < 0.5:
        await asyncio.sleep(dice.choice((0, 0, 0.005, 0.03)))
    return said


async def press(stage: Stage, said: str) -> None:
    """A key, a paste (``*``) or a wait (``...``)."""
    if said == "...":
        await stage.pilot.pause(QUESTION_SECONDS)
    elif said.startswith("*"):
        stage.app.post_message(events.Paste(said[1:]))
    else:
        stage.app.post_message(events.Key(said, CHARACTERS.get(said, said if len(said) == 1 else None)))


async def leave_every_dialog(stage: Stage) -> None:
    """Esc leads back to a place, and one can still write there."""
    for _ in range(40):
        await stage.press("escape")
        await stage.pilot.pause(0.05)
        if not stage.app.screen.is_modal:
            break
    assert not stage.app.screen.is_modal, stage.text()
    await stage.press("f2")
    await stage.shows("[Compose")


async def check_messages(stage: Stage, folder: Path, ledger: Ledger) -> str:
    """Outbox and history have each message that was sealed and not deleted, once; so has the Maildir what was sent."""
    await asyncio.to_thread(stage.app.desk.stop_engine, grace_seconds=5.0)  # from here on nothing moves between the two
    waiting = await stage.app.desk.ask(lambda mailer: mailer.outbox())
    ended = await stage.app.desk.ask(lambda mailer: mailer.history(HistoryQuery(), limit=10_000))
    there = Counter(one.id for one in (*waiting, *ended))
    assert there == ledger.still_there()
    check_maildir(folder / "data" / "Maildir", ended)
    return f"{len(ledger.sealed)} messages sealed, {len(ledger.deleted)} deleted, {there.total()} there"


def check_maildir(maildir: Path, ended: list[Submission]) -> None:
    """One file a message that was sent, and none for one that wasn't; what was deleted from the history stays."""
    files = [path for part in ("new", "cur") for path in (maildir / part).glob("*")]
    delivered = Counter(str(message_from_bytes(path.read_bytes())["Message-ID"]).strip("<>") for path in files)
    for one in ended:
        is_sent = one.state is State.SENT
        assert delivered[one.message.message_id.strip("<>")] == is_sent, (one.id, one.state)
    assert max(delivered.values(), default=0) <= 1
