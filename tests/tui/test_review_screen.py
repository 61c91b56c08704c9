"""The review sheet: what it shows, and that only a meant Enter sends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from app_stage import LARGE, SMALL, configuration_of, local_account, on_stage, smtp_account
from smtp_server import ScriptedServer

from tui_mailer.domain.draft import Draft, DraftAttachment
from tui_mailer.domain.errors import InvalidMessage
from tui_mailer.domain.submission import State
from tui_mailer.services.review import SealRequest
from tui_mailer.storage.store import Store

READY = Draft(
    to="Bob <bob@example.org>", cc="cy@example.org", bcc="eve@example.org", subject="Minutes", body="Here they are."
)


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_the_sheet_names_every_recipient_and_marks_the_hidden_ones(tmp_path: Path, size: tuple[int, int]) -> None:
    """To, Cc and Bcc each have their line, Bcc says that it is hidden; account, size and time are there."""
    async with on_stage(tmp_path, size=size, draft=READY) as stage:
        await stage.press("ctrl+s")
        await stage.shows(
            "nothing has been sent yet",
            "To           Bob <bob@example.org>",
            "Cc           cy@example.org",
            "Bcc (hidden) eve@example.org",
            "(account local)",
            "3 recipients",
            "When         now",
        )


async def test_names_stand_with_their_addresses_and_steer_nothing(tmp_path: Path) -> None:
    """A name is as it was written, a long one cut before its address; markup in it does nothing."""
    long = "Augusta Ada King, Countess of Lovelace and Baroness of Ockham"
    draft = READY._replace(
        to=f'"{long}" <ada.king@lovelace.example.org>, "[red]Bob[/]" <bob@example.org>',
        cc="cy@example.org",
        reply_to="Desk <desk@example.org>",
    )
    async with on_stage(tmp_path, draft=draft) as stage:
        await stage.press("ctrl+s")
        await stage.shows(
            'To           "Augusta Ada King, Coun…" <ada.king@lovelace.example.org>,',
            '"[red]Bob[/]" <bob@example.org>',
            "Cc           cy@example.org",
            "Reply-To     Desk <desk@example.org>",
        )


async def test_a_domain_without_a_dot_is_remarked_where_mail_leaves(tmp_path: Path) -> None:
    """It may be a host of one's own network, so it can be sent; of what is kept here nothing is said."""
    draft = READY._replace(to="bob@exmaple, cy@[127.0.0.1]", cc="", bcc="", account="work")
    async with on_stage(tmp_path, configuration_of(smtp_account(1), local_account()), draft=draft) as stage:
        await stage.press("ctrl+s")
        await stage.shows("Check        exmaple has no dot: a host of your own network?", "Enter Send")
    async with on_stage(tmp_path, draft=draft._replace(account="local")) as stage:
        await stage.press("ctrl+s")
        await stage.shows("Sent by      kept on this computer")
        assert "has no dot" not in stage.text()


async def test_the_key_for_one_message_each_says_why_it_does_nothing(tmp_path: Path) -> None:
    """With one To there is nothing to split; an account that takes several sends one message to all."""
    draft = READY._replace(cc="", bcc="")
    async with on_stage(tmp_path, configuration_of(smtp_account(1)), draft=draft) as stage:
        await stage.press("ctrl+s")
        await stage.shows("Review:")
        await stage.press("ctrl+e")
        await stage.shows("There is only one To: nothing to split.")
        await stage.press("escape")
        stage.app.compose_screen.form.inputs["to"].value = "bob@example.org, cy@example.org"
        await stage.press("ctrl+s")
        await stage.shows("Review:")
        await stage.press("ctrl+e")
        await stage.shows("One message goes to all in To: this account takes several.")


async def test_the_key_that_sends_is_named_on_the_smallest_screen(tmp_path: Path) -> None:
    """At 40x10 the sheet scrolls under what is said and over the key line; grown, it is seen from its first line."""
    async with on_stage(tmp_path, configuration_of(smtp_account(1)), size=(40, 10), draft=READY) as stage:
        await stage.press("ctrl+s")
        await stage.shows("nothing has been sent yet", "Enter Send", "To           Bob <bob@")
        await stage.press("enter")
        await stage.shows("Nothing was done", "Enter Send")
        await stage.press("end")
        await stage.shows("Sent by", "Enter Send")
        await stage.pilot.resize_terminal(80, 30)
        await stage.shows("To           Bob <bob@", "Sent by", "Enter Send")


async def test_enter_right_after_the_sheet_came_up_does_not_send(tmp_path: Path) -> None:
    """A key meant for the form can't send: Enter works only once the sheet has been up for half a second."""
    async with on_stage(tmp_path, draft=READY) as stage:
        await stage.press("ctrl+s", "enter", "enter")
        await stage.shows("nothing has been sent yet", "Nothing was done: Enter came before this could be read.")
        assert await stage.app.desk.ask(lambda mailer: mailer.outbox()) == []
        await stage.until(stage.sends_now, "half a second")
        await stage.press("enter")
        await stage.until(lambda: not stage.app.screen.is_modal, "the form")


async def test_escape_goes_back_with_everything_as_it_was(tmp_path: Path) -> None:
    """Esc leaves the sheet; the form is untouched and nothing is stored but the draft."""
    async with on_stage(tmp_path, draft=READY) as stage:
        await stage.press("ctrl+s")
        await stage.shows("nothing has been sent yet")
        await stage.press("escape")
        await stage.until(lambda: not stage.app.screen.is_modal, "the form")
        assert stage.app.compose_screen.form.read() == READY
        assert await stage.app.desk.ask(lambda mailer: mailer.outbox()) == []


async def test_typing_goes_back_and_lands_in_the_field(tmp_path: Path) -> None:
    """A letter typed over the sheet goes where one was writing."""
    async with on_stage(tmp_path, draft=READY) as stage:
        stage.app.compose_screen.form.focus_field("subject")
        await stage.press("ctrl+s")
        await stage.shows("nothing has been sent yet")
        await stage.type("!")
        await stage.until(lambda: stage.app.compose_screen.form.inputs["subject"].value == "Minutes!", "the letter")
        assert not stage.app.screen.is_modal


async def test_the_sheet_says_where_answers_go_and_the_status_line_when_it_leaves(tmp_path: Path) -> None:
    """Reply-To has its line; a scheduled mail's last word is its day, hour and distance."""
    draft = Draft(to="bob@example.org", reply_to="desk@example.org", subject="s", body="b", schedule="tomorrow 9am")
    async with on_stage(tmp_path, draft=draft) as stage:
        await stage.press("ctrl+s")
        await stage.shows("Reply-To     desk@example.org")
        await stage.until(stage.sends_now, "a sheet that has been up for half a second")
        await stage.press("enter")
        await stage.shows("queued for bob@example.org, goes ", " 09:00")


async def test_without_a_recipient_nothing_is_reviewed(tmp_path: Path) -> None:
    """Ctrl+S on a mail to nobody says so under To and puts the cursor there."""
    async with on_stage(tmp_path, draft=Draft(subject="s", body="b")) as stage:
        stage.app.compose_screen.form.focus_field("body")
        await stage.press("ctrl+s")
        await stage.shows("nothing was sent: There is no recipient")
        assert stage.app.focused is not None
        assert stage.app.focused.id == "to"


async def test_an_account_that_delivers_nowhere_says_so_plainly(tmp_path: Path) -> None:
    """The embedded account's sheet says that the mail stays on this computer and offers another account."""
    async with on_stage(tmp_path, draft=READY) as stage:
        await stage.press("ctrl+s")
        await stage.shows("kept on this computer, sent to nobody", "F9 adds an account")
        await stage.press("f9")
        await stage.shows("Add an SMTP account")


async def test_a_promised_but_missing_attachment_is_mentioned(tmp_path: Path) -> None:
    """What the checks found stands in the sheet."""
    draft = Draft(to="bob@example.org", subject="s", body="Please find the report attached.")
    async with on_stage(tmp_path, draft=draft) as stage:
        await stage.press("ctrl+s")
        await stage.shows("Check", "attached")


async def test_sending_empties_the_form_and_history_has_the_mail(tmp_path: Path) -> None:
    """Enter on the sheet seals; the form is empty, the engine delivers, history finds it."""
    async with on_stage(tmp_path) as stage:
        await stage.write("bob@example.org", "Hello", "Dear Bob")
        await stage.review_and_send()
        assert stage.app.compose_screen.form.read().is_empty()
        await stage.shows("kept on this computer, sent to nobody")
        await stage.press("f4")
        await stage.shows("sent", "bob@example", "Hello")
        (one,) = await stage.app.desk.ask(lambda mailer: mailer.history())
        assert (one.state, one.message.subject) == (State.SENT, "Hello")
        assert list((tmp_path / "data" / "Maildir" / "new").iterdir())
        assert await stage.app.desk.ask(lambda mailer: mailer.drafts()) == []


async def test_the_undo_window_counts_down_and_f5_takes_the_mail_back(tmp_path: Path) -> None:
    """While the window is open the status line counts; F5, from another mode, brings the whole draft back."""
    async with on_stage(tmp_path, configuration_of(local_account(), undo_seconds=60)) as stage:
        await stage.write("bob@example.org", "Too early", "text")
        await stage.review_and_send()
        await stage.shows("queued for bob@example.org, leaves in ", "F5 takes it back")
        await stage.press("f4", "f5")
        await stage.shows("taken back: nothing was sent")
        draft = stage.app.compose_screen.form.read()
        assert (draft.to, draft.subject, draft.body) == ("bob@example.org", "Too early", "text")
        assert await stage.app.desk.ask(lambda mailer: mailer.outbox()) == []


async def test_the_undo_window_survives_the_end_of_the_app(tmp_path: Path) -> None:
    """A mail still in its undo window when the app ended can be taken back by the next one."""
    configuration = configuration_of(local_account(), undo_seconds=60)
    async with on_stage(tmp_path, configuration) as stage:
        await stage.write("bob@example.org", "Too early", "text")
        await stage.review_and_send()
    async with on_stage(tmp_path, configuration) as stage:
        await stage.shows("queued for bob@example.org, leaves in ")
        await stage.press("f5")
        await stage.until(lambda: stage.app.compose_screen.form.read().subject == "Too early", "the draft back")


async def test_a_refused_recipient_is_told_and_named(tmp_path: Path) -> None:
    """When the server refuses one of two, the status line says partly refused, and history names the one."""
    async with ScriptedServer() as server:
        from app_stage import smtp_account

        server.on("RCPT TO:<cy", "550 5.1.1 no such user")
        async with on_stage(tmp_path, configuration_of(smtp_account(server.port))) as stage:
            await stage.type("bob@example.org, cy@example.org")
            await stage.press("tab", "tab")
            await stage.type("Two")
            await stage.review_and_send()
            await stage.shows("partly refused")
            await stage.press("f4")
            await stage.shows("partial")
            await stage.press("enter")
            await stage.shows("to rejected", "no such user", "to accepted")


async def test_the_refused_are_not_served_twice_by_s_unseen(tmp_path: Path) -> None:
    """A second s says that and when it was sent again; a sheet that is overtaken sends nothing."""
    async with ScriptedServer() as server:
        server.on("RCPT TO:<cy", "550 5.1.1 no such user")
        async with on_stage(tmp_path, configuration_of(smtp_account(server.port)), size=LARGE) as stage:
            await stage.write("bob@example.org, cy@example.org", "Two", "text")
            await stage.review_and_send()
            await stage.shows("partly refused")
            await stage.press("f4")
            await stage.shows("(s resends to t")
            (done,) = await stage.app.desk.ask(lambda mailer: mailer.history())
            await stage.press("s")
            await stage.shows("Send again, to those who were refused")
            await stage.app.desk.ask(lambda mailer: mailer.resend(done.id, only_refused=True))
            await stage.confirm()
            await stage.shows("nothing was sent: those who were refused have been sent it again already")
            stage.app.desk.nudge()
            await stage.until(lambda: len(server.stored) == 2, "what was sent again elsewhere")
            await stage.press("end", "s")
            await stage.shows("Send once more?", "it may arrive twice", "Sent again", "already at")
            await stage.confirm()
            await stage.until(lambda: len(server.stored) == 3, "once more, as asked")


async def test_a_file_written_to_while_the_sheet_is_up_is_not_sent_unseen(tmp_path: Path) -> None:
    """What goes out is what was reviewed: the sheet refuses, nothing is stored; reviewed again, the new file goes."""
    report = tmp_path / "report.txt"
    report.write_text("as reviewed")
    draft = READY._replace(attachments=(DraftAttachment(source=str(report)),))
    async with on_stage(tmp_path, draft=draft) as stage:
        await stage.press("ctrl+s")
        await stage.shows("report.txt 11 B")
        report.write_text("as rewritten")
        await stage.confirm()
        await stage.shows("Nothing was sent. report.txt has changed since this review")
        assert await stage.app.desk.ask(lambda mailer: mailer.outbox()) == []
        await stage.press("escape")
        await stage.until(lambda: not stage.app.screen.is_modal, "the form")
        await stage.review_and_send()
        await stage.press("f4")
        await stage.shows("Minutes")


async def test_the_time_that_was_reviewed_is_the_time_it_goes(tmp_path: Path) -> None:
    """Words are read as they were when the sheet came up, not hours later."""
    draft = READY._replace(schedule="in 2 hours")
    async with on_stage(tmp_path, draft=draft) as stage:
        reviewed = await stage.app.desk.ask(lambda mailer: mailer.review(draft))
        assert reviewed.schedule is not None
        earlier = replace(reviewed, at=reviewed.at - timedelta(hours=1))
        (one,) = await stage.app.desk.ask(lambda mailer: mailer.seal(draft, SealRequest(reviewed=earlier)))
        assert one.not_before == reviewed.schedule.at - timedelta(hours=1)
        long_ago = replace(reviewed, at=reviewed.at - timedelta(hours=3))
        with pytest.raises(InvalidMessage, match="has passed meanwhile"):
            await stage.app.desk.ask(lambda mailer: mailer.seal(draft, SealRequest(reviewed=long_ago)))


async def test_settings_changed_meanwhile_want_another_review(tmp_path: Path) -> None:
    """An account that has got another server, signature or Reply-To isn't the one that was agreed to."""
    async with on_stage(tmp_path, draft=READY) as stage:
        reviewed = await stage.app.desk.ask(lambda mailer: mailer.review(READY))
        other = replace(reviewed, account=reviewed.account._replace(fallback=("other",)))
        with pytest.raises(InvalidMessage, match="settings of account 'local' have changed"):
            await stage.app.desk.ask(lambda mailer: mailer.seal(READY, SealRequest(reviewed=other)))
        assert await stage.app.desk.ask(lambda mailer: mailer.outbox()) == []


async def test_undo_is_offered_where_it_works(tmp_path: Path) -> None:
    """Behind a dialog the status line promises no key and counts nothing; the dialog of leaving has F5 itself."""
    async with on_stage(tmp_path, configuration_of(undo_seconds=60), draft=READY, size=LARGE) as stage:
        await stage.review_and_send()
        await stage.shows("queued for Bob", "F5 takes it back")
        await stage.press("ctrl+l")
        await stage.shows("When is it to go out?")
        await stage.until(lambda: "F5 takes it back" not in stage.text(), "no promise")
        await stage.press("escape")
        await stage.shows("F5 takes it back")
        await stage.press("ctrl+q")
        await stage.shows("Sending what is due", "F5 undoes it", "F5 Undo")
        await stage.press("f5")
        await stage.shows("taken back: nothing was sent")
        assert stage.app.compose_screen.form.read().subject == "Minutes"
        assert stage.app.is_running


async def test_f5_takes_back_what_the_start_has_offered(tmp_path: Path) -> None:
    """Mail of a script is offered by name at the start: not what another has queued since is taken back for it."""
    configuration = configuration_of(local_account(), undo_seconds=60)
    async with on_stage(tmp_path, configuration) as stage:
        (offered,) = await stage.app.desk.ask(lambda mailer: mailer.seal(READY, SealRequest(undo_seconds=60)))
    async with on_stage(tmp_path, configuration) as stage:
        await stage.shows("queued for Bob", "F5 takes it back")
        other = Draft(to="cron@example.org", subject="Not mine", body="b")
        (one,) = await stage.app.desk.ask(lambda mailer: mailer.seal(other, SealRequest(undo_seconds=60)))
        await stage.press("f5")
        await stage.shows("taken back: nothing was sent")
        assert [each.id for each in await stage.app.desk.ask(lambda mailer: mailer.outbox())] == [one.id]
        assert (await stage.app.desk.ask(lambda mailer: mailer.show(offered.id))).state is State.CANCELED


async def test_f5_takes_back_what_was_offered_and_all_of_it(tmp_path: Path) -> None:
    """Not what another process has queued since; of a fan-out every message, so that "nothing was sent" is true."""
    async with on_stage(tmp_path, configuration_of(undo_seconds=60), draft=READY, size=LARGE) as stage:
        await stage.review_and_send()
        await stage.shows("F5 takes it back")
        later = SealRequest(undo_seconds=60)
        other = Draft(to="cron@example.org", subject="Not mine", body="b")
        (one,) = await stage.app.desk.ask(lambda mailer: mailer.seal(other, later))
        await stage.press("f5")
        await stage.shows("taken back: nothing was sent")
        assert stage.app.compose_screen.form.read().subject == "Minutes"
        assert [each.id for each in await stage.app.desk.ask(lambda mailer: mailer.outbox())] == [one.id]
        await stage.press("f5")
        await stage.shows("queued for cron@example.org, leaves in")
        assert [each.id for each in await stage.app.desk.ask(lambda mailer: mailer.outbox())] == [one.id]
        elsewhere = Store.open(stage.app.desk.paths.data_dir)
        elsewhere.outbox.cancel(one.id, "elsewhere")
        elsewhere.close()
        await stage.shows("taken back or canceled elsewhere: it isn't sent")
        await stage.until(lambda: "F5 takes it back" not in stage.text(), "no offer of what is gone")
        many = Draft(to="a@example.org, b@example.org, c@example.org", subject="Each", body="b")
        each = SealRequest(undo_seconds=60, each=True)
        sealed = await stage.app.desk.ask(lambda mailer: mailer.seal(many, each))
        ids = tuple(submission.id for submission in sealed)
        stage.app.desk.status.offer_undo("3 messages queued", sealed[0].not_before, ids)
        await stage.press("f5")
        await stage.shows("3 taken back, each a draft of its own; nothing was sent")
        assert await stage.app.desk.ask(lambda mailer: mailer.outbox()) == []
