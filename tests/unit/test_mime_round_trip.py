"""What we write, Python's own reader reads back: every field, every part, every byte."""

from __future__ import annotations

import email
import email.policy
import inspect
import re
from email.header import decode_header
from email.message import EmailMessage
from email.message import Message as CompatMessage
from email.utils import getaddresses

from hypothesis import HealthCheck, given, settings
from mime_kit import (
    BytesContent,
    addresses,
    attached,
    base_name,
    bodies,
    file_names,
    lines,
    messages,
    plain_message,
    render,
    shown,
    unflow,
)

from tui_mailer.domain.address import Address
from tui_mailer.domain.body import flow, text_from_html
from tui_mailer.domain.message import Message

QUICK = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read(rendered: bytes) -> EmailMessage:
    """Reads with the modern policy."""
    message = email.message_from_bytes(rendered, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


LENIENT = {"strict": False} if "strict" in inspect.signature(getaddresses).parameters else {}
"""The strict reading of newer Pythons refuses address literals (ada@[192.0.2.1])."""


def read_names(message: CompatMessage, field: str) -> list[tuple[str, str]]:
    """Reads addresses with the old API: the modern one puts spaces between adjacent encoded words up to 3.13.0."""
    unfolded = [re.sub(r"\r?\n(?=[ \t])", "", value) for value in message.get_all(field, [])]
    pairs = []
    for name, spec in getaddresses(unfolded, **LENIENT):
        decoded = "".join(
            piece if isinstance(piece, str) else piece.decode(charset or "ascii")
            for piece, charset in decode_header(name)
        )
        pairs.append((decoded, spec))
    return pairs


def leaf_parts(message: EmailMessage) -> list[EmailMessage]:
    """Lists the parts that hold something, in order."""
    return [part for part in message.walk() if not part.is_multipart()]


def file_name(part: EmailMessage) -> str:
    """Reads a file name; `get_filename` would take the quotes off a name that has some."""
    return part["Content-Disposition"].params["filename"]


def text_of(part: EmailMessage) -> str:
    """Decodes a text part, line ends as LF."""
    octets = part.get_payload(decode=True)
    assert isinstance(octets, bytes)
    return octets.decode(part.get_content_charset("us-ascii")).replace("\r\n", "\n")


@QUICK
@given(lines)
def test_any_subject_arrives_as_it_was_typed(subject: str) -> None:
    """A subject of any length and script is read back exactly, and its lines stay within 78 characters."""
    rendered = render(plain_message(subject=subject))
    assert read(rendered).get("Subject", "") == shown(subject)
    header = rendered.split(b"\r\n\r\n")[0]
    assert all(len(line) <= 78 for line in header.split(b"\r\n"))


@QUICK
@given(addresses)
def test_any_name_arrives_with_its_own_address_only(address: Address) -> None:
    """Whatever stands in a name, the reader sees that name and exactly one address."""
    rendered = render(plain_message(to=(address,)))
    old = email.message_from_bytes(rendered)
    assert read_names(old, "To") == [(address.display_name, address.addr_spec)]


@QUICK
@given(file_names)
def test_any_file_name_arrives_without_its_folder(name: str) -> None:
    """A file name with quotes, percent signs, emoji or of any length is read back, its folder is not."""
    attachment, content = attached(b"x", name)
    message = read(render(plain_message(attachments=(attachment,)), content))
    assert file_name(leaf_parts(message)[1]) == base_name(name)


@QUICK
@given(bodies)
def test_any_body_arrives_as_it_was_flowed(body: str) -> None:
    """A text with any control character, long line or boundary look-alike is read back."""
    part = leaf_parts(read(render(plain_message(text=body))))[0]
    assert text_of(part) == flow(body)
    assert part.get_param("format") == "flowed"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(messages())
def test_any_message_arrives_whole(case: tuple[Message, tuple[BytesContent, ...]]) -> None:
    """Bodies, images and attachments of any message are read back in order, with every address in its field."""
    message, contents = case
    rendered = render(message, *contents)
    received = read(rendered)
    assert not received.defects
    parts = leaf_parts(received)
    assert text_of(parts[0]) == flow(message.text if message.text is not None else text_from_html(message.html or ""))
    expected = [one for one in message.attachments if one.content_id and message.html is not None]
    if message.html is not None:
        assert parts[1].get_content_type() == "text/html"
    expected += [one for one in message.attachments if one not in expected]
    files = parts[2:] if message.html is not None else parts[1:]
    assert [file_name(part) for part in files] == [base_name(one.name) for one in expected]
    octets = {content.sha256: content.octets for content in contents}
    assert [part.get_payload(decode=True) for part in files] == [octets[one.sha256 or ""] for one in expected]
    old = email.message_from_bytes(rendered)
    for field, given_addresses in (("From", (message.sender,)), ("To", message.to), ("Cc", message.cc)):
        if given_addresses:
            assert read_names(old, field) == [(one.display_name, one.addr_spec) for one in given_addresses]
    read_references = received.get("References", "").split()
    assert set(read_references) <= set(message.references)
    assert len(read_references) == min(len(message.references), 21)


@QUICK
@given(bodies)
def test_any_text_reflows_to_what_was_typed(body: str) -> None:
    """A reader of format=flowed sees the lines that were typed; only white space at their ends is gone."""
    typed = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    stripped = [line if line == "-- " else line.rstrip(" \t") for line in typed]
    unquoted = [line for line in stripped if not line.startswith(">")]
    reflowed = unflow(flow("\n".join(unquoted))).split("\n")
    assert [line.rstrip("\n") for line in reflowed if line] == [line for line in unquoted if line]
