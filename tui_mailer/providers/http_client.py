"""One exchange with an HTTP API: no redirects, explicit trust and proxy, every wait and every size bounded."""

from __future__ import annotations

import asyncio
import functools
import ssl
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tui_mailer.domain.text import clean
from tui_mailer.providers.http_answer import Answer
from tui_mailer.providers.http_body import Payload
from tui_mailer.providers.http_error import Breakage, breakage_of

if TYPE_CHECKING:
    import httpx

    from tui_mailer.providers.base import BytesSent

ANSWER_LIMIT = 1024 * 1024
"""Bytes of a decompressed answer that are kept; the rest isn't read."""
CONNECT_SECONDS = 20.0
WRITE_SECONDS = 60.0
"""For one piece of the body: a measure of progress, not of the whole upload."""
IDLE_SECONDS = 5.0
"""How long an unused connection is kept: shorter than servers do, so that none is used that is being closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request with every blank filled."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    payload: Payload | None = None


class Broken(Exception):
    """No answer came. ``is_complete``: the whole request may have reached the server."""

    def __init__(self, text: str, kind: Breakage, *, is_complete: bool, is_certificate: bool = False) -> None:
        super().__init__(text)
        self.kind = kind
        self.is_complete = is_complete
        self.is_certificate = is_certificate


class HttpClient:
    """Keeps the connections of one account; made on first use, closed and made anew as often as wanted."""

    def __init__(
        self,
        *,
        trust_pem: str | None,
        proxy: str | None,
        answer_seconds: float,
        max_connections: int,
        http2: bool,
    ) -> None:
        self._trust_pem = trust_pem
        self._proxy = proxy
        self._answer_seconds = answer_seconds
        self._max_connections = max_connections
        self._http2 = http2
        self._client: httpx.AsyncClient | None = None
        self._making = asyncio.Lock()

    async def exchange(self, request: Request, bytes_sent: BytesSent | None = None) -> Answer:
        """Sends one request and reads its answer; raises `Broken`."""
        import httpx

        client = await self._ready()
        upload = _Upload(request.payload, bytes_sent)
        try:
            async with asyncio.timeout(None) as deadline:
                upload.on_complete = lambda: deadline.reschedule(
                    asyncio.get_running_loop().time() + self._answer_seconds
                )
                return await self._send(client, request, upload)
        except TimeoutError:
            text = f"no answer came within {self._answer_seconds:g} s"
            raise Broken(text, Breakage.BROKEN, is_complete=upload.is_complete) from None
        except OSError as error:
            raise Broken(_reason(error), Breakage.BROKEN, is_complete=upload.is_complete) from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict) as error:
            raise Broken(
                _reason(error),
                breakage_of(error),
                is_complete=upload.is_complete,
                is_certificate=_is_certificate(error),
            ) from error

    async def close(self) -> None:
        """Lets go of the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _send(self, client: httpx.AsyncClient, request: Request, upload: _Upload) -> Answer:
        import httpx

        headers = {"Accept-Encoding": "identity", **request.headers}
        if upload.size is not None:
            headers["Content-Length"] = str(upload.size)
        built = client.build_request(
            request.method, request.url, headers=headers, content=upload.stream() if upload.size is not None else None
        )
        if upload.size is None:
            upload.complete()
        response = await client.send(built, stream=True)
        body, is_cut = bytearray(), True
        try:
            # An early answer ends the upload; from here on only the answer is waited for.
            upload.on_complete()
            # Where it breaks off its status has come all the same: that is an answer, if only the beginning of one.
            with suppress(httpx.HTTPError, OSError):
                is_cut = await _read(response, body)
        finally:
            await response.aclose()
        return Answer(
            status=response.status_code,
            headers={name.lower(): clean(value) for name, value in response.headers.items()},
            body=bytes(body),
            is_cut=is_cut,
        )

    async def _ready(self) -> httpx.AsyncClient:
        async with self._making:
            if self._client is None:
                self._client = await asyncio.to_thread(self._make)
            return self._client

    def _make(self) -> httpx.AsyncClient:
        import httpx

        is_environment = self._proxy == "environment"
        return httpx.AsyncClient(
            verify=_tls_context(self._trust_pem),
            http2=self._http2,
            trust_env=is_environment,
            proxy=None if is_environment else self._proxy,
            follow_redirects=False,
            timeout=httpx.Timeout(connect=CONNECT_SECONDS, read=self._answer_seconds, write=WRITE_SECONDS, pool=None),
            limits=httpx.Limits(
                max_connections=self._max_connections,
                max_keepalive_connections=self._max_connections,
                keepalive_expiry=IDLE_SECONDS,
            ),
        )


class _Upload:
    """A body on its way, and how far it got."""

    def __init__(self, payload: Payload | None, bytes_sent: BytesSent | None) -> None:
        self.size = None if payload is None else payload.size
        self.is_complete = False
        self._payload = payload
        self._bytes_sent = bytes_sent

    def on_complete(self) -> None:
        """Replaced by whoever wants to know that the last piece has been handed to the network."""

    def complete(self) -> None:
        """From now on the server may have all of it."""
        self.is_complete = True
        self.on_complete()

    async def stream(self) -> AsyncIterator[bytes]:
        """Yields the pieces; what isn't handed over completely can't have been acted upon."""
        assert self._payload is not None
        total = self._payload.size
        sent = 0
        async for piece in self._payload.stream():
            sent += len(piece)
            if sent >= total:
                self.complete()
            yield piece
            if self._bytes_sent is not None:
                self._bytes_sent(sent, total)


async def _read(response: httpx.Response, body: bytearray) -> bool:
    """Reads at most `ANSWER_LIMIT` decompressed bytes into ``body``; says whether anything was left or unreadable."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        async for block in response.aiter_raw():
            body += block[: ANSWER_LIMIT - len(body)]
            if len(body) >= ANSWER_LIMIT:
                return True
        return False
    if encoding not in ("gzip", "x-gzip", "deflate"):
        return True
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    async for block in response.aiter_raw():
        try:
            body += inflater.decompress(block, ANSWER_LIMIT - len(body))
        except zlib.error:
            return True
        if len(body) >= ANSWER_LIMIT:
            return True
    return not inflater.eof


@functools.lru_cache(maxsize=8)
def _tls_context(trust_pem: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if trust_pem:
        context.load_verify_locations(cadata=trust_pem)
    return context


def _reason(error: BaseException) -> str:
    """Says in a few words what broke: the deepest cause knows best."""
    cause: BaseException = error
    while (below := cause.__cause__ or cause.__context__) is not None and isinstance(below, OSError | type(error)):
        cause = below
    words = (cause.strerror if isinstance(cause, OSError) else None) or str(cause) or str(error)
    return clean(words or _spaced(type(error).__name__))[:300]


def _spaced(name: str) -> str:
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


def _is_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def host_of(url: str) -> str:
    """Names the server of a URL for a sentence."""
    return urlsplit(url).netloc
