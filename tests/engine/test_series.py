"""Recurring mail: each occurrence is a submission of its own, made once whatever is killed when, and never a flood."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import signal
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from engine_bench import EngineBench, letter
from smtp_server import ScriptedServer

from tui_mailer.domain.submission import State
from tui_mailer.services.series import keep_up
from tui_mailer.storage.record import Submission

LATE = timedelta(hours=24)


def waiting(bench: EngineBench) -> list[Submission]:
    return [one for one in bench.mailer.outbox(limit=100) if one.series_id is not None]


def at(bench: EngineBench, moment: datetime) -> int:
    """What a process does that starts at that moment."""
    return keep_up(bench.mailer.store, moment, LATE)


async def test_each_occurrence_is_a_message_of_its_own_and_leaves_in_time(bench: EngineBench, server: ScriptedServer):
    """Three in three seconds: three Message-IDs, then it is over."""
    bench.seal(letter(schedule="FREQ=SECONDLY;INTERVAL=1;COUNT=3"))
    engine = bench.session.engine("deliver", bench.events.append)
    engine.start()
    try:
        async with asyncio.timeout(30):
            while len(bench.mailer.history()) < 3:
                await asyncio.sleep(0.05)
    finally:
        await asyncio.to_thread(engine.stop)
    sent = bench.mailer.history()
    assert len({one.message.message_id for one in sent}) == 3
    assert len({one.series_id for one in sent}) == 1
    assert {one.schedule_words for one in sent} == {"FREQ=SECONDLY;INTERVAL=1;COUNT=3"}
    assert len(server.stored) == 3
    assert bench.mailer.outbox() == []
    assert not bench.mailer.store.outbox.has_series(sent[0].series_id or "")


async def test_the_next_one_is_there_as_soon_as_the_last_has_come(bench: EngineBench):
    """One always waits in the outbox, where it can be seen, moved or canceled."""
    first = bench.seal(letter(schedule="every day 9:00"))
    assert at(bench, datetime.now(UTC)) == 0
    assert at(bench, first.not_before) == 1
    assert at(bench, first.not_before) == 0
    newer, older = waiting(bench)
    assert older.id == first.id
    assert timedelta(hours=23) <= newer.not_before - older.not_before <= timedelta(hours=25)
    assert newer.message.message_id != older.message.message_id
    assert newer.message.text == older.message.text


@pytest.mark.parametrize(("hours_late", "is_sent_late"), [(3, True), (12, True)])
async def test_after_days_off_only_the_latest_goes_out(bench: EngineBench, hours_late: int, is_sent_late: bool):
    """A computer that was off for ten days sends one, the latest, if it is less than a day late."""
    first = bench.seal(letter(schedule="every day 9:00"))
    now = first.not_before + timedelta(days=10, hours=hours_late)
    at(bench, now)
    newer, older = waiting(bench)
    assert older.id == first.id
    assert timedelta(hours=hours_late - 2) <= now - older.not_before <= timedelta(hours=hours_late + 2)
    assert newer.not_before > now
    assert at(bench, now) == 0


async def test_what_is_too_late_is_moved_on_not_caught_up(bench: EngineBench):
    """A weekly message missed by days waits for its next week, and says so."""
    first = bench.seal(letter(schedule="every monday 9:00"))
    now = first.not_before + timedelta(days=17)
    at(bench, now)
    (only,) = waiting(bench)
    assert only.id == first.id
    assert now < only.not_before < now + timedelta(days=7)
    assert "Moved on" in (only.error or "")


async def test_canceling_one_skips_it_and_canceling_the_series_ends_it(bench: EngineBench):
    """x on one leaves the others; the series is ended by its own word."""
    first = bench.seal(letter(schedule="every day 9:00"))
    bench.mailer.cancel(first.id)
    (second,) = waiting(bench)
    assert second.id != first.id
    assert second.not_before > first.not_before
    ended = bench.mailer.stop_series(first.id)
    assert (ended.id, ended.state) == (second.id, State.CANCELED)
    at(bench, first.not_before + timedelta(days=9))
    assert waiting(bench) == []


async def test_a_stopped_series_sends_what_is_under_way_and_nothing_more(bench: EngineBench):
    """A draft sealed as a series is gone from the drafts, and one key makes one series."""
    from tui_mailer.services.mailer import SealRequest

    request = SealRequest(key="weekly")
    first = bench.seal(letter(schedule="every monday 9:00"), request)
    again = bench.seal(letter(schedule="every monday 9:00"), request)
    assert again.id == first.id
    assert len(waiting(bench)) == 1


async def test_attachments_live_as_long_as_the_series(bench: EngineBench, tmp_path: Path):
    """The file is sent each time, though nothing else refers to it any more."""
    from tui_mailer.domain.draft import DraftAttachment

    plan = tmp_path / "plan.txt"
    plan.write_text("the plan")

    draft = letter(schedule="every day 9:00")._replace(attachments=(DraftAttachment(source=str(plan)),))
    first = bench.seal(draft)
    plan.unlink()
    (sha256,) = [one.sha256 for one in first.message.attachments]
    assert any(sha256 in text for text in bench.mailer.store.outbox.series_texts() if sha256)
    at(bench, first.not_before)
    newest = waiting(bench)[0]
    assert [one.sha256 for one in newest.message.attachments] == [sha256]


KILLED_AFTER = (1, 2, 3, 2, 4, 1)
"""So many words (JSON lines) a process is heard to say, its start not counted, before it is killed."""


async def listen(process: asyncio.subprocess.Process, words: int) -> None:
    """Waits until a process leads or stands by, and then for so many words more, or a second for each."""
    assert process.stdout
    while not re.search(rb'"(leading|standing_by)"', await process.stdout.readline()):
        pass
    for _ in range(words):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.stdout.readline(), 1)


async def test_two_processes_killed_at_any_moment_make_each_occurrence_once(tmp_path: Path, server: ScriptedServer):
    """Kill -9 in between: every second has its one message, none has two.

    A process that was killed at its first word each time would never get anything sent, and starting one takes seconds
    on a busy machine: the moments lie between its words, and after some kills the last two are left to finish.
    """
    dice = random.Random(99)
    bench = EngineBench(tmp_path, server.port)
    bench.seal(letter(schedule="FREQ=SECONDLY;INTERVAL=1;COUNT=5"))
    command = (
        *(sys.executable, "-m", "tui_mailer", "--config", str(bench.config), "--data-dir", str(tmp_path / "data")),
        *("deliver", "--json"),
    )

    async def start() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )

    processes = [await start(), await start()]
    kills = iter(KILLED_AFTER)
    try:
        async with asyncio.timeout(120):
            while waiting(bench):
                assert len(made_so_far := bench.mailer.history(limit=100)) <= 5, made_so_far
                words = next(kills, None)
                if words is None:
                    await asyncio.sleep(0.1)
                else:
                    victim = processes.pop(0)
                    processes.append(await start())
                    await listen(victim, words)
                    await asyncio.sleep(dice.uniform(0, 0.05))
                    victim.send_signal(signal.SIGKILL)
                    await victim.wait()
                for one in waiting(bench):
                    if one.state is State.UNCERTAIN:
                        bench.mailer.settle(one.id, "sent")
    finally:
        for process in processes:
            process.send_signal(signal.SIGKILL)
            await process.wait()
    await bench.flush()
    made = Counter(one.not_before for one in bench.mailer.history(limit=100))
    assert set(made.values()) == {1}
    assert 3 <= len(made) <= 5  # on a machine too busy to look within ten seconds, some are passed over
    delivered = Counter(line for one in server.stored for line in one.body.split(b"\r\n") if b"Message-ID" in line)
    assert set(delivered.values()) == {1}
    bench.session.close()
