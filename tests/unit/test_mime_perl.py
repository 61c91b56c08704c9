"""What we write, two Perl libraries read back: readers that share no code with Python's."""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from mime_kit import (
    BytesContent,
    addresses,
    attached,
    base_name,
    file_names,
    lines,
    messages,
    plain_message,
    render,
    shown,
)

from tui_mailer.domain.address import Address
from tui_mailer.domain.body import flow, text_from_html
from tui_mailer.domain.message import Message

pytestmark = pytest.mark.servers

Reader = Callable[[bytes], dict[str, Any]]
MODULES = {"Email::MIME": "libemail-mime-perl", "MIME::Parser": "libmime-tools-perl", "JSON::PP": "perl"}
QUICK = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def read_by_perl() -> Iterator[Reader]:
    """One Perl process for all cases; skips with the Debian package's name where a library is missing."""
    if shutil.which("perl") is None:
        pytest.skip("perl is not installed: apt-get install perl libemail-mime-perl libmime-tools-perl")
    for module, package in MODULES.items():
        if subprocess.run(["perl", f"-M{module}", "-e", "1"], capture_output=True, check=False).returncode:
            pytest.skip(f"Perl's {module} is not installed: apt-get install {package}")
    script = Path(__file__).with_name("mime_reader.pl")
    with subprocess.Popen(
        ["perl", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as perl:

        def read(rendered: bytes) -> dict[str, Any]:
            assert perl.stdin is not None
            assert perl.stdout is not None
            perl.stdin.write(json.dumps({"message": b64encode(rendered).decode()}) + "\n")
            perl.stdin.flush()
            answer: dict[str, Any] = json.loads(perl.stdout.readline())
            assert "error" not in answer, answer["error"]
            return answer

        yield read


def fields_of(answer: dict[str, Any], name: str) -> list[str]:
    """Lists the decoded values of one header field."""
    pairs = answer["email_mime"]["fields"]
    return [value for known, value in zip(pairs[::2], pairs[1::2], strict=True) if known == name]


@QUICK
@given(lines)
def test_perl_reads_any_subject(read_by_perl: Reader, subject: str) -> None:
    """A subject of any length and script is read back exactly."""
    answer = read_by_perl(render(plain_message(subject=subject)))
    assert "".join(fields_of(answer, "Subject")) == shown(subject)


@QUICK
@given(addresses)
def test_perl_reads_any_name(read_by_perl: Reader, address: Address) -> None:
    """Whatever stands in a name, the reader sees that name and exactly one address."""
    answer = read_by_perl(render(plain_message(cc=(address,))))
    [[name, spec]] = answer["email_mime"]["addresses"]["Cc"]
    assert (name or "", spec) == (address.display_name, address.addr_spec)


@QUICK
@given(file_names)
def test_perl_reads_any_file_name(read_by_perl: Reader, name: str) -> None:
    """A file name with quotes, percent signs, emoji or of any length is read back by both libraries."""
    attachment, content = attached(b"x", name)
    answer = read_by_perl(render(plain_message(attachments=(attachment,)), content))
    assert answer["email_mime"]["parts"][1]["filename"] == base_name(name)
    assert answer["mime_tools"]["parts"][1]["filename"] == base_name(name)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(messages())
def test_perl_reads_any_message_whole(read_by_perl: Reader, case: tuple[Message, tuple[BytesContent, ...]]) -> None:
    """Both libraries see the same parts with the same bytes, and no complaint is heard."""
    message, contents = case
    answer = read_by_perl(render(message, *contents))
    assert answer["mime_tools"]["complaints"] == []
    inline = [one for one in message.attachments if one.content_id and message.html is not None]
    files = inline + [one for one in message.attachments if one not in inline]
    octets = {content.sha256: content.octets for content in contents}
    text = flow(message.text if message.text is not None else text_from_html(message.html or ""))
    for library in ("email_mime", "mime_tools"):
        parts = answer[library]["parts"]
        assert b64decode(parts[0]["body"]).decode().replace("\r\n", "\n") == text
        read = parts[2:] if message.html is not None else parts[1:]
        assert [b64decode(part["body"]) for part in read] == [octets[one.sha256 or ""] for one in files]
        assert [part["filename"] for part in read] == [base_name(one.name) for one in files]
    expected = [[one.display_name, one.addr_spec] for one in message.to]
    assert [[name or "", spec] for name, spec in answer["email_mime"]["addresses"]["To"]] == expected
