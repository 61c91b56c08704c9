"""Ten thousand messages wait at once: a look at them, and the next one to go, cost what they cost with a hundred."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from datetime import timedelta

import pytest
from storage_fixtures import HandClock, Post, answer, make_new

from tui_mailer.domain.submission import Phase, State
from tui_mailer.storage.store import Store

FEW, MANY = 100, 10_000
PAGE = 50

Step = Callable[[Post], object]


def deliver(post: Post) -> None:
    claim = post.claim()
    post.outbox.set_phase(claim, Phase.INTENT)
    post.outbox.finish_and_claim(claim, answer(claim), now=post.clock.now(), account="work")


STEPS: dict[str, Step] = {
    "the next one is claimed, delivered, and the one after it claimed": deliver,
    "a page of the outbox is listed": lambda post: post.outbox.list(limit=PAGE),
    "the next page is listed": lambda post: post.outbox.list(limit=PAGE, before=post.outbox.list(limit=PAGE)[-1].id),
    "what is uncertain is listed": lambda post: post.outbox.list(states={State.UNCERTAIN}, limit=PAGE),
    "a page of what is queued is listed": lambda post: post.outbox.list(states={State.QUEUED}, limit=PAGE),
    "what is due of an account is listed": lambda post: post.outbox.list_due("work", post.clock.now(), PAGE),
    "somebody looks when anything is due next": lambda post: post.outbox.next_due(post.clock.now()),
    "somebody looks for what others left behind": lambda post: post.outbox.recover(now=post.clock.now()),
    "somebody looks for a series that is behind": lambda post: post.outbox.stale_series(post.clock.now()),
    "what has ended is put away": lambda post: post.store.archive_ended(),
}


def queue(count: int) -> Post:
    clock = HandClock()
    post = Post(Store.in_memory(clock=clock), clock)
    post.outbox.seal([make_new(id=f"{number:026}") for number in range(count)])
    post.outbox.recover(now=clock.now())
    clock.advance(seconds=1)
    return post


@pytest.fixture(scope="module")
def few() -> Post:
    return queue(FEW)


@pytest.fixture(scope="module")
def many() -> Post:
    return queue(MANY)


def work(post: Post, step: Step) -> int:
    """Counts the steps of SQLite's machine: they are the same on a slow day."""
    taken = 0

    def count() -> bool:
        nonlocal taken
        taken += 1
        return False

    connection = post.store._outbox_database._connection
    connection.set_progress_handler(count, 1)
    step(post)
    connection.set_progress_handler(None)
    return taken


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
def test_a_step_costs_the_same_however_many_wait(few: Post, many: Post, step: Step) -> None:
    """With ten thousand queued the program is as quick as with a hundred."""
    step(few), step(many)  # what is read once and kept isn't counted
    assert work(many, step) <= 1.5 * work(few, step) + 200


def test_a_page_of_ten_thousand_needs_the_memory_of_a_page(few: Post, many: Post) -> None:
    """Nothing reads all that waits in order to show or to send a part of it."""
    peaks = []
    for post in (few, many):
        tracemalloc.start()
        for step in STEPS.values():
            step(post)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] <= 1.5 * peaks[0] + 100_000


def test_all_are_made_up_for_at_once_when_the_clock_is_set_back(many: Post) -> None:
    """Ten thousand that wait for tomorrow by mistake are due in one short transaction."""
    recalled = many.clock.now() - timedelta(days=1)
    many.clock.time = recalled
    assert many.outbox.next_due(recalled) > recalled
    assert work(many, lambda post: post.outbox.recover(now=recalled)) < 200 * MANY  # a fifth of a second, once
    assert many.outbox.next_due(recalled) <= recalled
