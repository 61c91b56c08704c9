"""Addresses, whatever they hold: what is written is read again, and no input breaks the reader."""

from __future__ import annotations

import email.utils
import string

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tui_mailer.domain.address import Address, format_address_list, parse_address, parse_address_list
from tui_mailer.domain.errors import InvalidAddress
from tui_mailer.domain.text import clean, has_control

ANY_TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from('"\\<>@,;:.()[]=? \t'), max_size=30)
LABEL = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True).filter(lambda label: label[2:4] != "--")
DOMAIN = st.lists(LABEL, min_size=1, max_size=4).map(".".join) | st.sampled_from(
    ["straße.de", "bücher.example", "[192.0.2.1]", "[IPv6:2001:db8::1]", "例え.jp", "localhost"]
)


PUNCTUATION = st.sampled_from("\"\\<>@,;:.()[]=?' ")
NAME = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp")) | PUNCTUATION, max_size=30
)
LOCAL_PART = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp", "Zs")) | PUNCTUATION,
    min_size=1,
    max_size=5,
)


def addresses() -> st.SearchStrategy[Address]:
    return st.builds(Address, LOCAL_PART, DOMAIN, NAME)


@settings(deadline=None)
@given(addresses())
@example(Address("a b", "c.example", 'say "hi"\\'))
@example(Address("a", "c.example", "=?utf-8?q?=0ABcc:_evil@x.test?="))
@example(Address("a", "c.example", "(Ada)"))
def test_what_is_written_is_read_again(address: Address):
    """``str`` of any address is read back as the same address, and is one line."""
    assert parse_address(str(address)) == address
    assert not has_control(str(address))


@settings(deadline=None)
@given(st.lists(addresses(), max_size=5))
def test_a_list_is_read_again(some: list[Address]):
    """A formatted list is read back whole, in its order."""
    assert parse_address_list(format_address_list(some)) == tuple(some)


@settings(deadline=None)
@given(addresses())
def test_the_wire_form_is_one_address_and_nothing_else(address: Address):
    """An addr-spec read again is itself: no second recipient and no command hides in it."""
    assert parse_address(address.addr_spec).addr_spec == address.addr_spec
    assert address.domain.isascii()
    assert address.domain == address.domain.lower() or address.domain.startswith("[IPv6:")
    assert "\n" not in address.addr_spec
    assert "\r" not in address.addr_spec


@settings(deadline=None)
@given(st.text(max_size=40) | ANY_TEXT)
def test_any_text_is_read_or_refused_with_a_clean_sentence(text: str):
    """Whatever is pasted, it gives addresses or a sentence that is safe to show."""
    try:
        found = parse_address_list(text)
    except InvalidAddress as error:
        sentence = str(error)
        assert sentence == clean(sentence)
        assert len(sentence) < 250
    else:
        assert parse_address_list(format_address_list(found)) == found


SIMPLE_NAME = st.text(string.ascii_letters + " ,.'-@()\"\\", max_size=20)
SIMPLE_LOCAL_PART = st.from_regex(r"[a-z0-9+_-]{1,10}(\.[a-z0-9]{1,5})?", fullmatch=True)


@settings(deadline=None)
@given(st.lists(st.builds(Address, SIMPLE_LOCAL_PART, LABEL, SIMPLE_NAME), min_size=1, max_size=4))
def test_an_independent_reader_agrees(some: list[Address]):
    """Python's own address reader finds the same mailboxes and names in what is written."""
    read = email.utils.getaddresses([format_address_list(some)])
    assert read == [(address.display_name, address.addr_spec) for address in some]
