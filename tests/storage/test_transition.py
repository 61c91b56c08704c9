"""Whatever is done to submissions in whatever order, states move only as the table allows and nobody is sent twice."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule
from storage_fixtures import HandClock, Post, answer

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import Fenced, NotFound, TooLate
from tui_mailer.domain.submission import (
    DUE_STATUSES,
    ENDED_STATES,
    SETTLED_STATUSES,
    TRANSITIONS,
    Phase,
    RecipientStatus,
    State,
)
from tui_mailer.storage.record import Outcome
from tui_mailer.storage.store import Store

ANSWERS = st.sampled_from([RecipientStatus.ACCEPTED, RecipientStatus.REJECTED, RecipientStatus.DEFERRED])
MOVES = st.sampled_from(["hold", "release", "retry", "cancel", "reschedule", "sent", "failed", "resend", "edit"])


class Submissions(RuleBasedStateMachine):
    """One outbox, a few messages, and everything that can happen to them."""

    sealed = Bundle("sealed")
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        self.clock = HandClock()
        self.post = Post(Store.in_memory(clock=self.clock), self.clock)
        self.states: dict[str, State] = {}
        self.accepted: dict[str, set[str]] = {}

    def teardown(self) -> None:
        self.post.store.close()

    @rule(target=sealed, is_held=st.booleans(), many=st.integers(1, 2))
    def seal(self, is_held: bool, many: int):
        state = State.HELD if is_held else State.QUEUED
        submission = self.post.seal(
            *[f"r{number}@example.org" for number in range(many)], state=state, draft=Draft(to="x")
        )
        self.states[submission.id] = state
        self.accepted[submission.id] = set()
        return submission.id

    @rule(target=claims)
    def claim(self):
        found = self.post.outbox.claim(self.post.owner, now=self.clock.now(), limit=3)
        for claim in found:
            due = {one.address for one in claim.submission.recipients if one.status in DUE_STATUSES}
            assert due
            assert not due & self.accepted[claim.submission.id]
        return multiple(*found)

    @rule(claim=claims, phase=st.sampled_from([Phase.CONNECTING, Phase.BODY, Phase.INTENT]))
    def reach(self, claim, phase: Phase) -> None:
        try:
            self.post.outbox.set_phase(claim, phase)
        except Fenced:
            assert self.post.store.find(claim.submission.id).state is not State.SENDING or self.is_taken(claim)

    @rule(claim=claims, statuses=st.lists(ANSWERS, min_size=2, max_size=2))
    def finish(self, claim, statuses) -> None:
        outcome = answer(claim, *statuses[: len(claim.submission.recipients)], next_attempt_at=self.clock.now())
        due = {one.address for one in claim.submission.recipients if one.status in DUE_STATUSES}
        try:
            self.post.outbox.finish(claim, outcome)
        except Fenced:
            return
        assert outcome.receipt is not None
        self.accepted[claim.submission.id] |= {
            one.address
            for one in outcome.receipt.recipients
            if one.status is RecipientStatus.ACCEPTED and one.address in due
        }

    @rule(claim=claims, fallback=st.sampled_from([State.DEFERRED, State.FAILED, State.UNCERTAIN, State.HELD]))
    def break_off(self, claim, fallback: State) -> None:
        try:
            self.post.outbox.finish(claim, Outcome(fallback_state=fallback, next_attempt_at=self.clock.now()))
        except Fenced:
            return

    @rule(claim=claims, error=st.sampled_from([None, "password"]))
    def give_back(self, claim, error: str | None) -> None:
        self.post.outbox.give_back(claim, error=error)

    @rule(submission_id=sealed, move=MOVES)
    def move(self, submission_id: str, move: str) -> None:
        outbox, now = self.post.outbox, self.clock.now()
        try:
            if move in ("sent", "failed", "resend"):
                outbox.settle(submission_id, move, now)
            elif move == "reschedule":
                outbox.reschedule(submission_id, now + timedelta(seconds=5), "in 5s", "UTC")
            elif move in ("hold", "cancel"):
                getattr(outbox, move)(submission_id, "by you")
            elif move == "retry":
                outbox.retry(submission_id, now)
            else:
                getattr(outbox, move)(submission_id)
        except TooLate as error:
            assert error.state == self.post.store.find(submission_id).state  # noqa: PT017 - many moves, one judgement

    @rule(seconds=st.sampled_from([1, 10, 130]), policy=st.sampled_from(["ask", "resend", "give_up"]))
    def pass_time(self, seconds: int, policy) -> None:
        self.clock.advance(seconds=seconds)
        self.post.outbox.recover(policy=policy, now=self.clock.now())

    @rule()
    def archive(self) -> None:
        self.post.store.archive_ended(limit=2)

    @invariant()
    def states_follow_the_table(self) -> None:
        """Between two looks only paths of the table are taken, and what has ended stays ended."""
        for submission_id, seen in self.states.items():
            submission = self.post.store.find(submission_id)
            assert submission.state in reachable(seen)
            self.states[submission_id] = submission.state
            settled = {one.address for one in submission.recipients if one.status in SETTLED_STATUSES}
            assert self.accepted[submission_id] <= settled
            assert submission.attempts >= 0
            if submission.state in ENDED_STATES:
                assert not any(one.status in DUE_STATUSES for one in submission.recipients)

    def is_taken(self, claim) -> bool:
        try:
            attempts = self.post.outbox.attempts(claim.submission.id)
        except NotFound:
            return True
        return len(attempts) >= 1


def reachable(state: State) -> set[State]:
    """Where a state can lead in any number of moves, itself included."""
    found, todo = {state}, [state]
    while todo:
        for following in TRANSITIONS[todo.pop()] - found:
            found.add(following)
            todo.append(following)
    return found


class TestSubmissions(Submissions.TestCase):
    """Nobody who has accepted is ever in an envelope again, in any order of events."""

    settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
