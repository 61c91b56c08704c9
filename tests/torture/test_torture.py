"""The torture in small: what `benchmarks/torture` does with thousands of messages, and the proof that it can fail."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from torture_http import TortureApi, api_account
from torture_letter import Tortured
from torture_naive import Naive
from torture_ours import Ours, smtp_account
from torture_process import FAKETIME
from torture_report import report
from torture_run import Count, Plan, torture
from torture_server import TortureServer
from torture_truth import Truth

Make = Callable[[int], Callable[[Path, random.Random], Tortured]]


async def tortured(plan: Plan, folder: Path, make: Make) -> Count:
    truth = Truth(folder / "truth.jsonl")
    server = TortureServer(truth, random.Random(plan.seed), broken=plan.broken)
    async with server:
        count = await torture(plan, folder, server, make(server.port))
    truth.close()
    return count


def ours(policy: str, *, by_send: int) -> Make:
    return lambda port: lambda folder, dice: Ours(folder, smtp_account(port), policy=policy, dice=dice, by_send=by_send)


def naive(way: str) -> Make:
    return lambda port: lambda folder, _dice: Naive(folder, port, way)


@pytest.mark.servers
@pytest.mark.skipif(not FAKETIME.exists(), reason="SKIPPED: libfaketime (Debian package) isn't installed")
async def test_nothing_is_lost_or_doubled_or_falsely_told(tmp_path: Path) -> None:
    """Killed, stopped beyond the lease, the clock turned, a quarter of the transactions broken: all is told truly."""
    plan = Plan(messages=150, kills=6, stops=1, jumps=4, broken=0.25, by_send=6)
    count = await tortured(plan, tmp_path, ours("ask", by_send=plan.by_send))
    assert count.is_clean, report(count)
    assert count.happened["kill -9"] == 6
    assert count.happened["SIGSTOP beyond the lease"] == 1
    assert sum(count.faults.values()) > 20
    assert count.verdicts["sent"] > 100


async def test_with_resend_nothing_is_lost_and_nothing_waits_for_a_person(tmp_path: Path) -> None:
    """Whoever would rather have a copy too many than one too few gets exactly that."""
    plan = Plan(messages=100, kills=4, stops=0, broken=0.25)
    count = await tortured(plan, tmp_path, ours("resend", by_send=0))
    assert (count.lost, count.false_sent, count.false_failed, count.left) == (0, 0, 0, 0), report(count)


async def test_a_storm_of_kills_in_the_middle_of_deliveries_doubles_and_loses_nothing(tmp_path: Path) -> None:
    """Each is killed as soon as it has got as far as the server: whatever that leaves is told truly."""
    plan = Plan(messages=60, kills=0, stops=0, broken=0.4, deliverers=3, kill_every=0.2)
    count = await tortured(plan, tmp_path, ours("ask", by_send=0))
    assert count.is_clean, report(count)
    assert count.happened["kill -9 in a transaction"] > 0, report(count)


@pytest.mark.servers
@pytest.mark.skipif(not FAKETIME.exists(), reason="SKIPPED: libfaketime (Debian package) isn't installed")
@pytest.mark.parametrize(
    ("provider", "key_seconds", "stride"),
    [("resend", 86_400, 0), ("resend", 86_400, 90_000), ("postmark", None, 0)],
    ids=["key kept", "key expired", "no key"],
)
async def test_a_mail_api_sends_nothing_twice(
    tmp_path: Path, provider: str, key_seconds: float | None, stride: int
) -> None:
    """What was never answered is repeated only under a key the API still knows; else it is shown as uncertain."""
    plan = Plan(messages=30, kills=1, stops=0, jumps=1 if stride else 0, stride=stride, broken=0.4)
    truth = Truth(tmp_path / "truth.jsonl")
    api = TortureApi(truth, random.Random(plan.seed), broken=plan.broken, key_seconds=key_seconds)

    def make(folder: Path, dice: random.Random) -> Tortured:
        return Ours(folder, api_account(provider, api.port, folder), policy="ask", dice=dice)

    async with api:
        count = await torture(plan, tmp_path, api, make)
    truth.close()
    assert count.is_clean, report(count)
    assert sum(count.faults.values()) > 5
    if key_seconds and not stride:
        assert api.repeats > 0
    else:
        assert count.uncertain > 0


async def test_retrying_on_any_exception_is_caught(tmp_path: Path) -> None:
    """The torture finds the copies that the usual protocol makes."""
    count = await tortured(Plan(messages=250, kills=4, stops=0, broken=0.25), tmp_path, naive("retry"))
    assert count.duplicates > 0, report(count)


async def test_marking_before_sending_is_caught(tmp_path: Path) -> None:
    """The torture finds what the other usual protocol loses and calls sent."""
    count = await tortured(Plan(messages=150, kills=4, stops=0, broken=0.25), tmp_path, naive("mark"))
    assert count.false_sent > 0, report(count)
