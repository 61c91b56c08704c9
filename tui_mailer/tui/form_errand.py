"""What a key of compose sets off outside the form: the schedule dialog, the person's own editor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tui_mailer.tui.draft_keeper import DraftKeeper
from tui_mailer.tui.screens.room import Room
from tui_mailer.tui.widgets.body_area import BodyArea
from tui_mailer.tui.widgets.compose_form import ComposeForm
from tui_mailer.tui.widgets.line_input import LineInput


async def ask_when(room: Room, form: ComposeForm) -> None:
    """Opens the schedule dialog and takes what was chosen there; must run in a worker."""
    from tui_mailer.tui.screens.schedule import ScheduleScreen

    account = form.read().account or None
    who = await room.desk.ask(lambda mailer: mailer.who_sends(account=account))
    written = form.inputs["schedule"].value
    words = await room.shell.push_screen_wait(ScheduleScreen(room.desk, written, who=who))
    if words is not None:
        # Not as if it were typed: what is being typed isn't read back yet.
        with form.prevent(LineInput.Changed):
            form.inputs["schedule"].value = words
        form.read_schedule_back(room.desk.now(), room.desk.zone)
        form.post_message(form.Changed())


async def edit_body(room: Room, form: ComposeForm, keeper: DraftKeeper, save: Callable[[], Awaitable[None]]) -> None:
    """Hands the body to the person's editor; must run in a worker. What comes back goes where it came from."""
    from tui_mailer.tui.editor import edit_text

    room.desk.status.say("")  # what went wrong the last time isn't about this time
    await save()
    one, draft = keeper.writing, form.read()
    typed_ahead, holds = room.desk.typed_ahead, list[object]()
    key = room.desk.keymap.display("app.drafts")
    try:
        after = await edit_text(
            room.shell,
            room.desk,
            draft.body,
            keep=lambda body: keeper.save_at_once(draft.with_body(body), one),
            on_back=lambda: holds.append(typed_ahead.hold()),
        )
        if after != draft.body and one is not keeper.writing:
            await keeper.save(draft.with_body(after), of=one)
            room.desk.status.say(f"the text is in the draft it belongs to: {key} opens it", seconds=60)
            return
        if after != draft.body:
            if form.body.text != draft.body:
                typed = form.read()
                await room.desk.ask(lambda mailer: mailer.save_draft(typed))
                room.desk.status.say(f"what was typed here meanwhile is kept as a draft: {key} opens it", seconds=60)
            if not after.strip() and draft.body.strip():
                back = room.desk.keymap.display("text.undo")
                room.desk.status.say(f"the editor left no text: {back} in the body brings yours back", seconds=60)
            _put(form.body, after)
        form.focus_field("body")
    finally:
        # What was typed since the editor ended belongs behind its text, which would replace it.
        typed_ahead.let_go(*holds)


def leave_out_html(form: ComposeForm) -> None:
    """Drops the HTML version; of a message that had no other text, what the HTML says stays as that."""
    draft = form.read()
    if draft.html is None:
        return
    if not draft.body:
        from tui_mailer.domain.body import text_from_html

        form.body.load_text(text_from_html(draft.html))
    form.keep_unshown(draft._replace(html=None, html_text=None))


def _put(body: BodyArea, text: str) -> None:
    """Puts a text in place of the one there, which undo brings back; the caret stays in its line, or at the end."""
    at, was_at_end = body.cursor_location, body.cursor_location == body.document.end
    body.replace(text, (0, 0), body.document.end)
    line = min(at[0], body.document.line_count - 1)
    column = min(at[1], len(body.document.get_line(line)))
    body.move_cursor(body.document.end if was_at_end else (line, column))
