"""From the form to the review sheet and, if the person says so, into the outbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import InvalidMessage, StorageError
from tui_mailer.tui.draft_board import DraftBoard
from tui_mailer.tui.draft_keeper import DraftKeeper, Kept
from tui_mailer.tui.news import AccountFormAsked
from tui_mailer.tui.screens.room import Room
from tui_mailer.tui.status import Tone
from tui_mailer.tui.widgets.compose_form import ComposeForm

if TYPE_CHECKING:
    from tui_mailer.services.review import Review
    from tui_mailer.storage.record import Submission
    from tui_mailer.tui.screens.review import ReviewAnswer


class Sending:
    """One at a time: a second press of the key while the first is at work does nothing."""

    def __init__(self, room: Room, form: ComposeForm, keeper: DraftKeeper, board: DraftBoard) -> None:
        self._room = room
        self._form = form
        self._keeper = keeper
        self._board = board
        self._is_busy = False

    async def review_and_send(self) -> None:
        """Attaches what is pending, shows the sheet, and does what its answer says."""
        if self._is_busy:
            return
        self._is_busy = True
        try:
            await self._review_and_send()
        finally:
            self._is_busy = False

    async def _review_and_send(self) -> None:
        await self._form.read_all_keys()
        if wrong := await self._form.attachments.take_pending():
            self._form.focus_field("attachments")
            self._room.desk.status.complain(f"nothing was sent: {wrong}")
            return
        try:
            # As when it is put away: one that another has sent meanwhile is found to be gone, and told on the sheet.
            await self._board.save(is_put_away=True)
        except StorageError as error:
            self._room.desk.status.complain(f"nothing was sent: {error}")
            return
        one, draft = self._keeper.writing, self._form.read()
        review = await self._review(draft)
        if review is None:
            return
        from tui_mailer.domain.checks import Finding, Severity  # not for the first frame

        if doubt := await self._keeper.doubt(one):
            first = Finding(Severity.WARNING, None, "copy", doubt)
            review = replace(review, findings=(first, *review.findings))
        if one is not self._keeper.writing or draft != self._form.read():
            key = self._room.desk.keymap.display("compose.send")
            self._room.desk.status.complain(f"nothing was sent: you went on writing before the review was there; {key}")
            return
        self._room.desk.status.say("")
        answer = await self._ask(one, draft, review)
        if answer.how == "text-alone":
            from tui_mailer.tui.form_errand import leave_out_html

            leave_out_html(self._form)
            await self._review_and_send()
        elif answer.how == "add-account":
            self._room.post_message(AccountFormAsked())
        elif answer.how == "sealed":
            self._sealed(one, review, answer.submissions)

    async def _review(self, draft: Draft) -> Review | None:
        try:
            return await self._room.desk.ask(lambda mailer: mailer.review(draft))
        except InvalidMessage as error:
            if error.field and self._form.show_wrong(error.field, str(error)):
                self._form.focus_field(error.field)
                if error.field == "attachments":
                    await self._form.attachments.point_at_missing()
            self._room.desk.status.complain(f"nothing was sent: {error}")
            return None

    async def _ask(self, one: Kept, draft: Draft, review: Review) -> ReviewAnswer:
        from tui_mailer.tui.screens.review import ReviewScreen

        desk = self._room.desk

        async def seal(each: bool) -> list[Submission]:
            undo_seconds = desk.configuration.compose.undo_seconds
            return await self._keeper.seal(one, draft, review, undo_seconds=undo_seconds, each=each)

        return await self._room.shell.push_screen_wait(ReviewScreen(desk, review, draft=draft, seal=seal))

    def _sealed(self, one: Kept, review: Review, submissions: tuple[Submission, ...]) -> None:
        from tui_mailer.domain.schedule import describe  # not for the first frame
        from tui_mailer.tui.words import say_recipients

        desk, first = self._room.desk, submissions[0]
        count = len(submissions)
        said = f"queued for {say_recipients(first)}" if count == 1 else f"{count} messages queued"
        if review.schedule is None and first.not_before > datetime.now(UTC):
            desk.status.say("")
            desk.status.offer_undo(said, first.not_before, tuple(one.id for one in submissions))
        else:
            goes = f", goes {describe(review.schedule, now=desk.now())}" if review.schedule else ""
            desk.status.say(f"{said}{goes}", tone=Tone.GOOD)
        desk.nudge()
        self._board.sealed(one)
