"""History at a thousand and at a million rows, in one run: the app's keys, the commands, memory, and adding to it.

    .venv/bin/python benchmarks/history.py [--rows 1000000] [--folder DIR]

The reference is the same program on a thousand rows of the same generator (`history_generator.py`). A figure is held
when it is at most 1.5 x the reference + 50 ms. Data dirs are made where they are missing and kept for the next run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import resource
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "tui"), str(ROOT / "benchmarks")]

from app_stage import Stage, configuration_of, paths_in  # noqa: E402 - the tests know how to run the app
from history_generator import EVERYWHERE, FREQUENT, JAPANESE, fill  # noqa: E402

from tui_mailer.accounts.credential import Credentials  # noqa: E402
from tui_mailer.storage.record import HistoryQuery  # noqa: E402
from tui_mailer.storage.store import Store  # noqa: E402
from tui_mailer.tui.app import make_app  # noqa: E402
from tui_mailer.tui.widgets.history_rows import HistoryRows  # noqa: E402

REFERENCE_ROWS = 1000
REPEATS = 5
ALLOWED_FACTOR = 1.5
ALLOWED_SECONDS = 0.05
ALLOWED_MEGABYTES = 10.0
FILTERS = {
    "a word that every mail has": EVERYWHERE,
    "a frequent word": FREQUENT,
    "a word being typed": FREQUENT[:4],
    "one letter": "i",
    "another letter, few have it": "z",
    "a frequent word of a rare account": f"{EVERYWHERE} account:rare",
    "state:failed": "state:failed",
    "state:canceled and a frequent word": f"state:canceled {FREQUENT}",
    "a state nothing has": "state:deferred",
    "before: alone": "before:2017",
    "after: and a word": f"after:2024 {FREQUENT}",
    "Japanese": JAPANESE,
    "a quoted phrase": f'"{EVERYWHERE} Ada Lovelace"',
    "two frequent words": "meeting report",
    "to: one person": "to:mia.iwata",
    "nothing has it": "qqqqq",
}
Figures = dict[str, float]


async def measure_app(data_dir: Path) -> Figures:
    """Times what a person does in the history, from the key to the rows on the screen."""
    paths = paths_in(data_dir.parent)._replace(data_dir=data_dir)
    app = make_app(configuration=configuration_of(), paths=paths, credentials=Credentials())
    figures: Figures = {}
    async with app.run_test(size=(80, 24)) as pilot:
        stage = Stage(app, pilot)
        await stage.until(lambda: app.desk.engine is not None, "the store open")
        await pilot.pause()
        began = time.perf_counter()
        await stage.press("f4")
        rows = app.screen.query_one(HistoryRows)
        await stage.until(lambda: is_shown(rows), "rows")
        figures["open (F4)"] = time.perf_counter() - began

        async def key(name: str) -> None:
            await stage.press(name)
            await stage.until(lambda: is_shown(rows), "rows")

        figures["Page Down"] = await best(lambda: key("pagedown"))
        figures["End, then Home"] = await best(lambda: both(key("end"), key("home")))
        figures["Page Up from the End"] = await best(lambda: key("pageup"), before=lambda: key("end"))
        await stage.press("home", "slash")
        for what, text in FILTERS.items():
            figures[f"filter: {what}"] = await best(lambda text=text: search(stage, rows, text))
    await asyncio.to_thread(app.desk.stop_engine, grace_seconds=2.0)
    await asyncio.to_thread(app.desk.close)
    figures["memory: peak, MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return figures


def is_shown(rows: HistoryRows) -> bool:
    """Whether every row in view is there."""
    if rows.pages is None:
        return False
    top = rows.scroll_offset.y
    seen = range(top, min(rows.row_count(), top + rows.size.height))
    return all(rows.pages.get(index) is not None for index in [*seen, *([rows.cursor] if rows.row_count() else [])])


async def both(first: Awaitable[None], second: Awaitable[None]) -> None:
    """Does one after the other."""
    await first
    await second


async def search(stage: Stage, rows: HistoryRows, text: str) -> None:
    """Asks another filter and waits for its first page."""
    screen = stage.app.screen
    pages = rows.pages
    with screen.prevent(type(screen.filter).Changed):  # type: ignore[attr-defined]
        screen.filter.value = text  # type: ignore[attr-defined]
    await screen.reload_first_page()  # type: ignore[attr-defined]
    await stage.until(lambda: rows.pages is not pages and is_shown(rows), "rows")


async def best(act: Callable[[], Awaitable[None]], before: Callable[[], Awaitable[None]] | None = None) -> float:
    """The median of some tries: one that another process held up counts no more than one that was lucky."""
    taken: list[float] = []
    for _ in range(REPEATS):
        if before is not None:
            await before()
        began = time.perf_counter()
        await act()
        taken.append(time.perf_counter() - began)
    return sorted(taken)[REPEATS // 2]


def measure_commands(data_dir: Path) -> Figures:
    """Times whole commands, the interpreter's start included."""
    figures: Figures = {}
    for what, arguments in {
        "command: history list": ["list"],
        "command: history search": ["search", EVERYWHERE],
        "command: history show": ["show", "{id}"],
    }.items():
        taken: list[float] = []
        for _ in range(REPEATS):
            store = Store.open(data_dir)
            last = store.history.page_up(HistoryQuery(), 1)[0].id
            store.close()
            command = [sys.executable, "-m", "tui_mailer", "--data-dir", str(data_dir), "history"]
            began = time.perf_counter()
            subprocess.run([*command, *(one.format(id=last) for one in arguments)], check=True, capture_output=True)
            taken.append(time.perf_counter() - began)
        figures[what] = sorted(taken)[REPEATS // 2]
    return figures


def measure_adding(data_dir: Path, count: int = 200) -> Figures:
    """Times moving what has ended into the history, and takes it out again; per mail."""
    store = Store.open(data_dir)
    history = store.history
    newest = [(history.get(one.id), history.attempts(one.id)) for one in history.page(limit=count)]
    taken: list[float] = []
    for one, _attempts in newest:
        began = time.perf_counter()
        history.delete(one.id)
        taken.append(time.perf_counter() - began)
    began = time.perf_counter()
    history.insert_many(newest)
    added = time.perf_counter() - began
    store.close()
    return {"adding, a mail": added / count, "deleting for good, a mail": sorted(taken)[count // 2]}


def figures_of(data_dir: Path) -> Figures:
    """Everything about one data dir, in a process of its own, so that memory is its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", str(data_dir)], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def report(reference: Figures, large: Figures, rows: int) -> bool:
    """Prints both, their ratio, and whether the bound is held; says whether all are."""
    held = list[bool]()
    print(f"{'':<46}{REFERENCE_ROWS:>9} {rows:>10}  ratio")
    for what, figure in large.items():
        base = reference[what]
        if what.startswith("memory"):
            held.append(figure - base <= ALLOWED_MEGABYTES)
            said = f"{base:>9.1f} {figure:>10.1f}"
        else:
            held.append(figure <= ALLOWED_FACTOR * base + ALLOWED_SECONDS)
            said = f"{base * 1000:>6.1f} ms {figure * 1000:>7.1f} ms"
        print(f"{what:<46}{said}  {figure / base:>5.2f}{'' if held[-1] else '  NOT HELD'}")
    return all(held)


def main() -> None:
    """Makes what is missing, measures both, reports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=ROOT / ".lab" / "history")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one is not None:
        figures = asyncio.run(measure_app(arguments.one))
        figures |= measure_commands(arguments.one) | measure_adding(arguments.one)
        print(json.dumps(figures))
        return
    folders = {count: arguments.folder / f"rows-{count}" / "data" for count in (REFERENCE_ROWS, arguments.rows)}
    for count, folder in folders.items():
        if not (folder / "history.db").exists():
            print(f"filling {folder} with {count} rows ...", file=sys.stderr)
            folder.mkdir(parents=True, exist_ok=True)
            # In a process of its own: what that one needed would count as the peak of those that are measured.
            filling = multiprocessing.get_context("spawn").Process(target=fill, args=(folder, count))
            filling.start()
            filling.join()
            if filling.exitcode != 0:
                sys.exit(1)
    if not report(figures_of(folders[REFERENCE_ROWS]), figures_of(folders[arguments.rows]), arguments.rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
