"""Shows beside the fields what the chosen account makes of the message: what it can't carry, and what is left of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_mailer.tui.screens.room import Room
from tui_mailer.tui.size_budget import SizeBudget
from tui_mailer.tui.widgets.compose_form import ComposeForm

if TYPE_CHECKING:
    from tui_mailer.domain.draft import Draft
    from tui_mailer.providers.base import Capabilities
    from tui_mailer.services.form_check import FormCheck
    from tui_mailer.services.mailer import Mailer

_OWN_ROWS = ("to", "cc", "bcc", "reply_to", "subject")
_NAMES = {"cc": "Cc", "bcc": "Bcc", "reply_to": "Reply-To"}


class AccountWatch:
    """Asks after each pause, when a field is left, and at once when another account is chosen."""

    def __init__(self, room: Room, form: ComposeForm) -> None:
        self._room = room
        self._form = form
        self._complained: set[str] = set()
        self._is_open = False

    async def begin(self) -> None:
        """From now on the store is open and models may be loaded: the first frame is out."""
        self._is_open = True
        await self.look()

    async def look(self) -> None:
        """Judges the form as it stands and shows it; an answer that comes too late is dropped."""
        if not self._is_open:
            return
        draft, sizes = self._form.read(), self._form.attachments.sizes
        check = await self._room.desk.ask(lambda mailer: mailer.check_form(draft, sizes))
        if draft == self._form.read():
            self._show(check)

    async def set_options(self) -> None:
        """Opens the form of the message's options; must run in a worker."""
        from tui_mailer.tui.screens.options import OptionSheet, OptionsScreen

        draft = self._form.read()

        def sheet_of(mailer: Mailer) -> OptionSheet:
            account = mailer.account_for(draft)
            return OptionSheet(
                account=account,
                capabilities=mailer.capabilities(account.name),
                fields=mailer.option_fields(account.name),
            )

        sheet = await self._room.desk.ask(sheet_of)
        while draft != self._form.read():  # written on meanwhile, or another message
            draft = self._form.read()
            sheet = await self._room.desk.ask(sheet_of)
        changed: Draft | None = await self._room.shell.push_screen_wait(OptionsScreen(self._room.desk, draft, sheet))
        if changed is not None:
            self._form.keep_unshown(changed)
            await self.look()

    def _show(self, check: FormCheck) -> None:
        form, can = self._form, check.capabilities
        others = [text for field, text in check.complaints.items() if field not in (*_OWN_ROWS, "attachments", "at")]
        form.sender_row.show_wrong(others[0] if others else "")
        key = self._room.desk.keymap.display("compose.options")
        form.sender_row.show_remark(f"{key} options" if check.has_options else "")
        if can is None:
            return
        for name in _OWN_ROWS:
            self._show_row(name, check, can)
        self._show_time(check)
        form.attachments.limit(_budget(check.account, can, check.announced_size))
        if "attachments" in check.complaints:
            form.show_wrong("attachments", check.complaints["attachments"])

    def _show_time(self, check: FormCheck) -> None:
        """Beside When: who keeps it until then, and until when the provider would."""
        desk, field, complaint = self._room.desk, self._form.fields["schedule"], check.complaints.get("at", "")
        if not self._form.inputs["schedule"].has_focus:
            self._form.read_schedule_back(desk.now(), desk.zone)  # also of a draft that was opened with it
        field.show_note("" if complaint else check.keeper)
        self._show_complaint("schedule", complaint)

    def _show_row(self, name: str, check: FormCheck, can: Capabilities) -> None:
        field, control = self._form.fields[name], self._form.inputs[name]
        complaint = check.complaints.get(name, "")
        is_closed = name in _NAMES and not getattr(can, name)
        field.show_closed(is_closed)
        if control.has_focus:
            return  # what is being typed is not wrong yet
        self._show_complaint(name, complaint)
        most = {"to": can.max_to or can.max_recipients, "cc": can.max_cc, "bcc": can.max_bcc}.get(name)
        count = sum(check.counts[one] for one in ("to", "cc", "bcc")) if name == "to" and can.max_to is None else None
        if is_closed:
            field.show_remark(f"{check.account} has no {_NAMES[name]}")
        elif most is not None and check.counts.get(name):
            field.show_remark(f"{count or check.counts[name]} of {most}")
        else:
            field.show_remark("")

    def _show_complaint(self, name: str, complaint: str) -> None:
        """Says it under its field, unless something worse stands there, and takes it away again."""
        field = self._form.fields[name]
        if complaint and (not field.is_wrong or name in self._complained):
            self._complained.add(name)
            field.show_wrong(complaint)
        elif name in self._complained:
            self._complained.discard(name)
            field.show_wrong("")


def _budget(account: str, can: Capabilities, announced: int | None) -> SizeBudget:
    takes = {"url": f"{account} takes links, not files", "none": f"{account} takes no attachments"}
    return SizeBudget(
        account=account,
        max_size=min((size for size in (can.max_size, announced) if size is not None), default=None),
        max_files_size=can.max_attachments_size,
        max_count=can.max_attachments,
        remark=takes.get(can.attachments, ""),
    )
