"""The store: outbox, drafts, history and spool under one data directory, seen as one."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

from tui_mailer.domain.errors import DamagedStore, NotFound, StorageError, TooLate
from tui_mailer.domain.submission import OPEN_STATES, Attempt
from tui_mailer.domain.timeline import StatusEvent
from tui_mailer.storage.backup import Backups, list_copies
from tui_mailer.storage.ballast import Ballast
from tui_mailer.storage.clock import Clock, SystemClock
from tui_mailer.storage.database import Database, Schema, history_schema, is_outdated, outbox_schema
from tui_mailer.storage.database_error import DiskFull
from tui_mailer.storage.draft import Drafts
from tui_mailer.storage.ended import EndedList
from tui_mailer.storage.file_system import is_read_only, make_private_directory
from tui_mailer.storage.history import History
from tui_mailer.storage.host import Host
from tui_mailer.storage.identifier import ID_LENGTH, normalise
from tui_mailer.storage.lock import FileOwnerLocks, MemoryOwnerLocks, OwnerLocks, StoreLock
from tui_mailer.storage.outbox import Outbox
from tui_mailer.storage.record import HistoryQuery, Submission
from tui_mailer.storage.salvage import move_aside, salvage
from tui_mailer.storage.sidecar import DirectorySidecars, MemorySidecars, Sidecars
from tui_mailer.storage.spool import DirectorySpool, MemorySpool, Spool
from tui_mailer.storage.submission_table import OutboxParts

UNUSED_OBJECT_AGE = timedelta(days=1)
_HISTORY = "history.db"
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Store:
    """Everything that is kept; used by one thread at a time."""

    outbox: Outbox
    drafts: Drafts
    spool: Spool
    clock: Clock
    ended: EndedList
    """What has ended, in the outbox and in the history, as one list."""

    def __init__(
        self,
        directory: Path | None,
        *,
        clock: Clock,
        spool: Spool,
        sidecars: Sidecars,
        locks: OwnerLocks,
        is_read_only: bool = False,
    ) -> None:
        self.clock = clock
        self.spool = spool
        self._directory = directory
        self.is_read_only = is_read_only
        """Whether it was opened only to look into it: whatever would write raises `StorageError`."""
        self._locks = locks
        self._history: History | None = None
        self._history_database: Database | None = None
        self._owner: str | None = None
        _refuse_lost(directory, sidecars)
        written = None if is_read_only else directory
        self._lock = StoreLock(written / "locks") if written else None
        self._host = Host(written)
        self.ballast = Ballast(written)
        try:
            self._host.take()
            self._outbox_database = _open_outbox(directory, self._lock, self.ballast, is_read_only=is_read_only)
        except BaseException:
            if self._lock is not None:
                self._lock.close()
            raise
        self.ballast.lay()
        self.backups = Backups(directory, self._outbox_database)
        self.drafts = Drafts(self._outbox_database, clock)
        self.outbox = Outbox(
            OutboxParts(
                database=self._outbox_database,
                drafts=self.drafts,
                clock=clock,
                locks=locks,
                sidecars=sidecars,
                ballast=self.ballast,
                host=self._host,
                find_ended=self._find_in_history,
            )
        )
        self.ended = EndedList(self.outbox, lambda: self.history)
        if written is not None and is_outdated(written / _HISTORY, history_schema()):
            _ = self.history  # now: later others have the store open, and one that migrates must be alone

    @classmethod
    def open(cls, data_dir: Path, *, clock: Clock | None = None) -> Store:
        """Opens the store of a data directory, made if missing.

        Raises `NewerDatabase`, `DamagedStore`, and `StorageError` where it can't be written.
        """
        make_private_directory(data_dir)
        make_private_directory(data_dir / "locks")
        return cls(
            data_dir,
            clock=clock or SystemClock(),
            spool=DirectorySpool(data_dir / "spool"),
            sidecars=DirectorySidecars(data_dir / "spool" / "sealed"),
            locks=FileOwnerLocks(data_dir / "locks"),
        )

    @classmethod
    def open_to_read(cls, data_dir: Path, *, clock: Clock | None = None) -> Store:
        """Opens the store only to look into it: as `open`, but on a read-only disk without writing a byte."""
        if not is_read_only(data_dir):
            return cls.open(data_dir, clock=clock)
        return cls(
            data_dir,
            clock=clock or SystemClock(),
            spool=DirectorySpool(data_dir / "spool"),
            sidecars=DirectorySidecars(data_dir / "spool" / "sealed"),
            locks=FileOwnerLocks(data_dir / "locks"),
            is_read_only=True,
        )

    @classmethod
    def in_memory(cls, *, clock: Clock | None = None) -> Store:
        """Makes a store that is gone when it is closed: the same SQL, no files."""
        return cls(
            None,
            clock=clock or SystemClock(),
            spool=MemorySpool(),
            sidecars=MemorySidecars(),
            locks=MemoryOwnerLocks(),
        )

    @classmethod
    def rebuild(cls, data_dir: Path, *, clock: Clock | None = None) -> int:
        """Makes the outbox anew, moving a damaged one aside; returns how many submissions came back, all held.

        Raises `StorageError` while another process has the store open.
        """
        try:
            store = cls.open(data_dir, clock=clock)
        except DamagedStore:
            damaged = move_aside(data_dir, (clock or SystemClock()).now())
            salvage(damaged, data_dir / "outbox.db", list_copies(data_dir))
            store = cls.open(data_dir, clock=clock)
        try:
            return store.outbox.rebuild()
        finally:
            store.close()

    @property
    def history(self) -> History:
        """What has ended; opened when it is first asked for, so that sending needs only the outbox."""
        if self._history is None:
            path = self._directory / _HISTORY if self._directory else None
            if path is not None and self.is_read_only:
                self._history_database = _open_to_read(path, history_schema())
            else:
                self._history_database = Database.open(path, history_schema(), lock=self._lock)
            self._history = History(self._history_database)
        return self._history

    def close(self) -> None:
        """Lets go of everything; a deliverer resigns. A second call does nothing."""
        try:
            self.resign()
        finally:
            self._outbox_database.close()
            if self._history_database is not None:
                self._history_database.close()
            if self._lock is not None:
                if self._host.is_taken and self._lock.is_last():
                    self._host.leave()
                self._lock.close()

    # delivering

    def become_deliverer(self, role: str) -> str:
        """Registers this process as one that delivers, alive until `resign` or its death; returns its owner's name."""
        owner = f"{role} pid {os.getpid()} {secrets.token_hex(8)}"
        self._locks.acquire(owner)
        self._forget_outdated()
        self.outbox.register(owner, role)
        self._owner = owner
        return owner

    def resign(self) -> None:
        """Stops being a deliverer; what it still leases is taken over by others at once."""
        if self._owner is not None:
            owner, self._owner = self._owner, None
            try:
                self.outbox.unregister(owner)
            finally:
                self._locks.release(owner)

    def _forget_outdated(self) -> None:
        """Keeps a copy of the outbox that was put back from sending anew what has ended since."""
        if self._directory is None or not (self._directory / _HISTORY).exists():
            return
        open_ids = self.outbox.open_ids()
        # A damaged history keeps nothing from being sent.
        with suppress(StorageError):
            if open_ids and (outdated := self.history.known(open_ids)):
                self.outbox.forget_outdated(outdated)

    # both databases as one: the outbox owns a row until the history holds it

    def archive_ended(self, limit: int = 200) -> int:
        """Moves what has ended into the history, oldest first; returns how many."""
        ended = self.outbox.take_ended(limit)
        if ended:
            self.history.insert_many(ended, self.outbox.has)
            self.outbox.forget(submission.id for submission, _attempts in ended)
        return len(ended)

    def find(self, submission_id: str) -> Submission:
        """Returns a submission from the outbox or the history; raises `NotFound`."""
        try:
            return self.outbox.get(submission_id)
        except NotFound:
            return self.history.get(submission_id)

    def attempts(self, submission_id: str) -> tuple[Attempt, ...]:
        """Returns every attempt, oldest first; raises `NotFound`."""
        try:
            return self.outbox.attempts(submission_id)
        except NotFound:
            return self.history.attempts(submission_id)

    def resolve_id(self, text: str, *, or_series: bool = False) -> str:
        """Completes the ID of a submission or draft from a unique suffix of four or more; raises `NotFound`.

        ``or_series``: a series' ID will do, too, and means its occurrence made last.
        """
        suffix = normalise(text)
        found = {
            *self.outbox.ids_ending(suffix),
            *self.drafts.ids_ending(suffix),
            *self.history.ids_ending(suffix),
            *(self.outbox.occurrences_ending(suffix) if or_series else ()),
        }
        if len(found) == 1:
            return found.pop()
        if not found:
            whole = "is" if len(suffix) == ID_LENGTH else "ends in"
            raise NotFound(f"No ID {whole} {suffix}.")
        raise NotFound(f"More than one ID ends in {suffix}: give more of it.")

    def list_ended(
        self, query: HistoryQuery | None = None, limit: int = 50, before: str | None = None
    ) -> list[Submission]:
        """Returns what has ended and matches, latest end first; ``before`` is the last ID of the page before."""
        return self.ended.page(query, limit, before)

    def count_ended(self, query: HistoryQuery | None = None) -> int:
        """Counts what `list_ended` would list; a search only up to 100,000."""
        return self.ended.count(query)

    def refine(
        self,
        submission_id: str,
        learnt: Sequence[StatusEvent],
        *,
        has_left: bool = False,
        is_unknown: bool = False,
    ) -> Submission:
        """Keeps what a provider told of the recipients after it had taken the message; raises `NotFound`.

        An open one that has left its provider (``has_left``) ends; as uncertain where the provider itself can't say
        (``is_unknown``).
        """
        try:
            if self.outbox.get(submission_id).state in OPEN_STATES:
                return self.outbox.refine(submission_id, learnt, has_left=has_left, is_unknown=is_unknown)
        except (NotFound, TooLate):
            pass
        # What has ended is refined where it stays: a row in both databases would lose it on its way.
        while self.outbox.has(submission_id) and self.archive_ended():
            pass
        return self.history.refine(submission_id, learnt)

    # tidying up

    def delete(self, submission_id: str) -> None:
        """Deletes an ended submission for good; raises `NotFound`."""
        while self.outbox.has(submission_id) and self.archive_ended():
            pass
        self._outbox_database.forget_log()
        self.history.delete(submission_id)

    def purge(self, before: datetime) -> list[str]:
        """Deletes what ended before an instant for good; returns the ids."""
        while self.archive_ended():
            pass
        return self.history.purge(before)

    def purge_some(self, before: datetime) -> int:
        """Deletes for good a part of what ended before an instant, so that others get their turn; returns how many."""
        while self.archive_ended():
            pass
        return len(self.history.purge_some(before))

    def expire(self, *, text_before: datetime | None, attachments_before: datetime | None) -> int:
        """Forgets texts and attachments of what ended before an instant; returns how many texts."""
        return self.history.expire(text_before=text_before, attachments_before=attachments_before)

    def collect_garbage(self) -> int:
        """Removes spool objects that nothing has referred to for a day; returns how many."""
        older_than = datetime.now(tz=self.clock.now().tzinfo) - UNUSED_OBJECT_AGE
        # Before and after: whatever moves between the two databases meanwhile is met in one of them.
        referenced = self._open_references() | self.history.references() | self._open_references()
        return self.spool.collect(referenced, older_than)

    def _open_references(self) -> set[str]:
        with self._outbox_database.snapshot():
            texts = [*self.outbox.texts(), *self.drafts.texts()]
        return {digest for text in texts for digest in _SHA256.findall(text)}

    def _find_in_history(self, submission_id: str) -> Submission:
        return self.history.get(submission_id)


def _refuse_lost(directory: Path | None, sidecars: Sidecars) -> None:
    """Doesn't begin with an empty outbox where sealed messages say that there was one: they would be hidden."""
    if directory is None or _has_content(directory / "outbox.db"):
        return
    count = len(sidecars.ids())
    if count:
        raise DamagedStore(
            f"{directory / 'outbox.db'} is gone or empty, though {count} sealed messages are there; nothing is sent. "
            "`tui-mailer outbox rebuild` makes it anew and holds them all."
        )


def _has_content(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False


def _open_to_read(path: Path, schema: Schema) -> Database:
    """One that isn't there yet holds nothing."""
    return Database.open_read_only(path, schema) if _has_content(path) else Database.open(None, schema)


def _open_outbox(directory: Path | None, lock: StoreLock | None, ballast: Ballast, *, is_read_only: bool) -> Database:
    path = directory / "outbox.db" if directory else None
    if path is not None and is_read_only:
        return _open_to_read(path, outbox_schema())
    try:
        return Database.open(path, outbox_schema(), lock=lock, is_checked=True)
    except DiskFull:
        # The log's shared memory needs a little room even to read: a full disk keeps nobody from looking.
        if not ballast.drop():
            raise
        return Database.open(path, outbox_schema(), lock=lock, is_checked=True)
