"""History: pages, the filter, and what can be done with what has ended."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_stage import LARGE, Stage, on_stage

from tui_mailer.domain.draft import Draft
from tui_mailer.services.review import SealRequest
from tui_mailer.storage.record import CountStep, Submission
from tui_mailer.tui.history_pages import MOST_PAGES, PAGE, HistoryPages, Span
from tui_mailer.tui.widgets.history_rows import HistoryRows


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
        rows = stage.app.screen.query_one(HistoryRows)
        found = rows.cursor_key()
        await stage.press("escape")
        await stage.shows("Lunch", "Invoice")
        await stage.until(lambda: rows.row_count() > 1, "all of them")
        assert rows.cursor_key() == found


async def test_a_date_that_cannot_be_read_is_told_in_the_filter(tmp_path: Path) -> None:
    """after:foo finds nothing by itself, or hides nothing yet: either way what it takes is said under the filter."""
    async with on_stage(tmp_path) as stage:
        await keep(stage, *LETTERS)
        await stage.press("f4")
        await stage.shows("Lunch")
        await stage.press("slash")
        await stage.type("after:foo")
        await stage.shows("after:foo takes 2026-11-30")
        await stage.type(" ")
        await stage.shows("Nothing matches.", "after:foo takes 2026-11-30")
        await stage.press("escape")
        await stage.shows("Lunch")
        await stage.press("slash")
        await stage.until(lambda: "takes" not in stage.text(), "the note gone")


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
    """w asks where; Enter writes an .eml there, and a second time it is refused and the file stays as it was."""
    monkeypatch.chdir(tmp_path)
    async with on_stage(tmp_path) as stage:
        await keep(stage, LETTERS[1])
        await stage.press("f4")
        await stage.shows("Lunch")
        told = "kept on this computer, sent to nobody"
        await stage.until(lambda: stage.app.desk.status.text == told, told)
        await stage.press("w")
        await stage.shows("Write the message as an .eml")
        await stage.press("enter")
        await stage.shows("written to ")
        (written,) = tmp_path.glob("Lunch-*.eml")
        assert b"Subject: Lunch" in written.read_bytes()
        assert written.stat().st_mode & 0o777 == 0o600
        written.write_text("mine")
        await stage.press("w", "enter")
        await stage.shows("is there already")
        assert written.read_text() == "mine"


async def test_x_deletes_for_good_after_one_question(tmp_path: Path) -> None:
    """x asks in a sentence; Esc keeps it, Enter deletes it, and no search finds it any more."""
    async with on_stage(tmp_path) as stage:
        await keep(stage, *LETTERS)
        await stage.press("f4")
        await stage.shows("Minutes", "Lunch", "Invoice")
        await stage.press("x")
        await stage.shows("Delete this message from the history for good?")
        await stage.press("escape")
        assert await stage.app.desk.ask(lambda mailer: mailer.history_count()) == 3
        await stage.press("space", "space", "x")
        await stage.shows("these 2 messages")
        await stage.confirm()
        await stage.shows("2 deleted from the history for good")
        (left,) = await stage.app.desk.ask(lambda mailer: mailer.history())
        await stage.shows(left.message.subject)
        found = await stage.app.desk.ask(
            lambda mailer: [mailer.history_count(mailer.parse_query(word)) for word in ("harbour", "soup", "pay")]
        )
        assert sorted(found) == [0, 0, 1]


async def test_purging_counts_first_and_then_asks(tmp_path: Path) -> None:
    """X wants a date, says how much ended before it, and deletes only after a yes."""
    async with on_stage(tmp_path) as stage:
        await keep(stage, *LETTERS)
        await stage.press("f4")
        await stage.shows("Lunch")
        await stage.press("X")
        await stage.type("2020")
        await stage.press("enter")
        await stage.shows("Nothing in the history ended before 2020-01-01")
        await stage.press("ctrl+u")
        await stage.type("0h")
        await stage.press("enter")
        await stage.shows("Delete 3 from the history for good?")
        await stage.confirm()
        await stage.shows("3 deleted from the history for good", "Nothing here yet")


async def test_the_row_under_the_cursor_stays_when_newer_mail_ends(tmp_path: Path) -> None:
    """A mail that ends while one reads doesn't put another one under the cursor."""
    async with on_stage(tmp_path) as stage:
        await keep(stage, *LETTERS)
        await stage.press("f4")
        await stage.shows("Lunch")
        await stage.press("down")
        rows = stage.app.screen.query_one(HistoryRows)
        before = rows.cursor_key()
        assert before is not None
        await stage.app.desk.ask(
            lambda mailer: mailer.seal(Draft(to="eve@example.org", subject="Newer"), SealRequest())
        )
        stage.app.desk.nudge()
        await stage.shows("Newer")
        await stage.until(lambda: rows.cursor == 2, "the cursor a row lower")
        assert rows.cursor_key() == before


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


class NumberedShelf:
    """Rows that are their own numbers; remembers what it was asked and how many rows were passed over."""

    def __init__(self, total: int) -> None:
        self.names = [f"{number:08d}" for number in range(total)]
        self.spans: list[Span] = []

    async def fetch(self, span: Span) -> list[Submission]:
        self.spans.append(span)
        if span.is_upward:
            end = (len(self.names) if span.key is None else int(span.key)) - span.skip
            found = self.names[max(0, end - span.limit) : end]
        else:
            start = (0 if span.key is None else int(span.key) + 1) + span.skip
            found = self.names[start : start + span.limit]
        return [_Row(name) for name in found]  # type: ignore[misc]

    async def count(self, below: int | None, limit: int) -> CountStep:
        done = below or 0
        rest = min(limit, len(self.names) - done)
        return CountStep(number=rest, below=done + rest if rest == limit else None)


class _Row:
    def __init__(self, name: str) -> None:
        self.id = name


def number_at(pages: HistoryPages, index: int) -> int:
    """The row's own number."""
    found = pages.get(index)
    assert found is not None
    return int(found.id)


async def test_only_the_pages_looked_at_are_held_and_bordering_ones_are_read_by_key() -> None:
    """Walking down ten thousand rows and back holds a fixed number of pages and never passes over a row."""
    shelf = NumberedShelf(10_000)
    pages = HistoryPages(shelf)
    await pages.count()
    for index in [*range(0, 10_000, PAGE), *range(9_999, -1, -PAGE)]:
        await pages.load(index)
        assert number_at(pages, index) == index
    assert sum(pages.is_held(index) for index in range(0, 10_000, PAGE)) == MOST_PAGES
    assert sum(span.skip for span in shelf.spans) == 0


async def test_the_end_and_any_place_of_a_million_is_one_question(tmp_path: Path) -> None:
    """End asks for the last page from the other end; the middle passes over rows once, from the nearest place known."""
    shelf = NumberedShelf(1_000_001)
    pages = HistoryPages(shelf)
    await pages.count()
    await pages.load(0)
    await pages.load(1_000_000)
    assert number_at(pages, 1_000_000) == 1_000_000
    assert (len(shelf.spans), shelf.spans[-1].skip, shelf.spans[-1].is_upward) == (2, 0, True)
    await pages.load(700_000)
    assert number_at(pages, 700_000) == 700_000
    assert (len(shelf.spans), shelf.spans[-1].is_upward) == (3, True)
    await pages.load(699_900)
    assert number_at(pages, 699_900) == 699_900
    assert shelf.spans[-1].skip < 2 * PAGE


@pytest.mark.parametrize("total", [0, 1, PAGE - 1, PAGE, PAGE + 3, 5 * PAGE])
async def test_a_page_that_ends_the_rows_counts_them(total: int) -> None:
    """Where no count is there yet, the last page gives it; an empty list has no rows."""
    pages = HistoryPages(NumberedShelf(total))
    await pages.load(0)
    assert pages.is_counted == (total < PAGE)
    await pages.count()
    assert (pages.total, pages.is_counted) == (total, True)
    if total:
        await pages.load(total - 1)
        assert number_at(pages, total - 1) == total - 1
