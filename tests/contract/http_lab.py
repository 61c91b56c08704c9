"""An HTTP API in the test's own process that enforces a provider's rules and misbehaves when a test says so.

    async with HttpLab(ResendRules()) as lab:
        lab.on("POST /emails", DROP_AFTER_ACTING)      the next matching request meets this fault
        lab.always("GET", Reply(503))                  every matching request

`Rules` are what a provider's server does: a subclass for each, its routes marked by `route`. What the server holds is
in `Rules.stored`; what it was asked, in `HttpLab.requests`.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gzip
import inspect
import json
import re
import ssl
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from http_rule import Invalid


@dataclass(frozen=True)
class Reply:
    """An answer: a document (made JSON), or bytes or text as they are."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> tuple[bytes, dict[str, str]]:
        if self.body is None:
            return b"", {}
        if isinstance(self.body, bytes):
            return self.body, {"content-type": "application/octet-stream"}
        if isinstance(self.body, str):
            return self.body.encode(), {"content-type": "text/plain; charset=utf-8"}
        return json.dumps(self.body).encode(), {"content-type": "application/json"}


@dataclass(frozen=True)
class Fault:
    """Something no good server does."""

    name: str


DROP_BEFORE_BODY = Fault("ends the connection once it has the headers; nothing is stored")
DROP_UNACTED = Fault("ends the connection once it has the whole request; nothing is stored")
DROP_AFTER_ACTING = Fault("does what was asked and ends the connection without a word")
STALL = Fault("reads the request, does nothing, never answers")
STALL_AFTER_ACTING = Fault("does what was asked and never answers")
DRIP = Fault("does what was asked and answers a byte at a time, for ever")
BOMB = Fault("does what was asked; answers 200 MB of nothing in 200 kB of gzip")
BAD_BOMB = Fault("refuses with 200 MB of nothing in 200 kB of gzip")
_ACTING = frozenset({DROP_AFTER_ACTING, STALL_AFTER_ACTING, DRIP, BOMB})
BOMB_SIZE = 200_000_000


@dataclass(frozen=True)
class Part:
    """One part of a form."""

    name: str
    body: bytes
    file_name: str | None = None
    media_type: str = "text/plain"


@dataclass(frozen=True)
class LabRequest:
    """What the server was asked."""

    method: str
    target: str
    """Path and query as they came."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The document; raises `Invalid` for anything else."""
        if self.headers.get("content-type", "").partition(";")[0] != "application/json":
            raise Invalid("", f"Content-Type {self.headers.get('content-type')!r} isn't application/json")
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Invalid("", f"no JSON: {error}") from None

    @property
    def form(self) -> list[Part]:
        """The parts of a multipart/form-data body; raises `Invalid` for anything else."""
        found = re.fullmatch(r"multipart/form-data; boundary=(\S+)", self.headers.get("content-type", ""))
        if not found:
            raise Invalid("", f"Content-Type {self.headers.get('content-type')!r} isn't multipart/form-data")
        blocks = self.body.split(b"--" + found[1].encode())
        if blocks[0] or blocks[-1] != b"--\r\n":
            raise Invalid("", "the form's first or last boundary is wrong")
        return [_part(block) for block in blocks[1:-1]]


def _part(block: bytes) -> Part:
    head, _, body = block.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    named = re.findall(r'(\w+)="([^"]*)"', fields["Content-Disposition"])
    names = {key: unquote(value) for key, value in named}
    return Part(
        names["name"], body.removesuffix(b"\r\n"), names.get("filename"), fields.get("Content-Type", "text/plain")
    )


Handler = Callable[..., Reply]


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    """Marks a method of `Rules`: ``{name}`` in the path is one part of it, given by keyword."""

    def mark(handler: Handler) -> Handler:
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path))
        handler.__dict__["route"] = (method, re.compile(pattern))
        return handler

    return mark


class Rules:
    """What a provider's server does with each request; refuses everything it doesn't know."""

    def __init__(self) -> None:
        self.url = ""
        """Where the server is, once it runs."""
        self.stored: list[Any] = []
        """The messages the server has taken."""
        self.by_key: dict[str, tuple[bytes, Reply]] = {}
        """Replays by idempotency key, for providers that have one: see `once`."""

    def authorize(self, request: LabRequest) -> Reply | None:
        """Returns the refusal of a request that isn't authorized."""
        raise NotImplementedError

    def error(self, status: int, text: str, where: str = "") -> Reply:
        """An error in the provider's own shape."""
        raise NotImplementedError

    def invalid_status(self) -> int:
        """The status of a request that breaks a rule."""
        return 422

    def once(self, key: str | None, body: bytes, act: Callable[[], Reply]) -> Reply:
        """Acts, or replays what the key was answered before; another body under a known key is a 409."""
        if not key:
            return act()
        if key in self.by_key:
            known, reply = self.by_key[key]
            return reply if known == body else self.error(409, "This key was used with another body.")
        reply = act()
        if reply.status < 500:
            self.by_key[key] = (body, reply)
        return reply

    def answer(self, request: LabRequest) -> Reply:
        """Finds the route, checks authorization, lets the handler act."""
        if (refusal := self.authorize(request)) is not None:
            return refusal
        for _, handler in inspect.getmembers(self, callable):
            marked = getattr(handler, "route", None)
            if marked and marked[0] == request.method and (found := marked[1].fullmatch(request.path)):
                try:
                    return handler(request, **{name: unquote(value) for name, value in found.groupdict().items()})
                except Invalid as invalid:
                    return self.error(self.invalid_status(), invalid.text, invalid.where)
        return self.error(404, f"no {request.method} {request.path} here")


class HttpLab:
    """The server; ``url`` is its address."""

    def __init__(self, rules: Rules, *, tls: ssl.SSLContext | None = None) -> None:
        self.rules = rules
        self.requests: list[LabRequest] = []
        self.connections = 0
        self.arrived = asyncio.Event()
        """Set whenever a request has been read."""
        self._tls = tls
        self._once: list[tuple[str, Reply | Fault]] = []
        self._always: list[tuple[str, Reply | Fault]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://localhost:{self.port}"

    def on(self, beginning: str, *behaviours: Reply | Fault) -> None:
        """The next requests whose ``METHOD /path`` begins so meet these, in this order."""
        self._once += [(beginning, one) for one in behaviours]

    def always(self, beginning: str, behaviour: Reply | Fault) -> None:
        """Every such request meets this, once what was said by `on` is used up."""
        self._always.append((beginning, behaviour))

    def always_now(self, beginning: str, behaviour: Reply | Fault) -> None:
        """The same, in place of whatever was said before."""
        self._always.insert(0, (beginning, behaviour))

    def asked(self, beginning: str) -> list[LabRequest]:
        """The requests whose ``METHOD /path`` begins so."""
        return [one for one in self.requests if f"{one.method} {one.target}".startswith(beginning)]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        self.rules.url = self.url
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self.connections += 1
        try:
            # The end of the lab cancels it; a streams server wants it to end as if nothing had happened.
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
                while await self._exchange(reader, writer):
                    pass
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        behaviour = self._behaviour(f"{method} {target}")
        if behaviour is DROP_BEFORE_BODY:
            return False
        body = await self._read_body(reader, headers)
        request = LabRequest(method=method, target=target, headers=headers, body=body)
        self.requests.append(request)
        self.arrived.set()
        if isinstance(behaviour, Reply):
            return await _write(writer, behaviour)
        reply = self.rules.answer(request) if behaviour is None or behaviour in _ACTING else Reply()
        if behaviour is None:
            return await _write(writer, reply)
        if behaviour in (STALL, STALL_AFTER_ACTING):
            await asyncio.Event().wait()
        if behaviour is DRIP:
            await _drip(writer)
        if behaviour in (BOMB, BAD_BOMB):
            await _write(writer, _bomb(200 if behaviour is BOMB else 400))
        return False

    def _behaviour(self, asked: str) -> Reply | Fault | None:
        for known in (self._once, self._always):
            for index, (beginning, behaviour) in enumerate(known):
                if asked.startswith(beginning):
                    if known is self._once:
                        del known[index]
                    return behaviour
        return None

    async def _read_body(self, reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
        if "chunked" in headers.get("transfer-encoding", ""):
            body = b""
            while size := int((await reader.readline()).split(b";")[0], 16):
                body += (await reader.readexactly(size + 2))[:-2]
            await reader.readline()
            return body
        return await reader.readexactly(int(headers.get("content-length", "0")))


async def _write(writer: asyncio.StreamWriter, reply: Reply) -> bool:
    body, headers = reply.encoded()
    lines = [f"HTTP/1.1 {reply.status} Whatever"]
    for name, value in {**headers, "content-length": str(len(body)), **reply.headers}.items():
        lines.append(f"{name}: {value}")
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body)
    await writer.drain()
    return reply.headers.get("connection") != "close"


async def _drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


@functools.cache
def _bomb(status: int) -> Reply:
    packer = zlib.compressobj(6, wbits=31)
    block = b" " * 1_000_000
    packed = b"".join(packer.compress(block) for _ in range(BOMB_SIZE // len(block))) + packer.flush()
    return Reply(status, packed, {"content-encoding": "gzip", "content-type": "application/json"})


def gzipped(document: object) -> bytes:
    """Packs a document as a server may."""
    return gzip.compress(json.dumps(document).encode())
