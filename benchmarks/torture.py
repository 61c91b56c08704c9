"""Puts the outbox to the torture and counts what was lost, doubled or falsely told; naive protocols beside it.

benchmarks/torture --messages 18000 --kills 60 --stops 20 --jumps 30 --policy ask
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import random
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "torture")]

from torture_http import TortureApi, api_account  # noqa: E402 - the tests own the harness
from torture_letter import Tortured  # noqa: E402
from torture_naive import Naive  # noqa: E402
from torture_ours import Ours, smtp_account  # noqa: E402
from torture_report import report  # noqa: E402
from torture_run import Count, Plan, torture  # noqa: E402
from torture_server import TortureServer  # noqa: E402
from torture_truth import Truth  # noqa: E402

PROTOCOLS = ("ask", "resend", "naive-retry", "naive-mark")
APIS = {"api-key": ("resend", 0), "api-expired": ("resend", 90_000), "api-none": ("postmark", 0)}
"""Mail APIs: the provider, and by how many seconds time goes on at a jump (a key lives a day)."""


async def run(plan: Plan, protocol: str, folder: Path) -> Count:
    """Tortures one protocol."""
    truth = Truth(folder / "truth.jsonl")
    dice = random.Random(plan.seed + 1)
    server: TortureServer | TortureApi
    if protocol in APIS:
        provider, stride = APIS[protocol]
        plan = replace(plan, stride=stride, jumps=3 if stride else 0)
        key_seconds = 86_400.0 if provider == "resend" else None
        server = TortureApi(truth, dice, broken=plan.broken, key_seconds=key_seconds)
    else:
        server = TortureServer(truth, dice, broken=plan.broken, liars=plan.liars)

    def make(place: Path, dice: random.Random) -> Tortured:
        if protocol.startswith("naive-"):
            return Naive(place, server.port, protocol.removeprefix("naive-"))
        if protocol in APIS:
            account = api_account(provider, server.port, place)
            return Ours(place, account, policy="ask", dice=dice, by_send=plan.by_send)
        return Ours(place, smtp_account(server.port), policy=protocol, dice=dice, by_send=plan.by_send)

    async with server:
        try:
            count = await torture(plan, folder, server, make, lambda text: print(text, file=sys.stderr, flush=True))
        finally:
            truth.close()
    if isinstance(server, TortureApi):
        count.protocol = f"tui-mailer, {protocol}"
        count.happened["repeats known by key"] = server.repeats
    return count


def main() -> int:
    """Reads the command line, tortures, reports; 1 if tui-mailer lost, doubled or falsely told anything."""
    arguments = _arguments()
    faulthandler.register(signal.SIGUSR1)  # a torture that stands still can be asked where
    plan = Plan(
        messages=arguments.messages,
        kills=arguments.kills,
        stops=arguments.stops,
        jumps=arguments.jumps,
        broken=arguments.broken,
        liars=arguments.liars,
        deliverers=arguments.deliverers,
        kill_every=arguments.kill_every,
        seed=arguments.seed,
        by_send=arguments.by_send if arguments.by_send is not None else arguments.messages // 50,
        limit_seconds=arguments.limit,
    )
    is_clean = True
    for protocol in arguments.protocol or PROTOCOLS:
        place = arguments.folder or ROOT / ".lab"
        place.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="torture-", dir=place) as folder:
            count = asyncio.run(run(plan, protocol, Path(folder)))
            if arguments.keep and not count.is_clean:
                Path(folder).rename(place / f"kept-{protocol}-{plan.seed}")
                Path(folder).mkdir()
        print(report(count), flush=True)
        is_clean &= count.is_clean or protocol.startswith("naive-") or (protocol == "resend" and not count.lost)
    return 0 if is_clean else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks/torture", description=__doc__)
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=50, help="kill -9, spread over the messages")
    parser.add_argument("--stops", type=int, default=15, help="SIGSTOP for longer than the lease lasts")
    parser.add_argument("--jumps", type=int, default=20, help="jumps of the wall clock (needs libfaketime)")
    parser.add_argument("--broken", type=float, default=0.15, help="share of transactions broken on purpose")
    parser.add_argument("--liars", type=float, default=0.0, help="share kept by the server and refused all the same")
    parser.add_argument("--deliverers", type=int, default=4, help="processes at once")
    parser.add_argument("--kill-every", type=float, help="seconds: a kill by the clock, of one that is connected")
    parser.add_argument("--by-send", type=int, help="messages that `send --key` brings in (default: one in 50)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=float, default=3600.0, help="seconds for the tormented part")
    parser.add_argument(
        "--protocol", action="append", choices=(*PROTOCOLS, *APIS), help="repeatable; by default all of SMTP"
    )
    parser.add_argument("--folder", type=Path, help="where to work (default: .lab)")
    parser.add_argument("--keep", action="store_true", help="keep the data of a torture that found something")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
