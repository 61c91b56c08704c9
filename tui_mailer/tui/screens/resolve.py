"""An uncertain outcome: what is known of it, and what a person can decide."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rich.text import Text
from textual.widget import Widget
from textual.widgets import Static

from tui_mailer.domain.text import clean
from tui_mailer.storage.record import Submission
from tui_mailer.tui.action import Keymap
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.screens.choice import Offer, OfferList
from tui_mailer.tui.screens.dialog import Dialog
from tui_mailer.tui.widgets.row_list import RowList
from tui_mailer.tui.words import say_recipients, say_time

_OFFERS = (
    Offer(key="look", text="look at the transcript", remark="changes nothing"),
    Offer(key="sent", text="it arrived", remark="marks it as sent"),
    Offer(key="resend", text="send it again", remark="the same bytes; may arrive twice"),
    Offer(key="failed", text="it did not arrive, give it up", remark="marks it as failed; can be edited as new"),
)


class ResolveScreen(Dialog[str | None]):
    """Returns ``look``, ``sent``, ``resend`` or ``failed``; None when one went back."""

    place = "resolve"
    BINDINGS = bindings("resolve")

    def __init__(self, keymap: Keymap, submission: Submission, now: datetime) -> None:
        super().__init__(keymap, f"Did it reach {say_recipients(submission)}?")
        self._submission = submission
        self._now = now

    def contents(self) -> Iterable[Widget]:
        one = self._submission
        known = one.error or "The connection ended after the last byte, before the server's answer."
        yield Static(
            Text(
                clean(
                    f"{known} That was at {say_time(one.updated_at, self._now)}; it may or may not have been delivered."
                )
            ),
            markup=False,
        )
        yield OfferList(_OFFERS)

    def on_row_list_opened(self, event: RowList.Opened) -> None:
        self.dismiss(event.key)
