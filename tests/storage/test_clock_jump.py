"""The wall clock is set while mail waits: nothing waits for an hour twice, what was scheduled keeps its time."""

from __future__ import annotations

from datetime import timedelta

from storage_fixtures import Post, answer

from tui_mailer.domain.submission import Phase, RecipientStatus, State


def set_back(post: Post, **amount: float) -> None:
    """Sets the wall clock alone, as `date -s` and NTP do."""
    post.clock.time -= timedelta(**amount)


def recover(post: Post) -> None:
    post.outbox.recover(now=post.clock.now())


def test_mail_queued_before_the_clock_was_set_back_goes_out_now(post: Post) -> None:
    """Sealed at ten, clock set to eight: it isn't ten o'clock that it was sealed for."""
    recover(post)
    submission = post.seal(not_before=post.clock.now(), created_at=post.clock.now())
    set_back(post, hours=2)
    assert post.outbox.claim(post.owner, now=post.clock.now()) == []
    recover(post)
    claimed = post.claim().submission
    assert claimed.id == submission.id
    assert claimed.not_before <= post.clock.now()  # else whoever delivers it finds that its time hasn't come


def test_a_retry_waits_as_long_as_it_was_to_wait(post: Post) -> None:
    """Five minutes stay five minutes when the clock is set back by a day."""
    recover(post)
    post.seal()
    claim = post.claim()
    post.outbox.set_phase(claim, Phase.INTENT)
    due = post.clock.now() + timedelta(minutes=5)
    outcome = answer(claim, RecipientStatus.DEFERRED, next_attempt_at=due)
    assert post.outbox.finish(claim, outcome).state is State.DEFERRED
    set_back(post, days=1)
    recover(post)
    assert post.outbox.next_due(post.clock.now()) == post.clock.now() + timedelta(minutes=5)


def test_an_undo_window_stays_open_as_long_as_it_was_to(post: Post) -> None:
    """A window of ten seconds is ten seconds, not an hour and ten seconds."""
    recover(post)
    post.seal(created_at=post.clock.now(), not_before=post.clock.now() + timedelta(seconds=10))
    set_back(post, hours=1)
    recover(post)
    assert post.outbox.next_due(post.clock.now()) == post.clock.now() + timedelta(seconds=10)


def test_a_schedule_keeps_the_time_a_person_gave_it(post: Post) -> None:
    """Tomorrow at nine is tomorrow at nine by whatever the clock says."""
    recover(post)
    tomorrow = post.clock.now() + timedelta(days=1)
    post.seal(not_before=tomorrow, schedule_words="tomorrow 9am", schedule_zone="UTC")
    set_back(post, hours=5)
    recover(post)
    assert post.outbox.next_due(post.clock.now()) == tomorrow


def test_an_account_off_line_is_probed_again_after_the_clock_was_set_back(post: Post) -> None:
    """Off line for a minute isn't off line for a day."""
    recover(post)
    submission = post.seal()
    post.outbox.hold_account(
        "work", "no route", is_offline=True, retry_at=post.clock.now() + timedelta(minutes=1), failures=1
    )
    set_back(post, days=1)
    recover(post)
    assert post.claim().submission.id == submission.id


def test_a_suspended_machine_is_no_jump(post: Post) -> None:
    """Both clocks go on while the lid is closed: only a clock that was set is made up for."""
    assert post.outbox.notice_clock(post.clock.now()) is False
    post.clock.advance(hours=9)
    assert post.outbox.notice_clock(post.clock.now()) is False
    set_back(post, hours=9)
    assert post.outbox.notice_clock(post.clock.now()) is True


def test_a_lease_is_not_measured_by_the_wall_clock(post: Post) -> None:
    """However the time of day jumps, who delivers keeps his lease, and who died loses it."""
    post.seal()
    claim = post.claim()
    for days in (-2, 4):
        post.clock.time += timedelta(days=days)
        assert post.outbox.recover(now=post.clock.now()) == []
    post.outbox.set_phase(claim, Phase.INTENT)
    assert post.outbox.finish(claim, answer(claim)).state is State.SENT


def test_a_time_that_was_read_before_the_jump_and_written_after_it_is_noticed(post: Post) -> None:
    """Whoever had looked at the clock a moment too early doesn't make its mail wait for longer than a lease."""
    recover(post)
    before = post.clock.now()
    set_back(post, days=1)
    recover(post)
    after = post.clock.now()
    post.clock.time = before  # the straggler's
    submission = post.seal(created_at=before, not_before=before)
    post.outbox.hold_account("work", "no route", is_offline=True, retry_at=before + timedelta(minutes=1), failures=1)
    post.clock.time = after
    post.clock.advance(seconds=15)
    recover(post)
    assert post.claim().submission.id == submission.id


def test_a_question_to_a_provider_is_asked_after_as_long_as_it_was_to_be(post: Post) -> None:
    """Asked in a minute, it isn't asked in a day and a minute because the clock was set."""
    recover(post)
    post.outbox.plan_poll(post.seal().id, "work", post.clock.now() + timedelta(minutes=1))
    set_back(post, days=1)
    recover(post)
    assert post.outbox.next_poll() == post.clock.now() + timedelta(minutes=1)


def test_a_pause_of_a_day_that_a_provider_asked_for_is_kept_while_the_clock_goes_on(post: Post) -> None:
    """A long wait is no sign of a wrong clock by itself: the provider isn't asked every quarter of a minute."""
    recover(post)
    post.seal()
    tomorrow = post.clock.now() + timedelta(days=1)
    post.outbox.hold_account("work", "too many today", is_offline=True, retry_at=tomorrow, failures=1)
    for _ in range(3):
        post.clock.advance(seconds=15)
        recover(post)
    assert post.outbox.account_holds()["work"].retry_at == tomorrow
