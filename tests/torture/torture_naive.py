"""The two protocols that most mailers have, for comparison: retry on any exception; mark as sent, then send.

Runs as a deliverer process too: ``python torture_naive.py QUEUE PORT retry|mark``.
"""

from __future__ import annotations

import json
import smtplib
import sqlite3
import sys
import time
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from torture_letter import Letter, Verdict
from torture_process import Errand

LEASE_SECONDS = 5.0
TIMEOUT_SECONDS = 2.0
TABLE = "CREATE TABLE message (name TEXT PRIMARY KEY, recipients TEXT, state TEXT, lease_until REAL, told TEXT)"


class Naive:
    """A queue in a database, leases by time stamps, smtplib; ``way`` is ``retry`` or ``mark``."""

    def __init__(self, folder: Path, port: int, way: str) -> None:
        self.name = {"retry": "naive: retry on exception", "mark": "naive: mark sent, then send"}[way]
        self._path = folder / "queue.db"
        self._port = port
        self._way = way
        self._database = _connect(self._path)
        self._database.execute(TABLE)

    def seed(self, many: Sequence[Letter]) -> None:
        """Queues the messages."""
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(
                "INSERT INTO message VALUES (?, ?, 'queued', 0, '[]')",
                [(one.name, json.dumps(one.recipients)) for one in many],
            )

    def next_errand(self) -> Errand:
        """Makes a deliverer."""
        return Errand((sys.executable, __file__, str(self._path), str(self._port), self._way))

    def tend(self) -> None:
        """Has nothing to do: what fails is due again at once."""

    def left(self) -> int:
        """Counts what is queued or in hand."""
        where = "state IN ('queued', 'sending')"
        return int(self._database.execute(f"SELECT count(*) FROM message WHERE {where}").fetchone()[0])

    def verdicts(self) -> dict[str, Verdict]:
        """Reads the queue."""
        found: dict[str, Verdict] = {}
        for recipients, state, told in self._database.execute("SELECT recipients, state, told FROM message"):
            refused = json.loads(told)
            for one in json.loads(recipients):
                is_refused = state == "failed" or one in refused
                found[one] = "refused" if is_refused else "sent" if state == "sent" else "open"
        return found

    def close(self) -> None:
        """Closes the database."""
        self._database.close()


def deliver(database: sqlite3.Connection, port: int, way: str) -> None:
    """Delivers until nothing is left."""
    while (row := _claim(database, way)) is not None:
        name, recipients = row[0], json.loads(row[1])
        try:
            refused = _send(port, name, recipients)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            state = "failed" if all(code >= 500 for code in codes) else "queued"
            refused = {}
        except smtplib.SMTPResponseException as error:
            state, refused = ("failed" if error.smtp_code >= 500 else "queued"), {}
        except (OSError, smtplib.SMTPException):
            state, refused = "queued", {}
        else:
            state = "sent"
        if way == "retry" or state != "queued":  # else it counts as sent, whatever happened
            _mark(database, name, state, refused)


def _claim(database: sqlite3.Connection, way: str) -> Any:
    with database:
        database.execute("BEGIN IMMEDIATE")
        row = database.execute(
            "SELECT name, recipients FROM message WHERE state = 'queued' OR (state = 'sending' AND lease_until < ?)"
            " LIMIT 1",
            (time.time(),),
        ).fetchone()
        if row is not None:
            state = "sent" if way == "mark" else "sending"
            database.execute(
                "UPDATE message SET state = ?, lease_until = ? WHERE name = ?",
                (state, time.time() + LEASE_SECONDS, row[0]),
            )
    return row


def _mark(database: sqlite3.Connection, name: str, state: str, refused: dict[str, Any]) -> None:
    told = json.dumps([one for one, (code, _) in refused.items() if code >= 500])
    put_off = json.dumps([one for one, (code, _) in refused.items() if code < 500])
    with database:
        database.execute("BEGIN IMMEDIATE")
        database.execute("UPDATE message SET state = ?, told = ? WHERE name = ?", (state, told, name))
        if put_off != "[]":
            database.execute("INSERT INTO message VALUES (?, ?, 'queued', 0, '[]')", (f"{name}+", put_off))


def _send(port: int, name: str, recipients: list[str]) -> dict[str, Any]:
    message = EmailMessage()
    message["From"] = "ada@torture.test"
    message["To"] = ", ".join(recipients)
    message["Message-ID"] = f"<{name.rstrip('+')}@torture.test>"
    message.set_content(f"{name}\n")
    connection = smtplib.SMTP("127.0.0.1", port, local_hostname="localhost", timeout=TIMEOUT_SECONDS)
    try:
        return connection.send_message(message, from_addr=f"ada+{name.rstrip('+')}@torture.test")
    finally:
        connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=60, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    return database


if __name__ == "__main__":
    deliver(_connect(Path(sys.argv[1])), int(sys.argv[2]), sys.argv[3])
