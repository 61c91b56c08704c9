"""Proposes people written to before while an address is typed; a quiet remark, never in the way of Tab and Enter."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from textual.widget import Widget

from tui_mailer.domain.errors import MailerError
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.widgets.line_input import AddressInput

LEARN_EVERY_SECONDS = 5.0


class AddressProposals:
    """Asks the history off the event loop; an answer to what isn't typed any more is dropped."""

    def __init__(self, desk: Desk, others: Callable[[], str]) -> None:
        """``others`` tells every address the message has already, to propose none twice."""
        self._desk = desk
        self._others = others
        self._learnt_at = 0.0
        self._is_open = False

    async def begin(self, focused: Widget | None) -> None:
        """From now on the store is open; proposes for what was typed before that."""
        await self.learn()
        self._is_open = True
        if isinstance(focused, AddressInput):
            await self.look(focused)

    async def learn(self) -> None:
        """Reads what has ended since, a step at a time, so that saving a draft never waits for it."""
        try:
            while await self._desk.ask(lambda mailer: mailer.learn_contacts()):
                pass
        except MailerError:
            return  # a history that can't be read is told where it is looked at
        self._learnt_at = monotonic()

    async def look(self, field: AddressInput) -> None:
        """Proposes for the address being typed at the end of a field."""
        if not self._is_open:
            return
        typed = field.entry()
        if not typed.strip():
            field.propose("", [])
            return
        if monotonic() - self._learnt_at > LEARN_EVERY_SECONDS:
            await self.learn()
        try:
            found = await self._desk.ask(lambda mailer: mailer.complete_address(typed))
        except MailerError:
            return
        there = self._others().casefold()
        field.propose(typed, [one for one in found if _address_of(one) not in there])


def _address_of(text: str) -> str:
    return text.rpartition("<")[2].rstrip(">").casefold()
