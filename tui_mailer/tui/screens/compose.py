"""Compose: the form, its keys, and the way from writing to the review sheet."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual import work
from textual.actions import SkipAction
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from tui_mailer.domain.errors import MailerError, NotFound
from tui_mailer.domain.message import Draft
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.draft_keeper import PAUSE_SECONDS, DraftKeeper
from tui_mailer.tui.news import AccountFormAsked
from tui_mailer.tui.open_drafts import OpenDrafts
from tui_mailer.tui.screens.room import Room
from tui_mailer.tui.screens.sending import Sending
from tui_mailer.tui.widgets.compose_form import ADDRESS_FIELDS, ComposeForm
from tui_mailer.tui.widgets.sender_field import SenderField, senders_of

if TYPE_CHECKING:
    from tui_mailer.storage.record import StoredDraft

ADD_ACCOUNT = "+"
"""Key of the offer that leads to the account form."""


class ComposeScreen(Room):
    """The mode in which a message is written."""

    place = "compose"
    help_places = ("compose",)
    BINDINGS = bindings("compose")
    AUTO_FOCUS = "#to"

    def __init__(self, desk: Desk, draft: Draft | None = None) -> None:
        super().__init__(desk)
        self.keeper = DraftKeeper(desk)
        self.form = ComposeForm(desk.configuration, desk.io, draft or Draft())
        self.open_drafts = OpenDrafts(desk.status)
        self._pause: Timer | None = None
        self._sending = Sending(self, self.form, self.keeper, self.empty)

    def furniture(self) -> Iterable[Widget]:
        yield self.form

    def on_mount(self) -> None:
        self._pause = self.set_interval(PAUSE_SECONDS, self._save_after_pause, pause=True)

    # keeping

    def on_compose_form_changed(self) -> None:
        """Puts saving off until the typing pauses."""
        if self._pause is not None:
            self._pause.reset()
            self._pause.resume()

    def _save_after_pause(self) -> None:
        if self._pause is not None:
            self._pause.pause()
        self.attempt(self.save())

    async def save(self) -> None:
        """Saves the draft as it stands, all keys read; raises `StorageError`."""
        await self.form.read_all_keys()
        await self.keeper.save(self.form.read())

    async def open_stored(self, stored: StoredDraft) -> None:
        """Goes on with a stored draft; what was being written is saved first and stays open."""
        if stored.id == self.keeper.draft_id:
            return
        await self._leave()
        self.keeper.adopt(stored)
        self.form.show(stored.draft)
        self.desk.status.say("")
        place = self.open_drafts.go_to(stored.id)
        self.form.body.move_cursor(place.at if place and place.at else self.form.body.document.end)
        self.form.focus_field(place.field if place else "body" if stored.draft.to and stored.draft.subject else "to")

    async def start_new(self) -> None:
        """Saves what was being written, which stays open, and empties the form."""
        await self._leave()
        self._show_empty()

    async def _leave(self) -> None:
        await self.save()
        self.open_drafts.leave(self.keeper.draft_id, self.form.place())

    def empty(self) -> None:
        """Starts on an empty message; what was being written has been put away or sealed."""
        self.open_drafts.close(self.keeper.draft_id)
        self._show_empty()

    def _show_empty(self) -> None:
        self.keeper.forget()
        self.form.show(Draft())
        self.form.focus_field("to")
        self.open_drafts.go_to(None)

    async def action_next_draft(self) -> None:
        """Goes to the next open message before the next key is read."""
        await self.attempt_now(self._next_draft())

    async def _next_draft(self) -> None:
        await self.save()
        if self.keeper.draft_id is not None:
            self.open_drafts.go_to(self.keeper.draft_id)
        for draft_id in self.open_drafts.others():
            try:
                stored = await self.desk.ask(lambda mailer, draft_id=draft_id: mailer.draft(draft_id))
            except NotFound:
                self.open_drafts.close(draft_id)  # sent or deleted elsewhere
                continue
            await self.open_stored(stored)
            return
        new, drafts = (self.desk.keymap.display(name) for name in ("app.new", "app.drafts"))
        self.desk.status.say(f"no other message is open: {new} starts one, {drafts} opens a draft")

    async def action_duplicate(self) -> None:
        """Starts a copy before the next key is read."""
        await self.attempt_now(self._duplicate())

    async def _duplicate(self) -> None:
        await self._leave()
        draft = self.form.read()
        self._show_empty()
        self.form.show(draft)
        await self.save()
        self.open_drafts.go_to(self.keeper.draft_id)
        self.desk.status.say("this is a copy; the other one is kept as a draft")

    # fields

    async def on_input_blurred(self, event: Input.Blurred) -> None:
        """Reads a field as one leaves it, and says beside it what it says or what is wrong with it."""
        name = event.input.id or ""
        if name in ADDRESS_FIELDS:
            self.form.show_wrong(name, _wrong_addresses(event.value, name))
        elif name == "schedule":
            self.form.read_schedule_back(self.desk.now(), self.desk.zone)
        elif name == "path" and event.value:
            await self.form.attachments.take_pending()

    @work
    async def on_sender_field_list_asked(self, event: SenderField.ListAsked) -> None:
        """Offers every sender, and another account."""
        event.stop()
        from tui_mailer.tui.screens.choice import ChoiceScreen, Offer

        senders = senders_of(self.desk.configuration)
        offers = [Offer(key=str(at), text=one.address, remark=one.account) for at, one in enumerate(senders)]
        offers.append(Offer(key=ADD_ACCOUNT, text="Add an account …"))
        chosen = await self.shell.push_screen_wait(ChoiceScreen(self.desk.keymap, "From", offers))
        if chosen == ADD_ACCOUNT:
            self.shell.post_message(AccountFormAsked())
        elif chosen is not None:
            self.form.sender.choose(senders[int(chosen)])

    def action_next_field(self) -> None:
        """Moves on before the next key is read, so that type-ahead on a slow line lands where it was meant."""
        if self.focused is self.form.attachments.path:
            raise SkipAction  # the path completes itself, and knows first what has been typed into it
        self.focus_next()

    def action_enter_field(self) -> None:
        """Moves on from a one-row field; elsewhere Enter means what it means there."""
        if not self.form.is_passed_by_enter(self.focused):
            raise SkipAction
        self.focus_next()

    def action_previous_field(self) -> None:
        self.focus_previous()

    def action_more_fields(self) -> None:
        self.form.toggle_more_fields()

    def action_attach(self) -> None:
        self.form.focus_field("attachments")

    def action_later(self) -> None:
        """Opens the schedule dialog."""
        self.attempt(self._ask_when())

    async def _ask_when(self) -> None:
        from tui_mailer.tui.screens.schedule import ScheduleScreen

        who = await self.desk.ask(lambda mailer: mailer.who_sends())
        written = self.form.inputs["schedule"].value
        words = await self.shell.push_screen_wait(ScheduleScreen(self.desk, written, who=who))
        if words is not None:
            self.form.inputs["schedule"].value = words
            self.form.read_schedule_back(self.desk.now(), self.desk.zone)

    async def action_close(self) -> None:
        """Saves the draft and puts it away before the next key is read: it belongs into the empty form."""
        await self.attempt_now(self._close())

    async def _close(self) -> None:
        had_text = not self.form.read().is_empty()
        await self.save()
        self.empty()
        if had_text:
            self.desk.status.say(f"draft kept: {self.desk.keymap.display('app.drafts')} opens it")

    def action_editor(self) -> None:
        """Hands the body to the person's editor."""
        self.attempt(self._edit_body())

    async def _edit_body(self) -> None:
        from tui_mailer.tui.editor import edit_text

        await self.save()
        before = self.form.body.text
        after = await edit_text(self.shell, self.desk, before)
        if after != before:
            self.form.body.load_text(after)
            self.form.post_message(ComposeForm.Changed())
        self.form.focus_field("body")

    def action_send(self) -> None:
        """Opens the review sheet."""
        self.attempt(self._sending.review_and_send())

    def use_configuration(self) -> None:
        """Offers the senders of the desk's present configuration."""
        self.form.use_configuration(self.desk.configuration)

    def on_screen_suspend(self) -> None:
        """Another mode or a dialog covers compose: the draft is saved."""
        self.attempt(self.save())


def _wrong_addresses(text: str, field: str) -> str:
    """What is wrong with an address list, or nothing."""
    if not text.strip():
        return ""
    from tui_mailer.domain.address import parse_address_list

    try:
        parse_address_list(text, field=field)
    except MailerError as error:
        return str(error)
    return ""
