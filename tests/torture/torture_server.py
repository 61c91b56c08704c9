"""An SMTP server that breaks transactions at random, at every verb, and keeps the truth.

A message is stored before the answer to its dot is decided on. Who then answers 4yz or 5yz has taken the message back
out of the store first, as RFC 5321 section 4.2.5 has it: a refusal leaves the responsibility with the client. Servers
that refuse and deliver all the same exist; no client can make up for them, so they are a fault of their own (`liars`).
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

from smtp_server import DROP, RESET, Answer, Dribble, Garbage, ScriptedServer, Then, _Session
from torture_truth import Truth

SILENCE_SECONDS = (0.5, 3.0)
"""How long a stall lasts, until the server drops the connection; clients give up on a command after 2 s."""

COMMAND_FAULTS = ("drop", "reset", "stall", "dribble", "garbage", "later", "goodbye", "never", "then-drop")
FAULTS = {
    "CONNECT": ("drop", "reset", "stall", "dribble", "garbage", "goodbye"),
    "EHLO": ("drop", "reset", "stall", "dribble", "goodbye"),
    "MAIL": COMMAND_FAULTS,
    "RCPT": COMMAND_FAULTS,
    "DATA": COMMAND_FAULTS,
    "BODY": ("drop", "reset", "stall", "early-never"),
    "DOT": (
        "kept-drop", "kept-reset", "kept-stall", "kept-late", "kept-garbage", "kept-dribble", "kept-then-drop",
        "gone-drop", "gone-reset", "gone-stall", "later", "goodbye", "never",
    ),
}  # fmt: skip
_IN_TRANSACTION = ("MAIL", "RCPT", "DATA", "BODY", "DOT", "DOT")
_USUAL = {"MAIL": "250 2.1.0 ok", "RCPT": "250 2.1.5 ok", "DATA": "354 go on"}
_CODES = {
    "later": "451 4.3.0 come back later",
    "goodbye": "421 4.3.2 shutting down",
    "never": "550 5.7.1 not here",
    "early-never": "552 5.3.4 too much",
}


@dataclass
class _Plan:
    """Where a conversation is to be broken, and how; once."""

    verb: str
    kind: str
    skip: int = 0
    """How many of these verbs pass unharmed first."""


class TortureServer(ScriptedServer):
    """Breaks a share of the transactions and of the connections."""

    def __init__(self, truth: Truth, dice: random.Random, *, broken: float, liars: float = 0.0) -> None:
        super().__init__(extensions=("PIPELINING", "SIZE 50000000", "8BITMIME", "ENHANCEDSTATUSCODES"))
        self.truth = truth
        self.broken = broken
        """Share of transactions (and of connections) that are broken on purpose; may be changed on the way."""
        self.liars = liars
        self.seconds_ahead = self.forgets_ahead = 0
        self.open_ports: set[int] = set()
        """Ports of clients that are in the middle of a transaction."""
        self.client_ports: set[int] = set()
        """Ports of clients that are connected."""
        self._dice = dice

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = writer.get_extra_info("peername")[1]
        self.client_ports.add(port)
        try:
            await super()._serve(reader, writer)
        finally:
            self.open_ports.discard(port)
            self.client_ports.discard(port)

    async def _read_line(self, session: _Session) -> str:
        self.commands.clear()  # of hundreds of thousands of lines nobody asks for one
        if session.sender is None:
            self.open_ports.discard(_port(session))
        return await super()._read_line(session)

    async def _answer(self, session: _Session, command: str, usual: str) -> str:
        verb = command.split(" ", 1)[0].split(":", 1)[0].upper()
        if verb == "CONNECT":
            self._plan(session, ("CONNECT", "EHLO"), self.broken / 4)
        elif verb == "MAIL" and usual.startswith("2"):
            self.truth.transactions += 1
            self.open_ports.add(_port(session))
            self._plan(session, _IN_TRANSACTION, self.broken)
        kind = self._due(session, verb)
        if kind is None or not usual.startswith(("2", "3")):
            return await self._perform(session, usual)
        if kind == "never":
            self._refuse(session, command, verb)
        return await self._break(session, kind, usual)

    async def _on_rcpt(self, session: _Session, line: str) -> None:
        if session.sender is None and isinstance(session.plan, _Plan) and session.plan.kind == "refused-sender":
            self.truth.refuse([_address(line)])
        await super()._on_rcpt(session, line)

    def _scripted(self, command: str, *, peek: bool = False) -> Answer | None:
        return None

    async def _read_body(self, session: _Session) -> None:
        await self._break_body(session)
        lines: list[bytes] = []
        while (line := await session.reader.readline()) != b".\r\n":
            if not line.endswith(b"\n"):
                await self._perform(session, DROP)
            lines.append(line)
        recipients, session.sender = list(session.recipients), None
        message = next((line.decode() for line in lines if line.lower().startswith(b"message-id:")), "")
        kind = self._due(session, "DOT")
        if self._dice.random() < self.liars:
            kind = "lie"
        if kind is None or kind.startswith("kept") or kind == "lie":
            self.truth.keep(recipients, message.strip())
        if kind == "never":
            self.truth.refuse(recipients)
        if kind == "lie":
            self.truth.lied_about.update(recipients)
            await self._perform(session, _CODES["later"])
        elif kind is None:
            await self._perform(session, "250 2.0.0 Ok: kept")
        else:
            await self._break(session, kind.removeprefix("kept-").removeprefix("gone-"), "250 2.0.0 Ok: kept")

    async def _break_body(self, session: _Session) -> None:
        kind = self._due(session, "BODY")
        if kind is None:
            return
        if kind == "early-never":
            self.truth.refuse(list(session.recipients))
            await self._perform(session, _CODES[kind])
            await self._perform(session, DROP)
        await session.reader.readline()
        await self._break(session, kind, "")

    async def _break(self, session: _Session, kind: str, usual: str) -> str:
        match kind:
            case "drop":
                return await self._perform(session, DROP)
            case "reset":
                return await self._perform(session, RESET)
            case "stall":
                await asyncio.sleep(self._dice.uniform(*SILENCE_SECONDS))
                return await self._perform(session, DROP)
            case "late":
                await asyncio.sleep(self._dice.uniform(*SILENCE_SECONDS))
                return await self._perform(session, usual)
            case "dribble":
                return await self._perform(session, Dribble(usual))
            case "garbage":
                await self._perform(session, Garbage(b"\x00\xff%$ who are you?\r\n"))
                return await self._perform(session, DROP)
            case "then-drop":
                return await self._perform(session, Then(usual, DROP))
            case "goodbye":
                return await self._perform(session, Then(_CODES[kind], DROP))
            case _:
                return await self._perform(session, _CODES[kind])

    def _plan(self, session: _Session, verbs: tuple[str, ...], share: float) -> None:
        session.plan = None
        if self._dice.random() < share:
            verb = self._dice.choice(verbs)
            session.plan = _Plan(verb, self._dice.choice(FAULTS[verb]), self._dice.choice((0, 0, 1)))

    def _due(self, session: _Session, verb: str) -> str | None:
        """Says how to break this verb, if that is the plan; a plan is carried out once."""
        plan = session.plan
        if not isinstance(plan, _Plan) or plan.verb != verb:
            return None
        if verb == "RCPT" and plan.skip:
            plan.skip -= 1
            return None
        self.truth.break_off(f"{verb} {plan.kind}")
        session.plan = None
        return plan.kind

    def _refuse(self, session: _Session, command: str, verb: str) -> None:
        if verb == "MAIL":
            # For whom it was is learnt from the RCPTs that are on their way already, or from a tag in the address.
            self.truth.refuse([_address(command).partition("@")[0].partition("+")[2]])
            session.plan = _Plan("", "refused-sender")
        elif verb == "RCPT":
            self.truth.refuse([_address(command)])
        elif verb == "DATA":
            self.truth.refuse(list(session.recipients))


def _port(session: _Session) -> int:
    return session.writer.get_extra_info("peername")[1]


def _address(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]
