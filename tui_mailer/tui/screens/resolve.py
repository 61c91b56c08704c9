"""An uncertain outcome: what is known of it, and what a person can decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from rich.text import Text
from textual.widget import Widget
from textual.widgets import Static

from tui_mailer.domain.submission import Attempt
from tui_mailer.domain.text import clean
from tui_mailer.storage.record import Submission
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.screens.choice import CHOOSING, Offer, OfferList
from tui_mailer.tui.screens.dialog import Dialog
from tui_mailer.tui.widgets.row_list import RowList
from tui_mailer.tui.words import say_clock, say_recipients, say_subject

_OFFERS = (
    Offer(key="look", text="look at the transcript", remark="among the details; changes nothing"),
    Offer(key="sent", text="it arrived", remark="marks it as sent"),
    Offer(key="resend", text="send it again", remark="the same bytes; may arrive twice"),
    Offer(key="failed", text="it did not arrive, give it up", remark="marks it as failed"),
)


class ResolveScreen(Dialog[str | None]):
    """Returns ``look``, ``sent``, ``resend`` or ``failed``; None when one went back."""

    place = "resolve"
    BINDINGS = bindings("resolve")
    KEY_LABELS = CHOOSING

    def __init__(self, desk: Desk, submissions: Sequence[Submission], attempts: Sequence[Attempt]) -> None:
        first = submissions[0]
        many = f"Did these {len(submissions)} arrive?"
        super().__init__(desk.keymap, many if len(submissions) > 1 else f"Did it reach {say_recipients(first)}?")
        self._desk = desk
        self._submissions = submissions
        self._attempts = attempts

    def contents(self) -> Iterable[Widget]:
        first = self._submissions[0]
        lines = [f"{say_subject(first.message.subject)}:"] if len(self._submissions) > 1 else []
        lines.append(what_is_known(first, self._attempts, self._desk))
        if len(self._submissions) > 1:
            lines.append(f"The other {len(self._submissions) - 1} stand alike. What you choose is for all of them.")
        lines.append("Best look into the Sent folder there, or ask whom it was for, before it is sent again.")
        yield Static(Text(clean("\n".join(lines), keep_newlines=True)), markup=False)
        yield OfferList(_OFFERS)

    def key_places(self) -> tuple[str, ...]:
        """Those of the list, too."""
        return (self.place, "list")

    def on_row_list_opened(self, event: RowList.Opened) -> None:
        self.dismiss(event.key)


def what_is_known(submission: Submission, attempts: Sequence[Attempt], desk: Desk) -> str:
    """How far it got, when, and that nobody knows the rest."""
    known = submission.error or "The connection ended after the last byte, before the server's answer."
    if "may or may not" not in known:
        known = f"{known} It may or may not have been delivered."
    last = next((one for one in reversed(attempts) if one.intent_at is not None), None)
    if last is not None and last.intent_at is not None:
        known = f"{known} The last byte left at {say_clock(last.intent_at, desk.now())}."
        if last.ended_at is not None and last.ended_at - last.intent_at > timedelta(seconds=1):
            known = f"{known} The answer was waited for until {say_clock(last.ended_at, desk.now())}."
    return known
