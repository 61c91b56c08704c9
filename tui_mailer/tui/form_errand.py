"""What a key of compose sets off outside the form: the schedule dialog, the person's own editor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from tui_mailer.domain.message import Draft
from tui_mailer.tui.screens.room import Room
from tui_mailer.tui.widgets.compose_form import ComposeForm


async def ask_when(room: Room, form: ComposeForm) -> None:
    """Opens the schedule dialog and takes what was chosen there; must run in a worker."""
    from tui_mailer.tui.screens.schedule import ScheduleScreen

    account = form.read().account or None
    who = await room.desk.ask(lambda mailer: mailer.who_sends(account=account))
    written = form.inputs["schedule"].value
    words = await room.shell.push_screen_wait(ScheduleScreen(room.desk, written, who=who))
    if words is not None:
        form.inputs["schedule"].value = words
        form.read_schedule_back(room.desk.now(), room.desk.zone)


async def edit_body(
    room: Room, form: ComposeForm, save: Callable[[], Awaitable[None]], save_at_once: Callable[[Draft], None]
) -> None:
    """Hands the body to the person's editor; must run in a worker.

    ``save_at_once`` blocks: it is called when the app has to end before the editor does.
    """
    from tui_mailer.tui.editor import edit_text

    await save()
    before = form.body.text
    draft = form.read()
    after = await edit_text(room.shell, room.desk, before, keep=lambda body: save_at_once(replace(draft, body=body)))
    if after != before:
        form.body.load_text(after)
        form.post_message(ComposeForm.Changed())
    form.focus_field("body")
