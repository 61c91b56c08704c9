"""What the lists ask before they do more than one may have meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

from tui_mailer.domain.submission import State
from tui_mailer.storage.record import Submission
from tui_mailer.tui.screens.choice import ChoiceScreen, Offer
from tui_mailer.tui.screens.confirm import ConfirmScreen
from tui_mailer.tui.screens.mail_room import MailRoom
from tui_mailer.tui.sheet import Sheet
from tui_mailer.tui.words import say_recipients, say_subject, say_time

MOST_NAMED = 8


async def may_send_early(room: MailRoom, meant: Sequence[Submission]) -> bool:
    """Asks before mail goes out ahead of the time that was chosen for it."""
    now = room.desk.now()
    early = [one for one in meant if one.state is State.QUEUED and one.schedule_words and one.not_before > now]
    if not early:
        return True
    what = "it now, not at its time" if len(early) == 1 else f"these {len(early)} now, not at their time"
    return await _is_confirmed(room, f"Send {what}?", early)


async def may_cancel(room: MailRoom, meant: Sequence[Submission]) -> bool:
    """Asks before several are canceled: one is made anew by two keys, many aren't."""
    return len(meant) < 2 or await _is_confirmed(room, f"Cancel these {len(meant)} mails?", meant)


async def may_edit(room: MailRoom, submission_id: str) -> bool:
    """Asks before a draft is made of a message that it can't keep whole; raises `InvalidMessage` where none can be."""
    unkept = await room.desk.ask(lambda mailer: mailer.unkept(submission_id))
    if not unkept:
        return True
    sheet = Sheet()
    for phrase in unkept:
        sheet.line("Not kept", phrase)
    sheet.line("", "The history keeps it as it is.")
    title = "Edit it? Not everything in it can be kept"
    return bool(await room.shell.push_screen_wait(ConfirmScreen(room.desk.keymap, title, sheet)))


async def ask_about_series(room: MailRoom, count: int, *, remarks: tuple[str, str]) -> Literal["one", "series"] | None:
    """Asks whether all that follow a recurring one are meant too; ``remarks`` say what each choice does."""
    only, title = ("Only this one", "It repeats") if count == 1 else ("Only these", f"{count} of them repeat")
    offers = [
        Offer(key="one", text=only, remark=remarks[0]),
        Offer(key="series", text="All that follow, too", remark=remarks[1]),
    ]
    chosen = await room.shell.push_screen_wait(ChoiceScreen(room.desk.keymap, title, offers))
    return cast("Literal['one', 'series'] | None", chosen)


async def _is_confirmed(room: MailRoom, title: str, about: Sequence[Submission]) -> bool:
    sheet, now = Sheet(), room.desk.now()
    for one in about[:MOST_NAMED]:
        sheet.line(say_time(one.not_before, now), f"{say_recipients(one)}: {say_subject(one.message.subject)}")
    if len(about) > MOST_NAMED:
        sheet.line("", f"and {len(about) - MOST_NAMED} more")
    return bool(await room.shell.push_screen_wait(ConfirmScreen(room.desk.keymap, title, sheet)))
