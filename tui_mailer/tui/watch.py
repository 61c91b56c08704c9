"""Turns what the engine tells into what a person is told: counts, held accounts, mail that has just left or failed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from tui_mailer.domain.submission import Phase, RecipientStatus, State
from tui_mailer.services.event import (
    AccountChanged,
    BytesProgressed,
    EngineFailed,
    EngineStarted,
    EngineTroubled,
    Event,
    PhaseReached,
    RoomChanged,
    SubmissionChanged,
)
from tui_mailer.storage.record import AccountHold, Submission
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.pace import Pace
from tui_mailer.tui.status import LASTING_SECONDS, Tone
from tui_mailer.tui.words import STATE_WORD, say_recipients, say_subject, without_name

EventListener = Callable[[Event], None]
TELLING_GAP_SECONDS = 0.5
"""Between two sentences about mail under way: nobody reads a hundred a second, and a slow line can't carry them."""


class Watch:
    """What is known of the mail under way; screens listen to it."""

    def __init__(self, desk: Desk, run: Callable[[Callable[[], Coroutine[Any, Any, None]]], None]) -> None:
        """``run`` does some work of the app's without being waited for."""
        self._desk = desk
        self._listeners: list[EventListener] = []
        self.sent_bytes: dict[str, tuple[int, int]] = {}
        self.phases: dict[str, Phase] = {}
        self.owner = ""
        """This app as others see it (``app pid 4711``), once it delivers."""
        self.is_engine_opening = True
        """Whether this app is about to deliver: its engine isn't registered yet, and hasn't failed."""
        self.holds: Mapping[str, AccountHold] = {}
        self.told_holds: Mapping[str, AccountHold] = {}
        """Those that concern mail which waits, or want a person."""
        self.no_room = ""
        """Why nothing at all can be sent, one sentence; empty: it can."""
        self._uncertain = 0
        self._news: list[tuple[str, State | RecipientStatus]] = []
        self._telling = Pace(self._tell, gap_seconds=TELLING_GAP_SECONDS)
        self._counting = Pace(self.count, gap_seconds=TELLING_GAP_SECONDS)
        self._run = run

    def listen(self, listener: EventListener) -> Callable[[], None]:
        """Has a callable called, in the event loop, with each event; returns the one that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def take(self, event: Event) -> None:
        """Remembers an event, tells listeners, and says what a person should know; waits for nothing."""
        match event:
            case BytesProgressed():
                self.sent_bytes[event.id] = (event.sent, event.total)
            case PhaseReached():
                self.phases[event.id] = event.phase
            case SubmissionChanged():
                self._submission_changed(event)
            case AccountChanged():
                self._run(self._counting.ask)
                self._say_account(event)
            case RoomChanged():
                self._room_changed(event.trouble or "")
            case EngineStarted():
                self.owner, self.is_engine_opening = event.owner, False
                self._run(self._counting.ask)
            case EngineTroubled() | EngineFailed():
                self.is_engine_opening &= isinstance(event, EngineTroubled)
                self._desk.status.complain(event.text)
            case _:
                self._run(self._counting.ask)
        for listener in tuple(self._listeners):
            listener(event)

    async def count(self) -> None:
        """Reads anew how much is open and which accounts are held."""
        counts, self.holds, self.told_holds, no_room = await self._desk.ask(
            lambda mailer: (
                mailer.counts(),
                mailer.account_holds(),
                mailer.holds_to_tell(),
                mailer.store.ballast.trouble(),
            )
        )
        self.no_room = no_room or ""
        status = self._desk.status
        status.open_count = sum(counts.values())
        self._uncertain = counts.get(State.UNCERTAIN, 0)
        status.trouble = self._trouble()
        status.changed()
        await self._look_after_offer()

    async def _look_after_offer(self) -> None:
        """Takes an offer to undo away that another process has made untrue."""
        status, ids = self._desk.status, self._desk.status.undo_ids
        if not ids:
            return
        states = await self._desk.ask(lambda mailer: {mailer.show(one).state for one in ids})
        if status.undo_ids != ids or not states.isdisjoint(_CAN_BE_TAKEN_BACK):
            return
        status.offer_undo("", None)
        if states == {State.CANCELED}:
            status.say("taken back or canceled elsewhere: it isn't sent", seconds=LASTING_SECONDS)

    def _room_changed(self, trouble: str) -> None:
        if trouble:
            self._desk.status.complain(trouble)
        else:
            self._desk.status.retract(self.no_room)
            self._desk.status.say("there is room on the disk again: mail goes on")
        self.no_room = trouble
        self._run(self._counting.ask)

    def _trouble(self) -> str:
        if self.no_room:
            return "no room on the disk: nothing is sent"
        held = sorted(name for name, hold in self.told_holds.items() if not hold.is_offline)
        if held:
            return f"{', '.join(held)} is held: {self._desk.keymap.display('app.accounts')}"
        if self._uncertain:
            return f"{self._uncertain} uncertain: {self._desk.keymap.display('app.outbox')}"
        return f"{', '.join(sorted(self.told_holds))} can't send now" if self.told_holds else ""

    def _submission_changed(self, event: SubmissionChanged) -> None:
        if event.state is not State.SENDING:
            self.sent_bytes.pop(event.id, None)
            self.phases.pop(event.id, None)
        # Where the state is no news, what was learnt may be: mail that was sent days ago has bounced.
        said = _WORTH_SAYING.get(event.state) if event.learnt is None else _LEARNT.get(event.learnt)
        if said is not None:
            self._news.append((event.id, event.learnt or event.state))
            self._run(self._telling.ask)
        self._run(self._counting.ask)

    async def _tell(self) -> None:
        """Says what has come since the last time: one mail by name, many by how many of each.

        It waits until what stands there, the answer to a key maybe, has been read.
        """
        is_good = all(one in _GOOD for _id, one in self._news)
        await asyncio.sleep(self._desk.status.seconds_to_read(is_news_good=is_good))
        news, self._news = self._news, []
        if len(news) == 1:
            submission = await self._desk.ask(lambda mailer: mailer.show(news[0][0]))
            self._say_submission(submission, news[0][1])
        elif news:
            counted = Counter(one for _id, one in news)
            words = {**{state: STATE_WORD[state] for state in _WORTH_SAYING}, **{one: str(one) for one in _LEARNT}}
            said = ", ".join(f"{counted[one]} {word}" for one, word in words.items() if counted[one])
            self._say(said, is_good=set(counted) <= _GOOD)

    def _say(self, said: str, *, is_good: bool) -> None:
        status = self._desk.status
        if is_good:
            status.say(said, tone=Tone.GOOD)
        else:
            status.complain(said)

    def _say_submission(self, submission: Submission, news: State | RecipientStatus) -> None:
        if isinstance(news, RecipientStatus):
            self._say_learnt(submission, news)
            return
        if submission.state not in _WORTH_SAYING:
            return  # it has moved on meanwhile, which is told by its own event
        name = say_recipients(submission)
        if submission.is_kept_locally and submission.state is State.SENT:
            self._say("kept on this computer, sent to nobody", is_good=True)
            return
        said = _WORTH_SAYING[submission.state].format(name=name)
        is_good = submission.state in _GOOD
        if submission.error and not is_good:
            said = f"{said}: {submission.error}"
        self._say(said, is_good=is_good)

    def _say_learnt(self, submission: Submission, status: RecipientStatus) -> None:
        """Says what has become of mail that was taken earlier, maybe days ago: its subject tells which."""
        those = [one for one in submission.recipients if one.status is status]
        if those:
            name = those[0].address if len(those) == 1 else f"{those[0].address} +{len(those) - 1}"
            said = _LEARNT[status].format(name=name)
            why = f": {those[0].detail}" if those[0].detail else ""
            self._say(f"{said}, {say_subject(submission.message.subject)}{why}", is_good=False)

    def _say_account(self, event: AccountChanged) -> None:
        if event.held_reason is None:
            self._desk.status.say(f"{event.account} goes on")
        elif event.is_offline:
            self._desk.status.say(f"{event.account} can't send now, it tries again by itself: {event.held_reason}")
        else:
            self._desk.status.complain(say_held(event.account, event.held_reason))


def say_held(account: str, reason: str) -> str:
    """What is complained of when an account is held."""
    return f"{account} is held: {without_name(account, reason)}"


_WORTH_SAYING: Mapping[State, str] = {
    State.SENT: "sent to {name}",
    State.PARTIAL: "partly refused, {name}",
    State.FAILED: "not sent to {name}",
    State.UNCERTAIN: "uncertain whether it went to {name}",
    State.DEFERRED: "not yet accepted for {name}, it will be tried again",
    State.HANDED_OVER: "handed over for {name}",
}
_LEARNT: Mapping[RecipientStatus, str] = {
    RecipientStatus.COMPLAINED: "called spam by {name}",
    RecipientStatus.BOUNCED: "bounced for {name}",
    RecipientStatus.REJECTED: "refused later for {name}",
}
_CAN_BE_TAKEN_BACK = frozenset({State.QUEUED, State.DEFERRED, State.HELD, State.HANDED_OVER})
_GOOD = frozenset({State.SENT, State.HANDED_OVER})
