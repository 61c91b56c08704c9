"""Killed at each statement of a migration: the database is as it was, or as it is to be, and opens."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import apsw
from storage_fixtures import HandClock, Post

from tui_mailer.storage.statement import migrations
from tui_mailer.storage.store import Store

OPEN_AND_DIE = """
import os, signal, sys
from pathlib import Path
import apsw
left = int(sys.argv[2])
CHANGES = ("CREATE", "ALTER", "UPDATE", "INSERT", "DELETE", "DROP", "COMMIT", "VACUUM")
def trace(cursor, statement, bindings):
    global left
    if statement.lstrip().startswith(CHANGES) or "user_version =" in statement or "application_id =" in statement:
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
    return True
apsw.connection_hooks.append(lambda connection: setattr(connection, "exec_trace", trace))
from tui_mailer.storage.store import Store
Store.open(Path(sys.argv[1])).close()
"""


def old_outbox(data_dir: Path) -> None:
    """Makes an outbox as the first version left it, with two messages in it."""
    data_dir.mkdir(mode=0o700)
    connection = apsw.Connection(str(data_dir / "outbox.db"))
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute(migrations("outbox")[0]).fetchall()
    for serial in "12":
        connection.execute(
            "INSERT INTO submission (id, state, account, provider, account_fingerprint, created_at, updated_at,"
            " not_before, due_at, size, envelope_from, keep, is_kept_locally)"
            " VALUES (?, 'queued', 'work', 'smtp', 'f', 1, 1, 1, 1, 1, 'a@example.org', 1, 0)",
            (f"{'0' * 25}{serial}",),
        ).fetchall()
        connection.execute(
            "INSERT INTO sealed VALUES (?, ?, NULL)",
            (f"{'0' * 25}{serial}", "{}"),
        ).fetchall()
    connection.execute("PRAGMA user_version = 1; PRAGMA application_id = 0x74754D6F").fetchall()
    connection.close()


def test_killed_at_any_statement_of_a_migration_it_opens_right_afterwards(tmp_path: Path, clock: HandClock) -> None:
    """An update cut off by a power cut or an impatient person costs nothing: both messages are there and go on."""
    for statement in range(100):
        data_dir = tmp_path / str(statement)
        old_outbox(data_dir)
        died = subprocess.run(
            [sys.executable, "-c", OPEN_AND_DIE, str(data_dir), str(statement)], capture_output=True, check=False
        )
        assert died.returncode in (0, -signal.SIGKILL), died.stderr
        connection = apsw.Connection(str(data_dir / "outbox.db"))
        version = next(iter(connection.execute("PRAGMA user_version").fetchall()))[0]
        assert version in (1, len(migrations("outbox")))
        connection.close()
        post = Post(Store.open(data_dir, clock=clock), clock)
        assert post.outbox._database.rows("PRAGMA integrity_check") == [{"integrity_check": "ok"}]
        assert [one["id"][-1] for one in post.outbox._database.rows("SELECT id FROM submission ORDER BY id")] == [
            "1",
            "2",
        ]
        post.store.close()
        if died.returncode == 0:
            break
    assert statement >= 5
