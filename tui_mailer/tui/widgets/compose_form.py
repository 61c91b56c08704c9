"""The form of the compose screen: shows a draft, reads it back whole, and says beside a field what is wrong with it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from tui_mailer.accounts.configuration import Configuration
from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import InvalidMessage
from tui_mailer.tui.widgets.attachment_field import AttachmentField
from tui_mailer.tui.widgets.body_area import BodyArea
from tui_mailer.tui.widgets.field import Field
from tui_mailer.tui.widgets.line_input import AddressInput, LineInput
from tui_mailer.tui.widgets.sender_field import SenderField, senders_of

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from tui_mailer.tui.open_drafts import Place
    from tui_mailer.tui.widgets.unshown_row import UnshownRow

ADDRESS_FIELDS = ("to", "cc", "bcc", "reply_to")
HIDABLE_FIELDS = ("bcc", "reply_to")
"""What F6 shows and hides; a field with something in it is never hidden."""
UNSHOWN_FIELDS = ("headers", "in_reply_to", "references", "template", "tags", "metadata", "variables", "options")
"""Parts of a draft without a field in the form, beside the HTML: a row of their own names them while there are any."""
MOST_SECONDS_FOR_KEYS = 1.0


class ComposeForm(Widget, inherit_css=False):
    """Every field of a draft that a person writes; what it doesn't show, it keeps."""

    DEFAULT_CSS = """
    ComposeForm { width: 1fr; height: 1fr; layout: vertical; overflow: hidden; }
    ComposeForm > BodyArea { border-top: solid $panel-lighten-2; }
    ComposeForm:light > BodyArea { border-top: solid $panel-darken-2; }
    ComposeForm:ansi > BodyArea { border-top: solid ansi_bright_black; }
    ComposeForm .-hidden { display: none; }
    """

    class Changed(Message):
        """Any field differs from before."""

    class AddressTyped(Message):
        """An address list differs from before."""

        def __init__(self, field: AddressInput) -> None:
            super().__init__()
            self.field = field

    def __init__(self, configuration: Configuration, draft: Draft) -> None:
        super().__init__()
        self._configuration = configuration
        self._base = draft
        self._initial = draft
        self._body_given = self._body_loaded = ""
        """The draft's body, and how it stands in its field, which knows one kind of line end."""
        self._shown = set(configuration.compose.fields) | {"to", "cc"}
        self.inputs: dict[str, LineInput] = {
            "to": AddressInput(id="to"),
            "cc": AddressInput(id="cc"),
            "bcc": AddressInput(id="bcc"),
            "reply_to": AddressInput(id="reply_to"),
            "subject": LineInput(id="subject"),
            "schedule": LineInput(id="schedule", placeholder="now, or: tomorrow 9am, in 2h, mon 17:00"),
        }
        labels = {"reply_to": "Reply-To", "schedule": "When"}
        self.fields = {
            name: Field(
                labels.get(name, name.capitalize()),
                control,
                id=f"{name}-field",
                classes="" if _is_shown(name, getattr(draft, name), self._shown) else "-hidden",
            )
            for name, control in self.inputs.items()
        }
        self.sender = SenderField(id="sender")
        self.sender_row = Field("From", self.sender, id="sender-field")
        self.unshown: UnshownRow | None = None
        self.body = BodyArea(id="body")
        self.attachments = AttachmentField(id="attachments")

    def compose(self) -> ComposeResult:
        yield self.sender_row
        for name in (*ADDRESS_FIELDS, "subject"):
            if not self.fields[name].has_class("-hidden"):
                yield self.fields[name]
        yield self.body
        yield self.attachments
        yield self.fields["schedule"]

    def on_mount(self) -> None:
        self.show(self._initial)

    async def complete(self) -> None:
        """Brings in the fields that weren't shown at the start, which the first frame needn't wait for."""
        for name, above in zip((*ADDRESS_FIELDS, "subject"), (None, *ADDRESS_FIELDS), strict=True):
            # Not when the app is being left meanwhile: nothing can be mounted in what goes.
            if self.is_attached and not self.fields[name].is_attached:
                await self.mount(self.fields[name], after=self.fields[above] if above else self.sender_row)

    def show(self, draft: Draft) -> None:
        """Puts a draft into the fields."""
        self._base = draft
        with self.prevent(Input.Changed, BodyArea.Changed):
            for name, control in self.inputs.items():
                control.value = getattr(draft, name)
                control.cursor_position = len(control.value)
            self.body.load_text(draft.body)
        self._body_given, self._body_loaded = draft.body, self.body.text
        _name_unshown(self, draft)
        self.attachments.show(draft.attachments, draft.typed_attachment)
        self.sender.show(senders_of(self._configuration), account=draft.account, address=draft.sender)
        self._shown = set(self._configuration.compose.fields) | {"to", "cc"}
        self._hide_unused()
        for field in self.fields.values():
            field.show_wrong("")
            field.show_remark("")
            field.show_note("")
            field.count_anew()

    def read(self) -> Draft:
        """The draft as it stands in the fields, everything not shown as it was."""
        typed = {name: control.value for name, control in self.inputs.items()}
        body = self._body_given if self.body.text == self._body_loaded else self.body.text
        return (
            self._base._replace(body=self._body_given)
            .with_body(body)
            ._replace(
                attachments=self.attachments.attachments,
                typed_attachment=self.attachments.path.value,
                **typed,
            )
        )

    def keep_unshown(self, draft: Draft) -> None:
        """Takes over what the form doesn't show: options, tags and the like."""
        self._base = draft
        _name_unshown(self, draft)
        self.post_message(self.Changed())

    def use_configuration(self, configuration: Configuration) -> None:
        """Offers the senders of another configuration."""
        self._configuration = configuration
        self.sender.show(senders_of(configuration), account=self._base.account, address=self._base.sender)

    def toggle_more_fields(self) -> None:
        """Shows Bcc and Reply-To, the cursor in Bcc, or hides those that are empty."""
        if set(HIDABLE_FIELDS) <= self._shown:
            self._shown -= set(HIDABLE_FIELDS)
            self._hide_unused()
        else:
            self._shown |= set(HIDABLE_FIELDS)
            self._hide_unused()
            self.focus_field("bcc")

    def _hide_unused(self) -> None:
        for name in (*HIDABLE_FIELDS, "cc"):
            self.fields[name].set_class(not _is_shown(name, self.inputs[name].value, self._shown), "-hidden")
        if self.screen.focused is not None and not self.screen.focused.display:
            self.screen.set_focus(self.inputs["to"])

    def show_wrong(self, field: str | None, text: str) -> bool:
        """Says what is wrong under the field it belongs to; False where there is no such field."""
        if field == "attachments":
            self.attachments.field.show_wrong(text)
            return True
        name = {"at": "schedule", "when": "schedule"}.get(field or "", field or "")
        if name not in self.fields:
            return False
        if text:
            self.fields[name].remove_class("-hidden")
        self.fields[name].show_wrong(text)
        return True

    def read_schedule_back(self, now: datetime, zone: ZoneInfo | None) -> None:
        """Says beside the schedule what its words mean, or under it why they mean nothing."""
        words, field = self.inputs["schedule"].value, self.fields["schedule"]
        if not words.strip() or zone is None:
            field.show_wrong("")
            field.show_remark("")
            return
        from tui_mailer.domain.schedule import describe
        from tui_mailer.services.repeat import read_when

        try:
            field.show_remark(describe(read_when(words, now=now, zone=zone), now=now))
        except InvalidMessage as error:
            field.show_wrong(str(error))

    def focus_field(self, field: str) -> None:
        """Puts the cursor into a field by its name."""
        name = {"at": "schedule", "when": "schedule"}.get(field, field)
        if name == "attachments":
            control: Widget = self.attachments.path
        elif name == "body":
            control = self.body
        else:
            control = self.inputs.get(name, self.inputs["to"])
        # Not `focus()`, which comes later than the next key.
        self.screen.set_focus(control)

    def place(self) -> Place:
        """Where the cursor is."""
        from tui_mailer.tui.open_drafts import Place

        focused = self.screen.focused
        if focused is self.body:
            return Place("body", self.body.cursor_location)
        if focused is self.attachments.path:
            return Place("attachments", self.body.cursor_location)
        field = next((name for name, control in self.inputs.items() if control is focused), "to")
        return Place(field, self.body.cursor_location)

    def is_passed_by_enter(self, control: Widget | None) -> bool:
        """Whether Enter in this control moves on, as Tab does."""
        return any(control is self.inputs[name] for name in (*ADDRESS_FIELDS, "subject"))

    async def read_all_keys(self) -> None:
        """Waits until the focused control has taken every key that was typed into it."""
        focused = self.screen.focused
        taken = asyncio.Event()
        if focused is not None and focused.call_later(taken.set):
            # A control that goes away meanwhile never answers.
            with suppress(TimeoutError):
                await asyncio.wait_for(taken.wait(), MOST_SECONDS_FOR_KEYS)

    def on_input_changed(self, event: Input.Changed) -> None:
        """What is being typed is not wrong yet."""
        event.stop()
        name = event.input.id or ""
        if name in self.fields:
            self.fields[name].show_wrong("")
            self.fields[name].show_note("")
            if name not in ADDRESS_FIELDS:  # there the next proposal replaces the last
                self.fields[name].show_remark("")
        if isinstance(event.input, AddressInput):
            self.post_message(self.AddressTyped(event.input))
        self.post_message(self.Changed())

    @on(BodyArea.Changed)
    @on(AttachmentField.Changed)
    def pass_on_change(self, event: Message) -> None:
        """Body and attachments differ from before, and so does the form."""
        event.stop()
        self.post_message(self.Changed())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the schedule reads it back."""
        event.stop()
        event.input.post_message(Input.Blurred(event.input, event.value))

    def on_sender_field_chosen(self, event: SenderField.Chosen) -> None:
        self._base = self._base._replace(account=event.sender.account, sender=event.sender.address)
        self.post_message(self.Changed())


def _name_unshown(form: ComposeForm, draft: Draft) -> None:
    """Names what the form has no field for; the row isn't made for the many drafts that have nothing of the kind."""
    if form.unshown is None:
        if draft.html is None and not any(getattr(draft, name) for name in UNSHOWN_FIELDS):
            return
        from tui_mailer.tui.widgets.unshown_row import UnshownRow

        form.unshown = UnshownRow()
        form.mount(form.unshown, before=form.body)
    form.unshown.show(draft)


def _is_shown(name: str, text: str, wanted: set[str]) -> bool:
    return bool(text) or name in wanted or name not in (*HIDABLE_FIELDS, "cc")
