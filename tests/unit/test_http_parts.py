"""What HTTP providers are made of: exceptions mapped, secrets redacted, addresses judged, bodies streamed."""

from __future__ import annotations

import base64
import hashlib
import json
import tracemalloc
from collections.abc import AsyncIterator
from email.parser import BytesParser

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tui_mailer.domain.message import Attachment
from tui_mailer.providers.http_answer import Answer, words_of
from tui_mailer.providers.http_body import Blank, Field, File, FilePart, Form, Json, Payload
from tui_mailer.providers.http_error import BREAKAGES, breakage_of
from tui_mailer.providers.http_settings import HttpSettings, check_base_url
from tui_mailer.providers.http_step import path_part
from tui_mailer.providers.redaction import REDACTED, Redactor
from tui_mailer.providers.testing import MemoryContent


def descendants(kind: type[BaseException]) -> set[type[BaseException]]:
    return {kind}.union(*(descendants(one) for one in kind.__subclasses__()))


def test_every_exception_of_httpx_is_mapped_by_its_own_name() -> None:
    """A new exception in a later httpx is noticed here, not by a person whose mail hangs."""
    kinds = {
        one for name in vars(httpx) if isinstance(one := getattr(httpx, name), type) and issubclass(one, Exception)
    } | descendants(httpx.HTTPError)
    assert {one.__name__ for one in kinds} == set(BREAKAGES)
    assert all(breakage_of(one.__new__(one)) is BREAKAGES[one.__name__] for one in kinds)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com",
        "https://api.example.com:8443/v1/",
        "http://localhost:1/x",
        "http://127.0.0.1:8000",
        "http://[::1]:8000",
    ],
)
def test_an_address_the_secret_may_go_to(url: str) -> None:
    """https anywhere, http on this computer; a slash at the end makes no difference."""
    assert check_base_url(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "ftp://localhost",
        "https://",
        "localhost:80",
        "https://user:pw@api.example.com",
        "https://api.example.com/?key=1",
        "https://api.example.com/#x",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "https://api.example.com:0",
        "https://api.example.com:99999",
        "https://exa mple.com",
        "",
    ],
)
def test_an_address_the_secret_may_not_go_to(url: str) -> None:
    """Anything else is refused when the configuration is read, without repeating a password in it."""
    with pytest.raises(ValidationError):
        HttpSettings(base_url=url)
    with pytest.raises(ValueError, match=r"\S") as caught:
        check_base_url(url)
    assert "user:pw" not in str(caught.value)


@given(st.text(min_size=6, max_size=40), st.binary(max_size=9), st.binary(max_size=9))
def test_a_secret_is_found_inside_base64(secret: str, before: bytes, behind: bytes) -> None:
    """Whatever stands around it, the secret doesn't survive in plain text or Base64."""
    try:
        encoded = secret.encode()
    except UnicodeEncodeError:
        return
    redact = Redactor(secret)
    assert secret not in redact(f"a{secret}b") or secret in REDACTED
    packed = base64.b64encode(before + encoded + behind).decode()
    assert REDACTED in redact(packed)


@pytest.mark.parametrize(
    "said",
    [
        "bad password s3cr3t-Pa5 5/w0 rd",
        "?key=s3cr3t-Pa55%2Fw0%20rd&x",
        "?key=s3cr3t-Pa55/w0%20rd&x",
        "?key=s3cr3t%2dPa55/w0+rd",
        r'{"key": "s3cr3t-Pa55\/w0 rd"}',
        "S3CR3T-PA55/W0\n RD",
    ],
)
def test_a_secret_is_found_however_it_is_broken_up_and_quoted(said: str) -> None:
    """Two reply lines joined by a blank, a slash that needs no quoting in a query, a line that was folded."""
    found = Redactor("s3cr3t-Pa55/w0 rd")(said)
    assert REDACTED in found
    assert "pa5" not in found.lower()
    assert "w0" not in found.lower()


def test_a_body_is_streamed_as_its_length_says() -> None:
    """The length told beforehand is the length sent; files come out as they were sealed, blanks are filled."""

    async def run() -> None:
        contents = {
            one.sha256: one
            for one in (MemoryContent(bytes(range(256)) * 1111), MemoryContent(b""), MemoryContent(b"x"))
        }
        files = [
            File(Attachment(name="a", media_type="x/y", size=one.size, sha256=one.sha256)) for one in contents.values()
        ]
        body = Json({"to": 'ü"', "files": [{"content": one} for one in files], "id": Blank("draft.id")})
        payload = Payload(chunks=body.chunks({"draft.id": 7}.__getitem__), is_base64=True, contents=contents)
        octets = b"".join([piece async for piece in payload.stream()])
        assert len(octets) == payload.size
        document = json.loads(octets)
        assert document["id"] == 7
        assert [hashlib.sha256(base64.b64decode(one["content"])).hexdigest() for one in document["files"]] == list(
            contents
        )
        form = Form((Field("from", "Ada"), *(FilePart("attachment", one) for one in files)), boundary="b0undary")
        payload = Payload(chunks=form.chunks(str), is_base64=False, contents=contents)
        octets = b"".join([piece async for piece in payload.stream()])
        assert len(octets) == payload.size
        head = f"Content-Type: {form.media_type}\r\n\r\n".encode()
        parts = BytesParser().parsebytes(head + octets).get_payload()
        assert [part.get_payload(decode=True) for part in parts[1:]] == [
            content._octets for content in contents.values()
        ]

    import asyncio

    asyncio.run(run())


def test_a_large_file_is_never_held() -> None:
    """25 MB in Base64 go through in pieces: a few megabytes at most are held."""

    class Zeros:
        size = 25_000_000
        sha256 = "0" * 64

        async def open(self) -> AsyncIterator[bytes]:
            for _ in range(100):
                yield bytes(250_000)

    async def run() -> int:
        file = File(Attachment(name="a", media_type="x/y", size=Zeros.size, sha256=Zeros.sha256))
        payload = Payload(chunks=Json({"a": file}).chunks(str), is_base64=True, contents={Zeros.sha256: Zeros()})
        return sum([len(piece) async for piece in payload.stream()]) - payload.size

    import asyncio

    tracemalloc.start()
    assert asyncio.run(run()) == 0
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000


@pytest.mark.parametrize("text", ["../../x", "..", ".", "a/b", "{draft.id}", "a?b#c", "ü %"])
def test_a_part_of_a_path_stays_one_part(text: str) -> None:
    """An ID from a server or a person can't lead a request elsewhere."""
    quoted = path_part(text)
    assert not set(quoted) & set("/?#{}")
    assert httpx.URL(f"https://h/v1/{quoted}/x").raw_path.count(b"/") == 3
    assert b"%2E" in httpx.URL(f"https://h/v1/{quoted}/x").raw_path or quoted.strip(".")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"message": "no"}', "no"),
        (b'{"error": {"code": "E1", "message": "bad"}}', "bad"),
        (b'{"errors": [{"message": "first"}, {"message": "second"}]}', "first"),
        (b'{"errors": ["plain"]}', "plain"),
        (b'{"title": "Unprocessable", "detail": "to is missing"}', "to is missing"),
        (b"Forbidden", "Forbidden"),
        (b"<html><style>p{}</style><p>Bad <b>gateway</b></p></html>", "Bad gateway"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"", ""),
        (b" {} ", ""),
        (b"[" * 100_000, "[" * 1000),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_an_error_says(body: bytes, said: str) -> None:
    """A person reads the provider's sentence, wherever it keeps it."""
    assert words_of(Answer(status=400, body=body)) == said
