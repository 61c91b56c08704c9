"""Opens an SMTP connection: connect, TLS, EHLO and one single AUTH, by aiosmtplib; then its transport is ours.

Whatever goes wrong here has sent no mail, and no password unless TLS was proven first.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import ssl
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, cast

from tui_mailer.domain.errors import NotAuthorized, Offline, TryLater
from tui_mailer.domain.text import clean
from tui_mailer.providers.base import SecretSource
from tui_mailer.providers.redaction import Redactor
from tui_mailer.providers.smtp_authentication import authenticate
from tui_mailer.providers.smtp_reply import Reply, make_reply
from tui_mailer.providers.smtp_settings import SmtpSettings, Timeouts
from tui_mailer.providers.smtp_wire import Lost, SmtpWire, Transcript, WireError

if TYPE_CHECKING:
    from aiosmtplib import SMTP, SMTPResponse

_NOTHING_SENT = "Nothing was sent, not even the password."


def boot_seconds() -> float:
    """Tells a time that goes on while the computer sleeps: a connection doesn't outlive that."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


@dataclass(slots=True, kw_only=True)
class SmtpConnection:
    """An open connection and what is known of its server."""

    wire: SmtpWire
    extensions: Mapping[str, str]
    """EHLO keywords in lower case, with their parameters."""
    is_authenticated: bool
    opening: tuple[str, ...]
    """The lines exchanged so far."""
    is_kept: bool = False
    """Whether it comes from the pool: the server may have closed it meanwhile."""
    needs_reset: bool = False
    """Whether a transaction was given up half-way: RSET before the next."""
    idle_since: float = 0.0

    async def quit(self, timeout_seconds: float) -> None:
        """Says goodbye, doesn't mind what becomes of it, and ends the connection."""
        try:
            self.wire.write(b"QUIT\r\n")
            await self.wire.read_reply(timeout_seconds)
        except WireError:
            pass
        finally:
            self.wire.abort()


class SmtpConnector:
    """Opens connections for one account, with one TLS context for all (building it costs 40 ms)."""

    def __init__(
        self, settings: SmtpSettings, trust_pem: str | None, secrets: SecretSource, timeouts: Timeouts
    ) -> None:
        self._settings = settings
        self._trust_pem = trust_pem
        self._secrets = secrets
        self._timeouts = timeouts
        self._context: ssl.SSLContext | None = None
        self._host = settings.host_label
        self._where = f"{self._host}:{settings.effective_port}"
        self.announced_size: int | None = None
        """Bytes of a message, as the server said when connected to last (RFC 1870); 0: no limit; None: not yet."""

    async def open(self, timeouts: Timeouts | None = None) -> SmtpConnection:
        """Connects, secures and signs in.

        Raises `Offline`, `TryLater`, `NotAuthorized`, `CredentialUnavailable`.
        """
        from aiosmtplib import SMTP

        self._refuse_password_in_clear()
        timeouts = timeouts or self._timeouts
        # Asked for before connecting: a person at a prompt, or a slow keyring, would let the server time out.
        secret = await self._secrets.get() if self._settings.username is not None else ""
        client = SMTP(
            hostname=self._host,
            port=self._settings.effective_port,
            use_tls=self._settings.security == "tls",
            start_tls=False,
            tls_context=await self._tls_context() if self._settings.security != "none" else None,
            local_hostname=self._settings.ehlo,
            timeout=timeouts.command,
        )
        transcript = Transcript()
        try:
            await self._connect(client, transcript, timeouts)
            if self._settings.security == "starttls":
                await self._start_tls(client, transcript)
            return await self._sign_in(client, transcript, secret)
        except BaseException:
            if client.transport is not None:
                cast("asyncio.WriteTransport", client.transport).abort()
            raise

    def _refuse_password_in_clear(self) -> None:
        settings = self._settings
        if settings.username is None or settings.security != "none" or settings.insecure_auth or settings.is_loopback:
            return
        raise NotAuthorized(
            f"The password would travel to {self._host} in the clear. {_NOTHING_SENT} "
            "Set security to tls or starttls (or insecure_auth: true)."
        )

    async def _tls_context(self) -> ssl.SSLContext:
        if self._context is None:
            try:
                self._context = await asyncio.to_thread(self._build_tls_context)
            except ssl.SSLError as error:
                raise NotAuthorized(f"ca_file holds no usable certificate: {_reason(error)}. {_NOTHING_SENT}") from None
        return self._context

    def _build_tls_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._settings.fingerprint is not None:
            # The fingerprint is compared right after the handshake, before the first command.
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif self._trust_pem is not None:
            context.load_verify_locations(cadata=self._trust_pem)
        return context

    async def _connect(self, client: SMTP, transcript: Transcript, timeouts: Timeouts) -> None:
        from aiosmtplib import errors

        try:
            greeting = await self._connected(client, timeouts)
        except errors.SMTPConnectResponseError as error:
            raise self._try_later("greeted with a refusal", transcript, _reply(error)) from None
        except errors.SMTPConnectTimeoutError:
            hint = " Port 465 normally wants security: tls." if self._settings.effective_port == 465 else ""
            hint = hint if self._settings.security != "tls" else ""
            raise self._try_later(f"said nothing for {timeouts.greeting:g} s.{hint}", transcript) from None
        except errors.SMTPConnectError as error:
            self._raise_for(error.__cause__, transcript)
        except errors.SMTPResponseException as error:
            reason = f"doesn't greet as an SMTP server does ({clean(error.message)})"
            raise self._try_later(reason, transcript) from None
        transcript.received(_reply(greeting))
        self._check_fingerprint(client)
        await self._introduce(client, transcript)

    async def _connected(self, client: SMTP, timeouts: Timeouts) -> SMTPResponse:
        """Gives TCP and TLS less time than a greeting, which may rightly take minutes; aiosmtplib has one for both."""
        connecting = asyncio.ensure_future(client.connect(timeout=timeouts.greeting))
        try:
            await asyncio.wait({connecting}, timeout=timeouts.connect)
            if not connecting.done() and client.transport is None:
                raise Offline(f"{self._where} didn't answer for {timeouts.connect:g} s. Nothing was sent.")
            return await connecting
        finally:
            while not connecting.done():
                # More than once: before Python 3.12 `wait_for` may swallow a cancel that meets the end of a connect.
                connecting.cancel()
                await asyncio.wait({connecting}, timeout=0.1)
            if not connecting.cancelled():
                connecting.exception()

    def _raise_for(self, cause: BaseException | None, transcript: Transcript) -> NoReturn:
        from aiosmtplib import errors

        if isinstance(cause, ssl.SSLError):
            raise self._tls_trouble(cause, transcript) from None
        if isinstance(cause, errors.SMTPServerDisconnected):
            raise self._try_later("closed the connection without a greeting", transcript) from None
        if isinstance(cause, ConnectionResetError | ConnectionAbortedError):
            raise self._try_later(f"broke off the connection ({_reason(cause)})", transcript) from None
        reason = _reason(cause) if cause is not None else "it can't be reached"
        raise Offline(f"{self._where} can't be reached: {reason}. Nothing was sent.") from None

    async def _introduce(self, client: SMTP, transcript: Transcript) -> None:
        from aiosmtplib import errors

        transcript.sent(f"EHLO {self._settings.ehlo}")
        async with self._breaks_explained("the greeting", transcript):
            try:
                response = await client.ehlo()
            except errors.SMTPHeloError as error:
                may_do_without = self._settings.security != "starttls" and self._settings.username is None
                if not (500 <= error.code < 600 and may_do_without):
                    raise self._try_later("refused the greeting", transcript, _reply(error)) from None
                transcript.received(_reply(error))
                transcript.sent(f"HELO {self._settings.ehlo}")
                try:
                    response = await client.helo()
                except errors.SMTPHeloError as helo_error:
                    raise self._try_later("refused the greeting", transcript, _reply(helo_error)) from None
        for line in response.message.split("\n"):
            transcript.received(make_reply(response.code, [line]))

    async def _start_tls(self, client: SMTP, transcript: Transcript) -> None:
        from aiosmtplib import errors

        if not client.supports_extension("starttls"):
            raise NotAuthorized(
                f"{self._where} doesn't offer STARTTLS, or somebody on the way has removed the offer. {_NOTHING_SENT} "
                "Ask the provider, or set security to tls with port 465.",
                transcript=transcript.lines(),
            )
        transcript.sent("STARTTLS")
        try:
            async with self._breaks_explained("STARTTLS", transcript):
                response = await client.starttls()
        except errors.SMTPResponseException as error:
            raise self._try_later("refused STARTTLS", transcript, _reply(error)) from None
        except ssl.SSLError as error:
            raise self._tls_trouble(error, transcript) from None
        transcript.received(_reply(response))
        self._check_fingerprint(client)
        await self._introduce(client, transcript)

    async def _sign_in(self, client: SMTP, transcript: Transcript, secret: str) -> SmtpConnection:
        if self._settings.username is not None:
            async with self._breaks_explained("signing in", transcript):
                await authenticate(client, self._settings, secret, self._secrets, transcript)
        transport = client.transport
        if transport is None:
            raise self._try_later("closed the connection", transcript)
        wire = SmtpWire(cast("asyncio.Transport", transport), Redactor(secret, clean(secret)))
        if not wire.is_usable:
            raise self._try_later("closed the connection", transcript)
        size = client.esmtp_extensions.get("size", "").strip()
        self.announced_size = int(size) if size.isascii() and size.isdigit() else 0
        return SmtpConnection(
            wire=wire,
            extensions=dict(client.esmtp_extensions),
            is_authenticated=self._settings.username is not None,
            opening=transcript.lines(),
        )

    def _check_fingerprint(self, client: SMTP) -> None:
        expected = self._settings.fingerprint
        if expected is None or client.transport is None:
            return
        tls = cast("ssl.SSLObject | None", client.transport.get_extra_info("ssl_object"))
        if tls is None:
            return
        found = hashlib.sha256(tls.getpeercert(binary_form=True) or b"").hexdigest()
        if found != expected:
            raise NotAuthorized(
                f"The certificate of {self._where} isn't the one with the configured fingerprint: its own is {found}. "
                f"{_NOTHING_SENT}"
            )

    def _tls_trouble(self, error: ssl.SSLError, transcript: Transcript) -> NotAuthorized:
        if isinstance(error, ssl.SSLCertVerificationError):
            reason = clean(error.verify_message).rstrip(".")
            return NotAuthorized(
                f"The certificate of {self._where} is not to be trusted: {reason}. {_NOTHING_SENT} If it is your own "
                "server, set ca_file or fingerprint.",
                transcript=transcript.lines(),
            )
        return NotAuthorized(
            f"No TLS could be agreed on with {self._where}: {_reason(error)}. {_NOTHING_SENT} "
            "Check port and security (465: tls, 587: starttls).",
            transcript=transcript.lines(),
        )

    def _try_later(self, what: str, transcript: Transcript, reply: Reply | None = None) -> TryLater:
        if reply is None:
            text = f"{self._where} {what.rstrip('.')}. Nothing was sent."
            return TryLater(text, is_account_wide=True, transcript=transcript.lines())
        transcript.received(reply)
        return TryLater(
            f"{self._where} {what}: {reply}. Nothing was sent.",
            is_account_wide=True,
            code=reply.code,
            enhanced_code=reply.enhanced_code,
            transcript=transcript.lines(),
        )

    @contextlib.asynccontextmanager
    async def _breaks_explained(self, during: str, transcript: Transcript) -> AsyncGenerator[None]:
        """Turns a connection that breaks before any mail into `TryLater`, whatever aiosmtplib calls it."""
        from aiosmtplib import errors

        try:
            yield
        except errors.SMTPServerDisconnected:
            raise self._try_later(f"closed the connection during {during}", transcript) from None
        except errors.SMTPTimeoutError:
            raise self._try_later(f"didn't answer during {during}", transcript) from None
        except errors.SMTPResponseException as error:
            if error.code > 0:
                raise
            raise self._try_later(f"gave no SMTP answer during {during}", transcript) from None
        except Lost as error:
            raise self._try_later(f"broke off during {during}: {error}", transcript) from None


def _reply(response: SMTPResponse | object) -> Reply:
    code = cast("int", getattr(response, "code", 0))
    message = cast("str", getattr(response, "message", ""))
    return make_reply(int(code), message.split("\n"))


def _reason(error: BaseException) -> str:
    # asyncio puts its own function and a tuple in place of the system's words, once for each address tried.
    refused = re.search(r"\[Errno (\d+)\] Connect call failed", str(error))
    if refused is not None:
        return os.strerror(int(refused[1]))
    text = getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
    return clean(str(text)).rstrip(".")
