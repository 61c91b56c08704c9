"""An account's hours: mail due outside waits untouched, is shown so, and leaves when they begin or a person says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from engine_bench import EngineBench, letter
from smtp_server import ScriptedServer

from tui_mailer.domain.submission import State

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def another_day() -> str:
    """Hours that are closed now whatever the zone, and open within a week."""
    return f"    window: {DAYS[(datetime.now(UTC).weekday() + 3) % 7]} 10:00-11:00\n"


async def test_out_of_hours_mail_waits_untouched_and_says_until_when(bench: EngineBench, server: ScriptedServer):
    """Queued, no attempt counted, with the time at which it goes."""
    bench.configure(server.port, extra=another_day())
    bench.reopen()
    sealed = bench.seal()
    (waiting,) = await bench.deliver(sealed)
    assert (waiting.state, waiting.attempts) == (State.QUEUED, 0)
    assert await bench.flush() == []
    opening = bench.mailer.opens_at(waiting)
    assert opening is not None
    assert timedelta(days=1) < opening - datetime.now(UTC) < timedelta(days=5)
    assert server.stored == []


async def test_a_person_overrides_the_hours_by_retrying(bench: EngineBench, server: ScriptedServer):
    """retry sends this one now; the others go on waiting."""
    bench.configure(server.port, extra=another_day())
    bench.reopen()
    wanted, other = bench.seal(), bench.seal(letter(subject="Later"))
    retried = bench.mailer.retry(wanted.id)
    assert bench.mailer.opens_at(retried) is None
    await bench.flush()
    assert bench.mailer.show(wanted.id).state is State.SENT
    assert bench.mailer.show(other.id).state is State.QUEUED
    assert len(server.stored) == 1


async def test_within_its_hours_it_leaves_at_once(bench: EngineBench, server: ScriptedServer):
    """An open window is no hindrance; opening it in the configuration lets waiting mail go."""
    bench.configure(server.port, extra=another_day())
    bench.reopen()
    sealed = bench.seal()
    await bench.flush()
    bench.configure(server.port, extra="    window: daily\n")
    bench.reopen()
    await bench.flush()
    assert bench.mailer.show(sealed.id).state is State.SENT
