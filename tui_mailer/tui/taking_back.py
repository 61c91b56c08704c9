"""Takes back what was offered, message by message, and says in a sentence what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tui_mailer.domain.errors import MailerError, TooLate
from tui_mailer.domain.submission import State
from tui_mailer.storage.record import StoredDraft
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.status import CANCELED_ELSEWHERE


@dataclass
class TakenBack:
    """What became of each."""

    asked: int
    draft: StoredDraft | None = None
    """The last that became a draft."""
    states: list[State] = field(default_factory=list[State])
    """Of those that were taken back."""
    is_elsewhere: bool = False
    """Another process was first with one."""
    refused: str = ""

    def say(self, desk: Desk, *, is_open: bool) -> None:
        """Tells it in the status line; ``is_open``: the draft is in the form."""
        history = desk.keymap.display("app.history")
        where = f"; {desk.keymap.display('app.drafts')} opens it" if self.draft is not None and not is_open else ""
        if self.refused:
            desk.status.complain(f"{len(self.states)} of {self.asked} taken back{where}: {self.refused}")
        elif self.is_elsewhere and not self.states:
            desk.status.say(CANCELED_ELSEWHERE)
        elif set(self.states) != {State.CANCELED}:
            desk.status.say(f"taken back: but some have it already: see History ({history}){where}")
        elif self.draft is None:
            desk.status.say(f"taken back: nothing was sent; History ({history}) has it as it was")
        elif self.asked > 1:
            desk.status.say(f"{len(self.states)} taken back, each a draft of its own; nothing was sent{where}")
        else:
            desk.status.say(f"taken back: nothing was sent{where}")


async def take_back(desk: Desk, ids: Sequence[str]) -> TakenBack:
    """Makes drafts of them, or cancels what no draft can hold."""
    taken = TakenBack(asked=len(ids))
    for key in ids:
        try:
            taken.draft = await desk.ask(lambda mailer, key=key: mailer.undo(key)) or taken.draft
            taken.states.append((await desk.ask(lambda mailer, key=key: mailer.show(key))).state)
        except TooLate as error:
            if error.state == State.CANCELED:
                taken.is_elsewhere = True
            else:
                taken.refused = error.why
        except MailerError as error:
            taken.refused = str(error)
    return taken
