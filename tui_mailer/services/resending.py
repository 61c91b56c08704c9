"""Sending again to those who were refused: once, unless whoever asks knows of it and means another time."""

from __future__ import annotations

from typing import NamedTuple

from tui_mailer.domain.errors import NotFound, TooLate
from tui_mailer.domain.submission import State
from tui_mailer.storage.record import Submission
from tui_mailer.storage.store import Store

_CAME_TO_NOTHING = frozenset({State.CANCELED, State.FAILED})


class Resent(NamedTuple):
    """What has been made of a submission for those who were refused."""

    key: str
    """Of the next one: two that are made at once have the same, so that only one is."""
    last_id: str | None = None
    """The last one that stands: not one that was canceled or refused to everybody; None: there is none."""
    last: Submission | None = None
    """The same; None also where it was deleted from the history."""


def find_resent(store: Store, original_id: str) -> Resent:
    """Looks up what was sent again of a submission to those who were refused."""
    number, last_id, last = 1, None, None
    while (found := store.outbox.find_key(_key(original_id, number))) is not None:
        number += 1
        try:
            one = store.find(found)
        except NotFound:
            last_id, last = found, None
            continue
        if one.state not in _CAME_TO_NOTHING:
            last_id, last = found, one
    return Resent(_key(original_id, number), last_id, last)


def refuse_another(original: Submission, resent_id: str) -> TooLate:
    """Says that it is done already, for whoever didn't know."""
    why = f"those who were refused have been sent it again already, as {resent_id}"
    return TooLate(f"Nothing was sent: {why}.", state=original.state, why=why)


def _key(original_id: str, number: int) -> str:
    return f"again to the refused of {original_id}, {number}"
