"""Contacts: learnt from what has ended, found by any word's beginning, gone with what is purged."""

from __future__ import annotations

from datetime import timedelta

from storage_fixtures import Post

from tui_mailer.domain.submission import RecipientStatus


def learn(post: Post) -> None:
    """Moves all that has ended into the history and reads it."""
    while post.store.archive_ended():
        pass
    while post.store.history.contacts.learn():
        pass


def test_people_written_to_are_found_by_any_beginning(post: Post) -> None:
    """By the words of the name, the address and its domain; all must fit; the latest comes first."""
    post.end("Charles Babbage <c.babbage@analytical.example>")
    post.end("Émilie du Châtelet <emilie@cirey.example>", "bob@analytical.example")
    learn(post)
    find = post.store.history.contacts.find
    charles, emilie = "Charles Babbage <c.babbage@analytical.example>", "Émilie du Châtelet <emilie@cirey.example>"
    for typed in ("ch", "Bab", "c.bab", "c.babbage@an", "charles b", "babbage ch"):
        assert find(typed)[0] == charles or typed == "ch", typed
    assert set(find("ch")) == {charles, emilie}
    assert find("ÉM") == [emilie]
    assert find("analytical") == ["bob@analytical.example", charles]
    for typed in ("", " ", "zz", "charles z", '"', "%", "<"):
        assert find(typed) == []


def test_what_was_refused_is_not_proposed(post: Post) -> None:
    """A mistyped address that bounced isn't learnt, and a name stays though the address was written without it."""
    post.seal("bob@exmaple.org", "Cy <cy@example.org>")
    post.deliver(RecipientStatus.REJECTED, RecipientStatus.ACCEPTED)
    post.end("CY@example.org")
    learn(post)
    assert post.store.history.contacts.find("b") == []
    assert post.store.history.contacts.find("cy") == ["Cy <cy@example.org>"]


def test_contacts_go_with_what_is_purged(post: Post) -> None:
    """Nobody is left behind whose last message was deleted; others stay, and new ones are learnt as before."""
    first = post.end("old@example.org")
    post.clock.advance(days=2)
    post.end("new@example.org")
    learn(post)
    post.store.purge(first.updated_at + timedelta(days=1))
    assert post.store.history.contacts.find("example") == ["new@example.org"]
    post.end("next@example.org")
    learn(post)
    assert post.store.history.contacts.find("example") == ["next@example.org", "new@example.org"]


def test_a_single_letter_costs_no_pass_over_all(post: Post) -> None:
    """Thousands fit a letter: fifty are told."""
    for start in range(0, 120, 30):
        post.end(*(f"a{number}@example.org" for number in range(start, start + 30)))
    learn(post)
    assert len(post.store.history.contacts.find("a")) == 50
