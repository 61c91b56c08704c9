"""Opens a SQLite file the way this program needs it, runs statements, and says in a sentence what went wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Protocol
from urllib.parse import quote

import apsw

from tui_mailer.domain.errors import NewerDatabase, StorageError
from tui_mailer.storage import file_system
from tui_mailer.storage.database_error import (
    BUSY_TIMEOUT_MILLISECONDS,
    DatabaseBusy,
    DiskFull,
    damaged,
    foreign,
    sentence,
    translated,
)
from tui_mailer.storage.segment import segmented
from tui_mailer.storage.statement import migrations

LARGEST_CHECKED_AT_START = 64 * 1024 * 1024
"""Bytes; ``quick_check`` reads the whole file, which is a millisecond for an outbox and a minute for a big one."""
LARGEST_COPIED = 256 * 1024 * 1024
"""Bytes up to which a database is copied before it is brought up to date; copying 5 GB takes minutes."""
_PAUSE_SECONDS = 0.02
_WAL_LIMIT = 8 * 1024 * 1024
_MEMORY = ":memory:"
_VERSION_OFFSET = 60
"""Where a SQLite file keeps its ``user_version`` (file format, section 1.3)."""

Row = Mapping[str, Any]
Bindings = Mapping[str, Any]


class MigrationLock(Protocol):
    """Keeps others away while a database that holds rows is migrated."""

    def alone(self) -> AbstractContextManager[None]:
        """Waits until no other process has the store open; raises `StorageError` when one stays."""
        ...


@dataclass(frozen=True, slots=True)
class Schema:
    """What a database file holds: its mark and the scripts that make it, version 1 first."""

    name: str
    application_id: int
    scripts: tuple[str, ...]
    functions: tuple[Callable[..., Any], ...] = ()
    """What its triggers call, under the name it has here: of one argument, pure."""

    @property
    def version(self) -> int:
        """The ``user_version`` this program writes."""
        return len(self.scripts)


def outbox_schema() -> Schema:
    """Reads the outbox' schema."""
    return Schema("outbox", 0x74754D6F, migrations("outbox"))


def history_schema() -> Schema:
    """Reads the history's schema."""
    return Schema("history", 0x74754D68, migrations("history"), functions=(segmented,))


class Database:
    """One connection, used by one thread at a time; every write is inside `transaction`."""

    def __init__(self, connection: apsw.Connection, schema: Schema, path: Path | None) -> None:
        self._connection = connection
        self._schema = schema
        self._path = path
        self._place = _place_of(path)
        self._is_wal = False
        self._is_full_sync = True
        self._columns: dict[str, tuple[str, ...]] = {}

    @classmethod
    def open(
        cls, path: Path | None, schema: Schema, *, lock: MigrationLock | None = None, is_checked: bool = False
    ) -> Database:
        """Opens or creates a database file with mode 0600 (None: one in memory) and brings it up to date.

        Raises `NewerDatabase`, `DamagedStore` and `StorageError`. ``is_checked`` looks for damage first.
        """
        if path is not None:
            file_system.create_private_file(path)
        database: Database | None = None
        try:
            with translated(path):
                connection = apsw.Connection(str(path) if path else _MEMORY, flags=_open_flags(path))
            database = cls(connection, schema, path)
            database._prepare()
            if is_checked and path is not None and path.stat().st_size <= LARGEST_CHECKED_AT_START:
                _refuse_damaged(database, path)
            database._migrate(lock)
        except BaseException:
            if database is not None:
                database.close()
            raise
        return database

    @classmethod
    def open_read_only(cls, path: Path, schema: Schema) -> Database:
        """Opens a database on a disk that takes no writes, whoever asks; raises `StorageError`."""
        log = path.with_name(f"{path.name}-wal")
        # Without a log nothing is left to be folded in, and SQLite needs no shared memory, which it couldn't make.
        is_whole = not (log.exists() and log.stat().st_size)
        uri = f"file:{quote(str(path))}?{'immutable=1' if is_whole else 'mode=ro'}"
        with translated(path):
            connection = apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
        database = cls(connection, schema, path)
        try:
            database._prepare(is_read_only=True)
            _refuse_older(database._pragma("user_version"), schema, path)
        except BaseException:
            database.close()
            raise
        return database

    def close(self) -> None:
        """Closes the connection; the last one to leave folds the write-ahead log into the file."""
        self._connection.close(force=True)

    # statements

    def rows(self, sql: str, bindings: Bindings | None = None) -> list[Row]:
        """Runs one statement and returns its rows by column name."""
        try:
            cursor = self._connection.execute(sql, bindings)  # pyright: ignore[reportUnknownMemberType]
            names = self._columns.get(sql)
            if names is None:
                # Read once: the schema stays as it is while the database is open.
                names = self._columns[sql] = tuple(name for name, _ in cursor.get_description())
            return [dict(zip(names, values, strict=True)) for values in cursor]
        except apsw.ExecutionCompleteError:
            return []  # without rows there are no columns to ask for
        except apsw.Error as error:
            raise sentence(error, self._path) from error

    def row(self, sql: str, bindings: Bindings | None = None) -> Row | None:
        """Runs one statement and returns its first row, if any."""
        found = self.rows(sql, bindings)
        return found[0] if found else None

    def run(self, sql: str, bindings: Bindings | None = None) -> int:
        """Runs one statement and returns how many rows it changed."""
        try:
            self._execute(sql, bindings)
            return self._connection.changes()
        except apsw.Error as error:
            raise sentence(error, self._path) from error

    def run_many(self, sql: str, many: Sequence[Bindings]) -> None:
        """Runs one statement once for each set of bindings."""
        try:
            self._connection.executemany(sql, many).fetchall()  # pyright: ignore[reportUnknownMemberType]
        except apsw.Error as error:
            raise sentence(error, self._path) from error

    @contextmanager
    def snapshot(self) -> Generator[None]:
        """Reads several rows as they were at one instant, whatever others commit meanwhile."""
        if self._connection.in_transaction:
            yield
            return
        with translated(self._path):
            self._execute("BEGIN")
            try:
                yield
            finally:
                self._execute("COMMIT")

    @contextmanager
    def transaction(self, *, is_durable: bool = True) -> Generator[None]:
        """Commits what is done inside, or on any exception nothing.

        The write lock is taken at once: a read that turns into a write later fails with a stale snapshot, whatever
        the busy timeout. A commit that isn't durable is seen by every process and outlives each of them, but a power
        cut may take it back, with all that were not durable after the last one that was.
        """
        self._sync(is_full=is_durable)
        with translated(self._path):
            self._execute("BEGIN IMMEDIATE")
            try:
                self._refuse_newer()
                yield
                self._execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._execute("ROLLBACK")
                raise

    def require_in_place(self) -> None:
        """Raises `StorageError` when the file was removed or another put in its place: what is written here is lost."""
        if _place_of(self._path) != self._place:
            raise StorageError(
                f"{self._path} was removed or replaced while tui-mailer was running: nothing more is taken or sent. "
                "Close every tui-mailer (tui-mailer service status tells about the service) and start it again."
            )

    def data_version(self) -> int:
        """Returns a number that changes when another connection has committed; raises `NewerDatabase`."""
        # The pragma, not the file control of this name, which counts our own commits too.
        version = self._pragma("data_version")
        self._refuse_newer()
        return version

    def forget_log(self) -> None:
        """Empties the write-ahead log, if nobody is reading: deleted text must not linger in it."""
        if self._is_wal:
            try:
                self.rows("PRAGMA wal_checkpoint(TRUNCATE)")
            except DatabaseBusy:
                return  # the next commit past the limit does it

    # opening

    def _prepare(self, *, is_read_only: bool = False) -> None:
        connection = self._connection
        connection.set_busy_timeout(BUSY_TIMEOUT_MILLISECONDS)
        with translated(self._path):
            for pragma in ("foreign_keys = ON", "trusted_schema = OFF", "secure_delete = ON", "cell_size_check = ON"):
                self._execute(f"PRAGMA {pragma}")
            for function in self._schema.functions:
                # Innocuous, for a schema that isn't trusted may call nothing else.
                connection.create_scalar_function(  # pyright: ignore[reportUnknownMemberType]
                    function.__name__, function, 1, deterministic=True, flags=apsw.SQLITE_INNOCUOUS
                )
            version = self._pragma("user_version")
            if version and self._pragma("application_id") != self._schema.application_id:
                raise foreign(self._path)
            self._refuse_newer(version)
            if self._path is not None and not is_read_only:
                self._choose_journal(self._path)

    def _choose_journal(self, path: Path) -> None:
        if file_system.is_on_network(path.parent):
            # A write-ahead log needs memory shared by all its users, which other hosts don't have.
            self._execute("PRAGMA journal_mode = DELETE")
            self._execute("PRAGMA synchronous = EXTRA")
            return
        mode = _patiently(lambda: self.rows("PRAGMA journal_mode = WAL"))[0]["journal_mode"]
        self._execute("PRAGMA synchronous = FULL")
        self._execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT}")
        self._is_wal = mode == "wal"

    def _migrate(self, lock: MigrationLock | None) -> None:
        version = self._pragma("user_version")
        if version == self._schema.version:
            return
        # Asked once more behind it: another process may just have made it.
        if version == 0 and self.rows("SELECT 1 FROM sqlite_schema LIMIT 1") and self._pragma("user_version") == 0:
            raise foreign(self._path)
        is_shared = version > 0 and lock is not None
        with lock.alone() if is_shared and lock is not None else nullcontext():
            if version > 0 and self._path is not None:
                _back_up(self, self._path, version)
            with translated(self._path):
                self._execute("BEGIN IMMEDIATE")
                try:
                    for number, script in enumerate(self._schema.scripts, 1):
                        if number > self._pragma("user_version"):
                            self._execute(script)
                            self._execute(f"PRAGMA user_version = {number}")
                    self._execute(f"PRAGMA application_id = {self._schema.application_id}")
                    self._execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:
                        self._execute("ROLLBACK")
                    raise

    # small things

    def _execute(self, sql: str, bindings: Bindings | None = None) -> None:
        """Runs statements to their end and leaves their rows."""
        self._connection.execute(sql, bindings).fetchall()  # pyright: ignore[reportUnknownMemberType]

    def _pragma(self, name: str) -> int:
        return int(next(iter(self.rows(f"PRAGMA {name}")[0].values())))

    def _refuse_newer(self, version: int | None = None) -> None:
        found = self._pragma("user_version") if version is None else version
        if found > self._schema.version:
            raise NewerDatabase(
                f"{self._path} was written by a newer tui-mailer (format {found}, this one knows "
                f"{self._schema.version}). Nothing was changed; update tui-mailer."
            )

    def _sync(self, *, is_full: bool) -> None:
        if self._is_wal and is_full != self._is_full_sync:
            with translated(self._path):
                self._execute(f"PRAGMA synchronous = {'FULL' if is_full else 'NORMAL'}")
            self._is_full_sync = is_full


def _patiently(act: Callable[[], list[Row]]) -> list[Row]:
    """Waits for others where SQLite doesn't: of two that turn a new file's log on, one is refused at once."""
    end = monotonic() + BUSY_TIMEOUT_MILLISECONDS / 1000
    while True:
        try:
            return act()
        except DatabaseBusy:
            if monotonic() > end:
                raise
            sleep(_PAUSE_SECONDS)


def _place_of(path: Path | None) -> tuple[int, int] | None:
    """Names the very file a path leads to; None without one."""
    try:
        found = path.stat() if path else None
    except FileNotFoundError:
        return None
    return (found.st_dev, found.st_ino) if found else None


def is_outdated(path: Path, schema: Schema) -> bool:
    """Says whether a database file is there and of an earlier version, without opening it."""
    try:
        with path.open("rb") as file:
            file.seek(_VERSION_OFFSET)
            version = int.from_bytes(file.read(4), "big")
    except OSError:
        return False
    return 0 < version < schema.version


def _refuse_older(version: int, schema: Schema, path: Path) -> None:
    if version < schema.version:
        raise StorageError(
            f"{path} was written by an earlier tui-mailer and has to be brought up to date first, which its read-only "
            "disk doesn't allow. Nothing was changed."
        )


def _refuse_damaged(database: Database, path: Path) -> None:
    if database.rows("PRAGMA quick_check(1)") != [{"quick_check": "ok"}]:
        raise damaged(path)


def copy_database(database: Database, path: Path) -> None:
    """Copies a database as it is now into a new file with mode 0600, overwriting one; raises `StorageError`."""
    path.unlink(missing_ok=True)
    file_system.create_private_file(path)
    database.run("VACUUM INTO :path", {"path": str(path)})


def _back_up(database: Database, path: Path, version: int) -> None:
    """Copies the database before it is changed; a copy of an earlier try is replaced.

    A huge one isn't: the change is one transaction anyway, and nobody waits minutes for a second safety.
    """
    if path.stat().st_size > LARGEST_COPIED:
        return
    if shutil.disk_usage(path.parent).free < 2 * path.stat().st_size:
        raise DiskFull(f"There isn't room in {path.parent} to bring {path.name} up to date; nothing was changed.")
    copy_database(database, path.with_name(f"{path.name}.before-{version + 1}"))


def _open_flags(path: Path | None) -> int:
    # The file exists by now, with its mode: SQLite must not make it, its umask is not ours.
    return apsw.SQLITE_OPEN_READWRITE | (0 if path else apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_MEMORY)
