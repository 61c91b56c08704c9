"""Sealing: durable, all or none, once per key."""

from __future__ import annotations

from datetime import timedelta

import pytest
from storage_fixtures import START, Post, make_new

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import NotFound, StorageError
from tui_mailer.domain.message import Attachment
from tui_mailer.domain.submission import State
from tui_mailer.storage.store import Store


def test_what_is_sealed_is_read_back_as_it_was(store: Store) -> None:
    """Every field of a message survives the outbox."""
    new = make_new(
        "bob@example.org",
        "Çelik <celik@example.org>",
        subject="Grüße \U0001f680",
        html="<p>hi</p>",
        attachments=(Attachment(name="ü.pdf", media_type="application/pdf", size=3, sha256="a" * 64),),
        schedule_words="mon 9:00",
        schedule_zone="Europe/Berlin",
        note="for the file",
        group="batch",
        retries=3,
        keep=False,
        is_kept_locally=True,
        draft=Draft(to="bob@example.org", subject="Grüße", headers=(("X-A", "b"),), tags=(("t", None),)),
    )
    (sealed,) = store.outbox.seal([new])
    assert store.outbox.get(sealed.id) == sealed
    assert sealed.message == new.message
    assert sealed.draft == new.draft


def test_a_list_shows_the_newest_first_and_goes_on_where_it_stopped(store: Store) -> None:
    """Two pages hold everything once, newest first."""
    sealed = store.outbox.seal([make_new() for _ in range(5)])
    first = store.outbox.list(limit=3)
    second = store.outbox.list(limit=3, before=first[-1].id)
    assert [one.id for one in first + second] == [one.id for one in reversed(sealed)]


def test_a_list_can_be_of_one_account(store: Store) -> None:
    """Another account's mail isn't listed or counted."""
    store.outbox.seal([make_new(account="home"), make_new(), make_new()])
    assert len(store.outbox.list(account="work")) == 2
    assert store.outbox.open_count("home") == 1
    assert store.outbox.counts() == {State.QUEUED: 3}


def test_a_key_gives_the_first_submission_again(store: Store) -> None:
    """A script that calls twice with one key has sent once."""
    first, other = store.outbox.seal([make_new(key="invoice-7"), make_new(key="invoice-8")])
    again, third = store.outbox.seal([make_new(key="invoice-7"), make_new(key="invoice-9")])
    assert again == first
    assert third.id not in {first.id, other.id}
    assert len(store.outbox.list()) == 3


def test_one_key_twice_in_one_call_is_one_submission(store: Store) -> None:
    """Two rows of a merge with the same key become one message."""
    one, two = store.outbox.seal([make_new(key="k"), make_new(key="k")])
    assert one.id == two.id
    assert len(store.outbox.list()) == 1


def test_a_key_is_known_after_the_message_went_into_the_history(post: Post) -> None:
    """The key still works weeks later."""
    sent = post.end(key="k")
    post.store.archive_ended()
    (again,) = post.outbox.seal([make_new(key="k")])
    assert again.id == sent.id
    assert again.state is State.SENT


def test_a_key_whose_message_was_deleted_sends_nothing_again(post: Post) -> None:
    """Deleting from the history doesn't make a repeated call send a second time."""
    sent = post.end(key="k")
    post.store.delete(sent.id)
    with pytest.raises(NotFound, match="deleted from the history"):
        post.outbox.seal([make_new(key="k")])
    assert post.outbox.list() == []


def test_messages_sealed_together_are_found_by_the_first_key(store: Store) -> None:
    """A fan-out repeated with its key gives the whole group."""
    sealed = store.outbox.seal([make_new(key="k", group="g"), make_new(key="k#1", group="g")])
    assert [one.id for one in store.outbox.with_key("k")] == [one.id for one in sealed]
    assert store.outbox.with_key("never used") == []


def test_sealing_deletes_the_draft_in_the_same_step(store: Store) -> None:
    """A sent draft is gone from the drafts."""
    draft = store.drafts.save(Draft(to="bob@example.org"))
    store.outbox.seal([make_new()], draft=draft.ref)
    assert store.drafts.list() == []


def test_a_draft_is_not_sent_twice(store: Store) -> None:
    """Two windows on one draft send it once; the second is told and nothing is stored."""
    draft = store.drafts.save(Draft(to="bob@example.org"))
    store.outbox.seal([make_new()], draft=draft.ref)
    with pytest.raises(NotFound, match="sent or deleted"):
        store.outbox.seal([make_new()], draft=draft.ref)
    assert len(store.outbox.list()) == 1
    assert store.outbox.rebuild() == 0


def test_a_batch_is_stored_whole_or_not_at_all(store: Store) -> None:
    """When one of a batch can't be stored, none is, and no sealed copy is left behind."""
    (first,) = store.outbox.seal([make_new()])
    with pytest.raises(StorageError):
        store.outbox.seal([make_new(), make_new(id=first.id)])
    assert [one.id for one in store.outbox.list()] == [first.id]


def test_the_undo_window_is_found_while_it_is_open(post: Post) -> None:
    """Undo takes the newest message still in its window, never a scheduled one."""
    post.seal(not_before=START + timedelta(hours=1), schedule_words="in 1h")
    window = post.seal(not_before=START + timedelta(seconds=10))
    post.seal()
    found = post.outbox.undoable(post.clock.now())
    assert found is not None
    assert found.id == window.id
    assert post.outbox.undoable(post.clock.advance(seconds=10)) is None


def test_a_held_submission_is_never_due(post: Post) -> None:
    """What a script sealed with --hold waits for a person."""
    held = post.seal(state=State.HELD, held_reason="asked for")
    assert held.held_reason == "asked for"
    assert post.outbox.claim(post.owner, now=post.clock.advance(days=9)) == []
    assert post.outbox.next_due(post.clock.now()) is None
