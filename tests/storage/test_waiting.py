"""Accounts that wait, deliverers that live, and when something is due."""

from __future__ import annotations

from datetime import timedelta

from storage_fixtures import START, Post

from tui_mailer.domain.submission import Phase, State


def test_a_held_accounts_mail_waits_untouched(post: Post) -> None:
    """A refused password stops one account, and its mail goes once it is released."""
    submission = post.seal()
    post.outbox.hold_account("work", "The server refused the password.")
    assert post.outbox.claim(post.owner, now=post.clock.now()) == []
    assert post.outbox.claim(post.owner, now=post.clock.now(), ids=[submission.id]) == []
    assert post.outbox.next_due(post.clock.now()) is None
    assert post.outbox.get(submission.id).state is State.QUEUED
    hold = post.outbox.account_holds()["work"]
    assert (hold.reason, hold.since, hold.is_offline) == ("The server refused the password.", START, False)
    post.outbox.release_account("work")
    assert post.claim().submission.id == submission.id


def test_an_account_off_line_is_probed_by_one_message(post: Post) -> None:
    """Five hundred queued messages make one connection attempt, not five hundred."""
    for _ in range(5):
        post.seal()
    retry_at = START + timedelta(seconds=30)
    post.outbox.hold_account("work", "No network.", is_offline=True, retry_at=retry_at, failures=1)
    assert post.outbox.next_due(post.clock.now()) == retry_at
    assert post.outbox.claim(post.owner, now=post.clock.now(), limit=5) == []
    post.clock.advance(seconds=31)
    assert len(post.outbox.claim(post.owner, now=post.clock.now(), limit=5)) == 1
    assert post.outbox.claim("other pid 1 x", now=post.clock.now(), limit=5) == []


def test_an_account_stays_off_line_since_the_first_failure(post: Post) -> None:
    """The hold counts failures and keeps when it began."""
    post.outbox.hold_account("work", "a", is_offline=True, retry_at=START, failures=1)
    post.clock.advance(minutes=5)
    post.outbox.hold_account("work", "b", is_offline=True, retry_at=START, failures=2)
    hold = post.outbox.account_holds()["work"]
    assert (hold.since, hold.failures, hold.reason) == (START, 2, "b")


def test_the_next_due_time_is_the_earliest_of_all_accounts(post: Post) -> None:
    """The engine sleeps until the first thing to do."""
    post.seal(not_before=START + timedelta(hours=2))
    post.seal(account="home", not_before=START + timedelta(hours=1))
    assert post.outbox.next_due(post.clock.now()) == START + timedelta(hours=1)


def test_deliverers_are_listed_while_they_live(post: Post) -> None:
    """Who delivers is known, and a dead one is dropped."""
    post.outbox.seen(post.owner, post.clock.advance(seconds=20))
    (one,) = post.outbox.deliverers(post.clock.now())
    assert (one.role, one.is_alive, one.seen_at) == ("app", True, post.clock.now())
    post.die()
    assert [one.is_alive for one in post.outbox.deliverers(post.clock.now())] == [False]
    post.outbox.recover(now=post.clock.now())
    assert post.outbox.deliverers(post.clock.now()) == []


def test_one_who_resigns_leaves_its_mail_to_others(post: Post) -> None:
    """Resigning frees leases as dying does."""
    submission = post.seal()
    post.outbox.set_phase(post.claim(), Phase.CONNECTING)
    post.store.resign()
    assert [one.id for one in post.outbox.recover(now=post.clock.now())] == [submission.id]
