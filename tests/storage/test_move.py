"""What a person does to a submission, and what it is too late for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from storage_fixtures import START, Post

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import InvalidMessage, NotFound, TooLate
from tui_mailer.domain.submission import Phase, RecipientStatus, State
from tui_mailer.storage.record import Outcome, Submission

LATER = START + timedelta(days=2)
ACCEPTED, REJECTED, DEFERRED = RecipientStatus.ACCEPTED, RecipientStatus.REJECTED, RecipientStatus.DEFERRED


def make_uncertain(post: Post, *recipients: str):
    submission = post.seal(*recipients)
    post.outbox.set_phase(post.claim(), Phase.INTENT)
    post.clock.advance(seconds=121)
    post.outbox.recover(now=post.clock.now())
    return submission


def test_hold_and_release(post: Post) -> None:
    """Held mail stays until it is released, then goes at once if its time has passed."""
    submission = post.seal()
    held = post.outbox.hold(submission.id, "held by you")
    assert (held.state, held.held_reason) == (State.HELD, "held by you")
    assert post.outbox.claim(post.owner, now=LATER) == []
    released = post.outbox.release(submission.id)
    assert (released.state, released.held_reason) == (State.QUEUED, None)
    assert post.claim().submission.id == submission.id


def test_released_mail_keeps_a_time_that_is_still_ahead(post: Post) -> None:
    """Releasing a scheduled message doesn't send it early."""
    submission = post.seal(not_before=LATER, schedule_words="tomorrow 9am")
    post.outbox.hold(submission.id, "held by you")
    post.outbox.release(submission.id)
    assert post.outbox.next_due(post.clock.now()) == LATER


def test_retry_makes_a_deferred_one_due(post: Post) -> None:
    """Retry doesn't wait for the back-off."""
    submission = post.seal()
    post.outbox.finish(post.claim(), Outcome(next_attempt_at=LATER))
    post.outbox.retry(submission.id, post.clock.now())
    assert post.claim().attempt == 2


def test_retry_sends_a_scheduled_one_now(post: Post) -> None:
    """A message sent ahead of its schedule has none any more."""
    submission = post.seal(not_before=LATER, schedule_words="wed", schedule_zone="UTC")
    now = post.outbox.retry(submission.id, post.clock.now())
    assert (now.not_before, now.schedule_words) == (START, None)
    assert post.claim().submission.id == submission.id


def test_cancel_ends_what_nobody_got(post: Post) -> None:
    """A canceled message is in the history as such."""
    submission = post.seal()
    canceled = post.outbox.cancel(submission.id, "canceled by you")
    assert (canceled.state, canceled.error) == (State.CANCELED, "canceled by you")
    assert [one.id for one in post.store.list_ended()] == [submission.id]


def test_cancel_touches_only_who_has_not_accepted(post: Post) -> None:
    """With one recipient done, canceling the other makes it partial."""
    submission = post.seal("a@example.org", "b@example.org")
    post.deliver(ACCEPTED, DEFERRED)
    canceled = post.outbox.cancel(submission.id, "canceled by you")
    assert canceled.state is State.PARTIAL
    assert [one.status for one in canceled.recipients] == [ACCEPTED, REJECTED]
    assert canceled.recipients[1].detail == "canceled by you"


def test_cancel_leaves_an_unknown_one_uncertain(post: Post) -> None:
    """Nobody can take back what may have been delivered."""
    submission = post.seal("a@example.org", "b@example.org")
    post.deliver(RecipientStatus.UNKNOWN, DEFERRED)
    assert post.outbox.cancel(submission.id, "canceled by you").state is State.UNCERTAIN


def test_reschedule_moves_queued_and_deferred_and_keeps_held(post: Post) -> None:
    """A new time is kept with its words; a held message stays held."""
    queued, held, deferred = post.seal(), post.seal(state=State.HELD), post.seal(not_before=START - timedelta(days=1))
    post.outbox.finish(post.claim(), Outcome(next_attempt_at=START))
    for one, state in ((queued, State.QUEUED), (held, State.HELD), (deferred, State.QUEUED)):
        moved = post.outbox.reschedule(one.id, LATER, "wed 9:00", "Europe/Berlin")
        assert (moved.state, moved.not_before) == (state, LATER)
        assert (moved.schedule_words, moved.schedule_zone) == ("wed 9:00", "Europe/Berlin")
    assert post.outbox.next_due(post.clock.now()) == LATER


@pytest.mark.parametrize(
    ("how", "state", "status"),
    [
        ("sent", State.SENT, ACCEPTED),
        ("failed", State.FAILED, REJECTED),
        ("resend", State.QUEUED, RecipientStatus.PENDING),
    ],
)
def test_a_person_settles_the_uncertain(post: Post, how, state: State, status: RecipientStatus) -> None:
    """Each answer to "what became of it?" is final, or sends it again."""
    submission = make_uncertain(post)
    settled = post.outbox.settle(submission.id, how, post.clock.now())
    assert (settled.state, settled.recipients[0].status) == (state, status)
    assert (settled.sent_at is not None) == (how == "sent")
    if how == "resend":
        assert post.claim().attempt == 2


def test_edit_brings_the_draft_back_in_one_step(post: Post) -> None:
    """Undo gives the text back and the message never goes."""
    draft = Draft(to="bob@example.org", subject="Engine notes", body="as typed")
    submission = post.seal(not_before=LATER, draft=draft)
    stored = post.outbox.edit(submission.id)
    assert stored.draft == draft
    assert post.store.drafts.list() == [stored]
    gone = post.store.find(submission.id)
    assert (gone.state, gone.error) == (State.CANCELED, "taken back to a draft")


def test_edit_takes_the_draft_it_is_given(post: Post) -> None:
    """A message that was made by no draft can be edited as one made from it."""
    submission = post.seal()
    with pytest.raises(InvalidMessage):
        post.outbox.edit(submission.id)
    assert post.outbox.get(submission.id).state is State.QUEUED
    assert post.outbox.edit(submission.id, lambda _: Draft(to="x@example.org")).draft.to == "x@example.org"


def test_edit_makes_the_draft_of_what_it_takes_back(post: Post) -> None:
    """Not of what was read before: another process may have delivered to some in between."""
    submission = post.seal(not_before=LATER)
    seen: list[State] = []

    def make(current: Submission) -> Draft:
        seen.append(current.state)
        assert [one.address for one in current.recipients] == [one.address for one in submission.recipients]
        return Draft(to="the rest")

    post.outbox.hold(submission.id, "meanwhile")
    assert post.outbox.edit(submission.id, make).draft.to == "the rest"
    assert seen == [State.HELD]


def all_moves(post: Post, submission_id: str):
    now = post.clock.now()
    return {
        "hold": lambda: post.outbox.hold(submission_id, "x"),
        "release": lambda: post.outbox.release(submission_id),
        "retry": lambda: post.outbox.retry(submission_id, now),
        "cancel": lambda: post.outbox.cancel(submission_id, "x"),
        "reschedule": lambda: post.outbox.reschedule(submission_id, LATER, None, None),
        "settle": lambda: post.outbox.settle(submission_id, "sent", now),
        "edit": lambda: post.outbox.edit(submission_id, lambda _: Draft(to="x")),
    }


ALLOWED = {
    State.HELD: {"release", "cancel", "reschedule", "edit"},
    State.QUEUED: {"hold", "retry", "cancel", "reschedule", "edit"},
    State.SENDING: set(),
    State.DEFERRED: {"hold", "retry", "cancel", "reschedule", "edit"},
    State.UNCERTAIN: {"settle"},
    State.SENT: set(),
}


def bring_to(post: Post, state: State):
    if state is State.UNCERTAIN:
        return make_uncertain(post)
    submission = post.seal(state=State.HELD if state is State.HELD else State.QUEUED)
    if state is State.SENDING:
        post.claim()
    if state is State.DEFERRED:
        post.outbox.finish(post.claim(), Outcome(next_attempt_at=START))
    if state is State.SENT:
        post.deliver()
    return submission


@pytest.mark.parametrize("state", ALLOWED)
@pytest.mark.parametrize("move", ["hold", "release", "retry", "cancel", "reschedule", "settle", "edit"])
def test_every_move_is_allowed_or_too_late(post: Post, state: State, move: str) -> None:
    """A move the state doesn't allow changes nothing and names the state."""
    submission = bring_to(post, state)
    before = post.outbox.get(submission.id)
    act = all_moves(post, submission.id)[move]
    if move in ALLOWED[state]:
        act()
        return
    with pytest.raises(TooLate) as caught:
        act()
    assert caught.value.state == state
    assert post.outbox.get(submission.id) == before
    assert post.store.drafts.list() == []


def test_it_is_too_late_for_what_is_history(post: Post) -> None:
    """Canceling what was sent last week says so, rather than that it never was."""
    sent = post.end()
    post.store.archive_ended()
    with pytest.raises(TooLate, match="sent") as caught:
        post.outbox.cancel(sent.id, "x")
    assert caught.value.state == State.SENT


def test_an_unknown_id_is_not_found(post: Post) -> None:
    """No move invents a submission."""
    for act in all_moves(post, "0" * 26).values():
        with pytest.raises(NotFound):
            act()
