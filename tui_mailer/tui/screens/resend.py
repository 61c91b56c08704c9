"""Sending again to those who were refused: looked at first, then with the undo window of any other mail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from tui_mailer.domain.errors import InvalidMessage
from tui_mailer.domain.submission import Recipient, State
from tui_mailer.services.writing import RESENT_STATUSES
from tui_mailer.storage.record import Submission
from tui_mailer.tui.screens.confirm import ConfirmScreen
from tui_mailer.tui.screens.mail_room import MailRoom
from tui_mailer.tui.sheet import Sheet
from tui_mailer.tui.size_words import say_size
from tui_mailer.tui.words import KIND_WORD, say_recipients, say_subject

MOST_NAMED = 12


class Resending:
    """One question, and the mail that follows from it."""

    def __init__(self, room: MailRoom) -> None:
        self._room = room
        self._desk = room.desk
        self._chosen: Sequence[Submission] = ()

    async def ask_and_send(self) -> None:
        """Shows who would get what, and queues it; must run in a worker. Raises `InvalidMessage` for nobody."""
        self._chosen = await self._room.chosen()
        if not self._chosen:
            return
        wanted = {one.id: _refused(one) for one in self._chosen}
        serving = [one for one in self._chosen if wanted[one.id]]
        if not serving:
            raise InvalidMessage(_why_nobody(self._chosen))
        title = "Send again, to those who were refused: nothing has been sent yet"
        if not await self._room.shell.push_screen_wait(
            ConfirmScreen(self._desk.keymap, title, self._sheet(serving, wanted))
        ):
            return
        undo_seconds = self._desk.configuration.compose.undo_seconds
        queued = [
            await self._desk.ask(
                lambda mailer, key=one.id: mailer.resend(key, only_refused=True, undo_seconds=undo_seconds)
            )
            for one in serving
        ]
        self._desk.nudge()
        self._room.unmark(one.id for one in serving)
        said = f"queued again for {say_recipients(queued[-1])}"
        if len(queued) > 1:
            outbox = self._desk.keymap.display("app.outbox")
            self._desk.status.say(f"{len(queued)} queued again; each can still be taken back in the outbox ({outbox})")
        elif queued[0].not_before > datetime.now(UTC):
            self._desk.status.say("")
            self._desk.status.offer_undo(said, queued[0].not_before, (queued[0].id,))
        else:
            self._desk.status.say(said)

    def _sheet(self, serving: Sequence[Submission], wanted: dict[str, list[Recipient]]) -> Sheet:
        sheet = Sheet()
        left = MOST_NAMED
        for one in serving:
            sheet.line("Subject", say_subject(one.message.subject))
            for recipient in wanted[one.id][: max(1, left)]:
                said = f"  {recipient.status}: {recipient.detail}" if recipient.detail else ""
                sheet.line(KIND_WORD[recipient.kind], f"{recipient.address}{said}")
            left -= len(wanted[one.id])
            sheet.line("From", f"{one.message.sender}  (account {one.account}), {say_size(one.size)}")
            others = len(one.recipients) - len(wanted[one.id])
            if others:
                sheet.line("", f"not to the {others} other{_s(others)}")
        total = sum(len(wanted[one.id]) for one in serving)
        skipped = len(self._chosen) - len(serving)
        sheet.line("In all", f"{len(serving)} message{_s(len(serving))} to {total} recipient{_s(total)}")
        if skipped:
            sheet.line("Left out", f"{skipped} of which nobody was refused")
        seconds = self._desk.configuration.compose.undo_seconds
        key = self._desk.keymap.display("app.undo")
        sheet.line("When", f"now, after {seconds} s in which {key} takes it back" if seconds else "now")
        return sheet


def _refused(one: Submission) -> list[Recipient]:
    if one.state is State.CANCELED:
        return []  # its recipients count as rejected, but by the person
    return [recipient for recipient in one.recipients if recipient.status in RESENT_STATUSES]


def _why_nobody(chosen: Sequence[Submission]) -> str:
    if all(one.state is State.CANCELED for one in chosen):
        return "It was canceled, not refused: nothing was sent again. e makes a new message of it."
    return "Nobody was refused, so there is nobody to serve again; e makes a new message of it, for whomever you like."


def _s(count: int) -> str:
    return "" if count == 1 else "s"
