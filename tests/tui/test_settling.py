"""What a person decides about an uncertain mail in the app: each offer of the dialog, and what then is so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app_stage import LARGE, Stage, configuration_of, on_stage, smtp_account
from smtp_server import DROP, ScriptedServer

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.submission import State
from tui_mailer.services.review import SealRequest
from tui_mailer.storage.record import Submission


@asynccontextmanager
async def asked(folder: Path) -> AsyncIterator[tuple[Stage, ScriptedServer, Submission]]:
    """An app whose only mail lost the server's answer, the question about it on the screen."""
    async with ScriptedServer() as server:
        server.on("DOT", DROP)
        async with on_stage(folder, configuration_of(smtp_account(server.port)), size=LARGE) as stage:
            draft = Draft(to="bob@example.org", subject="Lost", body="text")
            (one,) = await stage.app.desk.ask(lambda mailer: mailer.seal(draft, SealRequest()))
            stage.app.desk.nudge()
            await stage.press("f3")
            await stage.shows("uncertain", "may or may not have gone out")
            await stage.press("o")
            await stage.shows("Did it reach bob@example.org?", "it did not arrive, give it up")
            yield stage, server, one


async def now(stage: Stage, one: Submission) -> Submission:
    """The submission as it stands."""
    return await stage.app.desk.ask(lambda mailer: mailer.show(one.id))


async def test_send_it_again_sends_the_same_bytes_once_more(tmp_path: Path) -> None:
    """The same Message-ID and the same bytes, accepted this time: it is sent, and nothing is left to settle."""
    async with asked(tmp_path) as (stage, server, one):
        await stage.press("down", "down", "enter")
        await stage.shows("The outbox is empty")
        first, second = server.stored
        assert (first.body, first.recipients) == (second.body, second.recipients)
        assert f"{one.message.message_id}".encode() in second.body
        settled = await now(stage, one)
        assert (settled.state, settled.attempts) == (State.SENT, 2)


async def test_give_it_up_marks_it_as_failed_and_sends_nothing(tmp_path: Path) -> None:
    """It leaves the outbox, the history says who decided, and the server hears nothing of it again."""
    async with asked(tmp_path) as (stage, server, one):
        await stage.press("down", "down", "down", "enter")
        await stage.shows("The outbox is empty")
        assert (await now(stage, one)).state is State.FAILED
        await stage.press("f4")
        await stage.shows("failed", "you marked it")
        assert len(server.stored) == 1


async def test_a_look_at_the_transcript_decides_nothing(tmp_path: Path) -> None:
    """The first offer opens it; back in the list the mail is as uncertain as before, and can still be settled."""
    async with asked(tmp_path) as (stage, server, one):
        await stage.press("enter")
        await stage.shows("DATA", "RCPT TO:<bob@example.org>")
        assert (await now(stage, one)).state is State.UNCERTAIN
        await stage.press("escape", "escape")
        await stage.until(lambda: not stage.app.screen.is_modal, "the list")
        await stage.press("o")
        await stage.shows("Did it reach bob@example.org?")
        await stage.press("escape")
        await stage.until(lambda: not stage.app.screen.is_modal, "the list again")
        assert (await now(stage, one)).state is State.UNCERTAIN
        assert len(server.stored) == 1
