"""AUTH by one explicit mechanism, once: a second try with a bad password is how accounts get locked (RFC 4954)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from tui_mailer.domain.errors import DeliveryError, NotAuthorized, TryLater
from tui_mailer.domain.text import clean
from tui_mailer.providers.base import SecretSource
from tui_mailer.providers.redaction import Redactor
from tui_mailer.providers.smtp_reply import Reply, make_reply
from tui_mailer.providers.smtp_settings import SmtpSettings
from tui_mailer.providers.smtp_wire import Transcript

if TYPE_CHECKING:
    from aiosmtplib import SMTP, SMTPResponse

_BY_ITSELF = ("plain", "login", "cram-md5")
"""What ``auth: auto`` chooses from, best first: over TLS a plain password leaves the server free to store a hash."""


async def authenticate(
    client: SMTP, settings: SmtpSettings, secret: str, secrets: SecretSource, transcript: Transcript
) -> None:
    """Signs in; raises `NotAuthorized` when the credential is refused, `TryLater` when the server can't tell now."""
    from aiosmtplib import errors

    mechanism = _choose_mechanism(client, settings, transcript)
    redact = Redactor(secret, clean(secret))
    transcript.sent(f"AUTH {mechanism.upper()} <secret>")
    try:
        response = await _exchange(client, settings, mechanism, secret)
    except errors.SMTPAuthenticationError as error:
        reply = make_reply(error.code, error.message.split("\n"), redact)
        transcript.received(reply)
        raise _refusal(reply, settings, secrets, transcript) from None
    transcript.received(make_reply(response.code, response.message.split("\n"), redact))


def _choose_mechanism(client: SMTP, settings: SmtpSettings, transcript: Transcript) -> str:
    offered = {name.lower() for name in client.server_auth_methods}
    wanted = _BY_ITSELF if settings.auth == "auto" else (settings.auth,)
    for mechanism in wanted:
        if mechanism in offered:
            return mechanism
    shown = ", ".join(sorted(offered)) or "no way to sign in at all"
    what = "none of plain, login, cram-md5" if settings.auth == "auto" else f"no {settings.auth}"
    raise NotAuthorized(
        f"{settings.host_label} offers {what} but {shown}. Nothing was sent. Check security, auth and username.",
        transcript=transcript.lines(),
    )


async def _exchange(client: SMTP, settings: SmtpSettings, mechanism: str, secret: str) -> SMTPResponse:
    username = settings.username or ""
    match mechanism:
        case "plain":
            return await client.auth_plain(username, secret)
        case "login":
            return await client.auth_login(username, secret)
        case "cram-md5":
            return await client.auth_crammd5(username, secret)
        case "xoauth2":
            return await client.auth_xoauth2(username, secret)
        case _:
            return await _auth_oauthbearer(client, settings, secret)


async def _auth_oauthbearer(client: SMTP, settings: SmtpSettings, token: str) -> SMTPResponse:
    """Signs in by RFC 7628, which aiosmtplib doesn't know; a 334 carries the error and wants a dummy answer."""
    from aiosmtplib import errors

    user = (settings.username or "").replace("=", "=3D").replace(",", "=2C")
    fields = (f"host={settings.host_label}", f"port={settings.effective_port}", f"auth=Bearer {token}")
    message = "\x01".join((f"n,a={user},", *fields, "", ""))
    response = await client.execute_command(b"AUTH", b"OAUTHBEARER", base64.b64encode(message.encode()))
    if response.code == 334:
        response = await client.execute_command(base64.b64encode(b"\x01"))
    if response.code != 235:
        raise errors.SMTPAuthenticationError(response.code, response.message)
    return response


def _refusal(reply: Reply, settings: SmtpSettings, secrets: SecretSource, transcript: Transcript) -> DeliveryError:
    if reply.is_temporary and reply.code != 432:
        return TryLater(
            f"{settings.host_label} can't check the password now: {reply}. Nothing was sent.",
            is_account_wide=True,
            code=reply.code,
            enhanced_code=reply.enhanced_code,
            transcript=transcript.lines(),
        )
    secrets.invalidate()
    what = "access token" if settings.auth in {"xoauth2", "oauthbearer"} else "user name or password"
    return NotAuthorized(
        f"{settings.host_label} refused the {what}: {reply}. Nothing was sent. Give the account the right one.",
        code=reply.code,
        enhanced_code=reply.enhanced_code,
        transcript=transcript.lines(),
    )
