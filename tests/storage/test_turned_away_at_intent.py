"""Recovery knows whom a killed attempt had been turned away for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from storage_fixtures import Post

from tui_mailer.domain.submission import DUE_STATUSES, Phase, Receipt, RecipientResult, RecipientStatus, State
from tui_mailer.storage.record import Outcome

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


@pytest.mark.parametrize("meanwhile", ["waits", "under way", "tried", "held"])
def test_a_late_answer_settles_those_it_is_about(post: Post, meanwhile: str) -> None:
    """Taken for dead, it gets its 250 after all: who was uncertain is not, who was put off goes on as he was."""
    submission = post.seal("a@example.org", "c@example.org")
    late = post.claim()
    post.outbox.set_phase(late, Phase.INTENT, answers=(ANSWERS[0], GREYLISTED))
    post.die()
    post.outbox.recover(now=post.clock.now())
    second = None
    if meanwhile == "held":
        post.outbox.hold(submission.id, "wait")
    elif meanwhile != "waits":
        post.clock.advance(hours=1)
        second = post.claim()
        assert [one.address for one in second.submission.recipients if one.status in DUE_STATUSES] == ["c@example.org"]
        post.outbox.set_phase(second, Phase.INTENT)
    if second is not None and meanwhile == "tried":
        assert post.outbox.finish(second, said(c="451")).state is State.DEFERRED
    found = post.outbox.finish(late, said(a="250"))
    assert next(one.status for one in found.recipients) is RecipientStatus.ACCEPTED
    expected = {"waits": State.DEFERRED, "under way": State.SENDING, "tried": State.DEFERRED, "held": State.HELD}
    assert found.state is expected[meanwhile]
    if meanwhile == "held":
        post.outbox.release(submission.id)
    if second is None or meanwhile == "tried":
        post.clock.advance(hours=2)
        second = post.claim()
        post.outbox.set_phase(second, Phase.INTENT)
    assert post.outbox.finish(second, said(c="250")).state is State.SENT


def said(**codes: str) -> Outcome:
    """What a server answered for some recipients, by the local part."""
    statuses = {"250": RecipientStatus.ACCEPTED, "451": RecipientStatus.DEFERRED}
    results = tuple(
        RecipientResult(address=f"{name}@example.org", status=statuses[code], code=int(code))
        for name, code in codes.items()
    )
    return Outcome(receipt=Receipt(recipients=results, response_code=250))
