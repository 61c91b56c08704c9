"""Compose: the form, its keys, and the way from writing to the review sheet."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property, partial
from typing import TYPE_CHECKING

from textual import work
from textual.actions import SkipAction
from textual.widget import Widget
from textual.widgets import Input

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import MailerError
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.draft_keeper import DraftKeeper
from tui_mailer.tui.news import AccountFormAsked
from tui_mailer.tui.screens.room import Room
from tui_mailer.tui.widgets.compose_form import ADDRESS_FIELDS, ComposeForm
from tui_mailer.tui.widgets.paste import Pasted
from tui_mailer.tui.widgets.sender_field import SenderField, senders_of

if TYPE_CHECKING:
    from tui_mailer.tui.account_watch import AccountWatch
    from tui_mailer.tui.address_proposals import AddressProposals
    from tui_mailer.tui.attaching import Attaching
    from tui_mailer.tui.autosave import Autosave
    from tui_mailer.tui.draft_board import DraftBoard
    from tui_mailer.tui.screens.sending import Sending

ADD_ACCOUNT = "+"
"""Key of the offer that leads to the account form."""


# What the first frame needn't wait for is made, from modules that aren't loaded before, when it is first asked for.


def _make_board(screen: ComposeScreen) -> DraftBoard:
    from tui_mailer.tui.draft_board import DraftBoard

    return DraftBoard(screen.desk, screen.form, screen.keeper)


def _make_account_watch(screen: ComposeScreen) -> AccountWatch:
    from tui_mailer.tui.account_watch import AccountWatch

    return AccountWatch(screen, screen.form)


def _make_proposals(screen: ComposeScreen) -> AddressProposals:
    from tui_mailer.tui.address_proposals import AddressProposals

    inputs = screen.form.inputs
    return AddressProposals(screen.desk, lambda: " ".join(inputs[name].value for name in ADDRESS_FIELDS))


def _make_attaching(screen: ComposeScreen) -> Attaching:
    from tui_mailer.tui.attaching import Attaching

    return Attaching(screen, screen.form)


def _make_autosave(screen: ComposeScreen) -> Autosave:
    from tui_mailer.tui.autosave import Autosave

    async def save() -> None:
        screen.attempt(screen.account_watch.look())
        await screen.save()

    return Autosave(screen, save)


def _make_sending(screen: ComposeScreen) -> Sending:
    from tui_mailer.tui.screens.sending import Sending

    return Sending(screen, screen.form, screen.keeper, screen.board)


class ComposeScreen(Room):
    """The mode in which a message is written."""

    place = "compose"
    help_places = ("compose",)
    BINDINGS = bindings("compose")
    AUTO_FOCUS = "#to"

    board = cached_property(_make_board)
    account_watch = cached_property(_make_account_watch)
    proposals = cached_property(_make_proposals)
    _attaching = cached_property(_make_attaching)
    _autosave = cached_property(_make_autosave)
    _sending = cached_property(_make_sending)

    def __init__(self, desk: Desk, draft: Draft | None = None) -> None:
        super().__init__(desk)
        self.keeper = DraftKeeper(desk)
        self.form = ComposeForm(desk.configuration, draft or Draft())
        self.form.attachments.sealed_size = self._size_of_kept

    def furniture(self) -> Iterable[Widget]:
        yield self.form

    # keeping

    async def _size_of_kept(self, source: str) -> int:
        return await self._attaching.sealed_size(source)

    def on_compose_form_changed(self) -> None:
        self._autosave.put_off()

    async def save(self) -> None:
        """Saves the draft as it stands, all keys read; raises `StorageError`."""
        await self.board.save()

    def action_next_draft(self) -> None:
        """Goes to the next open message before the next key is read."""
        self.attempt_first(self.board.go_to_next())

    def action_duplicate(self) -> None:
        """Starts a copy before the next key is read."""
        self.attempt_first(self.board.duplicate())

    def action_close(self) -> None:
        """Saves the draft and puts it away before the next key is read: it belongs into the empty form."""
        self.attempt_first(self.board.put_away())

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
        self.attempt(self.account_watch.look())

    def on_compose_form_address_typed(self, event: ComposeForm.AddressTyped) -> None:
        """Only the last look counts: the ones before are about less text."""
        event.stop()
        self.run_worker(partial(self.proposals.look, event.field), group="proposals", exclusive=True)

    def on_sender_field_chosen(self) -> None:
        """Another account: the form says at once what that changes."""
        self.attempt(self.account_watch.look())

    def action_options(self) -> None:
        self.attempt(self.account_watch.set_options(), keys_wait=True)

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

    async def action_more_fields(self) -> None:
        """Before the next key is read: it belongs into Bcc."""
        await self.form.complete()
        self.form.toggle_more_fields()

    async def action_attach(self) -> None:
        """Before the next key is read: it belongs into the path."""
        await self._attaching.attach()

    def action_browse(self) -> None:
        self.attempt(self._attaching.browse(), keys_wait=True)

    def on_pasted(self, event: Pasted) -> None:
        event.stop()
        self.attempt(self._attaching.consider(event))

    def action_later(self) -> None:
        """Opens the schedule dialog."""
        from tui_mailer.tui.form_errand import ask_when

        self.attempt(ask_when(self, self.form), keys_wait=True)

    def action_editor(self) -> None:
        """Hands the body to the person's editor."""
        from tui_mailer.tui.form_errand import edit_body

        self.attempt(edit_body(self, self.form, self.keeper, self.save))

    def action_send(self) -> None:
        """Opens the review sheet."""
        self.attempt(self._sending.review_and_send(), keys_wait=True)

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
