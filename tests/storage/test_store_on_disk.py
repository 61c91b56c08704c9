"""The store's files: private, versioned, mended when damaged, shared by many processes."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import apsw
import pytest
from storage_fixtures import HandClock, Post, answer, make_new

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import DamagedStore, NewerDatabase, StorageError
from tui_mailer.domain.message import Attachment
from tui_mailer.domain.submission import State
from tui_mailer.storage import database as database_module
from tui_mailer.storage.database import Database, outbox_schema
from tui_mailer.storage.file_system import is_on_network
from tui_mailer.storage.store import Store

OpenStore = Callable[[], Store]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def user_version(path: Path, version: int | None = None) -> int:
    connection = apsw.Connection(str(path))
    try:
        if version is not None:
            connection.execute(f"PRAGMA user_version = {version}")
        return connection.pragma("user_version")
    finally:
        connection.close()


def damage(path: Path) -> None:
    """Overwrites the middle of a file, as a failing disk would."""
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(os.urandom(16384))


def test_everything_is_private_from_the_first_byte(data_dir: Path, clock: HandClock) -> None:
    """Directories 0700 and files 0600 or stricter, under an open umask."""
    before = os.umask(0o022)
    try:
        store = Store.open(data_dir, clock=clock)
        post = Post(store, clock)
        store.spool.add_bytes(b"x")
        post.end()
        store.archive_ended()
        post.seal()
        found = {one.relative_to(data_dir).as_posix(): one for one in data_dir.rglob("*")}
        loose = {name: oct(mode(one)) for name, one in found.items() if mode(one) & 0o077}
        assert loose == {}
        assert mode(data_dir) == 0o700
        assert {"outbox.db", "outbox.db-wal", "history.db", "locks", "spool/sealed", "ballast"} <= found.keys()
        store.close()
    finally:
        os.umask(before)


def test_a_file_others_could_read_is_closed(open_store: OpenStore, data_dir: Path) -> None:
    """A restored backup with loose modes is tightened at the next start."""
    open_store().close()
    (data_dir / "outbox.db").chmod(0o644)
    open_store()
    assert mode(data_dir / "outbox.db") == 0o600


def test_a_directory_somebody_lives_in_keeps_its_mode(tmp_path: Path, clock: HandClock) -> None:
    """`--data-dir ~` doesn't lock others out of a home."""
    tmp_path.chmod(0o755)
    (tmp_path / "letter.txt").write_text("dear")
    Store.open(tmp_path, clock=clock).close()
    assert mode(tmp_path) == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_another_users_directory_is_refused(data_dir: Path, clock: HandClock) -> None:
    """Run by the wrong user, the program says so and writes nothing."""
    data_dir.mkdir(mode=0o700)
    os.chown(data_dir, 4711, 4711)
    with pytest.raises(StorageError, match="belongs to another user"):
        Store.open(data_dir, clock=clock)
    assert list(data_dir.iterdir()) == []


def test_a_file_where_the_directory_should_be(data_dir: Path, clock: HandClock) -> None:
    """A data dir that is a file is named in the sentence."""
    data_dir.write_text("x")
    with pytest.raises(StorageError, match="data"):
        Store.open(data_dir, clock=clock)


@pytest.mark.parametrize("name", ["outbox.db", "history.db"])
def test_a_newer_database_is_refused_and_left_alone(open_store: OpenStore, data_dir: Path, name: str) -> None:
    """An older program doesn't touch what a newer one wrote."""
    store = open_store()
    store.history.count()
    store.close()
    user_version(data_dir / name, 99)
    before = (data_dir / name).read_bytes()
    with pytest.raises(NewerDatabase, match="newer tui-mailer"):
        open_store().history.count()
    assert (data_dir / name).read_bytes() == before


def test_a_running_program_notices_a_newer_format(open_store: OpenStore, data_dir: Path) -> None:
    """An old deliverer stops when the app was updated and has brought the outbox up to date."""
    store = open_store()
    user_version(data_dir / "outbox.db", 99)
    with pytest.raises(NewerDatabase):
        store.outbox.has_changed()
    with pytest.raises(NewerDatabase):
        store.outbox.seal([make_new()])
    user_version(data_dir / "outbox.db", 1)
    assert store.outbox.list() == []


def test_some_other_database_is_refused(data_dir: Path, open_store: OpenStore) -> None:
    """A database of another program isn't written into."""
    data_dir.mkdir(mode=0o700)
    connection = apsw.Connection(str(data_dir / "outbox.db"))
    connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    with pytest.raises(StorageError, match="isn't a database of tui-mailer"):
        open_store()


def test_an_older_database_is_brought_up_to_date(open_store: OpenStore, data_dir: Path, clock: HandClock) -> None:
    """A migration keeps the mail, and a copy of the database as it was."""
    store = open_store()
    (sealed,) = store.outbox.seal([make_new()])
    store.close()
    now = outbox_schema()
    newer = replace(now, scripts=(*now.scripts, "ALTER TABLE draft ADD COLUMN colour TEXT; CREATE TABLE extra (a);"))
    database = Database.open(data_dir / "outbox.db", newer)
    assert database.rows("SELECT id FROM submission") == [{"id": sealed.id}]
    assert database.rows("SELECT colour FROM draft") == []
    database.close()
    assert user_version(data_dir / "outbox.db") == now.version + 1
    copy = data_dir / f"outbox.db.before-{now.version + 1}"
    assert mode(copy) == 0o600
    assert user_version(copy) == now.version


def test_a_migration_that_fails_changes_nothing(open_store: OpenStore, data_dir: Path) -> None:
    """Half a migration is none."""
    open_store().close()
    now = outbox_schema()
    broken = replace(now, scripts=(*now.scripts, "CREATE TABLE extra (a); CREATE TABLE extra (a);"))
    with pytest.raises(StorageError):
        Database.open(data_dir / "outbox.db", broken)
    assert user_version(data_dir / "outbox.db") == now.version
    assert open_store().outbox.list() == []


def test_a_migration_waits_for_nobody_forever(
    open_store: OpenStore, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While an older program runs, the newer one asks to stop it rather than pulling its tables away."""
    monkeypatch.setattr("tui_mailer.storage.lock._MIGRATION_WAIT_SECONDS", 0.1)
    open_store()
    now = outbox_schema()
    newer = replace(now, scripts=(*now.scripts, "CREATE TABLE extra (a);"))
    monkeypatch.setattr("tui_mailer.storage.store.outbox_schema", lambda: newer)
    with pytest.raises(StorageError, match="Another tui-mailer is running"):
        open_store()
    assert user_version(data_dir / "outbox.db") == now.version


@pytest.mark.parametrize("how", ["middle", "all"])
def test_a_damaged_outbox_is_rebuilt_from_sealed_copies(
    open_store: OpenStore, data_dir: Path, clock: HandClock, how: str
) -> None:
    """Nothing sealed is lost, nothing is sent by itself, and the damaged file is kept."""
    post = Post(open_store(), clock)
    post.end(subject="sent and moved")
    post.store.archive_ended()
    waiting = [
        post.seal(key="k", draft=Draft(body="typed"), attachments=(Attachment(name="a", media_type="a/b", url="u"),))
    ]
    waiting += [post.seal() for _ in range(20)]
    post.store.close()
    if how == "middle":
        damage(data_dir / "outbox.db")
    else:
        (data_dir / "outbox.db").write_bytes(os.urandom(30_000))
    with pytest.raises(DamagedStore, match="outbox rebuild"):
        open_store()
    assert Store.rebuild(data_dir, clock=clock) == 21
    store = open_store()
    held = store.outbox.list(limit=99)
    assert [one.id for one in held] == [one.id for one in reversed(waiting)]
    assert {one.state for one in held} == {State.HELD}
    assert held[-1].draft is None
    assert store.outbox.get(waiting[0].id).draft == Draft(body="typed")
    assert held[-1].message == waiting[0].message
    assert "may have been sent already" in (held[0].held_reason or "")
    assert store.outbox.seal([make_new(key="k")])[0].id == waiting[0].id
    assert store.outbox.rebuild() == 0
    assert len(list(data_dir.glob("outbox.db.damaged-2026-03-02T*"))) >= 1


def test_drafts_are_taken_out_of_a_damaged_outbox(open_store: OpenStore, data_dir: Path, clock: HandClock) -> None:
    """Damage elsewhere in the file doesn't cost the drafts."""
    store = open_store()
    draft = store.drafts.save(Draft(body="unfinished"))
    store.outbox.hold_account("work", "password")
    store.outbox.seal([make_new(text="x" * 3000) for _ in range(50)])
    store.close()
    connection = apsw.Connection(str(data_dir / "outbox.db"))
    (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'sealed'").fetchone() or (0,)
    connection.close()
    with (data_dir / "outbox.db").open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(os.urandom(4096))
    assert Store.rebuild(data_dir, clock=clock) == 50
    store = open_store()
    assert store.drafts.get(draft.id).draft.body == "unfinished"
    assert store.outbox.account_holds().keys() == {"work"}


def test_a_lost_outbox_is_rebuilt_too(open_store: OpenStore, data_dir: Path, clock: HandClock) -> None:
    """Deleting the database by mistake isn't the end of the mail in it."""
    store = open_store()
    (sealed,) = store.outbox.seal([make_new()])
    store.close()
    (data_dir / "outbox.db").unlink()
    assert Store.rebuild(data_dir, clock=clock) == 1
    assert open_store().outbox.get(sealed.id).state is State.HELD


def test_rebuilding_a_sound_outbox_changes_nothing(open_store: OpenStore, data_dir: Path, clock: HandClock) -> None:
    """What has ended isn't brought back, and a sealed copy cut short is no message."""
    post = Post(open_store(), clock)
    ended, waiting = post.end(), post.seal()
    (data_dir / "spool" / "sealed" / "00000000000000000000000TRN.json").write_text('{"message": {"id"')
    post.store.archive_ended()
    assert post.outbox.rebuild() == 0
    assert [one.id for one in post.outbox.list()] == [waiting.id]
    assert not (data_dir / "spool" / "sealed" / f"{ended.id}.json").exists()


@pytest.mark.parametrize("column", ["message", "draft"])
def test_a_damaged_message_goes_out_from_its_sealed_copy(
    open_store: OpenStore, data_dir: Path, clock: HandClock, column: str
) -> None:
    """Another program has written into one row: list, claim and end go on for all, as it was sealed."""
    post = Post(open_store(), clock)
    first, second = post.seal(subject="Damaged"), post.seal(subject="Whole")
    connection = apsw.Connection(str(data_dir / "outbox.db"))
    connection.execute(f"UPDATE sealed SET {column} = '{{garbage' WHERE submission_id = ?", (first.id,))
    connection.close()
    assert {one.message.subject for one in post.outbox.list()} == {"Damaged", "Whole"}
    assert post.outbox.get(first.id).message == first.message
    claims = post.outbox.claim(post.owner, now=clock.now(), limit=2)
    assert [one.submission.message for one in claims] == [first.message, second.message]
    for one in claims:
        post.outbox.finish(one, answer(one))
    while post.store.archive_ended():
        pass
    assert post.store.history.get(first.id).message.subject == "Damaged"


def test_without_its_sealed_copy_a_damaged_message_is_told_by_name(
    open_store: OpenStore, data_dir: Path, clock: HandClock
) -> None:
    """A sentence with the ID, not a crash."""
    post = Post(open_store(), clock)
    first = post.seal()
    connection = apsw.Connection(str(data_dir / "outbox.db"))
    connection.execute("UPDATE sealed SET message = '[]'")
    connection.close()
    (data_dir / "spool" / "sealed" / f"{first.id}.json").write_text("garbage")
    with pytest.raises(DamagedStore, match=f"{first.id} isn't what was written"):
        post.outbox.list()


def test_a_damaged_history_leaves_sending_alone(open_store: OpenStore, data_dir: Path, clock: HandClock) -> None:
    """Mail goes out though what was sent before can't be read."""
    open_store().history.count()
    open_store().close()
    (data_dir / "history.db").write_bytes(os.urandom(30_000))
    for leftover in ("-wal", "-shm"):
        (data_dir / f"history.db{leftover}").unlink(missing_ok=True)
    post = Post(open_store(), clock)
    assert post.end().state is State.SENT
    with pytest.raises(DamagedStore, match=r"history\.db is damaged"):
        post.store.archive_ended()
    assert len(post.outbox.ended_ids()) == 1


def test_unused_files_are_collected_but_not_what_a_draft_names(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Garbage is what neither outbox, draft nor history names, a day later."""
    spool = post.store.spool
    in_outbox, in_draft, in_history, unused = (spool.add_bytes(bytes([n])) for n in range(4))

    def attached(sha256: str) -> tuple[Attachment, ...]:
        return (Attachment(name="a", media_type="a/b", size=1, sha256=sha256),)

    post.end(attachments=attached(in_history.sha256))
    post.store.archive_ended()
    post.seal(attachments=attached(in_outbox.sha256))
    post.store.drafts.save(Draft(body=f"sealed:{in_draft.sha256}"))
    assert post.store.collect_garbage() == 0
    monkeypatch.setattr("tui_mailer.storage.store.UNUSED_OBJECT_AGE", -post.store.clock.now().resolution * 10_000_000)
    assert post.store.collect_garbage() == 1
    for one in (in_outbox, in_draft, in_history):
        assert spool.size_of(one.sha256) == 1
    with pytest.raises(DamagedStore):
        spool.size_of(unused.sha256)


def test_what_moves_while_garbage_is_looked_for_is_not_garbage(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """A draft made from the history, which is deleted just then: the file is met before or after its move."""
    kept = post.store.spool.add_bytes(b"file")
    ended = post.end(attachments=(Attachment(name="a", media_type="a/b", size=4, sha256=kept.sha256),))
    post.store.archive_ended()
    read = post.store.history.references

    def moved_before_it_is_read() -> set[str]:
        post.store.drafts.save(Draft(body=f"sealed:{kept.sha256}"))
        post.store.delete(ended.id)
        return read()

    monkeypatch.setattr(post.store.history, "references", moved_before_it_is_read)
    monkeypatch.setattr("tui_mailer.storage.store.UNUSED_OBJECT_AGE", -post.store.clock.now().resolution * 10_000_000)
    assert post.store.collect_garbage() == 0
    assert post.store.spool.read(kept.sha256) == b"file"


MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:40 / /home/ada rw - nfs4 server:/ada rw
31 30 0:41 / /home/ada/local rw - xfs /dev/vdb rw
32 22 0:42 / /mnt/my\\040share rw shared:1 - cifs //server/share rw
33 22 0:43 / /mnt/ssh rw - fuse.sshfs host: rw
""".splitlines()


@pytest.mark.parametrize(
    ("path", "is_it"),
    [
        ("/var/lib", False),
        ("/home/ada/.local/share", True),
        ("/home/ada/local/x", False),
        ("/home/adam", False),
        ("/mnt/my share/data", True),
        ("/mnt/ssh", True),
    ],
)
def test_network_file_systems_are_recognised(path: str, is_it: bool) -> None:
    """A home on NFS is known for one, by the innermost mount."""
    assert is_on_network(Path(path), MOUNTS) == is_it


def test_on_a_network_file_system_there_is_no_log(
    data_dir: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where memory can't be shared the database uses a rollback journal, and everything works."""
    monkeypatch.setattr(database_module.file_system, "is_on_network", lambda _path: True)
    store = Store.open(data_dir, clock=clock)
    post = Post(store, clock)
    post.end()
    store.archive_ended()
    assert post.seal() == store.outbox.list()[0]
    assert not (data_dir / "outbox.db-wal").exists()
    store.close()


def run_python(code: str, *arguments: object, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    """Starts a process with the package and these tests' fixtures at hand."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdin=stdin,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


CLAIM_ALL = """
    import sys
    from pathlib import Path
    from storage_fixtures import answer
    from tui_mailer.storage.store import Store
    from tui_mailer.domain.submission import Phase
    store = Store.open(Path(sys.argv[1]))
    owner = store.become_deliverer("deliver")
    while claims := store.outbox.claim(owner, now=store.clock.now(), limit=1):
        store.outbox.set_phase(claims[0], Phase.INTENT)
        print(claims[0].submission.id, flush=True)
        store.outbox.finish(claims[0], answer(claims[0]))
        store.archive_ended()
    store.close()
"""


def test_processes_share_the_work_and_nothing_is_done_twice(open_store: OpenStore, data_dir: Path) -> None:
    """Three deliverers empty one outbox; each message is claimed once."""
    store = open_store()
    sealed = store.outbox.seal([make_new() for _ in range(60)])
    processes = [run_python(CLAIM_ALL, data_dir) for _ in range(3)]
    outputs = [one.communicate(timeout=120)[0].split() for one in processes]
    claimed = [word for output in outputs for word in output]
    assert sorted(claimed) == [one.id for one in sealed]
    assert [one.returncode for one in processes] == [0, 0, 0]
    assert store.count_ended() == 60
    assert {one.state for one in store.list_ended(limit=99)} == {State.SENT}


def test_many_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    """The first start of several processes makes one database, not a quarrel: let go together, many times over."""
    code = """
        import sys
        from pathlib import Path
        from storage_fixtures import make_new
        from tui_mailer.storage.store import Store
        for line in sys.stdin:
            store = Store.open(Path(line.strip()))
            store.outbox.seal([make_new(id=sys.argv[2] * 26)])
            print(store.history.count(), flush=True)
            store.close()
    """
    processes = [run_python(code, tmp_path, number, stdin=subprocess.PIPE) for number in range(4)]
    for round_number in range(40):
        for one in processes:
            assert one.stdin is not None
            one.stdin.write(f"{tmp_path / str(round_number)}\n")
            one.stdin.flush()
        assert [one.stdout.readline().strip() for one in processes if one.stdout] == ["0"] * 4
        store = Store.open(tmp_path / str(round_number))
        assert len(store.outbox.list()) == 4
        store.close()
    for one in processes:
        one.communicate(timeout=60)


STEPS = """
    import sys
    from pathlib import Path
    from storage_fixtures import answer, make_new
    from tui_mailer.storage.store import Store
    from tui_mailer.domain.submission import Phase
    store = Store.open(Path(sys.argv[1]))
    owner = store.become_deliverer("app")
    for number in range(1, 1000):
        sealed = store.outbox.seal([make_new(id=f"{sys.argv[2]}{number:024d}")])[0]
        print("queued", sealed.id, flush=True)
        (claim,) = store.outbox.claim(owner, now=store.clock.now(), ids=[sealed.id])
        store.outbox.set_phase(claim, Phase.BODY)
        store.outbox.set_phase(claim, Phase.INTENT)
        print("intent", sealed.id, flush=True)
        store.outbox.finish(claim, answer(claim))
        print("sent", sealed.id, flush=True)
        store.archive_ended()
"""


@pytest.mark.parametrize("stop_after", [1, 2, 3, 5, 8, 13, 21, 40])
def test_killed_at_any_moment_nothing_is_lost_or_misremembered(data_dir: Path, stop_after: int) -> None:
    """After kill -9 the queued is there, the sent is sent, and what was in between is sent by nobody again."""
    process = run_python(STEPS, data_dir, f"{stop_after:02d}")
    assert process.stdout is not None
    said: dict[str, str] = {}
    with process.stdout as lines:
        for number, line in enumerate(lines, 1):
            word, submission_id = line.split()
            said[submission_id] = word
            if number == stop_after:
                process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    store = Store.open(data_dir)
    store.outbox.recover(policy="ask", now=store.clock.now())
    for submission_id, word in said.items():
        allowed = {
            "queued": {State.QUEUED, State.UNCERTAIN},
            "intent": {State.UNCERTAIN, State.SENT},
            "sent": {State.SENT},
        }[word]
        assert store.find(submission_id).state in allowed
    owner = store.become_deliverer("deliver")
    again = store.outbox.claim(owner, now=store.clock.now(), limit=99)
    assert not {one.submission.id for one in again} & {one for one, word in said.items() if word != "queued"}
    # Killed between a message's sealed copy and its row: nobody was told of it yet, so it comes back to be looked at.
    assert store.outbox.rebuild() <= 1
    assert not {one.id for one in store.outbox.list(states={State.HELD})} & set(said)
    store.close()


def files_holding(data_dir: Path, text: bytes) -> set[str]:
    return {one.name for one in data_dir.rglob("*") if one.is_file() and text in one.read_bytes()}


def test_what_is_deleted_is_in_no_file_any_more(open_store: OpenStore, data_dir: Path, clock: HandClock) -> None:
    """Deleting overwrites: text, address and index words are gone from databases, logs and sealed copies."""
    post = Post(open_store(), clock)
    for number in range(20):
        post.end(subject=f"note {number}", text="ordinary words " * 50)
    gone = post.end("xyzzyrecipient@example.org", text="plugh xyzzytext " * 200, draft=Draft(body="xyzzydraft"))
    for number in range(20):
        post.end(subject=f"note {number}", text="ordinary words " * 50)
    while post.store.archive_ended():
        pass
    assert "history.db-wal" in files_holding(data_dir, b"xyzzytext")
    post.store.delete(gone.id)
    post.store.close()
    for secret in (b"xyzzytext", b"xyzzyrecipient", b"xyzzydraft", b"yzzytext"):
        assert files_holding(data_dir, secret) == set()
