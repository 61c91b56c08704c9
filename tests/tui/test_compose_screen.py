"""Compose: fields, errors beside them, attachments, autosave."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from app_stage import LARGE, SMALL, configuration_of, local_account, on_stage
from textual import events
from textual.command import Hits
from textual.system_commands import SystemCommandsProvider

from tui_mailer.accounts.configuration import ComposeSettings
from tui_mailer.domain.draft import Draft, DraftAttachment
from tui_mailer.services.review import SealRequest
from tui_mailer.tui.widgets.compose_form import ComposeForm

EMPTY_FORM = """\
[Compose]  Outbox   History
From     Ada Lovelace <ada@example.org>  (local)
To
Cc
Subject
────────────────────────────────────────────────────────────────────────────────














Attach   path or https://...; Tab completes, Enter attaches
When     now, or: tomorrow 9am, in 2h, mon 17:00

 ^S Send  ^L Later  ^T Attach  F6 Bcc  ^O Close  F8 Drafts  F1 Help  ^Q Quit"""


async def test_the_empty_form_fits_eighty_by_twenty_four(tmp_path: Path) -> None:
    """At 80x24 every field, the keys and fourteen rows of body are on the screen."""
    async with on_stage(tmp_path) as stage:
        assert stage.text() == EMPTY_FORM


async def test_a_large_terminal_gives_the_body_its_room(tmp_path: Path) -> None:
    """At 160x45 the form is the same and the body has thirty-five rows."""
    async with on_stage(tmp_path, size=LARGE) as stage:
        assert stage.lines()[0].startswith("[Compose]")
        assert stage.app.compose_screen.form.body.size.height == 35


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_the_cursor_starts_in_to_and_tab_goes_down_the_form(tmp_path: Path, size: tuple[int, int]) -> None:
    """Tab goes To, Cc, Subject, body, Attach, When."""
    async with on_stage(tmp_path, size=size) as stage:
        order = [stage.app.focused.id]
        for _ in range(5):
            await stage.press("tab")
            order.append(stage.app.focused.id)
        assert order == ["to", "cc", "subject", "body", "path", "schedule"]


async def test_a_wrong_address_is_named_under_its_field_as_one_leaves_it(tmp_path: Path) -> None:
    """The part that can't be read is named, and typing on takes the complaint away."""
    async with on_stage(tmp_path) as stage:
        await stage.type("bob@@example.org")
        await stage.press("tab")
        await stage.shows("has two @")
        await stage.press("shift+tab", "backspace")
        await stage.until(lambda: "has two @" not in stage.text(), "the complaint gone")


async def test_a_pasted_list_keeps_every_address(tmp_path: Path) -> None:
    """Lines pasted into To become a list, none lost; other fields keep all the words."""
    async with on_stage(tmp_path) as stage:
        to = stage.app.compose_screen.form.inputs["to"]
        to.post_message(events.Paste("ada@example.org,\nbob@example.org\r\n\r\ncy@example.org\n"))
        await stage.until(lambda: bool(to.value), "the paste")
        assert to.value == "ada@example.org, bob@example.org, cy@example.org"
        subject = stage.app.compose_screen.form.inputs["subject"]
        subject.post_message(events.Paste("two\nlines"))
        await stage.until(lambda: bool(subject.value), "the paste")
        assert subject.value == "two lines"


async def test_a_paste_of_a_lone_line_end_does_nothing(tmp_path: Path) -> None:
    """An empty line pasted into a field neither crashes nor writes."""
    async with on_stage(tmp_path) as stage:
        to = stage.app.compose_screen.form.inputs["to"]
        to.post_message(events.Paste("\n"))
        await stage.pilot.pause()
        assert to.value == ""


async def test_f6_shows_and_hides_bcc_and_reply_to(tmp_path: Path) -> None:
    """F6 shows both, hides them again while empty, and never hides one with something in it."""
    async with on_stage(tmp_path) as stage:
        await stage.press("f6")
        await stage.shows("\nBcc", "Reply-To")
        assert stage.app.focused is stage.app.compose_screen.form.inputs["bcc"]
        await stage.press("f6")
        await stage.until(lambda: "Reply-To" not in stage.text(), "the fields hidden")
        await stage.press("f6")
        stage.app.compose_screen.form.inputs["bcc"].value = "eve@example.org"
        await stage.press("f6")
        await stage.until(lambda: "Reply-To" not in stage.text(), "Reply-To hidden")
        assert "eve@example.org" in stage.text()


async def test_the_fields_shown_at_first_come_from_the_configuration(tmp_path: Path) -> None:
    """compose.fields with bcc shows Bcc from the start."""
    configuration = configuration_of()._replace(compose=ComposeSettings(fields=("cc", "bcc")))
    async with on_stage(tmp_path, configuration) as stage:
        assert any(line.startswith("Bcc") for line in stage.lines())


async def test_a_missing_file_is_refused_at_once(tmp_path: Path) -> None:
    """A path that names nothing is refused under the field, and nothing is attached."""
    async with on_stage(tmp_path) as stage:
        await stage.press("ctrl+t")
        await stage.type("/nowhere/at-all.pdf")
        await stage.press("enter")
        await stage.shows("there is no file /nowhere/at-all.pdf")
        assert stage.app.compose_screen.form.attachments.attachments == ()


async def test_tab_completes_a_path_and_enter_attaches_it(tmp_path: Path) -> None:
    """Tab completes what is unambiguous, the list shows name and size, Delete takes it off."""
    (tmp_path / "minutes of may.pdf").write_bytes(b"x" * 1234)
    async with on_stage(tmp_path) as stage:
        await stage.press("ctrl+t")
        await stage.type(f"{tmp_path}/minu")
        await stage.press("tab")
        path = stage.app.compose_screen.form.attachments.path
        await stage.until(lambda: path.value.endswith("may.pdf"), "the path completed")
        await stage.press("enter")
        await stage.shows("minutes of may.pdf  1 kB")
        await stage.press("delete")
        await stage.until(lambda: "minutes of may.pdf" not in stage.text(), "the file taken off")


async def test_a_path_not_yet_confirmed_is_attached_by_send(tmp_path: Path) -> None:
    """Ctrl+S attaches what stands in the path; a missing file keeps the sheet away."""
    (tmp_path / "a.txt").write_text("a")
    async with on_stage(tmp_path, draft=Draft(to="bob@example.org", subject="s", body="b")) as stage:
        await stage.press("ctrl+t")
        await stage.type(f"{tmp_path}/a.txt")
        await stage.press("ctrl+s")
        await stage.shows("Review:", "a.txt 1 B")
        await stage.press("escape", "ctrl+t")
        await stage.type("/missing")
        await stage.press("ctrl+s")
        await stage.shows("nothing was sent: there is no file /missing")
        assert not stage.app.screen.is_modal


async def test_a_path_being_typed_is_kept_with_the_draft(tmp_path: Path) -> None:
    """What stands in the path and isn't attached yet is put away with Ctrl+O and comes back where it was."""
    async with on_stage(tmp_path, draft=Draft(to="bob@example.org", subject="s", body="b")) as stage:
        await stage.press("ctrl+t")
        await stage.type("/home/ada/half a pa")
        await stage.press("ctrl+o")
        form = stage.app.compose_screen.form
        await stage.until(lambda: not form.attachments.path.value, "the form emptied")
        (kept,) = await stage.app.desk.ask(lambda mailer: mailer.drafts())
        assert kept.draft.typed_attachment == "/home/ada/half a pa"
        form.show(kept.draft)
        assert form.read() == kept.draft


async def test_schedule_words_are_read_back_beside_the_field(tmp_path: Path) -> None:
    """Words in When are told as day, time, zone and distance; nonsense and the past are refused."""
    async with on_stage(tmp_path) as stage:
        field = stage.app.compose_screen.form.inputs["schedule"]
        field.focus()
        await stage.type("in 2h")
        await stage.press("tab")
        await stage.shows("Europe/Berlin, in 2 h")
        field.focus()
        field.value = ""
        await stage.type("yesterday")
        await stage.press("tab")
        await stage.until(lambda: stage.app.compose_screen.form.fields["schedule"].is_wrong, "the refusal")


async def test_a_time_from_the_dialog_is_read_back_and_saved(tmp_path: Path) -> None:
    """As one that was written into When, at once; and the draft is saved with it."""
    async with on_stage(tmp_path) as stage:
        await stage.write("bob@example.org", "Tea", "Come over.")
        await stage.press("ctrl+l")
        await stage.shows("tomorrow 9:00")
        await stage.type("in 2h")
        await stage.press("enter")
        await stage.shows("When     in 2h", "Europe/Berlin, in 2 h")
        await stage.press("f3")  # which saves
        await stage.shows("[Outbox")
        (stored,) = await stage.app.desk.ask(lambda mailer: mailer.drafts())
        assert stored.draft.schedule == "in 2h"
        await stage.press("f2")
        await stage.shows("Europe/Berlin, in 2 h")


async def test_the_whole_draft_is_saved_after_a_pause_in_typing(tmp_path: Path) -> None:
    """A second after the last key every field is on disk."""
    async with on_stage(tmp_path) as stage:
        await stage.write("bob@exam", "Half a", "thought")
        await stage.shows("draft saved")
        stored = await stage.app.desk.ask(lambda mailer: mailer.drafts())
        assert [(one.draft.to, one.draft.subject, one.draft.body) for one in stored] == [
            ("bob@exam", "Half a", "thought")
        ]


async def test_going_to_another_mode_saves_the_draft(tmp_path: Path) -> None:
    """F3 right after a key has the draft on disk, and F2 shows it as it was."""
    async with on_stage(tmp_path) as stage:
        await stage.type("bob@example.org")
        await stage.press("f3")
        await stage.shows("The outbox is empty")
        await stage.until(lambda: stage.app.compose_screen.keeper.draft_id is not None, "the draft saved")
        await stage.press("f2")
        await stage.shows("bob@example.org")


async def test_a_draft_emptied_again_is_not_kept(tmp_path: Path) -> None:
    """What a person deletes to the last letter leaves no draft behind."""
    async with on_stage(tmp_path) as stage:
        await stage.type("x")
        await stage.shows("draft saved")
        await stage.press("backspace")
        await stage.until(lambda: stage.app.compose_screen.keeper.draft_id is None, "the draft gone")
        assert await stage.app.desk.ask(lambda mailer: mailer.drafts()) == []


async def test_ctrl_o_puts_the_draft_away_and_f8_brings_it_back(tmp_path: Path) -> None:
    """Ctrl+O empties the form and keeps the draft; F8 and Enter open it whole."""
    async with on_stage(tmp_path) as stage:
        await stage.write("bob@example.org", "Later", "text")
        await stage.press("ctrl+o")
        await stage.shows("draft kept: F8 opens it")
        assert stage.app.compose_screen.form.read().is_empty()
        await stage.press("f8")
        await stage.shows("Drafts:", "Later")
        await stage.press("enter")
        await stage.until(lambda: stage.app.compose_screen.form.read().subject == "Later", "the draft opened")
        assert stage.app.compose_screen.form.read().body == "text"


async def test_the_next_start_mentions_the_draft_of_the_last(tmp_path: Path) -> None:
    """A draft left behind is mentioned once, quietly, and nothing is opened by itself."""
    async with on_stage(tmp_path) as stage:
        await stage.write("bob@example.org", "Left behind", "text")
        await stage.shows("draft saved")
    async with on_stage(tmp_path) as stage:
        await stage.shows("F8 opens the draft of", ": Left behind")
        assert stage.app.compose_screen.form.read().is_empty()


async def test_left_and_right_choose_the_sender(tmp_path: Path) -> None:
    """Another identity is chosen by an arrow key, and the draft goes from its account."""
    accounts = (local_account(), local_account("home", "Ada <ada@home.example>"))
    async with on_stage(tmp_path, configuration_of(*accounts)) as stage:
        await stage.press("shift+tab", "right")
        await stage.shows("Ada <ada@home.example>  (home)")
        draft = stage.app.compose_screen.form.read()
        assert (draft.account, draft.sender) == ("home", "Ada <ada@home.example>")


async def test_deleting_a_draft_asks_by_a_second_press(tmp_path: Path) -> None:
    """The first x asks, the second deletes for good."""
    async with on_stage(tmp_path) as stage:
        await stage.app.desk.ask(lambda mailer: mailer.save_draft(Draft(to="a@example.org", subject="Old one")))
        await stage.press("f8")
        await stage.shows("Old one")
        await stage.press("x")
        await stage.shows("Press the same key again")
        await stage.press("x")
        await stage.shows("no drafts")
        assert await stage.app.desk.ask(lambda mailer: mailer.drafts()) == []


async def test_what_the_form_does_not_show_is_kept(tmp_path: Path) -> None:
    """Headers, tags and a note of a draft survive being edited in the form."""
    draft = Draft(to="bob@example.org", headers=(("X-A", "b"),), tags=(("news", None),), note="mine")
    async with on_stage(tmp_path, draft=draft) as stage:
        await stage.type(", cy@example.org")
        kept = stage.app.compose_screen.form.read()
        assert (kept.headers, kept.tags, kept.note) == (draft.headers, draft.tags, "mine")
        assert kept.to == "bob@example.org, cy@example.org"


async def test_the_palette_names_add_an_account_and_nothing_twice(tmp_path: Path) -> None:
    """Ctrl+P leads to the account form by its name, and lists a command that has two keys once."""
    async with on_stage(tmp_path) as stage:
        await stage.press("f3")
        names = [command.title.partition("  ")[0] for command in stage.app.get_system_commands(stage.app.screen)]
        assert len(set(names)) == len(names)
        await stage.press("ctrl+p")
        await stage.type("add an account")
        await stage.shows("Add an SMTP account")
        await stage.press("enter")
        await stage.shows("Save", "Host")


@pytest.mark.parametrize("size", [SMALL, (60, 20), (40, 12)])
async def test_the_palette_is_whole_at_any_size_and_end_goes_to_its_end(tmp_path: Path, size: tuple[int, int]) -> None:
    """Its lower edge stays on the screen, Home and End go through it, and a command without a key claims none."""
    async with on_stage(tmp_path, size=size) as stage:
        titles = [command.title for command in stage.app.get_system_commands(stage.app.screen)]
        assert "Browse" in titles
        await stage.press("ctrl+p")
        await stage.shows("Accounts  F9", "▁" * (size[0] - 2))
        await stage.press("end")
        await stage.shows("Undo  F5", "▁" * (size[0] - 2))
        await stage.press("home")
        await stage.shows("Accounts  F9")


async def test_enter_in_the_palette_waits_for_what_was_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow search never has Enter take a command of the list that stood there before; later keys wait, too."""
    search = SystemCommandsProvider.search

    async def slowly(provider: SystemCommandsProvider, query: str) -> Hits:
        await asyncio.sleep(0.3)
        async for hit in search(provider, query):
            yield hit

    monkeypatch.setattr(SystemCommandsProvider, "search", slowly)
    async with on_stage(tmp_path) as stage:
        await stage.press("ctrl+p")
        await stage.shows("Accounts  F9")
        for key in (*"outbox", "enter", "f4"):
            stage.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await stage.until(lambda: stage.app.current_mode == "history", "Outbox, and then History")
        assert not stage.app.screen.is_modal
        await stage.press("ctrl+p")
        for key in (*"outbox", "enter", "enter", "escape"):
            stage.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await stage.until(lambda: stage.app.current_mode == "outbox", "Outbox, once")
        await stage.until(lambda: not stage.app.desk.typed_ahead._waiting, "every key read")


async def test_a_row_shown_for_its_error_is_hidden_again_when_mended(tmp_path: Path) -> None:
    """Reply-To that was shown only to say what was wrong is no longer there in the next, empty mail."""
    async with on_stage(tmp_path) as stage:
        await stage.press("f6", "tab")
        await stage.type("nonsense")
        await stage.press("tab")
        await stage.shows("has no @")
        await stage.press("shift+tab", "ctrl+u", "ctrl+n")
        await stage.until(lambda: "Reply-To" not in stage.text(), "the empty form")


async def test_what_went_wrong_is_told_to_its_end(tmp_path: Path) -> None:
    """A sentence longer than the line takes more rows while it stands, and gives them back; keys stay in sight."""
    async with on_stage(tmp_path) as stage:
        status = stage.app.desk.status
        status.complain(f"The disk of {'/somewhere' * 7} is full, so this wasn't written. The same key again leaves.")
        await stage.shows("so this wasn't written. The same key again leaves.", "^S Send", "When ")
        status.say("")
        await stage.until(lambda: "again leaves" not in stage.text(), "the line empty")
        await stage.until(lambda: stage.lines()[-3].startswith("When "), "the rows given back")


async def test_a_form_that_goes_takes_in_no_more_fields(tmp_path: Path) -> None:
    """The app may be told to end while the hidden fields are still to come."""
    async with on_stage(tmp_path) as stage:
        form = ComposeForm(configuration_of(), Draft())
        await form.complete()
        assert not form.fields["bcc"].is_attached
        await stage.app.screen.mount(form)
        await form.complete()
        assert form.fields["bcc"].is_attached


async def test_a_file_of_a_mail_taken_back_has_its_size(tmp_path: Path) -> None:
    """It is kept already, under no path: the row and the total tell it like any other."""
    report = tmp_path / "report.txt"
    report.write_text("x" * 17)
    draft = Draft(to="bob@example.org", subject="s", body="b", attachments=(DraftAttachment(source=str(report)),))
    async with on_stage(tmp_path, size=LARGE) as stage:
        (one,) = await stage.app.desk.ask(lambda mailer: mailer.seal(draft, SealRequest(hold=True)))
        stage.app.desk.nudge()
        await stage.press("f3")
        await stage.shows("held as asked")
        await stage.press("e")
        await stage.shows("report.txt  17 B", "1 file, 17 B")
        assert one.id


async def test_a_file_that_is_gone_is_the_one_pointed_at(tmp_path: Path) -> None:
    """What can't be sent is where Del works: another file isn't taken off in its place."""
    gone, stays = tmp_path / "gone.txt", tmp_path / "stays.txt"
    stays.write_text("x")
    attachments = (DraftAttachment(source=str(gone)), DraftAttachment(source=str(stays)))
    draft = Draft(to="bob@example.org", subject="s", body="b", attachments=(attachments[1], attachments[0]))
    async with on_stage(tmp_path, size=LARGE, draft=draft) as stage:
        await stage.press("ctrl+s")
        await stage.shows("> gone.txt", "gone.txt doesn't exist")
        await stage.press("delete")
        await stage.until(
            lambda: stage.app.compose_screen.form.read().attachments == (attachments[1],), "the missing one taken off"
        )
