"""What ``merge`` tells row by row: the result file, the log of what failed, and the progress on a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TextIO

from tui_mailer.domain.submission import State

if TYPE_CHECKING:
    from tui_mailer.cli.merge_source import Row
    from tui_mailer.cli.output import Output
    from tui_mailer.storage.record import Submission

LOG_NAME = "merge.log"
FAILED_STATES = frozenset({State.FAILED, State.PARTIAL, State.UNCERTAIN, State.CANCELED})
OPEN_STATES = frozenset({State.QUEUED, State.SENDING, State.DEFERRED})
"""What an earlier run may have left to be tried, one that was killed also in the middle of it."""
_PROGRESS_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a row: a submission, or an error that kept it from being sealed.

    Neither where it was sent and has been deleted from the history since.
    """

    row: Row
    submission: Submission | None = None
    found_in: State | None = None
    """The state in which this run found a row of an earlier one."""
    error: str | None = None

    @property
    def is_failed(self) -> bool:
        """Says whether a person should look at this row."""
        return self.error is not None if self.submission is None else self.submission.state in FAILED_STATES

    @property
    def has_failed_now(self) -> bool:
        """Says whether it failed in this run: what an earlier one has left ended or unanswered is told, no more."""
        is_left = self.found_in is not None and self.found_in not in OPEN_STATES
        is_unanswered = (
            self.found_in is State.SENDING and self.submission is not None and self.submission.state is State.UNCERTAIN
        )
        return self.is_failed and not is_left and not is_unanswered

    @property
    def word(self) -> str:
        """What it counts as."""
        if self.submission is not None:
            return self.submission.state.value
        return "deleted" if self.error is None else "refused"

    def view(self) -> dict[str, Any]:
        """Shapes a line of the result file."""
        submission = self.submission
        return {
            "row": self.row.number,
            "id": submission.id if submission else None,
            "state": submission.state.value if submission else None,
            "code": submission.response_code if submission else None,
            "message_id": submission.message.message_id if submission else None,
            "error": self.error or (submission.error if submission else None),
        }

    def sentence(self) -> str:
        """Says what went wrong with the row."""
        view = self.view()
        return f"Row {self.row.number}: {view['error'] or view['state']}"


class ResultFile:
    """One line a row, written as each is known and put in place at the end.

    A run that is killed leaves the file of the run before it, and its own lines beside it (``.part``).
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._part: TextIO | None = None

    def __enter__(self) -> Self:
        """Raises `OSError` where nothing can be written, or another run is writing: before anything is queued."""
        if self._path is not None:
            try:
                handle = _open_alone(self._part_path)
            except BlockingIOError as error:
                said = "Another merge is writing this result now. Nothing was queued; wait for it, or name --result"
                raise OSError(error.errno, said, str(self._path)) from None
            except OSError as error:
                advice = "Nothing was queued; name another result file with --result, or give --no-result"
                raise OSError(error.errno, f"{error.strerror}. {advice}", str(self._path)) from None
            self._part = os.fdopen(handle, "w", encoding="ascii")
        return self

    def add(self, outcome: Outcome) -> None:
        """Adds a row."""
        if self._part is not None:
            self._part.write(json.dumps(outcome.view()) + "\n")
            self._part.flush()

    def __exit__(self, *_: object) -> None:
        if self._part is None or self._path is None:
            return
        self._part_path.replace(self._path)
        self._part.close()

    @property
    def _part_path(self) -> Path:
        path = self._path or Path()
        return path.with_name(path.name + ".part")


def _open_alone(path: Path) -> int:
    """Opens an empty file that no other run writes to; raises `BlockingIOError` where one does."""
    while True:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it may just have put it in its place: that one is a finished result.
            if _is_still_at(path, handle):
                os.ftruncate(handle, 0)
                return handle
        except OSError:
            os.close(handle)
            raise
        os.close(handle)


def _is_still_at(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


class FailureLog:
    """Keeps what went wrong with each row in the state dir, for those who asked for no result."""

    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / LOG_NAME

    def add(self, outcome: Outcome, now: datetime, *, table: str) -> None:
        """Appends a row; where no log can be written, the exit code and the outbox still tell."""
        from tui_mailer.services.crash_log import append_private, redact

        submission = outcome.submission
        known = f" {submission.id} {submission.state.value}" if submission else ""
        append_private(self.path, [f"{now:%Y-%m-%dT%H:%M:%SZ} {table}{known} {redact(outcome.sentence())}\n"])


class Progress:
    """How far a run is, on a terminal only: one line that is written over."""

    def __init__(self, output: Output, total: int) -> None:
        self._output = output
        self._total = total
        self._last = 0.0

    def show(self, handled: int, failed: int) -> None:
        """Says so at most twice a second."""
        now = time.monotonic()
        if now - self._last >= _PROGRESS_SECONDS:
            self._last = now
            trouble = f", {failed} failed" if failed else ""
            self._output.progress(f"{handled:,} of {self._total:,} rows{trouble}")
