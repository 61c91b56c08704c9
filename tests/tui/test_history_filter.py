"""The history's filter typed letter by letter, and the refused served again from there."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from app_stage import LARGE, Stage, configuration_of, local_account, on_stage, smtp_account
from smtp_server import ScriptedServer

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.submission import State
from tui_mailer.services.review import SealRequest
from tui_mailer.tui.widgets.history_rows import HistoryRows


async def send(stage: Stage, draft: Draft, *, is_canceled: bool = False) -> None:
    """Has a mail end."""
    before = await stage.app.desk.ask(lambda mailer: mailer.history_count())
    (one,) = await stage.app.desk.ask(lambda mailer: mailer.seal(draft, SealRequest(hold=is_canceled)))
    if is_canceled:
        await stage.app.desk.ask(lambda mailer: mailer.cancel(one.id))
    stage.app.desk.nudge()
    while await stage.app.desk.ask(lambda mailer: mailer.history_count()) == before:
        await stage.pilot.pause(0.02)


def day(days: int) -> str:
    """A date from today on, as the test's zone has it."""
    return f"{datetime.now().astimezone() + timedelta(days=days):%Y-%m-%d}"


async def test_a_condition_typed_letter_by_letter_leaves_what_it_names(tmp_path: Path) -> None:
    """Whatever half of it stood there between two letters, in the end the rows and their number are right."""
    before, after = day(-2), day(2)
    expected = {
        "account:home": {"Lunch"},
        "state:canc": {"Taken back"},
        "state:sent account:work": {"Minutes"},
        f"after:{after}": set[str](),
        f"before:{before}": set[str](),
        f"after:{before} before:{after} lunch": {"Lunch"},
    }
    accounts = local_account("work"), local_account("home", "Ada <ada@home.example>")
    async with on_stage(tmp_path, configuration_of(*accounts)) as stage:
        await send(stage, Draft(to="bob@example.org", subject="Minutes", body="b"))
        await send(stage, Draft(to="cy@example.org", subject="Lunch", body="b", account="home"))
        await send(stage, Draft(to="dee@example.org", subject="Taken back", body="b"), is_canceled=True)
        await stage.press("f4")
        for query, found in expected.items():
            await stage.shows("Minutes", "Lunch", "Taken back")
            await stage.press("slash")
            await stage.type(query)
            await stage.shows(query, f"{len(found)} found")
            rows = stage.app.screen.query_one(HistoryRows)
            await stage.until(lambda rows=rows, found=found: rows.row_count() == len(found), f"{query}: {found}")
            listed = stage.text()
            assert {name for name in ("Minutes", "Lunch", "Taken back") if name in listed} == found, query
            assert " takes " not in listed, query
            await stage.press("escape")


async def test_s_sends_again_to_those_who_were_refused_and_to_nobody_else(tmp_path: Path) -> None:
    """Of three one was refused: the question names that one alone, and so does the envelope of what then goes."""
    async with ScriptedServer() as server:
        server.on("RCPT TO:<cy", "550 5.1.1 no such user")
        async with on_stage(tmp_path, configuration_of(smtp_account(server.port)), size=LARGE) as stage:
            draft = Draft(to="bob@example.org, cy@example.org", cc="dee@example.org", subject="Minutes", body="text")
            await send(stage, draft)
            await stage.press("f4")
            await stage.shows("partial", "Minutes")
            await stage.press("s")
            await stage.shows("Send again, to those who were refused", "cy@example.org", "not to the 2 others")
            assert len(server.stored) == 1
            await stage.confirm()
            await stage.shows("queued again for cy@example.org")
            while await stage.app.desk.ask(lambda mailer: mailer.history_count()) < 2:
                await stage.pilot.pause(0.02)
            newest, first = await stage.app.desk.ask(lambda mailer: mailer.history())
            assert [one.recipients for one in server.stored] == [
                ("bob@example.org", "dee@example.org"),
                ("cy@example.org",),
            ]
            assert (newest.state, first.state) == (State.SENT, State.PARTIAL)
