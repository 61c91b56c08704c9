"""A data directory on a network file system: one machine at a time, and no shared memory. On a real FUSE mount."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from storage_fixtures import HandClock, Post

from tui_mailer.domain.errors import StorageError
from tui_mailer.domain.submission import State
from tui_mailer.storage.file_system import is_on_network
from tui_mailer.storage.store import Store

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("bindfs") is None or not Path("/dev/fuse").exists(),
        reason="SKIPPED: needs root, /dev/fuse and Debian's bindfs",
    ),
]
OTHER = {"host": "elsewhere", "machine": "0123456789abcdef"}
OpenStore = Callable[[], Store]


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A directory as an NFS or SSH mount shows it."""
    source, point = tmp_path / "server", tmp_path / "mount"
    source.mkdir()
    point.mkdir()
    subprocess.run(["bindfs", str(source), str(point)], check=True)
    yield point / "data"
    subprocess.run(["umount", "--lazy", str(point)], check=True)


def used_elsewhere(data_dir: Path, seconds_ago: float) -> None:
    (data_dir / "host.json").write_text(json.dumps(OTHER))
    os.utime(data_dir / "host.json", (time.time() - seconds_ago,) * 2)


def test_mail_goes_out_without_a_shared_log(open_store: OpenStore, data_dir: Path, clock: HandClock) -> None:
    """Everything works, only slower: a write-ahead log would need memory that other machines don't see."""
    post = Post(open_store(), clock)
    assert is_on_network(data_dir)
    assert post.end().state is State.SENT
    assert post.store.archive_ended() == 1
    assert not (data_dir / "outbox.db-wal").exists()
    assert (post.store._outbox_database.row("PRAGMA journal_mode") or {})["journal_mode"] == "delete"
    assert (post.store._outbox_database.row("PRAGMA synchronous") or {})["synchronous"] == 3


def test_a_second_machine_is_refused_while_the_first_is_there(open_store: OpenStore, data_dir: Path) -> None:
    """It is told who has the directory and since when, and nothing is touched."""
    open_store().close()
    used_elsewhere(data_dir, 20)
    before = (data_dir / "outbox.db").read_bytes()
    with pytest.raises(StorageError, match=r"elsewhere has used it \d+ s ago.*Nothing was changed"):
        open_store()
    assert (data_dir / "outbox.db").read_bytes() == before
    assert json.loads((data_dir / "host.json").read_text()) == OTHER


def test_a_machine_that_has_fallen_silent_is_followed_by_another(open_store: OpenStore, data_dir: Path) -> None:
    """A laptop that was cut off doesn't lock its owner out for ever."""
    open_store().close()
    used_elsewhere(data_dir, 16 * 60)
    store = open_store()
    assert json.loads((data_dir / "host.json").read_text()) != OTHER
    store.close()
    assert not (data_dir / "host.json").exists()


def test_who_was_followed_sends_nothing_more(open_store: OpenStore, data_dir: Path, clock: HandClock) -> None:
    """Back from sleep, the first machine learns that it isn't its turn before it claims anything."""
    post = Post(open_store(), clock)
    post.seal()
    used_elsewhere(data_dir, 0)
    with pytest.raises(StorageError, match="elsewhere has taken"):
        post.claim()
    with pytest.raises(StorageError, match="elsewhere has taken"):
        post.outbox.recover(now=clock.now())


def test_several_programs_of_one_machine_share_it(open_store: OpenStore, data_dir: Path) -> None:
    """The app, a service and a script on one machine are one machine; the last one gives the directory free."""
    first, second = open_store(), open_store()
    first.close()
    assert (data_dir / "host.json").exists()
    first.close()
    second.close()
    assert not (data_dir / "host.json").exists()
