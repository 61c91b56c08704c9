"""What has ended goes into the history by itself."""

from __future__ import annotations

from engine_bench import EngineBench, letter

from tui_mailer.services.mailer import SealRequest


async def test_a_flush_leaves_nothing_that_has_ended_in_the_outbox(bench: EngineBench) -> None:
    """However much has ended, the outbox file doesn't grow with it."""
    sealed = [bench.mailer.seal(letter(), SealRequest(hold=True))[0] for _ in range(205)]
    for one in sealed:
        bench.mailer.cancel(one.id)
    await bench.flush()
    assert bench.mailer.store.outbox.ended_ids() == []
    assert bench.mailer.history_count() == len(sealed)
