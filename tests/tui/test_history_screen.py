"""History: pages, the filter, and what can be done with what has ended."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_stage import LARGE, Stage, on_stage

from tui_mailer.domain.message import Draft
from tui_mailer.services.writing import SealRequest
from tui_mailer.storage.record import Submission
from tui_mailer.tui.history_pages import MOST_PAGES, PAGE, HistoryPages


async def keep(stage: Stage, *drafts: Draft) -> None:
    """Has mails delivered, in this order."""
    for draft in drafts:
        await stage.app.desk.ask(lambda mailer, draft=draft: mailer.seal(draft, SealRequest()))
    stage.app.desk.nudge()
    total = len(drafts)
    while await stage.app.desk.ask(lambda mailer: mailer.history_count()) < total:
        await stage.pilot.pause(0.02)


LETTERS = (
    Draft(to="bob@example.org", subject="Minutes of May", body="the harbour master agreed"),
    Draft(to="cy@example.org", subject="Lunch", body="soup"),
    Draft(to="dee@example.org", subject="Invoice 42", body="please pay"),
)


@pytest.mark.parametrize("size", [(80, 24), LARGE])
async def test_the_newest_is_first_and_every_row_says_what_became_of_it(tmp_path: Path, size: tuple[int, int]) -> None:
    """Three sent mails are three rows, the newest on top."""
    async with on_stage(tmp_path, size=size) as stage:
        await keep(stage, *LETTERS)
        await stage.press("f4")
        await stage.shows("Minutes", "Lunch", "Invoice")
        rows = [line for line in stage.lines() if line.startswith("sent ")]
        assert len(rows) >= 3
        assert set(LETTERS[0].subject.split()) & set(" ".join(rows).split())


async def test_the_filter_searches_as_one_types_and_escape_clears_it(tmp_path: Path) -> None:
    """/ and a word of a body leaves that mail; Esc brings all back."""
    async with on_stage(tmp_path) as stage:
        await keep(stage, *LETTERS)
        await stage.press("f4")
        await stage.shows("Lunch")
        await stage.press("slash")
        await stage.type("harbour")
        await stage.shows("1 found")
        await stage.until(lambda: "Lunch" not in stage.text(), "the others gone")
        assert "Minutes" in stage.text()
        await stage.press("escape")
        await stage.shows("Lunch", "Invoice")


async def test_a_filter_that_matches_nothing_says_so(tmp_path: Path) -> None:
    """No match is said in words, and signs of the query language that make no sense do no harm."""
    async with on_stage(tmp_path) as stage:
        await keep(stage, *LETTERS)
        await stage.press("f4", "slash")
        await stage.type('"zebra AND ( NEAR*')
        await stage.shows("Nothing matches.")


async def test_e_writes_a_new_message_from_an_old_one(tmp_path: Path) -> None:
    """e fills compose; the old one stays in history."""
    async with on_stage(tmp_path) as stage:
        await keep(stage, LETTERS[1])
        await stage.press("f4")
        await stage.shows("Lunch")
        await stage.press("e")
        await stage.until(lambda: stage.app.compose_screen.form.read().subject == "Lunch", "compose")
        assert await stage.app.desk.ask(lambda mailer: mailer.history_count()) == 1


async def test_w_writes_the_message_as_a_file_and_never_over_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """w writes an .eml into the folder one is in; a second time it is refused."""
    monkeypatch.chdir(tmp_path)
    async with on_stage(tmp_path) as stage:
        await keep(stage, LETTERS[1])
        await stage.press("f4")
        await stage.shows("Lunch")
        await stage.press("w")
        await stage.shows("written to ")
        (written,) = tmp_path.glob("*.eml")
        assert b"Subject: Lunch" in written.read_bytes()
        await stage.press("w")
        await stage.shows("is there already")


async def test_resending_where_nobody_was_refused_is_told(tmp_path: Path) -> None:
    """s on a mail that everybody got sends nothing and says so."""
    async with on_stage(tmp_path) as stage:
        await keep(stage, LETTERS[1])
        await stage.press("f4")
        await stage.shows("Lunch")
        await stage.press("s")
        await stage.until(lambda: bool(stage.app.desk.status.text), "a sentence")
        assert await stage.app.desk.ask(lambda mailer: mailer.outbox()) == []


async def test_what_one_canceled_is_not_sent_again_by_s(tmp_path: Path) -> None:
    """s serves those a server refused; a mail its writer took back stays taken back."""
    async with on_stage(tmp_path) as stage:
        await stage.app.desk.ask(lambda mailer: mailer.seal(LETTERS[1], SealRequest(hold=True)))
        await stage.press("f3")
        await stage.shows("h releases it: held as asked")
        await stage.press("x")
        await stage.shows("canceled: F4 still has it")
        await stage.press("f4")
        await stage.shows("canceled by you")
        await stage.press("s")
        await stage.shows("canceled, not refused")
        assert await stage.app.desk.ask(lambda mailer: mailer.outbox()) == []


class Shelf:
    """A store of numbered rows that counts how often it is asked."""

    def __init__(self, total: int) -> None:
        self.names = [f"{number:08d}" for number in range(total)]
        self.asked = 0

    async def fetch(self, limit: int, before: str | None) -> list[Submission]:
        self.asked += 1
        start = 0 if before is None else int(before) + 1
        return [_Row(name) for name in self.names[start : start + limit]]  # type: ignore[misc]


class _Row:
    def __init__(self, name: str) -> None:
        self.id = name


async def test_only_the_pages_looked_at_are_held(tmp_path: Path) -> None:
    """Walking down ten thousand rows holds a fixed number of pages, and going back reads again by key."""
    shelf = Shelf(10_000)
    pages = HistoryPages(shelf.fetch, 10_000)
    for index in range(0, 10_000, PAGE):
        await pages.load(index)
        found = pages.get(index)
        assert found is not None
        assert found.id == f"{index:08d}"
    assert sum(pages.is_held(index) for index in range(0, 10_000, PAGE)) == MOST_PAGES
    asked = shelf.asked
    await pages.load(3)
    first = pages.get(3)
    assert first is not None
    assert (first.id, shelf.asked) == ("00000003", asked + 1)


async def test_the_end_of_the_pages_corrects_a_count_that_was_only_near(tmp_path: Path) -> None:
    """A count that was approximate is set right once the last page has been seen."""
    pages = HistoryPages(Shelf(PAGE + 3).fetch, 500)
    await pages.load(PAGE + 1)
    assert pages.total == PAGE + 3
