"""What a real machine does to a program: full and read-only disks, no home, files that aren't files, damage."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from program_run import TuiMailer

from tui_mailer.storage.ballast import ROOM_TO_SEND
from tui_mailer.storage.store import Store

needs_mount = [
    pytest.mark.servers,
    pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="SKIPPED: needs root to mount"),
]
SEND = ("send", "--to", "bob@example.org", "--subject", "Tea", "--body", "At four?", "--json")
DISK_BYTES = 24 * 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB."""
    point = tmp_path / "disk"
    point.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(point)], check=True)
    yield point
    subprocess.run(["umount", "--lazy", str(point)], check=True)


def leave_free(disk: Path, free: int) -> None:
    """Fills the disk but for so many bytes."""
    filler = disk / "filler"
    filler.unlink(missing_ok=True)
    found = os.statvfs(disk)
    size = found.f_bavail * found.f_frsize - free
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(size, 1))


LEVELS = (
    0,
    4096,
    16_384,
    65_536,
    200_000,
    300_000,
    1_000_000,
    4_000_000,
    ROOM_TO_SEND + 100_000,
    ROOM_TO_SEND * 3 // 2,
)


class TestFullDisk:
    pytestmark = needs_mount

    def test_at_every_level_the_exit_code_tells_whether_it_was_stored(
        self, tui_mailer: TuiMailer, disk: Path, tmp_path: Path
    ) -> None:
        """73 and 74: nothing is there, try again; 0 and 75: it is there, and goes out once there is room."""
        data = ("--data-dir", str(disk / "data"))
        report = tmp_path / "report.bin"
        report.write_bytes(os.urandom(150_000))
        assert tui_mailer(*SEND, *data).code == 0
        codes: list[int] = []
        for number, free in enumerate(LEVELS):
            leave_free(disk, free)
            run = tui_mailer(*SEND, "--attach", report, "--key", f"k{number}", *data)
            codes.append(run.code)
            assert run.code in {0, 73, 74, 75}, run.err
            if run.code in {73, 74}:
                assert "room" in run.err or "full" in run.err or "space" in run.err
        (disk / "filler").unlink()
        assert codes[0] in {73, 74}
        assert codes[-1] == 0
        stored = sum(code in {0, 75} for code in codes)
        assert tui_mailer("outbox", "flush", *data).code == 0
        history = tui_mailer("history", "list", "--json", *data).json
        assert [one["state"] for one in history] == ["sent"] * (1 + stored)
        assert len(list((disk / "data" / "Maildir" / "new").iterdir())) == 1 + stored
        for number, code in enumerate(codes):
            again = tui_mailer(*SEND, "--attach", report, "--key", f"k{number}", *data)
            assert again.code == 0, (code, again.err)
        assert len(list((disk / "data" / "Maildir" / "new").iterdir())) == 1 + len(LEVELS)

    @pytest.mark.parametrize("words", [("outbox", "list"), ("history", "list"), ("draft", "list"), ("doctor",)])
    def test_what_is_there_can_be_read_on_a_full_disk(
        self, tui_mailer: TuiMailer, disk: Path, words: tuple[str, ...]
    ) -> None:
        """A full disk keeps nobody from looking."""
        data = ("--data-dir", str(disk / "data"))
        assert tui_mailer(*SEND, *data).code == 0
        leave_free(disk, 0)
        run = tui_mailer(*words, *data)
        assert run.code == (0 if words != ("doctor",) else run.code), run.err
        assert "Traceback" not in run.err


class TestReadOnly:
    pytestmark = needs_mount

    def test_a_read_only_home_is_told_in_a_sentence(self, tui_mailer: TuiMailer, disk: Path) -> None:
        """Nothing can be kept there: exit 73, and the way on is named; the doctor says it too."""
        data = ("--data-dir", str(disk / "data"))
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        run = tui_mailer(*SEND, *data)
        assert run.code == 73
        assert "read-only" in run.err
        assert "can't be made" in tui_mailer("doctor", *data).out or "read-only" in tui_mailer("doctor", *data).out

    def test_mail_that_became_read_only_isnt_sent_and_isnt_lost(self, tui_mailer: TuiMailer, disk: Path) -> None:
        """A disk that the kernel has made read-only after an error: nothing goes out that couldn't be recorded."""
        data = ("--data-dir", str(disk / "data"))
        queued = tui_mailer(*SEND, "--queue", *data).json["id"]
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        for words in (SEND, ("outbox", "flush"), ("outbox", "retry", queued)):
            run = tui_mailer(*words, *data)
            assert run.code == 73, run.err
            assert "read-only" in run.err or "can't be written" in run.err
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        assert [one["id"] for one in tui_mailer("outbox", "flush", "--json", *data).json] == [queued]

    @pytest.mark.parametrize("is_killed", [False, True], ids=["closed", "killed"])
    def test_what_is_there_can_be_looked_at(
        self, tui_mailer: TuiMailer, disk: Path, tmp_path: Path, *, is_killed: bool
    ) -> None:
        """Drafts, outbox and history are read without a byte written, also with a log that a killed process left."""
        whole = disk / "data"
        data = ("--data-dir", str(whole))
        attached = tmp_path / "a.txt"
        attached.write_text("tea")
        sent = tui_mailer(*SEND, "--attach", attached, *data).json["id"]
        draft = tui_mailer("draft", "new", "--to", "x@example.org", "--json", *data).json["id"]
        store = Store.open(whole)
        queued = tui_mailer(*SEND, "--queue", *data).json["id"]
        if is_killed:
            data = ("--data-dir", str(disk / "killed"))
            shutil.copytree(whole, disk / "killed")
            assert (disk / "killed" / "outbox.db-wal").stat().st_size
        store.close()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        shown = {
            words: [one["id"] for one in tui_mailer(*words, "--json", *data).json]
            for words in [("outbox", "list"), ("history", "list"), ("history", "search", "tea"), ("draft", "list")]
        }
        assert list(shown.values()) == [[queued], [sent], [sent], [draft]]
        assert b"filename=a.txt" in tui_mailer("history", "export", sent, *data).out.encode()
        assert tui_mailer("outbox", "show", queued, *data).code == 0
        assert tui_mailer("draft", "show", draft, *data).code == 0
        doctor = tui_mailer("doctor", *data)
        assert doctor.code == 73
        assert "is read-only: what is there can be looked at" in doctor.out
        assert "chmod" not in doctor.out
        assert "rebuild" not in doctor.out

    def test_logs_that_cant_be_kept_stop_nothing(
        self, tui_mailer: TuiMailer, disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without a place for logs and caches, mail goes out all the same."""
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        monkeypatch.setenv("HOME", str(disk))
        for name in ("CONFIG", "STATE", "CACHE"):
            monkeypatch.setenv(f"XDG_{name}_HOME", str(disk / name.lower()))
        assert tui_mailer(*SEND, "--data-dir", tmp_path / "data").code == 0


def test_without_home_runtime_directory_or_session_bus_it_works(tmp_path: Path) -> None:
    """A service started by init has none of them; a data dir is all it takes."""
    run = subprocess.run(
        [sys.executable, "-m", "tui_mailer", "--data-dir", str(tmp_path / "data"), *SEND],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
        cwd=tmp_path,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert len(list((tmp_path / "data" / "Maildir" / "new").iterdir())) == 1


def fifo(path: Path) -> Path:
    os.mkfifo(path)
    return path


def unix_socket(path: Path) -> Path:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
    return path


def directory(path: Path) -> Path:
    path.mkdir()
    return path


def link_to_a_device(path: Path) -> Path:
    path.symlink_to("/dev/zero")
    return path


def link_to_itself(path: Path) -> Path:
    path.symlink_to(path)
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (fifo, "pipe"),
        (unix_socket, "socket"),
        (directory, "directory"),
        (link_to_a_device, "device"),
        (link_to_itself, "can't be"),
        (lambda _: Path("/dev/zero"), "device"),
        (lambda _: Path("/proc/self/environ"), "can't be attached"),
        (lambda _: Path("/sys/kernel/uevent_seqnum"), "can't be attached"),
        (lambda path: path, "doesn't exist"),
    ],
    ids=["fifo", "socket", "directory", "link-to-device", "link-to-itself", "device", "proc", "sys", "missing"],
)
@pytest.mark.parametrize("look", [(), ("--check",), ("--dry-run",)], ids=["send", "check", "dry-run"])
def test_what_is_no_file_is_refused_at_once(
    tui_mailer: TuiMailer, tmp_path: Path, make: Callable[[Path], Path], words: str, look: tuple[str, ...]
) -> None:
    """Neither waits for anybody to write into it nor reads without end: a sentence, 65, and nothing stored."""
    path = make(tmp_path / "thing")
    run = tui_mailer(*SEND, *look, "--attach", path, "--data-dir", tmp_path / "data")
    assert run.code == 65, (run.out, run.err)
    assert words in run.err + run.out
    assert tui_mailer("outbox", "list", "--json", "--data-dir", tmp_path / "data").json == []


def test_a_link_is_followed_and_the_file_is_what_is_sent(tui_mailer: TuiMailer, tmp_path: Path) -> None:
    """A link to a file is that file, under the name that was given."""
    (tmp_path / "real.txt").write_text("inside")
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    sent = tui_mailer(*SEND, "--attach", tmp_path / "link.txt", "--data-dir", tmp_path / "data").json
    assert [(one["name"], one["size"]) for one in sent["attachments"]] == [("link.txt", 6)]


@pytest.mark.parametrize("harm", ["missing", "altered", "cut short"])
def test_a_sealed_file_that_isnt_what_was_sealed_is_held(tui_mailer: TuiMailer, tmp_path: Path, harm: str) -> None:
    """What was reviewed is what is sent, or nothing is, and the outbox says why."""
    data = ("--data-dir", str(tmp_path / "data"))
    (tmp_path / "plan.txt").write_text("the plan\n" * 1000)
    queued = tui_mailer(*SEND, "--attach", tmp_path / "plan.txt", "--queue", *data).json
    spooled = next((tmp_path / "data" / "spool" / "objects").glob("*/*"))
    if harm == "missing":
        spooled.unlink()
    else:
        spooled.chmod(0o600)
        spooled.write_bytes(b"another plan\n" if harm == "cut short" else b"x" + spooled.read_bytes()[1:])
    tui_mailer("outbox", "flush", *data)
    shown = tui_mailer("outbox", "show", queued["id"], "--json", *data).json
    assert shown["state"] == "held"
    assert ("isn't kept any more" if harm == "missing" else "isn't what was sealed") in (shown["held_reason"] or "")
    assert list((tmp_path / "data" / "Maildir").glob("new/*")) == []


def test_a_damaged_outbox_is_left_as_it_is(tui_mailer: TuiMailer, tmp_path: Path) -> None:
    """Whoever may be able to mend it finds every byte; nothing is sent from it, and the doctor names the remedy."""
    data = ("--data-dir", str(tmp_path / "data"))
    assert tui_mailer(*SEND, "--queue", *data).code == 0
    path = tmp_path / "data" / "outbox.db"
    damaged = bytearray(path.read_bytes())
    damaged[8192:16384] = os.urandom(8192)
    path.write_bytes(damaged)
    for words in (("outbox", "list"), ("outbox", "flush"), SEND, ("history", "list")):
        run = tui_mailer(*words, *data)
        assert run.code == 73, run.err
        assert "outbox rebuild" in run.err
    assert "outbox rebuild" in tui_mailer("doctor", *data).out
    assert path.read_bytes() == bytes(damaged)
    assert list((tmp_path / "data" / "Maildir").glob("new/*")) == []
