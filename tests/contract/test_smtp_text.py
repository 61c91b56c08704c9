"""Reading replies and writing bodies, wherever the network cuts them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_mailer.providers.smtp_body import DotStuffer
from tui_mailer.providers.smtp_envelope import xtext
from tui_mailer.providers.smtp_reply import GarbledReply, Reply, ReplyParser, make_reply, provider_id

LINES = st.lists(
    st.text(alphabet=st.characters(codec="ascii", categories=["L", "N", "P", "Zs"]), max_size=40), min_size=1
)
TRICKY = st.lists(st.sampled_from([b".", b"\r\n", b"\r", b"\n", b"..", b"x", b"\r\n.\r\n", b".\r\n"]), max_size=30)


def stuffed(blocks: list[bytes]) -> bytes:
    stuffer = DotStuffer()
    return b"".join(stuffer.feed(block) for block in blocks) + stuffer.finish()


@given(TRICKY, st.data())
def test_stuffing_doesnt_depend_on_the_blocks(pieces: list[bytes], data: st.DataObject) -> None:
    """However a body is cut into blocks, the same bytes go out."""
    whole = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    blocks = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert stuffed(blocks) == stuffed([whole])


@given(TRICKY)
def test_a_body_never_ends_itself(pieces: list[bytes]) -> None:
    """Nothing in a body looks like its end, every line ends with CRLF, and the server reads what was meant."""
    whole = b"".join(pieces)
    sent = stuffed([whole])
    assert sent == b"" or sent.endswith(b"\r\n")
    assert not re.search(rb"(?:^|\n)\.\r\n", sent)
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", sent)
    read = re.sub(rb"(?:^|(?<=\n))\.", b"", sent)
    meant = re.sub(rb"\r\n|\r|\n", b"\r\n", whole)
    assert read == (meant if meant.endswith(b"\r\n") or not meant else meant + b"\r\n")


@given(st.lists(st.tuples(st.sampled_from([220, 250, 354, 421, 550]), LINES), min_size=1, max_size=5), st.data())
def test_replies_dont_depend_on_the_blocks(replies: list[tuple[int, list[str]]], data: st.DataObject) -> None:
    """However answers are cut into blocks, the same answers are read."""
    wire = b""
    for code, lines in replies:
        wire += b"".join(f"{code}-{line}\r\n".encode() for line in lines[:-1]) + f"{code} {lines[-1]}\r\n".encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=8)))
    parser = ReplyParser()
    read = [
        reply
        for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True)
        for reply in parser.feed(wire[start:end])
    ]
    assert [reply.code for reply in read] == [code for code, _ in replies]
    assert read == [make_reply(code, lines) for code, lines in replies]


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        (b"250 2.1.0 Ok\r\n", Reply(250, "Ok", "2.1.0")),
        (b"250 Ok\r\n", Reply(250, "Ok")),
        (b"250\r\n", Reply(250, "")),
        (b"250 2.1.0\r\n", Reply(250, "", "2.1.0")),
        (b"550 4.1.1 odd\r\n", Reply(550, "4.1.1 odd")),
        (b"250 192.168.1.7 is you\r\n", Reply(250, "192.168.1.7 is you")),
        (b"550-5.1.1 no\r\n550 5.1.1 such user\r\n", Reply(550, "no such user", "5.1.1")),
        (b"250 bare line feed\n", Reply(250, "bare line feed")),
        ("250 grüß \x9b31mdich\r\n".encode(), Reply(250, "grüß 31mdich")),
        (b"250 caf\xe9\r\n", Reply(250, "caf\ufffd")),
    ],
)
def test_a_reply_is_taken_apart(line: bytes, reply: Reply) -> None:
    """Code, enhanced code and words are told apart, and the words are safe to show."""
    assert ReplyParser().feed(line) == [reply]


@pytest.mark.parametrize(
    "block", [b"hello\r\n", b"25\r\n", b"2500 x\r\n", b"150 x\r\n", b"\r\n", b"250_x\r\n", b"x" * 70_000]
)
def test_what_is_no_reply(block: bytes) -> None:
    """Anything but an SMTP answer is recognised as such, however long it goes on."""
    with pytest.raises(GarbledReply):
        ReplyParser().feed(block)


def test_an_endless_reply_is_given_up() -> None:
    """A server that never ends its answer doesn't fill the memory."""
    parser = ReplyParser()
    endless = (parser.feed(b"250-more\r\n") for _ in range(10_000))
    with pytest.raises(GarbledReply):
        list(endless)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ok: queued as 4XyZ12abc", "4XyZ12abc"),
        ("OK id=1rABCd-0001Xy-Ab", "1rABCd-0001Xy-Ab"),
        ("OK  1700000000 a1-20020a05600c0ac100b003fe.1 - gsmtp", "1700000000 a1-20020a05600c0ac100b003fe.1"),
        ("<abc@example.org> [InternalId=123456, Hostname=x] Queued mail for delivery", "123456"),
        ("1a2b3c4d Message accepted for delivery", "1a2b3c4d"),
        ("Ok 0100018c1234abcd-000000", "0100018c1234abcd-000000"),
        ("Ok", None),
        ("Message accepted", None),
        ("thank you", None),
    ],
)
def test_the_servers_id_is_found(text: str, expected: str | None) -> None:
    """What the common servers call the message is kept, so that their logs can be searched."""
    assert provider_id(Reply(250, text, "2.0.0")) == expected


def test_xtext() -> None:
    """Parameters are encoded as RFC 3461 wants them."""
    assert xtext("a+b=c d") == "a+2Bb+3Dc+20d"
