"""The spool: what was sealed stays as it was, and nothing else gets in."""

from __future__ import annotations

import hashlib
import os
import socket
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tui_mailer.domain.errors import DamagedStore, InvalidAttachment
from tui_mailer.storage import source
from tui_mailer.storage.spool import DirectorySpool, MemorySpool, Spool

CONTENT = os.urandom(700_000)
NEVER = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture(params=["disk", "memory"])
def spool(request: pytest.FixtureRequest, tmp_path: Path) -> Spool:
    return DirectorySpool(tmp_path / "spool") if request.param == "disk" else MemorySpool()


@pytest.fixture
def disk_spool(tmp_path: Path) -> DirectorySpool:
    return DirectorySpool(tmp_path / "spool")


def objects(tmp_path: Path) -> list[Path]:
    return [one for one in (tmp_path / "spool").rglob("*") if one.is_file() and one.name != "spool.lock"]


async def read(spool: Spool, sha256: str) -> bytes:
    return b"".join([block async for block in spool.content(sha256).open()])


async def test_a_file_is_copied_in_and_read_as_often_as_wanted(spool: Spool, tmp_path: Path) -> None:
    """What happens to the original afterwards doesn't matter."""
    original = tmp_path / "notes.bin"
    original.write_bytes(CONTENT)
    seen = spool.inspect_file(original)
    kept = spool.add_file(original)
    assert kept == seen
    assert (kept.sha256, kept.size) == (hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
    original.unlink()
    content = spool.content(kept.sha256)
    assert (content.size, content.sha256) == (kept.size, kept.sha256)
    assert await read(spool, kept.sha256) == CONTENT
    assert await read(spool, kept.sha256) == CONTENT
    assert spool.read(kept.sha256) == CONTENT


def test_blocks_are_small(spool: Spool) -> None:
    """A big file is never held whole."""
    kept = spool.add_bytes(CONTENT)
    sizes = [len(one) for one in spool.blocks(kept.sha256)]
    assert max(sizes) <= 256 * 1024
    assert sum(sizes) == len(CONTENT)


def test_an_empty_file_is_a_file(spool: Spool, tmp_path: Path) -> None:
    """Nothing at all can be attached too."""
    (tmp_path / "empty").touch()
    assert spool.read(spool.add_file(tmp_path / "empty").sha256) == b""


def test_the_same_bytes_are_kept_once(disk_spool: DirectorySpool, tmp_path: Path) -> None:
    """A newsletter's picture isn't copied for each reader."""
    first = disk_spool.add_bytes(CONTENT)
    assert disk_spool.add_bytes(CONTENT) == first
    assert len(objects(tmp_path)) == 1


def test_inspecting_keeps_nothing(disk_spool: DirectorySpool, tmp_path: Path) -> None:
    """A review leaves nothing behind."""
    (tmp_path / "a").write_bytes(b"a")
    disk_spool.inspect_file(tmp_path / "a")
    assert objects(tmp_path) == []


def test_objects_are_private_and_unchangeable(disk_spool: DirectorySpool, tmp_path: Path) -> None:
    """Directories 0700, objects 0400, whatever the umask."""
    before = os.umask(0o022)
    try:
        disk_spool.add_bytes(CONTENT)
    finally:
        os.umask(before)
    assert [stat.S_IMODE(one.stat().st_mode) for one in objects(tmp_path)] == [0o400]
    folders = [one for one in (tmp_path / "spool").rglob("*") if one.is_dir()]
    assert {stat.S_IMODE(one.stat().st_mode) for one in folders} == {0o700}


async def test_a_changed_object_is_noticed(disk_spool: DirectorySpool, tmp_path: Path) -> None:
    """A flipped byte on the disk never goes out."""
    kept = disk_spool.add_bytes(CONTENT)
    (path,) = objects(tmp_path)
    path.chmod(0o600)
    path.write_bytes(CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]))
    with pytest.raises(DamagedStore, match="isn't what was sealed"):
        await read(disk_spool, kept.sha256)


def test_an_object_cut_short_is_replaced_by_the_next_copy(disk_spool: DirectorySpool, tmp_path: Path) -> None:
    """Attaching the file again mends a truncated object."""
    kept = disk_spool.add_bytes(CONTENT)
    (path,) = objects(tmp_path)
    path.chmod(0o600)
    path.write_bytes(CONTENT[:10])
    disk_spool.add_bytes(CONTENT)
    assert disk_spool.read(kept.sha256) == CONTENT


@pytest.mark.parametrize("sha256", ["0" * 64, "", "../../etc/passwd", "A" * 64])
def test_what_is_not_there_is_said_to_be_gone(spool: Spool, sha256: str) -> None:
    """A missing object is an error with a sentence, not an empty file; no name leads out of the spool."""
    for act in (spool.content, spool.size_of, spool.read):
        with pytest.raises(DamagedStore, match="isn't kept any more"):
            act(sha256)


def make_directory(path: Path) -> None:
    path.mkdir()


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (make_directory, "is a directory"),
        (os.mkfifo, "is a pipe"),
        (make_socket, "is a socket"),
        (lambda path: path.symlink_to("/dev/zero"), "is a device"),
        (lambda path: path.symlink_to("/proc/self/environ"), "window into the system"),
        (lambda path: path.symlink_to(path), "can't be read"),
        (lambda path: None, "doesn't exist"),
    ],
)
def test_only_regular_files_get_in(spool: Spool, tmp_path: Path, make: Callable[[Path], None], words: str) -> None:
    """Pipes, devices and windows into the system are refused at once, with a reason."""
    path = tmp_path / "odd"
    make(path)
    for act in (spool.add_file, spool.inspect_file):
        with pytest.raises(InvalidAttachment, match=words):
            act(path)


def test_a_name_no_system_knows_is_refused(spool: Spool) -> None:
    """A NUL in a path is an answer, not a crash."""
    with pytest.raises(InvalidAttachment, match="no name of a file"):
        spool.add_file(Path("a\x00b"))


@pytest.mark.parametrize("change", ["grows", "is written over", "shrinks"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    disk_spool: DirectorySpool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Half a download isn't sent: the file must be the same from the first byte to the last."""
    path = tmp_path / "growing"
    path.write_bytes(CONTENT)
    monkeypatch.setattr(source, "_BLOCK_BYTES", 100_000)
    original = source.Source.blocks

    def changing(self: source.Source) -> Iterator[bytes]:
        for number, block in enumerate(original(self)):
            yield block
            if number == 1:
                with path.open("r+b") as file:
                    if change == "shrinks":
                        file.truncate(300_000)
                    else:
                        file.seek(0, os.SEEK_END if change == "grows" else os.SEEK_SET)
                        file.write(b"more")
                os.utime(path, ns=(1, 1))

    monkeypatch.setattr(source.Source, "blocks", changing)
    with pytest.raises(InvalidAttachment, match="was being written"):
        disk_spool.add_file(path)
    assert objects(tmp_path) == []


def test_what_nothing_refers_to_goes_after_its_time(spool: Spool) -> None:
    """Young objects and referenced ones stay."""
    kept, unused = spool.add_bytes(b"kept"), spool.add_bytes(b"unused")
    soon = datetime.now(UTC) + timedelta(seconds=5)
    assert spool.collect({kept.sha256}, NEVER) == 0
    assert spool.collect({kept.sha256}, soon) == 1
    assert spool.read(kept.sha256) == b"kept"
    with pytest.raises(DamagedStore):
        spool.content(unused.sha256)


def test_an_old_object_used_again_is_young_again(disk_spool: DirectorySpool, tmp_path: Path) -> None:
    """Attaching what is in the spool already saves it from collection."""
    kept = disk_spool.add_bytes(b"old")
    (path,) = objects(tmp_path)
    os.utime(path, (1, 1))
    disk_spool.add_bytes(b"old")
    assert disk_spool.collect(set(), datetime.now(UTC) - timedelta(days=1)) == 0
    assert disk_spool.read(kept.sha256) == b"old"


def test_what_is_about_to_be_referred_to_is_young_again(disk_spool: DirectorySpool, tmp_path: Path) -> None:
    """A message taken back and sealed again can't lose its file in between; one that is gone is missed at once."""
    kept = disk_spool.add_bytes(b"old")
    (path,) = objects(tmp_path)
    os.utime(path, (1, 1))
    assert disk_spool.keep(kept.sha256) == 3
    assert disk_spool.collect(set(), datetime.now(UTC) - timedelta(days=1)) == 0
    with pytest.raises(DamagedStore):
        disk_spool.keep("0" * 64)


def test_leftovers_of_a_killed_copy_go_too(disk_spool: DirectorySpool, tmp_path: Path) -> None:
    """A copy that was killed half-way leaves nothing for long."""
    leftover = tmp_path / "spool" / "incoming" / "dead"
    leftover.write_bytes(b"half")
    os.utime(leftover, (1, 1))
    disk_spool.collect(set(), datetime.now(UTC) - timedelta(days=1))
    assert not leftover.exists()
