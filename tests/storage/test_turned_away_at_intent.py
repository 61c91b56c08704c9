"""Recovery knows whom a killed attempt had been turned away for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from storage_fixtures import Post

from tui_mailer.domain.submission import Phase, RecipientResult, RecipientStatus, State

ANSWERS = (
    RecipientResult(address="a@example.org", status=RecipientStatus.ACCEPTED),
    RecipientResult(address="b@example.org", status=RecipientStatus.REJECTED, code=550, text="no such user"),
)
GREYLISTED = RecipientResult(address="c@example.org", status=RecipientStatus.DEFERRED, code=451, text="come back")


def test_the_refused_are_not_uncertain_after_a_kill(post: Post) -> None:
    """Killed between intent and answer: uncertain for the accepted, refused for the refused."""
    post.seal("a@example.org", "b@example.org")
    post.outbox.set_phase(post.claim(), Phase.INTENT, answers=ANSWERS)
    post.die()
    (left,) = post.outbox.recover(now=post.clock.now())
    assert left.state is State.UNCERTAIN
    assert [one.status for one in left.recipients] == [RecipientStatus.UNKNOWN, RecipientStatus.REJECTED]
    assert left.recipients[1].detail == "no such user"
    assert post.outbox.settle(left.id, "sent", post.clock.now()).state is State.PARTIAL


def test_the_deferred_are_tried_again_after_a_kill(post: Post) -> None:
    """Whom the server wanted later is due by himself; the others wait for a person."""
    post.seal("a@example.org", "b@example.org", "c@example.org")
    post.outbox.set_phase(post.claim(), Phase.INTENT, answers=(*ANSWERS, GREYLISTED))
    post.die()
    (left,) = post.outbox.recover(now=post.clock.now())
    assert left.state is State.DEFERRED
    assert left.next_attempt_at is not None
    assert left.next_attempt_at - post.clock.now() <= timedelta(minutes=10)
    assert [one.status for one in left.recipients] == [
        RecipientStatus.UNKNOWN,
        RecipientStatus.REJECTED,
        RecipientStatus.DEFERRED,
    ]


@pytest.mark.parametrize("number", [1, 2])
def test_without_answers_all_are_uncertain_at_every_attempt(post: Post, number: int) -> None:
    """A provider that says nothing before the end leaves nobody due, deferred before or not."""
    post.seal("a@example.org", "b@example.org")
    for _ in range(number - 1):
        post.deliver(RecipientStatus.DEFERRED)
        post.clock.advance(hours=1)
    post.outbox.set_phase(post.claim(), Phase.INTENT)
    post.die()
    (left,) = post.outbox.recover(now=post.clock.now())
    assert left.state is State.UNCERTAIN
    assert {one.status for one in left.recipients} == {RecipientStatus.UNKNOWN}
