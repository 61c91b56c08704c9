"""Drafts and messages as stored JSON: nothing is lost, old and new versions read each other."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tui_mailer.domain.address import Address
from tui_mailer.domain.draft import BodyFormat, Draft, DraftAttachment
from tui_mailer.domain.message import Attachment, Message
from tui_mailer.storage.codec import from_json, to_json

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
    **{name: TEXT for name, kind in Draft.__annotations__.items() if kind.__forward_arg__ == "str"},
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


@settings(deadline=None)
@given(DRAFTS)
def test_a_stored_draft_reads_back_the_same(draft: Draft):
    """Every field as typed survives storage, whatever was typed."""
    assert from_json(Draft, to_json(draft)) == draft


@settings(deadline=None)
@given(MESSAGES)
def test_a_stored_message_reads_back_the_same(message: Message):
    """What was sealed is what is read."""
    assert from_json(Message, to_json(message)) == message


def test_what_stands_at_its_default_takes_no_room():
    """An empty draft is an empty object; an empty text isn't the same as none."""
    assert to_json(Draft()) == "{}"
    assert from_json(Draft, to_json(Draft(html=""))).html == ""
    assert to_json(Address("ada", "a.example")) == '{"local_part":"ada","domain":"a.example"}'


def test_a_newer_versions_fields_are_ignored_and_an_older_ones_default():
    """A downgrade reads what it knows."""
    text = json.dumps({"to": "bob", "mood": {"happy": True}})
    assert from_json(Draft, text) == Draft(to="bob")
