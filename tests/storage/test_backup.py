"""A copy of the outbox each day, that brings back what was lost and sends nothing by itself."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import apsw
import pytest
from storage_fixtures import HandClock, Post, make_new

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import DamagedStore, StorageError
from tui_mailer.domain.submission import Phase, State
from tui_mailer.storage.backup import KEPT
from tui_mailer.storage.store import Store

OpenStore = Callable[[], Store]


def damage_everything(data_dir: Path) -> None:
    (data_dir / "outbox.db").write_bytes(os.urandom(30_000))
    for leftover in ("-wal", "-shm"):
        (data_dir / f"outbox.db{leftover}").unlink(missing_ok=True)


def put_back(data_dir: Path, copy: Path) -> None:
    """Does what docs/reliability.md tells a person to do."""
    for leftover in ("", "-wal", "-shm"):
        (data_dir / f"outbox.db{leftover}").unlink(missing_ok=True)
    (data_dir / "outbox.db").write_bytes(copy.read_bytes())


def test_one_copy_a_day_and_a_week_of_them(open_store: OpenStore, clock: HandClock) -> None:
    """However often it is asked for there is one a day; the oldest go, and nobody else can read them."""
    store = open_store()
    store.outbox.seal([make_new()])
    taken = [store.backups.take(clock.advance(hours=8)) for _ in range(30)]
    copies = store.backups.list()
    assert len([one for one in taken if one is not None]) == 11
    assert len(copies) == KEPT
    assert copies == sorted(copies, reverse=True)
    assert {stat.S_IMODE(one.stat().st_mode) for one in copies} == {0o600}
    assert list(copies[0].parent.iterdir()) != []
    assert {one.name for one in copies[0].parent.iterdir()} == {one.name for one in copies}


def test_a_copy_put_back_sends_nothing_by_itself(open_store: OpenStore, data_dir: Path, clock: HandClock) -> None:
    """What the copy takes for waiting may have gone out since: it is held, and says why."""
    post = Post(open_store(), clock)
    waiting, in_hand = post.seal(), post.seal()
    post.outbox.set_phase(post.claim(ids=[in_hand.id]), Phase.INTENT)
    copy = post.store.backups.take(clock.now())
    assert copy is not None
    post.store.close()
    put_back(data_dir, copy)
    post = Post(open_store(), clock)
    clock.advance(days=1)
    assert post.outbox.recover(now=clock.now()) == []
    assert post.outbox.claim(post.owner, now=clock.now()) == []
    found = [post.outbox.get(one.id) for one in (waiting, in_hand)]
    assert {one.state for one in found} == {State.HELD}
    assert all("may have been sent since" in (one.held_reason or "") for one in found)
    assert post.outbox.release(waiting.id).state is State.QUEUED


def test_rebuilding_after_a_copy_was_put_back_forgets_what_has_gone_out(
    open_store: OpenStore, data_dir: Path, clock: HandClock
) -> None:
    """The history knows what was sent since: it doesn't wait in the outbox a second time."""
    post = Post(open_store(), clock)
    sent, waiting = post.seal(), post.seal()
    copy = post.store.backups.take(clock.now())
    assert copy is not None
    assert post.deliver().id == sent.id
    post.store.archive_ended()
    later = post.seal()
    post.store.close()
    put_back(data_dir, copy)
    assert Store.rebuild(data_dir, clock=clock) == 1
    store = open_store()
    assert [one.id for one in store.outbox.list()] == [later.id, waiting.id]
    assert store.find(sent.id).state is State.SENT


def test_drafts_and_keys_come_back_from_the_newest_copy_that_can_be_read(
    open_store: OpenStore, data_dir: Path, clock: HandClock
) -> None:
    """With nothing of the outbox readable, what was written and which keys were used isn't lost."""
    store = open_store()
    draft = store.drafts.save(Draft(body="unfinished"))
    store.outbox.seal([make_new(key="k")])
    store.backups.take(clock.now())
    bad = store.backups.take(clock.advance(days=1))
    assert bad is not None
    store.close()
    bad.write_bytes(os.urandom(5000))
    damage_everything(data_dir)
    assert Store.rebuild(data_dir, clock=clock) == 1
    store = open_store()
    assert store.drafts.get(draft.id).draft.body == "unfinished"
    assert len(store.outbox.with_key("k")) == 1


def test_an_outbox_that_is_gone_is_not_begun_anew_in_silence(
    open_store: OpenStore, data_dir: Path, clock: HandClock
) -> None:
    """Sealed mail without an outbox is told, not hidden behind an empty one."""
    store = open_store()
    (sealed,) = store.outbox.seal([make_new()])
    store.close()
    (data_dir / "outbox.db").unlink()
    with pytest.raises(DamagedStore, match=r"1 sealed messages are there.*outbox rebuild"):
        open_store()
    assert not (data_dir / "outbox.db").exists()
    assert Store.rebuild(data_dir, clock=clock) == 1
    assert open_store().outbox.get(sealed.id).state is State.HELD


def test_a_copy_that_was_cut_short_has_no_name(
    open_store: OpenStore, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy is whole or isn't there; the next try makes it."""
    store = open_store()
    store.outbox.seal([make_new()])

    def cut_short(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("tui_mailer.storage.backup.sync_content", cut_short)
        with pytest.raises(Exception, match="no space left"):
            store.backups.take(clock.now())
    assert store.backups.list() == []
    copy = store.backups.take(clock.now() + timedelta(minutes=1))
    assert copy is not None
    connection = apsw.Connection(str(copy))
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


def test_an_old_file_put_back_does_not_send_what_the_history_knows(
    open_store: OpenStore, data_dir: Path, clock: HandClock
) -> None:
    """A plain copy of outbox.db, restored by whatever a person backs up with, doubles nothing the history can tell."""
    post = Post(open_store(), clock)
    sent, waiting = post.seal(), post.seal()
    post.store.close()
    old = (data_dir / "outbox.db").read_bytes()
    post = Post(open_store(), clock)
    assert post.deliver().id == sent.id
    post.store.archive_ended()
    post.store.close()
    (data_dir / "outbox.db").write_bytes(old)
    post = Post(open_store(), clock)
    owner = post.store.become_deliverer("deliver")
    claims = post.outbox.claim(owner, now=clock.now(), limit=10)
    assert [one.submission.id for one in claims] == [waiting.id]
    assert post.store.find(sent.id).state is State.SENT


def test_an_outbox_of_no_bytes_is_not_taken_for_an_empty_one(
    open_store: OpenStore, data_dir: Path, clock: HandClock
) -> None:
    """A file that a crash has left empty hides nothing: it is told, and rebuilt from the sealed messages."""
    post = Post(open_store(), clock)
    waiting = post.seal()
    post.store.close()
    (data_dir / "outbox.db").write_bytes(b"")
    with pytest.raises(DamagedStore, match="gone or empty, though 1 sealed messages"):
        open_store()
    assert Store.rebuild(data_dir, clock=clock) == 1
    assert open_store().outbox.get(waiting.id).state is State.HELD


def test_a_file_swapped_under_a_running_program_takes_and_sends_nothing(
    open_store: OpenStore, data_dir: Path, clock: HandClock
) -> None:
    """What would be kept where nobody finds it, or sent beside the new file's copy, is refused in a sentence."""
    post = Post(open_store(), clock)
    post.seal()
    claim = post.claim()
    post.seal()
    old = data_dir / "outbox.db"
    (data_dir / "restored").write_bytes(old.read_bytes())
    (data_dir / "restored").replace(old)
    for act in (post.seal, post.claim, lambda: post.outbox.set_phase(claim, Phase.INTENT)):
        with pytest.raises(StorageError, match="removed or replaced while tui-mailer was running"):
            act()
