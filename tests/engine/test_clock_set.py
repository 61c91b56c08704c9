"""The wall clock is set while mail waits: what nobody scheduled goes out all the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from engine_bench import EngineBench, letter
from smtp_server import ScriptedServer

from tui_mailer.domain.submission import State
from tui_mailer.storage.clock import SystemClock


def set_clock(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """Turns the wall clock alone, as `date -s` and NTP do."""
    monkeypatch.setattr(SystemClock, "now", lambda _self: datetime.now(UTC) + by)


@pytest.mark.parametrize("days", [-1, 1], ids=["back", "ahead"])
async def test_what_waits_goes_out_after_the_clock_was_set_by_a_day(
    bench: EngineBench, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, days: int
):
    """Mail sealed today leaves though it is yesterday now; none waits until it is today again."""
    sealed = [bench.seal() for _ in range(3)]
    set_clock(monkeypatch, timedelta(days=days))
    attempted = await bench.flush()
    assert [one.state for one in attempted] == [State.SENT] * 3
    assert len(server.stored) == len(sealed)


async def test_what_the_server_put_off_is_tried_again_after_the_clock_was_set_back(
    bench: EngineBench, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
):
    """A retry that is due is made, though the message was sealed in what is the future now."""
    server.on("MAIL", "451 4.3.0 come back later")
    sealed = bench.seal()
    (deferred,) = await bench.flush()
    assert deferred.state is State.DEFERRED
    set_clock(monkeypatch, timedelta(days=-1))
    bench.mailer.retry(sealed.id)
    (sent,) = await bench.flush()
    assert sent.state is State.SENT


async def test_what_was_held_goes_out_when_it_is_released_after_the_clock_was_set_back(
    bench: EngineBench, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
):
    """Released is released: only a time that a person chose is waited for."""
    sealed = bench.seal()
    bench.mailer.hold(sealed.id)
    set_clock(monkeypatch, timedelta(days=-1))
    bench.mailer.release(sealed.id)
    (sent,) = await bench.flush()
    assert sent.state is State.SENT
    assert len(server.stored) == 1


async def test_what_was_scheduled_waits_for_its_time_by_the_clock_as_it_is(
    bench: EngineBench, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
):
    """A clock that was ahead made it look due; set right, it is in an hour again."""
    sealed = bench.seal(letter(schedule="in 1 hour"))
    assert await bench.flush() == []
    set_clock(monkeypatch, timedelta(days=-1))
    assert await bench.flush() == []
    assert bench.mailer.show(sealed.id).not_before == sealed.not_before
    set_clock(monkeypatch, timedelta(hours=2))
    (sent,) = await bench.flush()
    assert sent.state is State.SENT
    assert len(server.stored) == 1
