"""A full disk: nothing is half stored, and what is known of a delivery is recorded all the same."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from storage_fixtures import HandClock, Post, answer, make_new

from tui_mailer.domain.errors import StorageError
from tui_mailer.domain.submission import Phase, State
from tui_mailer.storage.store import Store

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("mount") is None, reason="SKIPPED: needs root to mount a small tmpfs"
    ),
]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 12 MB."""
    point = tmp_path / "disk"
    point.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(point)], check=False)
    if mounted.returncode:
        pytest.skip("SKIPPED: this machine doesn't allow mounting a tmpfs")
    yield point
    subprocess.run(["umount", "--lazy", str(point)], check=True)


@pytest.fixture
def post(small_disk: Path, clock: HandClock) -> Iterator[Post]:
    store = Store.open(small_disk / "data", clock=clock)
    yield Post(store, clock)
    store.close()


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as file:
        size = 1 << 20
        while size:
            try:
                file.write(b"x" * size)
            except OSError:
                size //= 2


def test_sealing_on_a_full_disk_stores_nothing(small_disk: Path, post: Post) -> None:
    """The program says that the disk is full, keeps what it had, and works again once there is room."""
    kept = post.seal()
    fill(small_disk)
    with pytest.raises(StorageError, match=r"no space|is full|room"):
        post.outbox.seal([make_new(text="x" * 20_000) for _ in range(200)])
    with pytest.raises(StorageError, match="room"):
        post.store.spool.add_bytes(b"x" * 1000)
    (small_disk / "filler").unlink()
    assert [one.id for one in post.outbox.list()] == [kept.id]
    assert post.outbox.rebuild() == 0
    assert [one.name for one in (small_disk / "data" / "spool" / "sealed").glob("*.json")] == [f"{kept.id}.json"]
    post.seal()


def test_nothing_is_sent_while_there_is_no_room_to_record_it(small_disk: Path, post: Post) -> None:
    """A nearly full disk stops sending before the first byte, not after the last."""
    submission = post.seal()
    fill(small_disk)
    with pytest.raises(StorageError, match="nothing is sent until there is room"):
        post.claim()
    (small_disk / "filler").unlink()
    assert post.claim().submission.id == submission.id


def test_an_outcome_is_recorded_though_the_disk_is_full(small_disk: Path, post: Post) -> None:
    """The room kept aside is given up for the one thing that must be written."""
    post.seal()
    claim = post.claim()
    post.outbox.set_phase(claim, Phase.INTENT)
    # The log may have room inside: it is folded away, so that the next commit needs a new page on the disk.
    post.store._outbox_database.forget_log()
    fill(small_disk)
    assert (small_disk / "data" / "ballast").exists()
    assert post.outbox.finish(claim, answer(claim)).state is State.SENT
    assert not (small_disk / "data" / "ballast").exists()
    (small_disk / "filler").unlink()
    post.seal()
    post.claim()
    assert (small_disk / "data" / "ballast").exists()
