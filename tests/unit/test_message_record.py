"""Drafts and messages as JSON: nothing is lost, old and new versions read each other, damage is noticed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_mailer.domain.address import Address, parse_address
from tui_mailer.domain.errors import DamagedStore
from tui_mailer.domain.message import (
    Attachment,
    BodyFormat,
    Draft,
    DraftAttachment,
    Message,
    draft_from_record,
    draft_to_record,
    message_from_record,
    message_to_record,
)

TEXT = st.text(max_size=20)
MAYBE_TEXT = st.none() | TEXT
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple)
TAGS = st.lists(st.tuples(TEXT, MAYBE_TEXT), max_size=3).map(tuple)
TEXTS = st.dictionaries(TEXT, TEXT, max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT, lambda inner: st.lists(inner, max_size=2), max_leaves=4
)
SIZE = st.none() | st.integers(0, 2**40)
ADDRESS = st.builds(
    Address,
    st.text('abc+." <>,é', min_size=1, max_size=8),
    st.sampled_from(["b.example", "straße.de", "[192.0.2.1]"]),
    st.text('Ada Ünal,"\\<>@=?()', max_size=12),
)
ADDRESSES = st.lists(ADDRESS, max_size=3).map(tuple)

DRAFTS = st.builds(
    Draft,
    **{field.name: TEXT for field in dataclasses.fields(Draft) if field.type == "str"},
    body_format=st.sampled_from(BodyFormat),
    html=MAYBE_TEXT,
    attachments=st.lists(
        st.builds(DraftAttachment, source=TEXT, name=MAYBE_TEXT, media_type=MAYBE_TEXT, content_id=MAYBE_TEXT),
        max_size=2,
    ).map(tuple),
    headers=PAIRS,
    tags=TAGS,
    metadata=TEXTS,
    variables=TEXTS,
    options=TEXTS,
    retries=st.none() | st.integers(0, 100),
)
MESSAGES = st.builds(
    Message,
    id=TEXT,
    message_id=TEXT,
    sender=ADDRESS,
    to=ADDRESSES,
    cc=ADDRESSES,
    bcc=ADDRESSES,
    reply_to=ADDRESSES,
    subject=TEXT,
    text=MAYBE_TEXT,
    html=MAYBE_TEXT,
    attachments=st.lists(
        st.builds(
            Attachment,
            name=TEXT,
            media_type=TEXT,
            size=SIZE,
            sha256=MAYBE_TEXT,
            url=MAYBE_TEXT,
            reference=MAYBE_TEXT,
            content_id=MAYBE_TEXT,
        ),
        max_size=2,
    ).map(tuple),
    in_reply_to=MAYBE_TEXT,
    references=st.lists(TEXT, max_size=3).map(tuple),
    headers=PAIRS,
    tags=TAGS,
    metadata=TEXTS,
    template=MAYBE_TEXT,
    variables=TEXTS,
    options=st.dictionaries(TEXT, JSON, max_size=3),
    raw_sha256=MAYBE_TEXT,
    raw_size=SIZE,
)
MINIMAL: dict[str, object] = {"id": "01", "message_id": "<01@b.example>", "sender": "ada@b.example"}


@settings(deadline=None)
@given(DRAFTS)
def test_a_draft_survives_storage_whole(draft: Draft):
    """Every field comes back as it was typed."""
    assert draft_from_record(json.loads(json.dumps(draft_to_record(draft)))) == draft


@settings(deadline=None)
@given(MESSAGES)
def test_a_message_survives_storage_whole(message: Message):
    """What was sealed is what is read again, addresses included."""
    assert message_from_record(json.loads(json.dumps(message_to_record(message)))) == message


def test_every_field_of_both_is_tried_above():
    """A field added later can't be forgotten in the JSON form unnoticed."""
    draft = Draft(**{field.name: "x" for field in dataclasses.fields(Draft) if field.type == "str"})
    assert draft_from_record(draft_to_record(draft)) == draft
    covered = {
        "id message_id sender to cc bcc reply_to subject text html attachments in_reply_to references headers tags",
        "metadata template variables options raw_sha256 raw_size",
    }
    assert {field.name for field in dataclasses.fields(Message)} == {name for line in covered for name in line.split()}
    others = "body_format html attachments headers tags metadata variables options retries"
    assert {field.name for field in dataclasses.fields(Draft) if field.type != "str"} == set(others.split())


def test_an_empty_draft_is_an_empty_record():
    """Only what differs from the default is kept."""
    assert draft_to_record(Draft()) == {}
    assert draft_from_record({}) == Draft()


def test_an_empty_text_is_not_a_missing_text():
    """An empty body stays a body."""
    message = dataclasses.replace(message_from_record(MINIMAL), text="")
    assert message_from_record(message_to_record(message)).text == ""
    assert message_from_record(MINIMAL).text is None


def test_keys_of_a_newer_version_are_ignored():
    """A record with more than this version knows is still read."""
    assert draft_from_record({"to": "bob", "mood": {"happy": True}}) == Draft(to="bob")
    assert message_from_record(MINIMAL | {"color": 1}).sender == parse_address("ada@b.example")


def test_a_newer_body_format_is_read_as_plain():
    """An unknown word for the format costs no draft."""
    assert draft_from_record({"body": "x", "body_format": "troff"}).body_format is BodyFormat.PLAIN


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"message_id": 5},
        {"sender": "nobody"},
        {"sender": "a@b, c@d"},
        {"to": "a@b"},
        {"to": ["a@"]},
        {"to": [None]},
        {"subject": 1},
        {"attachments": ["x"]},
        {"attachments": [{"name": "x"}]},
        {"headers": [["one"]]},
        {"headers": [["one", None]]},
        {"tags": [[None, None]]},
        {"metadata": ["a"]},
        {"metadata": {"a": 1}},
        {"raw_size": "12"},
        {"raw_size": True},
    ],
)
def test_a_damaged_message_is_noticed(change: dict[str, object]):
    """What isn't what was written is never sent as if it were."""
    with pytest.raises(DamagedStore):
        message_from_record(MINIMAL | change)


@pytest.mark.parametrize("key", ["id", "message_id", "sender"])
def test_a_message_without_its_identity_is_damaged(key: str):
    """Without its ID, Message-ID or sender nothing can be sent."""
    with pytest.raises(DamagedStore, match=key):
        message_from_record({name: value for name, value in MINIMAL.items() if name != key})


@pytest.mark.parametrize("read", [draft_from_record, message_from_record])
def test_a_record_is_left_as_it_was(read: Callable[[dict[str, object]], object]):
    """Reading changes nothing, and what was read shares nothing with it."""
    record = MINIMAL | {"metadata": {"a": "b"}}
    before = json.dumps(record)
    value = read(record)
    assert isinstance(value, (Draft, Message))
    assert value.metadata is not record["metadata"]
    assert json.dumps(record) == before


@pytest.mark.parametrize(
    ("draft", "is_empty"),
    [
        (Draft(), True),
        (Draft(account="work", sender="ada@b.example", body=" \n"), True),
        (Draft(subject="x"), False),
        (Draft(to="b"), False),
        (Draft(html="<p>"), False),
        (Draft(attachments=(DraftAttachment(source="x"),)), False),
    ],
)
def test_a_draft_worth_keeping(draft: Draft, is_empty: bool):
    """An account and blank lines alone are nothing a person would miss."""
    assert draft.is_empty() is is_empty
