"""Outbox: live rows, and the keys that move a submission on."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app_stage import LARGE, Stage, configuration_of, local_account, on_stage, smtp_account
from smtp_server import DROP, ScriptedServer

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.submission import State
from tui_mailer.services.event import StoreChanged
from tui_mailer.services.review import SealRequest
from tui_mailer.storage.record import Submission
from tui_mailer.tui.news import EngineReported
from tui_mailer.tui.widgets.outbox_rows import OutboxRows
from tui_mailer.tui.words import Moment, say_countdown

LATER = Draft(to="Bob <bob@example.org>", subject="For later", body="text", schedule="in 3 days")


async def seal(stage: Stage, draft: Draft = LATER) -> Submission:
    """Puts a mail into the outbox."""
    (one,) = await stage.app.desk.ask(lambda mailer: mailer.seal(draft, SealRequest()))
    stage.app.desk.nudge()
    return one


async def state_of(stage: Stage, one: Submission) -> State:
    """How a submission stands."""
    return (await stage.app.desk.ask(lambda mailer: mailer.show(one.id))).state


async def test_a_scheduled_mail_says_when_it_goes(tmp_path: Path) -> None:
    """A row has state, recipient, subject and one sentence with time and distance."""
    async with on_stage(tmp_path, size=LARGE) as stage:
        await seal(stage)
        await stage.press("f3")
        await stage.shows("queued", "Bob", "For later", "in 3 days")


async def test_h_holds_and_releases(tmp_path: Path) -> None:
    """h holds what goes; h again releases it; the word in the row follows."""
    async with on_stage(tmp_path) as stage:
        one = await seal(stage)
        await stage.press("f3")
        await stage.shows("For later")
        await stage.press("h")
        await stage.shows("held")
        assert await state_of(stage, one) is State.HELD
        await stage.press("h")
        await stage.shows("queued")
        assert await state_of(stage, one) is State.QUEUED


async def test_x_cancels(tmp_path: Path) -> None:
    """x cancels: the outbox is empty, history has it as canceled."""
    async with on_stage(tmp_path) as stage:
        one = await seal(stage)
        await stage.press("f3")
        await stage.shows("For later")
        await stage.press("x")
        await stage.shows("The outbox is empty")
        assert await state_of(stage, one) is State.CANCELED


async def test_a_repeating_mail_says_so_and_its_series_ends_by_x(tmp_path: Path) -> None:
    """The row says that it repeats; x asks whether the one or all go, and Esc leaves all as it is."""
    async with on_stage(tmp_path, size=LARGE) as stage:
        first = await seal(stage, LATER._replace(schedule="every weekday 9:00"))
        await stage.press("f3")
        await stage.shows("repeats every weekday 9:00")
        await stage.press("x")
        await stage.shows("It repeats", "Only this one", "All that follow, too")
        await stage.press("escape")
        assert await state_of(stage, first) is State.QUEUED
        await stage.press("x")
        await stage.shows("Only this one")
        await stage.press("enter")
        await stage.shows("canceled")
        assert await state_of(stage, first) is State.CANCELED
        (second,) = await stage.app.desk.ask(lambda mailer: mailer.outbox())
        assert second.series_id is not None
        await stage.press("x")
        await stage.shows("Only this one")
        await stage.press("down", "enter")
        await stage.shows("The outbox is empty")
        assert await state_of(stage, second) is State.CANCELED


async def test_a_held_row_says_when_it_would_go(tmp_path: Path) -> None:
    """Another time chosen for a held one shows in its row."""
    async with on_stage(tmp_path, size=LARGE) as stage:
        await seal(stage)
        await stage.press("f3")
        await stage.shows("in 3 days")
        await stage.press("h")
        await stage.shows("h releases it, goes")
        await stage.press("t")
        await stage.shows("Send it at another time")
        await stage.type("in 400 days")
        await stage.press("enter")
        await stage.shows(f"{datetime.now(stage.app.desk.zone) + timedelta(days=400):%b %Y}: held by you")


async def test_what_was_queued_last_is_told_while_an_earlier_undo_counts(tmp_path: Path) -> None:
    """A sentence said after the undo window opened is shown until it is read; the countdown comes back then."""
    async with on_stage(tmp_path, size=LARGE) as stage:
        status = stage.app.desk.status
        status.offer_undo("queued for Bob", datetime.now(UTC) + timedelta(seconds=300))
        await stage.shows("queued for Bob, leaves in")
        status.say("queued for Eve, goes tomorrow")
        await stage.shows("queued for Eve, goes tomorrow")
        status.offer_undo("queued for Cy", datetime.now(UTC) + timedelta(seconds=300))
        await stage.shows("queued for Cy, leaves in")


async def test_e_takes_it_back_into_compose(tmp_path: Path) -> None:
    """e cancels and opens the same text, in one step."""
    async with on_stage(tmp_path) as stage:
        await seal(stage)
        await stage.press("f3")
        await stage.shows("For later")
        await stage.press("e")
        await stage.until(lambda: stage.app.compose_screen.form.read().subject == "For later", "compose")
        assert stage.app.screen is stage.app.compose_screen
        assert await stage.app.desk.ask(lambda mailer: mailer.outbox()) == []


async def test_t_chooses_another_time(tmp_path: Path) -> None:
    """t asks for a time and refuses the past."""
    async with on_stage(tmp_path, size=LARGE) as stage:
        one = await seal(stage)
        await stage.press("f3")
        await stage.shows("in 3 days")
        await stage.press("t")
        await stage.shows("Send it at another time", "install the service")
        await stage.type("yesterday")
        await stage.press("enter")
        assert stage.app.screen.is_modal
        await stage.press("ctrl+u")
        await stage.type("in 6 days")
        await stage.press("enter")
        await stage.shows("1 rescheduled: ", ", in 6 days")
        assert (await stage.app.desk.ask(lambda mailer: mailer.show(one.id))).schedule_words == "in 6 days"


async def test_what_is_taken_back_keeps_the_time_it_has_by_now(tmp_path: Path) -> None:
    """Rescheduled, then edited: When is the new time as a person writes it; of what was for now it is empty."""
    async with on_stage(tmp_path, size=LARGE) as stage:
        one = await seal(stage)
        moved = await stage.app.desk.ask(lambda mailer: mailer.reschedule(one.id, "in 6 days"))
        await stage.press("f3")
        await stage.shows("in 6 days")
        await stage.press("e")
        await stage.until(lambda: stage.app.compose_screen.form.read().subject == "For later", "compose")
        when = stage.app.compose_screen.form.read().schedule
        again = await stage.app.desk.ask(lambda mailer: mailer.parse_when(when))
        assert again.at == moved.not_before.replace(microsecond=0)
        assert when.startswith(f"{moved.not_before.astimezone(stage.app.desk.zone):%Y-%m-%d %H:%M}")
        assert "T" not in when
        asked = await stage.app.desk.ask(
            lambda mailer: mailer.seal(LATER._replace(schedule=""), SealRequest(hold=True))
        )
        stored = await stage.app.desk.ask(lambda mailer: mailer.edit(asked[0].id))
        assert stored.draft.schedule == ""


async def test_a_new_message_from_an_old_one_is_for_now(tmp_path: Path) -> None:
    """When the old one went is no time to send the new one at."""
    async with on_stage(tmp_path) as stage:
        one = await seal(stage)
        await stage.app.desk.ask(lambda mailer: mailer.cancel(one.id))
        stored = await stage.app.desk.ask(lambda mailer: mailer.edit_as_new(one.id))
        assert (stored.draft.subject, stored.draft.schedule) == ("For later", "")


async def test_e_on_a_repeating_mail_asks_whether_the_series_is_meant(tmp_path: Path) -> None:
    """Only this one: the series goes on; the series: it ends, and its draft repeats as it did."""
    async with on_stage(tmp_path, size=LARGE) as stage:
        first = await seal(stage, LATER._replace(schedule="every weekday 9:00"))
        form = stage.app.compose_screen.form
        await stage.press("f3")
        await stage.shows("repeats every weekday 9:00")
        await stage.press("e")
        await stage.shows("It repeats", "the series goes on as it is")
        await stage.press("enter")
        await stage.until(lambda: form.read().subject == "For later", "compose")
        assert "every" not in form.read().schedule
        await stage.press("f3")
        listed = stage.app.screen.query_one(OutboxRows)
        await stage.until(lambda: (one := listed.current()) is not None and one.id != first.id, "the next one")
        await stage.press("e")
        await stage.shows("the series ends; the draft repeats as it did")
        await stage.press("down", "enter")
        await stage.until(lambda: form.read().schedule == "every weekday 9:00", "a draft that repeats")
        assert await stage.app.desk.ask(lambda mailer: mailer.outbox()) == []
        await stage.app.desk.ask(lambda mailer: mailer.keep_series_up())
        assert await stage.app.desk.ask(lambda mailer: mailer.outbox()) == []


async def test_r_asks_before_mail_goes_ahead_of_its_time(tmp_path: Path) -> None:
    """What waits for a chosen time isn't sent by a key that says "retry", unless that is meant."""
    async with on_stage(tmp_path) as stage:
        one = await seal(stage)
        await stage.press("f3")
        await stage.shows("in 3 days")
        await stage.press("r")
        await stage.shows("Send it now, not at its time?", "Bob: For later")
        await stage.press("escape")
        assert (await stage.app.desk.ask(lambda mailer: mailer.show(one.id))).not_before == one.not_before
        await stage.press("r")
        await stage.confirm()
        await stage.shows("The outbox is empty")
        assert await state_of(stage, one) is State.SENT


async def test_space_marks_several_and_a_key_is_for_all_of_them(tmp_path: Path) -> None:
    """Two marked rows are both canceled by one x, once a question has been answered: many aren't made anew by a key."""
    async with on_stage(tmp_path) as stage:
        first, second = await seal(stage), await seal(stage)
        await stage.press("f3")
        await stage.shows("Outbox 2")
        await stage.press("space", "space", "x")
        await stage.shows("Cancel these 2 mails?")
        await stage.press("escape")
        assert {await state_of(stage, first), await state_of(stage, second)} == {State.QUEUED}
        await stage.press("x")
        await stage.shows("Cancel these 2 mails?")
        await stage.confirm()
        await stage.shows("The outbox is empty")
        assert {await state_of(stage, first), await state_of(stage, second)} == {State.CANCELED}


async def test_a_lost_answer_is_uncertain_until_a_person_settles_it(tmp_path: Path) -> None:
    """When the reply after the dot is lost the row says so and o offers what can be decided."""
    async with ScriptedServer() as server:
        server.on("DOT", DROP)
        async with on_stage(tmp_path, configuration_of(smtp_account(server.port)), size=LARGE) as stage:
            one = await seal(stage, Draft(to="bob@example.org", subject="Lost", body="text"))
            await stage.press("f3")
            await stage.shows("uncertain", "may or may not have gone out")
            await stage.press("o")
            await stage.shows("Did it reach bob@example.org?", "look at the transcript", "send it again")
            await stage.press("down", "enter")
            await stage.shows("The outbox is empty")
            assert await state_of(stage, one) is State.SENT
            assert len(server.stored) == 1
            await stage.press("f4")
            await stage.shows("you marked it sent; no answer came")


async def test_a_temporary_refusal_names_its_reason_and_the_next_try(tmp_path: Path) -> None:
    """Greylisting shows as deferred with the server's words and a countdown; Enter shows the attempt."""
    async with ScriptedServer() as server:
        server.always("RCPT", "451 4.7.1 greylisted, come back")
        async with on_stage(tmp_path, configuration_of(smtp_account(server.port)), size=LARGE) as stage:
            await seal(stage, Draft(to="bob@example.org", subject="Grey", body="text"))
            await stage.press("f3")
            await stage.shows("deferred", "next try in ")
            await stage.press("enter")
            await stage.shows("Attempt 1", "greylisted, come back")


async def test_a_server_that_cannot_be_reached_is_named_and_the_mail_goes_by_itself(tmp_path: Path) -> None:
    """It costs no attempt; one line says which server and why, so that a wrong port isn't taken for no network."""
    async with on_stage(tmp_path, configuration_of(smtp_account(9))) as stage:
        await seal(stage, Draft(to="bob@example.org", subject="Off", body="text"))
        await stage.press("f3")
        await stage.shows("next try in", "work can't send now: 127.0.0.1:9 can't be reached")
        await stage.shows("refused", "It tries again by itself")
        (one,) = await stage.app.desk.ask(lambda mailer: mailer.outbox())
        assert (one.state, one.attempts) == (State.QUEUED, 0)
        await stage.press("enter")
        await stage.shows("State           queued: next try", "Account         work can't send now: 127.0.0.1:9")


async def test_a_held_account_shows_once_with_its_remedy(tmp_path: Path) -> None:
    """Three mails of one held account: one line above the list, and each row only says what it waits for."""
    async with on_stage(tmp_path, configuration_of(local_account("work"))) as stage:
        await stage.app.desk.ask(lambda mailer: mailer.hold_account("work", "the server refused the password"))
        for _ in range(3):
            await seal(stage, Draft(to="bob@example.org", subject="s", body="b"))
        await stage.press("f3")
        await stage.shows("work is held: the server refused the password", "waits for account work")
        assert stage.text().count("refused the password") == 1
        await stage.press("r")
        await stage.shows("The outbox is empty")


async def test_y_copies_the_message_id(tmp_path: Path) -> None:
    """y puts the Message-ID on the clipboard."""
    async with on_stage(tmp_path) as stage:
        one = await seal(stage)
        await stage.press("f3")
        await stage.shows("For later")
        await stage.press("y")
        await stage.shows("copied <")
        assert stage.app.clipboard == one.message.message_id


async def test_news_of_the_mail_leaves_an_answer_to_be_read(tmp_path: Path) -> None:
    """What a key has just been answered stands until it is read; what happened meanwhile is told then."""
    async with on_stage(tmp_path) as stage:
        await seal(stage)
        await stage.press("f3")
        await stage.shows("For later")
        await stage.press("y")
        await stage.shows("copied <")
        asked = time.monotonic()
        await seal(stage, Draft(to="eve@example.org", subject="Now", body="text"))
        await stage.shows("kept on this computer, sent to nobody")
        assert time.monotonic() - asked > 2.0


async def test_the_digits_go_between_the_modes(tmp_path: Path) -> None:
    """1, 2 and 3 work in lists, and type digits in fields."""
    async with on_stage(tmp_path) as stage:
        await stage.type("123")
        assert stage.app.compose_screen.form.inputs["to"].value == "123"
        await stage.press("f3", "3")
        await stage.shows("[History]")
        await stage.press("1")
        await stage.shows("[Compose]")


async def test_what_another_process_queues_shows_without_a_key(tmp_path: Path) -> None:
    """A `send` in a shell appears in the open outbox by itself, and so does what becomes of it there."""
    configuration = tmp_path / "config.json"
    account = {"provider": "maildir", "from": "ada@example.org"}
    configuration.write_text(json.dumps({"default_account": "local", "accounts": {"local": account}}))
    configuration.chmod(0o600)

    async def program(*arguments: str) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tui_mailer", "--config", str(configuration), "--data-dir", str(tmp_path / "data"),
            *arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        _, said = await process.communicate()
        assert process.returncode == 0, said

    async with on_stage(tmp_path) as stage:
        await stage.press("f3")
        await stage.shows("The outbox is empty")
        await program("send", "--to", "bob@example.org", "--subject", "From a shell", "--body", "x", "--hold")
        await stage.shows("From a shell", "held")
        (one,) = await stage.app.desk.ask(lambda mailer: mailer.outbox())
        await program("outbox", "cancel", one.id)
        await stage.shows("The outbox is empty")


async def test_several_at_once_say_honestly_what_could_not_be_done(tmp_path: Path) -> None:
    """Of two marked mails one is held already: the other is released by nothing, and one sentence tells of both."""
    async with on_stage(tmp_path, size=LARGE) as stage:
        waits, held = await seal(stage), await seal(stage)
        await stage.app.desk.ask(lambda mailer: mailer.hold(held.id))
        await stage.press("f3")
        await stage.shows("Outbox 2", "held by you")
        await stage.press("a", "r")
        await stage.shows("Send it now, not at its time?", "For later")
        await stage.confirm()
        await stage.shows("1 tried now; 1 can't be retried: it is held")
        rows = stage.app.screen.query_one(OutboxRows)
        await stage.until(lambda: rows.marked == {held.id}, "the mark left on what is still to be done")
        assert await state_of(stage, held) is State.HELD
        assert await state_of(stage, waits) is not State.HELD


async def test_a_mark_is_a_sign_and_not_only_a_style(tmp_path: Path) -> None:
    """A terminal without colours or underlines shows what is marked as well."""
    async with on_stage(tmp_path) as stage:
        await seal(stage)
        await stage.press("f3")
        await stage.shows("For later")
        await stage.press("space")
        await stage.shows("*Bob")
        await stage.press("space")
        await stage.until(lambda: "*Bob" not in stage.text(), "no mark")


async def test_a_group_is_one_row_until_it_is_opened(tmp_path: Path) -> None:
    """Three mails made of one are shown together; Enter opens them, and a key on the row is for all of them."""
    draft = Draft(to="bob@example.org, cy@example.org, dee@example.org", subject="Each", body="b", schedule="in 3 days")
    async with on_stage(tmp_path, size=LARGE) as stage:
        sealed = await stage.app.desk.ask(lambda mailer: mailer.seal(draft, SealRequest(each=True)))
        other = await seal(stage)
        await stage.press("f3")
        await stage.shows("+ 3 mails", "For later")
        rows = stage.app.screen.query_one(OutboxRows)
        assert rows.row_count() == 2
        await stage.press("down", "enter")
        await stage.shows("- 3 mails", "bob@example.org", "cy@example.org", "dee@example.org")
        await stage.press("down", "h")
        await stage.shows("1 held")
        await stage.press("up", "x")
        await stage.confirm()
        await stage.until(lambda: rows.row_count() == 1, "the group gone")
        assert {await state_of(stage, one) for one in sealed} == {State.CANCELED}
        assert await state_of(stage, other) is State.QUEUED


async def test_an_uncertain_one_says_when_the_last_byte_left(tmp_path: Path) -> None:
    """The question names what is known, to the second, and the list is headed by what needs a person."""
    async with ScriptedServer() as server:
        server.on("DOT", DROP)
        async with on_stage(tmp_path, configuration_of(smtp_account(server.port)), size=LARGE) as stage:
            lost = await seal(stage, Draft(to="bob@example.org", subject="Lost", body="text"))
            await seal(stage)
            await stage.press("f3")
            await stage.shows("uncertain", "For later")
            rows = stage.app.screen.query_one(OutboxRows)
            # An answer that comes after the key moves the row, and the cursor stays with its own.
            await stage.until(lambda: rows.row_count() == 2 and rows.row(0).key == lost.id, "the uncertain one on top")
            await stage.press("home")
            assert rows.cursor_key() == lost.id
            await stage.press("o")
            (attempt,) = await stage.app.desk.ask(lambda mailer: mailer.attempts(lost.id))
            assert attempt.intent_at is not None
            await stage.shows("The last byte left at", f"{attempt.intent_at.astimezone(stage.app.desk.zone):%H:%M:%S}")
            await stage.shows("may or may not have been delivered", "look at the transcript", "send it again")


async def test_the_key_that_the_row_waits_for_is_named_on_a_narrow_screen(tmp_path: Path) -> None:
    """At 60x20: settling for an uncertain one, releasing for a held one, also where one is opened."""
    async with ScriptedServer() as server:
        server.on("DOT", DROP)
        async with on_stage(tmp_path, configuration_of(smtp_account(server.port)), size=(60, 20)) as stage:
            await seal(stage, Draft(to="bob@example.org", subject="Lost", body="text"))
            await stage.press("f3")
            await stage.shows("uncertain", "o Settle", "^Q Quit")
            draft = Draft(to="cy@example.org", subject="Kept", body="text")
            await stage.app.desk.ask(lambda mailer: mailer.seal(draft, SealRequest(hold=True)))
            await stage.press("f2", "f3")
            await stage.shows("held")
            await stage.press("end")
            await stage.shows("h Release", "x Cancel")
            assert "o Settle" not in stage.text()
            await stage.press("home", "enter")
            await stage.until(lambda: stage.app.screen.is_modal, "the details")
            await stage.shows("o Settle", "Esc Back")


async def test_a_held_account_names_keys_and_no_shell(tmp_path: Path) -> None:
    """What a reason tells to type in a shell is told as the keys that do it here."""
    async with on_stage(tmp_path, configuration_of(local_account("work"))) as stage:
        reason = "Account 'work': the keyring has no secret. Nothing was sent. tui-mailer account set-secret work"
        await stage.app.desk.ask(lambda mailer: mailer.hold_account("work", reason))
        await seal(stage)
        await stage.press("f3")
        await stage.shows("work is held: the keyring has no secret", "r tries again", "s there takes a new password")
        assert "tui-mailer account" not in stage.text()


def test_countdowns_away_from_the_cursor_go_in_coarse_steps_and_are_never_too_short() -> None:
    """A list of countdowns costs a slow line little; what it says is never sooner than the truth."""
    now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    for seconds in range(1, 100):
        until = now + timedelta(seconds=seconds)
        said = say_countdown(until, Moment(now=now, is_coarse=True))
        assert said.startswith("<")
        coarse = int(said.removeprefix("<").removesuffix(" s"))
        assert say_countdown(until, Moment(now=now)) == f"{seconds} s"
        assert coarse % 10 == 0
        assert seconds <= coarse < seconds + (10 if seconds <= 30 else 30)


async def test_the_details_follow_what_happens_and_take_the_lists_keys(tmp_path: Path) -> None:
    """An open detail screen shows a hold made elsewhere; y copies there, and x cancels this very mail."""
    async with on_stage(tmp_path, size=LARGE) as stage:
        one = await seal(stage)
        await seal(stage)
        await stage.press("f3")
        await stage.shows("Outbox 2")
        await stage.press("down", "enter")
        await stage.shows("Recipients", "to pending", "bob@example.org", "Scheduled")
        assert stage.app.screen.is_modal
        await stage.app.desk.ask(lambda mailer: mailer.hold(one.id))
        stage.app.post_message(EngineReported(StoreChanged()))
        await stage.shows("held: h releases it")
        await stage.press("y")
        await stage.until(lambda: stage.app.clipboard == one.message.message_id, "the ID copied")
        assert stage.app.screen.is_modal
        await stage.press("x")
        await stage.shows("1 canceled: F4 still has it")
        assert await state_of(stage, one) is State.CANCELED


async def test_a_sentence_its_row_has_no_room_for_is_told_whole_below(tmp_path: Path) -> None:
    """For the row under the cursor, while nothing else is to be said; short ones aren't repeated."""
    async with on_stage(tmp_path) as stage:
        await seal(stage)
        (held,) = await stage.app.desk.ask(
            lambda mailer: mailer.seal(LATER._replace(schedule="in 400 days"), SealRequest(hold=True))
        )
        stage.app.desk.nudge()
        await stage.press("f3")
        goes = f"{held.not_before.astimezone(stage.app.desk.zone):%b %Y}: held as asked"
        await stage.until(lambda: goes in stage.lines()[-2], "the whole sentence")
        await stage.press("down")
        await stage.until(lambda: not stage.lines()[-2], "nothing to add")
        await stage.press("up", "y")
        await stage.until(lambda: stage.lines()[-2].startswith("copied <"), "an answer in its place")


async def test_why_a_mail_failed_is_told_whole_under_the_history(tmp_path: Path) -> None:
    """The server's words, to their end; its thanks for what it took aren't worth a line."""
    refusal = (
        "550 5.1.1 no such user in this house, nor in the next one, nor in any of the whole street, as far as "
        "anybody who was asked about it could tell, says the last word"
    )
    async with ScriptedServer() as server:
        server.always("RCPT", refusal)
        account = smtp_account(server.port)
        async with on_stage(tmp_path, configuration_of(account)) as stage:
            await seal(stage, Draft(to="bob@example.org", subject="Lost", body="text"))
            await stage.press("f4")
            await stage.shows("not sent to bob@example.org: no such user")
            stage.app.desk.status.say("")
            await stage.until(lambda: stage.lines()[-2].endswith("says the last word"), "all of the outcome")
            assert "no such user in this house" in stage.lines()[-3]


async def test_a_long_reason_leaves_the_cursor_in_view_and_short_ones_take_one_row(tmp_path: Path) -> None:
    """The list is full to its last row: what is told of that in two rows doesn't cover it."""
    note = "it waits for a reason that takes more than one row of a small terminal to be told to its end, as here"
    async with on_stage(tmp_path) as stage:
        for number in range(30):
            await seal(stage, LATER._replace(subject=f"Mail {number:02}"))
        await stage.press("f3")
        await stage.shows("Mail 29", "Mail 19")
        rows = stage.app.screen.query_one(OutboxRows)
        height = rows.size.height
        last = rows.submissions[height - 1].id
        await stage.app.desk.ask(lambda mailer: mailer.store.outbox.hold(last, note))
        stage.app.screen.read_soon()
        await stage.shows("held")
        for _ in range(height - 1):
            await stage.press("down")
        await stage.until(lambda: stage.lines()[-2].endswith("as here"), "the reason to its end")
        assert rows.size.height == height - 1
        top = rows.scroll_offset.y
        assert top <= rows.cursor < top + rows.size.height
        await stage.press("up")
        await stage.until(lambda: rows.size.height == height, "the row given back")


async def test_a_server_that_is_away_is_told_only_while_mail_waits_for_it(tmp_path: Path) -> None:
    """Once its mail is canceled there is nothing to say about the account, above the list and in the first row."""
    async with on_stage(tmp_path, configuration_of(smtp_account(9)), size=LARGE) as stage:
        await seal(stage, Draft(to="bob@example.org", subject="Off", body="text"))
        await stage.press("f3")
        await stage.shows("work can't send now", "It tries again by itself")
        await stage.press("x")
        await stage.shows("The outbox is empty", "1 canceled")
        await stage.until(lambda: "can't send now" not in stage.text(), "no more trouble")
