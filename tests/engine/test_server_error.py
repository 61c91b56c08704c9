"""A server error from a mail API says nothing of the mail: what happens then, and what is said, for every provider."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from engine_bench import letter
from http_bench import HttpBench
from http_case import HttpCase, all_cases
from http_lab import HttpLab, Reply

from tui_mailer.domain.submission import State
from tui_mailer.tui.words import Moment, say_why

KEYED = frozenset({"bird", "brevo", "resend"})
FINDABLE = frozenset({"rebilly"})


@pytest.fixture(params=[case for case in all_cases() if case.name != "pigeon"], ids=lambda case: case.name)
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[HttpCase, HttpBench]]:
    """A program with one account at an API, which answers the first request to send with 500."""
    case: HttpCase = request.param
    async with HttpLab(case.rules()) as lab:
        lab.on(case.sends, Reply(500, {"message": "boom"}))
        bench = HttpBench(tmp_path, case.name, lab, secret=case.secret, base_path=case.base_path, **dict(case.settings))
        yield case, bench
        bench.session.close()


async def test_a_500_is_repeated_only_where_that_is_harmless_and_it_says_so(bench: tuple[HttpCase, HttpBench]) -> None:
    """With a key the same request is made again and the row says why; without one a person decides."""
    case, program = bench
    (waiting,) = await program.deliver(program.seal(letter(to="bob@example.net")))
    requests = program.lab.asked(case.sends)
    assert len(requests) == 1
    if case.name in FINDABLE:
        assert waiting.state is State.QUEUED, "it was asked, and hadn't been taken"
    elif case.name in KEYED:
        assert waiting.state is State.DEFERRED
        said = say_why(waiting, Moment(now=datetime.now(UTC)))
        assert "; may have been taken: " in said
        assert "answered 500" in said
        assert "repeated with the same key, by which the provider knows it again: no second mail goes out." in said
    else:
        assert waiting.state is State.UNCERTAIN
        assert "repeated" not in (waiting.error or "")
        assert "it may or may not have gone out" in say_why(waiting, Moment(now=datetime.now(UTC)))
    await program.flush_later(timedelta(minutes=2))
    ended = program.mailer.show(waiting.id)
    if case.name in KEYED | FINDABLE:
        assert ended.state is State.SENT
        assert ended.error is None
        first, second = program.lab.asked(case.sends)
        assert first.body == second.body
        assert first.headers.get("idempotency-key") == second.headers.get("idempotency-key")
    else:
        assert ended.state is State.UNCERTAIN
        assert len(program.lab.asked(case.sends)) == 1


async def test_sent_again_as_configured_it_says_that_it_may_arrive_twice(tmp_path: Path) -> None:
    """With `delivery.uncertain: resend` and no key the repeat isn't harmless, and isn't called so."""
    case = next(one for one in all_cases() if one.name == "sendgrid")
    async with HttpLab(case.rules()) as lab:
        lab.on(case.sends, Reply(500, {}))
        bench = HttpBench(tmp_path, case.name, lab, secret=case.secret, base_path=case.base_path)
        bench.config.write_text(bench.config.read_text().replace("delivery:", "delivery:\n  uncertain: resend"))
        bench.reopen()
        (waiting,) = await bench.deliver(bench.seal(letter(to="bob@example.net")))
        assert waiting.state is State.DEFERRED
        assert (waiting.error or "").endswith("It is sent again, as delivery.uncertain asks: it may arrive twice.")
        bench.session.close()
