"""Reads SMTP replies and says what each means for the mail (RFC 5321 section 4.2, RFC 3463, RFC 2034)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tui_mailer.domain.errors import DeliveryError, NotAuthorized, Rejected, TryLater
from tui_mailer.domain.submission import RecipientResult, RecipientStatus
from tui_mailer.domain.text import clean

_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:[ \t]+|$)")
_MAX_REPLY_BYTES = 64 * 1024
_WANTS_AUTHENTICATION = re.compile(r"\bauth|\blog ?in\b", re.IGNORECASE)

_CREDENTIAL_CODES = frozenset({530, 534, 535, 538})
_PERMANENT_552 = frozenset({"5.2.2", "5.2.3", "5.3.4"})
"""Where 552 to RCPT speaks of a mailbox or a size; else it is the old "too many recipients" (RFC 5321 4.5.3.1.10)."""

_PROVIDER_IDS = (
    re.compile(r"\bqueued as <?([A-Za-z0-9._@-]+)", re.IGNORECASE),
    re.compile(r"\bInternalId=(\d+)", re.IGNORECASE),
    re.compile(r"\bid=<?([A-Za-z0-9._@-]+)", re.IGNORECASE),
    re.compile(r"\bOK\s+(.+?) - gsmtp", re.IGNORECASE),
    re.compile(r"\b([A-Za-z0-9._-]{6,}):? Message accepted", re.IGNORECASE),
    re.compile(r"^OK ([A-Za-z0-9._-]{16,})$", re.IGNORECASE),
)


class GarbledReply(Exception):
    """The peer doesn't speak SMTP, or not any more."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply, its lines joined."""

    code: int
    text: str
    """Without code and enhanced code; safe for a terminal."""
    enhanced_code: str | None = None

    @property
    def is_positive(self) -> bool:
        """Whether it says yes (2yz)."""
        return 200 <= self.code < 300

    @property
    def is_temporary(self) -> bool:
        """Whether it says not now (4yz)."""
        return 400 <= self.code < 500

    @property
    def is_refusal(self) -> bool:
        """Whether it says no, now or for good (4yz, 5yz)."""
        return self.code >= 400

    def __str__(self) -> str:
        return " ".join(part for part in (str(self.code), self.enhanced_code, self.text) if part)


class ReplyParser:
    """Turns the bytes that arrive into replies, whatever the blocks they arrive in."""

    def __init__(self, redact: Callable[[str], str] = str) -> None:
        """``redact`` takes out of a reply's text what nobody may see: a server may say back what it was sent."""
        self._redact = redact
        self._buffer = b""
        self._code = b""
        self._lines: list[str] = []
        self._size = 0

    def feed(self, block: bytes) -> list[Reply]:
        """Returns the replies that the block completes; raises `GarbledReply`."""
        replies: list[Reply] = []
        *lines, self._buffer = (self._buffer + block).split(b"\n")
        for line in lines:
            match = _LINE.fullmatch(line.rstrip(b"\r"))
            self._size += len(line)
            # Lines that disagree say nothing: RFC 5321 section 4.2.1 wants one code on all of them.
            is_at_odds = match is not None and bool(self._lines) and match[1] != self._code
            if match is None or is_at_odds or self._size > _MAX_REPLY_BYTES:
                raise GarbledReply(clean(line[:80].decode("utf-8", "replace")))
            self._code = match[1]
            self._lines.append((match[3] or b"").decode("utf-8", "replace"))
            if match[2] != b"-":
                replies.append(make_reply(int(match[1]), self._lines, self._redact))
                self._lines, self._size = [], 0
        if len(self._buffer) > _MAX_REPLY_BYTES:
            raise GarbledReply(f"a line of more than {_MAX_REPLY_BYTES} bytes")
        return replies


def make_reply(code: int, lines: list[str], redact: Callable[[str], str] = str) -> Reply:
    """Makes a reply from the texts after its code; ``redact`` sees them cleaned, so that nothing hides in between."""
    match = _ENHANCED.match(lines[0]) if lines else None
    enhanced_code = match[1] if match is not None and match[1][0] == str(code)[0] else None
    if enhanced_code is not None:
        lines = [line.removeprefix(enhanced_code).lstrip() for line in lines]
    return Reply(code, redact(clean(" ".join(lines))).strip(), enhanced_code)


def recipient_result(address: str, reply: Reply) -> RecipientResult:
    """Says what a reply to RCPT, or to the whole message, means for one recipient."""
    return RecipientResult(
        address=address,
        status=_recipient_status(reply),
        code=reply.code,
        enhanced_code=reply.enhanced_code,
        text=reply.text,
    )


def rcpt_result(address: str, reply: Reply) -> RecipientResult:
    """Says what a reply to RCPT means: as `recipient_result`, but for an old server's "too many recipients"."""
    result = recipient_result(address, reply)
    if is_too_many_recipients(reply):
        return RecipientResult(
            address=address,
            status=RecipientStatus.DEFERRED,
            code=reply.code,
            enhanced_code=reply.enhanced_code,
            text=reply.text,
        )
    return result


def is_too_many_recipients(reply: Reply) -> bool:
    """Says whether a reply to RCPT only asks for another envelope."""
    if reply.code == 552:
        return reply.enhanced_code not in _PERMANENT_552
    return reply.code == 452 and (reply.enhanced_code == "4.5.3" or "too many" in reply.text.lower())


def is_credential_trouble(reply: Reply) -> bool:
    """Says whether a reply is about who we are rather than about the mail."""
    return reply.code in _CREDENTIAL_CODES


def mail_refused(reply: Reply, what: str, *, transcript: tuple[str, ...], is_authenticated: bool) -> DeliveryError:
    """Makes the error for a reply that refuses a message before any recipient was named."""
    text = f"The server refused {what}: {reply}. Nothing was sent."
    code, enhanced_code = reply.code, reply.enhanced_code
    asks_for_credential = enhanced_code == "5.7.0" and _WANTS_AUTHENTICATION.search(reply.text) is not None
    if is_credential_trouble(reply) or asks_for_credential:
        remedy = "Check username and credential." if is_authenticated else "Set username and credential."
        text = f"{text} {remedy}"
        return NotAuthorized(text, code=code, enhanced_code=enhanced_code, transcript=transcript)
    if code == 503 and not is_authenticated and _WANTS_AUTHENTICATION.search(reply.text):
        return NotAuthorized(text, code=code, enhanced_code=enhanced_code, transcript=transcript)
    if reply.is_temporary or code == 503:
        is_account_wide = code in {421, 452, 454} or enhanced_code == "4.3.1"
        return TryLater(
            text, is_account_wide=is_account_wide, code=code, enhanced_code=enhanced_code, transcript=transcript
        )
    return Rejected(text, code=code, enhanced_code=enhanced_code, transcript=transcript)


def provider_id(reply: Reply) -> str | None:
    """Finds the server's own ID of the message in its last reply, where it names one."""
    for pattern in _PROVIDER_IDS:
        if match := pattern.search(reply.text):
            return match[1].rstrip(".")
    return None


def _recipient_status(reply: Reply) -> RecipientStatus:
    if reply.is_positive:
        return RecipientStatus.ACCEPTED
    # 503 tells of a conversation out of step, never of the mail.
    return RecipientStatus.DEFERRED if reply.is_temporary or reply.code == 503 else RecipientStatus.REJECTED
