"""The commands of one envelope with their parameters, and whether a server can take it (SIZE, 8BITMIME, SMTPUTF8)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tui_mailer.domain.errors import Rejected, Unsupported
from tui_mailer.providers.smtp_settings import DeliveryNotice

_LOCAL_PART = r"(?:[^\x00-\x20\x7f-\x9f<>()\[\]\\,;:@\"]+|\"(?:[^\x00-\x1f\x7f-\x9f\"\\]|\\[^\x00-\x1f\x7f-\x9f])*\")"
_WIRE_ADDRESS = re.compile(rf"{_LOCAL_PART}@(?:[A-Za-z0-9._-]+|\[[A-Za-z0-9.:]+\])")
_NOT_XCHAR = re.compile(r"[^\x21-\x2a\x2c-\x3c\x3e-\x7e]")
_NOTIFY = {"never": "NEVER", "failure": "FAILURE,DELAY", "success": "SUCCESS,FAILURE,DELAY"}


def require_wire_address(address: str, field: str) -> None:
    """Raises `Unsupported` for anything but an addr-spec with A-labels: it could carry a second command."""
    if not _WIRE_ADDRESS.fullmatch(address):
        raise Unsupported(field, f"{address!r} is no address that SMTP can carry.", "Correct it.")


def xtext(text: str) -> str:
    """Encodes a parameter's value as RFC 3461 section 4 wants it."""
    return _NOT_XCHAR.sub(lambda match: "".join(f"+{byte:02X}" for byte in match[0].encode()), text)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpEnvelope:
    """Who sends what to whom, independent of the server."""

    sender: str
    """The reverse-path; empty for the null one."""
    recipients: tuple[str, ...]
    size: int
    envelope_id: str
    notice: DeliveryNotice
    needs_smtputf8: bool
    is_8bit: bool = False

    def check_carried_by(self, extensions: Mapping[str, str]) -> None:
        """Raises `Rejected` before anything is sent when this server can't take it."""
        limit = extensions.get("size", "").strip()
        if limit.isdecimal() and 0 < int(limit) < self.size:
            raise Rejected(
                f"The message is too large for this server: {self.size} bytes, and it takes at most {int(limit)}. "
                "Nothing was sent. Make the attachments smaller or send a link."
            )
        if self.needs_smtputf8 and "smtputf8" not in extensions:
            address = next((a for a in (self.sender, *self.recipients) if not a.isascii()), "an address in its header")
            raise Rejected(
                f"The server can't carry {address}: it doesn't offer SMTPUTF8, which letters beyond ASCII left of "
                "the @ need. Nothing was sent. Ask the recipient for another address."
            )
        if self.is_8bit and "8bitmime" not in extensions:
            raise Rejected(
                "The message holds 8-bit bytes, and the server doesn't offer 8BITMIME. Nothing was sent. "
                "Let the program that wrote it encode them."
            )

    def mail_line(self, extensions: Mapping[str, str]) -> str:
        """Returns MAIL with the parameters this server knows."""
        parts = [f"MAIL FROM:<{self.sender}>"]
        if "size" in extensions:
            parts.append(f"SIZE={self.size}")
        if self.is_8bit or (self.needs_smtputf8 and "8bitmime" in extensions):
            parts.append("BODY=8BITMIME")
        if self.needs_smtputf8:
            parts.append("SMTPUTF8")
        if self._asks_for_notice(extensions):
            parts.append(f"RET=HDRS ENVID={xtext(self.envelope_id)}")
        return " ".join(parts)

    def rcpt_lines(self, extensions: Mapping[str, str]) -> list[str]:
        """Returns one RCPT per recipient, with the parameters this server knows."""
        if not self._asks_for_notice(extensions):
            return [f"RCPT TO:<{address}>" for address in self.recipients]
        notify = f"NOTIFY={_NOTIFY[self.notice]}"
        return [f"RCPT TO:<{address}> {notify}{_original_recipient(address)}" for address in self.recipients]

    def commands(self, extensions: Mapping[str, str]) -> list[bytes]:
        """Returns the whole group in the order of RFC 2920: DATA last."""
        lines = (self.mail_line(extensions), *self.rcpt_lines(extensions), "DATA")
        return [f"{line}\r\n".encode() for line in lines]

    def _asks_for_notice(self, extensions: Mapping[str, str]) -> bool:
        return self.notice != "default" and "dsn" in extensions


def _original_recipient(address: str) -> str:
    # ORCPT of an internationalised address has a form of its own (RFC 6533); without it the server knows as much.
    return f" ORCPT=rfc822;{xtext(address)}" if address.isascii() else ""
