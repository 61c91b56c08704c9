"""Attaching: dropped and pasted paths, browsing, what is left of the account's limit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from app_stage import Stage, on_stage
from textual import events

from tui_mailer.domain.draft import Draft, DraftAttachment
from tui_mailer.tui.dropped_file import find_dropped
from tui_mailer.tui.folder import fitting, read_folder
from tui_mailer.tui.size_budget import SizeBudget, on_the_wire


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A file whose name every terminal spells differently."""
    path = tmp_path / "the report (1) & it's final.pdf"
    path.write_bytes(b"x" * 2_400)
    return path


def spellings(path: Path) -> list[str]:
    """How terminals paste the path of a dropped file."""
    name = str(path)
    escaped = "".join(f"\\{letter}" if letter in " ()&'" else letter for letter in name)
    quoted = "'" + name.replace("'", "'\\''") + "'"
    return [name, escaped, f"{escaped} ", quoted, f'"{name}"', path.as_uri(), f"{path.as_uri()}\r\n"]


def attached(stage: Stage) -> list[str]:
    """The paths that are attached."""
    return [one.source for one in stage.app.compose_screen.form.attachments.attachments]


def test_every_spelling_of_a_dropped_file_is_understood(report: Path) -> None:
    """Plain, escaped, quoted and as a URL; several at once; text and missing files are no files."""
    for spelling in spellings(report):
        assert [file.path for file in find_dropped(spelling)] == [str(report)], spelling
    other = report.with_name("b.txt")
    other.write_text("b")
    both = [str(report), str(other)]
    assert [file.path for file in find_dropped(f"{spellings(report)[1]} {other}")] == both
    assert [file.path for file in find_dropped(f"{report.as_uri()}\n{other.as_uri()}\n")] == both
    for text in ("", "Dear Bob", "/", f"see {report}", "/nowhere/at/all", str(report.parent), "it's / nothing"):
        assert find_dropped(text) == ()


def test_a_name_that_is_no_utf_8_is_found(tmp_path: Path) -> None:
    """A file of an old disk is attached under the bytes it has."""
    path = os.fsencode(tmp_path) + b"/caf\xe9.txt"
    Path(os.fsdecode(path)).write_text("x")
    (found,) = find_dropped(f"file://{os.fsencode(tmp_path).decode()}/caf%E9.txt")
    assert os.fsencode(found.path) == path


async def test_a_dropped_file_is_attached_at_once(tmp_path: Path, report: Path) -> None:
    """A paste into Attach that names a file attaches it, with size and kind; a missing one is refused at once."""
    async with on_stage(tmp_path) as stage:
        await stage.press("ctrl+t")
        path = stage.app.compose_screen.form.attachments.path
        path.post_message(events.Paste(spellings(report)[1] + " "))
        await stage.shows("it's final.pdf  2 kB  application/pdf", "1 file, 2 kB")
        path.post_message(events.Paste("/nowhere/missing.pdf"))
        await stage.shows("there is no file /nowhere/missing.pdf")
        assert attached(stage) == [str(report)]


async def test_a_path_pasted_into_the_body_is_offered_never_taken(tmp_path: Path, report: Path) -> None:
    """The text stands there; Ctrl+T attaches the file and takes the text out; writing on is never in the way."""
    async with on_stage(tmp_path) as stage:
        form = stage.app.compose_screen.form
        form.focus_field("body")
        await stage.type("see ")
        form.body.post_message(events.Paste(str(report)))
        await stage.shows("this looks like a file: ^T attaches it instead")
        assert form.body.text == f"see {report}"
        await stage.type("!")
        await stage.press("ctrl+t")
        await stage.until(lambda: bool(attached(stage)), "the file attached")
        assert form.body.text == "see !"
        assert stage.app.focused is form.body


async def test_a_path_pasted_into_to_is_offered_too(tmp_path: Path, report: Path) -> None:
    """A file dropped while the cursor is in To goes where it was meant by one key."""
    async with on_stage(tmp_path) as stage:
        to = stage.app.compose_screen.form.inputs["to"]
        to.post_message(events.Paste(str(report)))
        await stage.shows("this looks like a file")
        await stage.press("ctrl+t")
        await stage.until(lambda: attached(stage) == [str(report)], "the file attached")
        assert to.value == ""


async def test_browsing_marks_several_across_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enter in the empty path browses: typing filters, Space marks, Enter opens or attaches, Backspace goes up."""
    files = tmp_path / "files"
    (files / "old").mkdir(parents=True)
    for name, size in (("a.txt", 10), ("photo.png", 5_000), (".secret", 1), ("old/b.pdf", 70_000)):
        (files / name).write_bytes(b"x" * size)
    monkeypatch.chdir(files)
    async with on_stage(tmp_path) as stage:
        await stage.press("ctrl+t", "enter")
        await stage.shows("old/", "a.txt", "10 B", "photo.png", "5 kB", "image/png")
        assert ".secret" not in stage.text()
        await stage.press("f6")
        await stage.shows(".secret")
        await stage.press("f6")
        await stage.type("pho")
        await stage.until(lambda: "a.txt" not in stage.text(), "the filter")
        await stage.press("space")
        await stage.shows("1 marked, 5 kB", " *photo.png")
        await stage.press("backspace", "backspace", "backspace", "enter")
        await stage.shows("b.pdf", "70 kB")
        await stage.press("backspace")
        await stage.shows("photo.png")
        await stage.press("enter")
        await stage.shows("b.pdf")
        await stage.press("enter")
        await stage.until(lambda: len(attached(stage)) == 2, "both attached")
        assert attached(stage) == sorted(
            [str(files / "photo.png"), str(files / "old/b.pdf")], key=attached(stage).index
        )
        await stage.shows("2 files, 75 kB")


async def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Esc leaves without attaching; a folder that went away meanwhile is a sentence."""
    files = tmp_path / "files"
    (files / "gone").mkdir(parents=True)
    monkeypatch.chdir(files)
    async with on_stage(tmp_path) as stage:
        await stage.press("ctrl+t", "enter")
        await stage.shows("gone/")
        (files / "gone").rmdir()
        await stage.press("enter")
        await stage.shows("can't be read: No such file")
        await stage.press("escape")
        await stage.until(lambda: not stage.app.screen.is_modal, "the form")
        assert attached(stage) == []


def test_a_folder_of_many_is_read_without_measuring_a_file(tmp_path: Path) -> None:
    """Folders first, names in order, hidden ones only when asked for; broken links and odd names are harmless."""
    for name in ("b", "A", ".h", "c d"):
        (tmp_path / name).write_text("")
    (tmp_path / "z").mkdir()
    (tmp_path / "broken").symlink_to("nowhere")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).write_text("")
    folder = read_folder(str(tmp_path))
    shown = [one.name for one in fitting(folder, "", shows_hidden=False)]
    assert shown[:5] == ["z", "A", "b", "broken", "c d"]
    assert [one.name for one in fitting(folder, ".", shows_hidden=False)] == [".h"]
    assert [one.name for one in fitting(folder, "C ", shows_hidden=False)] == ["c d"]


def test_what_is_left_is_counted_as_it_travels() -> None:
    """Base64 makes a file a third larger, and the account's limit is about the message as sent."""
    assert on_the_wire(57) == 78
    full = SizeBudget(account="work", used=(20_000_000,), max_size=25_000_000, max_count=3)
    assert full.is_exceeded
    assert "too large: work takes 25 MB as sent" in full.say()
    assert "left" in SizeBudget(account="work", used=(1_000,), max_size=25_000_000).say()
    assert SizeBudget(account="work", used=(1,) * 4, max_count=3).say().endswith("too many: work takes 3")
    assert SizeBudget().say() == ""


async def test_a_folder_is_looked_into(tmp_path: Path, report: Path) -> None:
    """Enter on the path of a folder browses there; a mark stands once, beside its file."""
    async with on_stage(tmp_path) as stage:
        await stage.press("ctrl+t")
        await stage.type(f"{report.parent}/")
        await stage.press("enter")
        await stage.shows("Attach files", report.name)
        await stage.type("report")
        await stage.press("space")
        await stage.shows(f" *{report.name}")
        assert f"**{report.name}" not in stage.text()
        await stage.press("enter")
        await stage.until(lambda: attached(stage) == [str(report)], "the file")


async def test_a_file_that_went_meanwhile_is_marked_when_the_draft_is_opened(tmp_path: Path) -> None:
    """Not only as one sends."""
    gone = Draft(to="bob@example.org", attachments=(DraftAttachment(source=str(tmp_path / "gone.txt")),))
    async with on_stage(tmp_path, draft=gone) as stage:
        await stage.shows("gone.txt  can't be read any more")
