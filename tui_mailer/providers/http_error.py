"""What an answer or a broken connection means for the mail: two tables, by status and by httpx's exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from tui_mailer.providers.http_answer import Answer
from tui_mailer.providers.http_hint import has_retry_after


class Verdict(StrEnum):
    """What an answer means."""

    ACCEPTED = "accepted"
    TRY_LATER = "try_later"
    """Certainly not taken, for a temporary reason."""
    NOT_AUTHORIZED = "not_authorized"
    """The account's trouble: credential, permission, address of the API."""
    REJECTED = "rejected"
    """Certainly not taken, for good."""
    UNCERTAIN = "uncertain"
    """Perhaps taken."""


_TRY_LATER = frozenset({425, 429})
_UNCERTAIN = frozenset({303, 408})
_NOT_AUTHORIZED = frozenset({401, 403, 407, 511})


def verdict_on(answer: Answer, now: datetime) -> Verdict:
    """Judges an answer to the request that causes the sending by its status alone (DESIGN B2.4).

    A redirect is never followed: nothing was taken, and the account's ``base_url`` is wrong (but 303: it was taken
    somewhere). A 5xx or 408 may come after the mail was taken; a 503 with Retry-After doesn't.
    """
    status = answer.status
    if answer.is_success:
        return Verdict.ACCEPTED
    if status in _TRY_LATER or (status == 503 and has_retry_after(answer.headers, now)):
        return Verdict.TRY_LATER
    if status in _NOT_AUTHORIZED or (300 <= status < 400 and status not in _UNCERTAIN):
        return Verdict.NOT_AUTHORIZED
    if status in _UNCERTAIN or not 400 <= status < 500:
        return Verdict.UNCERTAIN
    return Verdict.REJECTED


class Breakage(StrEnum):
    """How an exchange broke."""

    UNREACHED = "unreached"
    """Nobody was reached: not one byte of the request has left."""
    BUSY = "busy"
    """No connection was free: not one byte has left."""
    BROKEN = "broken"
    """Some of it may have left: judged by how much of the body had."""
    MISADDRESSED = "misaddressed"
    """The URL can't be used at all."""


BREAKAGES: Mapping[str, Breakage] = {
    "HTTPError": Breakage.BROKEN,
    "RequestError": Breakage.BROKEN,
    "TransportError": Breakage.BROKEN,
    "TimeoutException": Breakage.BROKEN,
    "ConnectTimeout": Breakage.UNREACHED,
    "ReadTimeout": Breakage.BROKEN,
    "WriteTimeout": Breakage.BROKEN,
    "PoolTimeout": Breakage.BUSY,
    "NetworkError": Breakage.BROKEN,
    "ConnectError": Breakage.UNREACHED,
    "ReadError": Breakage.BROKEN,
    "WriteError": Breakage.BROKEN,
    "CloseError": Breakage.BROKEN,
    "ProxyError": Breakage.UNREACHED,
    "ProtocolError": Breakage.BROKEN,
    "LocalProtocolError": Breakage.BROKEN,
    "RemoteProtocolError": Breakage.BROKEN,
    "UnsupportedProtocol": Breakage.MISADDRESSED,
    "InvalidURL": Breakage.MISADDRESSED,
    "DecodingError": Breakage.BROKEN,
    "TooManyRedirects": Breakage.BROKEN,
    "HTTPStatusError": Breakage.BROKEN,
    "StreamError": Breakage.BROKEN,
    "StreamConsumed": Breakage.BROKEN,
    "StreamClosed": Breakage.BROKEN,
    "ResponseNotRead": Breakage.BROKEN,
    "RequestNotRead": Breakage.BROKEN,
    "CookieConflict": Breakage.BROKEN,
}
"""Every exception of httpx by its own name, so that a new one in a later version is noticed by a test."""


def breakage_of(error: BaseException) -> Breakage:
    """Looks one of httpx's exceptions up, its bases after it."""
    names = (kind.__name__ for kind in type(error).__mro__)
    return next((BREAKAGES[name] for name in names if name in BREAKAGES), Breakage.BROKEN)
