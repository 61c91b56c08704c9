"""Deleting from the history for good: asked once, in a sentence, done off the event loop, told as it goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from tui_mailer.storage.history_reading import MOST_COUNTED
from tui_mailer.storage.record import Submission
from tui_mailer.tui.screens.confirm import ConfirmScreen
from tui_mailer.tui.screens.mail_room import MailRoom
from tui_mailer.tui.sheet import Sheet
from tui_mailer.tui.words import say_day, say_recipients, say_subject

MOST_NAMED = 8


class Forgetting:
    """One question and what follows from it."""

    def __init__(self, room: MailRoom) -> None:
        self._room = room
        self._desk = room.desk

    async def delete(self, read_anew: Callable[[], Awaitable[None]]) -> None:
        """Asks, deletes what is chosen and says so; must run in a worker."""
        chosen = await self._room.chosen()
        if not chosen or not await self._may_delete(chosen):
            return
        for one in chosen:
            await self._desk.ask(lambda mailer, key=one.id: mailer.delete(key))
        self._room.unmark(one.id for one in chosen)
        await read_anew()
        self._desk.status.say(f"{len(chosen)} deleted from the history for good")

    async def _may_delete(self, chosen: Sequence[Submission]) -> bool:
        sheet = Sheet()
        for one in chosen[:MOST_NAMED]:
            when = say_day(one.sent_at or one.updated_at, self._desk.now())
            sheet.line(when, f"{say_recipients(one)}: {say_subject(one.message.subject)}")
        if len(chosen) > MOST_NAMED:
            sheet.line("", f"and {len(chosen) - MOST_NAMED} more")
        sheet.text(
            "\nText, recipients, results and files kept only for this are gone for good. "
            "What was delivered stays delivered."
        )
        what = "this message" if len(chosen) == 1 else f"these {len(chosen)} messages"
        return await self._is_confirmed(f"Delete {what} from the history for good?", sheet)

    async def _is_confirmed(self, title: str, sheet: Sheet) -> bool:
        return bool(await self._room.shell.push_screen_wait(ConfirmScreen(self._desk.keymap, title, sheet)))

    async def purge(self, read_anew: Callable[[], Awaitable[None]]) -> None:
        """Asks before when, says how much that is, asks, deletes in pieces; must run in a worker."""
        from tui_mailer.tui.screens.purge import PurgeScreen

        wish = await self._room.shell.push_screen_wait(PurgeScreen(self._desk))
        if wish is None:
            return
        count = f"{wish.count:,}" if wish.count < MOST_COUNTED else f"more than {MOST_COUNTED:,}"
        sheet = Sheet()
        sheet.text(
            f"{count} ended before {wish.before:%Y-%m-%d %H:%M}. Texts, recipients, results and files kept only for "
            "them are gone for good."
        )
        title = f"Delete {count} from the history for good?"
        if not await self._is_confirmed(title, sheet):
            return
        deleted = 0
        while piece := await self._desk.ask(lambda mailer: mailer.purge_some(wish.before)):
            deleted += piece
            self._desk.status.say(f"{deleted:,} deleted from the history ...")
        await read_anew()
        self._desk.status.say(f"{deleted:,} deleted from the history for good")
