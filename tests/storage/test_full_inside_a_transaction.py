"""The disk is full at the first, second, third ... write of each step: the step happens whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest
from storage_fixtures import HandClock, Post, answer, make_new

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.submission import Phase, State
from tui_mailer.storage.database_error import DiskFull
from tui_mailer.storage.store import Store


class FillingDisk(apsw.VFS):
    """The machine's own files, of which the database's refuse every write from a given one on."""

    def __init__(self) -> None:
        self.writes_left: int | None = None
        """None: there is room."""
        super().__init__("filling", "unix", makedefault=True)

    def xOpen(self, name: object, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        disk = self

        class File(apsw.VFSFile):
            def __init__(self) -> None:
                super().__init__("unix", name, flags)  # type: ignore[arg-type]

            def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
                if disk.writes_left is not None:
                    if disk.writes_left == 0:
                        raise apsw.FullError("no room")
                    disk.writes_left -= 1
                super().xWrite(data, offset)

        return File()


@pytest.fixture
def disk() -> Iterator[FillingDisk]:
    filling = FillingDisk()
    yield filling
    filling.writes_left = None
    filling.unregister()
    apsw.set_default_vfs("unix")


def prepared(folder: Path, clock: HandClock) -> Post:
    post = Post(Store.open(folder / "data", clock=clock), clock)
    # The log is folded away, so that every step has to write into it anew.
    post.store._outbox_database.forget_log()
    return post


def seal(post: Post) -> Callable[[], object]:
    return lambda: post.outbox.seal([make_new(text="x" * 9000) for _ in range(3)])


def claim(post: Post) -> Callable[[], object]:
    post.seal()
    return post.claim


def intend(post: Post) -> Callable[[], object]:
    post.seal()
    claimed = post.claim()
    return lambda: post.outbox.set_phase(claimed, Phase.INTENT)


def finish(post: Post) -> Callable[[], object]:
    post.seal()
    claimed = post.claim()
    post.outbox.set_phase(claimed, Phase.INTENT)
    return lambda: post.outbox.finish(claimed, answer(claimed))


def recover(post: Post) -> Callable[[], object]:
    post.seal()
    post.outbox.set_phase(post.claim(), Phase.INTENT)
    post.die()
    return lambda: post.outbox.recover(now=post.clock.now())


def cancel(post: Post) -> Callable[[], object]:
    submission = post.seal()
    return lambda: post.outbox.cancel(submission.id, "by you")


def save_draft(post: Post) -> Callable[[], object]:
    return lambda: post.store.drafts.save(Draft(body="x" * 9000))


def archive(post: Post) -> Callable[[], object]:
    post.end()
    _ = post.store.history
    return post.store.archive_ended


STEPS = [seal, claim, intend, finish, recover, cancel, save_draft, archive]


def picture(store: Store) -> object:
    """Everything that is known, so that before and after can be told from half-way."""
    submissions = store.outbox.list(states=frozenset(State), limit=99)
    ended = {one.id: one.state for one in store.ended.page(limit=99)}
    drafts = [one.draft.body for one in store.drafts.list()]
    return (
        sorted((one.id, one.state, one.phase, tuple(r.status for r in one.recipients)) for one in submissions),
        sorted(ended.items()),
        drafts,
    )


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_whole_or_nothing_whichever_write_fails(
    step: Callable[[Post], Callable[[], object]], tmp_path: Path, disk: FillingDisk, clock: HandClock
) -> None:
    """A person is told that the disk is full; what was there before is there, and with room the step can be done."""
    failures = 0
    for writes in range(200):
        folder = tmp_path / str(writes)
        folder.mkdir()
        post = prepared(folder, clock)
        act = step(post)
        before = picture(post.store)
        (folder / "data" / "ballast").unlink(missing_ok=True)
        disk.writes_left = writes
        try:
            act()
        except DiskFull:
            failures += 1
            disk.writes_left = None
            assert picture(post.store) == before
            act()
            assert picture(post.store) != before
        finally:
            is_done = disk.writes_left not in (None, 0) or writes == 199
            disk.writes_left = None
            post.store.close()
        reopened = Store.open(folder / "data", clock=clock)
        assert reopened.outbox._database.rows("PRAGMA integrity_check") == [{"integrity_check": "ok"}]
        reopened.close()
        if is_done:
            break
    assert failures > 0
