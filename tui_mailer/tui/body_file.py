"""Texts beside the store: a body that is with an editor, a draft that a dying app couldn't store; and what becomes of
one that its app has not come back for.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from zlib import crc32

from tui_mailer.accounts.configuration import Paths
from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import DamagedStore, MailerError
from tui_mailer.domain.text import clean
from tui_mailer.storage.codec import from_json, to_json
from tui_mailer.storage.file_system import make_private_directory, reason
from tui_mailer.storage.lock import FileOwnerLocks
from tui_mailer.tui.desk import Desk

MOST_BYTES = 50_000_000
"""Of a text: no mail is that long."""
_left_here: set[str] = set()
"""Names of those that this run of the app has left: it has said that the next start takes them up."""


class BodyFile:
    """A file in the data dir, a lock beside it for as long as its app waits for the editor; all methods block.

    Its name tells what was handed over, so that a later start knows whether anybody has written into it.
    """

    def __init__(self, data_dir: Path, text: str) -> None:
        """Writes the file; raises `MailerError`, and leaves nothing behind."""
        self.text = text
        """What was handed over."""
        self._locks = _locks(data_dir)
        self.path = _new_path(data_dir, _digest(text))
        # Before the file is there: whoever finds it finds it taken.
        self._locks.acquire(self.path.stem)
        try:
            # Mode 0600 from the first byte, in the data dir: a body must not lie in /tmp.
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                # Editors end the last line, and some complain of one that isn't ended.
                file.write(f"{text}\n" if text else "")
        except OSError as error:
            self.remove()
            raise MailerError(
                f"No editor gets the body: {data_dir} can't be written, {reason(error)}. The body is as it was."
            ) from None

    def read(self) -> str:
        """Reads what the editor has left there; raises `OSError` and `UnicodeDecodeError`."""
        return _read(self.path)

    def leave(self) -> None:
        """Leaves the file to the next start of the app."""
        _left_here.add(self.path.name)
        self._locks.release(self.path.stem)

    def remove(self) -> None:
        """Takes the file away, and the copies that editors make of it; another call does nothing."""
        for name in (self.path.name, f"{self.path.name}~", f"#{self.path.name}#"):
            self.path.with_name(name).unlink(missing_ok=True)
        self.leave()


def leave_draft(paths: Paths, draft: Draft) -> Path | None:
    """Leaves a draft to the next start of the app: in the data dir, else beside the logs; None: it can't. Blocks."""
    for path in (_new_draft_path(paths.data_dir), _new_draft_path(paths.state_dir, _place_of(paths.data_dir))):
        with contextlib.suppress(OSError, MailerError):
            if path.parent == paths.state_dir:
                make_private_directory(paths.state_dir)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(to_json(draft))
                file.flush()
                os.fsync(file.fileno())
            return path
    return None


def say_left(paths: Paths, draft: Draft, path: Path | None) -> str:
    """What is said, once the screen is back, of a draft that the store didn't take; its text, where nothing did."""
    if path is not None:
        return f"The draft couldn't be stored in {paths.data_dir}. It is in {path}; the next start makes a draft of it."
    said = f"The draft couldn't be kept: neither {paths.data_dir} nor {paths.state_dir} can be written. This was in it:"
    fields = (f"To: {draft.to}", f"Cc: {draft.cc}", f"Bcc: {draft.bcc}", f"Subject: {draft.subject}", "", draft.body)
    return clean("\n".join((said, *fields)), keep_newlines=True)


async def take_up_left_bodies(desk: Desk) -> None:
    """Makes a draft of each text that was left and no app waits for, and says so; raises `StorageError`.

    The app was killed, or could store nothing, or the editor went on writing after it had said it was done.
    """
    paths = await desk.io.run(_left, desk.paths)
    taken, unreadable = 0, list[str]()
    for path in paths:
        try:
            taken += await desk.io.run(_take_up, desk, path)
        except FileNotFoundError:
            continue  # another app was faster
        except (OSError, UnicodeDecodeError, DamagedStore) as error:
            why = reason(error) if isinstance(error, OSError) else "it isn't text of ours"
            unreadable.append(f"What was left in {path} can't be read: {why}. Move it elsewhere.")
    if unreadable:
        desk.status.complain(" ".join(unreadable))
    elif taken:
        what = "A text that was left is a draft" if taken == 1 else f"{taken} texts that were left are drafts"
        desk.status.complain(f"{what} of its own now: {desk.keymap.display('app.drafts')} opens it.")


def _left(paths: Paths) -> list[Path]:
    data_dir = paths.data_dir
    locks = _locks(data_dir)
    beside = paths.state_dir.glob(f"draft-{_place_of(data_dir)}-*.json")
    every = sorted((*data_dir.glob("body-*.txt"), *data_dir.glob("draft-*.json"), *beside))
    found = [path for path in every if path.name not in _left_here]
    return [path for path in found if not locks.is_alive(path.stem)]


def _take_up(desk: Desk, path: Path) -> bool:
    """Says whether a draft was made of it: not of what is as it was handed over, which was a draft before."""
    data_dir, is_draft = desk.paths.data_dir, path.suffix == ".json"
    text = _read(path)
    digest = path.name.split("-")[1]
    draft = from_json(Draft, text) if is_draft else Draft(body=text)
    locks, own = _locks(data_dir), _new_path(data_dir, digest)
    if is_draft:
        own = _new_draft_path(path.parent, "" if path.parent == data_dir else _place_of(data_dir))
    locks.acquire(own.stem)
    try:
        path.rename(own)  # of several apps that start now one has it
        locks.forget(path.stem)
        is_new = bool(text.strip()) and _digest(text) != digest
        if is_new:
            desk.answer(lambda mailer: mailer.save_draft(draft))
        own.unlink()
        return is_new
    finally:
        locks.release(own.stem)


def _new_path(data_dir: Path, digest: str) -> Path:
    return data_dir / f"body-{digest}-{token_hex(4)}.txt"


def _new_draft_path(folder: Path, place: str = "") -> Path:
    """``place``: of the data dir it belongs to, where it doesn't lie in there."""
    return folder / f"draft-{place}{'-' if place else ''}{token_hex(8)}.json"


def _place_of(data_dir: Path) -> str:
    return f"{crc32(os.fsencode(data_dir)):08x}"


def _read(path: Path) -> str:
    """Reads a file of text; anything else, which might never end or never begin, is refused with an `OSError`."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, encoding="utf-8-sig") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no ordinary file")
        if found.st_size > MOST_BYTES:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        return file.read().removesuffix("\n")


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def _locks(data_dir: Path) -> FileOwnerLocks:
    make_private_directory(data_dir / "locks")
    return FileOwnerLocks(data_dir / "locks")
