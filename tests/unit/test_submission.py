"""The life of a submission: every legal move, no other, and the state that its recipients make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_mailer.domain.submission import (
    DUE_STATUSES,
    ENDED_STATES,
    OPEN_STATES,
    SETTLED_STATUSES,
    TRANSITIONS,
    RecipientStatus,
    State,
    derive_state,
    worst_status,
)

STATUS = st.sampled_from(RecipientStatus)
STATUSES = st.lists(STATUS, min_size=1, max_size=6)


def reachable(start: State) -> set[State]:
    found, todo = {start}, [start]
    while todo:
        fresh = TRANSITIONS[todo.pop()] - found
        found |= fresh
        todo += fresh
    return found


def test_every_state_is_either_open_or_ended():
    """A submission is in the outbox list or in the history list, never in both and never in none."""
    assert set(State) == OPEN_STATES | ENDED_STATES
    assert not OPEN_STATES & ENDED_STATES
    assert set(TRANSITIONS) == set(State)


@pytest.mark.parametrize("state", sorted(ENDED_STATES))
def test_what_has_ended_stays_so(state: State):
    """Nothing brings an ended submission back to life."""
    assert TRANSITIONS[state] == frozenset()


@pytest.mark.parametrize("state", sorted(OPEN_STATES))
def test_what_is_open_can_end(state: State):
    """Every open submission can still be sent or canceled, and can be settled."""
    assert {State.SENT, State.FAILED, State.CANCELED} <= reachable(state)


@pytest.mark.parametrize("state", sorted(State))
def test_no_state_moves_to_itself(state: State):
    """A move is a change."""
    assert state not in TRANSITIONS[state]


def test_only_an_answer_makes_it_sent():
    """Only what is on the wire, at the provider, or of uncertain outcome can turn out sent."""
    can_turn_out_sent = {state for state in State if State.SENT in TRANSITIONS[state]}
    assert can_turn_out_sent == {State.SENDING, State.HANDED_OVER, State.UNCERTAIN}


def test_an_uncertain_one_is_never_retried_by_itself():
    """Its outcome is settled, or a person puts it back into the queue: it is never merely deferred or leased."""
    assert {State.DEFERRED, State.SENDING}.isdisjoint(TRANSITIONS[State.UNCERTAIN])


def test_only_what_is_due_is_leased():
    """A held, uncertain or handed-over submission is never picked up by a deliverer."""
    assert {state for state in State if State.SENDING in TRANSITIONS[state]} == {State.QUEUED, State.DEFERRED}


def test_what_is_on_the_wire_can_not_be_canceled():
    """While a deliverer holds it, a person can't take it back."""
    assert State.CANCELED not in TRANSITIONS[State.SENDING]


@given(STATUSES)
def test_a_state_is_always_found_and_depends_on_no_order(statuses: list[RecipientStatus]):
    """Any recipients in any order make one state, one that an attempt may end in."""
    state = derive_state(statuses)
    assert state in TRANSITIONS[State.SENDING]
    assert derive_state(reversed(statuses)) is state


@given(STATUSES)
def test_sent_means_accepted_by_every_recipient(statuses: list[RecipientStatus]):
    """The state says sent exactly when nobody is missing."""
    assert (derive_state(statuses) is State.SENT) == all(status in SETTLED_STATUSES for status in statuses)


@given(STATUSES)
def test_an_end_is_never_false(statuses: list[RecipientStatus]):
    """While a recipient is due it stays deferred; an unknown one is never buried in sent, partial or failed."""
    state = derive_state(statuses)
    assert (state is State.DEFERRED) == any(status in DUE_STATUSES for status in statuses)
    if RecipientStatus.UNKNOWN in statuses:
        assert state in {State.DEFERRED, State.UNCERTAIN}


@given(STATUSES)
def test_partial_has_both_kinds(statuses: list[RecipientStatus]):
    """Partial: some accepted, some refused; failed: none accepted."""
    state = derive_state(statuses)
    accepted = any(status in SETTLED_STATUSES for status in statuses)
    if state is State.PARTIAL:
        assert accepted
        assert RecipientStatus.REJECTED in statuses
    if state is State.FAILED:
        assert set(statuses) == {RecipientStatus.REJECTED}


def test_a_bounce_after_acceptance_leaves_it_sent():
    """What a server took stays sent, whatever comes back later; the list shows the bounce beside it."""
    statuses = [RecipientStatus.DELIVERED, RecipientStatus.BOUNCED]
    assert derive_state(statuses) is State.SENT
    assert worst_status(statuses) is RecipientStatus.BOUNCED


@given(st.lists(STATUS, max_size=6))
def test_the_worst_status_is_silent_only_when_all_is_well(statuses: list[RecipientStatus]):
    """A one-line summary says nothing exactly when every recipient is pending, accepted or delivered."""
    fine = {RecipientStatus.PENDING, RecipientStatus.ACCEPTED, RecipientStatus.DELIVERED}
    worst = worst_status(statuses)
    assert (worst is None) == (set(statuses) <= fine)
    assert worst is None or worst in statuses


def test_no_status_is_both_due_and_settled():
    """Nobody who has the message is put into an envelope again."""
    assert not DUE_STATUSES & SETTLED_STATUSES
    assert {RecipientStatus.REJECTED, RecipientStatus.UNKNOWN}.isdisjoint(DUE_STATUSES | SETTLED_STATUSES)
