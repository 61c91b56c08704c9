"""The history: pages, searches, counts, and forgetting for good."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from storage_fixtures import START, HandClock, Post

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import DamagedStore, NotFound
from tui_mailer.domain.message import Attachment
from tui_mailer.domain.submission import RecipientStatus, State
from tui_mailer.storage.ended import EndedList
from tui_mailer.storage.history import History
from tui_mailer.storage.record import HistoryQuery
from tui_mailer.storage.store import Store


@pytest.fixture(params=["moved", "unmoved"])
def where(request: pytest.FixtureRequest) -> str:
    """What has ended is found alike, whether it is in the history already or still in the outbox."""
    return request.param


def settle_in(post: Post, where: str) -> None:
    if where == "moved":
        while post.store.archive_ended():
            pass


def found(post: Post, **conditions) -> list[str]:
    return [one.message.subject for one in post.store.list_ended(HistoryQuery(**conditions))]


def test_what_has_ended_is_whole_in_the_history(post: Post) -> None:
    """Nothing is lost on the way: message, recipients, attempts and draft."""
    draft = Draft(to="bob@example.org", body="The analytical engine weaves patterns.", note="n")
    sent = post.end("bob@example.org", "Çelik <c@example.org>", draft=draft, note="for the file", html="<p>hi</p>")
    before = post.store.find(sent.id)
    log = post.store.attempts(sent.id)
    assert post.store.archive_ended() == 1
    after = post.store.find(sent.id)
    assert after.is_in_history
    assert not before.is_in_history
    for name in ("message", "recipients", "draft", "state", "sent_at", "response_text", "note", "updated_at"):
        assert getattr(after, name) == getattr(before, name)
    assert post.store.attempts(sent.id) == log
    assert not post.outbox.has(sent.id)


def test_a_draft_that_differs_from_the_text_is_kept_as_typed(post: Post) -> None:
    """Markdown as typed comes back when a failed message is edited as new."""
    sent = post.end(draft=Draft(body="# as typed"))
    post.store.archive_ended()
    assert post.store.find(sent.id).draft == Draft(body="# as typed")


def test_moving_twice_keeps_one(post: Post) -> None:
    """A crash between the two databases leaves one message, shown once, and the next move tidies up."""
    sent = post.end()
    post.store.history.insert_many(post.outbox.take_ended(10))
    assert [one.id for one in post.store.list_ended()] == [sent.id]
    assert post.store.count_ended() == 1
    assert not post.store.find(sent.id).is_in_history
    assert post.store.archive_ended() == 1
    assert [one.id for one in post.store.list_ended()] == [sent.id]
    assert post.store.count_ended() == 1


def test_pages_hold_everything_once_latest_first(post: Post) -> None:
    """Paging goes on across what is moved and what isn't."""
    ids = [post.end().id for _ in range(10)]
    post.store.archive_ended(limit=6)
    seen: list[str] = []
    while page := post.store.list_ended(limit=3, before=seen[-1] if seen else None):
        seen.extend(one.id for one in page)
    assert seen == ids[::-1]


def test_paging_goes_on_when_the_row_is_moved_meanwhile(post: Post) -> None:
    """A page that began in the outbox goes on in the history."""
    ids = [post.end().id for _ in range(6)]
    first = post.store.list_ended(limit=2)
    post.store.archive_ended()
    second = post.store.list_ended(limit=9, before=first[-1].id)
    assert [one.id for one in first + second] == ids[::-1]


@pytest.mark.parametrize("looks", range(1, 9))
def test_a_row_moved_while_it_is_listed_is_listed_once(post: Post, looks: int) -> None:
    """Another process moves what has ended at any moment between two looks at the databases."""
    ids = [post.end().id for _ in range(6)]
    post.store.archive_ended(limit=3)
    seen = 0

    def opened() -> History:
        nonlocal seen
        seen += 1
        if seen == looks:
            post.store.archive_ended()
        return post.store.history

    for read in (EndedList.page, EndedList.page_up):
        assert [one.id for one in read(EndedList(post.store.outbox, opened))] == ids[::-1]
        assert seen >= min(looks, 4)


def test_many_that_end_in_one_instant_keep_their_order(post: Post) -> None:
    """A bulk cancel at one tick of the clock loses and repeats nothing."""
    ids = [post.seal().id for _ in range(30)]
    for one in ids:
        post.outbox.cancel(one, "x")
    while post.store.archive_ended(limit=7):
        pass
    seen = [one.id for one in post.store.list_ended(limit=100)]
    assert seen == ids[::-1]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"words": ("engine",)}, ["Engine notes"]),
        ({"words": ("ENGINE", "notes")}, ["Engine notes"]),
        ({"words": ("engin",)}, ["Engine notes"]),
        ({"words": ("engin", "notes")}, []),
        ({"words": ("weaves patterns",)}, ["Engine notes"]),
        ({"words": ("patterns weaves",)}, []),
        ({"words": ("gruesse",)}, []),
        ({"words": ("GRÜßE", "aus")}, ["Grüße aus Köln"]),
        ({"words": ("koln",)}, ["Grüße aus Köln"]),
        ({"words": ("carol",)}, ["Grüße aus Köln"]),
        ({"words": ("carol@example.net",)}, ["Grüße aus Köln"]),
        ({"sender": ("lovelace",)}, ["Engine notes"]),
        ({"sender": ("carol",)}, []),
        ({"to": ("carol@example.net",)}, ["Grüße aus Köln"]),
        ({"to": ("ada",)}, []),
        ({"subject": ("köln",)}, ["Grüße aus Köln"]),
        ({"subject": ("patterns",)}, []),
        ({"account": "home"}, ["Grüße aus Köln"]),
        ({"account": "hom"}, []),
        ({"state": State.FAILED}, ["Grüße aus Köln"]),
        ({"state": State.SENT, "words": ("köln",)}, []),
        ({"words": ("sent",)}, []),
        ({"before": START + timedelta(seconds=2)}, ["Engine notes"]),
        ({"after": START + timedelta(seconds=2)}, ["Grüße aus Köln"]),
        ({"after": START, "before": START + timedelta(seconds=3), "words": ("engine",)}, ["Engine notes"]),
        ({"words": ("---",)}, []),
        ({"words": ('"',)}, []),
        ({"words": ("engine", "*")}, []),
        ({"words": ('engine" OR "köln',)}, []),
        ({"words": ("engine OR köln",)}, []),
        ({"words": ("engine", "NOT", "köln")}, []),
        ({"words": ("NEAR(engine notes)",)}, []),
        ({"words": ("subject:engine",)}, []),
        ({"words": ("a\x00b",)}, []),
        ({"words": ("\ud800",)}, []),
        ({"words": ("account0686f6d65",)}, []),
        ({}, ["Grüße aus Köln", "Engine notes"]),
    ],
)
def test_a_search_finds_what_it_says(post: Post, where: str, conditions, expected: list[str]) -> None:
    """Words are ANDed and literal, whatever a search engine might read into them."""
    post.end(subject="Engine notes")
    post.clock.advance(seconds=1)
    post.seal(
        "Carol <carol@example.net>", subject="Grüße aus Köln", text="bis bald", account="home", sender="x@example.org"
    )
    post.deliver(RecipientStatus.REJECTED)
    settle_in(post, where)
    assert found(post, **conditions) == expected
    assert post.store.count_ended(HistoryQuery(**conditions)) == len(expected)


def test_a_search_pages_like_a_list(post: Post) -> None:
    """A search goes on where its page stopped."""
    ids = [post.end(subject="weekly report").id for _ in range(5)]
    post.end(subject="other", text="")
    post.store.archive_ended()
    query = HistoryQuery(words=("report",))
    first = post.store.list_ended(query, limit=2)
    rest = post.store.list_ended(query, limit=9, before=first[-1].id)
    assert [one.id for one in first + rest] == ids[::-1]


def test_deleted_is_gone_from_lists_searches_and_counts(post: Post, where: str) -> None:
    """A deleted message is found by nothing any more."""
    gone, kept = post.end(), post.end()
    settle_in(post, where)
    post.store.delete(gone.id)
    assert [one.id for one in post.store.list_ended(HistoryQuery(words=("engine",)))] == [kept.id]
    assert post.store.count_ended() == 1
    with pytest.raises(NotFound):
        post.store.find(gone.id)
    with pytest.raises(NotFound):
        post.store.delete(gone.id)


def test_purge_deletes_what_ended_before(post: Post, where: str) -> None:
    """Purging goes by when it ended, to the microsecond."""
    old, new = post.end(), post.end()
    settle_in(post, where)
    assert post.store.purge(new.updated_at) == [old.id]
    assert [one.id for one in post.store.list_ended()] == [new.id]
    assert post.store.purge(new.updated_at) == []


def test_a_message_not_to_be_kept_leaves_only_who_and_what_about(post: Post, where: str) -> None:
    """With `keep: false`, text and files are not in the history, and are found by no search."""
    attached = (Attachment(name="a", media_type="text/plain", size=1, sha256="a" * 64),)
    sent = post.end(keep=False, text="secret words", attachments=attached, draft=Draft(body="secret words"))
    post.store.archive_ended()
    kept = post.store.find(sent.id)
    assert (kept.message.text, kept.message.html, kept.message.attachments, kept.draft) == (None, None, (), None)
    assert kept.message.subject == "Engine notes"
    assert kept.recipients == sent.recipients
    assert found(post, words=("secret",)) == []
    assert found(post, words=("engine",)) == ["Engine notes"]
    assert post.store.history.references() == set()


def test_texts_expire(post: Post) -> None:
    """After its time a text is gone from the message, its draft and the search; who and when stay."""
    old = post.end(text="secret words", html="<p>secret</p>", draft=Draft(body="secret words"))
    new = post.end(text="secret words")
    post.store.archive_ended()
    assert post.store.expire(text_before=new.updated_at, attachments_before=None) == 1
    bare = post.store.find(old.id)
    assert (bare.message.text, bare.message.html, bare.draft) == (None, None, None)
    assert bare.recipients == old.recipients
    assert [one.id for one in post.store.list_ended(HistoryQuery(words=("secret",)))] == [new.id]
    assert [one.id for one in post.store.list_ended(HistoryQuery(words=("engine",)))] == [new.id, old.id]
    assert post.store.expire(text_before=new.updated_at, attachments_before=None) == 0


def test_attachments_expire(post: Post) -> None:
    """After their time files are collected, their names stay listed."""
    kept_file = post.store.spool.add_bytes(b"file")
    attached = (Attachment(name="a.txt", media_type="text/plain", size=4, sha256=kept_file.sha256),)
    sent = post.end(attachments=attached)
    post.store.archive_ended()
    far = sent.updated_at + timedelta(days=90)
    assert post.store.history.references() == {kept_file.sha256}
    post.store.expire(text_before=None, attachments_before=sent.updated_at)
    assert post.store.history.references() == {kept_file.sha256}
    post.store.expire(text_before=None, attachments_before=far)
    assert post.store.history.references() == set()
    assert post.store.spool.collect(post.store.history.references(), far + timedelta(days=36500)) == 1
    assert post.store.find(sent.id).message.attachments[0].name == "a.txt"
    with pytest.raises(DamagedStore, match="isn't kept any more"):
        post.store.spool.content(kept_file.sha256)


def test_a_raw_message_goes_with_its_text(post: Post) -> None:
    """What came through sendmail is one piece: its bytes expire when texts do."""
    raw = post.store.spool.add_bytes(b"Subject: x\r\n\r\nx")
    sent = post.end(raw_sha256=raw.sha256, text=None)
    post.store.archive_ended()
    later = sent.updated_at + timedelta(seconds=1)
    post.store.expire(text_before=None, attachments_before=later)
    assert post.store.history.references() == {raw.sha256}
    post.store.expire(text_before=later, attachments_before=None)
    assert post.store.history.references() == set()


def test_an_id_is_completed_wherever_it_is(post: Post) -> None:
    """A suffix finds a submission in the outbox and in the history; an ambiguous one says so."""
    ended = post.end(id="01J0000000000000000000AAAA")
    post.store.archive_ended()
    post.seal(id="01J0000000000000000000BAAA")
    assert post.store.resolve_id("0aaaa") == ended.id
    assert post.store.resolve_id("BAAA") == "01J0000000000000000000BAAA"
    with pytest.raises(NotFound, match="no ID"):
        post.store.resolve_id("AAA")
    post.seal(id="01J000000000000000000CAAAA")
    with pytest.raises(NotFound, match="More than one"):
        post.store.resolve_id("AAAA")


@pytest.mark.parametrize(
    ("word", "is_found"),
    [("議事録", True), ("事", True), ("会議の", True), ("録会", False), ("회의", True), ("ประชุม", True), ("ｶｲｷﾞ", True)],
)
def test_any_part_of_a_text_without_spaces_is_found(post: Post, where: str, word: str, is_found: bool) -> None:
    """Chinese, Japanese, Korean and Thai have no spaces where a search would like them."""
    post.end(subject="会議の議事録です", text="회의록을 보냅니다 การประชุมวันนี้ ｶｲｷﾞ")
    settle_in(post, where)
    assert bool(found(post, words=(word,))) is is_found


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"words": ("har",), "unfinished": "words"}, 1),
        ({"words": ("har",)}, 1),
        ({"words": ("h",), "unfinished": "words"}, 2),
        ({"words": ("the", "harb"), "unfinished": "words"}, 1),
        ({"words": ("harb", "the"), "unfinished": "words"}, 0),
        ({"words": ("the harb",), "unfinished": "words"}, 1),
        ({"words": ("the harb",)}, 0),
        ({"to": ("bob@exam",), "unfinished": "to"}, 2),
        ({"to": ("bob@exam",)}, 0),
        ({"subject": ("eng",), "unfinished": "subject"}, 2),
        ({"sender": ("lovel",), "unfinished": "sender"}, 2),
        ({"account": "wo", "unfinished": "account"}, 2),
        ({"account": "wo"}, 0),
        ({"words": ("ÉTU",), "unfinished": "words"}, 1),
    ],
)
def test_a_word_still_being_typed_stands_for_longer_ones(post: Post, where: str, conditions, expected: int) -> None:
    """As one types, what begins so is found; a finished word means itself."""
    post.end(text="the harbour, l'étude, a house")
    post.end(text="hello")
    settle_in(post, where)
    query = HistoryQuery(**conditions)
    assert len(post.store.list_ended(query)) == expected
    assert post.store.count_ended(query) == expected


def test_a_beginning_of_very_many_words_is_found_too(post: Post) -> None:
    """More words than are looked for one by one begin with it: none is missed."""
    for number in range(80):
        post.end(text=f"abc{number:03d}")
    while post.store.archive_ended():
        pass
    assert len(post.store.list_ended(HistoryQuery(words=("abc",), unfinished="words"), limit=100)) == 80


@pytest.mark.parametrize("moved", [0, 4, 10])
@pytest.mark.parametrize("query", [None, HistoryQuery(words=("engine",)), HistoryQuery(after=START)])
def test_rows_are_reached_from_both_ends_and_by_number(post: Post, moved: int, query: HistoryQuery | None) -> None:
    """Wherever the border between outbox and history lies, pages down, pages up and counts agree."""
    ids = [post.end().id for _ in range(10)]
    if moved:
        post.store.archive_ended(limit=moved)
    rows = ids[::-1]
    ended = post.store.ended
    for limit in (1, 3, 20):
        for skip in (0, 2, 5, 9):
            assert [one.id for one in ended.page(query, limit, skip=skip)] == rows[skip : skip + limit]
            end = 10 - skip
            assert [one.id for one in ended.page_up(query, limit, skip=skip)] == rows[max(0, end - limit) : end]
            for at in (0, 3, 5, 8):
                below = [one.id for one in ended.page(query, limit, rows[at], skip=skip)]
                assert below == rows[at + 1 + skip : at + 1 + skip + limit]
                above = [one.id for one in ended.page_up(query, limit, rows[at], skip=skip)]
                end = max(0, at - skip)
                assert above == rows[max(0, end - limit) : end]
    assert [ended.index_of(query, one) for one in rows] == list(range(10))
    counted, below = 0, None
    while True:
        step = ended.count_step(query, below, 3)
        counted, below = counted + step.number, step.below
        if below is None:
            break
    assert counted == 10


def test_deleted_words_are_not_left_in_the_index(post: Post) -> None:
    """What was deleted can't be read out of the file's index, its list of words included."""
    gone = post.end(text="quartzite 議事録")
    post.end(text="granite")
    post.store.archive_ended()
    history = post.store.history
    assert list(history._beginnings("quartz", 9)) == ["quartzite"]
    post.store.delete(gone.id)
    assert list(history._beginnings("quartz", 9)) == []
    assert list(history._beginnings("議", 9)) == []
    assert list(history._beginnings("grani", 9)) == ["granite"]


def test_what_was_deleted_isnt_put_back_by_a_process_that_was_stopped(
    open_store: Callable[[], Store], clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped while it moved a message into the history, it lets be what has been deleted since."""
    stopped, other = Post(open_store(), clock), open_store()
    ended = stopped.end()
    take = stopped.outbox.take_ended

    def take_and_be_stopped(limit: int) -> object:
        taken = take(limit)
        assert other.archive_ended() == 1
        other.delete(ended.id)
        return taken

    monkeypatch.setattr(stopped.outbox, "take_ended", take_and_be_stopped)
    stopped.store.archive_ended()
    for store in (stopped.store, other):
        with pytest.raises(NotFound):
            store.find(ended.id)
