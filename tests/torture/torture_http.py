"""A mail API that breaks requests at random and keeps the truth; it may know repeats by an idempotency key, or not.

It speaks enough of Resend (``POST /emails``, keys) and of Postmark (``POST /email``, no keys). A message is kept before
the answer is decided on. Who answers 4xx, 429 or 503 with Retry-After has not kept it; behind a 500, a 502, a broken
line or silence either may be true.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from torture_server import SILENCE_SECONDS
from torture_truth import Truth

KEPT = ("kept-drop", "kept-reset", "kept-stall", "kept-late", "kept-500", "kept-502", "kept-garbage", "kept-cut")
GONE = ("gone-drop", "gone-reset", "gone-stall", "gone-500", "gone-502", "half-drop")
REFUSED = ("422", "429", "503")
_ERRORS = {
    "500": (500, '{"message": "internal server error"}', ""),
    "502": (502, "<html>Bad gateway</html>", ""),
    "422": (422, '{"statusCode": 422, "name": "validation_error", "message": "not this one", "ErrorCode": 300}', ""),
    "429": (429, '{"statusCode": 429, "name": "rate_limit_exceeded", "message": "slow down"}', "Retry-After: 1\r\n"),
    "503": (503, '{"message": "maintenance"}', "Retry-After: 1\r\n"),
}


@dataclass
class _Remembered:
    """What a key stands for."""

    until: float
    answer: str


class TortureApi:
    """Listens on a free port of 127.0.0.1; an asynchronous context manager."""

    def __init__(
        self,
        truth: Truth,
        dice: random.Random,
        *,
        broken: float,
        key_seconds: float | None,
    ) -> None:
        """Remembers keys for so many seconds of its clock, None: knows no keys."""
        self.truth = truth
        self.broken = broken
        self.liars = 0.0
        self.port = 0
        self.seconds_ahead = 0
        """How far its clock has gone on by jumps."""
        self.forgets_ahead = 0
        """The same, a little later: what it forgets keys by."""
        self.open_ports: set[int] = set()
        """Ports of clients whose request isn't answered yet."""
        self.client_ports: set[int] = set()
        """Ports of clients that are connected."""
        self.repeats = 0
        """Requests that a key has shown to be repeats of what was kept."""
        self._dice = dice
        self._key_seconds = key_seconds
        self._keys: dict[str, _Remembered] = {}
        self._serial = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = writer.get_extra_info("peername")[1]
        self.client_ports.add(port)
        try:
            while await self._request(reader, writer):
                self.open_ports.discard(port)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open_ports.discard(port)
            self.client_ports.discard(port)
            writer.transport.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answers one request; says whether the connection goes on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        if not head[0].startswith("POST"):
            # Asked what became of something: it has left, as everything here does.
            return await self._answer(writer, '{"object": "email", "last_event": "delivered"}', None)
        self.truth.transactions += 1
        self.open_ports.add(writer.get_extra_info("peername")[1])
        fault = self._draw()
        length = int(headers.get("content-length", "0"))
        if fault == "half-drop":
            await reader.readexactly(length // 2)
            return self._cut(writer)
        body = json.loads(await reader.readexactly(length))
        key = headers.get("idempotency-key", "")
        remembered = self._keys.get(key) if key and self._key_seconds is not None else None
        if remembered is not None and remembered.until > time.time() + self.forgets_ahead:
            self.repeats += 1
            kept = remembered.answer
            fault = None if fault == "422" else fault  # what was judged once isn't judged again
        elif fault is None or fault.startswith("kept"):
            kept = self._keep(body, key)
        else:
            kept = ""
            if fault == "422":
                self.truth.refuse(_recipients(body))
        return await self._answer(writer, kept, fault)

    def _draw(self) -> str | None:
        if self._dice.random() >= self.broken:
            return None
        fault = self._dice.choice(self._dice.choice((KEPT, GONE, REFUSED)))
        self.truth.break_off(fault)
        return fault

    def _keep(self, body: Any, key: str) -> str:
        self._serial += 1
        self.truth.keep(_recipients(body), str(self._serial))
        answer = json.dumps({"id": f"id-{self._serial}", "MessageID": f"id-{self._serial}", "ErrorCode": 0})
        if key and self._key_seconds is not None:
            self._keys[key] = _Remembered(time.time() + self.seconds_ahead + self._key_seconds, answer)
        return answer

    async def _answer(self, writer: asyncio.StreamWriter, kept: str, fault: str | None) -> bool:
        kind = (fault or "").removeprefix("kept-").removeprefix("gone-")
        if kind in ("drop", "stall", "late"):
            if kind != "drop":
                await asyncio.sleep(self._dice.uniform(*SILENCE_SECONDS))
            if kind != "late":
                return self._cut(writer)
        if kind == "reset":
            raw = writer.transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return False
        if kind == "garbage":
            writer.write(b"\x16\x03\x01 not HTTP at all\r\n\r\n")
            return self._cut(writer)
        status, text, more = _ERRORS.get(kind, (200, kept, ""))
        length = len(text) + (40 if kind == "cut" else 0)
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{more}\r\n"
        writer.write(f"{head}{text}".encode())
        await writer.drain()
        return self._cut(writer) if kind == "cut" else True

    @staticmethod
    def _cut(writer: asyncio.StreamWriter) -> bool:
        writer.close()
        return False


def _recipients(body: Any) -> list[str]:
    to = body.get("to") or body.get("To") or ""
    many = to if isinstance(to, list) else to.split(",")
    return [one.partition("<")[2].partition(">")[0] or one.strip() for one in many]


def api_account(provider: str, port: int, folder: Path) -> str:
    """Settings of an account with a torture API."""
    secret = folder / "secret"
    secret.write_text("re_torture\n")
    secret.chmod(0o600)
    return (
        f"    provider: {provider}\n    base_url: http://127.0.0.1:{port}\n    timeout_seconds: 2\n"
        f"    credential: {{file: {secret}}}\n"
    )
