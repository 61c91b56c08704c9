"""Sends by SMTP submission (RFC 5321, 6409): the provider itself, its prepared form, and the reuse of connections."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from pydantic import BaseModel, ValidationError

from tui_mailer.domain.errors import Unsupported
from tui_mailer.domain.mime import MimeMessage, build
from tui_mailer.domain.submission import Phase, Receipt, RecipientResult
from tui_mailer.domain.text import clean
from tui_mailer.providers import capability
from tui_mailer.providers.base import (
    AccountSettings,
    BytesSent,
    Capabilities,
    Identity,
    Outgoing,
    PolledStatus,
    Prepared,
    Progress,
    SecretSource,
    Step,
)
from tui_mailer.providers.preview import message_step
from tui_mailer.providers.smtp_body import has_8bit
from tui_mailer.providers.smtp_connection import SmtpConnection, SmtpConnector
from tui_mailer.providers.smtp_envelope import SmtpEnvelope, require_wire_address
from tui_mailer.providers.smtp_pool import SmtpPool
from tui_mailer.providers.smtp_settings import DeliveryNotice, SmtpOptions, SmtpSettings, Timeouts
from tui_mailer.providers.smtp_transaction import FreshConnectionNeeded, Hooks, SmtpTransaction
from tui_mailer.providers.smtp_wire import WireError

_CHECK_SECONDS = 30
"""How long `check` waits for each answer: a person is looking."""

_PREVIEW_EXTENSIONS = {"size": "", "dsn": ""}
"""What a dry run takes for granted of the server."""


@dataclass(frozen=True, slots=True)
class _Payload:
    mime: MimeMessage
    envelope: SmtpEnvelope


class _Advance:
    """Reports each phase once, in order, though a second connection may have to be tried."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._left = [Phase.CONNECTING, Phase.ENVELOPE, Phase.BODY, Phase.INTENT]

    async def __call__(
        self, phase: Phase, note: Mapping[str, str] | None = None, *, answers: Sequence[RecipientResult] = ()
    ) -> None:
        if phase in self._left:
            del self._left[: self._left.index(phase) + 1]
            await self._progress(phase, note, answers=answers)


class SmtpProvider:
    """Sends over a few connections, opened when needed and kept a while."""

    name: ClassVar[str] = "smtp"
    Settings: ClassVar[type[BaseModel]] = SmtpSettings
    Options: ClassVar[type[BaseModel]] = SmtpOptions

    def __init__(self, account: AccountSettings, secrets: SecretSource, *, timeouts: Timeouts | None = None) -> None:
        """Takes the settings; ``timeouts`` replaces RFC 5321's for a test."""
        settings = account.settings
        assert isinstance(settings, SmtpSettings)
        self._settings = settings
        self._account = account.account
        self._identities = account.identities
        self._timeouts = timeouts or Timeouts().within(settings.timeout_seconds)
        self._connector = SmtpConnector(settings, account.trust_pem, secrets, self._timeouts)
        self._pool = SmtpPool(self._timeouts)
        self._slots = asyncio.Semaphore(account.max_connections)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(raw=True)

    @property
    def server(self) -> str:
        """``host:port``, by which `announced_size` is kept."""
        return f"{self._settings.host_label}:{self._settings.effective_port}"

    @property
    def announced_size(self) -> int | None:
        """Bytes of a message that the server says it takes (RFC 1870); 0: no limit; None: not connected yet."""
        return self._connector.announced_size

    async def check(self) -> list[Identity]:
        """Connects, signs in, says NOOP and QUIT."""
        timeouts = self._timeouts.within(min(_CHECK_SECONDS, self._timeouts.command))
        connection = await self._connector.open(timeouts)
        try:
            connection.wire.write(b"NOOP\r\n")
            await connection.wire.read_reply(timeouts.command)
        except WireError:
            # It has let us in; whether it likes NOOP says nothing about mail.
            connection.wire.abort()
        finally:
            await connection.quit(self._timeouts.quit)
        return [Identity(address=address.addr_spec, detail=address.display_name) for address in self._identities]

    def prepare(self, outgoing: Outgoing) -> Prepared:
        message = outgoing.message
        mime = build(message, date=outgoing.date, contents=outgoing.contents)
        capability.require(message, self.capabilities, account=self._account, size=mime.size)
        addresses = tuple(recipient.address for recipient in outgoing.recipients)
        for address in addresses:
            require_wire_address(address, "to")
        if outgoing.envelope_from:
            require_wire_address(outgoing.envelope_from, "from")
        envelope = SmtpEnvelope(
            sender=outgoing.envelope_from,
            recipients=addresses,
            size=mime.size,
            envelope_id=outgoing.submission_id,
            notice=self._notice(message.options),
            needs_smtputf8=mime.needs_smtputf8
            or not all(address.isascii() for address in (outgoing.envelope_from, *addresses)),
        )
        return Prepared(
            outgoing=outgoing,
            describe=lambda: (self._envelope_step(envelope), message_step(message, mime.header)),
            size=mime.size,
            payload=_Payload(mime, envelope),
        )

    async def send(self, prepared: Prepared, progress: Progress, bytes_sent: BytesSent | None = None) -> Receipt:
        """Sends in one transaction; a kept connection that turns out to be gone is replaced once, unseen."""
        payload = prepared.payload
        assert isinstance(payload, _Payload)
        if payload.mime.is_raw and await has_8bit(payload.mime):
            payload = replace(payload, envelope=replace(payload.envelope, is_8bit=True))
        hooks = Hooks(progress=_Advance(progress), bytes_sent=bytes_sent)
        async with self._slots:
            connection = self._pool.take()
            try:
                return await self._send_on(connection, payload, hooks)
            except FreshConnectionNeeded:
                pass
            try:
                return await self._send_on(None, payload, hooks)
            except FreshConnectionNeeded as error:
                raise error.otherwise from None

    async def status(self, receipt: Receipt) -> list[PolledStatus]:  # noqa: ARG002 - the contract's signature
        raise Unsupported("status", "SMTP has no status to ask for.", "Wait for a bounce, or ask the recipient.")

    async def cancel(self, receipt: Receipt) -> None:  # noqa: ARG002 - the contract's signature
        raise Unsupported("cancel", "SMTP takes nothing back.", "Cancel before it is sent.")

    async def find(self, outgoing: Outgoing, note: Mapping[str, str]) -> Receipt | None:  # noqa: ARG002 - the contract's signature
        raise Unsupported("find", "SMTP can't be asked for a message.", "Look into the Sent folder.")

    async def close(self) -> None:
        await self._pool.close()

    async def _send_on(self, connection: SmtpConnection | None, payload: _Payload, hooks: Hooks) -> Receipt:
        if connection is None:
            await hooks.progress(Phase.CONNECTING)
            connection = await self._connector.open()
        try:
            return await SmtpTransaction(connection, payload.envelope, payload.mime, hooks, self._timeouts).run()
        finally:
            self._pool.give_back(connection)

    def _notice(self, options: Mapping[str, object]) -> DeliveryNotice:
        try:
            asked = SmtpOptions.model_validate(dict(options)).dsn
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise Unsupported("options", f"The option {where}: {first['msg']}.", "Known is: dsn.") from None
        return asked if asked is not None else self._settings.dsn

    def _envelope_step(self, envelope: SmtpEnvelope) -> Step:
        settings = self._settings
        lines = [f"connect to {settings.host_label}:{settings.effective_port}, security {settings.security}"]
        lines.append(f"EHLO {settings.ehlo}")
        if settings.username is not None:
            lines.append(f"AUTH {settings.auth.upper()} {clean(settings.username)} <secret>")
        extensions = _PREVIEW_EXTENSIONS
        lines += [envelope.mail_line(extensions), *envelope.rcpt_lines(extensions), "DATA"]
        return Step(title="SMTP envelope", lines=tuple(clean(line) for line in lines))


__all__ = ["SmtpOptions", "SmtpProvider", "SmtpSettings", "Timeouts"]
