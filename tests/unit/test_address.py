"""Addresses: what people type, paste and export is read as they mean it, or refused by name."""

from __future__ import annotations

import pytest

from tui_mailer.domain.address import Address, parse_address, parse_address_list, to_a_label
from tui_mailer.domain.domain_name import looks_mixed_script
from tui_mailer.domain.errors import InvalidAddress, InvalidMessage


def read(text: str) -> list[tuple[str, str]]:
    return [(address.display_name, address.addr_spec) for address in parse_address_list(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ada@b.example", ("", "ada@b.example")),
        ("Ada Lovelace <ada@b.example>", ("Ada Lovelace", "ada@b.example")),
        ('"Last, First" <a@b.example>', ("Last, First", "a@b.example")),
        (r'"The \"Countess\" \\ Ada" <a@b>', (r'The "Countess" \ Ada', "a@b")),
        ('"a@b.example" <a@b.example>', ("a@b.example", "a@b.example")),
        ("a@b.example <a@b.example>", ("a@b.example", "a@b.example")),
        ("Dr. Ada Lovelace <ada@b>", ("Dr. Ada Lovelace", "ada@b")),
        ("J.R.R. Tolkien <j@b>", ("J.R.R. Tolkien", "j@b")),
        ("O'Brien <o'brien@b>", ("O'Brien", "o'brien@b")),
        ("Ada [Work] <ada@b>", ("Ada [Work]", "ada@b")),
        ("Ada\u00a0Lovelace <ada@b>", ("Ada Lovelace", "ada@b")),
        ("Ada\t Lovelace   <ada@b>", ("Ada Lovelace", "ada@b")),
        ("<ada@b>", ("", "ada@b")),
        ('"" <ada@b>', ("", "ada@b")),
        ("陈 爱达 <ada@b>", ("陈 爱达", "ada@b")),
        ("ada@b (Ada Lovelace)", ("Ada Lovelace", "ada@b")),
        ("Ada (the (first) programmer) <ada@b> (really)", ("Ada", "ada@b")),
        (r"Ada (a \) bracket) <ada@b>", ("Ada", "ada@b")),
        ("ada(comment)@(comment)b.example", ("", "ada@b.example")),
        ("ada . lovelace @ b . example", ("", "ada.lovelace@b.example")),
        ("<@relay.example,@other.example:ada@b>", ("", "ada@b")),
        ("mailto:ada@b", ("", "ada@b")),
        ("Ada <mailto:ada@b>", ("Ada", "ada@b")),
        ("ada+tag=x!#$%&'*/?^_`{|}~-@b", ("", "ada+tag=x!#$%&'*/?^_`{|}~-@b")),
        ('"ada lovelace"@b', ("", '"ada lovelace"@b')),
        ('"ada"@b', ("", "ada@b")),
        ('"a@b, <c>"@d', ("", '"a@b, <c>"@d')),
        ("ada@localhost", ("", "ada@localhost")),
        ("ada@mail.test", ("", "ada@mail.test")),
        ("ada@b.example.", ("", "ada@b.example")),
        ("Ada@B.Example", ("", "Ada@b.example")),
        ("ada@[192.0.2.1]", ("", "ada@[192.0.2.1]")),
        ("ada@[ipv6:2001:DB8:0::1]", ("", "ada@[IPv6:2001:db8::1]")),
    ],
)
def test_one_address_as_people_write_it(text: str, expected: tuple[str, str]):
    """Names with commas, dots, quotes or brackets, comments, old routes: the address is the one meant."""
    assert read(text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" , ;\n", []),
        ("a@b, c@d", ["a@b", "c@d"]),
        ("a@b; c@d;", ["a@b", "c@d"]),
        ("a@b,,c@d,", ["a@b", "c@d"]),
        ("a@b\nc@d\r\n\r\ne@f\n", ["a@b", "c@d", "e@f"]),
        ("Ada <a@b>;\n  Bob <c@d>", ["a@b", "c@d"]),
        ("Ada <a@b>\n  Bob <c@d>", ["a@b", "c@d"]),
        ('"Lovelace,\tAda" <a@b>,\r\n Charles\r\n Babbage <c@d>', ["a@b", "c@d"]),
        ("team: a@b, c@d;", ["a@b", "c@d"]),
        ("team: a@b; c@d", ["a@b", "c@d"]),
        ("x@y, My friends: Ada <a@b>, c@d;, z@y", ["x@y", "a@b", "c@d", "z@y"]),
        ("undisclosed-recipients:;", []),
        ('"the team": ;', []),
        ("team:\n a@b,\n c@d\n;", ["a@b", "c@d"]),
    ],
)
def test_lists_as_people_paste_them(text: str, expected: list[str]):
    """Commas, semicolons, line breaks and groups all separate addresses."""
    assert [address.addr_spec for address in parse_address_list(text)] == expected


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("straße.de", "xn--strae-oqa.de"),
        ("STRASSE.de", "strasse.de"),
        ("Bücher.Example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("bücher.example.", "xn--bcher-kva.example"),
        ("a_b.example", "a_b.example"),
    ],
)
def test_domains_become_a_labels(domain: str, expected: str):
    """An international domain goes out as IDNA 2008 says: straße.de is not strasse.de."""
    assert to_a_label(domain) == expected
    assert Address("ada", domain).domain == expected


def test_a_person_reads_the_domain_in_its_own_script():
    """The list shows bücher.example, the wire gets its A-label."""
    address = parse_address("Ada <ada@bücher.example>")
    assert address.addr_spec == "ada@xn--bcher-kva.example"
    assert address.unicode_domain == "bücher.example"
    assert address.readable == "Ada <ada@bücher.example>"


def test_a_lookalike_domain_is_shown_by_its_real_name():
    """A Cyrillic letter in a Latin name can't pass for paypal.com."""
    address = parse_address("help@\u0440aypal.com")
    assert looks_mixed_script(address.domain)
    assert address.readable == "help@xn--aypal-uye.com"


@pytest.mark.parametrize("domain", ["\u0440aypal.com", "\u0430\u0440\u0440\u04cf\u0435.com", "micr\u03bfsoft.com"])
def test_deceiving_domains_are_noticed(domain: str):
    """Letters of another alphabet that look Latin are found, in either spelling of the domain."""
    assert looks_mixed_script(domain)
    assert looks_mixed_script(to_a_label(domain))


@pytest.mark.parametrize(
    "domain", ["paypal.com", "bücher.example", "пример.рф", "例え.jp", "ελλάδα.gr", "日本語abc.jp"]
)
def test_honest_domains_are_left_alone(domain: str):
    """A domain wholly in its own script, or Latin beside Japanese, raises no alarm."""
    assert not looks_mixed_script(domain)


@pytest.mark.parametrize(
    ("text", "needs"),
    [("ada@bücher.example", False), ("jörg@b.example", True), ("Jörg <jorg@b.example>", False), ("用户@例え.jp", True)],
)
def test_only_a_local_part_needs_smtputf8(text: str, needs: bool):
    """A foreign name or domain goes through any server; only a non-ASCII local part needs the extension."""
    assert parse_address(text).needs_smtputf8 is needs


@pytest.mark.parametrize(
    ("text", "sentence", "part"),
    [
        ("bob@", "'bob@' has no domain after the @", "bob@"),
        ("a@b, bob@ , c@d", "'bob@' has no domain after the @", "bob@"),
        ("bob", "'bob' has no @", "bob"),
        ("a@b, bob", "'bob' has no @", "bob"),
        ("bob\na@b", "'bob' has no @", "bob"),
        ("Lovelace, Ada <a@b>", "'Lovelace' has no @; a name with a comma in it goes in quotes", "Lovelace"),
        ("@b.example", "'@b.example' has nothing before the @", "@b.example"),
        ("a@b@c", "'a@b@c' has two @", "a@b@c"),
        ("a@b c@d", "A comma is missing before 'c@d'", "a@b c@d"),
        ("Ada <a@b> c@d", "A comma is missing before 'c@d'", "Ada <a@b> c@d"),
        (
            "Ada ada@b",
            "'Ada ada@b': an address has no space inside; with a name before it, the address goes in < >",
            "Ada ada@b",
        ),
        ("Bob <bob@exa mple.org>", "The domain 'exa mple.org' has a space inside", "exa mple.org"),
        (
            "Bob <bob@exa mple.org>, eve, x y@z.org, a@b",
            "The domain 'exa mple.org' has a space inside (and 2 more)",
            "exa mple.org",
        ),
        ("bob@exa mple.org", "The domain 'exa mple.org' has a space inside", "exa mple.org"),
        ("Bob <bob@exa mple.org", "The bracket < in '<bob@exa mple' is not closed after the address", "<bob@exa mple"),
        ("Bob <bo b@c>", "'bo b' before the @ has a space or quote inside", "<bo b@c>"),
        ("bob, c@d, eve, a@b c@d", "'bob' has no @; a name with a comma in it goes in quotes (and 2 more)", "bob"),
        ("a@b c d, e@f", "The domain 'b c d' has a space inside", "b c d"),
        ("a..b@c", "'a..b@c' has a dot too many before the @", "a..b@c"),
        (".a@b", "'.a@b' has a dot too many before the @", ".a@b"),
        ("a.@b", "'a.@b' has a dot too many before the @", "a.@b"),
        ("a@b..c", "The domain 'b..c' has an empty part between its dots", "b..c"),
        ("a@.b", "The domain '.b' has an empty part between its dots", ".b"),
        ("a@-b.example", "'-b' in the domain '-b.example' can't start or end with a hyphen", "-b.example"),
        ("a@b&c", "The domain 'b&c' can't hold '&'", "b&c"),
        ("a@♥.example", "The domain '♥.example' is not a possible international domain name", "♥.example"),
        ("a@192.0.2.1", "An IP address as a domain needs brackets: [192.0.2.1]", "192.0.2.1"),
        ("a@[192.0.2.256]", "'[192.0.2.256]' is no IP address", "[192.0.2.256]"),
        ("a@[IPv6:fe80::1%eth0]", "'[IPv6:fe80::1%eth0]' is no IP address", "[IPv6:fe80::1%eth0]"),
        ("a@[example]", "'[example]' is no IP address", "[example]"),
        ('"Ada <a@b>', "The quote before 'Ada <a@b>' is never closed", '"Ada <a@b>'),
        ('Ada" <a@b>', "The quote before '<a@b>' is never closed", '" <a@b>'),
        ("Ada <a@b", "The bracket < in '<a@b' is not closed after the address", "<a@b"),
        ("<a@b, c@d>", "The bracket < in '<a@b,' is not closed after the address", "<a@b,"),
        ("a@b>", "'a@b>' has a > without its <", "a@b>"),
        ("Ada (x <a@b>", "The bracket ( in '(x <a@b>' is never closed", "(x <a@b>"),
        ("Ada) <a@b>", "'Ada) <a@b>' has a ) that closes nothing", ") <a@b>"),
        ("a@[192.0.2.1", "The bracket before '192.0.2.1' is never closed", "[192.0.2.1"),
        ("Ada ] <a@b>", "'Ada ] <a@b>' has a ] that closes nothing", "] <a@b>"),
        (r"a\b@c", r"The backslash in 'a\b@c' is only allowed inside quotes", r"\b@c"),
        ("Ada <>", "There is no address in < >", "<>"),
        ("Ada <ada>", "'ada' in < > has no @", "<ada>"),
        ('""@b', "There is nothing before the @", ""),
        ("team: a@b, c@d", "The group 'team' is never closed with a ;", "team: a@b, c@d"),
        ("team: inner: a@b;;", "The group 'team' can't hold another group, 'inner'", "inner"),
        (": a@b;", "':' starts with a colon", ":"),
        ("a\u200bb@c", "before the @ has the invisible character U+200B", "a\u200bb"),
    ],
)
def test_a_refusal_names_the_part(text: str, sentence: str, part: str):
    """What can't be read is refused with one sentence that quotes the offending part."""
    with pytest.raises(InvalidAddress) as caught:
        parse_address_list(text, field="cc")
    assert sentence in str(caught.value)
    assert caught.value.part == part
    assert caught.value.field == "cc"


def test_limits_of_rfc_5321():
    """A local part of 64 octets, a label of 63 and a domain of 255 are fine, and not one more."""
    longest_domain = ".".join(["x" * 63] * 3 + ["y" * 63])
    assert len(longest_domain) == 255
    for text in ("x" * 64 + "@b", "ü" * 32 + "@b", "a@" + "x" * 63, "a@" + longest_domain):
        assert len(parse_address_list(text)) == 1
    longer_domain = ".".join(["x" * 63] * 3 + ["y" * 62, "z"])
    quoted = '"' + "x" * 61 + ' y"@b'
    for text in ("x" * 65 + "@b", "ü" * 33 + "@b", quoted, "a@" + "x" * 64, "a@" + longer_domain, "a@" + "ü" * 63):
        with pytest.raises(InvalidAddress, match=r"longer than|not a possible"):
            parse_address_list(text)


FORBIDDEN = [
    "\x00",
    "\x07",
    "\x1b",
    "\x0b",
    "\x0c",
    "\x7f",
    "\x85",
    "\x9b",
    "\u2028",
    "\u2029",
    "\ud800",
    "\udfff",
    "\u202e",
    "\u2066",
]


@pytest.mark.parametrize("character", FORBIDDEN)
@pytest.mark.parametrize(
    "pattern", ["a{}b@c", "a@b{}c", "Ada{}L <a@b>", '"Ada{}L" <a@b>', '"a{}b"@c', "(x{}y) a@b", "a@b{}", "a@[1{}2]"]
)
def test_control_characters_are_refused_everywhere(pattern: str, character: str):
    """No control, separator, bidi or surrogate character gets into an address, and the refusal doesn't echo it."""
    with pytest.raises(InvalidAddress) as caught:
        parse_address_list(pattern.format(character))
    assert f"U+{ord(character):04X}" in str(caught.value)
    assert character not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        '"a\r\nRCPT TO:<evil@x.test>"@lab.test',
        "a@lab.test\r\nBcc: evil@x.test",
        "Ada\r\nBcc: evil@x.test\r\n <a@b>",
        '"Ada\nBcc: evil@x.test" <a@b>',
        "b@lab.test, evil@x.test",
        "b@lab.test;evil@x.test",
        "a@b\rc@d",
        "team: a@b;",
        "",
        "undisclosed-recipients:;",
    ],
)
def test_where_one_address_is_wanted_nothing_else_passes(text: str):
    """A second address, a command or a header hidden in an address is refused, never cut off in silence."""
    with pytest.raises(InvalidAddress):
        parse_address(text, field="from")


def test_a_second_line_stays_a_second_address_at_most():
    """A pasted header line can't become anything but an address or a refusal."""
    with pytest.raises(InvalidAddress, match="'Bcc' is never closed"):
        parse_address_list("a@lab.test\r\nBcc: evil@x.test")


@pytest.mark.parametrize("local_part", ["a\r\nb", "a\x00b", "a\tb", "", "x" * 65, "a\ud800"])
def test_an_address_can_not_be_made_wrong(local_part: str):
    """Made by hand or by reading, an `Address` has passed the same checks."""
    with pytest.raises(InvalidAddress):
        Address(local_part, "b.example")


@pytest.mark.parametrize("name", ["Ada\r\nBcc: x@y", "Ada\nL", "Ada\x1b[2J", "\u202eadA"])
def test_a_name_can_not_carry_a_header_or_an_escape(name: str):
    """A display name is one line of plain text."""
    with pytest.raises(InvalidAddress):
        Address("ada", "b.example", name)


def test_an_encoded_word_in_a_name_stays_literal():
    """What looks like an encoded word is neither decoded on reading nor left bare on writing."""
    address = parse_address("=?utf-8?q?Boss?= <evil@x.test>")
    assert address.display_name == "=?utf-8?q?Boss?="
    assert str(address) == '"=?utf-8?q?Boss?=" <evil@x.test>'


@pytest.mark.parametrize(
    ("one", "other"), [("Ada@b.example", "ada@B.EXAMPLE"), ("a@bücher.example", "Ada <a@xn--bcher-kva.example>")]
)
def test_spellings_of_one_mailbox_have_one_key(one: str, other: str):
    """Case and the way a domain is written make no second mailbox."""
    assert parse_address(one).mailbox_key == parse_address(other).mailbox_key


def test_an_invalid_address_is_an_invalid_message_and_a_value_error():
    """Callers may catch it as what it is for them."""
    assert issubclass(InvalidAddress, InvalidMessage)
    assert issubclass(InvalidAddress, ValueError)


def test_a_long_list_and_deep_nesting_are_read_in_a_straight_line():
    """Ten thousand addresses and a thousand nested comments are no trouble."""
    assert len(parse_address_list(", ".join(f"u{n}@b.example" for n in range(10_000)))) == 10_000
    assert read("(" * 1000 + ")" * 1000 + " a@b") == [("", "a@b")]
