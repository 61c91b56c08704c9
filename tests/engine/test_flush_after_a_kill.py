"""What a killed process left uncertain is the outcome of whoever finds it."""

from __future__ import annotations

from engine_bench import EngineBench

from tui_mailer.domain.submission import Phase, State


async def test_a_flush_tells_what_it_found_uncertain(bench: EngineBench):
    """Exit by the worst outcome: "nothing was due" would hide that a message may or may not have gone out."""
    sealed = bench.seal()
    outbox, clock = bench.mailer.store.outbox, bench.mailer.store.clock
    (claim,) = outbox.claim("send pid 1 gone", now=clock.now())
    outbox.set_phase(claim, Phase.INTENT)
    assert [(one.id, one.state) for one in await bench.flush()] == [(sealed.id, State.UNCERTAIN)]
    assert await bench.flush() == []
