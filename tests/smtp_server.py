"""An SMTP server that does what a test tells it to, and keeps the truth: it stores a message before it answers the dot.

    server.on("RCPT TO:<bob", "550 5.1.1 no such user")     the next matching command gets this answer
    server.on("DOT", DROP)                                   faults: DROP, RESET, STALL, Dribble, Garbage, Then
    server.always("MAIL", "451 4.7.1 come back")             every matching command

Keys are beginnings of commands, the longest match wins; besides verbs there are CONNECT (the greeting), BODY (while a
body arrives) and DOT (the answer to a whole message).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import socket
import ssl
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

DROP = "<drop>"
"""Closes the connection without a word."""
RESET = "<reset>"
"""Ends the connection with RST."""
STALL = "<stall>"
"""Never answers."""
PAUSE = "<pause>"
"""Stops reading until the test sets `ScriptedServer.resumed`, then goes on."""

ALL_EXTENSIONS = (
    "PIPELINING",
    "SIZE 50000000",
    "8BITMIME",
    "SMTPUTF8",
    "DSN",
    "ENHANCEDSTATUSCODES",
    "AUTH PLAIN LOGIN CRAM-MD5 XOAUTH2 OAUTHBEARER",
)


@dataclass(frozen=True)
class Dribble:
    """Sends an answer byte by byte."""

    answer: str


@dataclass(frozen=True)
class Garbage:
    """Sends bytes that are no answer."""

    block: bytes


@dataclass(frozen=True)
class Then:
    """Sends an answer, then does what follows."""

    answer: str
    fault: str


Answer = str | Dribble | Garbage | Then


@dataclass(frozen=True)
class StoredMessage:
    """A message that the server has, whatever it has said about it."""

    sender: str
    recipients: tuple[str, ...]
    body: bytes
    """Dot-unstuffed."""


@dataclass
class _Session:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    is_tls: bool
    user: str | None = None
    sender: str | None = None
    recipients: list[str] = field(default_factory=list)
    plan: object = None
    """What a subclass has in store for this conversation."""


class _HungUp(Exception):
    """The conversation is over."""


class ScriptedServer:
    """Listens on a free port of 127.0.0.1; an asynchronous context manager."""

    def __init__(
        self,
        *,
        extensions: Sequence[str] = ALL_EXTENSIONS,
        tls: ssl.SSLContext | None = None,
        is_implicit_tls: bool = False,
        users: dict[str, str] | None = None,
        early_answer_after: int = 0,
    ) -> None:
        self.extensions = list(extensions)
        self.users = users or {}
        self.stored: list[StoredMessage] = []
        self.commands: list[str] = []
        """Every line but bodies, in order, over all connections."""
        self.connections = 0
        self.open_connections = 0
        self.body_bytes = 0
        """Bytes of bodies that have arrived, whole or not."""
        self.body_begun = asyncio.Event()
        self.resumed = asyncio.Event()
        self.port = 0
        self._tls = tls
        self._is_implicit_tls = is_implicit_tls
        self._early_answer_after = early_answer_after
        self._once: dict[str, list[Answer]] = {}
        self._always: dict[str, Answer] = {}
        self._sessions: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    def on(self, key: str, *answers: Answer) -> None:
        self._once.setdefault(key, []).extend(answers)

    def always(self, key: str, answer: Answer) -> None:
        self._always[key] = answer

    async def __aenter__(self) -> Self:
        context = self._tls if self._is_implicit_tls else None
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=context, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for session in self._sessions:
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    async def hang_up_on_everyone(self) -> None:
        """Closes every open connection, as an idle timeout does."""
        for session in self._sessions:
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._sessions.add(session)
        session.add_done_callback(self._sessions.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_connections += 1
        session = _Session(reader, writer, is_tls=self._is_implicit_tls)
        try:
            await self._answer(session, "CONNECT", "220 scripted ESMTP")
            while True:
                await self._handle(session, await self._read_line(session))
        except (_HungUp, ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            self.open_connections -= 1
            session.writer.transport.close()

    async def _read_line(self, session: _Session) -> str:
        line = await session.reader.readline()
        if not line.endswith(b"\r\n"):
            raise _HungUp
        text = line[:-2].decode()
        self.commands.append(text)
        return text

    async def _handle(self, session: _Session, line: str) -> None:
        verb = line.split(" ", 1)[0].split(":", 1)[0].upper()
        handler = getattr(self, f"_on_{verb.lower()}", None)
        if handler is None:
            await self._answer(session, line, "500 5.5.2 what?")
        else:
            await handler(session, line)

    async def _on_ehlo(self, session: _Session, line: str) -> None:
        offers = [*self.extensions]
        if self._tls is not None and not session.is_tls:
            offers.append("STARTTLS")
        lines = ["scripted", *offers]
        ehlo = "\r\n".join(f"250{' ' if i == len(lines) - 1 else '-'}{text}" for i, text in enumerate(lines))
        await self._answer(session, line, ehlo)

    async def _on_helo(self, session: _Session, line: str) -> None:
        await self._answer(session, line, "250 scripted")

    async def _on_starttls(self, session: _Session, line: str) -> None:
        assert self._tls is not None
        if await self._answer(session, line, "220 2.0.0 go ahead") == "220 2.0.0 go ahead":
            await session.writer.start_tls(self._tls)
            session.is_tls = True

    async def _on_auth(self, session: _Session, line: str) -> None:
        if self._scripted(line) is not None:
            await self._answer(session, line, "")
            return
        _, mechanism, *initial = line.split(" ")
        user = await self._authenticated(session, mechanism.upper(), initial[0] if initial else "")
        session.user = user
        await self._say(session, "235 2.7.0 welcome" if user else "535 5.7.8 bad credentials")

    async def _authenticated(self, session: _Session, mechanism: str, initial: str) -> str | None:
        decoded = base64.b64decode(initial).decode()
        if mechanism == "PLAIN":
            _, user, password = decoded.split("\0")
            return user if self.users.get(user) == password else None
        if mechanism == "LOGIN":
            password = await self._challenge(session, b"Password:")
            return decoded if self.users.get(decoded) == password else None
        if mechanism == "CRAM-MD5":
            challenge = b"<1896.697170952@scripted>"
            user, _, digest = (await self._challenge(session, challenge)).partition(" ")
            expected = hmac.new(self.users.get(user, "").encode(), challenge, hashlib.md5).hexdigest()
            return user if user in self.users and digest == expected else None
        user = next((name for name in self.users if f"={name}\x01" in decoded or f"={name},\x01" in decoded), "")
        if user and f"auth=Bearer {self.users[user]}\x01\x01" in decoded:
            return user
        await self._challenge(session, b'{"status":"401"}')
        return None

    async def _challenge(self, session: _Session, challenge: bytes) -> str:
        await self._say(session, f"334 {base64.b64encode(challenge).decode()}")
        return base64.b64decode(await self._read_line(session)).decode()

    async def _on_mail(self, session: _Session, line: str) -> None:
        if session.sender is not None:
            await self._answer(session, line, "503 5.5.1 nested MAIL")
        elif (await self._answer(session, line, "250 2.1.0 sender ok")).startswith("2"):
            session.sender = line.partition("<")[2].partition(">")[0]
            session.recipients = []

    async def _on_rcpt(self, session: _Session, line: str) -> None:
        if session.sender is None:
            await self._answer(session, line, "503 5.5.1 MAIL first")
        elif (await self._answer(session, line, "250 2.1.5 recipient ok")).startswith("2"):
            session.recipients.append(line.partition("<")[2].partition(">")[0])

    async def _on_data(self, session: _Session, line: str) -> None:
        if session.sender is None or not (session.recipients or self._scripted("DATA", peek=True)):
            await self._answer(session, line, "503 5.5.1 no valid recipients")
            return
        if (await self._answer(session, line, "354 go on")).startswith("354"):
            await self._read_body(session)

    async def _read_body(self, session: _Session) -> None:
        self.body_begun.set()
        lines: list[bytes] = []
        size = 0
        while (line := await session.reader.readline()) != b".\r\n":
            if not line.endswith(b"\n"):
                raise _HungUp
            size += len(line)
            self.body_bytes += len(line)
            lines.append(line[1:] if line.startswith(b".") else line)
            if size >= self._early_answer_after and (answer := self._scripted("BODY")) is not None:
                await self._perform(session, answer)
        if not session.recipients:
            session.sender = None
            await self._answer(session, "DOT", "554 5.5.1 no valid recipients")
            return
        self.stored.append(StoredMessage(session.sender or "", tuple(session.recipients), b"".join(lines)))
        session.sender = None
        await self._answer(session, "DOT", f"250 2.0.0 Ok: queued as Q{len(self.stored)}")

    async def _on_rset(self, session: _Session, line: str) -> None:
        session.sender = None
        await self._answer(session, line, "250 2.0.0 flushed")

    async def _on_noop(self, session: _Session, line: str) -> None:
        await self._answer(session, line, "250 2.0.0 ok")

    async def _on_quit(self, session: _Session, line: str) -> None:
        await self._answer(session, line, "221 2.0.0 bye")
        raise _HungUp

    async def _answer(self, session: _Session, command: str, usual: str) -> str:
        """Answers as scripted, else as usual; returns the answer's text."""
        scripted = self._scripted(command)
        return await self._perform(session, usual if scripted is None else scripted)

    def _scripted(self, command: str, *, peek: bool = False) -> Answer | None:
        keys = [key for key in {*self._once, *self._always} if command.startswith(key)]
        for key in sorted(keys, key=len, reverse=True):
            if self._once.get(key):
                return self._once[key][0] if peek else self._once[key].pop(0)
            if key in self._always:
                return self._always[key]
        return None

    async def _perform(self, session: _Session, answer: Answer) -> str:
        match answer:
            case Dribble():
                for letter in f"{answer.answer}\r\n":
                    session.writer.write(letter.encode())
                    await session.writer.drain()
                    await asyncio.sleep(0)
                return answer.answer
            case Garbage():
                session.writer.write(answer.block)
                await session.writer.drain()
                return ""
            case Then():
                await self._say(session, answer.answer)
                await self._perform(session, answer.fault)
                return answer.answer
            case "<drop>":
                raise _HungUp
            case "<reset>":
                raw = session.writer.transport.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                session.writer.transport.abort()
                raise _HungUp
            case "<pause>":
                await self.resumed.wait()
                return ""
            case "<stall>":
                await asyncio.Event().wait()
                return ""
            case _:
                await self._say(session, answer)
                return answer

    async def _say(self, session: _Session, answer: str) -> None:
        session.writer.write(f"{answer}\r\n".encode())
        with contextlib.suppress(ConnectionError):
            await session.writer.drain()
