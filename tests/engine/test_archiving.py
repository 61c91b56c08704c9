"""What has ended goes into the history by itself."""

from __future__ import annotations

from engine_bench import EngineBench, letter

from tui_mailer.services.mailer import SealRequest


async def test_a_flush_leaves_nothing_that_has_ended_in_the_outbox(bench: EngineBench) -> None:
    """However much has ended, the outbox file doesn't grow with it."""
    many = ", ".join(f"bob{number}@example.org" for number in range(405))
    sealed = bench.mailer.seal(letter(to=many), SealRequest(hold=True, each=True))
    for one in sealed:
        bench.mailer.cancel(one.id)
    await bench.flush()
    assert bench.mailer.store.outbox.ended_ids() == []
    assert bench.mailer.history_count() == len(sealed)
