"""Sending again to those who were refused: looked at first, then with the undo window of any other mail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from tui_mailer.domain.errors import InvalidMessage, TooLate
from tui_mailer.domain.submission import Recipient, State
from tui_mailer.services.mailer import Mailer
from tui_mailer.services.resending import Resent, find_resent
from tui_mailer.services.writing import RESENT_STATUSES
from tui_mailer.storage.record import Submission
from tui_mailer.tui.screens.confirm import ConfirmScreen
from tui_mailer.tui.screens.mail_room import MailRoom
from tui_mailer.tui.sheet import Sheet
from tui_mailer.tui.size_words import say_size
from tui_mailer.tui.words import KIND_WORD, STATE_WORD, say_clock, say_recipients, say_subject

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
        known = await self._desk.ask(lambda mailer: {one.id: find_resent(mailer.store, one.id) for one in serving})
        repeated = [one for one in serving if known[one.id].last_id]
        title = "Send again, to those who were refused: nothing has been sent yet"
        if repeated:
            title = "Send once more? It was sent to them again already: it may arrive twice"
        if not await self._room.shell.push_screen_wait(
            ConfirmScreen(self._desk.keymap, title, self._sheet(serving, wanted, known))
        ):
            return
        undo_seconds = self._desk.configuration.compose.undo_seconds
        queued: list[Submission] = []
        refused = ""
        for one in serving:
            try:
                queued.append(await self._desk.ask(partial(_resend, one, known[one.id].last_id, undo_seconds)))
            except TooLate as error:
                refused = error.why
        self._desk.nudge()
        self._room.unmark(one.id for one in serving)
        if refused:
            those = (
                "nothing was sent" if not queued else f"{len(queued)} queued again, {len(serving) - len(queued)} not"
            )
            self._desk.status.complain(f"{those}: {refused}")
            return
        said = f"queued again for {say_recipients(queued[-1])}"
        if len(queued) > 1:
            outbox = self._desk.keymap.display("app.outbox")
            self._desk.status.say(f"{len(queued)} queued again; each can still be taken back in the outbox ({outbox})")
        elif queued[0].not_before > datetime.now(UTC):
            self._desk.status.say("")
            self._desk.status.offer_undo(said, queued[0].not_before, (queued[0].id,))
        else:
            self._desk.status.say(said)

    def _sheet(
        self, serving: Sequence[Submission], wanted: dict[str, list[Recipient]], known: dict[str, Resent]
    ) -> Sheet:
        sheet, now = Sheet(), self._desk.now()
        left = MOST_NAMED
        for one in serving:
            sheet.line("Subject", say_subject(one.message.subject))
            for recipient in wanted[one.id][: max(1, left)]:
                said = f"  {recipient.status}: {recipient.detail}" if recipient.detail else ""
                sheet.line(KIND_WORD[recipient.kind], f"{recipient.address}{said}")
            left -= len(wanted[one.id])
            if known[one.id].last_id:
                sheet.line("Sent again", _say_resent(known[one.id].last, now), label_style="bold")
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


def _resend(one: Submission, known: str | None, undo_seconds: int, mailer: Mailer) -> Submission:
    return mailer.resend(one.id, only_refused=True, after=known, undo_seconds=undo_seconds)


def _say_resent(one: Submission | None, now: datetime) -> str:
    if one is None:
        return "already, and deleted from the history since"
    return f"already at {say_clock(one.created_at, now)}: {STATE_WORD[one.state]}"


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
