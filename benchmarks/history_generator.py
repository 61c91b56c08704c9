"""Fills a data dir with a history of any length, believable and the same on every run; a million rows in minutes.

    .venv/bin/python benchmarks/history_generator.py --rows 1000000 --data-dir .lab/million

The rows are the ones the program writes: a few real submissions are turned into rows by `storage.row.ended_row`, and
only names, words and times in them are replaced. What is special for searching: ``regards`` stands in every text,
account ``rare`` has ten mails spread over all, one in a thousand has failed, one in fifty is in Japanese.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1])]

from tui_mailer.domain.address import parse_address  # noqa: E402 - the checkout it lies in
from tui_mailer.domain.draft import Draft  # noqa: E402
from tui_mailer.domain.message import Message  # noqa: E402
from tui_mailer.domain.submission import Attempt, Kind, Phase, Recipient, RecipientStatus, State  # noqa: E402
from tui_mailer.storage.record import Submission  # noqa: E402
from tui_mailer.storage.row import account_tag, ended_row, state_tag  # noqa: E402
from tui_mailer.storage.store import Store  # noqa: E402

EVERYWHERE = "regards"
"""In every text."""
FREQUENT = "invoice"
"""In about one of six."""
RARE_ACCOUNT = "rare"
RARE_ROWS = 10
FAILED_EVERY = 1000
JAPANESE = "見積書"
"""In one of fifty."""

_WORDS = """
Ada Bob Carol Dee Erik Fatima Grace Hedy Ines Jun Kofi Lena Mia Nils Olu Priya Quinn Rosa Sven Tove
Lovelace Berg Cruz Dahl Engel Fox Gupta Hopper Iwata Jensen Kaya Lind Moreau Novak Okafor Park Ruiz
example.org example.com harbour.example mill.example works.example school.example.net
January February March April May June July August September October November December
the a to of and in for you we is it that on with as this are be have will from at your our not can please thank by or
if all but there which when what would about meeting report project time week day year work plan team order price
ba be bi bo da de di do fa ga ge ka ke ki la le li lo ma me mi mo na ne ni no pa po ra re ri ro sa ta
"""
_FIRST, _LAST, _DOMAINS, _MONTHS, _SMALL, _BUSINESS, _SYLLABLES = (line.split() for line in _WORDS.strip().splitlines())
_COMMON = [*_SMALL, *_BUSINESS]
_TOPICS = (
    "Invoice {n}",
    "Re: Invoice {n} of {month}",
    "Minutes of the {month} meeting",
    "Offer {n} for the harbour works",
    "Your order {n} is on its way",
    "Re: question about the timetable",
    "Timetable for {month}",
    "Photos from {month}",
    "Contract {n}, second draft",
    "Reminder: payment of {n}",
)
_START = datetime(2016, 1, 4, 8, 0, tzinfo=UTC)
_SPAN = timedelta(days=3650)
_BATCH = 5000
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def fill(data_dir: Path, rows: int, *, seed: int = 1843) -> None:
    """Writes the history; the folder must not have one."""
    store = Store.open(data_dir)
    database = store.history._database  # noqa: SLF001 - a benchmark's privilege: nobody else writes in bulk
    connection = database._connection  # noqa: SLF001
    insert = store.history._sql["insert"]  # noqa: SLF001
    for pragma in ("synchronous = OFF", "journal_mode = MEMORY", "cache_size = -400000"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    batch: list[dict[str, Any]] = []
    for one in _rows(rows, random.Random(seed)):
        batch.append(one)
        if len(batch) == _BATCH:
            _write(connection, insert, batch)
            batch = []
    _write(connection, insert, batch)
    for statement in ("PRAGMA journal_mode = WAL", "ANALYZE"):
        connection.execute(statement).fetchall()
    store.close()


def _write(connection: Any, insert: str, batch: list[dict[str, Any]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(insert, batch).fetchall()
    connection.execute("COMMIT")


def _rows(count: int, dice: random.Random) -> Iterator[dict[str, Any]]:
    sentences = _sentences(dice)
    templates = {state: _template(state) for state in (State.SENT, State.PARTIAL, State.FAILED, State.CANCELED)}
    people = [
        (f"{first} {last}", f"{first}.{last}{number}@{domain}".lower())
        for first in _FIRST
        for last in _LAST
        for number, domain in enumerate(_DOMAINS)
    ]
    rare = {(2 * at + 1) * count // (2 * RARE_ROWS) for at in range(RARE_ROWS)}
    for number in range(count):
        at = _START + _SPAN * (number / count) + timedelta(milliseconds=number % 7)
        state = _state(number, dice)
        name, address = people[int(len(people) * dice.random() ** 2)]
        is_japanese = number % 50 == 7
        month = _MONTHS[at.month - 1]
        subject = f"お{JAPANESE}の件 {number}" if is_japanese else dice.choice(_TOPICS).format(n=number, month=month)
        body = "\n\n".join(
            (f"Dear {name},", *dice.sample(sentences, 3), f"Reference {number:x}.\n{EVERYWHERE}, Ada Lovelace")
        )
        account = RARE_ACCOUNT if number in rare else ("home" if number % 6 == 0 else "work")
        yield _fill_in(
            templates[state],
            {"SUBJECT": subject, "NAME": name, "ADDRESS": address, "ACCOUNT": account, "ULID": _ulid(at, number)},
            at=at,
            body=body,
            tags=f"{account_tag(account)} {state_tag(state)}",
        )


def _state(number: int, dice: random.Random) -> State:
    if number % FAILED_EVERY == FAILED_EVERY - 1:
        return State.FAILED
    return dice.choices((State.SENT, State.PARTIAL, State.CANCELED), (97, 2, 1))[0]


def _sentences(dice: random.Random) -> list[str]:
    tail = ["".join(dice.choices(_SYLLABLES, k=dice.randint(2, 4))) for _ in range(30_000)]
    made: list[str] = []
    for _ in range(6000):
        words = dice.choices(_COMMON, k=dice.randint(8, 16)) + dice.choices(tail, k=4)
        dice.shuffle(words)
        if dice.random() < 0.06:
            words.insert(2, FREQUENT)
        made.append(f"{' '.join(words).capitalize()}.")
    return made


def _template(state: State) -> dict[str, Any]:
    """A row as the program writes it, with marks for what differs from one to the next."""
    ended = datetime(2001, 1, 1, tzinfo=UTC)
    statuses = {
        State.SENT: (RecipientStatus.ACCEPTED, RecipientStatus.ACCEPTED),
        State.PARTIAL: (RecipientStatus.ACCEPTED, RecipientStatus.REJECTED),
        State.FAILED: (RecipientStatus.REJECTED, RecipientStatus.REJECTED),
        State.CANCELED: (RecipientStatus.REJECTED, RecipientStatus.REJECTED),
    }[state]
    to = (parse_address("Bob Berg <bob@example.org>"), parse_address("carol@example.com"))
    message = Message(
        id="ULID",
        message_id="<ULID@example.org>",
        sender=parse_address("Ada Lovelace <ada@example.org>"),
        to=to,
        subject="@SUBJECT@",
        text="",
    )
    refused = "550 5.1.1 no such user here" if state in (State.PARTIAL, State.FAILED) else None
    submission = Submission(
        id="ULID",
        message=message,
        account="@ACCOUNT@",
        provider="smtp",
        account_fingerprint="f00d" * 8,
        state=state,
        created_at=ended,
        updated_at=ended,
        not_before=ended,
        size=2100,
        envelope_from="ada@example.org",
        recipients=tuple(
            Recipient(address=one.addr_spec, kind=Kind.TO, status=status, detail=refused or "250 2.1.5 Ok", at=ended)
            for one, status in zip(to, statuses, strict=True)
        ),
        sent_at=ended if state in (State.SENT, State.PARTIAL) else None,
        date=ended,
        attempts=1,
        phase=Phase.DONE,
        response_code=250,
        enhanced_code="2.0.0",
        response_text="2.0.0 Ok: queued as 4C1F2",
        error="canceled by you" if state is State.CANCELED else refused,
        draft=Draft(to="Bob Berg <bob@example.org>, carol@example.com", subject="@SUBJECT@", body=""),
    )
    attempt = Attempt(
        number=1,
        started_at=ended,
        ended_at=ended,
        phase=Phase.DONE,
        provider="smtp",
        code=250,
        enhanced_code="2.0.0",
        text="2.0.0 Ok: queued as 4C1F2",
        transcript=("C: EHLO ada", "S: 250 PIPELINING", "C: MAIL FROM:<ada@example.org>", "S: 250 2.0.0 Ok"),
    )
    return ended_row(replace(submission, is_in_history=False), () if state is State.CANCELED else (attempt,))


def _fill_in(template: dict[str, Any], words: dict[str, str], *, at: datetime, body: str, tags: str) -> dict[str, Any]:
    texts = {key: json.dumps(value)[1:-1] for key, value in words.items()}
    instant = at.isoformat()

    def filled(text: str) -> str:
        return (
            text.replace("@SUBJECT@", texts["SUBJECT"])
            .replace("@ACCOUNT@", texts["ACCOUNT"])
            .replace("Bob Berg", texts["NAME"])
            .replace("bob@example.org", texts["ADDRESS"])
            .replace("ULID", texts["ULID"])
            .replace("2001-01-01T00:00:00+00:00", instant)
        )

    microseconds = int(at.timestamp() * 1_000_000)
    return {
        "position": microseconds // 1000,
        "id": words["ULID"],
        "id_reversed": words["ULID"][::-1],
        "ended_at": microseconds,
        "subject": words["SUBJECT"],
        "sender": template["sender"],
        "recipients": f"{words['NAME']} <{words['ADDRESS']}> carol@example.com",
        "body": body,
        "tags": tags,
        "submission": filled(template["submission"]),
        "draft": filled(template["draft"]),
        "draft_has_body": template["draft_has_body"],
        "attempts": filled(template["attempts"]),
        "has_text": True,
    }


def _ulid(at: datetime, number: int) -> str:
    value = (int(at.timestamp() * 1000) << 80) | (number * 0x9E3779B97F4A7C15 & ((1 << 80) - 1))
    digits = ""
    for _ in range(26):
        value, digit = divmod(value, 32)
        digits = _ALPHABET[digit] + digits
    return digits


def main() -> None:
    """Fills a folder and says how long it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--data-dir", type=Path, required=True)
    arguments = parser.parse_args()
    if (arguments.data_dir / "history.db").exists():
        sys.exit(f"{arguments.data_dir} has a history already; choose another folder.")
    began = time.perf_counter()
    fill(arguments.data_dir, arguments.rows)
    size = (arguments.data_dir / "history.db").stat().st_size
    print(f"{arguments.rows} rows in {time.perf_counter() - began:.0f} s, {size / 1e6:.0f} MB: {arguments.data_dir}")


if __name__ == "__main__":
    main()
