"""Drafts: whole, and never lost to a race."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from storage_fixtures import HandClock, make_new

from tui_mailer.domain.draft import BodyFormat, Draft, DraftAttachment
from tui_mailer.domain.errors import DraftOutdated, NotFound, StorageError
from tui_mailer.storage.record import DraftRef
from tui_mailer.storage.store import Store

WHOLE = Draft(
    account="work",
    sender="Ada <ada@example.org>",
    to="bob@example.org, half a",
    cc="c",
    bcc="d",
    reply_to="e",
    subject="Grüße \U0001f680 \ud800",
    body="line\nline",
    body_format=BodyFormat.MARKDOWN,
    html="<p>",
    attachments=(DraftAttachment(source="/tmp/\udce4.pdf", name="ä.pdf", content_id="x"),),
    schedule="tomorrow 9am",
    in_reply_to="<a@b>",
    references="<a@b> <c@d>",
    headers=(("X-A", "1"), ("X-A", "2")),
    tags=(("t", None), ("u", "v")),
    metadata={"k": "v"},
    template="tpl",
    variables={"name": "Bob"},
    options={"o": '{"json": true}'},
    retries=2,
    note="n",
)


def test_every_field_is_kept(store: Store) -> None:
    """Whatever was typed comes back, however wrong it still is."""
    stored = store.drafts.save(WHOLE)
    assert store.drafts.get(stored.id) == stored
    assert stored.draft == WHOLE


def test_saving_again_goes_on_with_the_same_draft(store: Store) -> None:
    """Autosave keeps one draft, not a pile."""
    first = store.drafts.save(Draft(body="a"))
    second = store.drafts.save(Draft(body="ab"), first.ref)
    assert second.id == first.id
    assert [one.draft.body for one in store.drafts.list()] == ["ab"]


def test_the_loser_of_a_race_is_kept_as_a_copy(store: Store) -> None:
    """Two windows on one draft lose nothing."""
    first = store.drafts.save(Draft(body="a"))
    store.drafts.save(Draft(body="mine"), first.ref)
    copy = store.drafts.save(Draft(body="theirs"), first.ref)
    assert copy.is_copy_of == first.id
    assert {one.draft.body for one in store.drafts.list()} == {"mine", "theirs"}


def test_saving_what_was_deleted_elsewhere_keeps_a_copy(store: Store) -> None:
    """Text typed into a draft that another window sent or deleted isn't lost."""
    first = store.drafts.save(Draft(body="a"))
    store.drafts.delete(first.ref)
    copy = store.drafts.save(Draft(body="ab"), first.ref)
    assert copy.id != first.id
    assert copy.is_copy_of == first.id


def test_the_last_saved_comes_first(store: Store, clock: HandClock) -> None:
    """Pages go from the draft touched last to the oldest."""
    ids = []
    for number in range(5):
        clock.advance(seconds=1)
        ids.append(store.drafts.save(Draft(body=str(number))).id)
    clock.advance(seconds=1)
    store.drafts.save(Draft(body="again"), DraftRef(ids[0]))
    first = store.drafts.list(limit=2)
    rest = store.drafts.list(limit=9, before=first[-1].id)
    assert [one.id for one in first + rest] == [ids[0], ids[4], ids[3], ids[2], ids[1]]


def test_a_deleted_draft_is_gone(store: Store) -> None:
    """Deleting twice says that there is none."""
    draft = store.drafts.save(Draft(body="a"))
    store.drafts.delete(draft.ref)
    acts = (lambda one: store.drafts.delete(DraftRef(one)), store.drafts.get, lambda one: store.drafts.list(before=one))
    for act in acts:
        with pytest.raises(NotFound):
            act(draft.id)


def test_what_another_window_has_written_since_is_not_deleted(store: Store) -> None:
    """Whoever deletes or sends a draft as it was read leaves the newer text there, and is told."""
    read = store.drafts.save(Draft(body="a"))
    newer = store.drafts.save(Draft(body="ab"), read.ref)
    with pytest.raises(DraftOutdated):
        store.drafts.delete(read.ref)
    with pytest.raises(DraftOutdated):
        store.outbox.seal([make_new()], draft=read.ref)
    assert store.drafts.list() == [newer]
    assert store.outbox.list() == []
    store.drafts.delete(newer.ref)
    assert store.drafts.list() == []


def test_a_draft_is_not_saved_into_a_data_dir_that_was_moved_away(tmp_path: Path) -> None:
    """What is written into a file that nobody finds any more isn't called saved."""
    with closing(Store.open(tmp_path / "data")) as store:
        store.drafts.save(Draft(body="a"))
        (tmp_path / "data").rename(tmp_path / "moved")
        with pytest.raises(StorageError, match="was removed or replaced"):
            store.drafts.save(Draft(body="ab"))


def test_an_id_is_completed_from_its_end(store: Store) -> None:
    """Four characters will do, in any case; fewer, none or several won't."""
    draft = store.drafts.save(Draft(body="a"))
    assert store.resolve_id(draft.id[-6:].lower()) == draft.id
    assert store.resolve_id(draft.id) == draft.id
    for text in ("", "abc", "ZZZZZZZZ", "%%%%", "a" * 27, "ÄÄÄÄ"):
        with pytest.raises(NotFound):
            store.resolve_id(text)


def test_search_looks_through_all_pages_for_every_word(store: Store) -> None:
    """In any case, in recipients, subject and body, newest first, no more than asked for."""
    first = store.drafts.save(Draft(to="BOB@example.org", body="About the Engine"))
    for number in range(501):
        store.drafts.save(Draft(subject=f"engine {number}"))
    last = store.drafts.save(Draft(cc="bob", subject="ENGINE"))
    assert store.drafts.search(["engine", "bob"]) == [last, first]
    assert store.drafts.search(["engine", "bob"], limit=1) == [last]
    assert len(store.drafts.search(["engine"], limit=1000)) == 503
    assert store.drafts.search(["engine", "nobody"]) == []
