"""``--each``: one submission per recipient."""

from __future__ import annotations

from engine_bench import EngineBench, letter

from tui_mailer.services.mailer import SealRequest


async def test_an_address_that_is_named_twice_gets_one_message(bench: EngineBench):
    """As in a message to all at once: the first mention stands, in its place."""
    to = "Bob <bob@example.org>, eve@example.org, bob@EXAMPLE.org, joe@example.org, eve@example.org"
    sealed = bench.mailer.seal(letter(to=to), SealRequest(each=True, key="k"))
    assert [one.recipients[0].address for one in sealed] == ["bob@example.org", "eve@example.org", "joe@example.org"]
    assert str(sealed[0].message.to[0]) == "Bob <bob@example.org>"


async def test_no_key_of_another_message_is_met_by_those_fanned_out(bench: EngineBench):
    """Whatever a person's keys look like, each message is stored: before and after one under ``--each``."""
    before = bench.mailer.seal(letter(to="cy@example.org"), SealRequest(key="k#1"))
    sealed = bench.mailer.seal(letter(to="bob@example.org, eve@example.org"), SealRequest(each=True, key="k"))
    after = bench.mailer.seal(letter(to="dan@example.org"), SealRequest(key="k#2"))
    assert len({one.id for one in (*before, *sealed, *after)}) == 4
    again = bench.mailer.seal(letter(to="bob@example.org, eve@example.org"), SealRequest(each=True, key="k"))
    assert [one.id for one in again] == [one.id for one in sealed]
