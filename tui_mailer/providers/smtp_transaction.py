"""One mail transaction on an open connection: MAIL, RCPT, DATA, the body, and the dot (RFC 5321 section 3.3).

How a break is told depends only on whether the dot was given: before it nothing can have been delivered, after it
nobody knows. Whatever goes wrong inside, the connection is aborted and never used again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tui_mailer.domain.errors import DeliveryError, NotAuthorized, OutcomeUncertain, Rejected, TryLater
from tui_mailer.domain.mime import MimeMessage
from tui_mailer.domain.submission import Phase, Receipt, RecipientResult, RecipientStatus
from tui_mailer.providers.base import BytesSent, Progress
from tui_mailer.providers.smtp_body import DotStuffer, blocks
from tui_mailer.providers.smtp_connection import SmtpConnection
from tui_mailer.providers.smtp_envelope import SmtpEnvelope
from tui_mailer.providers.smtp_reply import (
    Reply,
    is_credential_trouble,
    is_too_many_recipients,
    mail_refused,
    provider_id,
    rcpt_result,
    recipient_result,
)
from tui_mailer.providers.smtp_settings import Timeouts
from tui_mailer.providers.smtp_wire import Garbled, Transcript, WireError


class FreshConnectionNeeded(Exception):
    """Nothing but commands was sent, and the connection, not the mail, is to blame."""

    def __init__(self, otherwise: DeliveryError) -> None:
        super().__init__(str(otherwise))
        self.otherwise = otherwise
        """What to raise when a fresh connection has been tried already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """Whom to tell what."""

    progress: Progress
    bytes_sent: BytesSent | None = None


class SmtpTransaction:
    """Sends one message to its envelope, once."""

    def __init__(
        self,
        connection: SmtpConnection,
        envelope: SmtpEnvelope,
        mime: MimeMessage,
        hooks: Hooks,
        timeouts: Timeouts,
    ) -> None:
        self._connection = connection
        self._wire = connection.wire
        self._envelope = envelope
        self._mime = mime
        self._hooks = hooks
        self._timeouts = timeouts
        self._is_reused = connection.is_kept
        self._is_pipelined = "pipelining" in connection.extensions
        self._transcript = Transcript(() if self._is_reused else connection.opening)
        self._is_body_begun = False
        self._is_dot_given = False

    async def run(self) -> Receipt:
        """Returns the receipt; raises any `DeliveryError`, or `FreshConnectionNeeded`."""
        try:
            self._envelope.check_carried_by(self._connection.extensions)
            outcome = await self._converse()
        except Rejected:
            raise
        except WireError as error:
            self._wire.abort()
            raise self._explain(error) from None
        except BaseException:
            self._wire.abort()
            raise
        if isinstance(outcome, DeliveryError):
            raise outcome
        return outcome

    async def _converse(self) -> Receipt | DeliveryError:
        await self._hooks.progress(Phase.ENVELOPE)
        commands = self._envelope.commands(self._connection.extensions)
        if self._connection.needs_reset:
            commands = [b"RSET\r\n", *commands]
        if self._is_pipelined:
            self._wire.write(b"".join(commands))
        if self._connection.needs_reset:
            await self._reset()
        mail = await self._ask(self._envelope.mail_line(self._connection.extensions), self._timeouts.command)
        if not mail.is_positive:
            if not mail.is_refusal:
                raise Garbled(f"the server answered MAIL with {mail}")
            return await self._mail_refused(mail)
        results = await self._name_recipients()
        accepted = [result for result in results if result.status is RecipientStatus.ACCEPTED]
        if not accepted:
            await self._leave()
            return self._nobody_accepted(results)
        data = await self._ask("DATA", self._timeouts.data)
        if data.code != 354:
            return self._data_refused(data, results)
        return await self._hand_over(results)

    async def _reset(self) -> None:
        reply = await self._ask("RSET", self._timeouts.command)
        if not reply.is_positive:
            raise FreshConnectionNeeded(self._later(f"The server refused RSET: {reply}", reply))
        self._connection.needs_reset = False

    async def _name_recipients(self) -> list[RecipientResult]:
        results: list[RecipientResult] = []
        addresses = self._envelope.recipients
        for address, line in zip(addresses, self._envelope.rcpt_lines(self._connection.extensions), strict=True):
            reply = await self._ask(line, self._timeouts.command)
            if not (reply.is_positive or reply.is_refusal):
                raise Garbled(f"the server answered RCPT with {reply}")
            if reply.code == 503:
                raise FreshConnectionNeeded(self._later(f"The server lost the thread: {reply}", reply))
            if reply.code == 421:
                self._wire.abort()
                earlier = [_unless_refused(result, reply) for result in results]
                return earlier + [recipient_result(left, reply) for left in addresses[len(results) :]]
            results.append(rcpt_result(address, reply))
        return results

    async def _mail_refused(self, mail: Reply) -> DeliveryError:
        """Keeps the connection in step after a refused MAIL: the rest of a pipelined group is answered too."""
        error = mail_refused(
            mail,
            f"the sender {self._envelope.sender or '<>'}",
            transcript=self._transcript.lines(),
            is_authenticated=self._connection.is_authenticated,
        )
        is_connections_fault = mail.code == 503 or (mail.code == 421 and self._is_reused)
        if is_connections_fault:
            raise FreshConnectionNeeded(error)
        if mail.code == 421:
            self._wire.abort()
            return error
        self._connection.needs_reset = True
        if self._is_pipelined:
            with contextlib.suppress(WireError):
                for _ in self._envelope.recipients:
                    await self._wire.read_reply(self._timeouts.command)
                data = await self._wire.read_reply(self._timeouts.data)
                if data.code != 354:
                    return error
            self._wire.abort()
        return error

    async def _leave(self) -> None:
        """Leaves an envelope without recipients, ending a DATA that was pipelined behind them (RFC 2920 3.1)."""
        self._connection.needs_reset = True
        if not (self._is_pipelined and self._wire.is_alive):
            return
        try:
            data = await self._ask("DATA", self._timeouts.data)
            if data.code == 354:
                self._transcript.sent(".")
                self._wire.write(b".\r\n")
                await self._read(self._timeouts.command)
        except WireError:
            # What was said of each recipient stands, however the connection ends.
            self._wire.abort()

    def _nobody_accepted(self, results: Sequence[RecipientResult]) -> Receipt | DeliveryError:
        credential = next((result for result in results if is_credential_trouble(_reply_of(result))), None)
        if credential is None:
            return self._receipt(results, None)
        return NotAuthorized(
            f"The server wants another way to sign in: {credential.code} {credential.text}. Nothing was sent. "
            "Check username and credential.",
            code=credential.code,
            enhanced_code=credential.enhanced_code,
            transcript=self._transcript.lines(),
        )

    def _data_refused(self, data: Reply, results: Sequence[RecipientResult]) -> Receipt | DeliveryError:
        if data.code == 503:
            raise FreshConnectionNeeded(self._later(f"The server lost the thread: {data}", data))
        if not data.is_refusal:
            raise Garbled(f"the server answered DATA with {data}")
        self._connection.needs_reset = True
        if data.code == 421:
            self._wire.abort()
        if is_credential_trouble(data):
            return mail_refused(
                data,
                "the message",
                transcript=self._transcript.lines(),
                is_authenticated=self._connection.is_authenticated,
            )
        return self._receipt(results, data)

    async def _hand_over(self, results: Sequence[RecipientResult]) -> Receipt:
        await self._hooks.progress(Phase.BODY)
        self._is_body_begun = True
        verdict = await self._send_body()
        if verdict is None:
            await self._hooks.progress(Phase.INTENT, answers=results)
            verdict = await self._early_verdict()
        if verdict is not None:
            self._wire.abort()
            return self._receipt(results, verdict)
        self._wire.write(b".\r\n")
        self._is_dot_given = True
        self._transcript.sent(".")
        verdict = await self._read(self._timeouts.final)
        if not (verdict.is_positive or verdict.is_refusal):
            raise Garbled(f"the server answered the message with {verdict}")
        if verdict.code == 421:
            self._wire.abort()
        return self._receipt(results, verdict)

    async def _send_body(self) -> Reply | None:
        """Sends all but the dot; returns the server's verdict if it gives one before that."""
        stuffer = DotStuffer()
        sent, total = 0, self._mime.size
        async for block in blocks(self._mime):
            await self._push(stuffer.feed(block))
            sent += len(block)
            if self._hooks.bytes_sent is not None:
                self._hooks.bytes_sent(min(sent, total), total)
            if sent < total:
                # Lets an early answer be read before the next block meets a closed connection.
                await asyncio.sleep(0)
            if self._wire.has_reply:
                return await self._early_verdict()
        if ending := stuffer.finish():
            await self._push(ending)
        self._transcript.sent(f"<{sent} bytes>")
        return await self._early_verdict()

    async def _push(self, block: bytes) -> None:
        """Writes a block and sees it leave; a break with the server's verdict still unread is no error."""
        try:
            self._wire.write(block)
            await self._wire.drain(self._timeouts.block)
        except WireError:
            if not self._wire.has_reply:
                raise

    async def _early_verdict(self) -> Reply | None:
        """Reads an answer that came before the dot: a refusal is definite, anything else is out of step."""
        if not self._wire.has_reply:
            return None
        verdict = await self._read(self._timeouts.command)
        if not verdict.is_refusal:
            raise Garbled(f"the server answered before the message was complete: {verdict}")
        return verdict

    async def _ask(self, line: str, timeout_seconds: float) -> Reply:
        if not self._is_pipelined:
            self._wire.write(f"{line}\r\n".encode())
        self._transcript.sent(line)
        return await self._read(timeout_seconds)

    async def _read(self, timeout_seconds: float) -> Reply:
        reply = await self._wire.read_reply(timeout_seconds)
        self._transcript.received(reply)
        return reply

    def _explain(self, error: WireError) -> Exception:
        if self._is_dot_given:
            return OutcomeUncertain(
                f"The whole message was handed over, then {error}: it may or may not have been delivered.",
                transcript=self._transcript.lines(),
            )
        later = TryLater(
            f"{str(error)[:1].upper()}{str(error)[1:]} before the message was handed over. Nothing was sent.",
            transcript=self._transcript.lines(),
        )
        if self._is_reused and not self._is_body_begun:
            return FreshConnectionNeeded(later)
        return later

    def _later(self, what: str, reply: Reply) -> TryLater:
        return TryLater(
            f"{what}. Nothing was sent.",
            code=reply.code,
            enhanced_code=reply.enhanced_code,
            transcript=self._transcript.lines(),
        )

    def _receipt(self, results: Sequence[RecipientResult], verdict: Reply | None) -> Receipt:
        """Joins what was said of each recipient with what was said of the message."""
        if verdict is not None:
            results = [
                recipient_result(result.address, verdict) if result.status is RecipientStatus.ACCEPTED else result
                for result in results
            ]
        told = verdict if verdict is not None else _reply_of(results[-1])
        is_taken = verdict is not None and verdict.is_positive
        return Receipt(
            recipients=tuple(results),
            provider_id=provider_id(told) if is_taken else None,
            response_code=told.code,
            enhanced_code=told.enhanced_code,
            response_text=told.text,
            retry_at=datetime.now(UTC) if is_taken and _are_only_too_many(results) else None,
            transcript=self._transcript.lines(),
        )


def _unless_refused(result: RecipientResult, reply: Reply) -> RecipientResult:
    """Turns an accepted recipient of an envelope that went no further into one to try again."""
    if result.status is not RecipientStatus.ACCEPTED:
        return result
    return replace(recipient_result(result.address, reply), status=RecipientStatus.DEFERRED)


def _reply_of(result: RecipientResult) -> Reply:
    return Reply(result.code or 0, result.text, result.enhanced_code)


def _are_only_too_many(results: Sequence[RecipientResult]) -> bool:
    """Says whether every recipient that is left was only one too many for the envelope: no reason to wait."""
    left = [result for result in results if result.status is RecipientStatus.DEFERRED]
    return bool(left) and all(is_too_many_recipients(_reply_of(result)) for result in left)
